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
    /// Bytes are missing just before those that come next.
    is_behind_a_gap: bool,
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
        self.lines[side] = LineSide { begun: Vec::new(), is_skipping: true, is_behind_a_gap: true };
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
        // What begins with a brace behind a gap is a message of its own: whole packets are missing, as a rule.
        if std::mem::take(&mut self.lines[side].is_behind_a_gap) && bytes.first() == Some(&b'{') {
            self.lines[side].is_skipping = false;
        }
        let mut parts = bytes.split_inclusive(|&byte| byte == b'\n');
        for part in &mut parts {
            let line = &mut self.lines[side];
            let Some(end) = part.strip_suffix(b"\n") else {
                if line.begun.len() + part.len() > LINE_BYTES_MAX {
                    *line = LineSide { is_skipping: true, ..LineSide::default() };
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

#[cfg(test)]
mod tests {
    use super::super::session::Protocol;
    use super::*;

    fn session(chunks: &[(f64, Direction, &[u8])]) -> Option<SessionSummary> {
        let mut conversation = Conversation::default();
        chunks.iter().for_each(|(time_s, direction, bytes)| conversation.feed(*time_s, *direction, bytes));
        match conversation.finish()? {
            Outcome::Session(summary) => Some(*summary),
            Outcome::Encrypted(_) => None,
        }
    }

    const TALK: &[u8] = b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n\
                          {\"id\":2,\"method\":\"mining.submit\",\"params\":[\"w\",\"a\"]}\r\n";

    #[test]
    fn lines_are_put_together_however_they_are_cut() {
        for size in [1, 2, 7, 60, 1_000] {
            let chunks: Vec<_> = TALK.chunks(size).map(|chunk| (1.0, Direction::Up, chunk)).collect();
            let summary = session(&chunks).unwrap();
            assert_eq!((summary.messages, summary.faults, summary.shares.submitted), (2, 0, 1), "{size}");
        }
    }

    #[test]
    fn records_that_begin_in_the_middle_of_a_line_go_on_with_the_next() {
        let summary =
            session(&[(1.0, Direction::Down, b"b\",true],\"id\":1}\n"), (1.0, Direction::Down, TALK)]).unwrap();
        assert_eq!((summary.messages, summary.faults), (2, 0));
    }

    #[test]
    fn a_line_of_which_a_part_is_missing_is_passed_over_alone() {
        let mut conversation = Conversation::default();
        conversation.feed(1.0, Direction::Up, &TALK[..20]);
        conversation.lose(Direction::Up);
        conversation.feed(1.0, Direction::Up, b"ethod\":\"x\"}\n");
        conversation.feed(1.0, Direction::Up, TALK);
        let Some(Outcome::Session(summary)) = conversation.finish() else { panic!("a session") };
        assert_eq!((summary.messages, summary.faults), (2, 0));
    }

    #[test]
    fn a_line_without_an_end_costs_no_memory() {
        let mut conversation = Conversation::default();
        conversation.feed(1.0, Direction::Up, TALK);
        for _ in 0..1_000 {
            conversation.feed(1.0, Direction::Up, &[b'x'; 1_000]);
            assert!(conversation.held() <= 2 * LINE_BYTES_MAX);
        }
        conversation.feed(1.0, Direction::Up, b"\n");
        conversation.feed(1.0, Direction::Up, TALK);
        let Some(Outcome::Session(summary)) = conversation.finish() else { panic!("a session") };
        assert_eq!((summary.messages, summary.faults), (4, 0));
    }

    #[test]
    fn getwork_goes_by_http() {
        let body = "{\"method\": \"getwork\", \"params\": [], \"id\":0}\n";
        let head = format!("POST / HTTP/1.1\r\nHost: pool\r\nContent-Length: {}\r\n\r\n", body.len());
        let text = format!("{head}{body}{head}{body}");
        for size in [1, 3, 50, 1_000] {
            let chunks: Vec<_> = text.as_bytes().chunks(size).map(|chunk| (1.0, Direction::Up, chunk)).collect();
            let summary = session(&chunks).unwrap();
            assert_eq!((summary.protocol, summary.polls), (Protocol::Getwork, 2), "{size}");
        }
        let mut conversation = Conversation::default();
        conversation.feed(1.0, Direction::Up, &text.as_bytes()[..30]);
        conversation.lose(Direction::Up);
        conversation.feed(1.0, Direction::Up, b"the end of something");
        conversation.feed(1.0, Direction::Up, text.as_bytes());
        let Some(Outcome::Session(summary)) = conversation.finish() else { panic!("a session") };
        assert_eq!(summary.polls, 2);
        assert_eq!(
            session(&[(1.0, Direction::Up, b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n")]),
            None
        );
    }

    #[test]
    fn tls_is_judged_by_the_sizes_of_its_records() {
        let record = |kind: u8, length: u16| {
            let mut record = vec![kind, 3, 3];
            record.extend(length.to_be_bytes());
            record.resize(5 + usize::from(length), 0xaa);
            record
        };
        let mut conversation = Conversation::default();
        conversation.feed(0.0, Direction::Up, &record(22, 300));
        conversation.feed(0.0, Direction::Down, &record(22, 3_000));
        conversation.feed(0.1, Direction::Up, &record(23, 320));
        for share in 0..20 {
            // Cut in the middle of the head.
            let record = record(23, 212);
            conversation.feed(f64::from(share) * 30.0, Direction::Up, &record[..3]);
            conversation.feed(f64::from(share) * 30.0, Direction::Up, &record[3..]);
        }
        let Some(Outcome::Encrypted(encrypted)) = conversation.finish() else { panic!("encrypted") };
        assert_eq!((encrypted.messages_up, encrypted.share_sized_up), (21, [0, 20]));
        let rate = encrypted.share_rate_per_s.unwrap();
        assert!(rate.low < 1.0 / 30.0 && 1.0 / 30.0 < rate.high, "{rate:?}");
    }

    #[test]
    fn stratum_v2_is_known_by_what_opens_it() {
        let mut conversation = Conversation::default();
        conversation.feed(0.0, Direction::Up, &[0x9c; 64]);
        conversation.feed(0.1, Direction::Down, &[0x9c; 234]);
        conversation.feed(0.2, Direction::Up, &[0x9c; 140]);
        for share in 0..10 {
            conversation.feed(f64::from(share) * 6.0, Direction::Up, &[0x9c; 62]);
        }
        let Some(Outcome::Encrypted(encrypted)) = conversation.finish() else { panic!("encrypted") };
        assert_eq!(encrypted.share_sized_up[0], 10);
    }

    #[test]
    fn anything_else_is_nothing() {
        assert_eq!(
            session(&[(1.0, Direction::Up, b"SSH-2.0-OpenSSH_9.6\r\n"), (1.0, Direction::Up, &[7; 20_000])]),
            None
        );
        assert_eq!(session(&[(1.0, Direction::Up, b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_getWork\"}\n")]), None);
    }
}
