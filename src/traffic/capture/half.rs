//! One direction of a TCP connection: segments in any order, told in the order of their bytes.

use std::collections::VecDeque;

/// Segments that wait for an earlier one, and their bytes.
const WAITING_MAX: usize = 512;
const WAITING_BYTES_MAX: usize = 256 << 10;
/// A segment that lies further ahead than any window belongs to nothing that was seen.
const AHEAD_MAX: u32 = 1 << 30;

/// So long a packet may be late, in seconds.
const GRACE_S: f64 = 0.5;

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
    /// Since when the other side says to have seen the bytes before a number that weren't here then.
    claimed: Option<(f64, u32)>,
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

    /// The other side says that it has seen all bytes before `acknowledged`: what of them doesn't show up soon is not
    /// in the capture. Captures of two lines at once have packets in another order than the wires, so it waits a while.
    pub(super) fn acknowledge(&mut self, time_s: f64, acknowledged: u32, mut tell: impl FnMut(f64, Told<'_>)) {
        if let Some((since_s, claimed)) = self.claimed
            && !(0.0..GRACE_S).contains(&(time_s - since_s))
        {
            self.claimed = None;
            self.concede(time_s, claimed, &mut tell);
        }
        let Some(next) = self.next else { return };
        let ahead = acknowledged.wrapping_sub(next);
        if ahead > 0 && ahead <= AHEAD_MAX {
            self.claimed.get_or_insert((time_s, acknowledged));
        }
    }

    /// Gives up what is missing before a number.
    fn concede(&mut self, time_s: f64, acknowledged: u32, tell: &mut impl FnMut(f64, Told<'_>)) {
        while let Some(next) = self.next {
            let behind = acknowledged.wrapping_sub(next);
            if behind == 0 || behind > AHEAD_MAX {
                return;
            }
            match self.waiting.front() {
                Some(first) if first.sequence.wrapping_sub(next) <= behind => self.give_up(tell),
                // The end of a connection counts as a byte.
                _ if behind == 1 => return,
                _ => {
                    self.miss(time_s, u64::from(behind), tell);
                    self.next = Some(acknowledged);
                }
            }
        }
    }

    /// Tells all that waits.
    pub(super) fn finish(&mut self, mut tell: impl FnMut(f64, Told<'_>)) {
        if let Some((time_s, claimed)) = self.claimed.take() {
            self.concede(time_s, claimed, &mut tell);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    /// Takes segments of `text`, as (offset, length), and writes down what is told, `?` for each missing byte.
    fn told(start: u32, text: &[u8], segments: &[(usize, usize)], half: &mut Half) -> String {
        let mut all = Vec::new();
        half.begin(start.wrapping_sub(1));
        let mut write = |_: f64, told: Told<'_>| match told {
            Told::Bytes(bytes) => all.extend_from_slice(bytes),
            Told::Missing(count) => all.extend(std::iter::repeat_n(b'?', count as usize)),
        };
        for &(offset, length) in segments {
            half.take(1.0, start.wrapping_add(offset as u32), &text[offset..offset + length], 0, &mut write);
        }
        half.finish(&mut write);
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn segments_in_any_order_and_twice_make_the_same_text() {
        let text: Vec<u8> = (0..2_000).map(|index| b'a' + (index % 26) as u8).collect();
        let mut random = SplitMix64::new(11);
        for round in 0..200 {
            // Numbers that wrap around in the middle of the text.
            let start = u32::MAX - 1_000 + round;
            let mut segments: Vec<(usize, usize)> = (0..40).map(|index| (index * 50, 50)).collect();
            for _ in 0..20 {
                let offset = (random.bits() % 1_900) as usize;
                segments.push((offset, 1 + (random.bits() % 100) as usize));
            }
            for index in (1..segments.len()).rev() {
                segments.swap(index, (random.bits() % (index as u64 + 1)) as usize);
            }
            let mut half = Half::default();
            assert_eq!(told(start, &text, &segments, &mut half).as_bytes(), text);
            assert_eq!((half.missing, half.waiting_bytes), (0, 0));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut half = Half::default();
        assert_eq!(told(5, b"abcdefghij", &[(0, 2), (4, 2), (8, 2)], &mut half), "ab??ef??ij");
        assert_eq!(half.missing, 4);
    }

    /// The other side has seen bytes that the capture lacks: after a while nothing waits for them any longer.
    #[test]
    fn an_acknowledgement_ends_the_wait() {
        let (mut half, mut all) = (Half::default(), Vec::new());
        half.begin(99);
        let mut tell = |_: f64, told: Told<'_>| all.push(format!("{told:?}"));
        half.take(1.0, 105, b"later", 0, &mut tell);
        half.acknowledge(1.0, 110, &mut tell);
        half.acknowledge(2.0, 120, &mut tell);
        half.acknowledge(3.0, 120, &mut tell);
        // An end of a connection counts as one byte; what is far off belongs to nothing.
        for time_s in [4.0, 5.0, 6.0, 7.0] {
            half.acknowledge(time_s, if time_s < 6.0 { 121 } else { 121 + (1 << 31) }, &mut tell);
        }
        half.finish(&mut tell);
        assert_eq!(all, ["Missing(5)", "Bytes([108, 97, 116, 101, 114])", "Missing(10)"]);
        assert_eq!(half.missing, 15);
    }

    /// A capture of two lines at once: the answer comes before what it answers.
    #[test]
    fn an_acknowledgement_may_come_before_its_bytes() {
        let (mut half, mut all) = (Half::default(), Vec::new());
        half.begin(99);
        let mut tell = |_: f64, told: Told<'_>| all.push(format!("{told:?}"));
        half.acknowledge(1.0, 105, &mut tell);
        half.take(1.001, 100, b"later", 0, &mut tell);
        half.acknowledge(3.0, 105, &mut tell);
        half.finish(&mut tell);
        assert_eq!(all, ["Bytes([108, 97, 116, 101, 114])"]);
    }

    #[test]
    fn packets_that_were_cut_off_leave_holes() {
        let (mut half, mut all) = (Half::default(), Vec::new());
        let mut tell = |_: f64, told: Told<'_>| all.push(format!("{told:?}"));
        half.take(1.0, 0, b"ab", 3, &mut tell);
        half.take(1.0, 5, b"cd", 0, &mut tell);
        half.take(1.0, 5, b"cd", 0, &mut tell);
        assert_eq!(all, ["Bytes([97, 98])", "Missing(3)", "Bytes([99, 100])"]);
        assert_eq!((half.missing, half.retransmitted), (3, 2));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut half = Half::default();
        half.begin(0);
        for index in 0..100_000_u32 {
            half.take(1.0, 10 + index * 20, &[7; 10], 0, |_, _| {});
            assert!(half.waiting.len() <= WAITING_MAX && half.waiting_bytes <= WAITING_BYTES_MAX);
        }
        assert!(half.missing > 900_000);
    }
}
