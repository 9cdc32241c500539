//! A bed that is told anything at any time.
//!
//! An input is a list of records: what happens (one byte), its figures, and how long it took (two bytes).

use vitalsd_core::driver::Quantity;
use vitalsd_core::monitor::input::{
    Action, BoxFault, CloseReason, Command, DeviceIndex, Input, Link, LossReason, Named, OffReason, Opening, Route,
    Side, StandbyReason,
};
use vitalsd_core::monitor::observation::{Observation, Responsiveness};
use vitalsd_core::monitor::output::{Condition, Output, Presence};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::monitor::{Bed, Device};
use vitalsd_core::sample::{CuffFailure, CuffOrigin, CuffResult, CuffState, Notice, Oximetry, Sample};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{Absent, BloodPressure, Doubt, Measured, PerfusionIndex, PulseRate, Spo2};

use super::bytes::Bytes;

const OXIMETER: DeviceIndex = DeviceIndex(0);
const CUFF: DeviceIndex = DeviceIndex(1);

fn devices() -> Vec<Device> {
    let device = |primary: &[Quantity]| Device {
        cadence: Span::secs(1),
        primary: primary.to_vec(),
        starts_cuff: primary.contains(&Quantity::BloodPressure),
        cuff_rest: Span::secs(30),
        pleth_full_scale: Some(127),
    };
    vec![device(&[Quantity::Spo2, Quantity::Pulse]), device(&[Quantity::BloodPressure])]
}

/// Plays `input` in a bed, and beside it in one that looks more often and one that is taken down and put up again.
///
/// # Panics
/// If a promise of the monitor is broken.
pub fn run(input: &[u8]) {
    let bed = || {
        let mut bed = Bed::new(Preset::kat_default_1(), devices(), Time::ZERO);
        // The first look tells that nothing was received yet.
        bed.input(&Input::Tick, Time::ZERO, &mut |_| {});
        bed
    };
    let (mut seldom, mut often, mut restored) = (bed(), bed(), bed());
    let (mut told, mut told_often, mut told_restored) = (Vec::new(), Vec::new(), Vec::new());
    let mut now = Time::ZERO;
    let mut bytes = Bytes::new(input);
    while !bytes.is_empty() {
        let pause = Span::millis(u64::from(bytes.word()));
        let step = Step::read(&mut bytes);
        for part in 1..4 {
            let look = now + Span::millis(pause.as_millis() * part / 4);
            often.input(&Input::Tick, look, &mut |output| told_often.push(output));
        }
        now = now + pause;
        // Not each time: it costs more than all the rest.
        if pause.as_millis().is_multiple_of(8) {
            restored = Bed::restore(restored.snapshot().clone(), Preset::kat_default_1(), devices());
        }
        for (bed, out) in [(&mut seldom, &mut told), (&mut often, &mut told_often), (&mut restored, &mut told_restored)]
        {
            step.play(bed, now, out);
            assert!(bed.deadline().is_none_or(|at| at > now), "{:?} is not in the future of {now:?}", bed.deadline());
        }
        assert_eq!(told, told_often, "looking more often made a difference");
        assert_eq!(told, told_restored, "a restart made a difference");
        told.clear();
        told_often.clear();
        told_restored.clear();
    }
    assert_eq!(seldom.snapshot(), restored.snapshot());
}

/// One thing that happens.
enum Step {
    Tell(fn(Time) -> Sample, DeviceIndex),
    Said(Input),
    Oximetry(Measured<Spo2>, Measured<PulseRate>, Measured<PerfusionIndex>),
    Pleth(u16),
    Cuff(Result<BloodPressure, CuffFailure>, Span),
    Act(Action),
    /// Something about one of the alarms that are there.
    About(u8, u8),
}

impl Step {
    fn read(bytes: &mut Bytes<'_>) -> Self {
        match bytes.byte() % 16 {
            0..=4 => {
                let (mark, spo2, pulse, index) = (bytes.byte(), bytes.byte(), bytes.byte(), bytes.byte());
                let spo2 = quality(Measured::in_range(Spo2::percent(spo2.into())), mark);
                let pulse = quality(Measured::in_range(PulseRate::bpm(pulse.into())), mark >> 3);
                Self::Oximetry(spo2, pulse, Measured::in_range(PerfusionIndex::hundredths(u16::from(index) * 4)))
            }
            5 => Self::Pleth(bytes.byte().into()),
            6 | 7 => {
                let (systolic, diastolic, ago) = (bytes.byte(), bytes.byte(), bytes.byte());
                let full = BloodPressure::full(systolic.into(), diastolic.into(), None);
                let pressure = full.or_else(|| BloodPressure::mean_only(systolic.into()));
                Self::Cuff(pressure.ok_or(CuffFailure::PumpTimeout), Span::secs(u64::from(ago)))
            }
            8 => Self::Tell(|at| Sample::CuffState { at, state: CuffState::Inflating }, CUFF),
            9 => Self::Tell(|at| Sample::CuffState { at, state: CuffState::Idle }, CUFF),
            10 => {
                let device = bytes.pick(&[OXIMETER, CUFF]);
                let lost = [LossReason::Unplugged, LossReason::Silent, LossReason::Busy, LossReason::ChecksumStorm];
                let link = match bytes.byte() {
                    0..=99 => Link::Up,
                    100..=149 => Link::Opened,
                    _ => Link::Lost(bytes.pick(&lost)),
                };
                Self::Said(Input::Link { device, link })
            }
            11 => {
                let fault = bytes.pick(BoxFault::ALL.as_slice());
                Self::Said(Input::Fault { fault, present: bytes.byte() % 2 == 1 })
            }
            12 | 13 => Self::Act(action(bytes)),
            14 => Self::About(bytes.byte(), bytes.byte()),
            _ => bytes.pick(&[
                || Self::Tell(|at| Sample::Notice { at, notice: Notice::OwnAlarmOff }, OXIMETER),
                || Self::Tell(|at| Sample::Notice { at, notice: Notice::OwnAlarmOn }, OXIMETER),
                || Self::Said(Input::Tick),
            ])(),
        }
    }

    fn play(&self, bed: &mut Bed, now: Time, out: &mut Vec<Output>) {
        let mut say = |output| out.push(output);
        let (device, sample) = match self {
            Self::Tell(sample, device) => (*device, sample(now)),
            Self::Oximetry(spo2, pulse, perfusion_index) => {
                let (spo2, pulse, perfusion_index) = (*spo2, *pulse, *perfusion_index);
                (OXIMETER, Sample::Oximetry(Oximetry { at: now, spo2, pulse, perfusion_index }))
            }
            Self::Pleth(value) => (OXIMETER, Sample::Pleth { at: now, value: *value }),
            Self::Cuff(pressure, ago) => {
                let pulse = Measured::Absent(Absent::NotMeasured);
                let (measured_at, origin) = (now - *ago, CuffOrigin::Schedule);
                (CUFF, Sample::CuffResult(CuffResult { at: now, measured_at, origin, pressure: *pressure, pulse }))
            }
            Self::Said(input) => return bed.input(input, now, &mut say),
            Self::Act(action) => return act(bed, action.clone(), now, &mut say),
            Self::About(what, which) => {
                // A person acts on what is so now.
                bed.input(&Input::Tick, now, &mut say);
                let Some(action) = about(bed, *what, *which) else { return };
                return act(bed, action, now, &mut say);
            }
        };
        bed.input(&Input::Sample { device, sample }, now, &mut say);
    }
}

fn act(bed: &mut Bed, action: Action, now: Time, say: &mut impl FnMut(Output)) {
    // A refusal is an answer.
    let _ = bed.command(&Command { actor: "nurse-1".into(), action }, now, say);
}

fn quality<T: Copy>(value: Measured<T>, mark: u8) -> Measured<T> {
    match mark % 8 {
        0..=4 => value,
        5 => value.doubted(Doubt::Motion),
        6 => Measured::Absent(Absent::SensorOff),
        _ => Measured::Absent(Absent::NoPulse),
    }
}

fn about(bed: &Bed, what: u8, which: u8) -> Option<Action> {
    let alarms: Vec<_> = bed.alarms().collect();
    let alarm = alarms.get(usize::from(which) % alarms.len().max(1))?;
    let (condition, episode, priority) = (alarm.condition, alarm.episode, alarm.priority);
    let named = Named { condition, episode, priority };
    Some(match (what % 5, alarm.presence) {
        (0, Presence::Latched) => Action::Seen { condition, episode },
        (0 | 1, _) => Action::Acknowledge(named),
        (2, _) => Action::Withdraw(named),
        (3, _) => Action::Decline(named),
        _ => Action::SwitchOff { condition, reason: OffReason::Expected },
    })
}

fn action(bytes: &mut Bytes<'_>) -> Action {
    let kind = bytes.byte() % 28;
    let ago = Span::mins(u64::from(bytes.byte()));
    match kind {
        0..=2 => {
            let route = bytes.pick(&[Route::Iv, Route::Im, Route::Intranasal, Route::Oral]);
            let marks = bytes.byte();
            let is = |bit: u8| marks & (1 << bit) != 0;
            Action::Open(Opening {
                infusion: is(0).then_some(ago),
                over_65: is(1),
                oxygen: is(2),
                sedative: is(3),
                hypercapnia: is(4),
                probe_hand: if is(5) { Side::Left } else { Side::Right },
                ..Opening::by(route)
            })
        }
        3..=5 => Action::Dose { ago },
        6 => Action::DoseAgain { ago },
        7 => Action::UndoDose,
        8 => Action::NotYet,
        9 => Action::InfusionPause,
        10 => Action::InfusionResume,
        11 => Action::InfusionEnd { ago },
        12 => Action::Prolong { by: ago },
        13 => Action::Abort,
        14 => Action::Cancel,
        15 => Action::Close { reason: Some(CloseReason::Test) },
        16 => Action::Standby { reason: StandbyReason::Toilet },
        17 => Action::EndStandby,
        18 => Action::RetakeBaseline,
        19 => Action::ConfirmSlowPulse,
        20 => Action::Observe(bytes.pick(&[
            Observation::GaveBenzodiazepine,
            Observation::GaveAntihypertensive,
            Observation::GaveOxygen,
            Observation::StoppedOxygen,
            Observation::Nausea,
            Observation::Sedation { responds: Responsiveness::Unresponsive },
        ])),
        21 => Action::Check { responds: Responsiveness::Awake, breaths: Some(bytes.byte()) },
        22 => Action::PauseAudio,
        23 => Action::SwitchOn { condition: bytes.pick(Condition::ALL) },
        24 => bytes.pick(&[|| Action::Help, || Action::HelpOver])(),
        25 => bytes.pick(&[|| Action::StartCuff, || Action::StartStat, || Action::StopCuff])(),
        26 => Action::ProbeOnCuffArm,
        _ => match BloodPressure::full(bytes.byte().into(), bytes.byte().into(), None) {
            Some(pressure) => Action::Pressure { pressure, ago },
            None => Action::ResumeAudio,
        },
    }
}
