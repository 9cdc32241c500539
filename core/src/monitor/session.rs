//! The session: its phases and their clocks, the baseline, and a room without one (R5.1, R5.3, R5.9).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::monitor::input::{CommandRefusal, Route};
use crate::monitor::output::{Condition, Phase};
use crate::monitor::preset::Routes;
use crate::time::{Span, Time};
use crate::vitals::BloodPressure;

/// R5.3: a dose may be back-dated by this much.
const BACK_DATED_AT_MOST: Span = Span::mins(120);
/// R5.1: a valid pulse for this long arms a room without a session.
const ARM_AFTER: Span = Span::secs(60);
/// R5.1: and for this long asks for a session.
const ASK_AFTER: Span = Span::secs(120);
/// A room without a pulse for this long is empty again.
const DISARM_AFTER: Span = Span::secs(120);
/// R5.9: the baseline readings may differ by this much, mmHg systolic.
const BASELINE_SPREAD: u16 = 10;

/// A session, open or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    phase: Phase,
    /// When the present phase began.
    since: Option<Time>,
    open: Option<Opened>,
    baseline: Baseline,
}

/// What is known of an open session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// When it was opened.
    pub at: Time,
    /// How the dose is given.
    pub route: Route,
    /// How long the infusion is planned to run.
    pub infusion: Option<Span>,
    /// Whether the person is older than 65.
    pub over_65: bool,
    /// The effective time of the dose.
    pub dose: Option<Time>,
}

impl Session {
    /// The present phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// A phase whose rows hold beside those of the present one, the graver of the two: the window, where window
    /// rules are added (R5.3 abort, R5.8, R5.10); else the present one.
    #[must_use]
    pub const fn also(&self) -> Phase {
        self.phase
    }

    /// The phase whose technical rules and cuff cadence hold: that of [`Self::also`], or the assumed window (R5.4).
    #[must_use]
    pub const fn watched_as(&self) -> Phase {
        self.phase
    }

    /// When the present phase began; `None`: no session is open.
    #[must_use]
    pub const fn since(&self) -> Option<Time> {
        self.since
    }

    /// The open session.
    #[must_use]
    pub const fn opened(&self) -> Option<&Opened> {
        self.open.as_ref()
    }

    /// When the dose took effect.
    #[must_use]
    pub fn dose(&self) -> Option<Time> {
        self.open.and_then(|open| open.dose)
    }

    /// The readings taken before the dose.
    #[must_use]
    pub const fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// Opens a session. A new one never joins an open one (R5.2).
    ///
    /// # Errors
    /// If one is open.
    pub fn open(
        &mut self,
        route: Route,
        infusion: Option<Span>,
        over_65: bool,
        now: Time,
    ) -> Result<(), CommandRefusal> {
        if self.open.is_some() {
            return Err(CommandRefusal::SessionOpen);
        }
        self.open = Some(Opened { at: now, route, infusion, over_65, dose: None });
        self.baseline = Baseline::default();
        self.phase = Phase::Baseline;
        self.since = Some(now);
        Ok(())
    }

    /// Records the dose as given `ago` before now (R5.3) and returns its effective time. The phase follows
    /// with [`Self::refresh`].
    ///
    /// # Errors
    /// If no session is open, if the dose is recorded already, or if it is back-dated too far.
    pub fn dosed(&mut self, ago: Span, now: Time) -> Result<Time, CommandRefusal> {
        let open = self.open.as_mut().ok_or(CommandRefusal::NoSession)?;
        if open.dose.is_some() {
            return Err(CommandRefusal::AlreadyDosed);
        }
        if ago > BACK_DATED_AT_MOST {
            return Err(CommandRefusal::TooLongAgo { limit: BACK_DATED_AT_MOST });
        }
        if ago.as_millis() > now.as_millis() {
            return Err(CommandRefusal::TooLongAgo { limit: now.since(Time::ZERO) });
        }
        let dose = now - ago;
        open.dose = Some(dose);
        self.baseline.before(dose);
        Ok(dose)
    }

    /// Closes the session.
    ///
    /// # Errors
    /// If none is open.
    pub fn close(&mut self) -> Result<(), CommandRefusal> {
        self.open.take().ok_or(CommandRefusal::NoSession)?;
        *self = Self::default();
        Ok(())
    }

    /// Takes a determination into the baseline if it belongs there.
    pub fn take_pressure(&mut self, pressure: BloodPressure, measured_at: Time) {
        if self.phase == Phase::Baseline {
            self.baseline.take(pressure, measured_at);
        }
    }

    /// Lets the clock of the phases turn; returns the phase before if it changed.
    pub fn refresh(&mut self, now: Time, routes: &Routes) -> Option<Phase> {
        let before = self.phase;
        self.phase = match (self.open, self.limits(routes)) {
            (None, _) => Phase::NoSession,
            (Some(_), None) => Phase::Baseline,
            (Some(_), Some((window, _))) if now < window => Phase::Onset,
            (Some(_), Some((_, recovery))) if now < recovery => Phase::Window,
            (Some(_), Some(_)) => Phase::Recovery,
        };
        let changed = self.phase != before;
        if changed {
            let began = |(window, recovery)| match self.phase {
                Phase::Window => Some(window),
                Phase::Recovery => Some(recovery),
                _ => self.dose(),
            };
            self.since = self.limits(routes).and_then(began);
        }
        changed.then_some(before)
    }

    /// When the next phase begins by the clock.
    #[must_use]
    pub fn deadline(&self, routes: &Routes) -> Option<Time> {
        let (window, recovery) = self.limits(routes)?;
        match self.phase {
            Phase::Onset => Some(window),
            Phase::Window => Some(recovery),
            Phase::NoSession | Phase::Baseline | Phase::Recovery => None,
        }
    }

    /// When window and recovery begin (R5.3; IV: not before the end of the infusion + 20 min).
    fn limits(&self, routes: &Routes) -> Option<(Time, Time)> {
        let open = self.open?;
        let dose = open.dose?;
        let phases = routes.of(open.route);
        let infusion_ends = open.infusion.filter(|_| open.route == Route::Iv).map(|infusion| dose + infusion);
        let recovery = infusion_ends
            .map_or(dose + phases.recovery, |ends| (dose + phases.recovery).max(ends + routes.after_infusion));
        Some((dose + phases.window, recovery))
    }
}

/// The pressures before the dose (R5.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    readings: Vec<(Time, BloodPressure)>,
    /// What they come to. Worked out when one comes: every later determination is judged against it.
    pressure: Option<BloodPressure>,
}

impl Baseline {
    /// How many readings there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.readings.len()
    }

    /// The baseline pressure. The first reading is discarded; of three the last two are averaged; if
    /// they lie more than 10 mmHg apart and there is a fourth, it is the median of all. `None`: the
    /// second reading has not come yet.
    #[must_use]
    pub const fn pressure(&self) -> Option<BloodPressure> {
        self.pressure
    }

    fn take(&mut self, pressure: BloodPressure, measured_at: Time) {
        let at = self.readings.partition_point(|(at, _)| *at <= measured_at);
        self.readings.insert(at, (measured_at, pressure));
        self.pressure = self.worked_out();
    }

    /// R5.3: the baseline uses data before the dose only.
    fn before(&mut self, dose: Time) {
        self.readings.retain(|(at, _)| *at <= dose);
        self.pressure = self.worked_out();
    }

    fn worked_out(&self) -> Option<BloodPressure> {
        let all: Vec<_> = self.readings.iter().filter_map(|(_, bp)| bp.systolic().zip(bp.diastolic())).collect();
        let [_, rest @ ..] = all.as_slice() else { return None };
        let systolic =
            |bps: &[_]| -> Vec<u16> { bps.iter().map(|(s, _): &(crate::vitals::Pressure, _)| s.as_mmhg()).collect() };
        let diastolic =
            |bps: &[(_, crate::vitals::Pressure)]| -> Vec<u16> { bps.iter().map(|(_, d)| d.as_mmhg()).collect() };
        let two: &[_] = rest.get(..rest.len().min(2))?;
        let spread = systolic(two).iter().max()?.saturating_sub(*systolic(two).iter().min()?);
        if spread > BASELINE_SPREAD && all.len() > 3 {
            return BloodPressure::full(median(systolic(&all))?, median(diastolic(&all))?, None);
        }
        BloodPressure::full(mean(&systolic(two))?, mean(&diastolic(two))?, None)
    }
}

fn mean(values: &[u16]) -> Option<u16> {
    let count = u16::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum: u16 = values.iter().fold(0, |sum, value| sum.saturating_add(*value));
    Some((sum + count / 2) / count)
}

fn median(mut values: Vec<u16>) -> Option<u16> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().checked_sub(1)? / 2)?;
    mean(&[*lower, *upper])
}

/// A room without a session (R5.1): somebody with a pulse is watched for the gravest, and asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pulse_since: Option<Time>,
    pulse_lost: Option<Time>,
    armed: bool,
}

impl Room {
    /// Whether the room is watched.
    #[must_use]
    pub const fn armed(&self) -> bool {
        self.armed
    }

    /// Whether to ask for a session.
    #[must_use]
    pub fn asks(&self, now: Time) -> bool {
        self.armed && self.pulse_since.is_some_and(|since| now.since(since) >= ASK_AFTER)
    }

    /// Takes whether there is a valid pulse, and whether an alarm holds the watch up.
    pub fn refresh(&mut self, pulse: bool, alarmed: bool, now: Time) {
        if pulse {
            self.pulse_since.get_or_insert(now);
            self.pulse_lost = None;
        } else {
            let lost = *self.pulse_lost.get_or_insert(now);
            if !self.armed {
                self.pulse_since = None;
            } else if now.since(lost) >= DISARM_AFTER && !alarmed {
                *self = Self::default();
            }
        }
        self.armed |= self.pulse_since.is_some_and(|since| now.since(since) >= ARM_AFTER);
    }

    /// When something will change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self, now: Time) -> Option<Time> {
        let since = self.pulse_since?;
        let marks = [Some(since + ARM_AFTER), Some(since + ASK_AFTER), self.pulse_lost.map(|lost| lost + DISARM_AFTER)];
        marks.into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// R5.1: the rows that watch a room without a session.
#[must_use]
pub const fn watches_empty_room(condition: Condition) -> bool {
    use Condition as C;
    matches!(
        condition,
        C::Spo2Critical
            | C::Spo2VeryLow
            | C::Spo2Low
            | C::Spo2Reduced
            | C::PulseVeryHigh
            | C::PulseVeryLow
            | C::PressureSevere
            | C::PressureSevereConfirmed
            | C::PressureExtreme
            | C::PressureVeryLow
            | C::NoPulse
            | C::Spo2Unavailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::preset::Preset;

    fn at(min: u64) -> Time {
        Time::ZERO + Span::mins(min)
    }

    /// The minute at which each phase begins after a dose at 10 min.
    fn phases(route: Route, infusion: Option<Span>) -> [u64; 2] {
        let routes = Preset::kat_default_1().routes;
        let mut session = Session::default();
        session.open(route, infusion, false, at(0)).unwrap();
        session.refresh(at(10), &routes);
        assert_eq!(session.phase(), Phase::Baseline);
        session.dosed(Span::ZERO, at(10)).unwrap();
        session.refresh(at(10), &routes);
        assert_eq!(session.phase(), Phase::Onset);
        [Phase::Window, Phase::Recovery].map(|phase| {
            let deadline = session.deadline(&routes).unwrap();
            session.refresh(deadline - Span::millis(1), &routes);
            assert_ne!(session.phase(), phase);
            session.refresh(deadline, &routes);
            assert_eq!(session.phase(), phase);
            deadline.since(at(10)).as_secs() / 60
        })
    }

    #[test]
    fn r5_3_the_phases_follow_the_route() {
        assert_eq!(phases(Route::Iv, None), [15, 60]);
        assert_eq!(phases(Route::Im, None), [5, 65]);
        assert_eq!(phases(Route::Intranasal, None), [15, 75]);
        assert_eq!(phases(Route::Oral, None), [30, 120]);
    }

    #[test]
    fn r5_3_an_infusion_holds_the_window_until_twenty_minutes_after_its_end() {
        assert_eq!(phases(Route::Iv, Some(Span::mins(40))), [15, 60]);
        assert_eq!(phases(Route::Iv, Some(Span::mins(55))), [15, 75]);
        assert_eq!(phases(Route::Im, Some(Span::mins(55))), [5, 65], "only an IV dose has an infusion");
    }

    #[test]
    fn r5_3_a_back_dated_dose_sets_the_phase_by_its_effective_time() {
        let routes = Preset::kat_default_1().routes;
        let mut session = Session::default();
        session.open(Route::Iv, None, false, at(200)).unwrap();
        assert_eq!(session.dosed(Span::mins(121), at(230)), Err(CommandRefusal::TooLongAgo { limit: Span::mins(120) }));
        assert_eq!(session.dosed(Span::mins(20), at(230)), Ok(at(210)));
        assert_eq!(session.refresh(at(230), &routes), Some(Phase::Baseline));
        assert_eq!(session.phase(), Phase::Window);
        assert_eq!(session.dosed(Span::ZERO, at(231)), Err(CommandRefusal::AlreadyDosed));
    }

    #[test]
    fn r5_2_a_new_session_never_joins_an_open_one() {
        let mut session = Session::default();
        session.open(Route::Iv, None, false, at(0)).unwrap();
        assert_eq!(session.open(Route::Im, None, false, at(1)), Err(CommandRefusal::SessionOpen));
        session.close().unwrap();
        assert_eq!(session.close(), Err(CommandRefusal::NoSession));
        assert!(session.open(Route::Im, None, false, at(2)).is_ok());
    }

    #[test]
    fn r5_9_worked_the_first_reading_is_discarded_and_the_next_two_averaged() {
        let mut baseline = Baseline::default();
        for (min, systolic) in [(0, 138), (2, 128), (4, 124)] {
            baseline.take(BloodPressure::full(systolic, 80, None).unwrap(), at(min));
        }
        assert_eq!(
            baseline.pressure().and_then(BloodPressure::systolic).map(crate::vitals::Pressure::as_mmhg),
            Some(126)
        );
    }

    #[test]
    fn r5_9_readings_that_differ_too_much_are_replaced_by_the_median_of_four() {
        let mut baseline = Baseline::default();
        for (min, systolic) in [(0, 150), (2, 145), (4, 128), (6, 130)] {
            baseline.take(BloodPressure::full(systolic, 80, None).unwrap(), at(min));
        }
        // median of 128, 130, 145, 150
        assert_eq!(
            baseline.pressure().and_then(BloodPressure::systolic).map(crate::vitals::Pressure::as_mmhg),
            Some(138)
        );
    }

    #[test]
    fn r5_9_a_single_reading_is_no_baseline() {
        let mut baseline = Baseline::default();
        assert_eq!(baseline.pressure(), None);
        baseline.take(BloodPressure::full(168, 100, None).unwrap(), at(0));
        assert_eq!(baseline.pressure(), None);
    }

    #[test]
    fn r5_1_a_pulse_for_a_minute_arms_the_room_and_for_two_asks_for_a_session() {
        let mut room = Room::default();
        let s = |s| Time::ZERO + Span::secs(s);
        room.refresh(true, false, s(5));
        room.refresh(true, false, s(64));
        assert!(!room.armed());
        assert_eq!(room.deadline(s(64)), Some(s(65)));
        room.refresh(true, false, s(65));
        assert!(room.armed() && !room.asks(s(65)));
        assert!(room.asks(s(125)));
        room.refresh(false, false, s(130));
        room.refresh(false, true, s(250));
        assert!(room.armed(), "an alarm holds the watch up");
        room.refresh(false, false, s(251));
        assert!(!room.armed());
    }

    #[test]
    fn r5_1_a_pulse_that_comes_and_goes_does_not_arm_an_empty_room() {
        let mut room = Room::default();
        for t in 0..600 {
            room.refresh(t % 50 < 45, false, Time::ZERO + Span::secs(t));
            assert!(!room.armed());
        }
    }
}
