//! The arm in the cuff: what every simulated blood-pressure monitor measures on.

use vitalsd_core::sample::CuffFailure;
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use crate::simulator::scene::{Bedside, Outcome, Scene};

/// A determination that somebody at the bedside starts takes this long, where the script says only when it ends.
const BY_HAND: Span = Span::secs(30);
/// A determination that hangs is looked at again after this long.
const HANGS: Span = Span::secs(1);
/// The cuff is pumped up to this at least, mmHg, ...
const FULL: u16 = 180;
/// ... and to so much above the systolic pressure, mmHg.
const ABOVE: u16 = 30;
/// Below this nothing is to be found any more, mmHg; the air is let go.
const LOWEST: u16 = 40;

/// What is measured on the arm, and when.
#[derive(Debug)]
pub(super) struct Arm {
    /// What happens at the bedside, the next one last.
    bedside: Vec<(Time, Option<Time>)>,
    running: Option<Running>,
    /// Determinations begun.
    count: u64,
    /// What the one before gave.
    last: Option<Measured>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    began: Time,
    ends: Time,
    /// What the cuff is pumped up to, mmHg.
    full: u16,
}

/// A determination that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) at: Time,
    pub(super) result: Measured,
}

/// The pressure and the pulse rate if one was found, or why there is no pressure.
type Measured = Result<(BloodPressure, Option<PulseRate>), CuffFailure>;

impl Arm {
    /// Of a monitor that a person at the bedside can start.
    pub(super) fn new(scene: &Scene) -> Self {
        let mut bedside: Vec<_> = scene
            .bedside_readings()
            .into_iter()
            .map(|(time, bedside)| match bedside {
                Bedside::Starts => (time, None),
                Bedside::Ends => (time - BY_HAND, Some(time)),
            })
            .collect();
        bedside.sort_by_key(|(start, _)| std::cmp::Reverse(*start));
        Self { bedside, ..Self::without_button() }
    }

    /// Of one that only its host starts.
    pub(super) const fn without_button() -> Self {
        Self { bedside: Vec::new(), running: None, count: 0, last: None }
    }

    /// When something happens by itself.
    pub(super) fn next(&self) -> Option<Time> {
        let bedside = self.bedside.last().map(|(start, _)| *start);
        let running = self.running.map(|running| running.ends);
        [bedside, running].into_iter().flatten().min()
    }

    /// Does what is due; tells a determination that has ended.
    pub(super) fn advance(&mut self, scene: &Scene, now: Time) -> Option<Ended> {
        let ended = self.running.filter(|running| running.ends <= now).and_then(|running| self.end(scene, running));
        if let Some((_, ends)) = self.bedside.pop_if(|(start, _)| *start <= now) {
            self.start(scene, now, ends);
        }
        ended
    }

    /// Starts a determination; `false`: one is under way.
    pub(super) fn begin(&mut self, scene: &Scene, now: Time) -> bool {
        self.start(scene, now, None)
    }

    /// Whether one is under way.
    pub(super) const fn measures(&self) -> bool {
        self.running.is_some()
    }

    /// The pressure in the cuff, mmHg: it falls over the determination. Until one that hangs is stopped, the rest of
    /// the air stays in.
    pub(super) fn cuff(&self, now: Time) -> u16 {
        let Some(Running { began, ends, full }) = self.running else { return 0 };
        let (left, whole) = (ends.since(now).as_millis(), ends.since(began).as_millis().max(1));
        let fallen = u64::from(full - LOWEST) * (whole - left.min(whole)) / whole;
        full - u16::try_from(fallen).unwrap_or(full - LOWEST)
    }

    /// Deflates; `false`: nothing was under way.
    pub(super) fn cancel(&mut self, scene: &Scene, now: Time) -> bool {
        let Some(running) = self.running.take() else { return false };
        scene.inflate(running.began, now);
        true
    }

    fn start(&mut self, scene: &Scene, now: Time, ends: Option<Time>) -> bool {
        if self.running.is_some() {
            return false;
        }
        self.count += 1;
        let ends = ends.unwrap_or_else(|| now + scene.determination_takes(self.count, now));
        let systolic = scene.truth(now).pressure.and_then(BloodPressure::systolic).map_or(0, Pressure::as_mmhg);
        self.running = Some(Running { began: now, ends, full: FULL.max(systolic + ABOVE) });
        scene.inflate(now, ends);
        true
    }

    fn end(&mut self, scene: &Scene, running: Running) -> Option<Ended> {
        let result = match scene.determination(running.ends) {
            Outcome::Hangs => {
                let ends = running.ends + HANGS;
                self.running = Some(Running { ends, ..running });
                scene.inflate(running.began, ends);
                return None;
            }
            Outcome::Repeats => self.last.unwrap_or(Err(CuffFailure::Failed)),
            Outcome::Pressure(pressure, pulse) => Ok((pressure, pulse)),
            Outcome::Failed(failure) => Err(failure),
        };
        (self.running, self.last) = (None, Some(result));
        Some(Ended { at: running.ends, result })
    }
}
