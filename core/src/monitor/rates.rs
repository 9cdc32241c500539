//! The pulse as the oximeter and as the cuff count it (row 28, trend-algorithms 8).

use serde::{Deserialize, Serialize};

use crate::vitals::PulseRate;

/// They disagree by more than this, bpm ...
const APART: u16 = 10;
/// ... and by more than one part in so many of the cuff's.
const SHARE: u16 = 5;
/// So many determinations in a row.
const IN_A_ROW: u8 = 2;

/// Compares the two at each determination. They are never averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// The oximeter's in the half minute before the cuff began.
    before: Option<PulseRate>,
    /// Determinations in a row at which they disagreed.
    apart: u8,
    /// The two, at the last of these.
    last: Option<(PulseRate, PulseRate)>,
}

impl Rates {
    /// The cuff begins.
    pub const fn begin(&mut self, before: Option<PulseRate>) {
        self.before = before;
    }

    /// The determination ended with this pulse. Without one of the two there is nothing to compare, and what was
    /// so stays so.
    pub fn end(&mut self, cuff: Option<PulseRate>) {
        let Some((oximeter, cuff)) = self.before.take().zip(cuff) else { return };
        let difference = oximeter.as_bpm().abs_diff(cuff.as_bpm());
        if difference > APART && difference.saturating_mul(SHARE) > cuff.as_bpm() {
            self.apart = self.apart.saturating_add(1);
            self.last = Some((oximeter, cuff));
        } else {
            *self = Self::default();
        }
    }

    /// The two, the oximeter's first, if they have disagreed long enough.
    #[must_use]
    pub fn disagree(&self) -> Option<(PulseRate, PulseRate)> {
        self.last.filter(|_| self.apart >= IN_A_ROW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a run of (oximeter, cuff) comes to; 0: not counted.
    fn after(pairs: &[(u16, u16)]) -> bool {
        let mut rates = Rates::default();
        for (oximeter, cuff) in pairs {
            rates.begin(PulseRate::bpm(*oximeter));
            rates.end(PulseRate::bpm(*cuff));
        }
        rates.disagree().is_some()
    }

    #[test]
    fn row_28_worked() {
        assert!(!after(&[(84, 88), (84, 88)]), "4 <= 17.6");
        assert!(after(&[(74, 148), (74, 148)]), "74 > 29.6");
        assert!(!after(&[(60, 72), (60, 72)]), "12 <= 14.4");
        assert!(!after(&[(50, 40), (50, 40)]), "10 > 8, but not more than 10");
        assert!(!after(&[(40, 50), (40, 50)]), "10 is not more than 10");
        assert!(after(&[(39, 50), (39, 50)]), "11 > 10");
    }

    #[test]
    fn row_28_two_in_a_row_raise_it_and_the_first_that_agrees_ends_it() {
        assert!(!after(&[(74, 148)]));
        assert!(!after(&[(74, 148), (84, 88), (74, 148)]));
        assert!(!after(&[(74, 148), (74, 148), (84, 88)]));
        assert!(after(&[(74, 148), (0, 88), (74, 148)]), "one without a pulse does not speak");
        assert!(after(&[(74, 148), (74, 148), (74, 0)]));
    }
}
