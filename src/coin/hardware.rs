//! Machines that are known by name, with the figures that their makers or testers state.

use csv::{ReaderBuilder, StringRecord, Trim};

const BUILT_IN: &str = include_str!("../../data/hardware.csv");

/// Words that may be left out of a name, or put before it.
const MAKERS: [&str; 12] = [
    "bitmain",
    "antminer",
    "microbt",
    "whatsminer",
    "amd",
    "radeon",
    "nvidia",
    "geforce",
    "tesla",
    "intel",
    "core",
    "ryzen",
];

/// How many names an error lists.
const NEAREST: usize = 5;

/// A machine of the catalogue, for one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// What it is called.
    pub name: String,
    /// `asic`, `gpu` or `cpu`.
    pub class: String,
    /// What its rate is a rate of.
    pub algorithm: String,
    /// The month in which it came out, such as `2016-06`.
    pub released: String,
    /// Hashes per second.
    pub rate_hps: f64,
    /// Watts, where somebody states them.
    pub power_w: Option<f64>,
    /// What kind of figure the power is: `rated`, `tdp`, `reported`, or empty.
    pub power_is: String,
    /// What else is said of it; may be empty.
    pub note: String,
    /// Who says so.
    pub source: String,
}

impl Machine {
    /// Says in words what rate and power rest on; `is_power_given` where the user states another power.
    pub fn provenance(&self, is_power_given: bool) -> &'static str {
        match (is_power_given, self.power_is.as_str()) {
            (true, _) => "its rate is as stated; its power is given",
            (false, "rated") => "rate and power as the maker states them",
            (false, "tdp") => "its rate is reported; its power is the cooling limit (TDP), no measurement",
            (false, "reported") => "rate and power as a tester reports them",
            (false, _) => "its rate is reported; nobody states its power",
        }
    }

    /// Returns its joules per hash, where its power is stated.
    pub fn energy_j_per_hash(&self) -> Option<f64> {
        self.power_w.map(|watts| watts / self.rate_hps)
    }
}

/// A name that means no machine, or several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// No machine of this name.
    #[error("no machine is called {name:?}; the nearest: {}", .nearest.join(", "))]
    Unknown {
        /// The name as given.
        name: String,
        /// Names like it.
        nearest: Vec<String>,
    },
    /// A name of several machines.
    #[error("{name:?} could be {}", .matches.join(", "))]
    Several {
        /// The name as given.
        name: String,
        /// The machines that it could mean.
        matches: Vec<String>,
    },
    /// A machine whose rate is known for other algorithms only.
    #[error("the rate of {name} is known for {}, not for {algorithm}", .known.join(" and "))]
    OtherAlgorithm {
        /// The machine.
        name: String,
        /// What was asked for.
        algorithm: String,
        /// What is known.
        known: Vec<String>,
    },
}

/// All machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    machines: Vec<Machine>,
}

impl Catalogue {
    /// The catalogue that is built in.
    pub fn built_in() -> Self {
        let mut reader = ReaderBuilder::new().comment(Some(b'#')).trim(Trim::All).from_reader(BUILT_IN.as_bytes());
        let read = |record: Result<StringRecord, csv::Error>| record.ok().and_then(|record| read_machine(&record));
        let machines: Option<Vec<Machine>> = reader.records().map(read).collect();
        Self { machines: machines.expect("the table is valid: tests read it") }
    }

    /// The machines, in the order of the file.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// Finds the machine that a name means, for an algorithm if one is given. Case, spaces and signs don't count;
    /// makers may be left out, and so may anything that leaves one machine only.
    ///
    /// # Errors
    ///
    /// [`MachineError`] where no machine or several are meant.
    pub fn find(&self, name: &str, algorithm: Option<&str>) -> Result<&Machine, MachineError> {
        let wanted = Name::of(name);
        let levels: [fn(&Name, &Name) -> bool; 3] = [
            |wanted, known| wanted.whole == known.whole,
            |wanted, known| !wanted.short.is_empty() && wanted.short == known.short,
            |wanted, known| {
                let is_there = |word: &String| known.all.contains(word) || known.short == *word;
                !wanted.words.is_empty() && wanted.words.iter().all(is_there)
            },
        ];
        for is_meant in levels {
            let meant: Vec<&Machine> =
                self.machines.iter().filter(|machine| is_meant(&wanted, &Name::of(&machine.name))).collect();
            if !meant.is_empty() {
                return choose(name, &meant, algorithm);
            }
        }
        Err(MachineError::Unknown { name: name.to_owned(), nearest: self.nearest(&wanted) })
    }

    fn nearest(&self, wanted: &Name) -> Vec<String> {
        let mut scored: Vec<(f64, &str)> = Vec::new();
        for machine in &self.machines {
            let score = strsim::jaro_winkler(&wanted.short, &Name::of(&machine.name).short);
            if !scored.iter().any(|(_, name)| *name == machine.name) {
                scored.push((score, &machine.name));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(NEAREST).map(|(_, name)| name.to_owned()).collect()
    }
}

fn choose<'a>(name: &str, meant: &[&'a Machine], algorithm: Option<&str>) -> Result<&'a Machine, MachineError> {
    let fits = |machine: &&&Machine| algorithm.is_none_or(|algorithm| machine.algorithm == algorithm);
    let fitting: Vec<&&Machine> = meant.iter().filter(fits).collect();
    match (fitting[..].first(), fitting.len()) {
        (Some(machine), 1) => Ok(machine),
        (Some(first), _) => {
            let same_name = fitting.iter().all(|machine| machine.name == first.name);
            let words = |machine: &&&Machine| {
                if same_name { format!("{} for {}", machine.name, machine.algorithm) } else { machine.name.clone() }
            };
            let mut matches: Vec<String> = fitting.iter().map(words).collect();
            matches.dedup();
            Err(MachineError::Several { name: name.to_owned(), matches })
        }
        (None, _) => {
            let mut known: Vec<String> = meant.iter().map(|machine| machine.algorithm.clone()).collect();
            known.sort();
            known.dedup();
            let algorithm = algorithm.unwrap_or_default().to_owned();
            Err(MachineError::OtherAlgorithm { name: meant[0].name.clone(), algorithm, known })
        }
    }
}

/// A name as it is compared.
struct Name {
    /// All letters and digits.
    whole: String,
    /// Those of words that are no makers.
    short: String,
    /// All words.
    all: Vec<String>,
    /// Words that are no makers; where there are only makers, these.
    words: Vec<String>,
}

impl Name {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let all: Vec<String> =
            lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let mut words: Vec<String> = all.iter().filter(|word| !MAKERS.contains(&word.as_str())).cloned().collect();
        // Somebody may write antminers9.
        if let [word] = &mut words[..]
            && let Some(rest) = MAKERS.iter().find_map(|maker| word.strip_prefix(maker)).filter(|rest| !rest.is_empty())
        {
            *word = rest.to_owned();
        }
        let short = words.concat();
        if words.is_empty() {
            words.clone_from(&all);
        }
        Self { whole: all.concat(), short, all, words }
    }
}

fn read_machine(record: &StringRecord) -> Option<Machine> {
    let cell = |index: usize| record.get(index).map(str::to_owned);
    let power = record.get(5)?;
    Some(Machine {
        name: cell(0)?,
        class: cell(1)?,
        algorithm: cell(2)?,
        released: cell(3)?,
        rate_hps: record.get(4)?.parse().ok()?,
        power_w: if power.is_empty() { None } else { Some(power.parse().ok()?) },
        power_is: cell(6)?,
        note: cell(7)?,
        source: cell(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, algorithm: Option<&str>) -> String {
        match Catalogue::built_in().find(name, algorithm) {
            Ok(machine) => machine.name.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_row_is_whole_and_names_its_source() {
        let catalogue = Catalogue::built_in();
        assert!(catalogue.machines().len() > 40);
        for machine in catalogue.machines() {
            assert!(machine.rate_hps > 0.0 && machine.power_w.is_none_or(|watts| watts > 0.0), "{machine:?}");
            assert!(["asic", "gpu", "cpu"].contains(&machine.class.as_str()), "{machine:?}");
            let known = ["sha256d", "randomx-v1", "randomx-v2", "cryptonight"];
            assert!(known.contains(&machine.algorithm.as_str()), "{machine:?}");
            let expected: &[&str] = if machine.power_w.is_some() { &["rated", "tdp", "reported"] } else { &[""] };
            assert!(expected.contains(&machine.power_is.as_str()), "{machine:?}");
            assert!(machine.source.len() > 10, "{machine:?}");
            let same = |other: &&Machine| (&other.name, &other.algorithm) == (&machine.name, &machine.algorithm);
            assert_eq!(catalogue.machines().iter().filter(same).count(), 1, "{machine:?}");
            // Where the note tells hashes per joule or joules per hash, the figures agree.
            let per = |unit: &str| machine.note.split_once(unit)?.0.rsplit(' ').next()?.parse::<f64>().ok();
            let joules = machine.power_w.unwrap_or(f64::NAN) / machine.rate_hps;
            for (stated, computed) in [(per(" H/J"), 1.0 / joules), (per(" J/TH"), joules * 1e12)] {
                assert!(stated.is_none_or(|stated| (stated / computed - 1.0).abs() < 0.05), "{machine:?}: {computed}");
            }
        }
    }

    #[test]
    fn names_are_matched_forgivingly() {
        for name in
            ["Antminer S9", "antminer s9", "S9", "s9", "ANTMINER-S9", "Bitmain Antminer S9", "antminers9", " S 9 "]
        {
            assert_eq!(found(name, None), "Antminer S9", "{name:?}");
        }
        assert_eq!(found("S19 XP", None), "Antminer S19 XP");
        assert_eq!(found("hd7970", None), "Radeon HD 7970");
        assert_eq!(found("gtx 1060", None), "GeForce GTX 1060 6GB");
        assert_eq!(found("nvidia v100", None), "Tesla V100");
        assert_eq!(found("i9 9900k", None), "Core i9-9900K");
        assert_eq!(found("m50", None), "WhatsMiner M50");
        assert_eq!(found("7945HX", Some("randomx-v2")), "Ryzen 9 7945HX at 62 W");
    }

    #[test]
    fn the_algorithm_decides_between_rates_of_one_machine() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.find("Ryzen 7 1700", Some("cryptonight")).unwrap().rate_hps, 536.0);
        assert_eq!(catalogue.find("Ryzen 7 1700", Some("randomx-v1")).unwrap().rate_hps, 4100.0);
        assert_eq!(
            found("Ryzen 7 1700", None),
            "\"Ryzen 7 1700\" could be Ryzen 7 1700 for randomx-v1, Ryzen 7 1700 for cryptonight"
        );
        assert_eq!(
            found("Antminer S9", Some("randomx-v1")),
            "the rate of Antminer S9 is known for sha256d, not for randomx-v1"
        );
    }

    #[test]
    fn names_of_none_and_of_several_are_refused_with_names() {
        assert_eq!(found("S19", None), "\"S19\" could be Antminer S19 Pro, Antminer S19 XP, Antminer S19 XP Hyd");
        assert!(found("antminer", None).starts_with("\"antminer\" could be Antminer S3, Antminer S5"));
        let unknown = found("Antminer S8", None);
        assert!(unknown.starts_with("no machine is called \"Antminer S8\"; the nearest: Antminer S"), "{unknown}");
        assert!(found("", None).starts_with("no machine is called \"\""));
        assert!(found("\u{1f4b0}", None).starts_with("no machine is called"));
    }
}
