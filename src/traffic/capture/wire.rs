//! Makes captures for tests: connections of TCP between made-up hosts, as pcap and pcapng of either byte order.

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

/// A packet of which the headers are being made.
type Step = PacketBuilderStep<TcpHeader>;

/// A packet: when, and its bytes from Ethernet's header on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Captured {
    pub(crate) time_s: f64,
    pub(crate) frame: Vec<u8>,
}

/// A connection that is being made up.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) packets: Vec<Captured>,
    client_port: u16,
    server_port: u16,
    /// The next numbers of client and server.
    next: [u32; 2],
}

const CLIENT: [u8; 4] = [10, 0, 0, 5];
const SERVER: [u8; 4] = [198, 51, 100, 7];

impl Wire {
    /// Opens a connection.
    pub(crate) fn open(time_s: f64, client_port: u16, server_port: u16) -> Self {
        let mut wire = Self { packets: Vec::new(), client_port, server_port, next: [u32::MAX - 50, 7_000] };
        wire.push(time_s, true, b"", |builder, _| builder.syn());
        wire.next[0] = wire.next[0].wrapping_add(1);
        wire.push(time_s, false, b"", |builder, next| builder.syn().ack(next));
        wire.next[1] = wire.next[1].wrapping_add(1);
        wire.push(time_s, true, b"", Step::ack);
        wire
    }

    /// Sends a text, which the other side acknowledges.
    pub(crate) fn say(&mut self, time_s: f64, is_up: bool, text: &str) {
        self.push(time_s, is_up, text.as_bytes(), |builder, next| builder.psh().ack(next));
        let side = usize::from(!is_up);
        self.next[side] = self.next[side].wrapping_add(text.len() as u32);
        self.push(time_s, !is_up, b"", Step::ack);
    }

    fn push(&mut self, time_s: f64, is_up: bool, payload: &[u8], flags: impl FnOnce(Step, u32) -> Step) {
        let (from, to) = if is_up { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        let ports = (self.client_port, self.server_port);
        let (source, destination) = if is_up { ports } else { (ports.1, ports.0) };
        let side = usize::from(!is_up);
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]).ipv4(from, to, 64);
        let builder = flags(builder.tcp(source, destination, self.next[side], 64_240), self.next[1 - side]);
        let mut frame = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut frame, payload).expect("a vector takes all");
        self.packets.push(Captured { time_s, frame });
    }
}

/// A miner of Monero at difficulty 10,000 that has five shares accepted in 57 s: the shape of a public capture of 2017.
pub(crate) fn known_answer() -> Vec<Captured> {
    let mut wire = Wire::open(1_484_652_700.0, 62_314, 5_222);
    let start_s = 1_484_652_700.0;
    wire.say(start_s, true, "{\"method\": \"login\", \"params\": {\"login\": \"a\", \"pass\": \"x\"}, \"id\": 1}\n");
    let job = "{\"id\":1,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"id\":\"9\",\"job\":{\"blob\":\"04\",\
               \"job_id\":\"397\",\
               \"target\":\"b88d0600\"},\"status\":\"OK\"}}\n";
    wire.say(start_s, false, job);
    for (index, after_s) in [5.0, 34.0, 41.0, 46.0, 49.0].into_iter().enumerate() {
        let id = index + 2;
        let submit = format!(
            "{{\"method\": \"submit\", \"params\": {{\"id\": \"9\", \"job_id\": \"397\", \
             \"nonce\": \"{id:08x}\", \"result\": \"{}\"}}, \
             \"id\":{id}}}\n",
            "0".repeat(64)
        );
        wire.say(start_s + after_s, true, &submit);
        let accepted = format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{{\"status\":\"OK\"}}}}\n");
        wire.say(start_s + after_s + 0.1, false, &accepted);
    }
    wire.say(
        start_s + 57.0,
        true,
        "{\"id\":9,\"jsonrpc\":\"2.0\",\"method\":\"keepalived\",\"params\":{\"id\":\"9\"}}\n",
    );
    wire.packets
}

/// How a capture file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Pcap,
    PcapNanoseconds,
    Pcapng,
}

/// Writes a capture file; packets are cut off after `snap_bytes`.
pub(crate) fn write(packets: &[Captured], form: Form, is_big_endian: bool, link: u32, snap_bytes: usize) -> Vec<u8> {
    let u16_bytes = |value: u16| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let u32_bytes = |value: u32| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let words = |words: &[u32]| words.iter().flat_map(|word| u32_bytes(*word)).collect::<Vec<u8>>();
    let mut file = Vec::new();
    match form {
        Form::Pcap | Form::PcapNanoseconds => {
            file.extend(u32_bytes(if form == Form::Pcap { 0xa1b2_c3d4 } else { 0xa1b2_3c4d }));
            file.extend([u16_bytes(2), u16_bytes(4)].concat());
            file.extend(words(&[0, 0, snap_bytes as u32, link]));
        }
        Form::Pcapng => {
            file.extend(words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d]));
            file.extend([u16_bytes(1), u16_bytes(0)].concat());
            file.extend(words(&[u32::MAX, u32::MAX, 28]));
            file.extend(words(&[1, 20]));
            file.extend([u16_bytes(link as u16), u16_bytes(0)].concat());
            file.extend(words(&[snap_bytes as u32, 20]));
        }
    }
    for Captured { time_s, frame } in packets {
        let data = &frame[..frame.len().min(snap_bytes)];
        let lengths = [data.len() as u32, frame.len() as u32];
        match form {
            Form::Pcap | Form::PcapNanoseconds => {
                let ticks = if form == Form::Pcap { 1e6 } else { 1e9 };
                file.extend(words(&[*time_s as u32, (time_s.fract() * ticks) as u32, lengths[0], lengths[1]]));
                file.extend(data);
            }
            Form::Pcapng => {
                let ticks = (time_s * 1e6) as u64;
                let padding = data.len().next_multiple_of(4) - data.len();
                let block = (32 + data.len() + padding) as u32;
                file.extend(words(&[6, block, 0, (ticks >> 32) as u32, ticks as u32, lengths[0], lengths[1]]));
                file.extend(data);
                file.extend(vec![0; padding]);
                file.extend(u32_bytes(block));
            }
        }
    }
    file
}
