//! Which endpoints look like mining, by the shape of their flows: how long, how small, how steady, how often.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::endpoint::{Endpoint, Endpoints};
use super::record::Address;
use super::shares::{self, ShareBounds, ShareEstimate};
use crate::coin::Coin;

/// Ports on which pools are reached by their own pages, and nodes by getwork and getblocktemplate. Many listen on
/// others, such as 25, 80, 443 and 8080, which say nothing.
const POOL_PORTS: [u16; 26] = [
    1314, 1800, 3032, 3333, 3334, 3335, 3336, 3355, 3357, 4233, 4444, 5555, 5588, 6666, 7777, 8332, 8888, 9999, 10_128,
    10_343, 14_433, 14_444, 18_081, 20_535, 25_333, 45_700,
];
/// Ports on which nodes talk to each other: Bitcoin's and Monero's.
const NODE_PORTS: [u16; 2] = [8333, 18_080];
/// Ports of services whose connections are long and quiet, too: SSH, mail, chat, push, queues.
const QUIET_PORTS: [u16; 12] = [22, 23, 143, 179, 389, 993, 1883, 3389, 5223, 5228, 6667, 8883];

/// Points below which an endpoint isn't called a candidate, of 14.
pub(super) const SCORE_MIN: i32 = 7;
/// So many candidates are kept.
const KEPT_MAX: usize = 1_000;
/// Below this time between first and last packet nothing is said, in seconds.
const SPAN_S_MIN: f64 = 300.0;
const HOUR_S: f64 = 3600.0;
/// Below this [`Endpoint::silence_ratio`] samples come in bursts. Those of miners, of which two packets now and then
/// stand together, reach 0.6.
const SILENCE_RATIO_MIN: f64 = 0.3;

/// One thing that speaks for mining, or against it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Evidence {
    /// How much: above zero for mining, below against it.
    pub points: i32,
    /// What was seen, in words.
    pub text: String,
}

/// An endpoint that looks like mining.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// All points together.
    pub score: i32,
    /// What they are for, the weightiest first.
    pub evidence: Vec<Evidence>,
    /// The shares that its bytes can have been, for each coin.
    pub estimates: Vec<ShareEstimate>,
}

/// A candidate before what takes time is computed, the intervals of its rates.
pub(super) struct Judged {
    endpoint: Endpoint,
    score: i32,
    evidence: Vec<Evidence>,
    bounds: Vec<ShareBounds>,
}

impl Judged {
    fn finish(self) -> Candidate {
        let Self { endpoint, score, evidence, bounds } = self;
        Candidate { endpoint, score, evidence, estimates: bounds.into_iter().map(ShareBounds::finish).collect() }
    }
}

/// A client that behaves as a node of a coin's network does.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The client.
    pub client: Address,
    /// Other nodes that it talked to.
    pub peers: u64,
    /// Records of connections to them.
    pub records: u64,
    /// Between the first and the last of them, in seconds.
    pub span_s: f64,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The best candidates, the best first.
    pub candidates: Vec<Candidate>,
    /// All of them, those past the ones that are kept included.
    pub candidates_in_all: u64,
    /// Clients that talk to nodes, those with the most records first.
    pub nodes: Vec<Node>,
}

/// Looks through all endpoints. One of `sampling` packets was counted.
pub fn search(endpoints: &Endpoints, sampling: f64) -> Search {
    let mut found = Search::default();
    let mut best: Vec<Judged> = Vec::new();
    let mut nodes: BTreeMap<Address, (u64, u64, f64, f64)> = BTreeMap::new();
    for endpoint in endpoints.iter() {
        if NODE_PORTS.contains(&endpoint.key.server_port) {
            let node = nodes.entry(endpoint.key.client).or_insert((0, 0, f64::INFINITY, 0.0));
            node.0 += 1;
            node.1 += u64::from(endpoint.records);
            node.2 = node.2.min(endpoint.first_s);
            node.3 = node.3.max(endpoint.last_s);
        }
        let Some(judged) = judge(endpoint, sampling, endpoints.bridged_s()) else { continue };
        found.candidates_in_all += 1;
        best.push(judged);
        if best.len() >= 2 * KEPT_MAX {
            sort(&mut best);
            best.truncate(KEPT_MAX);
        }
    }
    sort(&mut best);
    best.truncate(KEPT_MAX);
    found.candidates = best.into_iter().map(Judged::finish).collect();
    let node = |(client, (peers, records, first_s, last_s)): (Address, (u64, u64, f64, f64))| {
        let span_s = (last_s - first_s).max(0.0);
        Node { client, peers, records, span_s }
    };
    found.nodes = nodes.into_iter().map(node).collect();
    found.nodes.sort_by(|a, b| b.records.cmp(&a.records).then(a.client.cmp(&b.client)));
    found.nodes.truncate(KEPT_MAX);
    found
}

fn sort(candidates: &mut [Judged]) {
    let key = |candidate: &Judged| (candidate.endpoint.key.client, candidate.endpoint.key.server);
    candidates.sort_by(|a, b| {
        let by_score = b.score.cmp(&a.score);
        let by_time = b.endpoint.duration_s.partial_cmp(&a.endpoint.duration_s).unwrap_or(Ordering::Equal);
        by_score.then(by_time).then(key(a).cmp(&key(b)))
    });
}

/// Judges one endpoint of an exporter that bridges silences of `bridged_s` or more. `None` where it doesn't look like
/// mining.
pub(super) fn judge(endpoint: &Endpoint, sampling: f64, bridged_s: f64) -> Option<Judged> {
    if endpoint.span_s() < SPAN_S_MIN || endpoint.up[0] == 0 || endpoint.is_other_service() {
        return None;
    }
    let mut bounds = Vec::new();
    let mut evidence: Vec<Option<Evidence>> = Vec::new();
    if let Some(polling) = of_polling(endpoint) {
        evidence.extend([Some(polling), of_http(endpoint)]);
    } else if let Some(length) = of_length(endpoint, sampling)
        // Submits and acknowledgements, at most with TLS around the longest of them.
        && (40.0..=350.0).contains(&endpoint.up_bytes_per_packet())
    {
        bounds.extend([Coin::Btc, Coin::Xmr].into_iter().filter_map(|coin| shares::bounds(endpoint, coin, sampling)));
        if !bounds.iter().any(ShareBounds::is_consistent) {
            return None;
        }
        evidence.extend([Some(length), of_sizes(endpoint), of_rate(&bounds)]);
    } else {
        return None;
    }
    evidence.extend([of_steadiness(endpoint, sampling, bridged_s), of_hours(endpoint), of_port(endpoint)]);
    let mut evidence: Vec<Evidence> = evidence.into_iter().flatten().collect();
    let score = evidence.iter().map(|evidence| evidence.points).sum();
    if score < SCORE_MIN {
        return None;
    }
    evidence.sort_by_key(|evidence| -evidence.points);
    Some(Judged { endpoint: endpoint.clone(), score, evidence, bounds })
}

/// Getwork and getblocktemplate: a connection for each request, several a minute, each of one short message.
fn of_polling(endpoint: &Endpoint) -> Option<Evidence> {
    let (opened, whole) = endpoint.connections();
    let (connections, span_s) = (f64::from(whole), endpoint.span_s());
    let is_polling = opened == whole
        && whole == endpoint.records
        && span_s >= HOUR_S
        && (1.0 / 120.0..=1.0).contains(&(connections / span_s))
        && endpoint.duration_s / connections <= 30.0
        && (400.0..=1_500.0).contains(&(endpoint.up[1] as f64 / connections));
    is_polling.then(|| {
        let (every_s, hours) = (span_s / connections, span_s / HOUR_S);
        let bytes = endpoint.up[1] as f64 / connections;
        let text = format!(
            "a connection of {bytes:.0} bytes every {every_s:.0} s for {hours:.1} h, as getwork and getblocktemplate \
             make"
        );
        Evidence { points: 4, text }
    })
}

fn of_http(endpoint: &Endpoint) -> Option<Evidence> {
    endpoint.is_http().then(|| Evidence { points: 1, text: "it is HTTP, which getwork goes by".to_owned() })
}

/// Miners keep a connection for as long as they run.
fn of_length(endpoint: &Endpoint, sampling: f64) -> Option<Evidence> {
    let (longest_s, span_s, coverage) = (f64::from(endpoint.longest_s), endpoint.span_s(), endpoint.coverage(sampling));
    let hours = |seconds: f64| format!("{:.1} h", seconds / HOUR_S);
    if longest_s >= HOUR_S {
        return Some(Evidence { points: 3, text: format!("a connection lasted {}", hours(longest_s)) });
    }
    if span_s >= HOUR_S && coverage >= 0.8 {
        let text = format!("records cover {:.0} % of {}", 100.0 * coverage, hours(span_s));
        return Some(Evidence { points: 3, text });
    }
    if span_s >= HOUR_S && coverage >= 0.3 {
        let text =
            format!("records cover {:.0} % of {}, as messages a minute apart do", 100.0 * coverage, hours(span_s));
        return Some(Evidence { points: 1, text });
    }
    (longest_s >= SPAN_S_MIN)
        .then(|| Evidence { points: 1, text: format!("a connection lasted {:.0} min", longest_s / 60.0) })
}

/// Acknowledgements of 40 to 52 bytes and submits of 120 to 300.
fn of_sizes(endpoint: &Endpoint) -> Option<Evidence> {
    let mean = endpoint.up_bytes_per_packet();
    let text = format!("{mean:.0} bytes a packet to the server: acknowledgements and short messages");
    match mean {
        45.0..=220.0 => Some(Evidence { points: 2, text }),
        _ => None,
    }
}

/// Pools set the difficulty so that a connection has a share in 2 to 150 seconds.
fn of_rate(bounds: &[ShareBounds]) -> Option<Evidence> {
    let mut fits = bounds.iter().filter(|bounds| bounds.is_consistent());
    let usual = fits.find(|bounds| (1.0 / 150.0..=0.5).contains(&bounds.rate_per_s()))?;
    let (seconds, coin) = (1.0 / usual.rate_per_s(), usual.coin().name());
    let text =
        format!("bytes to the server as of a share of {coin} every {seconds:.0} s, and bytes from it as of its jobs");
    Some(Evidence { points: 3, text })
}

/// Shares come at random at a constant rate. People come in bursts.
fn of_steadiness(endpoint: &Endpoint, sampling: f64, bridged_s: f64) -> Option<Evidence> {
    // Samples thin a burst out until its records look even, but it still stands close.
    let ratio = if sampling > 1.0 { endpoint.silence_ratio(bridged_s) } else { None };
    if let Some(ratio) = ratio.filter(|ratio| *ratio < SILENCE_RATIO_MIN) {
        let text = format!("its samples stand {:.0} times as close as at a constant rate, in bursts", ratio.recip());
        return Some(Evidence { points: -3, text });
    }
    let dispersion = endpoint.dispersion()?;
    let records = endpoint.records;
    if dispersion <= 6.0 {
        let text = format!("packets of {records} records vary {dispersion:.1} times as much as at a constant rate");
        // Of samples all traffic looks like that.
        return Some(Evidence { points: if sampling > 1.0 { 1 } else { 2 }, text });
    }
    (dispersion >= 60.0).then(|| {
        let text = format!("packets of {records} records vary {dispersion:.0} times as much as at a constant rate");
        Evidence { points: -2, text }
    })
}

/// Miners know no night.
fn of_hours(endpoint: &Endpoint) -> Option<Evidence> {
    let (hours, span_s) = (endpoint.hours_of_day(), endpoint.span_s());
    (span_s >= 20.0 * HOUR_S && (hours >= 20 || f64::from(endpoint.longest_s) >= 20.0 * HOUR_S))
        .then(|| Evidence { points: 1, text: "it goes on around the clock".to_owned() })
}

fn of_port(endpoint: &Endpoint) -> Option<Evidence> {
    let port = endpoint.key.server_port;
    if POOL_PORTS.contains(&port) {
        return Some(Evidence { points: 3, text: format!("pools listen on port {port}") });
    }
    if NODE_PORTS.contains(&port) {
        let text = format!("port {port} is that of nodes, which talk without mining");
        return Some(Evidence { points: -4, text });
    }
    QUIET_PORTS.contains(&port).then(|| {
        let text = format!("port {port} belongs to a service whose connections are long and quiet, too");
        Evidence { points: -3, text }
    })
}
