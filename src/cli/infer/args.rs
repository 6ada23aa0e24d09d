//! What `infer` takes.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use crate::coin::Coin;
use crate::coin::history::{Growth, parse_day};
use crate::traffic::{Count, FlowTimeouts, Peer, Per, Unit};

/// What says by itself, or for each of its observations, what these options say of a count and of flow records.
const NOT_COUNTED: [&str; 3] = ["file", "stratum", "pcap"];

#[derive(Debug, Args)]
// Each reads another kind of observation.
#[command(group(ArgGroup::new("observed").required(true).args(["count", "flows", "stratum", "pcap", "file"])))]
#[command(after_help = "\
Examples:
  hashwatt infer --count 100..900 --per day --unit unknown --from 2017-05-17 --to 2017-07-06
  hashwatt infer --count 5200 --per day --unit share --coin xmr --pool nodejs-pool
  hashwatt infer --count 300 --per day --unit packet --sampling 1000 --peer pool
  hashwatt infer --count 4320 --per total --unit share --pool fixed=512 --from 2026-06-01 --to 2026-06-03
  hashwatt infer studies/traffic/from-traffic-to-coins.toml
  hashwatt infer --flows conn.log.gz
  nfdump -R flows/ -o csv 'proto tcp' | hashwatt infer --flows -
  hashwatt infer --pcap capture.pcapng

Every explanation of the count is held against it. What the inputs don't determine is absent, with the reason. Nothing
is captured, and nobody is asked.")]
pub(in crate::cli) struct InferArguments {
    /// Observations in a file: TOML with a table [[observation]] for each, whose fields are named like these options
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// How many were counted: a number, or the range that it lies in, both ends included
    #[arg(long, value_name = "N|A..B", requires_all = ["per", "unit"])]
    pub(super) count: Option<Count>,
    /// Find what looks like mining in flow records: Zeek's conn.log (TSV or JSON), CSV of nfdump, or a plain CSV,
    /// compressed by gzip or zstd or not; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) flows: Option<PathBuf>,
    /// Read the hash rate from a transcript of Stratum, getwork or getblocktemplate: lines of JSON with time, session
    /// and message
    #[arg(long, value_name = "FILE")]
    pub(super) stratum: Option<PathBuf>,
    /// Read the hash rate from captured packets: pcap or pcapng
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// In which time: day (the mean over the window) or total (the whole window)
    #[arg(long, value_name = "TIME", requires = "count")]
    pub(super) per: Option<Per>,
    /// Of what: share, packet, flow (records of an exporter), connection, or unknown
    #[arg(long, value_name = "UNIT", requires = "count")]
    pub(super) unit: Option<Unit>,
    /// One packet in so many was looked at [default: 1, all of them]
    #[arg(long, value_name = "N", conflicts_with_all = NOT_COUNTED, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) sampling: Option<u32>,
    /// The first day of the window (UTC), such as 2017-05-17
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires_all = ["to", "count"])]
    pub(super) from: Option<Date>,
    /// The last day of the window, which is part of it
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires_all = ["from", "count"])]
    pub(super) to: Option<Date>,
    /// The coin: btc or xmr [default: btc; for --flows both]
    #[arg(long, conflicts_with_all = NOT_COUNTED)]
    pub(super) coin: Option<Coin>,
    /// The pool: a program by its name, vardiff=15s (a share in so many seconds) or fixed=512 (the shares' difficulty)
    #[arg(long, value_name = "POOL", conflicts_with_all = NOT_COUNTED)]
    pub(super) pool: Option<String>,
    /// The difficulty of the shares, where it was read
    #[arg(long, value_name = "D", conflicts_with_all = NOT_COUNTED)]
    pub(super) share_difficulty: Option<f64>,
    /// The time-outs of the exporter of flow records in seconds, active and inactive, such as 1800/15
    #[arg(long, value_name = "A/I", requires = "count")]
    pub(super) flow_timeouts: Option<FlowTimeouts>,
    /// Who is at the other end: pool, node (the coin's own network) or rpc (a node that is asked for work)
    #[arg(long, value_name = "PEER", requires = "count")]
    pub(super) peer: Option<Peer>,
    /// More of Bitcoin's history: a table with the columns height, bits and start_utc, or Electrum's checkpoints.json
    #[arg(long, value_name = "FILE")]
    pub(super) epochs: Option<PathBuf>,
    /// How the difficulty grows past the data, such as 3%/epoch (of 2016 blocks), 5%/month or 40%/year
    #[arg(long, value_name = "GROWTH", allow_hyphen_values = true)]
    pub(super) growth: Option<Growth>,
}
