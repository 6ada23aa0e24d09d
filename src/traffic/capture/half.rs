//! One direction of a TCP connection: segments in any order, told in the order of their bytes.

use std::collections::VecDeque;

/// Segments that wait for an earlier one, and their bytes.
const WAITING_MAX: usize = 512;
const WAITING_BYTES_MAX: usize = 256 << 10;
/// A segment that lies further ahead than any window belongs to nothing that was seen.
const AHEAD_MAX: u32 = 1 << 30;

/// What a direction tells, in the order of its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told<'a> {
    /// Bytes, which follow those before.
    Bytes(&'a [u8]),
    /// So many bytes aren't in the capture.
    Missing(u64),
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// The number of the next byte; unknown before the first segment.
    next: Option<u32>,
    /// Segments further on, by their numbers, none twice.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Bytes that came a second time.
    pub(super) retransmitted: u64,
    /// Bytes that aren't in the capture.
    pub(super) missing: u64,
}

#[derive(Debug)]
struct Waiting {
    sequence: u32,
    time_s: f64,
    payload: Vec<u8>,
    /// Bytes behind the payload that were not captured.
    cut: u32,
}

impl Half {
    /// Starts at the byte behind a SYN.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.next = Some(sequence.wrapping_add(1));
    }

    /// Returns whether anything was seen in this direction.
    pub(super) fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Returns how many bytes wait.
    pub(super) fn held(&self) -> usize {
        self.waiting_bytes
    }

    /// Takes a segment's payload, of which the last `cut` bytes were not captured.
    pub(super) fn take(
        &mut self,
        time_s: f64,
        sequence: u32,
        payload: &[u8],
        cut: u32,
        mut tell: impl FnMut(f64, Told<'_>),
    ) {
        if payload.is_empty() && cut == 0 {
            self.next.get_or_insert(sequence);
            return;
        }
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        if ahead == 0 || ahead > u32::MAX / 2 {
            self.deliver(time_s, sequence, payload, cut, &mut tell);
        } else if ahead > AHEAD_MAX {
            return;
        } else {
            self.wait(time_s, sequence, payload, cut);
        }
        self.drain(&mut tell);
        while self.waiting.len() > WAITING_MAX || self.waiting_bytes > WAITING_BYTES_MAX {
            self.give_up(&mut tell);
        }
    }

    /// The other side has seen all bytes before `acknowledged`: what of them isn't there now won't come.
    pub(super) fn acknowledge(&mut self, time_s: f64, acknowledged: u32, mut tell: impl FnMut(f64, Told<'_>)) {
        let Some(mut next) = self.next else { return };
        loop {
            let behind = acknowledged.wrapping_sub(next);
            if behind == 0 || behind > AHEAD_MAX {
                return;
            }
            match self.waiting.front() {
                Some(first) if first.sequence.wrapping_sub(next) <= behind => self.give_up(&mut tell),
                // The end of a connection counts as a byte.
                _ if behind == 1 => return,
                _ => {
                    self.miss(time_s, u64::from(behind), &mut tell);
                    self.next = Some(acknowledged);
                    return;
                }
            }
            next = self.next.unwrap_or(acknowledged);
        }
    }

    /// Tells all that waits.
    pub(super) fn finish(&mut self, mut tell: impl FnMut(f64, Told<'_>)) {
        while !self.waiting.is_empty() {
            self.give_up(&mut tell);
        }
    }

    fn wait(&mut self, time_s: f64, sequence: u32, payload: &[u8], cut: u32) {
        let Some(next) = self.next else { return };
        let ahead = |sequence: u32| sequence.wrapping_sub(next);
        let place = self.waiting.partition_point(|waiting| ahead(waiting.sequence) < ahead(sequence));
        if let Some(same) = self.waiting.get(place)
            && same.sequence == sequence
            && same.payload.len() >= payload.len()
        {
            self.retransmitted += payload.len() as u64;
            return;
        }
        self.waiting_bytes += payload.len();
        self.waiting.insert(place, Waiting { sequence, time_s, payload: payload.to_vec(), cut });
    }

    /// Tells bytes that begin at the next one, or before it.
    fn deliver(&mut self, time_s: f64, sequence: u32, payload: &[u8], cut: u32, tell: &mut impl FnMut(f64, Told<'_>)) {
        let Some(next) = self.next else { return };
        let old = next.wrapping_sub(sequence) as usize;
        let known = old.min(payload.len());
        self.retransmitted += known as u64;
        let fresh = &payload[known..];
        if !fresh.is_empty() {
            tell(time_s, Told::Bytes(fresh));
            self.next = Some(next.wrapping_add(fresh.len() as u32));
        }
        // Of what was cut off, a part may have been seen before.
        let end = sequence.wrapping_add(payload.len() as u32).wrapping_add(cut);
        let next = self.next.unwrap_or(end);
        let lost = end.wrapping_sub(next);
        if cut > 0 && lost > 0 && lost <= cut {
            self.miss(time_s, u64::from(lost), tell);
            self.next = Some(end);
        }
    }

    /// Tells what waits and is due.
    fn drain(&mut self, tell: &mut impl FnMut(f64, Told<'_>)) {
        while let (Some(next), Some(first)) = (self.next, self.waiting.front()) {
            let ahead = first.sequence.wrapping_sub(next);
            if ahead > 0 && ahead <= AHEAD_MAX {
                return;
            }
            let Some(first) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= first.payload.len();
            self.deliver(first.time_s, first.sequence, &first.payload, first.cut, tell);
        }
    }

    /// Waits no longer for what is missing before the first segment that waits.
    fn give_up(&mut self, tell: &mut impl FnMut(f64, Told<'_>)) {
        if let (Some(next), Some(first)) = (self.next, self.waiting.front()) {
            let (sequence, time_s) = (first.sequence, first.time_s);
            self.miss(time_s, u64::from(sequence.wrapping_sub(next)), tell);
            self.next = Some(sequence);
        }
        self.drain(tell);
    }

    fn miss(&mut self, time_s: f64, bytes: u64, tell: &mut impl FnMut(f64, Told<'_>)) {
        self.missing += bytes;
        tell(time_s, Told::Missing(bytes));
    }
}
