//! How a kernel is spelt: variants that compute the same and that drivers' compilers like differently.

use std::fmt;
use std::str::FromStr;

use super::{Form, STATES_MAX};

/// How rotations are spelt, so that the driver's compiler finds the one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Two shifts by constants and an or.
    Or,
    /// Two shifts by constants and a sum.
    Sum,
    /// Two shifts and an or, by numbers that only the host knows: a form that Mesa looks for.
    Given,
}

/// How Maj is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Majority {
    /// (x & y) | (z & (x | y)).
    Or,
    /// y ^ ((x ^ y) & (y ^ z)): x ^ y is the next round's y ^ z.
    Shared,
    /// A selection by x ^ y.
    Select,
}

/// How sums are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addition {
    /// As sums.
    Plain,
    /// As products with a one that only the host knows, so that NVIDIA's multipliers do them.
    Multiplied,
}

/// Where the rolled kernel keeps the words that serve all midstates of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// In registers: some fifty in each invocation.
    Registers,
    /// In the workgroup's memory, for adapters that have too few registers.
    Shared,
}

/// A spelling of a kernel: all compute the same.
///
/// Written as `rotation=or,majority=shared,addition=plain,schedule=registers,workgroup=64,states=32`; what is left out
/// is as by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// How rotations are spelt.
    pub rotation: Rotation,
    /// How Maj is spelt.
    pub majority: Majority,
    /// How sums are spelt.
    pub addition: Addition,
    /// Where the schedule is kept; the plain kernel has nothing to keep.
    pub schedule: Schedule,
    /// How many invocations make a workgroup: a power of two from 32 to 256.
    pub workgroup_size: u32,
    /// Through how many midstates an invocation goes at most: a power of two from 4 to [`STATES_MAX`]. The plain kernel
    /// has only one.
    pub states: u32,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            rotation: Rotation::Or,
            majority: Majority::Shared,
            addition: Addition::Plain,
            schedule: Schedule::Registers,
            workgroup_size: 64,
            states: STATES_MAX,
        }
    }
}

/// Changes a variant in one respect.
pub(crate) type Change = fn(Variant) -> Variant;

/// The widest workgroup whose schedule fits into the 16 KiB that every adapter has.
const SHARED_WORKGROUP_MAX: u32 = 64;

impl Variant {
    /// Returns the choices of one respect after the other, those first that matter most; each changes a given variant
    /// in that respect alone. Leaves out what is the same for this form.
    #[must_use]
    pub(crate) fn respects(form: Form) -> Vec<Vec<Change>> {
        let mut respects: Vec<Vec<Change>> = vec![
            vec![|variant| Self { addition: Addition::Plain, ..variant }, |variant| Self {
                addition: Addition::Multiplied,
                ..variant
            }],
            vec![
                |variant| Self { rotation: Rotation::Or, ..variant },
                |variant| Self { rotation: Rotation::Given, ..variant },
                |variant| Self { rotation: Rotation::Sum, ..variant },
            ],
            vec![
                |variant| Self { workgroup_size: 64, ..variant },
                |variant| Self { workgroup_size: 256, schedule: Schedule::Registers, ..variant },
                |variant| Self { workgroup_size: 128, schedule: Schedule::Registers, ..variant },
                |variant| Self { workgroup_size: 32, ..variant },
            ],
            vec![
                |variant| Self { majority: Majority::Shared, ..variant },
                |variant| Self { majority: Majority::Select, ..variant },
                |variant| Self { majority: Majority::Or, ..variant },
            ],
        ];
        if form == Form::Rolled {
            respects.push(vec![|variant| Self { schedule: Schedule::Registers, ..variant }, |variant| Self {
                schedule: Schedule::Shared,
                workgroup_size: variant.workgroup_size.min(SHARED_WORKGROUP_MAX),
                ..variant
            }]);
            respects.push(vec![
                |variant| Self { states: STATES_MAX, ..variant },
                |variant| Self { states: 16, ..variant },
                |variant| Self { states: 8, ..variant },
            ]);
        }
        respects
    }

    /// Returns the default and every variant that differs from it in one respect.
    #[must_use]
    pub fn neighbours(form: Form) -> Vec<Self> {
        let usual = Self::default();
        let mut all = vec![usual];
        for variant in Self::respects(form).into_iter().flatten().map(|change| change(usual)) {
            if !all.contains(&variant) {
                all.push(variant);
            }
        }
        all
    }
}

/// A text that is no [`Variant`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no variant of a kernel: {reason}")]
pub struct ParseVariantError {
    text: String,
    reason: String,
}

const KEYS: &str = "rotation=or|sum|given, majority=or|shared|select, addition=plain|multiplied, \
                    schedule=registers|shared, workgroup=32|64|128|256, states=4|8|16|32";

impl FromStr for Variant {
    type Err = ParseVariantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |reason: String| ParseVariantError { text: text.to_owned(), reason };
        let mut variant = Self::default();
        for part in text.split(',').map(str::trim) {
            let is_known = match part.split_once('=').unwrap_or((part, "")) {
                ("rotation", "or") => set(&mut variant.rotation, Rotation::Or),
                ("rotation", "sum") => set(&mut variant.rotation, Rotation::Sum),
                ("rotation", "given") => set(&mut variant.rotation, Rotation::Given),
                ("majority", "or") => set(&mut variant.majority, Majority::Or),
                ("majority", "shared") => set(&mut variant.majority, Majority::Shared),
                ("majority", "select") => set(&mut variant.majority, Majority::Select),
                ("addition", "plain") => set(&mut variant.addition, Addition::Plain),
                ("addition", "multiplied") => set(&mut variant.addition, Addition::Multiplied),
                ("schedule", "registers") => set(&mut variant.schedule, Schedule::Registers),
                ("schedule", "shared") => set(&mut variant.schedule, Schedule::Shared),
                ("workgroup", size @ ("32" | "64" | "128" | "256")) => {
                    size.parse().is_ok_and(|size| set(&mut variant.workgroup_size, size))
                }
                ("states", states @ ("4" | "8" | "16" | "32")) => {
                    states.parse().is_ok_and(|states| set(&mut variant.states, states))
                }
                _ => false,
            };
            if !is_known {
                return Err(fault(format!("{part:?} is not among {KEYS}")));
            }
        }
        if variant.schedule == Schedule::Shared && variant.workgroup_size > SHARED_WORKGROUP_MAX {
            return Err(fault(format!("schedule=shared takes a workgroup of at most {SHARED_WORKGROUP_MAX}")));
        }
        Ok(variant)
    }
}

fn set<T>(place: &mut T, value: T) -> bool {
    *place = value;
    true
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rotation = match self.rotation {
            Rotation::Or => "or",
            Rotation::Sum => "sum",
            Rotation::Given => "given",
        };
        let majority = match self.majority {
            Majority::Or => "or",
            Majority::Shared => "shared",
            Majority::Select => "select",
        };
        let addition = match self.addition {
            Addition::Plain => "plain",
            Addition::Multiplied => "multiplied",
        };
        let schedule = match self.schedule {
            Schedule::Registers => "registers",
            Schedule::Shared => "shared",
        };
        let Self { workgroup_size, states, .. } = self;
        write!(f, "rotation={rotation},majority={majority},addition={addition},")?;
        write!(f, "schedule={schedule},workgroup={workgroup_size},states={states}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_read_as_it_is_written() {
        for form in [Form::Plain, Form::Rolled] {
            for variant in Variant::neighbours(form) {
                assert_eq!(variant.to_string().parse(), Ok(variant));
            }
        }
        assert_eq!(
            "workgroup=128, addition=multiplied".parse(),
            Ok(Variant { workgroup_size: 128, addition: Addition::Multiplied, ..Variant::default() })
        );
    }

    #[test]
    fn what_is_no_variant_is_named() {
        for (text, named) in [
            ("", "\"\""),
            ("rotation", "\"rotation\""),
            ("rotation=left", "rotation=left"),
            ("workgroup=65", "workgroup=65"),
            ("workgroup=64,states=33", "states=33"),
            ("schedule=shared,workgroup=128", "at most 64"),
        ] {
            let error = text.parse::<Variant>().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_respect_begins_with_the_default_and_changes_nothing_else() {
        for form in [Form::Plain, Form::Rolled] {
            for choices in Variant::respects(form) {
                assert_eq!(choices[0](Variant::default()), Variant::default());
                assert!(choices.len() > 1);
            }
        }
        assert_eq!(Variant::neighbours(Form::Plain).len(), 9);
        assert_eq!(Variant::neighbours(Form::Rolled).len(), 12);
    }
}
