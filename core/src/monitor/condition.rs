//! The life of a condition (R2): when a violation has lasted, and when it is over.
//!
//! Two machines. [`Life`] is fed by samples and time: a verdict holds until the next one, and delays
//! are sums of the time it held (R1.3), so they come out the same at 1, 3 and 60 Hz. [`Readings`] is
//! fed by determinations of the cuff and counts them (R2.7). Neither knows what it judges.

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// Which side of a limit a value is on (R2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The comparator holds.
    Violation,
    /// It does not, but the value is not beyond the hysteresis either.
    Band,
    /// Beyond the hysteresis.
    Beyond,
}

/// What the newest data say about a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Invalid or stale data.
    #[default]
    Blank,
    /// A questionable value. It starts only the gravest rows and clears nothing (R1.5).
    Doubted {
        /// Its side.
        side: Side,
        /// Whether motion is the doubt, which doubles the delay of some rows.
        motion: bool,
    },
    /// A value that fell faster than blood does: counted only once a good value confirms it, so an
    /// artefact starts nothing and a real fall loses no time.
    Suspected(Side),
    /// A good value.
    Good(Side),
}

/// The terms a condition lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a violation must have lasted.
    pub delay: Span,
    /// How long good values must have been beyond the hysteresis to end it.
    pub clear: Span,
    /// R1.5: questionable values may start it, after 20 s (rows 1a and 1b).
    pub starts_when_doubted: bool,
    /// R1.5: motion doubles its delay, by at most 15 s (rows 3 and higher).
    pub motion_doubles: bool,
    /// R2.6: it is latched, and comes back after 5 s at the latest.
    pub latched: bool,
}

/// What happened to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It became active.
    Activated,
    /// It ended.
    Ended,
}

/// R1.5: questionable values must have violated for this long to start a row that they may start.
const DOUBTED_DELAY: Span = Span::secs(20);
/// R1.5: motion lengthens a delay by at most this.
const MOTION_AT_MOST: Span = Span::secs(15);
/// R2.2: continuous good values beyond the hysteresis that make a pending condition forget.
const FORGET_BEYOND: Span = Span::secs(3);
/// R2.2: time without valid data that makes a pending condition forget.
const FORGET_BLANK: Span = Span::secs(30);
/// R2.6: a latched condition comes back after this at the latest.
const LATCHED_DELAY: Span = Span::secs(5);

/// A condition judged on every sample (R2.1 to R2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    verdict: Verdict,
    active: bool,
    /// Time in violation, good values (R2.2).
    accrued: Span,
    /// Time in violation that only suspected values vouch for.
    suspected: Span,
    /// Time in violation that only questionable values vouch for.
    doubted: Span,
    /// Continuous good time beyond the hysteresis.
    beyond: Span,
    /// Continuous time without valid data.
    blank: Span,
    /// Motion was seen while pending.
    motion: bool,
}

impl Life {
    /// Whether it is active.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.active
    }

    /// Whether time alone can change nothing about it: no violation, and none remembered. So it is with
    /// almost every row at almost every sample.
    #[must_use]
    pub const fn at_rest(&self) -> bool {
        let violation = matches!(
            self.verdict,
            Verdict::Good(Side::Violation)
                | Verdict::Suspected(Side::Violation)
                | Verdict::Doubted { side: Side::Violation, .. }
        );
        !(self.active || self.motion || violation || self.pending())
    }

    /// Lets the present verdict hold for `span`. The caller steps from deadline to deadline, so
    /// nothing is crossed on the way.
    pub fn advance(&mut self, span: Span) {
        match self.verdict {
            Verdict::Good(Side::Violation) => self.accrued = self.accrued + span,
            Verdict::Suspected(Side::Violation) => self.suspected = self.suspected + span,
            Verdict::Doubted { side: Side::Violation, .. } => self.doubted = self.doubted + span,
            Verdict::Good(Side::Beyond) => self.beyond = self.beyond + span,
            Verdict::Blank => self.blank = self.blank + span,
            Verdict::Good(Side::Band) | Verdict::Suspected(_) | Verdict::Doubted { .. } => {}
        }
    }

    /// Takes a new verdict, which holds from now on.
    pub fn judge(&mut self, verdict: Verdict) {
        self.verdict = verdict;
        match verdict {
            Verdict::Good(Side::Violation | Side::Band) => {
                self.accrued = self.accrued + self.suspected;
                self.suspected = Span::ZERO;
            }
            Verdict::Good(Side::Beyond) => {
                self.suspected = Span::ZERO;
                // A sudden fall that was none leaves nothing behind.
                self.motion &= self.accrued > Span::ZERO;
            }
            // Only what good values began is doubled: questionable ones begin nothing here (R1.5).
            Verdict::Doubted { motion: true, .. } => {
                self.motion |= self.accrued > Span::ZERO || self.suspected > Span::ZERO;
            }
            Verdict::Doubted { .. } | Verdict::Suspected(_) | Verdict::Blank => {}
        }
        if verdict != Verdict::Good(Side::Beyond) {
            self.beyond = Span::ZERO;
        }
        if verdict != Verdict::Blank {
            self.blank = Span::ZERO;
        }
    }

    /// Draws the consequence of the time that has passed.
    pub fn settle(&mut self, terms: &Terms) -> Option<Change> {
        if self.active {
            if self.beyond >= terms.clear && self.verdict == Verdict::Good(Side::Beyond) {
                self.forget();
                self.active = false;
                return Some(Change::Ended);
            }
            return None;
        }
        if self.due(terms) == Some(Span::ZERO) || self.due_doubted(terms) == Some(Span::ZERO) {
            self.forget();
            self.active = true;
            return Some(Change::Activated);
        }
        if self.beyond >= FORGET_BEYOND || self.blank >= FORGET_BLANK {
            self.forget();
        }
        None
    }

    /// How long until something happens if the verdict stays as it is.
    #[must_use]
    pub fn deadline(&self, terms: &Terms) -> Option<Span> {
        match self.verdict {
            Verdict::Good(Side::Violation) if !self.active => {
                [self.due(terms), self.due_doubted(terms)].into_iter().flatten().min()
            }
            Verdict::Doubted { side: Side::Violation, .. } if !self.active => self.due_doubted(terms),
            Verdict::Good(Side::Beyond) if self.active => Some(terms.clear.minus(self.beyond)),
            Verdict::Good(Side::Beyond) if self.pending() => Some(FORGET_BEYOND.minus(self.beyond)),
            Verdict::Blank if !self.active && self.pending() => Some(FORGET_BLANK.minus(self.blank)),
            _ => None,
        }
    }

    /// Back to normal, whatever it was.
    pub fn reset(&mut self) {
        self.forget();
        self.active = false;
        self.beyond = Span::ZERO;
    }

    const fn pending(&self) -> bool {
        self.accrued.as_millis() > 0 || self.suspected.as_millis() > 0 || self.doubted.as_millis() > 0
    }

    fn forget(&mut self) {
        self.accrued = Span::ZERO;
        self.suspected = Span::ZERO;
        self.doubted = Span::ZERO;
        self.motion = false;
    }

    /// What is missing to the delay, once there is a violation.
    fn due(&self, terms: &Terms) -> Option<Span> {
        let mut delay = terms.delay;
        if self.motion && terms.motion_doubles {
            delay = delay + delay.min(MOTION_AT_MOST);
        }
        if terms.latched {
            delay = delay.min(LATCHED_DELAY);
        }
        let violated = self.accrued > Span::ZERO || self.verdict == Verdict::Good(Side::Violation);
        violated.then(|| delay.minus(self.accrued))
    }

    /// What is missing to the delay of questionable values, once there is such a violation.
    fn due_doubted(&self, terms: &Terms) -> Option<Span> {
        let violated =
            self.doubted > Span::ZERO || matches!(self.verdict, Verdict::Doubted { side: Side::Violation, .. });
        (violated && terms.starts_when_doubted).then(|| DOUBTED_DELAY.minus(self.accrued + self.doubted))
    }
}

/// A condition judged on every determination of the cuff (R2.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readings {
    active: bool,
    beyond: u8,
}

impl Readings {
    /// Whether it is active.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.active
    }

    /// Takes the side on which a valid determination fell; `clear` of them in a row beyond the
    /// hysteresis end it.
    pub fn judge(&mut self, side: Side, clear: u8) -> Option<Change> {
        self.beyond = if side == Side::Beyond { self.beyond.saturating_add(1) } else { 0 };
        match (self.active, side) {
            (false, Side::Violation) => {
                self.active = true;
                Some(Change::Activated)
            }
            (true, _) if self.beyond >= clear => {
                self.active = false;
                Some(Change::Ended)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Row `< 88, 10 s, h 2, clr 15` of the worked examples.
    const ROW_2: Terms = Terms {
        delay: Span::secs(10),
        clear: Span::secs(15),
        starts_when_doubted: false,
        motion_doubles: false,
        latched: false,
    };
    const ROW_3: Terms = Terms { delay: Span::secs(15), motion_doubles: true, ..ROW_2 };
    const ROW_1B: Terms = Terms { delay: Span::secs(5), starts_when_doubted: true, ..ROW_2 };

    /// `None`: invalid. Good values judged against `< limit`, hysteresis `h`, whole percent.
    fn below(limit: i32, h: i32, value: Option<i32>) -> Verdict {
        match value {
            None => Verdict::Blank,
            Some(v) if v < limit => Verdict::Good(Side::Violation),
            Some(v) if v >= limit + h => Verdict::Good(Side::Beyond),
            Some(_) => Verdict::Good(Side::Band),
        }
    }

    /// Plays verdicts at `hz`, one for each second of the pattern, and evaluates every millisecond-exact
    /// deadline between them. Returns the changes with their times in milliseconds.
    fn play(terms: &Terms, hz: u64, verdicts: impl Iterator<Item = Verdict>) -> Vec<(u64, Change)> {
        let mut life = Life::default();
        let mut changes = Vec::new();
        let mut now = 0;
        for (second, verdict) in verdicts.enumerate() {
            for tick in 0..hz {
                let at = second as u64 * 1_000 + tick * 1_000 / hz;
                while let Some(wait) = life.deadline(terms).filter(|wait| now + wait.as_millis() <= at) {
                    life.advance(wait);
                    now += wait.as_millis();
                    let change = life.settle(terms);
                    changes.extend(change.map(|change| (now, change)));
                    if wait == Span::ZERO && change.is_none() {
                        panic!("stands still at {now} ms: {life:?}");
                    }
                }
                life.advance(Span::millis(at - now));
                now = at;
                life.judge(verdict);
                changes.extend(life.settle(terms).map(|change| (now, change)));
            }
        }
        changes
    }

    /// The moment of the first activation, in seconds, which must be the same at 1, 3 and 60 Hz (R1.3).
    fn first_active(terms: &Terms, verdict: impl Fn(u64) -> Verdict) -> Option<u64> {
        let times: Vec<_> = [1, 3, 60]
            .into_iter()
            .map(|hz| {
                let changes = play(terms, hz, (0..120).map(&verdict));
                changes.iter().find(|(_, change)| *change == Change::Activated).map(|(at, _)| *at)
            })
            .collect();
        assert!(times.iter().all(|t| t.is_none() == times[0].is_none()), "{times:?}");
        let spread = times.iter().flatten().max().zip(times.iter().flatten().min()).map_or(0, |(a, b)| a - b);
        assert!(spread < 17, "not the same at 1, 3 and 60 Hz: {times:?} ms");
        times[0].map(|ms| ms / 1_000)
    }

    #[test]
    fn time_alone_changes_nothing_about_a_condition_at_rest() {
        let sides = [Side::Violation, Side::Band, Side::Beyond];
        let doubted = |motion| sides.map(|side| Verdict::Doubted { side, motion });
        let verdicts: Vec<_> = [Verdict::Blank]
            .into_iter()
            .chain(sides.map(Verdict::Good))
            .chain(sides.map(Verdict::Suspected))
            .chain(doubted(false))
            .chain(doubted(true))
            .collect();
        let terms = [ROW_1B, ROW_2, ROW_3, Terms { delay: Span::ZERO, ..ROW_2 }, Terms { latched: true, ..ROW_3 }];
        let mut at_rest = 0;
        let mut look = |life: &mut Life, terms: &Terms| {
            let before = life.clone();
            let change = life.settle(terms);
            if before.at_rest() {
                at_rest += 1;
                assert_eq!((before.deadline(terms), change), (None, None), "{before:?}");
                assert_eq!(*life, before);
            }
        };
        let mut lives = vec![Life::default()];
        for span in [2, 4, 40].map(Span::secs) {
            for life in core::mem::take(&mut lives) {
                for (verdict, terms) in verdicts.iter().flat_map(|verdict| terms.iter().map(move |t| (verdict, t))) {
                    let mut life = life.clone();
                    life.judge(*verdict);
                    look(&mut life, terms);
                    life.advance(span);
                    look(&mut life, terms);
                    lives.push(life);
                }
            }
        }
        assert!(at_rest > 1_000, "{at_rest} of {} at rest", lives.len());
    }

    #[test]
    fn r2_worked_a_steady_violation_is_active_after_the_delay() {
        assert_eq!(first_active(&ROW_2, |_| below(88, 2, Some(87))), Some(10));
    }

    #[test]
    fn r2_2_worked_the_hysteresis_band_holds_the_count() {
        let value = |t| if t == 7 { 88 } else { 87 };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, Some(value(t)))), Some(11));
    }

    #[test]
    fn r2_2_worked_invalid_data_hold_the_count() {
        let value = |t| if (5..9).contains(&t) { None } else { Some(87) };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, value(t))), Some(14));
    }

    #[test]
    fn r2_2_worked_three_good_seconds_beyond_the_hysteresis_reset_the_count() {
        let value = |t| if (7..11).contains(&t) { 95 } else { 87 };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, Some(value(t)))), Some(21));
    }

    #[test]
    fn r2_2_two_good_seconds_beyond_the_hysteresis_keep_the_count_and_three_reset_it() {
        let beyond_until = |end| move |t| below(88, 2, Some(if (7..end).contains(&t) { 95 } else { 87 }));
        assert_eq!(first_active(&ROW_2, beyond_until(9)), Some(12), "7 s are kept");
        assert_eq!(first_active(&ROW_2, beyond_until(10)), Some(20), "and forgotten at 10 s");
    }

    #[test]
    fn r2_4_worked_only_good_values_beyond_the_hysteresis_end_it() {
        for hz in [1, 3, 60] {
            let value = |t| match t {
                0..20 => 87,
                20..50 => 89,
                _ => 90,
            };
            let changes = play(&ROW_2, hz, (0..90).map(|t| below(88, 2, Some(value(t)))));
            assert_eq!(changes, [(10_000, Change::Activated), (65_000, Change::Ended)], "{hz} Hz");
        }
    }

    #[test]
    fn r2_4_data_that_are_invalid_or_questionable_never_end_it() {
        let doubted = Verdict::Doubted { side: Side::Beyond, motion: false };
        for end in [Verdict::Blank, doubted, Verdict::Suspected(Side::Beyond), Verdict::Good(Side::Band)] {
            let changes = play(&ROW_2, 1, (0..4_000).map(|t| if t < 20 { below(88, 2, Some(87)) } else { end }));
            assert_eq!(changes, [(10_000, Change::Activated)], "{end:?}");
        }
    }

    #[test]
    fn r2_must_alarm_nine_seconds_of_violation_between_six_without_data() {
        let value = |t| if t % 15 < 9 { Some(86) } else { None };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, value(t))), Some(16));
    }

    #[test]
    fn r2_must_alarm_fourteen_seconds_of_violation_between_six_without_data() {
        let value = |t| if t % 20 < 14 { Some(89) } else { None };
        assert_eq!(first_active(&ROW_3, |t| below(92, 2, value(t))), Some(21));
    }

    #[test]
    fn r2_must_alarm_two_seconds_of_deep_violation_between_nineteen_without_data() {
        let value = |t| if t % 21 < 2 { Some(80) } else { None };
        let at = first_active(&ROW_1B, |t| below(85, 3, value(t)));
        assert!(at.is_some_and(|t| t <= 44), "by the third visit (42 s to 44 s): {at:?}");
    }

    #[test]
    fn r2_must_alarm_values_that_flicker_around_the_limit() {
        let value = |t| if t % 2 == 0 { 87 } else { 88 };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, Some(value(t)))), Some(19));
    }

    #[test]
    fn r2_2_half_a_minute_without_valid_data_resets_the_count() {
        let value = |t| if (9..39).contains(&t) { None } else { Some(87) };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, value(t))), Some(49), "9 s are forgotten at 39 s");
        let value = |t| if (9..38).contains(&t) { None } else { Some(87) };
        assert_eq!(first_active(&ROW_2, |t| below(88, 2, value(t))), Some(39), "and not at 38 s");
    }

    #[test]
    fn r2_6_a_latched_condition_comes_back_within_five_seconds() {
        let terms = Terms { latched: true, ..ROW_2 };
        assert_eq!(first_active(&terms, |_| below(88, 2, Some(87))), Some(5));
    }

    #[test]
    fn r1_5_questionable_values_start_the_gravest_rows_after_twenty_seconds_and_no_other() {
        let doubted = |_| Verdict::Doubted { side: Side::Violation, motion: false };
        assert_eq!(first_active(&ROW_1B, doubted), Some(20));
        assert_eq!(first_active(&ROW_2, doubted), None);
    }

    #[test]
    fn r1_5_motion_while_pending_doubles_the_delay_by_fifteen_seconds_at_most() {
        let row_8 = Terms { delay: Span::secs(300), ..ROW_3 };
        let with_motion_at_5 = |t| match t {
            5 => Verdict::Doubted { side: Side::Violation, motion: true },
            _ => Verdict::Good(Side::Violation),
        };
        assert_eq!(first_active(&ROW_3, with_motion_at_5), Some(31), "30 s, and the second of motion does not count");
        assert_eq!(first_active(&ROW_2, with_motion_at_5), Some(11), "rows 1a to 2 are not doubled");
        let changes = play(&row_8, 1, (0..400).map(with_motion_at_5));
        assert_eq!(changes, [(316_000, Change::Activated)]);
    }

    #[test]
    fn a_sudden_fall_counts_only_once_it_is_confirmed_and_then_in_full() {
        // One second of doubt, then good: no time is lost against a fall that was not doubted.
        let confirmed = |t| if t == 0 { Verdict::Suspected(Side::Violation) } else { Verdict::Good(Side::Violation) };
        assert_eq!(first_active(&ROW_2, confirmed), Some(10));
        // A spike every fourth second is never confirmed.
        let spikes = |t| if t % 4 == 0 { Verdict::Suspected(Side::Violation) } else { Verdict::Good(Side::Beyond) };
        assert_eq!(first_active(&ROW_2, spikes), None);
    }

    #[test]
    fn r2_7_determinations_are_counted() {
        let mut one = Readings::default();
        assert_eq!(one.judge(Side::Band, 1), None);
        assert_eq!(one.judge(Side::Violation, 1), Some(Change::Activated));
        assert_eq!(one.judge(Side::Violation, 1), None);
        assert_eq!(one.judge(Side::Band, 1), None);
        assert_eq!(one.judge(Side::Beyond, 1), Some(Change::Ended));
        let mut two = Readings::default();
        assert_eq!(two.judge(Side::Violation, 2), Some(Change::Activated));
        assert_eq!(two.judge(Side::Beyond, 2), None);
        assert_eq!(two.judge(Side::Band, 2), None, "a reading in the band starts the count again");
        assert_eq!(two.judge(Side::Beyond, 2), None);
        assert_eq!(two.judge(Side::Beyond, 2), Some(Change::Ended));
    }
}
