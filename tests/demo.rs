//! Proves that the README's first command works on a bare machine: four rooms come up, in different phases,
//! and nothing is left behind.
#![cfg(feature = "demo-broker")]
#![allow(clippy::expect_used, reason = "a helper of tests fails as a test does")]

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};

fn demo(port: u16, seconds: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vitalsd"))
        .args(["demo", "--mqtt-port", &port.to_string(), "--for", seconds])
        .output()
        .expect("the program runs")
}

/// The command lines of all processes that mention `word`.
fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("a list of processes").flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(word)).map(|line| line.replace('\0', " ")).collect()
}

#[test]
fn four_rooms_come_up_in_different_phases_and_nothing_is_left_behind() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let output = demo(port, "13");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for room in ["room-1  window", "room-2  onset", "room-3  recovery", "room-4  baseline"] {
        assert!(said.contains(room), "{room} is missing:\n{said}");
    }
    assert!(said.contains("SpO2   97 %") || said.contains("SpO2   98 %"), "{said}");
    let config = said.lines().find_map(|line| line.split("configuration ").nth(1)).expect("the configuration is named");
    let directory = config.trim_end_matches("/vitalsd.toml");
    assert!(!fs::exists(directory).expect("can be asked"), "{directory} is left");
    assert_eq!(processes_with(directory), Vec::<String>::new());
}

#[test]
fn a_port_that_is_held_is_named_with_the_remedy() {
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("its address").port();
    let output = demo(port, "5");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&port.to_string()) && said.contains("--mqtt-port"), "{said}");
}
