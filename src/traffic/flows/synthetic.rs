//! Traffic that is made up: miners of known rates at pools of each kind, and others, through exporters of flow records.
//! What is found and estimated must hold the truth. Tests only.

use super::endpoint::{Endpoint, Endpoints};
use super::record::{Address, FlowRecord, Service, Volume};
use super::shape::{judge, search};
use super::shares::shares;
use crate::coin::Coin;
use crate::random::SplitMix64;

/// When all of it begins, in seconds since 1970.
const EPOCH_S: f64 = 1_495_000_000.0;

struct Random(SplitMix64);

impl Random {
    fn uniform(&mut self) -> f64 {
        ((self.0.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// The time to the next of events that come at random.
    fn wait_s(&mut self, mean_s: f64) -> f64 {
        -mean_s * self.uniform().ln()
    }
}

/// A packet: when, to the server or from it, and how much above TCP.
#[derive(Debug, Clone, Copy)]
struct Packet {
    time_s: f64,
    is_up: bool,
    payload: u64,
}

/// How flow records are made.
#[derive(Debug, Clone, Copy)]
struct Exporter {
    active_s: f64,
    inactive_s: f64,
    sampling: f64,
    has_payload: bool,
    is_one_way: bool,
}

const ZEEK: Exporter =
    Exporter { active_s: f64::INFINITY, inactive_s: 300.0, sampling: 1.0, has_payload: true, is_one_way: false };
const ROUTER: Exporter =
    Exporter { active_s: 300.0, inactive_s: 60.0, sampling: 1.0, has_payload: false, is_one_way: true };
const IMPATIENT: Exporter =
    Exporter { active_s: 1800.0, inactive_s: 15.0, sampling: 1.0, has_payload: false, is_one_way: false };
const SAMPLED: Exporter =
    Exporter { active_s: 1800.0, inactive_s: 60.0, sampling: 20.0, has_payload: false, is_one_way: true };

/// A miner at a pool, for some hours. The rate of shares is what the pool aims at: its hash rate doesn't show.
fn miner(coin: Coin, shares_per_s: f64, hours: f64, random: &mut Random) -> Vec<Packet> {
    let end_s = hours * 3600.0;
    let (submit, reply, login, job, every_s) = match coin {
        Coin::Btc => {
            (random.between(95.0, 140.0), 40.0, 170.0, random.between(600.0, 1_400.0), random.between(20.0, 60.0))
        }
        Coin::Xmr => {
            (random.between(175.0, 250.0), 63.0, 300.0, random.between(250.0, 450.0), random.between(20.0, 90.0))
        }
    };
    let mut packets = vec![packet(0.0, true, 0.0), packet(0.05, true, login), packet(0.1, false, job + 100.0)];
    let mut time_s = 1.0;
    while time_s < end_s {
        time_s += every_s;
        // An acknowledgement of its own for each job.
        packets.extend([packet(time_s, false, job), packet(time_s + 0.04, true, 0.0)]);
    }
    time_s = 1.0;
    loop {
        time_s += random.wait_s(1.0 / shares_per_s);
        if time_s >= end_s {
            break;
        }
        packets.extend([
            packet(time_s, true, submit),
            packet(time_s + 0.1, false, reply),
            packet(time_s + 0.14, true, 0.0),
        ]);
    }
    packets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    packets
}

fn packet(time_s: f64, is_up: bool, payload: f64) -> Packet {
    Packet { time_s, is_up, payload: payload as u64 }
}

/// What is no mining: pages, long sessions at a keyboard, downloads, signs of life.
fn other(kind: usize, hours: f64, random: &mut Random) -> Vec<Packet> {
    let end_s = hours * 3600.0;
    let (mut packets, mut time_s) = (Vec::new(), 0.0);
    while time_s < end_s {
        match kind % 4 {
            // Pages: requests of 500 bytes and many packets of answers, then minutes of reading.
            0 => {
                for request in 0..(random.between(2.0, 20.0) as u32) {
                    let at_s = time_s + f64::from(request) * 0.2;
                    packets.push(packet(at_s, true, random.between(300.0, 1_200.0)));
                    for part in 0..(random.between(3.0, 60.0) as u32) {
                        packets.push(packet(at_s + 0.05 + f64::from(part) * 0.001, false, 1_448.0));
                        packets.push(packet(at_s + 0.0505 + f64::from(part) * 0.001, true, 0.0));
                    }
                }
                time_s += random.wait_s(180.0);
            }
            // A keyboard: letters, each with its echo, in bursts.
            1 => {
                for letter in 0..(random.between(5.0, 400.0) as u32) {
                    let at_s = time_s + f64::from(letter) * 0.2;
                    packets.extend([
                        packet(at_s, true, 36.0),
                        packet(at_s + 0.03, false, 36.0),
                        packet(at_s + 0.07, true, 0.0),
                    ]);
                }
                time_s += 90.0 + random.wait_s(600.0);
            }
            // A download.
            2 => {
                packets.extend([packet(time_s, false, 1_448.0), packet(time_s + 0.001, true, 0.0)]);
                time_s += 0.5;
            }
            // A push service: signs of life each quarter of an hour.
            _ => {
                packets.extend([
                    packet(time_s, true, 30.0),
                    packet(time_s + 0.05, false, 30.0),
                    packet(time_s + 0.09, true, 0.0),
                ]);
                time_s += 900.0;
            }
        }
    }
    packets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    packets
}

/// Makes the records of one connection.
fn records(packets: &[Packet], exporter: Exporter, client: u32, random: &mut Random) -> Vec<FlowRecord> {
    let mut records = Vec::new();
    let directions: &[Option<bool>] = if exporter.is_one_way { &[Some(true), Some(false)] } else { &[None] };
    for direction in directions {
        let is_seen = |packet: &&Packet| direction.is_none_or(|is_up| is_up == packet.is_up);
        let sampled: Vec<Packet> = packets
            .iter()
            .filter(is_seen)
            .filter(|_| exporter.sampling == 1.0 || random.uniform() < 1.0 / exporter.sampling)
            .copied()
            .collect();
        let mut open: Option<(f64, FlowRecord)> = None;
        for packet in sampled {
            let is_over = |(last_s, record): &(f64, FlowRecord)| {
                packet.time_s - last_s > exporter.inactive_s
                    || EPOCH_S + packet.time_s - record.start_s > exporter.active_s
            };
            if open.as_ref().is_some_and(is_over) {
                records.extend(open.take().map(|(_, record)| record));
            }
            let is_first = exporter.has_payload && records.is_empty();
            let (last_s, record) =
                open.get_or_insert_with(|| (packet.time_s, begin(packet.time_s, exporter, client, is_first)));
            let volume = if packet.is_up { &mut record.up } else { &mut record.down };
            volume.packets += 1;
            // With TCP's timestamps, as Linux sends them.
            volume.ip_bytes += 52 + packet.payload;
            volume.payload_bytes = volume.payload_bytes.map(|bytes| bytes + packet.payload);
            *last_s = packet.time_s;
            record.duration_s = EPOCH_S + packet.time_s - record.start_s;
        }
        records.extend(open.map(|(_, record)| record));
    }
    records
}

fn begin(start_s: f64, exporter: Exporter, client: u32, is_first: bool) -> FlowRecord {
    let volume = Volume { packets: 0, ip_bytes: 0, payload_bytes: exporter.has_payload.then_some(0) };
    FlowRecord {
        start_s: EPOCH_S + start_s,
        duration_s: 0.0,
        client: address(client),
        server: address(u32::MAX - 1),
        // A port that says nothing.
        server_port: 443,
        up: volume,
        down: volume,
        is_opening: exporter.has_payload.then_some(is_first),
        service: Service::Unknown,
    }
}

fn address(number: u32) -> Address {
    core::net::Ipv4Addr::from_bits(number).into()
}

/// Shares per second that the pool programs aim at, from ckpool's to node-cryptonote-pool's.
const SHARE_RATES: [(Coin, f64); 6] = [
    (Coin::Btc, 0.3),
    (Coin::Btc, 0.1),
    (Coin::Btc, 1.0 / 15.0),
    (Coin::Xmr, 1.0 / 30.0),
    (Coin::Xmr, 1.0 / 15.0),
    (Coin::Xmr, 0.01),
];

/// Makes many miners' records, and returns each endpoint with its true rate.
fn miners(exporter: Exporter, hours: f64, count: usize, seed: u64) -> (Endpoints, Vec<(Coin, f64)>) {
    let mut random = Random(SplitMix64::new(seed));
    let (mut endpoints, mut truth) = (Endpoints::default(), Vec::new());
    for client in 0..count {
        let (coin, rate) = SHARE_RATES[client % SHARE_RATES.len()];
        let packets = miner(coin, rate, hours, &mut random);
        records(&packets, exporter, client as u32, &mut random).iter().for_each(|record| endpoints.add(record));
        truth.push((coin, rate));
    }
    endpoints.settle();
    (endpoints, truth)
}

fn truth_of(endpoint: &Endpoint, truth: &[(Coin, f64)]) -> (Coin, f64) {
    let found = (0..truth.len()).find(|client| address(*client as u32) == endpoint.key.client);
    truth[found.unwrap()]
}

#[test]
fn intervals_of_share_rates_hold_the_truth() {
    for (name, exporter, hours) in
        [("zeek", ZEEK, 6.0), ("router", ROUTER, 6.0), ("impatient", IMPATIENT, 6.0), ("sampled", SAMPLED, 48.0)]
    {
        let (endpoints, truth) = miners(exporter, hours, 300, 1);
        let mut held = 0;
        for endpoint in endpoints.iter() {
            let (coin, rate) = truth_of(endpoint, &truth);
            let estimate = shares(endpoint, coin, exporter.sampling).unwrap();
            assert_eq!(estimate.inconsistent_because, None, "{name}: {coin:?} {rate}");
            let interval = estimate.share_rate_per_s;
            held += usize::from(interval.low <= rate && rate <= interval.high);
            // And it is of use: within a factor of three of the truth where there are many shares.
            if exporter.sampling == 1.0 && rate > 0.02 {
                assert!(
                    interval.value < 2.0 * rate && interval.value > rate / 2.0,
                    "{name}: {coin:?} {rate}: {interval:?}"
                );
            }
        }
        assert_eq!(endpoints.len(), 300);
        assert!(held >= 285, "{name}: {held} of 300 intervals hold the truth");
    }
}

#[test]
fn miners_are_found_by_shape_alone_and_others_are_not() {
    for (name, exporter, hours) in
        [("zeek", ZEEK, 6.0), ("router", ROUTER, 6.0), ("impatient", IMPATIENT, 6.0), ("sampled", SAMPLED, 48.0)]
    {
        let (mining, truth) = miners(exporter, hours, 120, 2);
        let is_missed = |endpoint: &&Endpoint| judge(endpoint, exporter.sampling, mining.bridged_s()).is_none();
        let missed: Vec<_> = mining
            .iter()
            .filter(is_missed)
            .map(|endpoint| {
                (truth_of(endpoint, &truth), endpoint.coverage(exporter.sampling), endpoint.dispersion(), endpoint)
            })
            .collect();
        assert!(missed.len() <= 6, "{name}: {} of 120 miners are missed: {missed:#?}", missed.len());
        assert_eq!(search(&mining, exporter.sampling).candidates_in_all as usize, 120 - missed.len());
        let mut random = Random(SplitMix64::new(3));
        let mut others = Endpoints::default();
        for client in 0..200_u32 {
            let packets = other(client as usize, hours.min(12.0), &mut random);
            records(&packets, exporter, client, &mut random).iter().for_each(|record| others.add(record));
        }
        others.settle();
        let found = search(&others, exporter.sampling);
        let named: Vec<_> =
            found.candidates.iter().map(|candidate| (&candidate.endpoint.key, &candidate.evidence)).collect();
        assert!(found.candidates_in_all <= 10, "{name}: {} of 200 others look like miners: {named:?}", named.len());
    }
}

/// The capture of the known answer, as flow fields: 22 packets, 1,078 bytes above TCP, of which 108 are the login.
#[test]
fn the_known_capture_shows_five_shares_by_its_bytes_alone() {
    let mut endpoints = Endpoints::default();
    let mut record = begin(0.0, ZEEK, 1, true);
    record.duration_s = 57.0;
    record.up = Volume { packets: 22, ip_bytes: 1_970, payload_bytes: Some(1_078) };
    record.down = Volume { packets: 21, ip_bytes: 2_594, payload_bytes: Some(1_742) };
    endpoints.add(&record);
    endpoints.settle();
    let estimate = shares(endpoints.iter().next().unwrap(), Coin::Xmr, 1.0).unwrap();
    assert!((4.0..=5.5).contains(&estimate.shares.value), "{estimate:?}");
    assert!(estimate.shares.low <= 5.0 && 5.0 <= estimate.shares.high, "{estimate:?}");
    let rate = estimate.share_rate_per_s;
    assert!(rate.low <= 5.0 / 57.0 && 5.0 / 57.0 <= rate.high, "{estimate:?}");
}

#[test]
fn a_node_shows_as_a_node() {
    let mut endpoints = Endpoints::default();
    let mut random = Random(SplitMix64::new(4));
    // A feeler in two minutes, to peers that differ, for a day.
    let mut time_s = 0.0;
    let mut feelers = 0;
    while time_s < 86_400.0 {
        let mut record = begin(time_s, ZEEK, 1, true);
        (record.server, record.server_port) = (address(0x0800_0000 + feelers), 8333);
        record.up = Volume { packets: 6, ip_bytes: 500, payload_bytes: Some(150) };
        record.down = Volume { packets: 5, ip_bytes: 450, payload_bytes: Some(150) };
        record.duration_s = 0.5;
        endpoints.add(&record);
        feelers += 1;
        time_s += random.wait_s(120.0);
    }
    endpoints.settle();
    let found = search(&endpoints, 1.0);
    assert_eq!((found.candidates_in_all, found.nodes.len()), (0, 1));
    assert_eq!((found.nodes[0].records, found.nodes[0].peers), (u64::from(feelers), u64::from(feelers)));
}
