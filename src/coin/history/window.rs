//! Days and windows of days, in UTC.

use jiff::civil::{Date, date};

use super::HistoryError;

const DAY_S: i64 = 86_400;
/// Seconds of a day.
pub(crate) const SECONDS_PER_DAY: f64 = DAY_S as f64;
/// Seconds of a Julian year.
pub(crate) const SECONDS_PER_YEAR: f64 = 365.25 * SECONDS_PER_DAY;
const EPOCH: Date = date(1970, 1, 1);

/// Whole days from a first to a last one, both included, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Date,
    to: Date,
}

impl Window {
    /// The days from `from` to `to`.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Backwards`] where the last day lies before the first.
    pub fn new(from: Date, to: Date) -> Result<Self, HistoryError> {
        if to < from { Err(HistoryError::Backwards { from, to }) } else { Ok(Self { from, to }) }
    }

    /// The days that hold two moments, in seconds since 1970, and all between them.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Backwards`] where the last day lies before the first.
    pub fn holding(first_s: i64, last_s: i64) -> Result<Self, HistoryError> {
        Self::new(day_of(first_s), day_of(last_s))
    }

    /// The first day.
    pub const fn from(self) -> Date {
        self.from
    }

    /// The last day.
    pub const fn to(self) -> Date {
        self.to
    }

    /// How many days it has.
    pub fn days(self) -> f64 {
        ((self.end_s() - self.start_s()) / DAY_S) as f64
    }

    /// Its first moment, in seconds since 1970.
    pub fn start_s(self) -> i64 {
        day_start_s(self.from)
    }

    /// The moment after its last, in seconds since 1970.
    pub fn end_s(self) -> i64 {
        day_end_s(self.to)
    }
}

/// Reads a day such as `2017-05-17`.
///
/// # Errors
///
/// [`HistoryError::Day`] where the text is anything else, or a day that no calendar has.
pub fn parse_day(text: &str) -> Result<Date, HistoryError> {
    let refuse = |reason: String| HistoryError::Day { text: text.to_owned(), reason };
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i16>().ok()).flatten()
    };
    let has_form = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    match (digits(0..4), digits(5..7), digits(8..10)) {
        (Some(year), Some(month), Some(day)) if has_form => {
            Date::new(year, month as i8, day as i8).map_err(|_| refuse("no calendar has it".to_owned()))
        }
        _ => Err(refuse("it isn't a year, a month and a day".to_owned())),
    }
}

/// The first moment of a day, in seconds since 1970.
pub(super) fn day_start_s(day: Date) -> i64 {
    i64::from((day - EPOCH).get_days()) * DAY_S
}

/// The moment after a day, in seconds since 1970.
pub(super) fn day_end_s(day: Date) -> i64 {
    day_start_s(day) + DAY_S
}

/// The day of a moment.
pub(super) fn day_of(moment_s: i64) -> Date {
    let days = moment_s.div_euclid(DAY_S);
    // Block times have 32 bits, and what is assumed of the future ends with the calendar.
    EPOCH.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default())
}

/// The last day that is over by a moment.
pub(super) fn last_whole_day(moment_s: i64) -> Date {
    day_of(moment_s - DAY_S)
}

/// The day of a moment, in seconds since 1970, as `2017-05-10`.
pub fn format_day(moment_s: i64) -> String {
    day_of(moment_s).to_string()
}

/// A moment as `2017-05-10T03:40:48Z`.
pub fn format_moment(moment_s: i64) -> String {
    jiff::Timestamp::from_second(moment_s).map_or_else(|_| format!("{moment_s} s"), |moment| moment.to_string())
}

/// Reads a moment such as `2017-05-10T03:40:48Z`, in seconds since 1970.
pub(super) fn parse_moment(text: &str) -> Result<i64, String> {
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_second)
        .map_err(|_| format!("{text:?} is no time such as 2017-05-10T03:40:48Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_window_are_part_of_it() {
        let window = Window::new(date(2017, 5, 17), date(2017, 7, 6)).unwrap();
        assert_eq!(window.days(), 51.0);
        // `date -u -d 2017-05-17 +%s` and that of 2017-07-07.
        assert_eq!((window.start_s(), window.end_s()), (1_494_979_200, 1_499_385_600));
        assert_eq!(Window::new(date(2017, 5, 17), date(2017, 5, 17)).unwrap().days(), 1.0);
        let error = Window::new(date(2017, 7, 6), date(2017, 5, 17)).unwrap_err().to_string();
        assert_eq!(error, "the window ends on 2017-05-17, before it begins on 2017-07-06: both days are part of it");
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(parse_day("2017-05-17"), Ok(date(2017, 5, 17)));
        assert_eq!(parse_day("2016-02-29"), Ok(date(2016, 2, 29)));
        for (text, reason) in [
            ("2017-02-29", "no calendar has it"),
            ("2017-13-01", "no calendar has it"),
            ("2017-00-01", "no calendar has it"),
            ("17-05-2017", "it isn't a year, a month and a day"),
            ("2017-5-17", "it isn't a year, a month and a day"),
            ("2017-05-17T00:00:00Z", "it isn't a year, a month and a day"),
            ("20170517", "it isn't a year, a month and a day"),
            ("2017-+5-17", "it isn't a year, a month and a day"),
            ("yesterday", "it isn't a year, a month and a day"),
            ("ééééé", "it isn't a year, a month and a day"),
            ("", "it isn't a year, a month and a day"),
        ] {
            let error = parse_day(text).unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} is no day: {reason}; expected a date such as 2017-05-17"));
        }
    }

    #[test]
    fn moments_and_their_days() {
        assert_eq!(parse_moment("2009-01-03T18:15:05Z"), Ok(1_231_006_505));
        assert_eq!(format_moment(1_231_006_505), "2009-01-03T18:15:05Z");
        assert_eq!(day_of(1_231_006_505), date(2009, 1, 3));
        assert_eq!(last_whole_day(1_231_006_505), date(2009, 1, 2));
        assert_eq!(last_whole_day(day_end_s(date(2009, 1, 3))), date(2009, 1, 3));
        assert!(parse_moment("2009-01-03").is_err());
    }
}
