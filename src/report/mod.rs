//! How figures look: numbers with units, aligned tables, plots, and the forms in which a measurement is passed on.

pub mod comparison;
pub mod contents;
pub mod csv;
pub mod document;
pub mod figures;
pub mod html;
pub mod markdown;
pub mod plot;
pub mod reference;
pub mod study;
pub mod summary;
pub mod table;
pub mod tables;
pub mod units;
