//! JSON-RPC over HTTP, as getwork and getblocktemplate go: the bodies of requests and answers.

/// The longest head that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The longest body that is kept, in bytes: a block template of a full block in hex, twice over.
const BODY_BYTES_MAX: usize = 8 << 20;
const HEADERS_MAX: usize = 64;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct HttpSide {
    buffer: Vec<u8>,
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
    /// What comes can't be told apart, until a head comes.
    Lost,
}

impl HttpSide {
    /// Takes bytes, and gives each body to `each`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        // A packet that begins with a head begins a message, whatever was before.
        if self.state == State::Lost && is_head(bytes) {
            self.state = State::Head;
        }
        loop {
            match self.state {
                State::Lost => return,
                State::Skipping(missing) => {
                    let skipped = missing.min(bytes.len());
                    bytes = &bytes[skipped..];
                    if skipped < missing {
                        self.state = State::Skipping(missing - skipped);
                        return;
                    }
                    self.state = State::Head;
                }
                State::Body(missing) => {
                    let taken = missing.min(bytes.len());
                    self.buffer.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    if taken < missing {
                        self.state = State::Body(missing - taken);
                        return;
                    }
                    each(&self.buffer);
                    self.buffer = Vec::new();
                    self.state = State::Head;
                }
                State::Head => {
                    if bytes.is_empty() {
                        return;
                    }
                    bytes = self.head(bytes);
                }
            }
        }
    }

    /// Forgets what was begun: bytes are missing.
    pub(super) fn lose(&mut self) {
        *self = Self { state: State::Lost, ..Self::default() };
    }

    /// Returns how many bytes are kept.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
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
                self.lose();
            }
            return &[];
        };
        let end = from + end + 4;
        let body = content_length(&self.buffer[..end]);
        self.buffer = Vec::new();
        self.state = match body {
            Some(0) => State::Head,
            Some(length) if length <= BODY_BYTES_MAX => State::Body(length),
            Some(length) => State::Skipping(length),
            None => State::Lost,
        };
        &bytes[end - before..]
    }
}

/// Tells whether bytes begin a head.
pub(super) fn is_head(bytes: &[u8]) -> bool {
    [&b"POST "[..], b"GET ", b"HTTP/1."].iter().any(|start| bytes.starts_with(start))
}

/// The length of the body behind a head. `None` where it can't be known: the head is none, or the body comes in chunks.
fn content_length(head: &[u8]) -> Option<usize> {
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
    if headers.iter().any(|header| header.name.eq_ignore_ascii_case("transfer-encoding")) {
        return None;
    }
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    match length {
        Some(length) => std::str::from_utf8(length.value).ok()?.trim().parse().ok(),
        None => is_request.then_some(0),
    }
}
