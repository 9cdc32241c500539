//! Proves that `vitalsd drivers` tells every driver that is built in, to a person, to a program and in
//! `docs/devices.md`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vitalsd::wire::Driver;
use vitalsd_core::driver::PROTOCOLS;

const REMEDY: &str = "VITALSD_WRITE_TABLE=1 cargo test --test devices";
const BEGIN: &str = "<!-- written by `vitalsd drivers --markdown` -->\n";
const END: &str = "<!-- until here -->\n";
/// In the place of a recording that is not there.
const NONE: &str = "none yet";

/// What `vitalsd drivers` prints.
fn drivers(option: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_vitalsd")).arg("drivers").args(option).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_table_of_the_devices_is_what_the_drivers_say() {
    let path = repository("docs/devices.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap_or_else(|| panic!("docs/devices.md has no line {BEGIN}"));
    let (written, after) = rest.split_once(END).unwrap_or_else(|| panic!("docs/devices.md has no line {END}"));
    let table = format!("\n{}\n", drivers(&["--markdown"]));
    if std::env::var_os("VITALSD_WRITE_TABLE").is_some() {
        return fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
    }
    // A recording that is missing is the matter of `tests/recordings.rs`; as long as one is, no recording is compared.
    let recordings = !table.contains(NONE);
    let compared = |table: &str| {
        let rows =
            table.lines().map(|row| if recordings { row } else { row.rsplit_once(" | ").map_or(row, |cut| cut.0) });
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    for (number, (written, said)) in (1..).zip(compared(written).iter().zip(&compared(&table))) {
        assert_eq!(written, said, "line {number} of the table in docs/devices.md; to write it anew: {REMEDY}");
    }
    assert_eq!(compared(written).len(), compared(&table).len(), "so many lines; to write it anew: {REMEDY}");
}

#[test]
fn a_terminal_of_100_characters_shows_every_driver_once_with_its_devices_and_says_what_stays_out() {
    let page = drivers(&[]);
    for line in page.lines() {
        assert!(line.chars().count() <= 100, "{} characters: {line}", line.chars().count());
    }
    for protocol in PROTOCOLS {
        let first = protocol.devices.split(' ').next().unwrap();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with(&format!("{} ", protocol.name))).collect();
        assert!(rows.len() == 1 && rows[0].contains(first), "{}: {rows:?}", protocol.name);
    }
    let (oximeters, cuffs) = page.split_once("Blood-pressure monitors\n").expect("two groups");
    assert!(oximeters.starts_with("Pulse oximeters\n") && oximeters.contains("\nchipox "));
    assert!(cuffs.contains("\ndinamap ") && cuffs.contains("\nand-ua767 "));
    let last = page.lines().last().unwrap();
    assert!(last.contains("docs/devices-not-supported.md"), "{last}");
    assert!(repository("docs/devices-not-supported.md").exists() && repository("docs/devices.md").exists());
}

#[test]
fn a_program_gets_every_driver_with_the_recordings_that_prove_it() {
    let said: Vec<Driver> = drivers(&["--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = said.iter().map(|driver| driver.name.as_str()).collect();
    assert_eq!(names, PROTOCOLS.iter().map(|protocol| protocol.name).collect::<Vec<_>>());
    let told: Vec<_> =
        said.iter().flat_map(|driver| &driver.recordings).map(|recording| recording.name.clone()).collect();
    let files = fs::read_dir(repository("tests/recordings")).unwrap().map(|file| file.unwrap().path());
    let captures = files.filter(|path| path.extension().is_some_and(|ending| ending == "capture"));
    let there: Vec<_> = captures.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(there.len() == told.len() && there.iter().all(|name| told.contains(name)), "{there:?} and {told:?}");
    let recording =
        |name: &str| said.iter().flat_map(|driver| &driver.recordings).find(|one| one.name == name).unwrap();
    assert_eq!(serde_json::to_value(recording("contec-v7").provenance).unwrap(), "device", "CMS50D+, captured");
    assert_eq!(serde_json::to_value(recording("contec-v7-computed").provenance).unwrap(), "sheet");
}
