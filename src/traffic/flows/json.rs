//! Zeek's `conn.log` as JSON lines.

use std::borrow::Cow;

use serde::Deserialize;

use super::columns::Parsed;
use super::record::{Address, FlowRecord, Service, Volume, parse_moment};

/// The fields of a line that matter. Zeek leaves out what is unset.
#[derive(Deserialize)]
struct Connection<'a> {
    #[serde(borrow)]
    ts: Moment<'a>,
    duration: Option<f64>,
    #[serde(rename = "id.orig_h", borrow)]
    client: Cow<'a, str>,
    #[serde(rename = "id.resp_h", borrow)]
    server: Cow<'a, str>,
    #[serde(rename = "id.resp_p")]
    server_port: u16,
    #[serde(borrow)]
    proto: Cow<'a, str>,
    #[serde(borrow)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow)]
    history: Option<Cow<'a, str>>,
    orig_pkts: Option<u64>,
    orig_ip_bytes: Option<u64>,
    orig_bytes: Option<u64>,
    resp_pkts: Option<u64>,
    resp_ip_bytes: Option<u64>,
    resp_bytes: Option<u64>,
}

/// Seconds since 1970, or a date where Zeek was told to write such.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment<'a> {
    Seconds(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

/// Reads a line.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(line: &[u8]) -> Result<Parsed, String> {
    let connection: Connection<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if connection.proto != "tcp" {
        return Ok(Parsed::NotTcp);
    }
    let address = |text: &str| Address::parse(text.as_bytes()).ok_or("an address can't be read");
    let start_s = match connection.ts {
        Moment::Seconds(seconds) => seconds,
        Moment::Text(text) => parse_moment(text.as_bytes()).ok_or("its time can't be read")?,
    };
    let volume = |packets: Option<u64>, ip_bytes: Option<u64>, payload_bytes| Volume {
        packets: packets.unwrap_or(0),
        ip_bytes: ip_bytes.unwrap_or(0),
        payload_bytes,
    };
    let record = FlowRecord {
        start_s,
        duration_s: connection.duration.unwrap_or(0.0),
        client: address(&connection.client)?,
        server: address(&connection.server)?,
        server_port: connection.server_port,
        up: volume(connection.orig_pkts, connection.orig_ip_bytes, connection.orig_bytes),
        down: volume(connection.resp_pkts, connection.resp_ip_bytes, connection.resp_bytes),
        is_opening: connection.history.map(|history| history.contains('S')),
        service: Service::of_zeek(connection.service.unwrap_or_default().as_bytes()),
    };
    record.check()?;
    Ok(Parsed::Flow(record))
}
