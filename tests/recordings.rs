//! Proves that every driver that is built in reads a recording of its protocol as the sheet means it. The recordings
//! stand in `tests/recordings/`, with a table of where their bytes come from.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vitalsd::capture::{Provenance, Reader, What};
use vitalsd_core::driver::{AnyDriver, Driver, Outgoing, PROTOCOLS};
use vitalsd_core::time::{Span, Time};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// Every capture there is, by its name without the ending.
fn captures() -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let captures = files.filter(|path| path.extension().is_some_and(|ending| ending == "capture"));
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    let mut captures: Vec<_> = captures.map(named).collect();
    captures.sort();
    captures
}

/// What `vitalsd decode` prints for a capture.
fn decoded(path: &Path) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_vitalsd")).arg("decode").arg(path).output().unwrap();
    assert!(done.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn every_driver_has_a_recording() {
    let there = captures();
    let missing =
        PROTOCOLS.iter().map(|protocol| protocol.name).filter(|name| !there.iter().any(|(one, _)| one == name));
    let missing: Vec<_> = missing
        .map(|name| {
            format!(
                "tests/recordings/{name}.capture is missing. From a device: `vitalsd capture PORT \
                 tests/recordings/{name}.capture --driver {name}`; without one: by hand from the vectors of its sheet. \
                 Beside it {name}.jsonl, what `vitalsd decode` is to print for it. tests/recordings/README.md says how"
            )
        })
        .collect();
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn every_recording_names_its_driver_and_where_its_bytes_come_from() {
    let table = fs::read_to_string(directory().join("README.md")).unwrap();
    for (name, path) in captures() {
        let reader = Reader::open(&path).unwrap();
        let header = reader.header();
        let driver = header.driver.clone().unwrap_or_default();
        assert!(PROTOCOLS.iter().any(|protocol| protocol.name == driver), "{name}: no driver `{driver}`");
        assert!(name == driver || name.starts_with(&format!("{driver}-")), "{name} is of the driver {driver}");
        let row = format!("| `{name}` | {} |", header.provenance);
        assert!(table.contains(&row), "README.md has no row that begins with: {row}");
    }
}

#[test]
fn every_recording_means_what_its_sheet_says() {
    for (name, path) in captures() {
        let expected = path.with_extension("jsonl");
        let expected = fs::read_to_string(&expected).unwrap_or_else(|_| {
            panic!(
                "tests/recordings/{name}.jsonl is missing: the lines that `vitalsd decode tests/recordings/{name}.capture` \
                 is to print, written from the sheet. tests/recordings/README.md says how"
            )
        });
        let found = decoded(&path);
        for (number, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
            assert_eq!(found, expected, "{name}.jsonl:{number}");
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{name}: so many lines");
    }
}

/// What was asked of a device, and when.
type Questions = Vec<(Time, Vec<u8>)>;

/// The questions in a capture, and those that its driver asks of a device that answers as the capture has it.
fn questions(path: &Path) -> (Questions, Questions) {
    let mut reader = Reader::open(path).unwrap();
    let mut driver = AnyDriver::new(reader.header().driver.as_ref().unwrap()).unwrap();
    let (mut there, mut asked, mut due) = (Questions::new(), Questions::new(), None);
    let mut poll = |driver: &mut AnyDriver, at: Time| {
        let poll = driver.poll(at, &mut |_| {});
        asked.extend(poll.send.map(|send: Outgoing| (at, send.to_vec())));
        poll.next.map(|next| next.max(at + Span::millis(1)))
    };
    while let Some(line) = reader.next_line().unwrap() {
        while let Some(at) = due.filter(|due| *due < line.at) {
            due = poll(&mut driver, at);
        }
        match line.what {
            What::Opened => driver.opened(line.at),
            What::Heard(bytes) => driver.decode(bytes, line.at, &mut |_| {}),
            What::Sent(bytes) => there.push((line.at, bytes.to_vec())),
            What::Asked(request) => driver.request(request, line.at).unwrap(),
            What::Lost | What::End => {}
        }
        due = poll(&mut driver, line.at);
    }
    (there, asked)
}

#[test]
fn a_recording_from_the_sheet_asks_what_its_driver_asks_and_when() {
    for (name, path) in captures() {
        if Reader::open(&path).unwrap().header().provenance != Provenance::Sheet {
            continue;
        }
        let (there, asked) = questions(&path);
        for (there, asked) in there.iter().zip(&asked) {
            assert_eq!(there.1, asked.1, "{name}: at {:?}, where the driver asks at {:?}", there.0, asked.0);
            // A millisecond for the way to the port.
            let late = there.0.since(asked.0);
            assert!(there.0 >= asked.0 && late <= Span::millis(1), "{name}: {there:?}, asked at {:?}", asked.0);
        }
        assert_eq!(there.len(), asked.len(), "{name}: so many questions");
    }
}
