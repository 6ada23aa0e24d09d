//! TCP connections of a capture, put together from its packets, in bounded memory.

use core::net::SocketAddr;
use std::collections::HashMap;

use super::half::{Half, Told};
use super::packet::Segment;
use crate::traffic::stratum::{Conversation, Direction, Outcome};

/// Connections that are followed at once.
const CONNECTIONS_MAX: usize = 65_536;
/// Bytes that all of them keep, before those of the connection at hand are given up.
const HELD_BYTES_MAX: usize = 64 << 20;
/// What is kept of connections that were mining.
const FOUND_MAX: usize = 10_000;

/// A connection that was or may have been mining.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Who opened it, as far as the capture tells.
    pub client: SocketAddr,
    /// Who answered.
    pub server: SocketAddr,
    /// What it came to.
    pub outcome: Outcome,
    /// Bytes that aren't in the capture.
    pub missing_bytes: u64,
    /// Bytes that were sent more than once.
    pub retransmitted_bytes: u64,
    /// Whether its first packet is in the capture.
    pub has_beginning: bool,
}

/// All connections of a capture.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: HashMap<(SocketAddr, SocketAddr), Connection>,
    held: usize,
    found: Vec<Found>,
    counts: StreamCounts,
}

/// How many connections there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounts {
    /// In all.
    pub connections: u64,
    /// Of those that may be mining, so many were past the number that is kept.
    pub not_kept: u64,
    /// Ended early, because too many were open at once.
    pub cut_short: u64,
}

#[derive(Debug)]
struct Connection {
    client: SocketAddr,
    server: SocketAddr,
    halves: [Half; 2],
    conversation: Conversation,
    has_beginning: bool,
    fins: [bool; 2],
    last_s: f64,
}

impl Connection {
    /// Starts with a segment. Who opened the connection is seen by its SYN, or else the lower port is the server's.
    fn new(segment: &Segment<'_>) -> Self {
        let is_from_client = match (segment.is_syn, segment.acknowledged.is_some()) {
            (true, is_answer) => !is_answer,
            (false, _) => segment.to.port() <= segment.from.port(),
        };
        let (client, server) = if is_from_client { (segment.from, segment.to) } else { (segment.to, segment.from) };
        Self {
            client,
            server,
            halves: Default::default(),
            conversation: Conversation::default(),
            has_beginning: segment.is_syn,
            fins: [false; 2],
            last_s: f64::NEG_INFINITY,
        }
    }

    fn held(&self) -> usize {
        self.halves.iter().map(Half::held).sum::<usize>() + self.conversation.held()
    }

    /// Takes a segment. Returns whether the connection is at its end.
    fn take(&mut self, time_s: f64, segment: &Segment<'_>) -> bool {
        let direction = if segment.from == self.client { Direction::Up } else { Direction::Down };
        let other = if direction == Direction::Up { Direction::Down } else { Direction::Up };
        self.last_s = self.last_s.max(time_s);
        let Self { halves, conversation, .. } = self;
        conversation.tick(time_s);
        // What the other side has acknowledged came before what this segment says.
        if let Some(acknowledged) = segment.acknowledged.filter(|_| !segment.is_reset) {
            halves[other as usize]
                .acknowledge(time_s, acknowledged, |time_s, told| tell(conversation, time_s, other, &told));
        }
        let half = &mut halves[direction as usize];
        if segment.is_syn {
            half.begin(segment.sequence);
        } else if !segment.is_reset {
            let cut = segment.payload_bytes - segment.payload.len() as u32;
            half.take(time_s, segment.sequence, segment.payload, cut, |time_s, told| {
                tell(conversation, time_s, direction, &told);
            });
        }
        self.fins[direction as usize] |= segment.is_fin;
        segment.is_reset || self.fins == [true, true]
    }

    fn finish(mut self) -> Option<Found> {
        let Self { halves, conversation, .. } = &mut self;
        for (half, direction) in halves.iter_mut().zip([Direction::Up, Direction::Down]) {
            half.finish(|time_s, told| tell(conversation, time_s, direction, &told));
        }
        Some(Found {
            client: self.client,
            server: self.server,
            missing_bytes: self.halves.iter().map(|half| half.missing).sum(),
            retransmitted_bytes: self.halves.iter().map(|half| half.retransmitted).sum(),
            has_beginning: self.has_beginning,
            outcome: self.conversation.finish()?,
        })
    }
}

fn tell(conversation: &mut Conversation, time_s: f64, direction: Direction, told: &Told<'_>) {
    match told {
        Told::Bytes(bytes) => conversation.feed(time_s, direction, bytes),
        Told::Missing(_) => conversation.lose(direction),
    }
}

impl Streams {
    /// Takes a segment.
    pub(super) fn take(&mut self, time_s: f64, segment: &Segment<'_>) {
        let key = if segment.from < segment.to { (segment.from, segment.to) } else { (segment.to, segment.from) };
        let opens = segment.is_syn && segment.acknowledged.is_none();
        // A SYN on the same ports is another connection, unless it is the same SYN again.
        if opens && self.open.get(&key).is_some_and(|known| known.halves.iter().all(Half::has_begun)) {
            self.close(key);
        }
        if !self.open.contains_key(&key) {
            if segment.is_reset {
                return;
            }
            if self.open.len() == CONNECTIONS_MAX {
                self.close_oldest();
            }
            self.counts.connections += 1;
        }
        let connection = self.open.entry(key).or_insert_with(|| Connection::new(segment));
        let before = connection.held();
        let is_at_end = connection.take(time_s, segment);
        self.held = self.held + connection.held() - before;
        if self.held > HELD_BYTES_MAX {
            self.counts.cut_short += 1;
            self.close(key);
        } else if is_at_end {
            self.close(key);
        }
    }

    /// Ends all connections, and returns those that were or may have been mining, in the order of their ends.
    pub(super) fn finish(mut self) -> (Vec<Found>, StreamCounts) {
        let mut keys: Vec<_> = self.open.keys().copied().collect();
        keys.sort();
        keys.into_iter().for_each(|key| self.close(key));
        (self.found, self.counts)
    }

    fn close(&mut self, key: (SocketAddr, SocketAddr)) {
        let Some(connection) = self.open.remove(&key) else { return };
        self.held -= connection.held();
        let Some(found) = connection.finish() else { return };
        if self.found.len() < FOUND_MAX {
            self.found.push(found);
        } else {
            self.counts.not_kept += 1;
        }
    }

    /// Makes room: a sixteenth of the connections, those that were silent for the longest time.
    fn close_oldest(&mut self) {
        let mut silent: Vec<_> = self.open.iter().map(|(key, connection)| (connection.last_s, *key)).collect();
        silent.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, key) in silent.into_iter().take(CONNECTIONS_MAX / 16) {
            self.counts.cut_short += 1;
            self.close(key);
        }
    }
}
