//! The bytes of a connection, as they come: told apart into messages of mining, encryption, and what is neither.

use super::encrypted::{Encrypted, Sizes, is_tls};
use super::http::{HttpSide, is_head};
use super::session::{Session, SessionSummary};

/// The longest message of Stratum, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;
/// So many bytes decide what a connection speaks, where they begin in the middle of something.
const UNDECIDED_BYTES_MAX: usize = 8 << 10;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From who opened the connection.
    Up,
    /// To who opened it.
    Down,
}

/// What a connection came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It could be read.
    Session(Box<SessionSummary>),
    /// It is encrypted, and may be mining.
    Encrypted(Encrypted),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Undecided,
    Lines,
    Http,
    Encrypted,
    Other,
}

/// One connection.
#[derive(Debug)]
pub struct Conversation {
    kind: Kind,
    session: Session,
    lines: [LineSide; 2],
    http: Option<Box<[HttpSide; 2]>>,
    sizes: Sizes,
    first_s: Option<f64>,
    last_s: f64,
}

/// A line that isn't complete yet.
#[derive(Debug, Default)]
struct LineSide {
    begun: Vec<u8>,
    /// The rest of the present line is passed over: it is too long, or its beginning is missing.
    is_skipping: bool,
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            kind: Kind::Undecided,
            session: Session::default(),
            lines: Default::default(),
            http: None,
            sizes: Sizes::default(),
            first_s: None,
            last_s: 0.0,
        }
    }
}

impl Conversation {
    /// Takes the bytes of a packet, which follow those that came before in the same direction.
    pub fn feed(&mut self, time_s: f64, direction: Direction, bytes: &[u8]) {
        self.tick(time_s);
        self.sizes.feed(direction == Direction::Up, bytes);
        let side = direction as usize;
        match self.kind {
            Kind::Undecided => self.decide(time_s, direction, bytes),
            Kind::Lines => self.feed_lines(time_s, side, bytes),
            Kind::Http => {
                let Some(http) = &mut self.http else { return };
                http[side].feed(bytes, |body| feed_body(&mut self.session, time_s, body));
            }
            Kind::Encrypted | Kind::Other => {}
        }
    }

    /// Moves the clock on: a packet without bytes of its own.
    pub fn tick(&mut self, time_s: f64) {
        self.first_s.get_or_insert(time_s);
        self.last_s = self.last_s.max(time_s);
        if matches!(self.kind, Kind::Lines | Kind::Http) {
            self.session.tick(time_s);
        }
    }

    /// Bytes are missing in one direction: what they were part of is passed over.
    pub fn lose(&mut self, direction: Direction) {
        let side = direction as usize;
        self.lines[side] = LineSide { begun: Vec::new(), is_skipping: true };
        if let Some(http) = &mut self.http {
            http[side].lose();
        }
        self.sizes.lose(direction == Direction::Up);
    }

    /// Tells whether this is known to be nothing of interest.
    pub fn is_other(&self) -> bool {
        self.kind == Kind::Other
    }

    /// Returns how many bytes are kept.
    pub fn held(&self) -> usize {
        let http = self.http.as_ref().map_or(0, |sides| sides.iter().map(HttpSide::held).sum());
        self.lines.iter().map(|side| side.begun.capacity()).sum::<usize>() + http
    }

    /// Ends the connection. `None` where it isn't mining, as far as can be seen.
    pub fn finish(self) -> Option<Outcome> {
        if self.session.is_mining() {
            return self.session.finish().map(|summary| Outcome::Session(Box::new(summary)));
        }
        self.sizes.finish(self.first_s.unwrap_or(0.0), self.last_s).map(Outcome::Encrypted)
    }

    /// Finds out what the connection speaks by the first bytes of either direction.
    fn decide(&mut self, time_s: f64, direction: Direction, bytes: &[u8]) {
        let side = direction as usize;
        let mut begun = std::mem::take(&mut self.lines[side].begun);
        begun.extend_from_slice(&bytes[..bytes.len().min(UNDECIDED_BYTES_MAX)]);
        let start = begun.trim_ascii_start();
        self.kind = match start {
            [] => Kind::Undecided,
            [b'{', ..] => Kind::Lines,
            _ if is_tls(start) => Kind::Encrypted,
            _ if is_head(start) => Kind::Http,
            // The records may begin in the middle of a line. The next one begins with a brace.
            _ if start.windows(2).any(|window| window == b"\n{") => {
                self.lines[side].is_skipping = true;
                Kind::Lines
            }
            _ if is_text(start) && begun.len() < UNDECIDED_BYTES_MAX => Kind::Undecided,
            _ => Kind::Other,
        };
        match self.kind {
            Kind::Undecided => self.lines[side].begun = begun,
            Kind::Lines => self.feed_lines(time_s, side, &begun),
            Kind::Http => {
                let http = self.http.insert(Box::default());
                http[side].feed(&begun, |body| feed_body(&mut self.session, time_s, body));
            }
            Kind::Encrypted => {
                self.sizes.set_tls();
                self.sizes.feed(direction == Direction::Up, &begun);
            }
            Kind::Other => self.lines = Default::default(),
        }
    }

    fn feed_lines(&mut self, time_s: f64, side: usize, bytes: &[u8]) {
        let mut parts = bytes.split_inclusive(|&byte| byte == b'\n');
        for part in &mut parts {
            let line = &mut self.lines[side];
            let Some(end) = part.strip_suffix(b"\n") else {
                if line.begun.len() + part.len() > LINE_BYTES_MAX {
                    *line = LineSide { begun: Vec::new(), is_skipping: true };
                } else if !line.is_skipping {
                    line.begun.extend_from_slice(part);
                }
                return;
            };
            if std::mem::take(&mut line.is_skipping) {
                continue;
            }
            let begun = std::mem::take(&mut line.begun);
            if begun.is_empty() {
                feed_line(&mut self.session, time_s, end);
            } else {
                feed_line(&mut self.session, time_s, &[&begun, end].concat());
            }
        }
    }
}

fn feed_line(session: &mut Session, time_s: f64, line: &[u8]) {
    // Some miners send a zero byte as a sign of life.
    let line = line.trim_ascii();
    let line = line.strip_prefix(&[0]).unwrap_or(line);
    if !line.is_empty() {
        session.take(time_s, line);
    }
}

/// Takes a body of HTTP, which can hold several requests at once.
fn feed_body(session: &mut Session, time_s: f64, body: &[u8]) {
    for line in body.trim_ascii().split(|&byte| byte == b'\n') {
        feed_line(session, time_s, line);
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0))
}
