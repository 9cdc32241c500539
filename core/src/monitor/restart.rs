//! The box was restarted: what goes on, and what a person must say first (R4.5, R5.8).

use alloc::vec::Vec;

use crate::monitor::alarm::{Condition, Priority};
use crate::monitor::announce::Cause;
use crate::monitor::bed::{Bed, Device, Snapshot};
use crate::monitor::condition::Verdict;
use crate::monitor::input::Input;
use crate::monitor::output::{Event, EventKind, Output, Phase, Presence};
use crate::monitor::preset::Preset;
use crate::time::{Span, Time};

/// R5.8: a session goes on by itself after this at the most.
const RESUMES_WITHIN: Span = Span::mins(15);
/// R2.2: time without data that makes a pending condition forget.
const FORGETS_AFTER: Span = Span::secs(30);

impl Bed {
    /// A bed that goes on from the `snapshot` of the life of the box before this one. `outage`: for how long
    /// nobody watched, by a wall clock that was trusted before and is now; `None`: not known. Time goes on from
    /// the snapshot by as much; tell [`Self::now`] to the clock of the box.
    #[must_use]
    pub fn restart(
        snapshot: Snapshot,
        preset: Preset,
        devices: Vec<Device>,
        outage: Option<Span>,
        out: &mut impl FnMut(Output),
    ) -> Self {
        let now = snapshot.now + outage.unwrap_or(Span::ZERO);
        let fresh = Self::new(preset.clone(), devices.clone(), now);
        let mut bed = Self::restore(snapshot, preset, devices);
        bed.forget_the_old_life(&fresh, now, outage.unwrap_or(FORGETS_AFTER));
        let resumes = outage.is_some_and(|outage| outage <= RESUMES_WITHIN);
        let open = bed.state.session.phase() != Phase::NoSession;
        if open {
            bed.go_on(outage, resumes);
        }
        let lifted = bed.state.board.restart(open && !resumes, now);
        if open {
            out(Output::Event(Event { at: now, kind: EventKind::Resumed { lifted, certain: outage.is_some() } }));
        }
        if lifted > 0 {
            let cause = Cause::bare(Priority::Low, bed.state.session.phase());
            bed.state.board.raise(Condition::Restarted, &cause, now);
        }
        out(Output::Session);
        bed.input(&Input::Tick, now, out);
        bed
    }

    /// R10.4: others hold an alarm of an earlier life of the box. One that this bed does not know is adopted as
    /// latched, if it was grave; otherwise it is over. Whether it is there now.
    pub fn adopt(
        &mut self,
        condition: Condition,
        episode: u32,
        priority: Priority,
        now: Time,
        out: &mut impl FnMut(Output),
    ) -> bool {
        self.input(&Input::Tick, now, out);
        let adopted = self.state.board.adopt(condition, episode, priority, now);
        self.input(&Input::Tick, now, out);
        adopted || self.alarm(condition).is_some_and(|alarm| alarm.presence != Presence::Off)
    }

    /// The present moment of this bed.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.state.now
    }

    /// What devices said in the old life is worth nothing now; what was decided stays.
    fn forget_the_old_life(&mut self, fresh: &Self, now: Time, outage: Span) {
        let state = &mut self.state;
        state.now = now;
        state.oximeter = fresh.state.oximeter.clone();
        state.links.clone_from(&fresh.state.links);
        if state.identities.len() != fresh.state.identities.len() {
            // The bed has other devices than it had.
            state.identities.clone_from(&fresh.state.identities);
        }
        state.faults.clone_from(&fresh.state.faults);
        state.contact.judge(false, now);
        state.unavailable.judge(false, false, false, now);
        state.cuff.lost(now);
        state.cuff.refit(&fresh.state.cuff);
        for life in &mut state.lives {
            life.judge(Verdict::Blank);
            if !life.active() && outage >= FORGETS_AFTER {
                life.reset();
            }
        }
        state.trends.resume(now);
    }

    /// R5.8: the phase is never looser than before. Time that nobody watched is no time of the window.
    fn go_on(&mut self, outage: Option<Span>, resumes: bool) {
        if let Some(outage) = outage {
            self.state.session.hold_window(outage, self.state.now, &self.preset.routes);
        }
        if let Some(open) = self.state.session.opened_mut() {
            open.interrupted |= !resumes;
            open.uncertain |= outage.is_none() && open.dose.is_some();
        }
    }
}
