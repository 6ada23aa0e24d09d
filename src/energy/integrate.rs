//! From readings of power or of a counter to joules used since the meter was opened.
//!
//! Everything here is told the time and starts no clock: the threads that read are elsewhere. Times are in seconds
//! since the meter was opened, and may be below 0 for what was logged before.

/// The highest power that is believed, in watts: beyond it a unit was mistaken.
pub(super) const MAX_WATTS: f64 = 1e6;

/// What a source yields at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    /// The power drawn now, in watts.
    Watts(f64),
    /// A counter of energy, in joules since some moment of its own.
    Joules(f64),
}

impl Reading {
    /// Names what is read.
    pub(super) fn quantity(self) -> &'static str {
        match self {
            Self::Watts(_) => "power",
            Self::Joules(_) => "energy",
        }
    }

    /// Refuses what no device that is switched on can yield; the error is the reason.
    pub(super) fn check(self) -> Result<Self, String> {
        match self {
            Self::Watts(watts) if watts <= 0.0 => Err(format!("{watts} W: a device that is on can't use so little")),
            Self::Watts(watts) if watts > MAX_WATTS => Err(format!("{watts} W is above {MAX_WATTS} W")),
            Self::Joules(joules) if joules < 0.0 => Err(format!("{joules} J is below 0 J")),
            Self::Watts(value) | Self::Joules(value) if !value.is_finite() => Err(format!("{value} is no number")),
            reading => Ok(reading),
        }
    }
}

/// Power over time: straight lines between readings, and the last one held until the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Integrator {
    /// The time of the last reading, in seconds.
    last_s: f64,
    /// The last reading, in watts.
    watts: f64,
    /// The energy up to the last reading, in joules.
    joules: f64,
    /// The longest time between two readings, in seconds.
    longest_gap_s: f64,
}

impl Integrator {
    /// Starts at 0 J with a first reading.
    pub(super) fn new(at_s: f64, watts: f64) -> Self {
        Self { last_s: at_s, watts, joules: 0.0, longest_gap_s: 0.0 }
    }

    /// Takes a reading; one that isn't later than the last replaces its power.
    pub(super) fn feed(&mut self, at_s: f64, watts: f64) {
        let gap_s = at_s - self.last_s;
        if gap_s > 0.0 {
            self.joules += (self.watts + watts) / 2.0 * gap_s;
            self.last_s = at_s;
            self.longest_gap_s = self.longest_gap_s.max(gap_s);
        }
        self.watts = watts;
    }

    /// Returns the energy up to `at_s`, in joules.
    ///
    /// It can be less than before where a lower power followed one that had been held.
    pub(super) fn total_j(&self, at_s: f64) -> f64 {
        self.joules + self.watts * (at_s - self.last_s).max(0.0)
    }
}

/// A counter that is read now and then, and goes on at its last pace in between.
///
/// The pace is that between the last two steps, so that a coarse counter (a plug that counts by 0.001 kWh steps once in
/// 36 s at 100 W) gives no sample of 0 J followed by one of 3600 J. It never runs further than one step ahead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counter {
    first_j: f64,
    /// The time of the last step in seconds, and the count since it in joules.
    last: (f64, f64),
    /// How long the last step took in seconds, and how high it was in joules.
    step: Option<(f64, f64)>,
    steps: u32,
}

impl Counter {
    /// Starts at 0 J with a first reading.
    pub(super) fn new(at_s: f64, joules: f64) -> Self {
        Self { first_j: joules, last: (at_s, joules), step: None, steps: 0 }
    }

    /// Takes a reading.
    ///
    /// # Errors
    ///
    /// The counter went down: it was reset, and what it had counted in between is lost.
    pub(super) fn feed(&mut self, at_s: f64, joules: f64) -> Result<(), String> {
        let (last_s, last_j) = self.last;
        if joules < last_j {
            return Err(format!("the counter went down from {last_j} J to {joules} J, so it was reset"));
        }
        if joules > last_j {
            self.step = Some((at_s - last_s, joules - last_j)).filter(|(duration_s, _)| *duration_s > 0.0);
            self.last = (at_s, joules);
            self.steps = self.steps.saturating_add(1);
        }
        Ok(())
    }

    /// Returns the energy up to `at_s`, in joules.
    pub(super) fn total_j(&self, at_s: f64) -> f64 {
        let (last_s, last_j) = self.last;
        let ahead_j =
            self.step.map_or(0.0, |(duration_s, height_j)| height_j * ((at_s - last_s).max(0.0) / duration_s).min(1.0));
        last_j - self.first_j + ahead_j
    }

    /// Returns the time since the last step, or since the start, in seconds.
    pub(super) fn still_s(&self, at_s: f64) -> f64 {
        at_s - self.last.0
    }

    /// Tells that the counter is too coarse for the time it ran; none where it isn't.
    pub(super) fn note(&self) -> Option<String> {
        let height_j = self.step?.1;
        (self.steps < 20).then(|| {
            let times = if self.steps == 1 { "once".to_owned() } else { format!("{} times", self.steps) };
            format!("the counter moved only {times}, last by {height_j:.4} J: what lies between is interpolated")
        })
    }
}

/// Joules from a source that yields either power or energy, and has to go on with what it began.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    quantity: Quantity,
    /// The highest total that was returned, in joules.
    returned_j: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Quantity {
    Power(Integrator),
    Energy(Counter),
}

impl Track {
    /// Starts at 0 J with a first reading.
    pub(super) fn new(at_s: f64, first: Reading) -> Self {
        let quantity = match first {
            Reading::Watts(watts) => Quantity::Power(Integrator::new(at_s, watts)),
            Reading::Joules(joules) => Quantity::Energy(Counter::new(at_s, joules)),
        };
        Self { quantity, returned_j: 0.0 }
    }

    /// Takes a reading.
    ///
    /// # Errors
    ///
    /// It is of the other quantity, or the counter went down.
    pub(super) fn feed(&mut self, at_s: f64, reading: Reading) -> Result<(), String> {
        match (&mut self.quantity, reading) {
            (Quantity::Power(power), Reading::Watts(watts)) => power.feed(at_s, watts),
            (Quantity::Energy(counter), Reading::Joules(joules)) => counter.feed(at_s, joules)?,
            (_, reading) => return Err(format!("it changed to {} in mid-run", reading.quantity())),
        }
        Ok(())
    }

    /// Returns the energy up to `at_s`, in joules. It never decreases.
    pub(super) fn total_j(&mut self, at_s: f64) -> f64 {
        let total_j = match &self.quantity {
            Quantity::Power(power) => power.total_j(at_s),
            Quantity::Energy(counter) => counter.total_j(at_s),
        };
        self.returned_j = self.returned_j.max(total_j);
        self.returned_j
    }

    /// Returns how long a counter has stood still without one step, in seconds; none for a power or after a step.
    pub(super) fn never_moved_s(&self, at_s: f64) -> Option<f64> {
        match &self.quantity {
            Quantity::Energy(counter) if counter.steps == 0 => Some(counter.still_s(at_s)),
            _ => None,
        }
    }

    /// Returns the longest time between two readings of a power, in seconds; 0 for a counter, which misses nothing.
    pub(super) fn longest_gap_s(&self) -> f64 {
        match &self.quantity {
            Quantity::Power(power) => power.longest_gap_s,
            Quantity::Energy(_) => 0.0,
        }
    }

    /// Tells what a reader of the joules should know.
    pub(super) fn note(&self) -> Option<String> {
        match &self.quantity {
            Quantity::Power(_) => None,
            Quantity::Energy(counter) => counter.note(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_a_straight_line_between_readings_and_held_after_the_last() {
        let mut power = Integrator::new(0.0, 100.0);
        assert_eq!(power.total_j(0.5), 50.0);
        power.feed(1.0, 200.0);
        // A trapezoid of 100 W and 200 W over 1 s, then 200 W.
        assert_eq!(power.total_j(1.0), 150.0);
        assert_eq!(power.total_j(1.25), 200.0);
        power.feed(3.0, 0.5);
        assert_eq!(power.total_j(3.0), 350.5);
        assert_eq!(power.longest_gap_s, 2.0);
        // A clock that stands still or steps back takes nothing away.
        power.feed(3.0, 10.0);
        power.feed(2.0, 20.0);
        assert_eq!(power.total_j(3.0), 350.5);
        assert_eq!(power.total_j(2.0), 350.5);
        assert_eq!(power.total_j(4.0), 370.5);
    }

    #[test]
    fn a_held_power_that_was_too_high_takes_no_joules_back() {
        let mut track = Track::new(0.0, Reading::Watts(100.0));
        assert_eq!(track.total_j(2.0), 200.0);
        track.feed(2.0, Reading::Watts(20.0)).unwrap();
        // The line from 100 W to 20 W holds 120 J: the total waits until it is caught up.
        assert_eq!(track.total_j(3.0), 200.0);
        assert_eq!(track.total_j(6.5), 210.0);
    }

    #[test]
    fn a_coarse_counter_goes_on_at_its_last_pace_but_never_by_more_than_a_step() {
        let mut track = Track::new(0.0, Reading::Joules(7200.0));
        assert_eq!(track.total_j(10.0), 0.0);
        assert_eq!(track.never_moved_s(10.0), Some(10.0));
        track.feed(36.0, Reading::Joules(10_800.0)).unwrap();
        assert_eq!(track.never_moved_s(36.0), None);
        assert_eq!(track.total_j(36.0), 3600.0);
        for second in 37..=72 {
            track.feed(f64::from(second), Reading::Joules(10_800.0)).unwrap();
        }
        assert_eq!(track.total_j(54.0), 5400.0);
        assert_eq!(track.total_j(72.0), 7200.0);
        assert_eq!(track.total_j(100.0), 7200.0);
        assert!(track.note().unwrap().contains("moved only once, last by 3600.0000 J"));
        track.feed(101.0, Reading::Joules(14_400.0)).unwrap();
        assert_eq!(track.total_j(101.0), 7200.0);
    }

    #[test]
    fn what_a_source_began_with_it_has_to_go_on_with() {
        let mut power = Track::new(0.0, Reading::Watts(5.0));
        assert!(power.feed(1.0, Reading::Joules(5.0)).unwrap_err().contains("changed to energy"));
        let mut energy = Track::new(0.0, Reading::Joules(5.0));
        assert!(energy.feed(1.0, Reading::Watts(5.0)).unwrap_err().contains("changed to power"));
        assert!(energy.feed(1.0, Reading::Joules(4.0)).unwrap_err().contains("went down from 5 J to 4 J"));
    }

    #[test]
    fn nothing_that_no_device_draws_is_a_reading() {
        for (reading, reason) in [
            (Reading::Watts(0.0), "0 W"),
            (Reading::Watts(-5.0), "-5 W"),
            (Reading::Watts(1e6 + 1.0), "above 1000000 W"),
            (Reading::Watts(f64::NAN), "no number"),
            (Reading::Joules(-1.0), "below 0 J"),
            (Reading::Joules(f64::INFINITY), "no number"),
        ] {
            assert!(reading.check().unwrap_err().contains(reason), "{reading:?}");
        }
        for reading in [Reading::Watts(0.001), Reading::Watts(1e6), Reading::Joules(0.0), Reading::Joules(1e12)] {
            assert_eq!(reading.check(), Ok(reading));
        }
    }
}
