//! Omron HBP: measures when somebody presses its button, and tells the result in a line.

use vitalsd_core::driver::omron::{Reading, hbp9020_line, hbp9030_line};
use vitalsd_core::time::Time;
use vitalsd_core::vitals::{Absent, Measured};

use super::arm::{Arm, Ended};
use super::{Instrument, clock};
use crate::simulator::scene::Scene;

/// How a monitor writes its line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    Hbp9030,
    /// How this one tells a failure is not known: it says nothing.
    Hbp9020,
}

#[derive(Debug)]
pub(super) struct Omron {
    layout: Layout,
    arm: Arm,
}

impl Omron {
    pub(super) fn new(layout: Layout, scene: &Scene) -> Self {
        Self { layout, arm: Arm::new(scene) }
    }
}

impl Instrument for Omron {
    fn next(&self) -> Option<Time> {
        self.arm.next()
    }

    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>) {
        let Some(Ended { at, result }) = self.arm.advance(scene, now) else { return };
        let pulse = result.ok().and_then(|(_, pulse)| pulse);
        let reading = Reading {
            pressure: result.map(|(pressure, _)| pressure),
            pulse: pulse.map_or(Measured::Absent(Absent::NotMeasured), Measured::Good),
        };
        match self.layout {
            Layout::Hbp9030 => out.extend(hbp9030_line(&clock::shown(at, "%Y,%m,%d,%H,%M"), &reading)),
            Layout::Hbp9020 => {
                out.extend(hbp9020_line(&clock::shown(at, "%Y/%m/%d,%H:%M"), &reading).unwrap_or_default());
            }
        }
    }
}
