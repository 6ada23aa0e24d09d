//! A report as a document, before it is HTML or Markdown.

use super::plot::Plot;
use super::table::Table;

/// A whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it is about.
    pub title: String,
    /// When, with what and from what it was made, on one line.
    pub subtitle: String,
    /// The main result, in sentences that can be quoted.
    pub headline: Vec<String>,
    /// The parts, in order.
    pub sections: Vec<Section>,
    /// What the figures came from, to be taken out again.
    pub data: Vec<Data>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// What a section is made of. All texts are plain; whoever writes the form escapes them.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// Figures that shall be seen first.
    Facts(Vec<Fact>),
    /// A table with what it shows.
    Table(String, Table),
    /// A picture.
    Plot(Box<Plot>),
}

/// A figure that shall be seen first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value, with its unit.
    pub value: String,
    /// What belongs to it, such as its interval.
    pub note: String,
}

/// A JSON document that a report carries with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// What kind of document it is: `record`, or `study` for the text of a study file.
    pub kind: &'static str,
    /// What it is, such as the name of its file.
    pub name: String,
    /// The document, as JSON.
    pub json: String,
}

impl Section {
    /// Makes a section, but none without blocks.
    pub(super) fn of(title: &str, blocks: Vec<Block>) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self { title: title.to_owned(), blocks })
    }
}

impl Document {
    /// Returns the titles of all plots.
    pub fn plots(&self) -> impl Iterator<Item = &str> {
        self.blocks().filter_map(|block| match block {
            Block::Plot(plot) => Some(plot.title.as_str()),
            _ => None,
        })
    }

    /// Returns what the tables show.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.blocks().filter_map(|block| match block {
            Block::Table(caption, _) => Some(caption.as_str()),
            _ => None,
        })
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }
}
