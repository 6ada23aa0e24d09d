//! How figures look to a person: numbers with units, and aligned tables.

pub mod table;
pub mod units;
