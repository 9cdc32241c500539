//! The bed's oximetry as it stands: the newest values, how good they are, and when they are stale
//! (R1.2, R1.4, R1.6, R1.7).

use serde::{Deserialize, Serialize};

use crate::monitor::input::DeviceIndex;
use crate::sample::Oximetry;
use crate::time::{Span, Time};
use crate::vitals::{Absent, Doubt, Measured, PerfusionIndex, PulseRate, Spo2};

/// R1.4: SpO2 does not fall by more than this in one second; tenths of a percent.
const FALL_TENTHS: u16 = 40;
/// R1.2: a value is stale after this, or after 2.5 x the cadence if that is longer.
const STALE_AT_LEAST: Span = Span::secs(3);
/// R1.2: a slower source is shown, but raises no alarm on SpO2 or pulse.
const SLOWEST_ALARM_SOURCE: Span = Span::secs(4);
/// R1.7: a waveform that is constant for this long is stuck.
const STUCK_CONSTANT: Span = Span::secs(10);
/// R1.7: so is one that is flat for this long while the numbers do not change.
const STUCK_FLAT: Span = Span::secs(60);
/// How often readings are told even if they do not change.
const TELL_EVERY: Span = Span::secs(1);

/// The primary source of one quantity (R1.6) and its newest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal<T> {
    source: Option<DeviceIndex>,
    cadence: Span,
    held: Measured<T>,
    at: Option<Time>,
}

impl<T: Copy + PartialEq> Signal<T> {
    /// A signal from `source`, a device with that cadence; `None`: the bed has none.
    #[must_use]
    pub const fn from(source: Option<(DeviceIndex, Span)>) -> Self {
        let held = Measured::Absent(if source.is_some() { Absent::NeverReceived } else { Absent::NotMeasured });
        match source {
            Some((source, cadence)) => Self { source: Some(source), cadence, held, at: None },
            None => Self { source: None, cadence: Span::ZERO, held, at: None },
        }
    }

    /// The newest value, or why there is none.
    #[must_use]
    pub const fn held(&self) -> Measured<T> {
        self.held
    }

    /// When the newest sample arrived.
    #[must_use]
    pub const fn at(&self) -> Option<Time> {
        self.at
    }

    /// Whether the bed has a source for it at all.
    #[must_use]
    pub const fn expected(&self) -> bool {
        self.source.is_some()
    }

    /// Whether its source is fast enough to raise alarms from (R1.2).
    #[must_use]
    pub fn raises_alarms(&self) -> bool {
        self.cadence <= SLOWEST_ALARM_SOURCE
    }

    fn comes_from(&self, device: DeviceIndex) -> bool {
        self.source == Some(device)
    }

    fn take(&mut self, value: Measured<T>, now: Time) {
        self.held = value;
        self.at = Some(now);
    }

    fn lose(&mut self, device: DeviceIndex, reason: Absent) {
        if self.comes_from(device) {
            self.held = Measured::Absent(reason);
        }
    }

    /// How long a value is fresh.
    fn stale_after(&self) -> Span {
        STALE_AT_LEAST.max(self.cadence.scaled(5, 2))
    }

    /// When the present value will be stale; `None`: there is no value that could be.
    fn stale_at(&self) -> Option<Time> {
        match self.held {
            Measured::Absent(Absent::NeverReceived | Absent::NotMeasured | Absent::Stale | Absent::LinkLost) => None,
            _ => self.at.map(|at| at + self.stale_after()),
        }
    }

    fn refresh(&mut self, now: Time) {
        if self.stale_at().is_some_and(|at| at <= now) {
            self.held = Measured::Absent(Absent::Stale);
        }
    }
}

/// The oximetry of one bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oximeter {
    spo2: Signal<Spo2>,
    pulse: Signal<PulseRate>,
    perfusion_index: Signal<PerfusionIndex>,
    falls: Falls,
    waveform: Waveform,
    stuck: bool,
    told: Option<Oximetry>,
}

impl Oximeter {
    /// With the sources of SpO2 and of pulse, and the full scale of the waveform that comes with SpO2.
    #[must_use]
    pub fn new(
        spo2: Option<(DeviceIndex, Span)>,
        pulse: Option<(DeviceIndex, Span)>,
        pleth_full_scale: Option<u16>,
    ) -> Self {
        Self {
            spo2: Signal::from(spo2),
            pulse: Signal::from(pulse),
            perfusion_index: Signal::from(spo2),
            falls: Falls::default(),
            waveform: Waveform { full_scale: pleth_full_scale.unwrap_or_default(), ..Waveform::default() },
            stuck: false,
            told: None,
        }
    }

    /// The saturation signal.
    #[must_use]
    pub const fn spo2(&self) -> &Signal<Spo2> {
        &self.spo2
    }

    /// The pulse signal.
    #[must_use]
    pub const fn pulse(&self) -> &Signal<PulseRate> {
        &self.pulse
    }

    /// The perfusion index.
    #[must_use]
    pub const fn perfusion_index(&self) -> Measured<PerfusionIndex> {
        self.perfusion_index.held
    }

    /// The values as they are to be shown at `now`, with every doubt.
    #[must_use]
    pub fn reading(&self, now: Time) -> Oximetry {
        Oximetry { at: now, spo2: self.spo2.held, pulse: self.pulse.held, perfusion_index: self.perfusion_index.held }
    }

    /// Whether its waveform stands still while its numbers go on (R1.7).
    #[must_use]
    pub const fn stuck(&self) -> bool {
        self.stuck
    }

    /// The terms of `device` are other ones now: how often it speaks, and the full scale of its waveform.
    pub fn equip(&mut self, device: DeviceIndex, cadence: Span, pleth_full_scale: Option<u16>) {
        let full_scale = pleth_full_scale.unwrap_or_default();
        if self.spo2.comes_from(device) {
            self.spo2.cadence = cadence;
            self.perfusion_index.cadence = cadence;
            if self.waveform.full_scale != full_scale {
                self.waveform = Waveform { full_scale, ..Waveform::default() };
            }
        }
        if self.pulse.comes_from(device) {
            self.pulse.cadence = cadence;
        }
    }

    /// Takes the numbers of `device`.
    pub fn take(&mut self, device: DeviceIndex, sample: &Oximetry, now: Time) {
        let doubt = self.stuck.then_some(Doubt::StuckSource);
        if self.spo2.comes_from(device) {
            let mut spo2 = sample.spo2;
            if self.falls.too_fast(spo2.value(), self.spo2.stale_after(), now) {
                spo2 = spo2.doubted(Doubt::ImplausibleFall);
            }
            if sample.spo2.value().is_some() {
                self.waveform.numbers(sample.spo2, sample.pulse, now);
            } else {
                // A waveform that stands still without a patient is not stuck (R1.7: with the sensor on).
                self.waveform.lost();
            }
            self.spo2.take(doubt.map_or(spo2, |doubt| spo2.doubted(doubt)), now);
            self.perfusion_index.take(sample.perfusion_index, now);
        }
        if self.pulse.comes_from(device) {
            self.pulse.take(doubt.map_or(sample.pulse, |doubt| sample.pulse.doubted(doubt)), now);
        }
    }

    /// Takes a point of the waveform of `device`.
    pub fn take_pleth(&mut self, device: DeviceIndex, value: u16, now: Time) {
        if self.spo2.comes_from(device) {
            self.waveform.take(value, now);
        }
    }

    /// The way to `device` is lost.
    pub fn lose(&mut self, device: DeviceIndex, reason: Absent, now: Time) {
        if self.spo2.comes_from(device) {
            self.falls.note(None, self.spo2.stale_after(), now);
            self.waveform.lost();
        }
        self.spo2.lose(device, reason);
        self.pulse.lose(device, reason);
        self.perfusion_index.lose(device, reason);
    }

    /// Lets values go stale and waveforms get stuck.
    pub fn refresh(&mut self, now: Time) {
        self.spo2.refresh(now);
        self.pulse.refresh(now);
        self.perfusion_index.refresh(now);
        let stuck = self.spo2.held.value().is_some() && self.waveform.stuck_at().is_some_and(|at| at <= now);
        if stuck && !self.stuck {
            self.spo2.held = self.spo2.held.doubted(Doubt::StuckSource);
            self.pulse.held = self.pulse.held.doubted(Doubt::StuckSource);
        }
        self.stuck = stuck;
    }

    /// The values, if they changed or a second has passed since they were last told.
    pub fn tell(&mut self, now: Time) -> Option<Oximetry> {
        let reading = self.reading(now);
        let due = match &self.told {
            None => self.spo2.expected() || self.pulse.expected(),
            Some(told) => *told != (Oximetry { at: told.at, ..reading }) || told.at + TELL_EVERY <= now,
        };
        due.then(|| {
            self.told = Some(reading);
            reading
        })
    }

    /// When something will change by the passing of time alone.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let stuck = if self.stuck || self.spo2.held.value().is_none() { None } else { self.waveform.stuck_at() };
        let tell = match self.told {
            Some(told) => Some(told.at + TELL_EVERY),
            None => (self.spo2.expected() || self.pulse.expected()).then_some(Time::ZERO),
        };
        [self.spo2.stale_at(), self.pulse.stale_at(), self.perfusion_index.stale_at(), stuck, tell]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The saturation of the last second, to know a fall that blood does not make (R1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Falls {
    /// What was said, oldest first from `next`. A value that is said again only lasts longer, so these reach back over
    /// a second at 60 Hz too.
    past: [Option<Said>; 16],
    next: u8,
}

/// A value, tenths of a percent, or the lack of one, said again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    value: Option<u16>,
    from: Time,
    last: Time,
}

impl Falls {
    /// Whether `value` is more than 4 % below what was held one second ago; a value is held until it is stale.
    fn too_fast(&mut self, value: Option<Spo2>, stale_after: Span, now: Time) -> bool {
        let value = value.map(Spo2::as_tenths);
        let second_ago = now - Span::secs(1);
        let then = self.newest_first().find(|said| said.from <= second_ago);
        let held = then.filter(|said| second_ago.since(said.last) < stale_after).and_then(|said| said.value);
        self.note(value, stale_after, now);
        held.zip(value).is_some_and(|(before, value)| value.saturating_add(FALL_TENTHS) < before)
    }

    /// What is said again lasts on, unless it was stale meanwhile.
    fn note(&mut self, value: Option<u16>, stale_after: Span, now: Time) {
        let newest = usize::from(self.next.wrapping_sub(1) % 16);
        if let Some(Some(said)) = self.past.get_mut(newest)
            && said.value == value
            && now.since(said.last) < stale_after
        {
            said.last = now;
            return;
        }
        if let Some(slot) = self.past.get_mut(usize::from(self.next % 16)) {
            *slot = Some(Said { value, from: now, last: now });
        }
        self.next = (self.next + 1) % 16;
    }

    fn newest_first(&self) -> impl Iterator<Item = &Said> {
        let (newer, older) = self.past.split_at(usize::from(self.next % 16));
        newer.iter().rev().chain(older.iter().rev()).flatten()
    }
}

/// Since when the waveform has stood still (R1.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Waveform {
    full_scale: u16,
    constant: Option<(u16, Time)>,
    flat: Option<(u16, Time)>,
    numbers: Option<(Measured<Spo2>, Measured<PulseRate>, Time)>,
}

impl Waveform {
    fn take(&mut self, value: u16, now: Time) {
        let tolerance = (self.full_scale / 50).max(1);
        if self.constant.is_none_or(|(constant, _)| constant != value) {
            self.constant = Some((value, now));
        }
        if self.flat.is_none_or(|(anchor, _)| anchor.abs_diff(value) > tolerance) {
            self.flat = Some((value, now));
        }
    }

    fn numbers(&mut self, spo2: Measured<Spo2>, pulse: Measured<PulseRate>, now: Time) {
        if self.numbers.is_none_or(|(s, p, _)| (s, p) != (spo2, pulse)) {
            self.numbers = Some((spo2, pulse, now));
        }
    }

    fn lost(&mut self) {
        *self = Self { full_scale: self.full_scale, ..Self::default() };
    }

    fn stuck_at(&self) -> Option<Time> {
        let constant = self.constant.map(|(_, since)| since + STUCK_CONSTANT);
        let flat = self.flat.zip(self.numbers).map(|((_, flat), (_, _, same))| flat.max(same) + STUCK_FLAT);
        [constant, flat].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OXIMETER: DeviceIndex = DeviceIndex(0);

    fn oximeter(cadence: Span) -> Oximeter {
        Oximeter::new(Some((OXIMETER, cadence)), Some((OXIMETER, cadence)), Some(127))
    }

    fn numbers(spo2: u16, pulse: u16) -> Oximetry {
        Oximetry {
            at: Time::ZERO,
            spo2: Measured::in_range(Spo2::percent(spo2)),
            pulse: Measured::in_range(PulseRate::bpm(pulse)),
            perfusion_index: Measured::Absent(Absent::NotMeasured),
        }
    }

    fn ms(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn r1_2_a_value_is_stale_after_three_seconds_or_two_and_a_half_cadences() {
        for (cadence_ms, stale_ms) in [(17, 3_000), (1_000, 3_000), (2_000, 5_000)] {
            let mut oximeter = oximeter(Span::millis(cadence_ms));
            oximeter.take(OXIMETER, &numbers(97, 72), ms(0));
            oximeter.refresh(ms(stale_ms - 1));
            assert!(oximeter.spo2().held().value().is_some());
            oximeter.refresh(ms(stale_ms));
            assert_eq!(oximeter.spo2().held(), Measured::Absent(Absent::Stale), "cadence {cadence_ms} ms");
        }
    }

    #[test]
    fn r1_2_a_source_slower_than_four_seconds_raises_no_alarm() {
        assert!(oximeter(Span::secs(4)).spo2().raises_alarms());
        assert!(!oximeter(Span::millis(4_001)).spo2().raises_alarms());
    }

    #[test]
    fn that_nothing_was_received_yet_is_told_at_once_of_either_quantity() {
        let source = Some((OXIMETER, Span::secs(1)));
        for (spo2, pulse, deadline) in
            [(source, None, Some(Time::ZERO)), (None, source, Some(Time::ZERO)), (None, None, None)]
        {
            assert_eq!(Oximeter::new(spo2, pulse, None).deadline(), deadline);
        }
    }

    #[test]
    fn r1_6_another_device_does_not_stand_in_for_the_primary_source() {
        let mut oximeter = oximeter(Span::secs(1));
        oximeter.take(DeviceIndex(1), &numbers(97, 72), ms(0));
        assert_eq!(oximeter.spo2().held(), Measured::Absent(Absent::NeverReceived));
    }

    #[test]
    fn r1_4_a_fall_of_more_than_four_percent_in_a_second_is_questionable_until_it_has_lasted_one() {
        for hz in [1, 3, 60] {
            let mut oximeter = oximeter(Span::secs(1));
            for n in 0..=hz * 4 {
                let at = n * 1_000 / hz;
                oximeter.take(OXIMETER, &numbers(if at < 2_000 { 97 } else { 92 }, 72), ms(at));
                let doubted = (2_000..2_990).contains(&at);
                assert_eq!(oximeter.spo2().held().good().is_none(), doubted, "{at} ms at {hz} Hz");
            }
        }
    }

    #[test]
    fn r1_4_a_fall_of_four_percent_in_a_second_is_good() {
        let mut oximeter = oximeter(Span::secs(1));
        oximeter.take(OXIMETER, &numbers(97, 72), ms(0));
        oximeter.take(OXIMETER, &numbers(93, 72), ms(1_000));
        assert!(oximeter.spo2().held().good().is_some());
    }

    #[test]
    fn r1_7_a_constant_waveform_makes_values_questionable_after_ten_seconds() {
        let mut oximeter = oximeter(Span::secs(1));
        for at in (0..=10_000).step_by(100) {
            oximeter.take(OXIMETER, &numbers(97, 70 + u16::try_from(at / 1_000 % 2).unwrap()), ms(at));
            oximeter.take_pleth(OXIMETER, 64, ms(at));
            oximeter.refresh(ms(at));
            assert_eq!(oximeter.stuck(), at >= 10_000, "{at} ms");
        }
        assert!(matches!(oximeter.spo2().held(), Measured::Questionable(_, Doubt::StuckSource)));
        oximeter.take_pleth(OXIMETER, 80, ms(10_100));
        oximeter.refresh(ms(10_100));
        assert!(!oximeter.stuck());
    }

    #[test]
    fn r1_7_a_waveform_that_stood_still_while_the_sensor_was_off_is_not_stuck_when_it_returns() {
        let mut oximeter = oximeter(Span::secs(1));
        let off = Oximetry { spo2: Measured::Absent(Absent::SensorOff), ..numbers(97, 72) };
        for at in (0..15_000).step_by(1_000) {
            oximeter.take(OXIMETER, &off, ms(at));
            oximeter.take_pleth(OXIMETER, 64, ms(at));
            oximeter.refresh(ms(at));
        }
        oximeter.take(OXIMETER, &numbers(97, 72), ms(15_000));
        oximeter.refresh(ms(15_000));
        assert!(!oximeter.stuck());
    }

    #[test]
    fn r1_7_a_flat_waveform_is_stuck_only_when_the_numbers_stand_still_too() {
        for numbers_change in [false, true] {
            let mut oximeter = oximeter(Span::secs(1));
            for at in (0..=61_000).step_by(1_000) {
                let pulse = if numbers_change { 70 + u16::try_from(at / 1_000 % 2).unwrap() } else { 70 };
                oximeter.take(OXIMETER, &numbers(97, pulse), ms(at));
                oximeter.take_pleth(OXIMETER, 64 + u16::try_from(at / 1_000 % 2).unwrap(), ms(at));
                oximeter.refresh(ms(at));
            }
            assert_eq!(oximeter.stuck(), !numbers_change);
        }
    }

    #[test]
    fn r1_7_a_waveform_is_judged_by_its_full_scale_after_the_device_was_lost_too() {
        let mut oximeter = oximeter(Span::secs(1));
        oximeter.take_pleth(OXIMETER, 64, ms(0));
        oximeter.lose(OXIMETER, Absent::DeviceLost, ms(500));
        for at in (1_000..=62_000).step_by(1_000) {
            // Two of 127 up and down is flat.
            oximeter.take(OXIMETER, &numbers(97, 70), ms(at));
            oximeter.take_pleth(OXIMETER, 64 + u16::try_from(at / 1_000 % 2).unwrap() * 2, ms(at));
            oximeter.refresh(ms(at));
        }
        assert!(oximeter.stuck());
    }

    #[test]
    fn readings_are_told_on_change_and_at_least_once_a_second() {
        let mut oximeter = oximeter(Span::millis(17));
        assert!(oximeter.tell(ms(0)).is_some());
        assert!(oximeter.tell(ms(500)).is_none());
        oximeter.take(OXIMETER, &numbers(97, 72), ms(510));
        assert!(oximeter.tell(ms(510)).is_some());
        oximeter.take(OXIMETER, &numbers(97, 72), ms(527));
        assert!(oximeter.tell(ms(527)).is_none());
        assert_eq!(oximeter.deadline(), Some(ms(1_510)));
        assert!(oximeter.tell(ms(1_510)).is_some());
    }
}
