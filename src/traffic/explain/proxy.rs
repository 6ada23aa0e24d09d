//! A proxy, in front of any number of machines.

use crate::traffic::hypothesis::{Connections, Context, Ends, Family, Hypothesis, Rate, machines};
use crate::traffic::observation::Unit;

const BECAUSE: &str = "a proxy merges any number of machines into one connection; the upper end would be the share \
                       rate times the highest difficulty of a share in use, which isn't known";

/// The explanation by a proxy: whatever fits a connection to a pool fits a proxy that holds it. `None` where shares of
/// no pool are in question.
pub(super) fn hypothesis(context: &Context<'_>, others: &[Hypothesis]) -> Option<Hypothesis> {
    let pooled: Vec<&Hypothesis> = others.iter().filter(|other| other.family == Family::Pool).collect();
    let fitting: Vec<&Hypothesis> = pooled.iter().copied().filter(|other| other.consistent).collect();
    let template = fitting.first().or(pooled.first())?;
    let least = |of: fn(&Hypothesis) -> Option<f64>| {
        fitting.iter().map(|other| of(other)).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::min)
    };
    let most = |of: fn(&Hypothesis) -> Option<f64>| {
        fitting.iter().map(|other| of(other)).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
    };
    let rate =
        Rate { low: least(|other| other.hash_rate_hps.low), best: None, high: most(|other| other.hash_rate_hps.high) };
    let highs: Option<Vec<u64>> = fitting.iter().map(|other| other.connections.high).collect();
    let unit = if context.observation.unit == Unit::Unknown { Unit::Unknown } else { template.counted };
    let mut hypothesis = Hypothesis {
        name: "proxy".to_owned(),
        explanation: "a proxy of any number of machines".to_owned(),
        counted: unit,
        consistent: !fitting.is_empty(),
        inconsistent_because: None,
        events_per_connection_day: Ends::default(),
        connections: Connections {
            low: fitting.iter().filter_map(|other| other.connections.low).min(),
            high: highs.and_then(|highs| highs.into_iter().max()),
            of: "connections from a proxy to a pool",
        },
        hash_rate_hps: rate,
        hash_rate_per_difficulty_hps: None,
        machines: Vec::new(),
        coins: rate.ends().scaled(context.earnings.coins_per_hps),
        unbounded_because: None,
        absent: std::collections::BTreeMap::new(),
        basis: "xmrig-proxy, stratum proxies and NAT; the connection to the pool looks like that of one worker"
            .to_owned(),
        family: Family::Proxy,
    };
    if fitting.is_empty() {
        hypothesis.inconsistent_because =
            template.inconsistent_because.clone().map(|because| format!("no connection to a pool fits: {because}"));
        return Some(hypothesis);
    }
    // One machine at least, whatever the connections.
    hypothesis.machines = machines(context, Ends { low: Some(1.0), high: None }, rate);
    if rate.high.is_none() {
        hypothesis.unbounded_because = Some(BECAUSE.to_owned());
        hypothesis.absent.insert("machines.count.high", "a proxy shows one connection for any number".to_owned());
    }
    hypothesis.explain_absent("it depends on the difficulty, which differs by explanation");
    Some(hypothesis)
}
