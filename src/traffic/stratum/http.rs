//! JSON-RPC over HTTP, as getwork and getblocktemplate go: the bodies of requests and answers.

use httparse::Status;

/// The longest head that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The longest body that is kept, in bytes: a block template of a full block in hex, twice over.
const BODY_BYTES_MAX: usize = 8 << 20;
/// The longest line between the chunks of a body, in bytes.
const LINE_BYTES_MAX: usize = 1 << 10;
const HEADERS_MAX: usize = 64;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct HttpSide {
    /// What there is of a head or of a body.
    buffer: Vec<u8>,
    /// What there is of a line between chunks.
    line: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Head,
    /// So much of a body is missing yet.
    Body(usize),
    /// So much of a body that is too long to be kept is missing yet.
    Skipping(usize),
    /// So much of a chunk and of the line's end behind it is missing yet.
    Chunk(usize),
    /// The line with the size of the next chunk.
    ChunkSize,
    /// Lines behind the last chunk, of which the last is empty.
    Trailer,
    /// What comes can't be told apart, until a head comes.
    Lost,
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl HttpSide {
    /// Takes bytes, and gives each body to `each`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        // A packet that begins with a head begins a message, whatever was before.
        if self.state == State::Lost && is_head(bytes) {
            self.state = State::Head;
        }
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Head => self.head(bytes),
                State::Body(missing) | State::Skipping(missing) | State::Chunk(missing) => self.body(bytes, missing),
                State::ChunkSize | State::Trailer => self.line(bytes),
                State::Lost => return,
            };
            match self.state {
                State::Body(0) => {
                    each(&self.buffer);
                    *self = Self::default();
                }
                State::Lost => self.lose(),
                _ => {}
            }
        }
    }

    /// Forgets what was begun: bytes are missing.
    pub(super) fn lose(&mut self) {
        *self = Self { state: State::Lost, ..Self::default() };
    }

    /// Returns how many bytes are kept.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity() + self.line.capacity()
    }

    /// Takes bytes of a head, and returns those behind it.
    fn head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.buffer.len();
        let taken = bytes.len().min(HEAD_BYTES_MAX - before);
        self.buffer.extend_from_slice(&bytes[..taken]);
        // The end may lie across both parts.
        let from = before.saturating_sub(3);
        let Some(end) = self.buffer[from..].windows(4).position(|window| window == b"\r\n\r\n") else {
            if self.buffer.len() == HEAD_BYTES_MAX {
                self.state = State::Lost;
            }
            return &[];
        };
        let end = from + end + 4;
        let framing = framing(&self.buffer[..end]);
        self.buffer = Vec::new();
        self.state = match framing {
            Some(Framing::Length(0)) => State::Head,
            Some(Framing::Length(length)) if length <= BODY_BYTES_MAX => State::Body(length),
            Some(Framing::Length(length)) => State::Skipping(length),
            Some(Framing::Chunked) => State::ChunkSize,
            None => State::Lost,
        };
        &bytes[end - before..]
    }

    /// Takes bytes of a body or a chunk of which so many are missing, and returns those behind it.
    fn body<'a>(&mut self, bytes: &'a [u8], missing: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        let missing = missing - taken.len();
        self.state = match self.state {
            State::Skipping(_) if missing == 0 => State::Head,
            State::Skipping(_) => State::Skipping(missing),
            State::Chunk(_) => {
                self.buffer.extend_from_slice(taken);
                if missing > 0 { State::Chunk(missing) } else { self.chunk_end() }
            }
            _ => {
                self.buffer.extend_from_slice(taken);
                State::Body(missing)
            }
        };
        rest
    }

    /// Takes the line's end off a chunk that is whole.
    fn chunk_end(&mut self) -> State {
        let length = self.buffer.len().saturating_sub(2);
        let is_sound = self.buffer.split_off(length) == b"\r\n";
        if is_sound { State::ChunkSize } else { State::Lost }
    }

    /// Takes bytes of a line between chunks or behind them, and returns those behind it.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr::memchr(b'\n', bytes).map(|place| place + 1);
        let (taken, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if self.line.len() + taken.len() > LINE_BYTES_MAX {
            self.state = State::Lost;
            return &[];
        }
        self.line.extend_from_slice(taken);
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.state = self.next_chunk(&line);
        }
        rest
    }

    /// Tells what follows a line.
    fn next_chunk(&self, line: &[u8]) -> State {
        if self.state == State::Trailer {
            return if line == b"\r\n" { State::Body(0) } else { State::Trailer };
        }
        match httparse::parse_chunk_size(line) {
            Ok(Status::Complete((_, 0))) => State::Trailer,
            Ok(Status::Complete((_, size))) => {
                let room = BODY_BYTES_MAX - self.buffer.len();
                usize::try_from(size)
                    .ok()
                    .filter(|size| *size <= room)
                    .map_or(State::Lost, |size| State::Chunk(size + 2))
            }
            _ => State::Lost,
        }
    }
}

/// Tells whether bytes begin a head.
pub(super) fn is_head(bytes: &[u8]) -> bool {
    [&b"POST "[..], b"GET ", b"HTTP/1."].iter().any(|start| bytes.starts_with(start))
}

/// How the body behind a head ends. `None` where that can't be known: the head is none, or the body ends with the
/// connection.
fn framing(head: &[u8]) -> Option<Framing> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let (headers, is_request) = if head.starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut headers);
        response.parse(head).ok()?;
        (response.headers, false)
    } else {
        let mut request = httparse::Request::new(&mut headers);
        request.parse(head).ok()?;
        (request.headers, true)
    };
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(header.value.trim_ascii())
    };
    if let Some(encoding) = value("transfer-encoding") {
        return encoding.eq_ignore_ascii_case(b"chunked").then_some(Framing::Chunked);
    }
    match value("content-length") {
        Some(length) => std::str::from_utf8(length).ok()?.parse().ok().map(Framing::Length),
        None => is_request.then_some(Framing::Length(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bodies of a stream that arrives in parts of `size` bytes.
    fn bodies(stream: &[u8], size: usize) -> Vec<String> {
        let (mut side, mut bodies) = (HttpSide::default(), Vec::new());
        for part in stream.chunks(size) {
            side.feed(part, |body| bodies.push(String::from_utf8(body.to_vec()).unwrap()));
        }
        bodies
    }

    const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsize";

    /// The chunks of RFC 9112, section 7.1, with an extension and a trailer.
    #[test]
    fn chunks_are_put_together_however_they_arrive() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunked =
            format!("{head}4\r\nWiki\r\n1a;name=value\r\n\r\nabcdefghijklmnopqrstuv\r\n\r\n0\r\nA: b\r\n\r\n");
        let stream = format!("{SIZED}{chunked}{SIZED}");
        for size in [1, 2, 3, 7, 1_000] {
            let expected = ["size", "Wiki\r\nabcdefghijklmnopqrstuv\r\n", "size"];
            assert_eq!(bodies(stream.as_bytes(), size), expected, "{size}");
        }
    }

    #[test]
    fn chunks_that_are_none_or_too_long_are_given_up_until_a_head_comes() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let long = format!("7fffff\r\n{}\r\n2\r\n", "x".repeat(0x7f_ffff));
        let endless = "1".repeat(2 * LINE_BYTES_MAX);
        for bad in ["zz\r\n", "4\r\nWikipedia\r\n0\r\n\r\n", "ffffffffffffffff\r\n", &long, &endless] {
            let (mut side, mut bodies) = (HttpSide::default(), Vec::new());
            for part in [head, bad, SIZED] {
                side.feed(part.as_bytes(), |body| bodies.push(body.to_vec()));
                assert!(side.held() <= 2 * BODY_BYTES_MAX, "{}", side.held());
            }
            assert_eq!(bodies, [b"size"], "{:?}", &bad[..bad.len().min(20)]);
        }
    }

    #[test]
    fn other_encodings_of_a_body_are_not_guessed() {
        let stream = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{SIZED}");
        assert_eq!(bodies(stream.as_bytes(), 1_000), Vec::<String>::new());
    }
}
