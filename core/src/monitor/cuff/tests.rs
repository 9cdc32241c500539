use super::*;
use crate::monitor::preset::Preset;
use crate::vitals::Absent;
use std::vec::Vec;

const CUFF: DeviceIndex = DeviceIndex(1);
/// The pulse of most readings.
const NOT_COUNTED: Measured<PulseRate> = Measured::Absent(Absent::NotMeasured);

fn s(s: u64) -> Time {
    Time::ZERO + Span::secs(s)
}

fn terms() -> CuffTerms {
    Preset::kat_default_1().cuff
}

/// A cuff whose session was opened at 0, with its first reading behind it.
struct Bench {
    cuff: Cuff,
    phase: Phase,
    terms: CuffTerms,
}

impl Bench {
    fn in_phase(phase: Phase) -> Self {
        let mut cuff = Cuff::new(Some(CUFF), true, RESTS);
        cuff.open(s(0));
        let mut bench = Self { cuff, phase, terms: terms() };
        bench.follow(0);
        bench
    }

    fn follow(&mut self, at: u64) {
        self.cuff.follow(self.phase, false, s(at), &self.terms);
        self.cuff.settle(s(at), &self.terms);
    }

    fn takes(&mut self, at: u64, measured_at: u64, pressure: Result<u16, CuffFailure>) -> Option<CuffResult> {
        let pressure = pressure.map(|systolic| BloodPressure::full(systolic, 78, None).unwrap());
        let result = CuffResult {
            at: s(at),
            measured_at: s(measured_at),
            origin: CuffOrigin::Schedule,
            pressure,
            pulse: NOT_COUNTED,
        };
        let taken = self.cuff.take_result(&result, s(at), &self.terms);
        if taken.is_some_and(|taken| taken.pressure.is_ok()) {
            self.cuff.judged(true, None, s(at));
        }
        self.follow(at);
        taken
    }

    /// One that is started and ends half a minute later.
    fn measures(&mut self, at: u64) {
        self.cuff.started(None, s(at));
        self.takes(at + 30, at + 30, Ok(126));
    }

    fn fails(&mut self, at: u64, failure: CuffFailure) {
        self.takes(at, at, Err(failure));
    }

    fn overdue(&mut self, at: u64) -> Option<Priority> {
        self.follow(at);
        self.cuff.overdue().map(|(priority, _)| priority)
    }
}

#[test]
fn r8_1_the_interval_follows_the_phase_and_before_the_dose_the_baseline() {
    let mut bench = Bench::in_phase(Phase::Baseline);
    assert!(bench.cuff.due(s(0)), "the first is due when the session opens");
    bench.cuff.follow(Phase::Baseline, true, s(0), &terms());
    bench.cuff.started(None, s(0));
    assert_eq!(bench.cuff.next(), None, "while one is under way");
    bench.takes(30, 30, Ok(126));
    bench.cuff.follow(Phase::Baseline, true, s(30), &terms());
    assert_eq!(bench.cuff.next(), Some(s(30 + 120)));
    for (phase, interval) in [(Phase::Baseline, 600), (Phase::Onset, 600), (Phase::Window, 600), (Phase::Recovery, 900)]
    {
        bench.phase = phase;
        bench.follow(40);
        assert_eq!(bench.cuff.next(), Some(s(30 + interval)), "{phase}");
    }
}

#[test]
fn r8_1_closer_after_a_grave_reading_until_two_in_a_row_are_in_range() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    bench.cuff.judged(false, None, s(30));
    bench.follow(30);
    assert_eq!(bench.cuff.next(), Some(s(330)));
    bench.measures(330);
    assert_eq!(bench.cuff.next(), Some(s(360 + 300)), "one is not enough");
    bench.cuff.judged(false, None, s(360));
    bench.measures(660);
    assert_eq!(bench.cuff.next(), Some(s(690 + 300)), "it starts again");
    bench.measures(990);
    assert_eq!(bench.cuff.next(), Some(s(1_020 + 600)));
}

#[test]
fn r8_1_closer_after_a_sedative_and_what_was_not_due_before_is_not_overdue() {
    let mut bench = Bench::in_phase(Phase::Recovery);
    bench.measures(0);
    bench.cuff.sedated(s(800));
    assert_eq!(bench.overdue(800), None);
    assert!(bench.cuff.due(s(800)), "five minutes have passed");
    assert_eq!(bench.overdue(859), None);
    assert_eq!(bench.overdue(860), Some(Priority::Low));
}

#[test]
fn r5_10_three_readings_five_minutes_apart_after_an_antihypertensive() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    bench.cuff.treated(s(60));
    bench.follow(60);
    for start in [330, 660, 990] {
        assert_eq!(bench.cuff.next(), Some(s(start)));
        bench.measures(start);
    }
    assert_eq!(bench.cuff.next(), Some(s(1_020 + 600)));
}

#[test]
fn r8_1_one_at_forty_minutes_and_only_one() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.extra_at(s(2_400));
    bench.measures(2_000);
    assert_eq!(bench.cuff.next(), Some(s(2_400)));
    bench.measures(2_400);
    assert_eq!(bench.cuff.next(), Some(s(2_430 + 600)));
}

#[test]
fn r8_2_a_repeat_is_counted_from_the_end_of_the_last() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.started(None, s(0));
    bench.takes(45, 40, Ok(184));
    bench.cuff.judged(false, Some(Span::mins(2)), s(45));
    bench.follow(45);
    assert_eq!(bench.cuff.next(), Some(s(45 + 120)));
    bench.measures(165);
    assert_eq!(bench.cuff.next(), Some(s(195 + 300)), "and once");
}

#[test]
fn r8_2_a_failure_is_retried_once_after_a_minute_and_the_second_is_told() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.fails(40, CuffFailure::PumpTimeout);
    assert_eq!((bench.cuff.next(), bench.cuff.failed_twice()), (Some(s(100)), None));
    bench.fails(140, CuffFailure::NoAnswer);
    assert_eq!((bench.cuff.next(), bench.cuff.failed_twice()), (Some(s(740)), Some(CuffFailure::NoAnswer)));
    bench.fails(780, CuffFailure::Failed);
    assert_eq!(bench.cuff.next(), Some(s(1_380)), "no further retry, and the schedule goes on");
    bench.takes(1_400, 1_400, Ok(126));
    assert_eq!(bench.cuff.failed_twice(), None);
    bench.fails(2_000, CuffFailure::Failed);
    assert_eq!(bench.cuff.next(), Some(s(2_060)), "a new failure is retried again");
}

#[test]
fn a_determination_that_somebody_stops_is_no_failure_and_does_not_start_again_at_once() {
    let mut bench = Bench::in_phase(Phase::Window);
    for at in [40, 700] {
        bench.cuff.started(None, s(at));
        bench.fails(at + 10, CuffFailure::Cancelled);
        assert_eq!(bench.cuff.next(), Some(s(at + 10 + 600)));
    }
    assert_eq!(bench.cuff.failed_twice(), None);
    assert!(bench.overdue(900).is_some(), "and no reading either");
}

#[test]
fn r8_4_the_cuff_rests_before_it_is_started_again() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.started(None, s(0));
    bench.takes(40, 40, Ok(126));
    bench.cuff.retake_baseline(s(45));
    assert!(!bench.cuff.due(s(69)));
    assert_eq!(bench.cuff.next(), Some(s(70)));
    assert!(bench.cuff.due(s(70)));
}

#[test]
fn r8_4_stat_measures_again_and_again_and_ends_after_five_minutes() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    bench.cuff.start_stat(s(60));
    let mut starts = Vec::new();
    let mut at = 60;
    while at < 700 {
        bench.follow(at);
        if bench.cuff.due(s(at)) {
            starts.push(at);
            bench.measures(at);
            assert_eq!(bench.cuff.inflation().map(|last| last.stat), Some(at < 700));
        }
        at += 1;
    }
    assert_eq!(starts, [60, 120, 180, 240, 300], "none at 360 or later");
    assert_eq!(bench.cuff.next(), Some(s(330 + 600)));
}

#[test]
fn r8_4_a_stop_ends_stat() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.start_stat(s(0));
    bench.measures(0);
    assert_eq!(bench.cuff.next(), Some(s(60)));
    bench.cuff.stop();
    assert_eq!(bench.cuff.next(), Some(s(630)));
}

#[test]
fn row_27_worked_in_the_window_low_after_a_minute_and_medium_after_half_an_interval() {
    // trend-algorithms 11: interval 300 s, last at 0 -> due 300, LOW 360, MEDIUM 450.
    let mut bench = Bench::in_phase(Phase::Window);
    bench.terms.dosed = Span::secs(300);
    bench.cuff.open(s(0));
    bench.takes(0, 0, Ok(126));
    assert_eq!([bench.overdue(359), bench.overdue(360)], [None, Some(Priority::Low)]);
    assert_eq!([bench.overdue(449), bench.overdue(450)], [Some(Priority::Low), Some(Priority::Medium)]);
}

#[test]
fn row_27_worked_in_recovery_low_after_a_fifth_and_medium_after_a_whole_interval() {
    // trend-algorithms 11: interval 900 s -> due 900, LOW 1080, MEDIUM 1800.
    let mut bench = Bench::in_phase(Phase::Recovery);
    bench.takes(0, 0, Ok(126));
    assert_eq!([bench.overdue(1_079), bench.overdue(1_080)], [None, Some(Priority::Low)]);
    assert_eq!([bench.overdue(1_799), bench.overdue(1_800)], [Some(Priority::Low), Some(Priority::Medium)]);
    assert_eq!(bench.cuff.overdue().map(|(_, due)| due), Some(s(900)));
}

#[test]
fn r8_4_a_cuff_that_is_inflating_holds_the_alarm_for_three_minutes_at_most() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.takes(0, 0, Ok(126));
    bench.cuff.started(None, s(650));
    assert_eq!(bench.overdue(829), None);
    assert!(bench.overdue(830).is_some());
}

#[test]
fn r5_6_on_standby_nothing_is_due_or_overdue_and_the_clock_starts_again() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    assert!(bench.overdue(1_000).is_some());
    bench.cuff.start_stat(s(990));
    bench.cuff.suspend(s(1_000));
    assert_eq!(bench.cuff.next(), None);
    assert_eq!((bench.overdue(3_000), bench.cuff.next()), (None, None));
    assert_eq!(bench.cuff.deadline(s(3_000), &terms()), None);
    bench.cuff.resume(s(3_000));
    assert!(bench.cuff.due(s(3_000)), "what was missed is measured now");
    assert_eq!([bench.overdue(3_719), bench.overdue(3_720)], [None, Some(Priority::Low)]);
}

#[test]
fn a_scheduled_start_waits_for_a_reading_that_is_under_way_at_the_bedside() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.takes(0, 0, Ok(126));
    assert!(bench.cuff.begins(CuffState::Inflating));
    bench.cuff.started(None, s(590));
    assert!(!bench.cuff.begins(CuffState::Inflating), "that is known");
    assert!(!bench.cuff.due(s(600)));
    bench.takes(620, 620, Ok(126));
    assert!(!bench.cuff.due(s(1_219)) && bench.cuff.due(s(1_220)), "ten minutes after that reading");
}

#[test]
fn a_determination_that_is_never_heard_of_does_not_stop_the_schedule() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.started(None, s(0));
    assert!(!bench.cuff.unheard(s(239)));
    assert_eq!(bench.cuff.deadline(s(200), &terms()), Some(s(240)));
    assert!(bench.cuff.unheard(s(240)));
}

#[test]
fn a_result_from_before_the_start_does_not_answer_it() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    bench.cuff.started(None, s(630));
    assert_eq!(bench.takes(640, 30, Ok(126)), None, "the one before");
    assert_eq!(bench.takes(640, 627, Ok(130)), None, "older than a whole second can make it");
    assert!(bench.cuff.under_way());
    assert!(bench.takes(660, 629, Ok(126)).is_some_and(|taken| taken.pressure.is_ok()));
    assert!(!bench.cuff.under_way());
}

#[test]
fn the_same_numbers_sooner_than_a_cuff_can_measure_are_a_failure() {
    let taken = |after: u64, systolic| {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.measures(0);
        bench.cuff.started(None, s(630));
        bench.takes(630 + after, 630 + after, Ok(systolic)).map(|taken| taken.pressure.err())
    };
    assert_eq!(taken(9, 126), Some(Some(CuffFailure::Repeated)));
    assert_eq!(taken(10, 126), Some(None), "a cuff may have measured it");
    assert_eq!(taken(9, 127), Some(None), "other numbers");
}

#[test]
fn r8_3_a_pressure_typed_in_late_ends_the_failure_and_not_the_retry() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.fails(100, CuffFailure::Failed);
    let typed = CuffResult {
        at: s(110),
        measured_at: s(50),
        origin: CuffOrigin::Manual,
        pressure: Ok(BloodPressure::full(126, 78, None).unwrap()),
        pulse: NOT_COUNTED,
    };
    bench.cuff.take_result(&typed, s(110), &terms());
    assert_eq!(bench.cuff.next(), Some(s(160)));
    let typed = CuffResult { at: s(120), measured_at: s(115), ..typed };
    bench.cuff.take_result(&typed, s(120), &terms());
    assert_eq!(bench.cuff.next(), Some(s(115 + 600)), "one from after the failure does");
}

#[test]
fn a_reading_of_the_bedside_from_before_our_start_does_not_end_ours() {
    let ends = |measured_at| {
        let mut bench = Bench::in_phase(Phase::Window);
        bench.cuff.started(None, s(630));
        let pressure = Ok(BloodPressure::full(126, 78, None).unwrap());
        let (at, origin) = (s(650), CuffOrigin::Bedside);
        let result = CuffResult { at, measured_at: s(measured_at), origin, pressure, pulse: NOT_COUNTED };
        bench.cuff.take_result(&result, at, &terms());
        !bench.cuff.under_way()
    };
    assert!(!ends(600) && ends(645));
    // Its clock tells whole seconds, and is a second or two off.
    assert!(!ends(627) && ends(628));
}

#[test]
fn a_reading_from_before_the_session_does_not_count_for_it() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff.open(s(100));
    bench.takes(130, 90, Ok(126));
    assert_eq!(bench.cuff.next(), Some(s(160)), "the first is wanted still, when the cuff has rested");
    bench.fails(200, CuffFailure::Failed);
    bench.fails(300, CuffFailure::Failed);
    bench.takes(310, 95, Ok(126));
    assert!(bench.cuff.failed_twice().is_some());
}

#[test]
fn a_determination_that_is_lost_with_the_line_is_started_again_when_the_cuff_has_rested() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.measures(0);
    bench.cuff.started(None, s(300));
    bench.cuff.lost(s(310));
    assert_eq!(bench.cuff.next(), Some(s(340)));
    bench.cuff.lost(s(320));
    assert_eq!(bench.cuff.inflation().and_then(|last| last.ended), Some(s(310)), "there was none to lose");
}

#[test]
fn r8_3_a_cuff_that_cannot_be_started_is_never_asked_but_is_due_and_missed() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff = Cuff::new(Some(CUFF), false, RESTS);
    bench.cuff.open(s(0));
    bench.takes(0, 0, Ok(126));
    assert_eq!(bench.cuff.next(), Some(s(600)));
    assert!(!bench.cuff.due(s(10_000)));
    assert!(bench.overdue(10_000).is_some());
}

#[test]
fn a_bed_without_a_cuff_misses_nothing() {
    let mut bench = Bench::in_phase(Phase::Window);
    bench.cuff = Cuff::default();
    bench.cuff.open(s(0));
    assert_eq!(bench.overdue(10_000), None);
}
