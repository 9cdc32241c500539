//! The plethysmogram, beat by beat: a quick upstroke, a notch, a second smaller wave, a slow fall.

use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::PulseRate;

use super::noise::{nearest, seconds};
use super::patient::breath;
use super::scene::{Perfusion, Reading, Scene};

/// One point of the waveform.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    /// 0..=1.
    level: f64,
    /// A beat begins with it.
    pub(super) beat: bool,
}

impl Point {
    /// In units of a device whose highest value is `full_scale`.
    pub(super) fn scaled(self, full_scale: u16) -> u16 {
        nearest(self.level * f64::from(full_scale))
    }
}

/// The waveform that one oximeter draws; ask it with rising times.
#[derive(Debug, Default)]
pub(super) struct Waveform {
    /// How far the present beat has gone, 0..1.
    phase: f64,
    last: Time,
    point: Point,
}

impl Waveform {
    /// The point at `now`. The rate of the patient drives the beats, whatever the numbers say.
    pub(super) fn at(&mut self, scene: &Scene, reading: &Reading, now: Time) -> Point {
        if scene.stuck(now) {
            self.last = now;
            return Point { beat: false, ..self.point };
        }
        let step = seconds(now.since(self.last).min(Span::secs(1)));
        self.last = now;
        let rate = scene.truth(now).pulse.filter(|_| scene.pulsatile(now));
        self.phase += step * f64::from(rate.map_or(0, PulseRate::as_bpm)) / 60.0;
        let beat = self.phase >= 1.0;
        self.phase = self.phase.fract();

        let strength = match reading.perfusion {
            Perfusion::Good => 0.75,
            Perfusion::Marginal => 0.4,
            Perfusion::Low => 0.15,
        };
        let level = match scene.recorded_pleth(now) {
            Some(level) => level,
            None if rate.is_some() => 0.12 + 0.03 * breath(now) + strength * shape(self.phase),
            None => 0.1,
        };
        self.point = Point { level: level.clamp(0.0, 1.0), beat };
        self.point
    }
}

/// One beat, `phase` 0..1: the wave of the heart and the one reflected from the body, either a bell.
fn shape(phase: f64) -> f64 {
    let bell = |centre: f64, width: f64| (-((phase - centre) / width).powi(2)).exp();
    bell(0.2, 0.1) + 0.4 * bell(0.5, 0.14)
}

#[cfg(test)]
mod tests {
    use super::super::script::{Effect, Script};
    use super::*;

    fn draw(scene: &Scene, seconds: u64) -> Vec<Point> {
        let mut waveform = Waveform::default();
        let time = |n: u64| Time::from_millis(n * 1_000 / 75);
        (0..seconds * 75).map(|n| waveform.at(scene, &scene.reading(time(n)), time(n))).collect()
    }

    #[test]
    fn it_beats_as_often_as_the_pulse_says() {
        let points = draw(&Scene::patient(Script::quiet(), 5), 60);
        let beats = points.iter().filter(|point| point.beat).count();
        assert!((66..=71).contains(&beats), "{beats} beats at about 68 bpm");
    }

    #[test]
    fn each_beat_has_one_highest_point_and_fills_the_scale_without_leaving_it() {
        let points = draw(&Scene::patient(Script::quiet(), 5), 30);
        let levels: Vec<_> = points.iter().map(|point| point.scaled(255)).collect();
        let (low, high) = (levels.iter().min().unwrap(), levels.iter().max().unwrap());
        assert!(*low < 50 && (200..=255).contains(high), "{low}..{high}");
        let jump = levels.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
        assert!(jump < 40, "a corner of {jump}");
    }

    #[test]
    fn without_a_pulse_it_is_flat_and_a_stuck_one_does_not_move() {
        for effect in [Effect::NoPulse, Effect::SensorOff, Effect::Stuck] {
            let start = Time::from_millis(10_000);
            let points = draw(&Scene::patient(Script::quiet().with(effect, start, Span::secs(20)), 5), 40);
            let during = &points[760..2_240];
            assert!(during.iter().all(|point| point.level == during[0].level && !point.beat), "{effect:?}");
            assert!(points[2_300..].iter().any(|point| point.beat), "{effect:?} ends");
        }
    }
}
