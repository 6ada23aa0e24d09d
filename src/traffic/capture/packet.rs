//! From a captured frame to a TCP segment.

use core::net::{IpAddr, SocketAddr};

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// Links whose frames can be read, by their numbers in capture files.
const NULL: i32 = 0;
const ETHERNET: i32 = 1;
/// BSD's raw IP, by two numbers that systems use for themselves, and the registered one.
const RAW: [i32; 5] = [12, 14, 101, 228, 229];
const LOOP: i32 = 108;
const LINUX_SLL: i32 = 113;
const LINUX_SLL2: i32 = 276;

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// Who it is for.
    pub(super) to: SocketAddr,
    /// The number of its first byte.
    pub(super) sequence: u32,
    /// The number of the byte that is expected next from the other side.
    pub(super) acknowledged: Option<u32>,
    /// It opens a connection, from the side that sent it.
    pub(super) is_syn: bool,
    /// It ends its side of a connection.
    pub(super) is_fin: bool,
    /// It ends the connection.
    pub(super) is_reset: bool,
    /// What it carries, as far as it was captured.
    pub(super) payload: &'a [u8],
    /// How much it carried.
    pub(super) payload_bytes: u32,
}

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// Something that is no TCP.
    NotTcp,
    /// A part of an IP packet, of which the whole would have to be put together.
    Fragment,
}

/// Tells whether frames of a link can be read.
pub(super) fn is_known_link(link: i32) -> bool {
    matches!(link, NULL | ETHERNET | LOOP | LINUX_SLL | LINUX_SLL2) || RAW.contains(&link)
}

/// Reads a frame. `wire_bytes` is its length before it was cut off.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(link: i32, frame: &[u8], wire_bytes: usize) -> Result<Frame<'_>, &'static str> {
    let ip = match link {
        ETHERNET => {
            let packet = LaxSlicedPacket::from_ethernet(frame).map_err(|_| "it is shorter than an Ethernet header")?;
            return segment(&packet, frame, wire_bytes);
        }
        // The family of the address, in the byte order of some machine; the packet tells its version itself.
        NULL | LOOP => frame.get(4..),
        LINUX_SLL => ip_behind(frame, 14, 16)?,
        LINUX_SLL2 => ip_behind(frame, 0, 20)?,
        _ => Some(frame),
    };
    let Some(ip) = ip else { return Ok(Frame::NotTcp) };
    if !matches!(ip.first().map(|byte| byte >> 4), Some(4 | 6)) {
        return Ok(Frame::NotTcp);
    }
    let cut = wire_bytes.saturating_sub(frame.len());
    let packet = LaxSlicedPacket::from_ip(ip).map_err(|_| "its IP header is damaged")?;
    segment(&packet, ip, ip.len() + cut)
}

/// Returns what is behind a header that has the type of its payload at `protocol_at`, where that is IP.
fn ip_behind(frame: &[u8], protocol_at: usize, header_bytes: usize) -> Result<Option<&[u8]>, &'static str> {
    let rest = frame.get(header_bytes..).ok_or("it is shorter than its link's header")?;
    let is_ip = matches!(frame[protocol_at..protocol_at + 2], [0x08, 0x00] | [0x86, 0xdd]);
    Ok(is_ip.then_some(rest))
}

fn segment<'a>(packet: &LaxSlicedPacket<'a>, frame: &[u8], wire_bytes: usize) -> Result<Frame<'a>, &'static str> {
    let (source, destination, ip_payload_bytes) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            if ip.payload().fragmented {
                return Ok(Frame::Fragment);
            }
            // Where the network card is to cut packets, their length is zero as they are captured.
            let told = usize::from(header.total_len()).checked_sub(header.slice().len());
            let whole = told.unwrap_or(wire_bytes.saturating_sub(frame.len()) + ip.payload().payload.len());
            (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()), whole)
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            if ip.payload().fragmented {
                return Ok(Frame::Fragment);
            }
            let extensions = ip.extensions().slice().len();
            let told = usize::from(ip.header().payload_length()).saturating_sub(extensions);
            let whole = if told > 0 { told } else { ip.payload().payload.len() };
            (IpAddr::V6(ip.header().source_addr()), IpAddr::V6(ip.header().destination_addr()), whole)
        }
        _ => return Ok(Frame::NotTcp),
    };
    let tcp = match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => tcp,
        None if packet.stop_err.is_some() => return Err("its headers are cut off or damaged"),
        _ => return Ok(Frame::NotTcp),
    };
    let payload = tcp.payload();
    let whole = ip_payload_bytes.saturating_sub(tcp.header_slice().len());
    // Ethernet fills short frames up with bytes that belong to nothing.
    let payload = &payload[..payload.len().min(whole)];
    Ok(Frame::Segment(Segment {
        from: SocketAddr::new(source, tcp.source_port()),
        to: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        is_syn: tcp.syn(),
        is_fin: tcp.fin(),
        is_reset: tcp.rst(),
        payload,
        payload_bytes: u32::try_from(whole).unwrap_or(u32::MAX),
    }))
}
