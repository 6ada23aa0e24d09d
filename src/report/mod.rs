//! How figures look: numbers with units, aligned tables, and the forms in which a measurement is passed on.

pub mod csv;
pub mod markdown;
pub mod table;
pub mod units;
