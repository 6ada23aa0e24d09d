//! A command of the user's that prints a power or a counter of energy: the way to meters that this program doesn't
//! know.
//!
//! The command runs in a shell about once a second, in the background, and prints one number with its unit and nothing
//! else. Watts are integrated from reading to reading; joules and watt-hours are taken as a counter. A reading counts
//! from the moment when the command ended. One that fails now and then is bridged and told of; after half a minute
//! without a good one the meter has failed.
//!
//! On Unix the command is a process group of its own: an interrupt from the keyboard doesn't reach it, it can't ask for
//! a password, and what it started ends with it. On Windows only the shell itself is ended when it takes too long.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::integrate::{Reading, Track};
use super::quantity::{self, FORMS};
use super::sampler::{Stop, Ticker, lock, no_thread};
use super::{Meter, MeterDescription, MeterError, Provenance, unavailable_for};
use crate::device::Device;
use crate::unavailable::Unavailable;

/// How often the command is run.
const PERIOD: Duration = Duration::from_secs(1);

/// How long it may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How old its last good reading may be, in seconds.
const STALE_S: f64 = 30.0;

/// How long a counter may stand at its first value, in seconds: until it moves it would pass for 0 W.
const NEVER_MOVED_S: f64 = 60.0;

/// How much of what it prints is kept, in bytes.
const OUTPUT_MAX: u64 = 4096;

/// How often a command that runs is looked at.
const POLL: Duration = Duration::from_millis(10);

/// What the command's joules include: only the user knows.
pub(super) const COVERS: &str = "what the command's meter covers";

/// A command that is run again and again.
pub(super) struct CommandMeter {
    description: MeterDescription,
    state: Arc<Mutex<State>>,
    opened: Instant,
    _ticker: Ticker,
}

/// What the command has yielded.
#[derive(Debug)]
struct State {
    track: Track,
    /// When the last good reading was taken, in seconds since opening.
    good_s: f64,
    readings: u64,
    failures: u64,
    /// Why the last failed reading failed.
    reason: String,
    /// Why there can be no further reading.
    broken: Option<String>,
}

impl CommandMeter {
    /// Runs the command for the first time, and starts at 0 J.
    ///
    /// # Errors
    ///
    /// It fails, takes too long, or prints something that is no number with a unit.
    pub(super) fn open(name: String, command: &str, device: Device) -> Result<Self, Unavailable> {
        let opened = Instant::now();
        let cannot = |reason: String| {
            let mend = format!("try it in a shell: it has to print {FORMS}, and nothing else");
            unavailable_for(device, format!("the command {command:?} {reason}"), &mend)
        };
        let first = run(command, TIME_LIMIT, &Stop::default()).map_err(cannot)?;
        let state = Arc::new(Mutex::new(State::new(opened.elapsed().as_secs_f64(), first)));
        let (shared, own) = (Arc::clone(&state), command.to_owned());
        let tick = move |stop: &Stop| {
            let result = run(&own, TIME_LIMIT, stop);
            lock(&shared).take(opened.elapsed().as_secs_f64(), result);
        };
        let ticker = Ticker::start(PERIOD, tick).map_err(|error| cannot(no_thread(&error)))?;
        let description = MeterDescription {
            name,
            device,
            provenance: Provenance::Measured,
            covers: COVERS.to_owned(),
            leaves_out: "what the command's meter leaves out".to_owned(),
            relative_uncertainty: None,
            quantum_s: PERIOD.as_secs_f64(),
        };
        Ok(Self { description, state, opened, _ticker: ticker })
    }
}

impl Meter for CommandMeter {
    fn description(&self) -> &MeterDescription {
        &self.description
    }

    /// Returns the joules at the moment of the call; the command isn't run for it.
    fn read_j(&mut self, _now: Duration) -> Result<f64, MeterError> {
        let at_s = self.opened.elapsed().as_secs_f64();
        let failed = |reason| MeterError::Failed { what: format!("the meter {}", self.description.name), reason };
        lock(&self.state).total_j(at_s).map_err(failed)
    }

    fn note(&self) -> Option<String> {
        lock(&self.state).note()
    }
}

impl State {
    fn new(at_s: f64, first: Reading) -> Self {
        let track = Track::new(at_s, first);
        Self { track, good_s: at_s, readings: 1, failures: 0, reason: String::new(), broken: None }
    }

    fn take(&mut self, at_s: f64, result: Result<Reading, String>) {
        self.readings += 1;
        match result.map(|reading| self.track.feed(at_s, reading)) {
            Ok(Ok(())) => self.good_s = at_s,
            // A counter that was reset, or another unit: what came before can't be continued.
            Ok(Err(reason)) => self.broken = self.broken.take().or(Some(reason)),
            Err(reason) => {
                self.failures += 1;
                self.reason = reason;
            }
        }
    }

    fn total_j(&mut self, at_s: f64) -> Result<f64, String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let old_s = at_s - self.good_s;
        if old_s > STALE_S {
            let reason = if self.reason.is_empty() { "it still runs" } else { &self.reason };
            return Err(format!("no reading for {old_s:.0} s: {reason}"));
        }
        if let Some(still_s) = self.track.never_moved_s(at_s).filter(|still_s| *still_s > NEVER_MOVED_S) {
            return Err(format!("its counter has not moved for {still_s:.0} s"));
        }
        Ok(self.track.total_j(at_s))
    }

    fn note(&self) -> Option<String> {
        if self.failures > 0 {
            return Some(format!("{} of {} readings failed, the last: {}", self.failures, self.readings, self.reason));
        }
        self.track.note()
    }
}

/// Runs a command to its end and parses what it printed; the error is the reason.
fn run(command: &str, time_limit: Duration, stop: &Stop) -> Result<Reading, String> {
    let mut shell = shell(command);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| format!("can't be started: {error}"))?;
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let deadline = Instant::now() + time_limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() >= deadline => {
                kill(&mut child);
                return Err(format!("takes longer than {} s", time_limit.as_secs_f64()));
            }
            Ok(None) => {}
            Err(error) => return Err(format!("can't be waited for: {error}")),
        }
        if stop.wait(POLL) {
            kill(&mut child);
            return Err("was ended with its meter".to_owned());
        }
    };
    // What it left behind in the background holds its output open, and isn't waited for.
    let text = |output: Option<Receiver<Vec<u8>>>| {
        let bytes = output.and_then(|output| output.recv_timeout(POLL * 20).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let complaint = if stderr.is_empty() { String::new() } else { format!(" (it says {stderr:?})") };
    if !status.success() {
        return Err(format!("fails with {status}{complaint}"));
    }
    let shown: String = stdout.chars().take(80).collect();
    quantity::reading(&shown).map_err(|reason| format!("prints no reading: {reason}{complaint}"))
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;

    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;

    let mut shell = Command::new("cmd");
    // The command is the user's own line: quoting it again would change it.
    shell.arg("/C").raw_arg(command);
    shell
}

/// Ends a command that runs, on Unix with everything that it started.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // It may have ended by itself in between.
    drop(child.kill());
    drop(child.wait());
}

/// Reads an output to its end in the background, so that a full pipe stops nobody, and keeps its beginning.
fn collect(mut output: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // An output that breaks off is as good as what came of it.
        drop((&mut output).take(OUTPUT_MAX).read_to_end(&mut bytes));
        drop(io::copy(&mut output, &mut io::sink()));
        drop(sender.send(bytes));
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_with_its_unit_is_a_reading() {
        let run = |command| run(command, TIME_LIMIT, &Stop::default());
        assert_eq!(run("echo 123.4 W"), Ok(Reading::Watts(123.4)));
        assert_eq!(run("echo 1.5 kWh"), Ok(Reading::Joules(5.4e6)));
    }

    #[cfg(unix)]
    #[test]
    fn everything_else_is_refused_with_what_it_says() {
        for (command, expected) in [
            ("echo 65", "prints no reading: \"65\" has no unit; expected one number with its unit"),
            ("echo 5 W; echo 6 W", "prints no reading"),
            ("true", "prints no reading: \"\" has no unit"),
            ("echo 5 W; echo no plug >&2; exit 3", "fails with exit status: 3 (it says \"no plug\")"),
            ("no-such-program-anywhere", "fails with exit status: 127 (it says"),
            ("echo lost >&2", "(it says \"lost\")"),
            ("head -c 1000000 /dev/zero", "prints no reading"),
        ] {
            let reason = run(command, Duration::from_secs(5), &Stop::default()).unwrap_err();
            assert!(reason.contains(expected), "{command}: {reason}");
        }
        let Unavailable { reason, hint } =
            CommandMeter::open("cmd:echo 65@gpu1".to_owned(), "echo 65", Device::Gpu(1)).err().unwrap();
        assert!(reason.starts_with("the command \"echo 65\" prints no reading"), "{reason}");
        assert!(hint.starts_with("try it in a shell") && hint.ends_with("watts:300W@gpu1"), "{hint}");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_ended_with_what_it_started() {
        let start = Instant::now();
        let slow = |command| run(command, Duration::from_millis(200), &Stop::default()).unwrap_err();
        assert_eq!(slow("sleep 60; echo 5 W"), "takes longer than 0.2 s");
        assert!(slow("sleep 60 | sleep 60").contains("takes longer"));
        // What stays in the background holds the output open; the reading is lost, but not the time.
        assert!(run("sleep 5 & echo 5 W", Duration::from_secs(3), &Stop::default()).is_err());
        assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    }

    #[cfg(unix)]
    #[test]
    fn the_meter_runs_its_command_and_ends_with_it() {
        let start = Instant::now();
        let mut meter = CommandMeter::open("cmd:echo 100 W@cpu".to_owned(), "echo 100 W", Device::Cpu).ok().unwrap();
        assert_eq!(meter.description().quantum_s, 1.0);
        let before = meter.read_j(Duration::ZERO).unwrap();
        thread::sleep(Duration::from_millis(50));
        let after = meter.read_j(Duration::ZERO).unwrap();
        assert!(after - before >= 4.9 && after <= 100.0 * start.elapsed().as_secs_f64(), "{before} J, {after} J");
        drop(meter);
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_reading_that_fails_is_bridged_until_the_last_good_one_is_old() {
        let mut state = State::new(0.0, Reading::Watts(100.0));
        state.take(1.0, Ok(Reading::Watts(200.0)));
        assert_eq!(state.total_j(1.5), Ok(250.0));
        assert_eq!(state.note(), None);
        state.take(2.0, Err("fails with exit status: 1".to_owned()));
        assert_eq!(state.total_j(2.0), Ok(350.0));
        assert_eq!(state.note().unwrap(), "1 of 3 readings failed, the last: fails with exit status: 1");
        let reason = state.total_j(31.5).unwrap_err();
        assert_eq!(reason, "no reading for 30 s: fails with exit status: 1");
        state.take(40.0, Ok(Reading::Watts(200.0)));
        assert_eq!(state.total_j(40.0), Ok(7950.0));
    }

    #[test]
    fn a_counter_that_is_reset_or_never_moves_is_an_error() {
        let mut state = State::new(0.0, Reading::Joules(500.0));
        assert_eq!(state.total_j(60.0 - 31.0), Ok(0.0));
        for second in 1..=61 {
            state.take(f64::from(second), Ok(Reading::Joules(500.0)));
        }
        assert!(state.total_j(61.0).unwrap_err().contains("has not moved for 61 s"));
        state.take(62.0, Ok(Reading::Joules(800.0)));
        assert_eq!(state.total_j(62.0), Ok(300.0));
        state.take(63.0, Ok(Reading::Joules(5.0)));
        assert!(state.total_j(63.0).unwrap_err().contains("went down from 800 J to 5 J"));
        state.take(64.0, Ok(Reading::Joules(900.0)));
        assert!(state.total_j(64.0).is_err(), "what came before can't be continued");
        let mut state = State::new(0.0, Reading::Watts(5.0));
        state.take(1.0, Ok(Reading::Joules(5.0)));
        assert!(state.total_j(1.0).unwrap_err().contains("changed to energy"));
    }
}
