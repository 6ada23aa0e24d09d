//! The log of a meter, such as one at the wall, that another program appends to.
//!
//! The first line names the columns, with their units, separated by commas. One tells the time: `unix_s` (seconds since
//! 1970), `time` (RFC 3339, such as `2025-01-31T12:00:00Z`) or `time_s` (seconds since any moment). One tells what is
//! metered: `energy_j`, `power_w` or `energy_kwh`, where energy is a counter. Of several the first in this order
//! counts, and every other column is ignored.
//!
//! Whole lines are read as they are appended. A row of `unix_s` or `time` counts from that moment by this machine's
//! clock. A row of `time_s`, or of a clock that differs by more than a minute, can't be compared: then the first row
//! that arrives counts from its arrival, and the others follow at the distances that their times tell. Power is a
//! straight line between rows; after the last row it goes on as it was until the next one arrives.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::integrate::{Reading, Track};
use super::quantity::{J_PER_KWH, decimal};
use super::sampler::{Stop, Ticker, lock, no_thread};
use super::{Meter, MeterDescription, MeterError, Provenance, cut, unavailable_for};
use crate::device::Device;
use crate::unavailable::Unavailable;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// How long opening waits for the file to grow.
const WAIT: Duration = Duration::from_secs(30);

/// How long the file may stand still, in seconds, and by how much its clock may differ.
const STALE_S: f64 = 60.0;

/// The longest line, in bytes: beyond it this is no log.
const LINE_MAX: usize = 4096;

/// What the log's joules include: only the user knows.
pub(super) const COVERS: &str = "what the logged meter covers";

const TIMES: [(&str, Time); 3] = [("unix_s", Time::Unix), ("time", Time::Rfc3339), ("time_s", Time::Relative)];

const VALUES: [(&str, Value); 3] =
    [("energy_j", Value::Joules), ("power_w", Value::Watts), ("energy_kwh", Value::KilowattHours)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Unix,
    Rfc3339,
    Relative,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Joules,
    Watts,
    KilowattHours,
}

/// A log that grows.
pub(super) struct CsvMeter {
    description: MeterDescription,
    path: PathBuf,
    log: Arc<Mutex<Log>>,
    opened: Instant,
    _ticker: Ticker,
}

/// Which columns are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    time: (usize, Time),
    value: (usize, Value),
}

/// What the log has yielded. It starts no clock, so that tests can tell it the time.
#[derive(Debug)]
struct Log {
    columns: Columns,
    /// This machine's clock when the meter was opened, in seconds since 1970.
    opened_unix_s: f64,
    /// What is added to a row's own time to make it seconds since opening; none before the first row.
    offset_s: Option<f64>,
    /// Whether the offset is only the arrival of the first row.
    is_by_arrival: bool,
    /// None before the first row.
    track: Option<Track>,
    /// The own time of the last row, in seconds.
    last_s: Option<f64>,
    /// The time between the last two rows, in seconds.
    interval_s: Option<f64>,
    /// When the last row arrived, in seconds since opening.
    arrived_s: f64,
    /// Why the rest of the log can't be read.
    broken: Option<String>,
}

/// The file, read as far as its last whole line.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    offset: u64,
    partial: Vec<u8>,
}

impl CsvMeter {
    /// Waits until the log grows, and starts at 0 J with that row.
    ///
    /// # Errors
    ///
    /// The file can't be read, lacks a column, holds a row that is no reading, or doesn't grow.
    pub(super) fn open(name: String, path: &Path, device: Device) -> Result<Self, Unavailable> {
        Self::open_within(name, path, device, WAIT)
    }

    fn open_within(name: String, path: &Path, device: Device, wait: Duration) -> Result<Self, Unavailable> {
        let cannot = |reason: String| unavailable_for(device, format!("the log {path:?}: {reason}"), "");
        let opened = Instant::now();
        let (mut tail, columns, last_row) = Tail::open(path).map_err(cannot)?;
        let mut log = Log::new(columns, unix_now_s());
        if let Some(row) = last_row {
            log.look_back(&row).map_err(cannot)?;
        }
        while log.track.is_none() {
            log.ingest(tail.lines(), opened.elapsed().as_secs_f64());
            if let Some(reason) = log.broken.take() {
                return Err(cannot(reason));
            }
            if opened.elapsed() >= wait {
                let reason = format!("it has not grown for {} s", wait.as_secs_f64());
                return Err(unavailable_for(
                    device,
                    format!("the log {path:?}: {reason}"),
                    "start the program that writes it, and let it write each row at once",
                ));
            }
            std::thread::sleep(PERIOD.min(wait));
        }
        let quantum_s = log.interval_s.filter(|interval_s| *interval_s <= STALE_S).unwrap_or(1.0);
        let log = Arc::new(Mutex::new(log));
        let shared = Arc::clone(&log);
        let tick = move |_: &Stop| lock(&shared).ingest(tail.lines(), opened.elapsed().as_secs_f64());
        let ticker = Ticker::start(PERIOD, tick).map_err(|error| cannot(no_thread(&error)))?;
        let description = MeterDescription {
            name,
            device,
            provenance: Provenance::Measured,
            covers: COVERS.to_owned(),
            leaves_out: "what the logged meter leaves out".to_owned(),
            relative_uncertainty: None,
            quantum_s,
        };
        Ok(Self { description, path: path.to_owned(), log, opened, _ticker: ticker })
    }
}

impl Meter for CsvMeter {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    fn read_j(&mut self, _now: Duration) -> Result<f64, MeterError> {
        let total = lock(&self.log).total_j(self.opened.elapsed().as_secs_f64());
        total.map_err(|reason| MeterError::Failed { what: format!("the log {:?}", self.path), reason })
    }

    fn note(&self) -> Option<String> {
        lock(&self.log).note()
    }
}

impl Columns {
    /// Reads the header; the error is the reason.
    fn parse(header: &str) -> Result<Self, String> {
        let names: Vec<&str> = fields(header.trim_start_matches('\u{feff}')).collect();
        let position = |name: &str| names.iter().position(|found| *found == name);
        let missing = |expected: &str| {
            let found = cut_list(&names);
            format!("its first line names no column {expected}; found {found}")
        };
        let time = TIMES.into_iter().find_map(|(name, time)| Some((position(name)?, time)));
        let value = VALUES.into_iter().find_map(|(name, value)| Some((position(name)?, value)));
        Ok(Self {
            time: time.ok_or_else(|| missing("unix_s, time or time_s"))?,
            value: value.ok_or_else(|| missing("energy_j, power_w or energy_kwh"))?,
        })
    }

    /// Reads a row: its own time in seconds, and what was metered.
    fn row(&self, row: &str) -> Result<(f64, Reading), String> {
        let fields: Vec<&str> = fields(row).collect();
        let in_row = |reason: String| format!("the row {:?}: {reason}", cut(row));
        let field = |index: usize| fields.get(index).copied().ok_or_else(|| in_row("it is too short".to_owned()));
        let (time, value) = (field(self.time.0)?, field(self.value.0)?);
        let time_s = match self.time.1 {
            Time::Unix | Time::Relative => decimal(time, 0),
            Time::Rfc3339 => time
                .parse::<jiff::Timestamp>()
                .map(|time| time.as_duration().as_secs_f64())
                .map_err(|_| format!("{time:?} is no time such as 2025-01-31T12:00:00Z")),
        };
        let reading = match self.value.1 {
            Value::Joules => decimal(value, 0).map(Reading::Joules),
            Value::Watts => decimal(value, 0).map(Reading::Watts),
            Value::KilowattHours => decimal(value, 0).map(|kwh| Reading::Joules(kwh * J_PER_KWH)),
        };
        let reading = reading.and_then(Reading::check).map_err(in_row)?;
        Ok((time_s.map_err(in_row)?, reading))
    }
}

impl Log {
    fn new(columns: Columns, opened_unix_s: f64) -> Self {
        Self {
            columns,
            opened_unix_s,
            offset_s: None,
            is_by_arrival: false,
            track: None,
            last_s: None,
            interval_s: None,
            arrived_s: 0.0,
            broken: None,
        }
    }

    /// Takes the last row from before the meter was opened: only its time, to know how often there is one.
    fn look_back(&mut self, row: &str) -> Result<(), String> {
        self.last_s = Some(self.columns.row(row)?.0);
        Ok(())
    }

    /// Takes whole lines that arrived.
    fn ingest(&mut self, lines: Result<Vec<String>, String>, arrival_s: f64) {
        if self.broken.is_none() {
            let result = lines.and_then(|lines| lines.iter().try_for_each(|line| self.take(line, arrival_s)));
            self.broken = result.err();
        }
    }

    fn take(&mut self, line: &str, arrival_s: f64) -> Result<(), String> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let (time_s, reading) = self.columns.row(line)?;
        if let Some(last_s) = self.last_s {
            if time_s < last_s {
                return Err(format!("the row {:?}: its time is before that of the row above", cut(line)));
            }
            self.interval_s = Some(time_s - last_s);
        }
        self.last_s = Some(time_s);
        self.arrived_s = arrival_s;
        let offset_s = self.offset_s.unwrap_or_else(|| {
            let by_clock_s = -self.opened_unix_s;
            let is_near = (time_s + by_clock_s - arrival_s).abs() <= STALE_S;
            self.is_by_arrival = self.columns.time.1 != Time::Relative && !is_near;
            if is_near && self.columns.time.1 != Time::Relative { by_clock_s } else { arrival_s - time_s }
        });
        self.offset_s = Some(offset_s);
        let at_s = time_s + offset_s;
        match &mut self.track {
            None => self.track = Some(Track::new(at_s, reading)),
            Some(track) => {
                track.feed(at_s, reading).map_err(|reason| format!("the row {:?}: {reason}", cut(line)))?;
            }
        }
        Ok(())
    }

    fn total_j(&mut self, at_s: f64) -> Result<f64, String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let still_s = at_s - self.arrived_s;
        if still_s > STALE_S {
            return Err(format!("it has not grown for {still_s:.0} s"));
        }
        let track = self.track.as_mut().ok_or("it has no row yet")?;
        if let Some(still_s) = track.never_moved_s(at_s).filter(|still_s| *still_s > STALE_S) {
            return Err(format!("its counter has not moved for {still_s:.0} s"));
        }
        Ok(track.total_j(at_s))
    }

    fn note(&self) -> Option<String> {
        if self.is_by_arrival {
            let note = "the log's clock differs from this machine's by more than a minute: its rows count from when \
                        they arrived";
            return Some(note.to_owned());
        }
        self.track.as_ref()?.note()
    }
}

impl Tail {
    /// Opens a log: reads its header, and goes to its end. Returns the last whole row too, if there is one.
    fn open(path: &Path) -> Result<(Self, Columns, Option<String>), String> {
        let mut tail = Self { path: path.to_owned(), offset: 0, partial: Vec::new() };
        let mut start = Vec::new();
        let mut file = tail.file()?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        (&mut file).take(LINE_MAX as u64).read_to_end(&mut start).map_err(|error| error.to_string())?;
        let Some(header_end) = start.iter().position(|byte| *byte == b'\n') else {
            return Err("it has no whole first line that names its columns".to_owned());
        };
        let columns = Columns::parse(&String::from_utf8_lossy(&start[..header_end]))?;
        let rows_at = header_end as u64 + 1;
        // Two lines at least: the last whole one and what comes after it.
        let from = length.saturating_sub(2 * LINE_MAX as u64).max(rows_at);
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(|error| error.to_string())?;
        file.take(2 * LINE_MAX as u64).read_to_end(&mut end).map_err(|error| error.to_string())?;
        let Some(whole) = end.iter().rposition(|byte| *byte == b'\n') else {
            tail.offset = from;
            return Ok((tail, columns, None));
        };
        tail.offset = from + whole as u64 + 1;
        let row = end[..whole].split(|byte| *byte == b'\n').next_back().map(String::from_utf8_lossy);
        Ok((tail, columns, row.map(|row| row.trim().to_owned()).filter(|row| !row.is_empty())))
    }

    fn file(&self) -> Result<File, String> {
        File::open(&self.path).map_err(|error| format!("can't read it: {error}"))
    }

    /// Returns the whole lines that were appended.
    fn lines(&mut self) -> Result<Vec<String>, String> {
        // Opened anew each time: a log that is rotated is another file of the same name.
        let mut file = self.file()?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let read_to = self.offset + self.partial.len() as u64;
        if length < read_to {
            return Err(format!("it was cut from {read_to} bytes to {length}, or replaced by another file"));
        }
        let read = |file: &mut File, partial: &mut Vec<u8>| -> io::Result<()> {
            file.seek(SeekFrom::Start(read_to))?;
            file.read_to_end(partial).map(drop)
        };
        read(&mut file, &mut self.partial).map_err(|error| format!("can't read it: {error}"))?;
        let whole = self.partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.partial.drain(..whole).collect();
        self.offset += whole as u64;
        if self.partial.len() > LINE_MAX {
            return Err(format!("a line is longer than {LINE_MAX} bytes"));
        }
        Ok(String::from_utf8_lossy(&lines).lines().map(ToOwned::to_owned).collect())
    }
}

/// Splits a line into its fields, without the white space and the quotes around them.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.trim().split(',').map(|field| field.trim().trim_matches('"').trim())
}

/// Lists names for an error, the first ten of them.
fn cut_list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(10).map(|name| cut(name)).collect();
    let rest = if names.len() > 10 { ", …" } else { "" };
    format!("{}{rest}", shown.join(", "))
}

/// Returns this machine's clock in seconds since 1970.
fn unix_now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    fn log(header: &str) -> Log {
        Log::new(Columns::parse(header).unwrap(), 1_700_000_000.0)
    }

    fn ingest(log: &mut Log, arrival_s: f64, rows: &[&str]) {
        log.ingest(Ok(rows.iter().map(|row| (*row).to_owned()).collect()), arrival_s);
    }

    fn file(content: &str) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    fn append(file: &NamedTempFile, content: &str) {
        OpenOptions::new().append(true).open(file.path()).unwrap().write_all(content.as_bytes()).unwrap();
    }

    #[test]
    fn the_header_names_columns_with_their_units() {
        for (header, time, value) in [
            ("time_s,power_w", (0, Time::Relative), (1, Value::Watts)),
            ("\u{feff}\"unix_s\", \"power_w\"\r", (0, Time::Unix), (1, Value::Watts)),
            ("volts,energy_kwh,time", (2, Time::Rfc3339), (1, Value::KilowattHours)),
            ("time_s,unix_s,energy_kwh,power_w,energy_j", (1, Time::Unix), (4, Value::Joules)),
        ] {
            assert_eq!(Columns::parse(header), Ok(Columns { time, value }), "{header}");
        }
        for (header, reason) in [
            ("time_s,power", "no column energy_j, power_w or energy_kwh; found time_s, power"),
            ("time_s,power_kw", "no column energy_j, power_w or energy_kwh; found time_s, power_kw"),
            ("timestamp,power_w", "no column unix_s, time or time_s; found timestamp, power_w"),
            ("time_s;power_w", "found time_s;power_w"),
            ("1700000000,65.5", "found 1700000000, 65.5"),
        ] {
            let error = Columns::parse(header).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn rows_are_numbers_in_the_units_of_their_columns() {
        let columns = |header: &str| Columns::parse(header).unwrap();
        let unix = columns("unix_s,power_w");
        assert_eq!(unix.row("1700000000.5, \"65.5\""), Ok((1_700_000_000.5, Reading::Watts(65.5))));
        let time = columns("time,energy_kwh");
        assert_eq!(time.row("2023-11-14T22:13:20Z,1.5"), Ok((1_700_000_000.0, Reading::Joules(5.4e6))));
        assert_eq!(time.row("2023-11-14T23:13:20.25+01:00,0").unwrap().0, 1_700_000_000.25);
        for (row, reason) in [
            ("1700000000", "the row \"1700000000\": it is too short"),
            ("now,65", "\"now\" is no decimal number"),
            ("1700000000,65 W", "\"65 W\" is no decimal number"),
            ("1700000000,", "\"\" is no decimal number"),
            ("1700000000,0", "0 W: a device that is on"),
            ("1700000000,2000000", "above 1000000 W"),
        ] {
            let error = unix.row(row).unwrap_err();
            assert!(error.contains(reason), "{row}: {error}");
        }
        assert!(time.row("2023-11-14 22:13,1").unwrap_err().contains("is no time such as"));
    }

    #[test]
    fn rows_of_this_machines_clock_count_from_their_own_time() {
        for (header, rows) in [
            ("unix_s,power_w", ["1700000001,100", "1700000003,200"]),
            ("time,power_w", ["2023-11-14T22:13:21Z,100", "2023-11-14T22:13:23Z,200"]),
        ] {
            let mut log = log(header);
            ingest(&mut log, 6.0, &rows[..1]);
            assert_eq!(log.total_j(6.0), Ok(500.0));
            ingest(&mut log, 8.0, &rows[1..]);
            // 300 J from 1 s to 3 s, then 200 W.
            assert_eq!(log.total_j(8.0), Ok(1300.0));
            assert_eq!((log.interval_s, log.note()), (Some(2.0), None));
        }
    }

    #[test]
    fn rows_of_another_clock_count_from_the_first_arrival() {
        for (header, rows, has_note) in [
            ("time_s,power_w", ["7,100", "9,200"], false),
            ("unix_s,power_w", ["1600000000,100", "1600000002,200"], true),
        ] {
            let mut log = log(header);
            ingest(&mut log, 5.0, &rows[..1]);
            assert_eq!(log.total_j(5.0), Ok(0.0));
            // Both rows that the writer held back arrive at once, and still lie 2 s apart.
            ingest(&mut log, 15.0, &rows[1..]);
            assert_eq!(log.total_j(7.0), Ok(300.0));
            assert_eq!(log.total_j(15.0), Ok(1900.0));
            assert_eq!(log.note().is_some(), has_note);
        }
    }

    #[test]
    fn a_counter_is_read_as_what_it_gained() {
        let mut log = log("time_s,energy_kwh");
        ingest(&mut log, 0.0, &["0,10.0"]);
        ingest(&mut log, 10.0, &["10,10.001", ""]);
        assert!((log.total_j(10.0).unwrap() - 3600.0).abs() < 1e-6);
        ingest(&mut log, 11.0, &["11,9"]);
        assert!(log.total_j(11.0).unwrap_err().contains("the row \"11,9\": the counter went down"));
    }

    #[test]
    fn what_is_no_log_any_more_is_an_error() {
        let mut log = log("time_s,power_w");
        ingest(&mut log, 0.0, &["5,10"]);
        assert!(log.total_j(61.0).unwrap_err().contains("has not grown for 61 s"));
        ingest(&mut log, 62.0, &["67,10"]);
        assert_eq!(log.total_j(62.0), Ok(620.0));
        ingest(&mut log, 63.0, &["4,10"]);
        assert!(log.total_j(63.0).unwrap_err().contains("its time is before"));
        ingest(&mut log, 64.0, &["69,10"]);
        assert!(log.total_j(64.0).is_err(), "a log that went wrong stays so");
    }

    #[test]
    fn only_whole_lines_that_are_new_are_read() {
        let log = file("time_s,power_w\n1,10\n2,20\n3,3");
        let (mut tail, _, row) = Tail::open(log.path()).unwrap();
        assert_eq!(row.as_deref(), Some("2,20"));
        assert!(tail.lines().unwrap().is_empty());
        append(&log, "0\r\n4,40\n5");
        assert_eq!(tail.lines().unwrap(), ["3,30", "4,40"]);
        assert!(tail.lines().unwrap().is_empty());
        append(&log, ",50\n");
        assert_eq!(tail.lines().unwrap(), ["5,50"]);
        log.as_file().set_len(20).unwrap();
        assert!(tail.lines().unwrap_err().contains("it was cut from"));
        append(&log, &"x".repeat(10_000));
        assert!(tail.lines().unwrap_err().contains("longer than 4096 bytes"));
    }

    #[test]
    fn a_long_log_is_read_from_its_end() {
        let mut content = "time_s,power_w\n".to_owned();
        (0..100_000).for_each(|second| content.push_str(&format!("{second},65\n")));
        let (tail, _, row) = Tail::open(file(&content).path()).unwrap();
        assert_eq!((row.as_deref(), tail.offset), (Some("99999,65"), content.len() as u64));
    }

    #[test]
    fn a_log_that_is_written_is_a_meter() {
        let log = file("time_s,power_w\n1.5,50\n");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                append(&log, "2,100\n");
            });
            let open = CsvMeter::open("csv:log@gpu0".to_owned(), log.path(), Device::Gpu(0));
            let mut meter = open.ok().unwrap();
            assert_eq!((meter.description().device, meter.description().quantum_s), (Device::Gpu(0), 0.5));
            let before = meter.read_j(Duration::ZERO).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            assert!(meter.read_j(Duration::ZERO).unwrap() - before >= 1.9);
            std::fs::remove_file(log.path()).unwrap();
            let start = Instant::now();
            while meter.read_j(Duration::ZERO).is_ok() {
                assert!(start.elapsed() < Duration::from_secs(30), "a log that vanished is still read");
            }
        });
    }

    #[test]
    fn what_cannot_be_opened_has_a_reason() {
        let reason = |path: &Path| {
            let wait = Duration::from_millis(1);
            CsvMeter::open_within("csv".to_owned(), path, Device::Cpu, wait).err().unwrap()
        };
        for (content, expected) in [
            ("", "no whole first line"),
            ("time_s,power_w", "no whole first line"),
            ("time_s,watts\n1,2\n", "found time_s, watts"),
            ("time_s,power_w\n1,2 W\n", "\"2 W\" is no decimal number"),
        ] {
            let Unavailable { reason, .. } = reason(file(content).path());
            assert!(reason.contains(expected), "{reason}");
        }
        let Unavailable { reason: still, hint } = reason(file("time_s,power_w\n1,2\n").path());
        assert!(still.contains("has not grown for 0.001 s"), "{still}");
        assert!(hint.starts_with("start the program that writes it"), "{hint}");
        assert!(reason(Path::new("/nowhere/log.csv")).reason.contains("can't read it"));
    }
}
