//! The corpus of the fuzzer, run as plain tests: what a device was seen to say, told stories, and whatever once
//! broke a promise. `scripts/fuzz` goes on from there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is fuzzed may panic: that is how it tells"
)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use fuzz::driver::Record;
use vitalsd::capture::{Reader, What};
use vitalsd_core::driver::{PROTOCOLS, Request};
use vitalsd_core::time::Time;

const REMEDY: &str = "VITALSD_WRITE_SEEDS=1 cargo test --test corpus";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every input of a target, by name.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = repository("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}. A target has a folder there, with seeds; to write them: {REMEDY}", folder.display())
    });
    let paths = files.map(|file| file.expect("the folder can be read").path());
    let mut inputs: Vec<_> =
        paths.map(|path| (path.display().to_string(), fs::read(&path).expect("an input can be read"))).collect();
    inputs.sort();
    inputs
}

/// A seed stands in the corpus as it follows from its source, or is written there if that was asked for.
fn stands(target: &str, name: &str, seed: &[u8]) {
    let path = repository("fuzz/corpus").join(target).join(name);
    if std::env::var_os("VITALSD_WRITE_SEEDS").is_some() {
        fs::create_dir_all(path.parent().expect("in a folder")).expect("the corpus can be written");
        fs::write(&path, seed).expect("the corpus can be written");
    }
    let there = fs::read(&path).unwrap_or_default();
    assert!(there == seed, "{} is not what its source says; to write it anew: {REMEDY}", path.display());
}

/// What the device of a capture said, and what was asked of it, as an input.
fn seed(capture: &Path) -> (String, Vec<u8>) {
    let mut reader = Reader::open(capture).expect("a capture");
    let driver = reader.header().driver.clone().expect("a capture here names its driver");
    let (mut seed, mut now) = (Vec::new(), Time::ZERO);
    while let Some(line) = reader.next_line().expect("a sound capture") {
        let record = match line.what {
            What::Heard(bytes) => Record::Heard(bytes),
            What::Opened => Record::Opened,
            What::Asked(Request::StartCuff) => Record::Start,
            What::Asked(Request::StopCuff) => Record::Stop,
            // What is sent is the driver's to say.
            What::Sent(_) | What::Lost | What::End => Record::Passes(0),
        };
        let pause = line.at.since(now).as_millis();
        if pause > 0 || matches!(record, Record::Passes(_)) {
            Record::Passes(u16::try_from(pause).unwrap_or(u16::MAX)).encode(&mut seed);
        }
        if !matches!(record, Record::Passes(_)) {
            record.encode(&mut seed);
        }
        now = line.at;
    }
    (driver, seed)
}

/// Every recording is a seed. Whoever asks waits for it: what is being written is not read.
fn recordings_stand() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let recordings = fs::read_dir(repository("tests/recordings")).expect("there are recordings");
        for path in recordings.map(|file| file.expect("the folder can be read").path()) {
            if path.extension().is_some_and(|ending| ending == "capture") {
                let (driver, seed) = seed(&path);
                stands(&driver, path.file_stem().expect("it has a name").to_str().expect("in ASCII"), &seed);
            }
        }
    });
}

#[test]
fn every_recording_is_a_seed_of_its_driver() {
    recordings_stand();
}

#[test]
fn every_driver_keeps_its_promises_over_its_corpus() {
    recordings_stand();
    for protocol in PROTOCOLS {
        let inputs = inputs(protocol.name);
        assert!(!inputs.is_empty(), "{} has no seeds; to write them: {REMEDY}", protocol.name);
        for (name, input) in inputs {
            println!("{name}");
            fuzz::driver::run(protocol.name, &input);
        }
    }
}

/// Records of a story: milliseconds before it, and what happens.
fn story(records: &[(u16, &[u8])]) -> Vec<u8> {
    records.iter().flat_map(|(pause, what)| [&pause.to_be_bytes()[..], what].concat()).collect()
}

/// The stories that the fuzzer begins with; the bytes are those of `fuzz/src/monitor.rs`.
fn stories() -> Vec<(&'static str, Vec<u8>)> {
    // Mark 0: good. SpO2, pulse, perfusion index in steps of 0.04 %.
    let (good, low, none) = ([0, 0, 97, 72, 100], [0, 0, 79, 72, 100], [0, 6 | 6 << 3, 0, 0, 0]);
    let (open, dose, close) = ([12, 0, 0, 0, 0], [12, 3, 0], [12, 15, 0]);
    let (high, usual) = ([6, 190, 95, 0], [6, 120, 75, 0]);
    let (unplugged, up) = ([10, 0, 200, 0], [10, 0, 0]);
    let session = |middle: Vec<(u16, &[u8])>| {
        let mut records: Vec<(u16, &[u8])> = vec![(1_000, &good[..]); 5];
        records.extend([(1_000, &open[..]), (1_000, &usual[..]), (60_000, &usual[..]), (1_000, &dose[..])]);
        records.extend(middle);
        records.extend(vec![(1_000, &good[..]); 30]);
        records.extend([(1_000, &[14, 0, 0][..]), (1_000, &close[..])]);
        story(&records)
    };
    vec![
        ("quiet", session(Vec::new())),
        ("desaturation", session(vec![(1_000, &low[..]); 20])),
        (
            "desaturation-accepted",
            session([vec![(1_000, &low[..]); 5], vec![(500, &[14, 1, 0][..])], vec![(1_000, &low[..]); 20]].concat()),
        ),
        ("probe-off", session(vec![(1_000, &none[..]); 70])),
        ("hypertension", session(vec![(1_000, &high[..]), (60_000, &high[..]), (60_000, &usual[..])])),
        ("unplugged", session(vec![(1_000, &unplugged[..]), (60_000, &[15, 2][..]), (1_000, &up[..])])),
        (
            "cuff-on-the-probes-arm",
            session(
                [vec![(100, &[12, 26, 0][..]), (100, &[8][..])], vec![(1_000, &none[..]); 40], vec![(100, &[9][..])]]
                    .concat(),
            ),
        ),
        (
            "help-and-standby",
            session(vec![(1_000, &[12, 24, 0, 0][..]), (1_000, &[12, 16, 0][..]), (60_000, &[12, 17, 0][..])]),
        ),
        (
            "infusion",
            story(&[
                (1_000, &[12, 0, 40, 0, 1][..]),
                (1_000, &dose[..]),
                (60_000, &[12, 9, 0][..]),
                (60_000, &[12, 10, 0][..]),
                (60_000, &[12, 11, 1][..]),
            ]),
        ),
    ]
}

#[test]
fn the_monitor_keeps_its_promises_over_its_corpus() {
    for (name, seed) in stories() {
        stands("monitor", name, &seed);
    }
    for (name, input) in inputs("monitor") {
        println!("{name}");
        fuzz::monitor::run(&input);
    }
}
