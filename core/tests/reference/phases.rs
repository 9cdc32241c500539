//! R5.3: the phases of every session of a stay, from open, dose and close.

use vitalsd_core::monitor::input::Route;
use vitalsd_core::monitor::output::Phase;
use vitalsd_core::monitor::preset::Preset;

use super::facts::{Fact, What};
use super::timeline::{Instant, Timeline};

/// R5.3: how far a dose may be back-dated, milliseconds.
const BACK_DATED_AT_MOST: u64 = 120 * 60_000;

/// A session from its opening to its end.
#[derive(Clone, Debug)]
pub struct Session {
    pub opened: Instant,
    pub closed: Instant,
    route: Route,
    infused: bool,
    /// When it was recorded, and its effective time.
    pub dose: Option<(Instant, u64)>,
}

/// Every session. What a person may not do, does not happen: a second opening (R5.2), a second dose, a
/// dose too long ago.
pub fn sessions(facts: &[Fact]) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for fact in facts {
        let now = Instant::said(fact.ms);
        let open = sessions.last_mut().filter(|session| session.closed == Instant::NEVER);
        match (&fact.what, open) {
            (What::Open { route, infused }, None) => sessions.push(Session {
                opened: now,
                closed: Instant::NEVER,
                route: *route,
                infused: *infused,
                dose: None,
            }),
            (What::Dose { ago }, Some(session))
                if session.dose.is_none() && *ago <= BACK_DATED_AT_MOST.min(fact.ms) =>
            {
                session.dose = Some((now, fact.ms - ago));
            }
            (What::Close, Some(session)) => session.closed = now,
            _ => {}
        }
    }
    sessions
}

/// The phase at every instant.
pub fn phases(sessions: &[Session], preset: &Preset) -> Timeline<Phase> {
    let mut phases = Timeline::always(Phase::NoSession);
    for session in sessions {
        phases.set(session.opened, Phase::Baseline);
        if let Some((recorded, dose)) = session.dose {
            let (window, recovery) = begins(session, dose, preset);
            for (at, phase) in [(Some(dose), Phase::Onset), (Some(window), Phase::Window), (recovery, Phase::Recovery)]
            {
                let Some(at) = at else { continue };
                let at = recorded.max(Instant::due(at));
                if at < session.closed {
                    phases.set(at, phase);
                }
            }
        }
        if session.closed != Instant::NEVER {
            phases.set(session.closed, Phase::NoSession);
        }
    }
    phases
}

/// When window and recovery begin. In these stays nobody says that an infusion ended, and only a person ends one.
fn begins(session: &Session, dose: u64, preset: &Preset) -> (u64, Option<u64>) {
    let terms = preset.routes.of(session.route);
    let infused = session.route == Route::Iv && session.infused;
    (dose + terms.window.as_millis(), (!infused).then(|| dose + terms.recovery.as_millis()))
}
