//! Files of observations.

use serde::Deserialize;

use super::error::TrafficError;
use super::flow::FlowTimeouts;
use super::observation::{Count, Observation, Peer, Per, Unit};
use super::pool::parse_pool;
use crate::coin::Coin;
use crate::coin::history::{Window, parse_day};

/// Above any file that somebody writes by hand.
const OBSERVATIONS_MAX: usize = 1000;

/// An observation with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedObservation {
    /// What it is called.
    pub name: String,
    /// Who reports it, and in which words; may be empty.
    pub source: String,
    /// What was observed.
    pub observation: Observation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    observation: Vec<Entry>,
}

/// An observation as it stands in a file: the options of the command line, without their dashes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    source: String,
    count: Number,
    per: String,
    unit: String,
    #[serde(default = "all")]
    sampling: u32,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    coin: Option<String>,
    pool: Option<String>,
    share_difficulty: Option<f64>,
    flow_timeouts: Option<String>,
    peer: Option<String>,
}

/// A count, which may stand as a number or as a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Text(String),
}

const fn all() -> u32 {
    1
}

/// Reads a file of observations: TOML with a table `[[observation]]` for each.
///
/// # Errors
///
/// [`TrafficError::File`] where it is no such file, and [`TrafficError::InFile`] where one of them makes no sense.
pub fn parse_observations(text: &str) -> Result<Vec<NamedObservation>, TrafficError> {
    let file: File = toml::from_str(text).map_err(|error| TrafficError::File(error.to_string().trim().to_owned()))?;
    if file.observation.is_empty() || file.observation.len() > OBSERVATIONS_MAX {
        let count = file.observation.len();
        return Err(TrafficError::File(format!("it has {count} observations; expected 1 to {OBSERVATIONS_MAX}")));
    }
    let read = |(index, entry): (usize, Entry)| {
        entry.read().map_err(|error| TrafficError::InFile { number: index + 1, reason: error.to_string() })
    };
    file.observation.into_iter().enumerate().map(read).collect()
}

impl Entry {
    fn read(self) -> Result<NamedObservation, TrafficError> {
        if self.name.chars().chain(self.source.chars()).any(char::is_control) {
            return Err(TrafficError::File("a name or a source has control characters in it".to_owned()));
        }
        let coin = match &self.coin {
            Some(text) => {
                let refuse = |_| TrafficError::Word { text: text.clone(), what: "coin", expected: "btc or xmr" };
                text.parse::<Coin>().map_err(refuse)?
            }
            None => Coin::Btc,
        };
        let count: Count = match self.count {
            Number::Whole(count) => count.to_string().parse()?,
            Number::Text(text) => text.parse()?,
        };
        let window = match (&self.from, &self.to) {
            (Some(from), Some(to)) => Some(Window::new(parse_day(from)?, parse_day(to)?)?),
            (None, None) => None,
            _ => return Err(TrafficError::File("a window has from and to".to_owned())),
        };
        let observation = Observation {
            unit: self.unit.parse::<Unit>()?,
            sampling: self.sampling,
            pool: self.pool.map(|text| parse_pool(&text, coin)).transpose()?,
            share_difficulty: self.share_difficulty,
            timeouts: self.flow_timeouts.map(|text| text.parse::<FlowTimeouts>()).transpose()?,
            peer: self.peer.map(|text| text.parse::<Peer>()).transpose()?,
            ..Observation::new(coin, count, self.per.parse::<Per>()?, window)
        };
        observation.check()?;
        Ok(NamedObservation { name: self.name, source: self.source, observation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[observation]]\nname = \"a\"\ncount = \"100..900\"\nper = \"day\"\nunit = \"unknown\"\n";

    #[test]
    fn a_file_says_what_the_command_line_says() {
        let text = format!(
            "{GOOD}from = \"2017-05-17\"\nto = \"2017-07-06\"\n\n[[observation]]\nname = \"b\"\nsource = \"c\"\n\
             count = 5\nper = \"total\"\nunit = \"share\"\nfrom = \"2018-01-01\"\nto = \"2018-01-01\"\ncoin = \"xmr\"\n\
             pool = \"nodejs-pool\"\nshare_difficulty = 10000.0\nsampling = 10\nflow_timeouts = \"60/15\"\n\
             peer = \"pool\"\n"
        );
        let observations = parse_observations(&text).unwrap();
        assert_eq!(observations.len(), 2);
        let [first, second] = &observations[..] else { panic!("{observations:?}") };
        assert_eq!((first.name.as_str(), first.observation.days()), ("a", 51.0));
        assert_eq!(first.observation.count, Count { low: 100, high: 900 });
        assert_eq!((second.source.as_str(), second.observation.coin), ("c", Coin::Xmr));
        assert_eq!((second.observation.count, second.observation.sampling), (Count::exactly(5), 10));
        assert_eq!(second.observation.peer, Some(Peer::Pool));
        assert_eq!(second.observation.pool.as_ref().map(|pool| pool.name.as_str()), Some("nodejs-pool"));
    }

    #[test]
    fn what_a_file_may_not_say_is_refused_by_name() {
        for (line, words) in [
            ("per = \"week\"", "duplicate key"),
            ("color = \"red\"", "unknown field `color`"),
            ("from = \"2017-05-17\"", "from and to"),
            ("from = \"2017-05-17\"\nto = \"2017-05-16\"", "ends on 2017-05-16"),
            ("coin = \"doge\"", "\"doge\" is no coin"),
            ("pool = \"slush\"", "names no pool"),
            ("sampling = 0", "one packet in none"),
            ("sampling = -1", "sampling"),
            ("source = \"\\u001b[31m\"", "control characters"),
        ] {
            let error = parse_observations(&format!("{GOOD}{line}\n")).unwrap_err().to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
        assert!(parse_observations("").is_err() && parse_observations("observation = []").is_err());
        assert!(parse_observations("\u{0}\u{1}").is_err());
        let error = parse_observations(&format!("{GOOD}{}", GOOD.replace("100..900", "9..1"))).unwrap_err().to_string();
        assert!(error.starts_with("observation 2: \"9..1\" is no count"), "{error}");
    }
}
