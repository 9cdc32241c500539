//! Proves: a port is read as bytes come, its loss is told once and with its reason, it comes back
//! by its stable name, and what cannot be opened says why.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use vitalsd::port::name::DeviceRoot;
use vitalsd::port::pty::Pty;
use vitalsd::port::serial::{OpenError, SerialPort, open};
use vitalsd::port::watch::{Port, PortEvent, WriteError};
use vitalsd_core::driver::LineSettings;
use vitalsd_core::monitor::input::LossReason;

const LINE: LineSettings = LineSettings::n1(9_600);
const OXIMETER: &str = "/dev/serial/by-id/usb-FTDI_Oximeter_A1-if00-port0";

/// A device tree of its own, with the oximeter's stable name in it once it is plugged in.
struct Bench {
    root: DeviceRoot,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { root: DeviceRoot::at(directory.path()), directory }
    }

    fn path(&self) -> PathBuf {
        self.root.resolve(Path::new(OXIMETER))
    }

    fn plug_in(&self) -> Pty {
        let pty = Pty::open().unwrap();
        pty.plug_in_at(&self.path()).unwrap();
        pty
    }

    /// As udev does: the name goes, and with the last one its directory.
    fn unplug(&self, pty: Pty) {
        pty.unplug();
        std::fs::remove_dir_all(self.directory.path().join("dev")).unwrap();
    }

    fn port(&self) -> Port {
        Port::new(self.root.clone(), OXIMETER.into(), LINE)
    }
}

/// What can be compared of an event: the kind, and the bytes or the text.
#[derive(Debug, PartialEq)]
enum Told {
    Opened,
    Bytes(Vec<u8>),
    Lost(LossReason, String),
}

async fn next(port: &mut Port) -> Told {
    match timeout(Duration::from_secs(30), port.next()).await.expect("an event") {
        PortEvent::Opened { .. } => Told::Opened,
        PortEvent::Bytes { bytes, .. } => Told::Bytes(bytes.to_vec()),
        PortEvent::Lost { reason, text } => Told::Lost(reason, text),
    }
}

async fn lost(port: &mut Port) -> (LossReason, String) {
    match next(port).await {
        Told::Lost(reason, text) => (reason, text),
        other => panic!("a loss, not {other:?}"),
    }
}

/// Bytes, however reads split them.
async fn bytes(port: &mut Port, n: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < n {
        match next(port).await {
            Told::Bytes(bytes) => all.extend(bytes),
            other => panic!("bytes, not {other:?}"),
        }
    }
    all
}

async fn try_open(path: &Path) -> Result<SerialPort, OpenError> {
    let path = path.to_owned();
    spawn_blocking(move || open(&path, LINE)).await.unwrap()
}

fn read_all(pty: &Pty) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut all = Vec::new();
    while let Ok(n) = pty.try_read(&mut buffer) {
        all.extend_from_slice(&buffer[..n]);
    }
    all
}

#[test]
fn what_a_device_says_is_kept_until_the_port_is_opened_and_never_echoed() {
    let pty = Pty::open().unwrap();
    assert_eq!(pty.try_write(b"\x01\x0a\x0d\x03").unwrap(), 4);
    assert_eq!(pty.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    let host = std::fs::File::open(pty.path()).unwrap();
    let mut heard = [0; 8];
    assert_eq!(std::io::Read::read(&mut &host, &mut heard).unwrap(), 4);
    assert_eq!(heard[..4], *b"\x01\x0a\x0d\x03");
}

#[tokio::test]
async fn every_byte_value_arrives_unchanged_with_the_time_of_its_read() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let mut port = bench.port();
    assert_eq!(next(&mut port).await, Told::Opened);

    let all: Vec<u8> = (0..=255).collect();
    let before = Instant::now();
    pty.try_write(&all).unwrap();
    let PortEvent::Bytes { bytes: first, at } = port.next().await else { panic!("bytes") };
    assert!(at >= before && at <= Instant::now());
    let mut heard = first.to_vec();
    heard.extend(bytes(&mut port, all.len() - heard.len()).await);
    assert_eq!(heard, all);
}

#[tokio::test]
async fn what_came_before_the_port_was_opened_is_discarded() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    pty.try_write(b"of unknown age").unwrap();
    let mut port = bench.port();
    assert_eq!(next(&mut port).await, Told::Opened);
    pty.try_write(b"new").unwrap();
    assert_eq!(bytes(&mut port, 3).await, b"new");
}

#[tokio::test]
async fn an_unplugged_port_is_told_once_and_comes_back_by_its_stable_name() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let mut port = bench.port();
    assert_eq!(next(&mut port).await, Told::Opened);
    pty.try_write(b"half a fra").unwrap();
    assert_eq!(bytes(&mut port, 10).await, b"half a fra");

    bench.unplug(pty);
    let (reason, text) = lost(&mut port).await;
    assert_eq!(reason, LossReason::Unplugged);
    assert!(text.contains("Oximeter_A1"), "{text}");
    // Several attempts fail in this time; none of them is news.
    let quiet = timeout(Duration::from_millis(700), port.next()).await;
    assert!(quiet.is_err(), "told again: {quiet:?}");

    let pty = bench.plug_in();
    assert_eq!(next(&mut port).await, Told::Opened, "between the bytes of before and after");
    pty.try_write(b"me").unwrap();
    assert_eq!(bytes(&mut port, 2).await, b"me");
}

#[tokio::test]
async fn r1_6_a_name_by_serial_number_is_followed_to_another_socket_and_one_by_socket_is_not() {
    const SOCKETS: [&str; 2] = ["/dev/serial/by-path/pci-0:1", "/dev/serial/by-path/pci-0:2"];
    let bench = Bench::new();
    let plug_in_at = |socket: &str| {
        let pty = bench.plug_in();
        pty.plug_in_at(&bench.root.resolve(Path::new(socket))).unwrap();
        pty
    };
    let pty = plug_in_at(SOCKETS[0]);
    let mut by_id = bench.port();
    assert_eq!(next(&mut by_id).await, Told::Opened);
    bench.unplug(pty);
    assert_eq!(lost(&mut by_id).await.0, LossReason::Unplugged);
    let mut by_socket = Port::new(bench.root.clone(), SOCKETS[0].into(), LINE);
    assert_eq!(lost(&mut by_socket).await.0, LossReason::NotFound);

    let pty = plug_in_at(SOCKETS[1]);
    assert_eq!(next(&mut by_id).await, Told::Opened);
    pty.try_write(b"me").unwrap();
    assert_eq!(bytes(&mut by_id, 2).await, b"me");
    assert!(timeout(Duration::from_millis(500), by_socket.next()).await.is_err(), "nothing is in its socket");
}

#[tokio::test]
async fn other_line_settings_are_told_as_an_opening_and_the_port_stays_the_same() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let mut port = bench.port();
    assert_eq!(next(&mut port).await, Told::Opened);
    port.tune(LINE);
    assert!(timeout(Duration::from_millis(100), port.next()).await.is_err(), "the same ones change nothing");
    pty.try_write(b"of the old settings").unwrap();
    port.tune(LineSettings::n1(115_200));
    assert!(matches!(port.write(b"early"), Err(WriteError::Closed)));
    assert_eq!(next(&mut port).await, Told::Opened);
    pty.try_write(b"new").unwrap();
    assert_eq!(bytes(&mut port, 3).await, b"new");
    port.write(b"asked").unwrap();
    assert_eq!(read_all(&pty), b"asked");
}

#[test]
fn the_serial_number_of_an_adapter_is_that_of_its_usb_device() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let adapter = || bench.root.adapter(Path::new(OXIMETER));
    assert_eq!(adapter(), None, "no adapter");
    let sys = bench.directory.path().join("sys");
    let (usb, tty) = (sys.join("devices/usb1/1-2"), sys.join("class/tty").join(pty.path().file_name().unwrap()));
    std::fs::create_dir_all(usb.join("1-2:1.0/ttyUSB0")).unwrap();
    std::fs::create_dir_all(&tty).unwrap();
    // A hub above it has ids of its own.
    std::fs::write(sys.join("devices/usb1/idVendor"), "1d6b\n").unwrap();
    std::fs::write(sys.join("devices/usb1/serial"), "hub\n").unwrap();
    std::fs::write(usb.join("idVendor"), "0403\n").unwrap();
    std::os::unix::fs::symlink(usb.join("1-2:1.0/ttyUSB0"), tty.join("device")).unwrap();
    assert_eq!(adapter().as_deref(), Some("none"), "a cheap one");
    std::fs::write(usb.join("serial"), "A10K0EXA\n").unwrap();
    assert_eq!(adapter().as_deref(), Some("A10K0EXA"));
}

#[tokio::test]
async fn a_port_that_appears_is_opened_at_once_and_not_when_the_pause_is_over() {
    let bench = Bench::new();
    let mut port = bench.port();
    assert_eq!(lost(&mut port).await.0, LossReason::NotFound);
    // 0.2 + 0.4 + 0.8 + 1.6 s have passed, a pause of 3.2 s begins: longer than what is allowed below.
    assert!(timeout(Duration::from_millis(3_050), port.next()).await.is_err());
    let _pty = bench.plug_in();
    let opened = timeout(Duration::from_millis(2_500), port.next()).await;
    assert_eq!(opened.expect("before the pause is over"), PortEvent::Opened { adapter: None });
}

#[tokio::test]
async fn a_missing_port_is_not_found() {
    let bench = Bench::new();
    let error = try_open(&bench.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().contains("vitalsd ports"), "{error}");
}

#[tokio::test]
async fn what_is_not_a_serial_port_is_told_so() {
    let bench = Bench::new();
    let file = bench.directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    for path in [Path::new("/dev/null"), &file, bench.directory.path()] {
        let error = try_open(path).await.unwrap_err();
        assert!(matches!(error, OpenError::NotASerialPort { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
}

#[tokio::test]
async fn a_port_in_use_is_busy_names_its_holder_and_is_taken_when_it_is_free() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let first = try_open(&bench.path()).await.unwrap();

    let error = try_open(&bench.path()).await.unwrap_err();
    let OpenError::Busy { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
    assert_eq!(holder.pid, std::process::id());
    assert!(error.to_string().contains(&holder.to_string()), "{error}");

    let mut port = bench.port();
    assert_eq!(lost(&mut port).await.0, LossReason::Busy);
    drop(first);
    assert_eq!(next(&mut port).await, Told::Opened);
    pty.try_write(b"hello").unwrap();
    assert_eq!(bytes(&mut port, 5).await, b"hello");
}

#[tokio::test]
async fn a_failure_of_another_kind_is_news() {
    let bench = Bench::new();
    let mut port = bench.port();
    assert_eq!(lost(&mut port).await.0, LossReason::NotFound);
    std::fs::create_dir_all(bench.path()).unwrap();
    assert_eq!(lost(&mut port).await.0, LossReason::NotASerialPort);
    std::fs::remove_dir(bench.path()).unwrap();
    assert_eq!(lost(&mut port).await.0, LossReason::NotFound);
}

#[tokio::test]
async fn a_command_reaches_the_device() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let mut port = bench.port();
    assert!(matches!(port.write(b"early"), Err(WriteError::Closed)));
    assert_eq!(next(&mut port).await, Told::Opened);
    port.write(b"\x02start\r\n").unwrap();
    assert_eq!(read_all(&pty), b"\x02start\r\n");
    assert_eq!(port.refused_writes(), 1);
}

#[tokio::test]
async fn a_device_that_takes_nothing_never_makes_a_write_wait() {
    let bench = Bench::new();
    let _pty = bench.plug_in();
    let mut port = bench.port();
    assert_eq!(next(&mut port).await, Told::Opened);
    let refused = (0..1_000).map(|_| port.write(&[0x55; 256])).find_map(Result::err);
    assert!(matches!(refused, Some(WriteError::Full { .. })), "{refused:?}");
    assert_eq!(port.refused_writes(), 1);
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    let mut port = bench.port();
    // Opened by waits of which each is given up, in whatever state it is.
    let opened = async {
        while timeout(Duration::from_micros(50), port.next()).await != Ok(PortEvent::Opened { adapter: None }) {}
    };
    timeout(Duration::from_secs(30), opened).await.unwrap();

    let sent: Vec<u8> = (0..200).collect();
    let mut heard = Vec::new();
    for byte in &sent {
        pty.try_write(&[*byte]).unwrap();
        tokio::select! {
            biased;
            event = port.next() => match event {
                PortEvent::Bytes { bytes, .. } => heard.extend_from_slice(bytes),
                other => panic!("bytes, not {other:?}"),
            },
            () = tokio::task::yield_now() => {}
        }
    }
    let rest = bytes(&mut port, sent.len() - heard.len()).await;
    heard.extend(rest);
    assert_eq!(heard, sent);
}

#[test]
fn a_numbered_name_is_warned_of_and_the_stable_one_is_named() {
    let bench = Bench::new();
    let pty = Pty::open().unwrap();
    pty.plug_in_at(&bench.root.resolve(Path::new("/dev/ttyUSB0"))).unwrap();
    let warning = bench.root.warning(Path::new("/dev/ttyUSB0")).unwrap();
    assert!(warning.contains("vitalsd ports"), "{warning}");
    pty.plug_in_at(&bench.path()).unwrap();
    let warning = bench.root.warning(Path::new("/dev/ttyUSB0")).unwrap();
    assert!(warning.contains(OXIMETER), "{warning}");
    for fine in [OXIMETER, "/dev/serial/by-path/pci-0", "/dev/vitals/bed-1-spo2", "/dev/ttyS0", "/dev/pts/7"] {
        assert_eq!(bench.root.warning(Path::new(fine)), None);
    }
}

#[test]
fn a_port_is_listed_once_by_its_best_name_and_not_when_it_is_gone() {
    let bench = Bench::new();
    let pty = bench.plug_in();
    pty.plug_in_at(&bench.root.resolve(Path::new("/dev/vitals/bed-1-spo2"))).unwrap();
    pty.plug_in_at(&bench.root.resolve(Path::new("/dev/serial/by-path/pci-0:1"))).unwrap();
    let gone = Pty::open().unwrap();
    gone.plug_in_at(&bench.root.resolve(Path::new("/dev/serial/by-id/usb-gone"))).unwrap();
    gone.unplug();

    let found = bench.root.plugged_in();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].port, Path::new("/dev/vitals/bed-1-spo2"));
    assert_eq!(found[0].also, [Path::new(OXIMETER), Path::new("/dev/serial/by-path/pci-0:1")]);
    assert_eq!(found[0].target, pty.path());
}

fn vitalsd_ports(root: &Path, more: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_vitalsd")).arg("ports").arg("--root").arg(root).args(more).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_command_lists_what_is_plugged_in_for_people_and_for_programs() {
    let bench = Bench::new();
    assert!(vitalsd_ports(bench.directory.path(), &[]).starts_with("No serial port is plugged in."));
    assert_eq!(vitalsd_ports(bench.directory.path(), &["--json"]).trim(), "[]");
    let pty = bench.plug_in();
    let text = vitalsd_ports(bench.directory.path(), &[]);
    assert!(text.starts_with(OXIMETER) && text.contains("configuration"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&vitalsd_ports(bench.directory.path(), &["--json"])).unwrap();
    assert_eq!(json[0]["port"], OXIMETER);
    assert_eq!(json[0]["target"], pty.path().to_str().unwrap());
}
