//! How fast flow records are read: Zeek's conn.log as text and as JSON, and nfdump's CSV.
//!
//! `cargo bench --bench flows` prints records per second of one core. The few endpoints of these records stay in the
//! caches: `--flows` over a million endpoints takes about twice the time, most of it cache misses.

#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on has failed")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hashwatt::traffic::flows;
use hashwatt::traffic::input::Input;

const RECORDS: u64 = 100_000;

fn zeek() -> String {
    let mut log =
        "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t\
                   service\tduration\torig_bytes\tresp_bytes\tconn_state\t\
                   local_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\t\
                   orig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n"
            .to_owned();
    for index in 0..RECORDS {
        let (host, port) = (index % 250, 32_768 + index % 28_000);
        writeln!(
            log,
            "{}.123456\tCHhAvVGS1DHFjwGM9\t192.168.7.{host}\t{port}\t203.0.113.{host}\t443\ttcp\tssl\t\
             12.345678\t2345\t67890\tSF\t\
             T\tF\t0\tShADadFf\t34\t4113\t57\t70854\t-",
            1_495_000_000 + index / 10
        )
        .unwrap();
    }
    log
}

fn json() -> String {
    let mut log = String::new();
    for index in 0..RECORDS {
        let (host, port) = (index % 250, 32_768 + index % 28_000);
        writeln!(
            log,
            "{{\"ts\":{}.123456,\"uid\":\"CHhAvVGS1DHFjwGM9\",\"id.orig_h\":\"192.168.7.{host}\",\"id.orig_p\":{port},\
             \"id.resp_h\":\"203.0.113.{host}\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\",\
             \"duration\":12.345678,\"orig_bytes\":2345,\"resp_bytes\":67890,\"conn_state\":\"SF\",\"local_orig\":true,\
             \"local_resp\":false,\"missed_bytes\":0,\"history\":\"ShADadFf\",\"orig_pkts\":34,\"orig_ip_bytes\":4113,\
             \"resp_pkts\":57,\"resp_ip_bytes\":70854}}",
            1_495_000_000 + index / 10
        )
        .unwrap();
    }
    log
}

fn nfdump() -> String {
    let mut log = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n".to_owned();
    for index in 0..RECORDS {
        let (host, port, second) = (index % 250, 32_768 + index % 28_000, index % 60);
        writeln!(
            log,
            "2017-05-17 08:30:{second:02}.123,12.345,TCP,192.168.7.{host},{port},203.0.113.{host},443,34,4113,1"
        )
        .unwrap();
    }
    log
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flows");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(10);
    for (name, log) in [("zeek", zeek()), ("zeek-json", json()), ("nfdump", nfdump())] {
        let log = log.into_bytes();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let input = Input::from_reader(Path::new("-"), Cursor::new(log.clone())).unwrap();
                let (endpoints, reading) = flows::read(input).unwrap();
                assert_eq!(reading.records, RECORDS);
                black_box(endpoints.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
