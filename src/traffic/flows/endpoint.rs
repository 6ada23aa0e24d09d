//! What is kept of each endpoint: a client, a server and the server's port, in a table of bounded size.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::record::{Address, FlowRecord, Service};

/// How many endpoints are kept, at most. At 128 bytes and an index of 9 to 15 bytes each, that is 170 MiB.
pub(super) const ENDPOINTS_MAX: usize = 1_250_000;
/// Endpoints lie in blocks of so many, so that a growing table copies nothing and never holds two copies.
const BLOCK: usize = 1 << 14;
/// No longer silence than this is learnt from records, in seconds: exporters end them sooner.
const BRIDGED_S_MAX: f64 = 300.0;
/// So many records are added at once.
const BATCH: usize = 64;
/// The place of an endpoint that isn't found.
const NOWHERE: u32 = u32::MAX;

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EndpointKey {
    /// Who opened the connections.
    pub client: Address,
    /// Who answered.
    pub server: Address,
    /// The server's port.
    pub server_port: u16,
}

/// Sums over all records of an endpoint. Two lines of cache: a table of millions costs little else than misses.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Endpoint {
    /// Who talks to whom.
    pub key: EndpointKey,
    /// Hours of the day (UTC) in which records began, a bit each; above them the other bits below.
    flags: u32,
    /// Records of what the client sent.
    pub records: u32,
    /// Records that hold the beginning of a connection.
    pub opened: u32,
    /// The longest record, in seconds.
    pub longest_s: f32,
    /// When the first record began and the last one ended, in seconds since 1970.
    pub first_s: f64,
    /// When the last record ended.
    pub last_s: f64,
    /// All records' durations added up, in seconds.
    pub duration_s: f64,
    /// Σ n²/t over records of n packets in t seconds (one second on top), for [`Self::dispersion`].
    scatter: f32,
    /// What passed to the server: packets, bytes from the IP header on, bytes above TCP.
    pub up: [u64; 3],
    /// What passed to the client.
    pub down: [u64; 3],
}

/// How far apart a router's records of one connection may lie: jobs come once a minute, or more often.
const CONTINUED_S: f64 = 60.0;

const HOURS: u32 = (1 << 24) - 1;
/// What a sensor recognised in any record.
const TLS: u32 = 1 << 24;
const HTTP: u32 = 1 << 25;
const OTHER: u32 = 1 << 26;
/// Some record lacks the bytes above TCP.
const NO_PAYLOAD: u32 = 1 << 27;
/// Some record doesn't tell whether its connection began with it.
const NO_OPENING: u32 = 1 << 28;

impl Endpoint {
    fn new(key: EndpointKey, first_s: f64) -> Self {
        Self {
            key,
            flags: 0,
            records: 0,
            opened: 0,
            longest_s: 0.0,
            first_s,
            last_s: first_s,
            duration_s: 0.0,
            scatter: 0.0,
            up: [0; 3],
            down: [0; 3],
        }
    }

    fn add(&mut self, record: &FlowRecord) {
        self.flags |= match record.service {
            Service::Unknown => 0,
            Service::Tls => TLS,
            Service::Http => HTTP,
            Service::Other => OTHER,
        };
        for (sums, volume) in [(&mut self.up, &record.up), (&mut self.down, &record.down)] {
            let payload = volume.payload_bytes.unwrap_or(0);
            for (sum, part) in sums.iter_mut().zip([volume.packets, volume.ip_bytes, payload]) {
                *sum = sum.saturating_add(part);
            }
            if volume.payload_bytes.is_none() && volume.packets > 0 {
                self.flags |= NO_PAYLOAD;
            }
        }
        self.first_s = self.first_s.min(record.start_s);
        self.last_s = self.last_s.max(record.start_s + record.duration_s);
        // Where a router writes a record for each direction, the client's stands for the connection.
        if record.up.packets == 0 {
            return;
        }
        self.records = self.records.saturating_add(1);
        match record.is_opening {
            Some(is_opening) => self.opened = self.opened.saturating_add(u32::from(is_opening)),
            None => self.flags |= NO_OPENING,
        }
        self.flags |= 1 << ((record.start_s / 3600.0) as u64 % 24);
        self.longest_s = self.longest_s.max(record.duration_s as f32);
        self.duration_s += record.duration_s;
        self.scatter += ((record.up.packets as f64).powi(2) / (record.duration_s + 1.0)) as f32;
    }

    /// Returns the time between the first and the last packet, in seconds.
    pub fn span_s(&self) -> f64 {
        self.last_s - self.first_s
    }

    /// Returns for how long connections were open, all of them added up, in seconds.
    ///
    /// That is the time of the records, and up to a minute behind each that goes on with a connection or may do so: a
    /// router ends a record after some seconds of silence, and begins another with the next message. Where one of
    /// `sampling` packets is counted, that many times the minute.
    pub fn time_s(&self, sampling: f64) -> f64 {
        let continued = f64::from(self.records - self.opened.min(self.records));
        let with_silence_s = self.duration_s + continued * CONTINUED_S * sampling;
        self.duration_s.max(with_silence_s.min(self.span_s()))
    }

    /// Returns how many connections were there at once, on average while there was any: at least one.
    pub fn concurrency(&self, sampling: f64) -> f64 {
        if self.span_s() > 0.0 { (self.time_s(sampling) / self.span_s()).max(1.0) } else { 1.0 }
    }

    /// Returns the part of the span in which a connection was open, 1 where several overlap throughout.
    pub fn coverage(&self, sampling: f64) -> f64 {
        if self.span_s() > 0.0 { (self.time_s(sampling) / self.span_s()).min(1.0) } else { 0.0 }
    }

    /// Returns how many connections began: the least and the most that the records allow.
    pub fn connections(&self) -> (u32, u32) {
        if self.flags & NO_OPENING != 0 { (0, self.records) } else { (self.opened, self.opened) }
    }

    /// Returns the mean bytes of a packet to the server, from its IP header on.
    pub fn up_bytes_per_packet(&self) -> f64 {
        self.up[1] as f64 / self.up[0].max(1) as f64
    }

    /// Tells whether each record has the bytes above TCP.
    pub fn has_payload(&self) -> bool {
        self.flags & NO_PAYLOAD == 0
    }

    /// Tells whether a sensor saw TLS.
    pub fn is_tls(&self) -> bool {
        self.flags & TLS != 0
    }

    /// Tells whether a sensor saw HTTP.
    pub fn is_http(&self) -> bool {
        self.flags & HTTP != 0
    }

    /// Tells whether a sensor recognised a protocol that is none of mining.
    pub fn is_other_service(&self) -> bool {
        self.flags & OTHER != 0
    }

    /// Returns in how many hours of the day records began.
    pub fn hours_of_day(&self) -> u32 {
        (self.flags & HOURS).count_ones()
    }

    /// Returns by how much more the packets of records vary than those of a Poisson process of the same mean rate do:
    /// variance over mean, 1 for such a process. `None` with fewer than eight records.
    ///
    /// For records of n packets in t seconds, Σ n²/t − N²/T has the mean λ·D·(K − 1), where N and T are the sums, K the
    /// number of records, λ = N/T, and D the dispersion.
    pub fn dispersion(&self) -> Option<f64> {
        let (records, packets) = (f64::from(self.records), self.up[0] as f64);
        let time_s = self.duration_s + records;
        if self.records < 8 || packets == 0.0 {
            return None;
        }
        let excess = f64::from(self.scatter) - packets * packets / time_s;
        Some((excess / (packets / time_s * (records - 1.0))).max(0.0))
    }

    /// Returns how long the silences within records are, over how long they would be if packets came at random at their
    /// mean rate, and records bridged silences of up to `bridged_s`: 1 for such packets, less where they come in
    /// bursts. `None` with fewer than 20 silences.
    ///
    /// Of exponential waiting times at a rate λ those up to T have the mean 1/λ − T / (e^(λT) − 1).
    pub fn silence_ratio(&self, bridged_s: f64) -> Option<f64> {
        let silences = self.up[0].saturating_sub(u64::from(self.records));
        if silences < 20 || self.span_s() <= 0.0 || bridged_s <= 0.0 {
            return None;
        }
        let rate = self.up[0] as f64 / self.span_s();
        let expected_s = 1.0 / rate - bridged_s / (rate * bridged_s).exp_m1();
        Some(self.duration_s / silences as f64 / expected_s)
    }
}

/// Where an endpoint lies, and bits of its hash, by which nearly all others are told from it without a look at them.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    place: u32,
}

/// All endpoints of an input.
///
/// Records are added in batches. Each step of a batch is a short loop over all of its records, so that the processor
/// waits for many of their cache misses at once: with a million endpoints this halves the time of a record.
pub struct Endpoints {
    index: HashTable<Slot>,
    blocks: Vec<Vec<Endpoint>>,
    hasher: RandomState,
    limit: usize,
    pending: Vec<(u64, FlowRecord)>,
    /// The longest silence that a record was seen to bridge, in seconds.
    bridged_s: f64,
    /// How many were dropped to make room, and their packets to the server.
    dropped: (u64, u64),
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::with_limit(ENDPOINTS_MAX)
    }
}

impl Endpoints {
    fn with_limit(limit: usize) -> Self {
        Self {
            index: HashTable::new(),
            blocks: Vec::new(),
            hasher: RandomState::default(),
            limit,
            pending: Vec::with_capacity(BATCH),
            bridged_s: 0.0,
            dropped: (0, 0),
        }
    }

    /// Adds a record to the sums of its endpoint; it shows there after [`Self::settle`].
    #[inline]
    pub fn add(&mut self, record: &FlowRecord) {
        if record.up.packets.saturating_add(record.down.packets) == 2 {
            self.bridged_s = self.bridged_s.max(record.duration_s.min(BRIDGED_S_MAX));
        }
        self.pending.push((self.hasher.hash_one(key_of(record)), record.clone()));
        if self.pending.len() == BATCH {
            self.settle();
        }
    }

    /// Adds up what is waiting.
    pub fn settle(&mut self) {
        // No endpoint may move between the steps.
        if self.index.len() + BATCH > self.limit {
            self.make_room();
        }
        let mut pending = std::mem::take(&mut self.pending);
        let mut places = [NOWHERE; BATCH];
        for (place, (hash, _)) in places.iter_mut().zip(&pending) {
            let tag = tag_of(*hash);
            *place = self.index.find(*hash, |slot| slot.tag == tag).map_or(NOWHERE, |slot| slot.place);
        }
        for (place, (_, record)) in places.iter_mut().zip(&pending) {
            if *place != NOWHERE && at(&self.blocks, *place).key != key_of(record) {
                *place = NOWHERE;
            }
        }
        for (place, (hash, record)) in places.iter().zip(&pending) {
            let place = if *place == NOWHERE { self.find_or_insert(*hash, record) } else { *place };
            self.blocks[place as usize / BLOCK][place as usize % BLOCK].add(record);
        }
        pending.clear();
        self.pending = pending;
    }

    /// Returns the place of a record's endpoint, a new one where it has none yet.
    fn find_or_insert(&mut self, hash: u64, record: &FlowRecord) -> u32 {
        let key = key_of(record);
        let (blocks, tag) = (&self.blocks, tag_of(hash));
        if let Some(slot) = self.index.find(hash, |slot| slot.tag == tag && at(blocks, slot.place).key == key) {
            return slot.place;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let last = self.blocks.len() - 1;
        let place = (last * BLOCK + self.blocks[last].len()) as u32;
        self.blocks[last].push(Endpoint::new(key, record.start_s));
        self.insert(hash, place);
        place
    }

    fn insert(&mut self, hash: u64, place: u32) {
        let (blocks, hasher) = (&self.blocks, &self.hasher);
        let slot = Slot { tag: tag_of(hash), place };
        self.index.insert_unique(hash, slot, |slot| hasher.hash_one(at(blocks, slot.place).key));
    }

    /// Drops endpoints with the fewest packets to the server: whatever mines for hours has sent more than they.
    fn make_room(&mut self) {
        let mut packets: Vec<u64> = self.iter().map(|endpoint| endpoint.up[0]).collect();
        let mut to_drop = (packets.len() / 4).max(1);
        let (_, &mut threshold, _) = packets.select_nth_unstable(to_drop);
        drop(packets);
        let mut kept = 0;
        for place in 0..self.index.len() {
            let endpoint = at(&self.blocks, place as u32);
            // Of those that have as many packets as the threshold itself some stay: enough have gone.
            if endpoint.up[0] <= threshold && to_drop > 0 {
                to_drop -= 1;
                self.dropped.0 += 1;
                self.dropped.1 = self.dropped.1.saturating_add(endpoint.up[0]);
                continue;
            }
            self.blocks[kept / BLOCK][kept % BLOCK] = endpoint.clone();
            kept += 1;
        }
        self.blocks.truncate(kept.div_ceil(BLOCK));
        if let Some(last) = self.blocks.last_mut() {
            last.truncate((kept - 1) % BLOCK + 1);
        }
        self.index.clear();
        for place in 0..kept as u32 {
            let hash = self.hasher.hash_one(at(&self.blocks, place).key);
            self.insert(hash, place);
        }
    }

    /// Returns all endpoints that are kept, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.blocks.iter().flatten()
    }

    /// Returns the longest time between the two packets of a record, in seconds, 300 at most: the exporter bridges
    /// silences of that length, at least.
    pub fn bridged_s(&self) -> f64 {
        self.bridged_s
    }

    /// Returns how many endpoints are kept.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns how many endpoints were dropped to make room, and how many packets they had sent to servers.
    pub fn dropped(&self) -> (u64, u64) {
        self.dropped
    }
}

fn key_of(record: &FlowRecord) -> EndpointKey {
    EndpointKey { client: record.client, server: record.server, server_port: record.server_port }
}

fn at(blocks: &[Vec<Endpoint>], place: u32) -> &Endpoint {
    &blocks[place as usize / BLOCK][place as usize % BLOCK]
}

/// Bits from the middle of a hash: the table goes by those of both ends.
fn tag_of(hash: u64) -> u32 {
    (hash >> 20) as u32
}

#[cfg(test)]
mod tests {
    use super::super::record::Volume;
    use super::*;
    use crate::random::SplitMix64;

    fn address(number: u32) -> Address {
        core::net::Ipv4Addr::from_bits(number).into()
    }

    fn record(client: u32, start_s: f64, duration_s: f64, packets: u64) -> FlowRecord {
        FlowRecord {
            start_s,
            duration_s,
            client: address(client),
            server: address(1),
            server_port: 3333,
            up: Volume { packets, ip_bytes: 60 * packets, payload_bytes: Some(10 * packets) },
            down: Volume { packets, ip_bytes: 100 * packets, payload_bytes: None },
            is_opening: Some(true),
            service: Service::Unknown,
        }
    }

    #[test]
    fn an_endpoint_is_two_lines_of_cache() {
        assert_eq!(size_of::<Endpoint>(), 128);
    }

    #[test]
    fn sums_are_those_of_all_records() {
        let mut endpoints = Endpoints::default();
        for index in 0..1_000_u32 {
            endpoints.add(&record(index % 7, f64::from(index), 10.0, u64::from(index)));
        }
        endpoints.settle();
        assert_eq!(endpoints.len(), 7);
        let total: u64 = endpoints.iter().map(|endpoint| endpoint.up[0]).sum();
        assert_eq!(total, 999 * 1_000 / 2);
        let third = endpoints.iter().find(|endpoint| endpoint.key.client == address(3)).unwrap();
        let expected: Vec<u64> = (0..1_000).filter(|index| index % 7 == 3).collect();
        assert_eq!(u64::from(third.records), expected.len() as u64);
        assert_eq!(third.up[0], expected.iter().sum::<u64>());
        assert_eq!((third.first_s, third.last_s), (3.0, 1007.0));
        assert_eq!(third.duration_s, 10.0 * expected.len() as f64);
        assert!(!third.has_payload(), "the way down has none");
    }

    #[test]
    fn a_full_table_drops_those_with_the_fewest_packets() {
        let mut endpoints = Endpoints::with_limit(1_000);
        // A miner among ten thousand others, each with fewer packets.
        for index in 0..10_000_u32 {
            endpoints.add(&record(index + 10, f64::from(index), 1.0, 2));
            endpoints.add(&record(5, f64::from(index), 1.0, 3));
        }
        endpoints.settle();
        assert!(endpoints.len() <= 1_000, "{}", endpoints.len());
        let miner = endpoints.iter().find(|endpoint| endpoint.key.client == address(5)).unwrap();
        assert_eq!(miner.up[0], 30_000);
        let (dropped, packets) = endpoints.dropped();
        assert_eq!((dropped + endpoints.len() as u64, packets), (10_001, 2 * dropped));
        let kept: std::collections::HashSet<_> = endpoints.iter().map(|endpoint| endpoint.key).collect();
        assert_eq!(kept.len(), endpoints.len(), "none twice");
    }

    /// Poisson counts have the dispersion 1; the same mean in bursts of ten packets has that of the bursts' size.
    #[test]
    fn dispersion_tells_a_steady_pace_from_bursts() {
        let mut random = SplitMix64::new(7);
        let mut uniform = move || (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut poisson = |mean: f64| {
            let (mut product, mut count) = (1.0, 0_u64);
            loop {
                product *= uniform();
                if product < (-mean).exp() {
                    return count;
                }
                count += 1;
            }
        };
        let mut dispersion = |burst: u64| {
            let mut endpoint = Endpoint::new(key_of(&record(1, 0.0, 0.0, 0)), 0.0);
            for index in 0..2_000_u32 {
                endpoint.add(&record(1, f64::from(index) * 300.0, 299.0, burst * poisson(60.0 / burst as f64)));
            }
            endpoint.dispersion().unwrap()
        };
        let (steady, bursts) = (dispersion(1), dispersion(10));
        assert!((0.85..1.15).contains(&steady), "{steady}");
        assert!((8.5..11.5).contains(&bursts), "{bursts}");
    }
}
