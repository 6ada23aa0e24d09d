//! Connections that can't be read: what sizes and times of their messages say.

use serde::Serialize;

use crate::interval::Interval;
use crate::statistics::CONFIDENCE;
use crate::traffic::garwood;

/// TLS: type, version and length before each record.
const TLS_HEAD_BYTES: usize = 5;
/// TLS's type of what isn't handshake or alert.
const APPLICATION_DATA: u8 = 23;
/// Lengths of a TLS record that holds a share of Bitcoin: 85 to 160 bytes, with 17 to 24 that TLS adds inside.
const BITCOIN_RECORD: std::ops::RangeInclusive<usize> = 102..=184;
/// The same for Monero, from 165 to 270 bytes.
const MONERO_RECORD: std::ops::RangeInclusive<usize> = 182..=294;
/// A share of Stratum V2 on the wire: 22 bytes of encrypted head, and 24 to 57 of message with 16 of its code.
const V2_SUBMIT: std::ops::RangeInclusive<usize> = 62..=95;
/// What opens a connection of Stratum V2 either way: an encoded key; the same, the static key and the certificate.
const V2_HANDSHAKE: (usize, usize) = (64, 234);
/// Below so many messages of a share's size nothing is said.
const MESSAGES_MIN: u64 = 3;

/// Why there is no hash rate.
const ENCRYPTED: &str =
    "the connection is encrypted: sizes and times show how often the client speaks, and not at which difficulty";

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptedKind {
    /// TLS, with Stratum or anything else inside.
    Tls,
    /// What opens it has the sizes of Stratum version 2.
    StratumV2,
}

/// What sizes and times of an encrypted connection come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Encrypted {
    /// How it is encrypted.
    pub kind: EncryptedKind,
    /// From the first to the last message, in seconds since 1970.
    pub from_s: f64,
    /// The last one.
    pub to_s: f64,
    /// Messages of the client, past the handshake.
    pub messages_up: u64,
    /// Those of the server.
    pub messages_down: u64,
    /// Messages of the client that have the size of a share: of Bitcoin, and of Monero.
    pub share_sized_up: [u64; 2],
    /// Such messages per second, the more frequent of both sizes: shares, if that is what they are.
    pub share_rate_per_s: Option<Interval>,
    /// Why there is no hash rate.
    pub unbounded_because: &'static str,
}

/// Counts messages of an encrypted connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Sizes {
    is_tls: bool,
    up: TlsSide,
    down: TlsSide,
    first_up: usize,
    first_down: usize,
    segments_up: u64,
    segments_down: u64,
    v2_sized_up: u64,
    share_sized_up: [u64; 2],
}

/// Where one direction is within TLS's records.
#[derive(Debug, Clone, Default)]
struct TlsSide {
    head: Vec<u8>,
    /// Bytes of the present record that are to come.
    missing: usize,
    is_lost: bool,
    messages: u64,
}

impl TlsSide {
    /// Takes bytes, and gives the length of each record of application data to `each`.
    fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(usize)) {
        while !bytes.is_empty() && !self.is_lost {
            let skipped = self.missing.min(bytes.len());
            bytes = &bytes[skipped..];
            self.missing -= skipped;
            if self.missing > 0 {
                return;
            }
            let taken = (TLS_HEAD_BYTES - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [kind, major, _, high, low] = self.head[..] {
                let length = usize::from(high) << 8 | usize::from(low);
                // The most that TLS 1.2 allows in one record.
                self.is_lost = major != 3 || !(20..=24).contains(&kind) || length > (1 << 14) + 2048;
                if kind == APPLICATION_DATA && !self.is_lost {
                    self.messages += 1;
                    each(length);
                }
                self.missing = length;
                self.head.clear();
            }
        }
    }
}

/// Tells whether bytes begin a record of TLS.
pub(super) fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [20..=24, 3, 0..=4, ..])
}

impl Sizes {
    pub(super) fn set_tls(&mut self) {
        self.is_tls = true;
    }

    pub(super) fn feed(&mut self, is_up: bool, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let (segments, first) = match is_up {
            true => (&mut self.segments_up, &mut self.first_up),
            false => (&mut self.segments_down, &mut self.first_down),
        };
        if *segments == 0 {
            *first = bytes.len();
        }
        *segments += 1;
        if is_up && *segments > 1 && V2_SUBMIT.contains(&bytes.len()) {
            self.v2_sized_up += 1;
        }
        if !self.is_tls {
            return;
        }
        if is_up {
            let sized = &mut self.share_sized_up;
            self.up.feed(bytes, |length| {
                sized[0] += u64::from(BITCOIN_RECORD.contains(&length));
                sized[1] += u64::from(MONERO_RECORD.contains(&length));
            });
        } else {
            self.down.feed(bytes, |_| {});
        }
    }

    /// Bytes are missing: TLS's records can't be told apart any more.
    pub(super) fn lose(&mut self, is_up: bool) {
        let side = if is_up { &mut self.up } else { &mut self.down };
        side.is_lost = true;
    }

    /// Returns what it comes to, where that may be mining: enough messages of a share's size, and for long enough.
    pub(super) fn finish(&self, from_s: f64, to_s: f64) -> Option<Encrypted> {
        let kind = match self.is_tls {
            true => EncryptedKind::Tls,
            false if (self.first_up, self.first_down) == V2_HANDSHAKE => EncryptedKind::StratumV2,
            false => return None,
        };
        let (messages_up, messages_down, share_sized_up) = match kind {
            EncryptedKind::Tls => (self.up.messages, self.down.messages, self.share_sized_up),
            EncryptedKind::StratumV2 => (self.segments_up - 1, self.segments_down - 1, [self.v2_sized_up, 0]),
        };
        let shares = share_sized_up[0].max(share_sized_up[1]);
        let time_s = to_s - from_s;
        // Shares are most of what a miner says.
        if shares < MESSAGES_MIN || 2 * shares < messages_up || time_s < 30.0 {
            return None;
        }
        let (low, high) = garwood(shares, CONFIDENCE);
        let rate = Interval { value: shares as f64, low, high }.scaled(1.0 / time_s);
        Some(Encrypted {
            kind,
            from_s,
            to_s,
            messages_up,
            messages_down,
            share_sized_up,
            share_rate_per_s: Some(rate),
            unbounded_because: ENCRYPTED,
        })
    }
}
