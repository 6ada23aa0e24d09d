//! From bytes to shares: how many submits the bytes that a client sent can have been.

use serde::Serialize;

use super::endpoint::Endpoint;
use crate::coin::Coin;
use crate::interval::Interval;
use crate::statistics::CONFIDENCE;
use crate::traffic::garwood;

/// A range of sizes with the usual one, in bytes.
#[derive(Debug, Clone, Copy)]
struct Size {
    low: f64,
    usual: f64,
    high: f64,
}

impl Size {
    const fn new(low: f64, usual: f64, high: f64) -> Self {
        Self { low, usual, high }
    }

    const fn plus(self, other: Self) -> Self {
        Self::new(self.low + other.low, self.usual + other.usual, self.high + other.high)
    }
}

/// What stratum's messages measure above TCP. Each range is that of public captures and of the messages' own form; the
/// sources stand in METHODOLOGY.md.
struct Messages {
    /// A share: for Bitcoin with names of workers of 5 to 60 letters, with and without version bits; for Monero with
    /// ids of 1 to 40 letters.
    submit: Size,
    /// What a client says when it connects.
    login: Size,
    /// The answer to a share.
    reply: Size,
    /// What else a client says, per second of a connection.
    chatter_bytes_per_s: Size,
    /// Work for the client, per second of a connection.
    jobs_bytes_per_s: (f64, f64),
}

const BITCOIN: Messages = Messages {
    submit: Size::new(85.0, 115.0, 160.0),
    login: Size::new(120.0, 160.0, 450.0),
    reply: Size::new(30.0, 40.0, 90.0),
    // Some programs ask for the transactions of each job, in 82 bytes every 30 s.
    chatter_bytes_per_s: Size::new(0.0, 0.0, 82.0 / 30.0),
    // A job of 300 bytes every two minutes, to one of 4,000 bytes every ten seconds.
    jobs_bytes_per_s: (2.5, 400.0),
};

const MONERO: Messages = Messages {
    submit: Size::new(165.0, 194.0, 270.0),
    login: Size::new(100.0, 182.0, 600.0),
    reply: Size::new(50.0, 63.0, 110.0),
    // A sign of life of 90 bytes each minute.
    chatter_bytes_per_s: Size::new(0.0, 0.0, 90.0 / 60.0),
    // A job of 240 bytes every three minutes, to one of 700 bytes every five seconds.
    jobs_bytes_per_s: (1.3, 140.0),
};

/// What TLS adds to each message: 22 bytes in version 1.3, 29 in 1.2.
const TLS_RECORD: Size = Size::new(22.0, 22.0, 29.0);
/// What TLS's handshake adds to a login.
const TLS_HANDSHAKE: Size = Size::new(250.0, 400.0, 2_200.0);
/// Headers of IPv4 and TCP: without options, and with TCP's timestamps.
const HEADERS_V4: Size = Size::new(40.0, 46.0, 52.0);
/// Those of IPv6 and TCP.
const HEADERS_V6: Size = Size::new(60.0, 66.0, 72.0);
/// Shares per second that a connection can have, so that anybody would call it mining: one in ten minutes to five a
/// second.
const RATE_PER_S: (f64, f64) = (1.0 / 600.0, 5.0);

/// How many shares an endpoint's bytes can have been, were they those of a coin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShareEstimate {
    /// The coin whose messages are supposed.
    pub coin: Coin,
    /// Shares in the records; the ends are those of the messages' sizes.
    pub shares: Interval,
    /// The mean rate of shares of all connections together, per second, with what chance leaves open on top.
    pub share_rate_per_s: Interval,
    /// That of one connection.
    pub share_rate_per_s_and_connection: Interval,
    /// Why it can't be shares of this coin, where it can't.
    pub inconsistent_because: Option<String>,
}

/// Shares by the sizes of messages alone.
#[derive(Debug, Clone)]
pub(super) struct ShareBounds {
    coin: Coin,
    /// In the records.
    shares: Interval,
    inconsistent_because: Option<String>,
    sampling: f64,
    time_s: f64,
    concurrency: f64,
}

impl ShareBounds {
    /// Tells whether the bytes can be shares of the coin.
    pub(super) fn is_consistent(&self) -> bool {
        self.inconsistent_because.is_none()
    }

    pub(super) fn coin(&self) -> Coin {
        self.coin
    }

    /// Returns the shares per second of one connection.
    pub(super) fn rate_per_s(&self) -> f64 {
        self.shares.value / self.time_s
    }

    /// Adds what chance leaves open of the rates.
    pub(super) fn finish(self) -> ShareEstimate {
        let Self { coin, shares, inconsistent_because, sampling, time_s, concurrency } = self;
        let rate = Interval {
            value: shares.value,
            low: sampling * garwood((shares.low / sampling).floor() as u64, CONFIDENCE).0,
            high: sampling * garwood((shares.high / sampling).ceil() as u64, CONFIDENCE).1,
        };
        let rate = rate.scaled(1.0 / time_s);
        ShareEstimate {
            coin,
            shares,
            share_rate_per_s: rate.scaled(concurrency),
            share_rate_per_s_and_connection: rate,
            inconsistent_because,
        }
    }
}

/// Estimates an endpoint's shares. One of `sampling` packets was counted.
///
/// Packets to the server are submits and bare acknowledgements, so the bytes without their headers, less those of
/// logins, are submits: with P packets, B bytes, headers A and a submit's payload S, shares = (B − P·A) / S, which is
/// P·(B/P − A) / (S' − A) for a submit of S' = S + A bytes on the wire. Where the records have the bytes above TCP,
/// these stand for B − P·A.
///
/// `None` where the records have no duration, and so no rate.
pub fn shares(endpoint: &Endpoint, coin: Coin, sampling: f64) -> Option<ShareEstimate> {
    bounds(endpoint, coin, sampling).map(ShareBounds::finish)
}

/// Does the part that takes little time.
pub(super) fn bounds(endpoint: &Endpoint, coin: Coin, sampling: f64) -> Option<ShareBounds> {
    let time_s = endpoint.time_s(sampling);
    if time_s <= 0.0 || endpoint.up[0] == 0 {
        return None;
    }
    let messages = match coin {
        Coin::Btc => &BITCOIN,
        Coin::Xmr => &MONERO,
    };
    let nothing = Size::new(0.0, 0.0, 0.0);
    let (tls, handshake) = if endpoint.is_tls() { (TLS_RECORD, TLS_HANDSHAKE) } else { (nothing, nothing) };
    let (submit, login) = (messages.submit.plus(tls), messages.login.plus(tls).plus(handshake));
    let sent = payload(endpoint, endpoint.up, sampling);
    let (connections_low, connections_high) = match endpoint.connections() {
        // Which of the records began a connection isn't seen in samples.
        _ if sampling > 1.0 => (0.0, f64::from(endpoint.records)),
        (low, high) => (f64::from(low), f64::from(high)),
    };
    let chatter = messages.chatter_bytes_per_s;
    let low = (sent.low - connections_high * login.high - time_s * chatter.high).max(0.0) / submit.high;
    let high = (sent.high - connections_low * login.low - time_s * chatter.low).max(0.0) / submit.low;
    let high = high.max(low);
    let value = (sent.usual - connections_low * login.usual - time_s * chatter.usual).max(0.0) / submit.usual;
    let shares = Interval { value: value.clamp(low, high), low, high };
    let inconsistent_because = refute(endpoint, messages, tls, &shares, sampling);
    Some(ShareBounds {
        coin,
        shares,
        inconsistent_because,
        sampling,
        time_s,
        concurrency: endpoint.concurrency(sampling),
    })
}

/// The bytes above TCP of one direction.
fn payload(endpoint: &Endpoint, [packets, ip_bytes, payload_bytes]: [u64; 3], sampling: f64) -> Size {
    if endpoint.has_payload() {
        let payload = payload_bytes as f64 * sampling;
        return Size::new(payload, payload, payload);
    }
    let headers = if endpoint.key.client.to_ip().is_ipv4() { HEADERS_V4 } else { HEADERS_V6 };
    let without = |header: f64| (ip_bytes as f64 - packets as f64 * header).max(0.0) * sampling;
    Size::new(without(headers.high), without(headers.usual), without(headers.low))
}

/// Says why bytes can't be shares, where they can't. What chance leaves open counts as five standard deviations.
fn refute(endpoint: &Endpoint, messages: &Messages, tls: Size, shares: &Interval, sampling: f64) -> Option<String> {
    let time_s = endpoint.time_s(sampling);
    let spread = |shares: f64| 5.0 * (sampling * (shares + sampling)).sqrt();
    if (shares.high + spread(shares.high)) / time_s < RATE_PER_S.0 {
        return Some("the client says too little: less than a share in ten minutes".to_owned());
    }
    if (shares.low - spread(shares.low)) / time_s > RATE_PER_S.1 {
        return Some("the client says too much: more than five shares a second and connection".to_owned());
    }
    // A router that writes one direction only says nothing of the other.
    if endpoint.down[0] == 0 {
        return None;
    }
    let received = payload(endpoint, endpoint.down, sampling);
    let reply = messages.reply.plus(tls);
    let most = (received.high - shares.low * reply.low).max(0.0) / time_s;
    let least = (received.low - shares.high * reply.high).max(0.0) / time_s;
    let (low, high) = messages.jobs_bytes_per_s;
    if most < low {
        let text =
            format!("the server says too little: {most:.1} B/s past its answers, and jobs take {low} B/s at least");
        return Some(text);
    }
    (least > high)
        .then(|| format!("the server says too much: {least:.0} B/s past its answers, and jobs take {high} B/s at most"))
}
