//! Capture files: pcap and pcapng, from any machine, with the mining that is in them.

mod half;
mod packet;
mod streams;

use std::io::Read;
use std::path::PathBuf;

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader};

use self::packet::Frame;
use self::streams::Streams;
pub use self::streams::{Found, StreamCounts};
use super::input::{Faults, Input, InputError, Skipped};

/// What is read at once, and the longest packet or block without further ado.
const BUFFER_BYTES: usize = 1 << 20;
/// The longest packet or block at all.
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Interfaces of a pcapng section.
const INTERFACES_MAX: usize = 4_096;

/// A capture that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The operating system's, or damaged compression.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No capture.
    #[error("{path:?} is no capture file: it begins with {magic}, and pcap and pcapng with other bytes")]
    Magic {
        /// The file.
        path: PathBuf,
        /// Its first bytes, in hex.
        magic: String,
    },
    /// Too much that can't be read.
    #[error("{path:?}: more than {} packets can't be read; the first is packet {packet}: {reason}", Skipped::LIMIT)]
    Packets {
        /// The file.
        path: PathBuf,
        /// The first such packet's number, from 1 on.
        packet: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Not one packet of a link that is known.
    #[error(
        "{path:?} holds frames of link type {link} alone; those of Ethernet, raw IP, loopback and Linux's \
             \"any\" can be read"
    )]
    Link {
        /// The file.
        path: PathBuf,
        /// The first link type.
        link: i32,
    },
}

/// What was read of a capture.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    /// `pcap` or `pcapng`.
    pub kind: &'static str,
    /// `gzip` or `zstd`, where it was compressed.
    pub compression: Option<&'static str>,
    /// Packets in all.
    pub packets: u64,
    /// Segments of TCP among them.
    pub segments: u64,
    /// Parts of IP packets, which are passed over.
    pub fragments: u64,
    /// Packets of a link type that can't be read.
    pub other_links: u64,
    /// How often a packet bears a time that is earlier than that of the one before by more than a second.
    pub clock_steps: u64,
    /// Connections.
    pub streams: StreamCounts,
    /// Those that were or may have been mining.
    pub found: Vec<Found>,
    /// What is wrong with the input all the same.
    pub faults: Faults,
}

/// A packet as the file has it.
struct Packet<'a> {
    time_s: f64,
    link: i32,
    wire_bytes: usize,
    frame: &'a [u8],
}

/// Reads a capture.
///
/// # Errors
///
/// It can't be read, is no capture, or holds nothing that can be understood.
pub fn read(mut input: Input) -> Result<Capture, CaptureError> {
    let path = input.path().to_owned();
    let mut reader = Reader::open(&mut input)?;
    let mut streams = Streams::default();
    let mut capture = Capture { kind: reader.kind(), compression: reader.compression, ..Capture::default() };
    let mut last_s = f64::NEG_INFINITY;
    let mut first_other_link = None;
    let fault = reader.each(|packet| {
        capture.packets += 1;
        let Packet { time_s, link, wire_bytes, frame } = packet;
        if !packet::is_known_link(link) {
            capture.other_links += 1;
            first_other_link.get_or_insert(link);
            return true;
        }
        match packet::parse(link, frame, wire_bytes) {
            Ok(Frame::Segment(segment)) => {
                capture.segments += 1;
                capture.clock_steps += u64::from(time_s < last_s - 1.0);
                last_s = time_s;
                streams.take(time_s, &segment);
            }
            Ok(Frame::NotTcp) => {}
            Ok(Frame::Fragment) => capture.fragments += 1,
            Err(reason) => return capture.faults.skipped.note(capture.packets, || reason.to_owned()),
        }
        true
    });
    drop(reader);
    match fault {
        End::Whole => {}
        End::Cut(reason) => capture.faults.cut_off = Some(reason),
        End::Refused => {
            let (packet, reason) = capture.faults.skipped.first.swap_remove(0);
            return Err(CaptureError::Packets { path, packet, reason });
        }
    }
    if let (Some(link), true) = (first_other_link, capture.packets == capture.other_links) {
        return Err(CaptureError::Link { path, link });
    }
    (capture.found, capture.streams) = streams.finish();
    capture.faults.has_changed = input.has_changed();
    Ok(capture)
}

/// How a file ended.
enum End {
    Whole,
    Cut(String),
    /// Whoever takes the packets wants no more.
    Refused,
}

/// A capture file of either kind.
struct Reader<'a> {
    blocks: Box<dyn PcapReaderIterator + 'a>,
    is_next_generation: bool,
    compression: Option<&'static str>,
}

/// An interface of pcapng.
#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    /// Ticks of its clock in a second.
    ticks_per_s: f64,
    offset_s: f64,
}

impl<'a> Reader<'a> {
    fn open(input: &'a mut Input) -> Result<Self, CaptureError> {
        let (path, compression) = (input.path().to_owned(), input.compression());
        let mut magic = Vec::new();
        if let Err(error) = input.by_ref().take(4).read_to_end(&mut magic) {
            return Err(input.fault(error).into());
        }
        let is_next_generation = magic == [0x0a, 0x0d, 0x0d, 0x0a];
        let is_legacy = matches!(
            magic[..],
            [0xd4, 0xc3, 0xb2, 0xa1] | [0xa1, 0xb2, 0xc3, 0xd4] | [0x4d, 0x3c, 0xb2, 0xa1] | [0xa1, 0xb2, 0x3c, 0x4d]
        );
        let shown = if magic.is_empty() { "nothing".to_owned() } else { const_hex::encode(&magic) };
        let no_capture = || CaptureError::Magic { path: path.clone(), magic: shown.clone() };
        if !is_next_generation && !is_legacy {
            return Err(no_capture());
        }
        let whole = Whole(std::io::Cursor::new(magic).chain(input));
        let blocks: Box<dyn PcapReaderIterator + 'a> = match is_next_generation {
            true => Box::new(PcapNGReader::new(BUFFER_BYTES, whole).map_err(|_| no_capture())?),
            false => Box::new(LegacyPcapReader::new(BUFFER_BYTES, whole).map_err(|_| no_capture())?),
        };
        Ok(Self { blocks, is_next_generation, compression })
    }

    fn kind(&self) -> &'static str {
        if self.is_next_generation { "pcapng" } else { "pcap" }
    }

    /// Gives each packet to `take`, until that returns false.
    fn each(&mut self, mut take: impl FnMut(Packet<'_>) -> bool) -> End {
        let mut section = Section::default();
        let mut capacity = BUFFER_BYTES;
        loop {
            match self.blocks.next() {
                Ok((offset, block)) => {
                    let is_wanted = match section.packet(block) {
                        Ok(Some(packet)) => take(packet),
                        Ok(None) => true,
                        Err(reason) => return End::Cut(reason.to_owned()),
                    };
                    self.blocks.consume(offset);
                    if !is_wanted {
                        return End::Refused;
                    }
                }
                Err(PcapError::Eof) => return End::Whole,
                Err(PcapError::UnexpectedEof) => return End::Cut("it ends in the middle of a packet".to_owned()),
                Err(PcapError::Incomplete(_)) => {
                    let before = self.blocks.data().len();
                    if self.blocks.refill().is_err() {
                        return End::Cut("its rest can't be read".to_owned());
                    }
                    if self.blocks.data().len() == before && self.blocks.reader_exhausted() && before == 0 {
                        return End::Whole;
                    }
                }
                Err(PcapError::BufferTooSmall) if capacity < BLOCK_BYTES_MAX => {
                    // What a header says takes memory only where there are bytes to fill it.
                    let before = self.blocks.data().len();
                    if self.blocks.refill().is_err() {
                        return End::Cut("its rest can't be read".to_owned());
                    }
                    if self.blocks.data().len() > before || self.blocks.reader_exhausted() {
                        continue;
                    }
                    capacity *= 2;
                    if !self.blocks.grow(capacity) {
                        return End::Cut("a packet needs more memory than there is".to_owned());
                    }
                }
                Err(PcapError::BufferTooSmall) => {
                    return End::Cut(format!("a packet is longer than {} MiB", BLOCK_BYTES_MAX >> 20));
                }
                Err(PcapError::ReadError) => return End::Cut("its rest can't be read".to_owned()),
                Err(_) => return End::Cut("a block of it is damaged".to_owned()),
            }
        }
    }
}

/// A reader that fills what it is given: the library takes a short first read for the whole head.
struct Whole<R>(R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What came before the fault counts; the fault comes again.
                Err(error) if filled == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(filled)
    }
}

/// What the head of a capture, or of its present section, says.
#[derive(Default)]
struct Section {
    interfaces: Vec<Interface>,
    last_s: f64,
}

impl Section {
    /// Returns the packet of a block, where it has one.
    fn packet<'a>(&mut self, block: PcapBlockOwned<'a>) -> Result<Option<Packet<'a>>, &'static str> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let ticks_per_s = if header.is_nanosecond_precision() { 1e9 } else { 1e6 };
                self.interfaces = vec![Interface { link: header.network.0, ticks_per_s, offset_s: 0.0 }];
                Ok(None)
            }
            PcapBlockOwned::Legacy(packet) => {
                let interface = self.interface(0)?;
                let time_s = f64::from(packet.ts_sec) + f64::from(packet.ts_usec) / interface.ticks_per_s;
                Ok(Some(self.packet_at(time_s, interface.link, packet.origlen, packet.caplen, packet.data)))
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                Ok(None)
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                if self.interfaces.len() == INTERFACES_MAX {
                    return Err("it has more than 4,096 interfaces");
                }
                // The highest bit tells powers of two from powers of ten.
                let (exponent, base) = match interface.if_tsresol {
                    resolution @ 0x80.. => (resolution & 0x7f, 2.0_f64),
                    resolution => (resolution, 10.0),
                };
                self.interfaces.push(Interface {
                    link: interface.linktype.0,
                    ticks_per_s: base.powi(i32::from(exponent)),
                    offset_s: interface.if_tsoffset as f64,
                });
                Ok(None)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = self.interface(packet.if_id)?;
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let time_s = interface.offset_s + ticks as f64 / interface.ticks_per_s;
                Ok(Some(self.packet_at(time_s, interface.link, packet.origlen, packet.caplen, packet.data)))
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let interface = self.interface(0)?;
                // It has no time: it lies between its neighbours.
                let captured = packet.data.len() as u32;
                Ok(Some(self.packet_at(self.last_s, interface.link, packet.origlen, captured, packet.data)))
            }
            PcapBlockOwned::NG(_) => Ok(None),
        }
    }

    fn interface(&self, number: u32) -> Result<Interface, &'static str> {
        self.interfaces.get(number as usize).copied().ok_or("a packet belongs to an interface that isn't described")
    }

    fn packet_at<'a>(&mut self, time_s: f64, link: i32, wire: u32, captured: u32, data: &'a [u8]) -> Packet<'a> {
        self.last_s = time_s;
        // The data may be filled up to a multiple of four bytes.
        let frame = &data[..data.len().min(captured as usize).min(wire as usize)];
        Packet { time_s, link, wire_bytes: wire as usize, frame }
    }
}

#[cfg(test)]
mod wire;

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use super::wire::{Captured, Form, Wire, known_answer, write};
    use super::*;
    use crate::traffic::stratum::{Outcome, SessionSummary};

    fn read_bytes(bytes: Vec<u8>) -> Result<Capture, CaptureError> {
        read(Input::from_reader(Path::new("x.pcap"), Cursor::new(bytes)).unwrap())
    }

    fn session(capture: &Capture) -> &SessionSummary {
        match &capture.found[..] {
            [Found { outcome: Outcome::Session(summary), .. }] => summary,
            other => panic!("one session: {other:?}"),
        }
    }

    /// Difficulty 10,000, five shares in 57 s: 877 H/s, 285 to 2,050. In every kind of file.
    #[test]
    fn the_known_answer_is_found_in_captures_of_every_kind() {
        for form in [Form::Pcap, Form::PcapNanoseconds, Form::Pcapng] {
            for is_big_endian in [false, true] {
                let capture = read_bytes(write(&known_answer(), form, is_big_endian, 1, 65_535)).unwrap();
                assert_eq!(
                    (capture.segments, capture.faults.skipped.count, &capture.faults.cut_off),
                    (capture.packets, 0, &None)
                );
                let summary = session(&capture);
                assert_eq!((summary.shares.accepted, summary.faults), (5, 0), "{form:?}");
                let rate = summary.hash_rate_hps.unwrap();
                assert!((rate.value - 877.2).abs() < 0.1, "{form:?}: {rate:?}");
                assert!((rate.low - 284.8).abs() < 0.1 && (rate.high - 2_047.1).abs() < 0.1, "{rate:?}");
                assert!(capture.found[0].has_beginning);
                assert_eq!(capture.found[0].client.to_string(), "10.0.0.5:62314");
            }
        }
    }

    /// Packets come out of order and twice, as networks deliver them.
    #[test]
    fn order_and_repetition_change_nothing() {
        let whole = read_bytes(write(&known_answer(), Form::Pcap, false, 1, 65_535)).unwrap();
        let mut packets = known_answer();
        for place in (4..packets.len() - 1).step_by(5) {
            packets.swap(place, place + 1);
            let again = packets[place].clone();
            packets.insert(place + 3, again);
        }
        let mixed = read_bytes(write(&packets, Form::Pcap, false, 1, 65_535)).unwrap();
        assert!(mixed.packets > whole.packets);
        let (whole, mixed) = (session(&whole), session(&mixed));
        assert_eq!((whole.shares, whole.messages), (mixed.shares, mixed.messages));
    }

    #[test]
    fn missing_packets_are_named_and_what_is_left_is_read() {
        let mut packets = known_answer();
        // The third share, of which the answer stays.
        let lost = packets.iter().position(|packet| packet.time_s == 1_484_652_741.0).unwrap();
        let bytes = packets.remove(lost).frame.len() as u64 - 54;
        let capture = read_bytes(write(&packets, Form::Pcap, false, 1, 65_535)).unwrap();
        assert_eq!((session(&capture).shares.accepted, capture.found[0].missing_bytes), (4, bytes));
    }

    #[test]
    fn packets_that_were_cut_off_are_holes_of_known_size() {
        let capture = read_bytes(write(&known_answer(), Form::Pcap, false, 1, 100)).unwrap();
        assert!(capture.found.is_empty() || capture.found[0].missing_bytes > 1_000, "{capture:?}");
        assert_eq!(capture.faults.skipped.count, 0);
    }

    #[test]
    fn a_file_that_ends_early_gives_what_it_holds() {
        for form in [Form::Pcap, Form::Pcapng] {
            let whole = write(&known_answer(), form, false, 1, 65_535);
            let capture = read_bytes(whole[..whole.len() - 150].to_vec()).unwrap();
            assert!(capture.faults.cut_off.unwrap().contains("in the middle of a packet"), "{form:?}");
            assert!(capture.packets > 20);
            for end in 0..whole.len() {
                // Nothing panics, wherever the end is.
                let _ = read_bytes(whole[..end].to_vec());
            }
        }
    }

    #[test]
    fn what_is_no_capture_is_refused() {
        for (bytes, words) in [
            (&b""[..], "begins with nothing"),
            (b"hello world, this is text", "begins with 68656c6c"),
            (&[0xd4, 0xc3, 0xb2], "begins with d4c3b2"),
            (&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0], "is no capture file"),
        ] {
            let error = read_bytes(bytes.to_vec()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let error = read_bytes(write(&known_answer(), Form::Pcap, false, 147, 65_535)).unwrap_err().to_string();
        assert!(error.contains("link type 147 alone"), "{error}");
    }

    /// A packet of four gigabytes, as its header says.
    #[test]
    fn absurd_sizes_end_the_file() {
        let mut bytes = write(&known_answer()[..3], Form::Pcap, false, 1, 65_535);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend(vec![0; 100]);
        let capture = read_bytes(bytes).unwrap();
        assert_eq!(capture.packets, 3);
        assert!(capture.faults.cut_off.is_some());
    }

    /// The same packets without Ethernet, behind Linux's "any" and behind loopback's header.
    #[test]
    fn links_of_every_known_kind_are_read() {
        let turned = |link: u32, head: &[u8]| {
            let strip = |packet: Captured| Captured { frame: [head, &packet.frame[14..]].concat(), ..packet };
            let packets: Vec<Captured> = known_answer().into_iter().map(strip).collect();
            read_bytes(write(&packets, Form::Pcapng, false, link, 65_535)).unwrap()
        };
        let sll = [&[0; 14][..], &[8, 0]].concat();
        let sll2 = [&[8, 0][..], &[0; 18]].concat();
        for (link, head) in
            [(101, &[][..]), (228, &[]), (0, &[2, 0, 0, 0]), (108, &[0, 0, 0, 2]), (113, &sll), (276, &sll2)]
        {
            assert_eq!(session(&turned(link, head)).shares.accepted, 5, "{link}");
        }
        let tag = |packet: Captured| {
            let frame = [&packet.frame[..12], &[0x81, 0, 0, 7], &packet.frame[12..]].concat();
            Captured { frame, ..packet }
        };
        let tagged: Vec<Captured> = known_answer().into_iter().map(tag).collect();
        assert_eq!(session(&read_bytes(write(&tagged, Form::Pcap, false, 1, 65_535)).unwrap()).shares.accepted, 5);
    }

    #[test]
    fn a_clock_that_runs_backwards_is_counted() {
        let mut packets = known_answer();
        for packet in packets.iter_mut().skip(20) {
            packet.time_s -= 3_600.0;
        }
        let capture = read_bytes(write(&packets, Form::Pcap, false, 1, 65_535)).unwrap();
        assert_eq!(capture.clock_steps, 1);
        assert!(session(&capture).clock_steps > 0);
        let rate = session(&capture).hash_rate_hps.unwrap();
        assert!(rate.value.is_finite() && rate.high.is_finite());
    }

    #[test]
    fn many_connections_are_followed_in_bounded_memory() {
        let mut streams = Streams::default();
        let hello = Wire::open(1.0, 1, 3333).packets;
        let frame = |index: u32| {
            let mut frame = hello[0].frame.clone();
            frame[26..30].copy_from_slice(&(index + (11 << 24)).to_be_bytes());
            frame
        };
        for index in 0..100_000_u32 {
            let frame = frame(index);
            let Ok(Frame::Segment(segment)) = packet::parse(1, &frame, frame.len()) else { panic!("a segment") };
            streams.take(f64::from(index), &segment);
        }
        let (found, counts) = streams.finish();
        assert_eq!((found.len(), counts.connections), (0, 100_000));
        assert!(counts.cut_short >= 34_464, "{counts:?}");
    }
}
