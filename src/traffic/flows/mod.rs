//! Flow records: reads them from what other programs wrote, and finds those that look like mining.

mod columns;
mod endpoint;
mod json;
mod record;
mod shape;
mod shares;

use std::io::Read;

use self::columns::{Columns, Parsed};
pub use self::endpoint::{Endpoint, EndpointKey, Endpoints};
pub use self::record::{Address, FlowRecord, Service, Volume, parse_moment};
pub use self::shape::{Candidate, Evidence, Node, Search, search};
pub use self::shares::{ShareEstimate, shares};
use super::escape::printable;
use super::input::{Faults, Input, InputError, Line, Lines, Skipped};

/// The longest line that is read, at least.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Flow records that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The operating system's, or damaged compression.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No table that is known.
    #[error("{path:?} holds no flow records that can be read: line {line}: {reason}")]
    Unknown {
        /// The file.
        path: std::path::PathBuf,
        /// The line's number, from 1 on.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Too much that can't be read.
    #[error("{path:?}: more than {} lines can't be read; the first is line {line}: {reason}", Skipped::LIMIT)]
    Lines {
        /// The file.
        path: std::path::PathBuf,
        /// The first such line's number.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// What was read of flow records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Who wrote them, such as `Zeek conn.log`.
    pub kind: &'static str,
    /// `gzip` or `zstd`, where they were compressed.
    pub compression: Option<&'static str>,
    /// Lines in all.
    pub lines: u64,
    /// Records of TCP.
    pub records: u64,
    /// Records of other protocols, which carry no mining.
    pub not_tcp: u64,
    /// What is wrong with the input all the same.
    pub faults: Faults,
}

/// How a stream of lines is to be understood.
enum Form {
    /// Nothing of it was seen yet.
    Unknown,
    /// Zeek's head was seen, but no `#fields` yet.
    ZeekHead,
    Table(Columns),
    /// Behind nfdump's summary, until another heading comes.
    Footer,
    Json,
}

/// Reads all flow records of an input into endpoints.
///
/// # Errors
///
/// The input can't be read, is of none of the known kinds, or has too many lines that can't be read.
pub fn read(input: Input) -> Result<(Endpoints, Reading), FlowError> {
    let mut endpoints = Endpoints::default();
    let reading = read_each(input, |record| endpoints.add(record))?;
    endpoints.settle();
    Ok((endpoints, reading))
}

/// Reads all flow records of an input one by one.
///
/// # Errors
///
/// Those of [`read`].
pub fn read_each(mut input: Input, mut each: impl FnMut(&FlowRecord)) -> Result<Reading, FlowError> {
    let path = input.path().to_owned();
    let mut reading = Reading { compression: input.compression(), ..Reading::default() };
    let mut lines = Lines::new(input.by_ref(), LINE_BYTES_MAX);
    let mut form = Form::Unknown;
    let fault = loop {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        reading.lines += 1;
        let parsed = match line {
            Line::Whole(line) => form.take(line, &mut reading.kind),
            Line::TooLong => Taken::Bad("it is longer than any record".to_owned()),
        };
        let reason = match parsed {
            Taken::Record(Parsed::Flow(record)) => {
                reading.records += 1;
                each(&record);
                continue;
            }
            Taken::Record(Parsed::NotTcp) => {
                reading.not_tcp += 1;
                continue;
            }
            Taken::Nothing => continue,
            Taken::Unknown(reason) => return Err(FlowError::Unknown { path, line: reading.lines, reason }),
            Taken::Bad(reason) => reason,
        };
        if !reading.faults.skipped.note(reading.lines, || printable(&reason)) {
            let (line, reason) = reading.faults.skipped.first.swap_remove(0);
            return Err(FlowError::Lines { path, line, reason });
        }
    };
    if let Some(error) = fault {
        reading.faults.cut_off = Some(input.cut_off_by(error)?);
    }
    if reading.kind.is_empty() {
        let reason = "it ends before a heading or a record".to_owned();
        return Err(FlowError::Unknown { path, line: reading.lines, reason });
    }
    if reading.records + reading.not_tcp == 0 && reading.faults.skipped.count > 0 {
        let (line, reason) = reading.faults.skipped.first.swap_remove(0);
        return Err(FlowError::Unknown { path, line, reason });
    }
    reading.faults.has_changed = input.has_changed();
    Ok(reading)
}

/// What became of a line.
enum Taken {
    Record(Parsed),
    /// A line that holds no record, and needs none.
    Nothing,
    /// A line that should hold a record, and the reason why none can be read.
    Bad(String),
    /// A first line that belongs to no known form.
    Unknown(String),
}

impl Form {
    #[inline]
    fn take(&mut self, line: &[u8], kind: &mut &'static str) -> Taken {
        match self {
            Self::Table(columns) => match line.first() {
                Some(b'#') if columns.kind() == columns::Kind::Zeek => self.head(line, kind),
                None => Taken::Nothing,
                Some(first) if !first.is_ascii_digit() && columns.kind() != columns::Kind::Zeek => self.text(line),
                Some(_) => match columns.parse(line) {
                    Ok(record) => Taken::Record(record),
                    Err(reason) => Taken::Bad(reason.to_owned()),
                },
            },
            Self::Footer => self.text(line),
            Self::Json if line.is_empty() => Taken::Nothing,
            Self::Json => match json::parse(line) {
                Ok(record) => Taken::Record(record),
                Err(reason) => Taken::Bad(reason),
            },
            Self::Unknown | Self::ZeekHead => self.begin(line, kind),
        }
    }

    /// Finds out what the input is.
    fn begin(&mut self, line: &[u8], kind: &mut &'static str) -> Taken {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        match line.trim_ascii_start().first() {
            None => Taken::Nothing,
            Some(b'#') => self.head(line, kind),
            _ if matches!(self, Self::ZeekHead) => {
                Taken::Unknown("a record comes before the line #fields, without which columns have no names".to_owned())
            }
            Some(b'{') => {
                *self = Self::Json;
                *kind = "Zeek conn.log (JSON)";
                self.take(line, kind)
            }
            Some(_) => match Columns::of_csv(line) {
                Ok(columns) => {
                    *kind = columns.kind().name();
                    *self = Self::Table(columns);
                    Taken::Nothing
                }
                Err(reason) => Taken::Unknown(reason),
            },
        }
    }

    /// Takes a line of Zeek's head. Where logs were put one behind the other, columns can change on the way.
    #[cold]
    fn head(&mut self, line: &[u8], kind: &mut &'static str) -> Taken {
        if let Some(separator) = line.strip_prefix(b"#separator ")
            && separator.trim_ascii() != b"\\x09"
        {
            return Taken::Unknown("its separator isn't a tab".to_owned());
        }
        if let Some(names) = line.strip_prefix(b"#fields\t") {
            match Columns::of_zeek(names) {
                Ok(columns) => {
                    *kind = columns.kind().name();
                    *self = Self::Table(columns);
                }
                Err(reason) => return Taken::Unknown(reason),
            }
        } else if matches!(self, Self::Unknown) {
            *self = Self::ZeekHead;
        }
        Taken::Nothing
    }

    /// Takes a line of a CSV that doesn't begin with a digit: a heading that comes again where files were put one
    /// behind the other, what nfdump prints below its table, or a record that begins with a quote.
    #[cold]
    fn text(&mut self, line: &[u8]) -> Taken {
        const BELOW: [&str; 6] = ["Summary", "Time window", "Total flows", "Sys:", "No matched", "#"];
        if BELOW.iter().any(|start| line.starts_with(start.as_bytes())) {
            *self = Self::Footer;
            return Taken::Nothing;
        }
        if let Ok(columns) = Columns::of_csv(line) {
            *self = Self::Table(columns);
            return Taken::Nothing;
        }
        match self {
            Self::Table(columns) => match columns.parse(line) {
                Ok(record) => Taken::Record(record),
                Err(reason) => Taken::Bad(reason.to_owned()),
            },
            _ => Taken::Nothing,
        }
    }
}

#[cfg(test)]
mod synthetic;

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};
    use std::path::Path;

    use super::*;

    const HEAD: &str = "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t\
                        duration\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n#types\ttime\n";
    const LINE: &str = "1495000000.5\t10.0.0.5\t50000\t198.51.100.7\t3333\ttcp\t60\t20\t1500\t21\t9000\n";

    fn read_text(text: &str) -> Result<(Endpoints, Reading), FlowError> {
        read(Input::from_reader(Path::new("conn.log"), Cursor::new(text.as_bytes().to_vec())).unwrap())
    }

    #[test]
    fn a_log_is_read_to_its_end() {
        let text = format!("{HEAD}{}#close\t2017-05-17-12-00-00\n", LINE.repeat(10));
        let (endpoints, reading) = read_text(&text).unwrap();
        assert_eq!((reading.kind, reading.records, reading.lines), ("Zeek conn.log", 10, 15));
        assert_eq!(endpoints.iter().next().unwrap().up[0], 200);
    }

    /// Logs of several days put one behind the other, with another column in the second.
    #[test]
    fn columns_may_change_where_another_log_begins() {
        let second = HEAD.replace("ts\tid.orig_h", "ts\tuid\tid.orig_h");
        let text = format!("{HEAD}{LINE}{second}{}", LINE.replacen('\t', "\tCx\t", 1));
        assert_eq!(read_text(&text).unwrap().1.records, 2);
    }

    #[test]
    fn json_lines_say_the_same() {
        let ends = r#""id.orig_h":"10.0.0.5","id.orig_p":50000,"id.resp_h":"198.51.100.7","id.resp_p":3333"#;
        let counts = r#""orig_pkts":20,"orig_ip_bytes":1500,"resp_pkts":21,"resp_ip_bytes":9000"#;
        let rest = r#""duration":60.0,"orig_bytes":700,"resp_bytes":8000,"history":"ShADad""#;
        let line = format!(r#"{{"ts":1495000000.5,"uid":"C1",{ends},"proto":"tcp",{rest},{counts}}}"#);
        let udp = format!(r#"{{"ts":"2017-05-17T05:46:40Z",{ends},"proto":"udp"}}"#);
        let (endpoints, reading) = read_text(&format!("{line}\n{udp}\n\n{line}\n")).unwrap();
        assert_eq!((reading.records, reading.not_tcp, reading.faults.skipped.count), (2, 1, 0));
        let endpoint = endpoints.iter().next().unwrap();
        assert_eq!((endpoint.up, endpoint.down, endpoint.opened), ([40, 3000, 1400], [42, 18_000, 16_000], 2));
        assert_eq!(endpoint.first_s, 1_495_000_000.5);
    }

    #[test]
    fn nfdumps_summary_is_no_record() {
        let heading = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n";
        let line = "2017-05-17 08:30:00,2017-05-17 08:31:00,60.000,10.0.0.5,198.51.100.7,50123,3333,TCP,\
                    ...AP...,0,0,20,1500,0,0\n";
        let below = "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n1,1500,20,200,0,75\n";
        let (_, reading) = read_text(&format!("{heading}{line}{below}{heading}{line}")).unwrap();
        assert_eq!((reading.records, reading.faults.skipped.count), (2, 0));
    }

    #[test]
    fn a_broken_line_is_named_and_too_many_are_an_error() {
        let broken = "what\u{1b}[2J is this\n";
        let (_, reading) = read_text(&format!("{HEAD}{LINE}{broken}{LINE}")).unwrap();
        assert_eq!((reading.records, reading.faults.skipped.count), (2, 1));
        assert_eq!(reading.faults.skipped.first, [(6, "it has fewer columns than the heading".to_owned())]);
        let limit = usize::try_from(Skipped::LIMIT).unwrap();
        assert!(read_text(&format!("{HEAD}{LINE}{}", broken.repeat(limit))).is_ok());
        let error = read_text(&format!("{HEAD}{LINE}{}", broken.repeat(limit + 1))).err().unwrap().to_string();
        assert!(error.contains("more than 1000 lines can't be read; the first is line 6"), "{error}");
    }

    #[test]
    fn what_holds_no_flow_records_is_refused() {
        for (text, words) in [
            ("", "it ends before a heading or a record"),
            ("#separator \\x09\n", "it ends before a heading or a record"),
            ("#separator ,\n", "its separator isn't a tab"),
            ("#path\tconn\n1\t2\n", "a record comes before the line #fields"),
            ("#fields\tts\n", "the column id.orig_h is missing"),
            ("\u{7f}ELF", "it is no heading"),
            ("{\"a\":1}\n", "missing field"),
        ] {
            let error = read_text(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_came_before_compressed_data_broke_off_counts() {
        let text = format!("{HEAD}{}", LINE.repeat(1_000));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(text.as_bytes()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        bytes.truncate(bytes.len() / 2);
        let read_bytes =
            |bytes: Vec<u8>| read(Input::from_reader(Path::new("conn.log.gz"), Cursor::new(bytes)).unwrap());
        let (_, reading) = read_bytes(bytes.clone()).unwrap();
        assert_eq!(reading.faults.cut_off.as_deref(), Some("its gzip data end too early"));
        assert!((490..500).contains(&reading.records), "{}", reading.records);
        bytes.truncate(20);
        assert!(matches!(read_bytes(bytes), Err(FlowError::Unknown { .. })));
    }

    #[test]
    fn a_line_without_an_end_costs_no_memory() {
        let text = format!("{HEAD}{LINE}{}\n{LINE}", "7".repeat(4 << 20));
        let (_, reading) = read_text(&text).unwrap();
        assert_eq!((reading.records, reading.faults.skipped.first[0].1.as_str()), (2, "it is longer than any record"));
    }
}
