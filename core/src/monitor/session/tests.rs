//! The clocks of a session, and what persons change about them.

use super::*;
use crate::monitor::input::Side;
use crate::monitor::preset::Preset;

fn at(min: u64) -> Time {
    Time::ZERO + Span::mins(min)
}

fn routes() -> Routes {
    Preset::kat_default_1().routes
}

fn opened(route: Route, infusion: Option<Span>) -> Session {
    let mut session = Session::default();
    session.open(&Opening { infusion, ..Opening::by(route) }, "nurse-1", at(0)).unwrap();
    session.refresh(at(0), &routes());
    session
}

fn dosed(route: Route, infusion: Option<Span>) -> Session {
    let mut session = opened(route, infusion);
    session.dosed(Span::ZERO, false, at(10)).unwrap();
    session.refresh(at(10), &routes());
    session
}

fn phase(session: &mut Session, min: u64) -> Phase {
    session.refresh(at(min), &routes());
    session.phase()
}

/// The minutes after the dose at which each phase begins.
fn phases(route: Route) -> [u64; 2] {
    let mut session = dosed(route, None);
    assert_eq!(session.phase(), Phase::Onset);
    [Phase::Window, Phase::Recovery].map(|phase| {
        let begins = session.deadline(session.since().unwrap(), &routes()).unwrap();
        session.refresh(begins - Span::millis(1), &routes());
        assert_ne!(session.phase(), phase);
        session.refresh(begins, &routes());
        assert_eq!(session.phase(), phase);
        begins.since(at(10)).as_secs() / 60
    })
}

#[test]
fn r5_3_the_phases_follow_the_route() {
    assert_eq!(phases(Route::Iv), [15, 60]);
    assert_eq!(phases(Route::Im), [5, 65]);
    assert_eq!(phases(Route::Intranasal), [15, 75]);
    assert_eq!(phases(Route::Oral), [30, 120]);
}

#[test]
fn r5_3_the_window_lasts_until_twenty_minutes_after_a_person_ended_the_infusion() {
    let mut session = dosed(Route::Iv, Some(Span::mins(40)));
    assert_eq!(phase(&mut session, 10 + 300), Phase::Window, "nobody has said that it ended");
    session.expect().unwrap().infusion.as_mut().unwrap().end(at(10 + 55));
    session.refresh(at(10 + 60), &routes());
    let mut session = dosed(Route::Iv, Some(Span::mins(40)));
    session.expect().unwrap().infusion.as_mut().unwrap().end(at(10 + 55));
    assert_eq!(phase(&mut session, 10 + 74), Phase::Window);
    assert_eq!(phase(&mut session, 10 + 75), Phase::Recovery);
    let mut early = dosed(Route::Iv, Some(Span::mins(40)));
    early.expect().unwrap().infusion.as_mut().unwrap().end(at(10 + 20));
    assert_eq!(phase(&mut early, 10 + 59), Phase::Window);
    assert_eq!(phase(&mut early, 10 + 60), Phase::Recovery, "not before the hour");
    assert_eq!(phase(&mut dosed(Route::Im, Some(Span::mins(55))), 10 + 65), Phase::Recovery, "only IV has one");
}

#[test]
fn r5_3_a_back_dated_dose_sets_the_phase_by_its_effective_time() {
    let mut session = opened(Route::Iv, None);
    let too_long = Err(CommandRefusal::TooLongAgo { limit: Span::mins(120) });
    assert_eq!(session.dosed(Span::mins(121), false, at(230)), too_long);
    assert_eq!(session.dosed(Span::mins(20), false, at(230)), Ok(at(210)));
    assert_eq!(session.refresh(at(230), &routes()), Some(Phase::Baseline));
    assert_eq!(session.phase(), Phase::Window);
    assert_eq!(session.dosed(Span::ZERO, false, at(231)), Err(CommandRefusal::AlreadyDosed));
}

#[test]
fn r5_3_a_dose_can_be_taken_back_for_a_minute() {
    let mut session = dosed(Route::Iv, Some(Span::mins(40)));
    assert_eq!(session.undo_dose(at(11)), Ok(true));
    assert_eq!(phase(&mut session, 11), Phase::Baseline);
    assert_eq!(session.undo_dose(at(11)), Err(CommandRefusal::NotAsked));
    let mut session = dosed(Route::Iv, None);
    let late = at(11) + Span::millis(1);
    assert_eq!(session.undo_dose(late), Err(CommandRefusal::TooLongAgo { limit: Span::secs(60) }));
}

#[test]
fn r5_3_another_dose_restarts_onset_and_window_and_can_be_taken_back_alone() {
    let mut session = dosed(Route::Iv, None);
    assert_eq!(phase(&mut session, 40), Phase::Window);
    assert_eq!(session.dosed(Span::ZERO, true, at(40)), Ok(at(40)));
    assert_eq!(phase(&mut session, 40), Phase::Onset);
    assert_eq!(session.undo_dose(at(40)), Ok(false));
    assert_eq!(phase(&mut session, 40), Phase::Window);
    session.dosed(Span::ZERO, true, at(41)).unwrap();
    assert_eq!(phase(&mut session, 41 + 59), Phase::Window);
    assert_eq!(phase(&mut session, 41 + 60), Phase::Recovery);
    assert_eq!(opened(Route::Iv, None).dosed(Span::ZERO, true, at(5)), Err(CommandRefusal::NotDosed));
}

#[test]
fn r5_3_the_window_is_prolonged_from_its_end_and_comes_back_in_recovery() {
    let mut session = dosed(Route::Iv, None);
    session.prolong(Span::mins(20), at(30), &routes()).unwrap();
    assert_eq!(phase(&mut session, 10 + 79), Phase::Window);
    assert_eq!(phase(&mut session, 10 + 80), Phase::Recovery);
    session.prolong(Span::mins(15), at(100), &routes()).unwrap();
    assert_eq!(phase(&mut session, 114), Phase::Window);
    assert_eq!(phase(&mut session, 115), Phase::Recovery);
    let too_long = Err(CommandRefusal::TooLong { limit: Span::mins(120) });
    assert_eq!(session.prolong(Span::mins(121), at(116), &routes()), too_long);
    let early = opened(Route::Iv, None).prolong(Span::mins(10), at(1), &routes());
    assert_eq!(early, Err(CommandRefusal::WrongPhase { phase: Phase::Baseline }));
}

#[test]
fn r5_3_a_treatment_that_is_broken_off_keeps_window_rules_for_an_hour() {
    let mut session = dosed(Route::Iv, Some(Span::mins(40)));
    session.abort(at(25)).unwrap();
    assert_eq!(phase(&mut session, 84), Phase::Window);
    assert_eq!(phase(&mut session, 85), Phase::Recovery);
}

#[test]
fn r5_10_a_sedative_adds_window_rules_for_an_hour_in_any_phase() {
    let mut session = dosed(Route::Iv, None);
    phase(&mut session, 100);
    session.expect().unwrap().sedated = Some(at(100));
    assert_eq!((phase(&mut session, 159), session.also(), session.watched_as()), {
        (Phase::Recovery, Phase::Window, Phase::Window)
    });
    assert_eq!(session.deadline(at(159), &routes()), Some(at(160)));
    assert_eq!((phase(&mut session, 160), session.also()), (Phase::Recovery, Phase::Recovery));
}

#[test]
fn r6_2_with_a_sedative_on_board_recovery_is_watched_as_the_window() {
    let mut session = Session::default();
    session.open(&Opening { sedative: true, ..Opening::by(Route::Iv) }, "nurse-1", at(0)).unwrap();
    session.dosed(Span::ZERO, false, at(10)).unwrap();
    assert_eq!(phase(&mut session, 150), Phase::Recovery);
    assert_eq!((session.also(), session.watched_as()), (Phase::Recovery, Phase::Window));
}

#[test]
fn r5_2_a_new_session_never_joins_an_open_one() {
    let mut session = opened(Route::Iv, None);
    assert_eq!(session.open(&Opening::by(Route::Im), "nurse-2", at(1)), Err(CommandRefusal::SessionOpen));
    session.close().unwrap();
    assert_eq!(session.close(), Err(CommandRefusal::NoSession));
    assert!(session.open(&Opening::by(Route::Im), "nurse-2", at(2)).is_ok());
}

#[test]
fn r5_2_the_cuff_is_never_on_the_arm_of_the_cannula() {
    let on = |cuff_arm, iv_arm| {
        let opening = Opening { cuff_arm, iv_arm, ..Opening::by(Route::Iv) };
        Session::default().open(&opening, "nurse-1", at(0))
    };
    assert_eq!(on(Side::Right, Side::Right), Err(CommandRefusal::CuffOnIvArm));
    assert!(on(Side::Right, Side::Left).is_ok() && on(Side::Neither, Side::Neither).is_ok());
}

#[test]
fn r5_6_no_standby_while_an_infusion_runs() {
    let mut session = dosed(Route::Iv, Some(Span::mins(40)));
    let toilet = StandbyReason::Toilet;
    assert_eq!(session.stand_by(toilet, at(30)), Err(CommandRefusal::InfusionRunning));
    session.expect().unwrap().infusion.as_mut().unwrap().end(at(50));
    assert_eq!(session.stand_by(toilet, at(51)), Ok(()));
    assert_eq!(session.stand_by(toilet, at(52)), Err(CommandRefusal::Standby));
    assert_eq!(session.deadline(at(52), &routes()), Some(at(61)));
}

#[test]
fn r5_8_without_a_certain_time_no_looser_phase_begins_by_the_clock() {
    let mut session = dosed(Route::Iv, None);
    session.expect().unwrap().uncertain = true;
    assert_eq!(phase(&mut session, 24), Phase::Onset);
    assert_eq!(phase(&mut session, 25), Phase::Window);
    assert_eq!(phase(&mut session, 500), Phase::Window);
}
