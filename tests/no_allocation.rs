//! The hot path allocates nothing: no frame of a device costs memory from the heap, from its bytes to
//! what the bed makes of it. An alarm that is raised, or changes, may allocate.

mod steady;

use std::hint::black_box;

use steady::{Tally, Tape, allocations};
use vitalsd::bedside::flight::ring::Ring;
use vitalsd::capture::What;
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd_core::time::{Span, Time};

/// After that the first of everything has been seen: the lock, a determination, a reading told.
const WARM_UP: Span = Span::secs(60);
/// 100,000 frames at 60 Hz, and the warm-up.
const LENGTH: Span = Span::mins(29);

/// The patient under the dose, to whom nothing else happens.
fn dosed() -> Script {
    Script::quiet().dosed(Time::ZERO)
}

/// The values change, no alarm comes.
fn calm(oximeter: Model) -> Tally {
    let (tally, bedside) = Tape::of(&[oximeter, Model::Dinamap], dosed(), LENGTH).tally(WARM_UP);
    assert_eq!(bedside.bed().alarms().count(), 0, "a calm course raises nothing");
    tally
}

#[test]
fn a_calm_nonin_allocates_nothing_in_100_000_frames() {
    let tally = calm(Model::NoninDf2);
    assert!(tally.frames >= 100_000 && tally.changed <= 10, "{tally:?}");
    assert_eq!(tally.allocated, 0, "{tally:?}");
}

#[test]
fn a_calm_contec_allocates_nothing_in_100_000_frames() {
    let tally = calm(Model::ContecV7);
    assert!(tally.frames >= 100_000 && tally.changed <= 10, "{tally:?}");
    assert_eq!(tally.allocated, 0, "{tally:?}");
}

#[test]
fn an_alarm_that_stands_and_is_accepted_allocates_nothing() {
    let fall = Effect::Desaturation { to_pct: 86.0, ramp: Span::secs(20) };
    let script = dosed().with(fall, Time::from_millis(10_000), LENGTH);
    let (tally, bedside) = Tape::of(&[Model::NoninDf2, Model::Dinamap], script, LENGTH).tally(WARM_UP);
    assert!(bedside.bed().alarms().all(|alarm| alarm.ack.is_some()) && bedside.bed().alarms().count() >= 3);
    assert!(tally.frames >= 100_000 && tally.changed <= 20, "{tally:?}");
    assert_eq!(tally.allocated, 0, "{tally:?}");
}

#[test]
fn a_flight_recorder_allocates_nothing_however_long_it_listens() {
    let mut ring = Ring::new(Span::mins(5), 100_000);
    let before = allocations::count();
    for n in 0..100_000 {
        ring.take(Time::from_millis(n * 16), What::Heard(&[0x01, 0x81, 0x43, 0x00, 0xc5]));
    }
    assert_eq!(allocations::count() - before, 0);
    assert!(ring.copy(Time::from_millis(1_600_000)).len() > 90_000, "it was full");
}

#[test]
fn what_is_allocated_is_counted() {
    let before = allocations::count();
    black_box(Box::new(1_u8));
    assert_eq!(allocations::count() - before, 1);
}
