//! Why a study file can't be used, and where in it.

use std::ops::Range;

/// How alike two keys have to be for one to be suggested for the other, from 0 to 1.
const ALIKE: f64 = 0.7;

/// Why a study file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct FileError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
    /// What to do instead; may be empty.
    pub help: String,
}

impl FileError {
    /// An error at a place of a text, in bytes.
    pub(in crate::study) fn at(text: &str, span: &Range<usize>, reason: String, help: impl Into<String>) -> Self {
        // A span may end a text, and a text may end within a character where it isn't ours.
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        Self { line, column, reason, help: help.into() }
    }

    /// An error of the parser.
    pub(super) fn of(text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().trim().replace('\n', ", ");
        match unknown(&message) {
            Some((key, known)) => {
                let reason = format!("there is no key {key:?} here");
                let list = format!("known here: {}", known.join(", "));
                let help = match nearest(&key, &known) {
                    Some(near) => format!("did you mean {near:?}? {list}"),
                    None => list,
                };
                Self::at(text, &span, reason, help)
            }
            None => Self::at(text, &span, message, ""),
        }
    }
}

/// Takes an unknown key and the known ones out of serde's words for them, where that is what they say.
fn unknown(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, known) = rest.split_once("`, expected ")?;
    let known: Vec<String> = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (!known.is_empty()).then(|| (key.to_owned(), known))
}

/// Returns the name that is most like one, if any is.
pub(in crate::study) fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let scored = known.iter().map(|one| (strsim::jaro_winkler(&name.to_lowercase(), &one.to_lowercase()), one));
    let (score, near) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score >= ALIKE).then_some(near.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "a = 1\n\u{b5}\u{b5} = 2\n";
        let at = |start: usize| {
            let error = FileError::at(text, &(start..start), String::new(), "");
            (error.line, error.column)
        };
        // The letter takes two bytes; its second is no place of its own.
        assert_eq!(
            [at(0), at(4), at(6), at(7), at(8), at(11), at(99)],
            [(1, 1), (1, 5), (2, 1), (2, 1), (2, 2), (2, 4), (3, 1)]
        );
    }

    #[test]
    fn a_key_is_suggested_only_where_it_is_alike() {
        let known = ["price_kwh", "coin_price", "pue"].map(str::to_owned);
        assert_eq!(nearest("prize_kwh", &known), Some("price_kwh"));
        assert_eq!(nearest("Coin-Price", &known), Some("coin_price"));
        assert_eq!(nearest("xyzzy", &known), None);
        assert_eq!(nearest("a", &[]), None);
    }
}
