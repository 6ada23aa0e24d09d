//! A million simulated paths over ten years: what `hashwatt study` is held to.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hashwatt::study::file::StudyFile;
use hashwatt::study::{Materials, Plan, study};

const PATHS: u32 = 1_000_000;

/// Difficulty and price walk together, over 262 stretches.
fn plan(luck: &str) -> Plan {
    let text = format!(
        "name = \"ten years\"\ncoin = \"btc\"\ncoin_price = 60000\ngrowth = \"1%/epoch\"\n\
         [[window]]\nfrom = 2026-07-01\nto = 2036-06-30\n[[fleet]]\nmachine = \"Antminer S21\"\n\
         [monte_carlo]\npaths = {PATHS}\nseed = 1\nluck = \"{luck}\"\ndifficulty = {{ volatility = \"4%\" }}\n\
         price = {{ volatility = \"60%\" }}\ncorrelation = 0.2\n"
    );
    let file = StudyFile::parse(&text).expect("the text above is a study");
    Plan::new(&text, &file, &Materials::default()).expect("and one that can be computed")
}

fn ten_years(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulation, ten years");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(8));
    group.throughput(Throughput::Elements(u64::from(PATHS)));
    for luck in ["none", "solo"] {
        let plan = plan(luck);
        group.bench_function(format!("luck {luck}"), |bencher| {
            bencher.iter(|| black_box(study(&plan, None, |_| {})));
        });
    }
    group.finish();
}

criterion_group!(benches, ten_years);
criterion_main!(benches);
