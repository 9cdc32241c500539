//! Proves that a capture is what was on the line: taken from real pseudo-terminals, it gives the samples that the
//! line gave, to the millisecond; `vitalsd capture` writes to nobody unasked, writes over nothing, and ends cleanly.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, sleep_until, timeout};
use vitalsd::capture::{Header, Line as Taken, Playback, Provenance, Reader, What, Writer};
use vitalsd::port::name::DeviceRoot;
use vitalsd::port::pty::Pty;
use vitalsd::port::watch::{Port, PortEvent};
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::{Effect, Script};
use vitalsd_core::driver::{AnyDriver, Driver, Request};
use vitalsd_core::sample::{CuffOrigin, CuffResult, Sample};
use vitalsd_core::time::{Span, Time};

const PATIENCE: Duration = Duration::from_secs(20);

fn plug_in(link: PathBuf, model: Model, script: Script) -> Line {
    let device = Device::new(model, &Scene::patient(script, 1).shared());
    Line::start(device, link, tokio::time::Instant::now()).unwrap()
}

/// A line as the daemon serves it: read, decoded, asked; with everything that happens also written down.
struct Live {
    port: Port,
    driver: AnyDriver,
    tape: Writer<Vec<u8>>,
    start: Instant,
    samples: Vec<Sample>,
    poll: Option<Time>,
}

impl Live {
    fn on(link: PathBuf, model: Model) -> Self {
        let header = Header { driver: Some(model.name().into()), ..Header::of(Provenance::Simulated) };
        Self {
            port: Port::new(DeviceRoot::default(), link, model.protocol().lines[0]),
            driver: AnyDriver::new(model.name()).unwrap(),
            tape: Writer::new(Vec::new(), &header).unwrap(),
            start: Instant::now(),
            samples: Vec::new(),
            poll: None,
        }
    }

    fn time(&self, at: Instant) -> Time {
        Time::from_millis(u64::try_from((at - self.start).as_millis()).unwrap())
    }

    async fn turn(&mut self, until: Instant) {
        let wanted = self.poll.map(|poll| self.start + Duration::from_millis(poll.as_millis() + 1));
        let wanted = wanted.map_or(until, |wanted| wanted.min(until));
        let samples = &mut self.samples;
        tokio::select! {
            event = self.port.next() => match event {
                PortEvent::Bytes { bytes, at } => {
                    let at = Time::from_millis(u64::try_from((at - self.start).as_millis()).unwrap());
                    self.tape.write(at, What::Heard(bytes)).unwrap();
                    self.driver.decode(bytes, at, &mut |sample| samples.push(sample));
                }
                PortEvent::Opened { .. } => {
                    let at = Time::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap());
                    self.tape.write(at, What::Opened).unwrap();
                    self.driver.opened(at);
                }
                PortEvent::Lost { .. } => {
                    let at = Time::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap());
                    self.tape.write(at, What::Lost).unwrap();
                    self.poll = None;
                    return;
                }
            },
            () = sleep_until(wanted.into()) => {}
        }
        self.ask();
    }

    fn ask(&mut self) {
        let now = self.time(Instant::now());
        let samples = &mut self.samples;
        let poll = self.driver.poll(now, &mut |sample| samples.push(sample));
        self.poll = poll.next;
        if let Some(send) = poll.send {
            self.port.write(&send).unwrap();
            self.tape.write(now, What::Sent(&send)).unwrap();
        }
    }

    async fn run(&mut self, length: Duration) {
        let until = Instant::now() + length;
        while Instant::now() < until {
            self.turn(until).await;
        }
    }

    /// Asks for a determination, and waits for it.
    async fn measure(&mut self) {
        let now = self.time(Instant::now());
        self.driver.request(Request::StartCuff, now).unwrap();
        self.tape.write(now, What::Asked(Request::StartCuff)).unwrap();
        self.ask();
        let ended = |samples: &[Sample]| samples.iter().any(|sample| matches!(sample, Sample::CuffResult(_)));
        let until = Instant::now() + PATIENCE;
        while !ended(&self.samples) {
            assert!(Instant::now() < until, "no determination: {:?}", self.samples);
            self.turn(until).await;
        }
    }

    /// What the capture gives when it is played back.
    fn again(&self) -> Vec<Sample> {
        let reader = Reader::new("live.capture", self.tape.get_ref().as_slice()).unwrap();
        let driver = AnyDriver::new(self.driver.protocol().name).unwrap();
        let mut playback = Playback::new(reader, driver, Time::ZERO).unwrap();
        let mut samples = Vec::new();
        while playback.step(&mut |sample| samples.push(sample)).unwrap().is_some() {}
        samples
    }
}

#[tokio::test]
async fn a_stream_gives_its_samples_again_even_if_the_cable_was_out() {
    let dir = TempDir::new().unwrap();
    for model in [Model::NoninDf2, Model::ContecV7] {
        let line = plug_in(dir.path().join(model.name()), model, Script::quiet());
        let mut live = Live::on(line.link().to_owned(), model);
        live.run(Duration::from_millis(1_500)).await;
        line.unplug();
        live.run(Duration::from_millis(300)).await;
        line.replug();
        live.run(Duration::from_millis(1_500)).await;
        let oximetry = live.samples.iter().filter(|sample| matches!(sample, Sample::Oximetry(_))).count();
        assert!(oximetry >= 5, "{model}: {oximetry}");
        assert_eq!(live.again(), live.samples, "{model}");
    }
}

#[tokio::test]
async fn a_determination_that_was_asked_for_is_told_again_as_asked_for() {
    let dir = TempDir::new().unwrap();
    let script = Script { determination: Some(Span::secs(2)), ..Script::quiet() };
    let line = plug_in(dir.path().join("cuff"), Model::Dinamap, script);
    let mut live = Live::on(line.link().to_owned(), Model::Dinamap);
    live.run(Duration::from_millis(500)).await;
    live.measure().await;
    let again = live.again();
    assert_eq!(again, live.samples);
    let result = again.iter().find_map(|sample| match sample {
        Sample::CuffResult(result) => Some(*result),
        _ => None,
    });
    assert!(matches!(result, Some(CuffResult { origin: CuffOrigin::Schedule, pressure: Ok(_), .. })), "{result:?}");
}

// The command.

fn capture(port: &Path, file: &Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_vitalsd"))
        .arg("capture")
        .args([port, file])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The time of the last line of a capture that is being taken.
fn seconds_in(file: &Path) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let last = text.lines().rev().find_map(|line| line.split(' ').next()?.parse().ok());
    last.unwrap_or_default()
}

async fn done(child: Child) -> Output {
    timeout(PATIENCE, tokio::task::spawn_blocking(|| child.wait_with_output())).await.unwrap().unwrap().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn vitalsd(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_takes_a_line_until_it_is_interrupted_and_decode_knows_the_rest_by_itself() {
    let dir = TempDir::new().unwrap();
    let line = plug_in(dir.path().join("oximeter"), Model::NoninDf2, Script::quiet());
    let file = dir.path().join("bed.capture");
    let child = capture(line.link(), &file, &["--driver", "nonin-df2"]);
    until("two seconds are taken", || seconds_in(&file) >= 2.0).await;
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let output = done(child).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(" good frames, 0 rejected"), "{}", said(&output));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let text = fs::read_to_string(&file).unwrap();
    for header in
        ["driver: nonin-df2", "line: 9600 8N1", "provenance: simulated", "port: pseudo-terminal", "mode: listen"]
    {
        assert!(text.lines().any(|line| line == header), "{header} is missing:\n{text}");
    }
    assert!(!text.contains(" > ") && text.ends_with(" ! end\n"), "{text}");

    let decoded = vitalsd(&["decode", file.to_str().unwrap()], b"");
    assert!(decoded.status.success(), "{}", said(&decoded));
    let values: Vec<_> = lines(&decoded).into_iter().filter(|line| line["sample"] == "oximetry").collect();
    // Three packets a second; the first may have begun before the port was open.
    assert!(values.len() >= 4, "{values:?}");
    let times: Vec<_> = values.iter().map(|value| value["time_s"].as_f64().unwrap()).collect();
    assert!(times.windows(2).all(|pair| (0.15..0.6).contains(&(pair[1] - pair[0]))), "the true times: {times:?}");
    assert!(values.iter().all(|value| (96.0..=99.0).contains(&value["spo2_pct"].as_f64().unwrap())));

    let again = done(capture(line.link(), &file, &["--driver", "nonin-df2", "--for", "1"])).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("Give another name"), "{}", said(&again));
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing is written over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_started_only_if_that_is_asked_for() {
    let dir = TempDir::new().unwrap();
    let line = plug_in(dir.path().join("oximeter"), Model::ContecV7, Script::quiet());
    let silent = done(capture(line.link(), Path::new("-"), &["--driver", "contec-v7", "--for", "1"])).await;
    assert!(silent.status.success() && !String::from_utf8_lossy(&silent.stdout).contains(" < "), "{silent:?}");
    assert!(said(&silent).contains("nothing came") && said(&silent).contains("--start"), "{}", said(&silent));

    let started = done(capture(line.link(), Path::new("-"), &["--driver", "contec-v7", "--start", "--for", "2"])).await;
    let text = String::from_utf8(started.stdout).unwrap();
    assert!(text.contains(" > 7d 81 a1 80 80 80 80 80 80\n") && !text.contains("mode: listen"), "{text}");
    let decoded = vitalsd(&["decode", "-"], text.as_bytes());
    assert!(decoded.status.success() && lines(&decoded).len() > 50, "{}", said(&decoded));

    let wrong = done(capture(line.link(), Path::new("-"), &["--line", "115200 8N1", "--start"])).await;
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = done(capture(line.link(), Path::new("-"), &["--line", "115200"])).await;
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("`9600 8N1`"), "{}", said(&wrong));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_not_there_is_told_and_leaves_no_file() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("bed.capture");
    let output = done(capture(&dir.path().join("nothing"), &file, &["--line", "9600 8N1"])).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no such port") && !file.exists(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_an_unknown_device_are_taken_by_line_settings_alone() {
    let dir = TempDir::new().unwrap();
    let pty = Pty::open().unwrap();
    let file = dir.path().join("unknown.capture");
    let child = capture(pty.path(), &file, &["--line", "19200 8O1", "--for", "2"]);
    until("the file is there", || file.exists()).await;
    pty.try_write(&[0x00, 0xff, 0x11, 0x13]).unwrap();
    assert!(done(child).await.status.success());
    let mut reader = Reader::open(&file).unwrap();
    assert_eq!((reader.header().driver.clone(), reader.header().listened_only), (None, true));
    let mut heard = Vec::new();
    while let Some(Taken { what, .. }) = reader.next_line().unwrap() {
        if let What::Heard(bytes) = what {
            heard.extend_from_slice(bytes);
        }
    }
    assert_eq!(heard, [0x00, 0xff, 0x11, 0x13]);
    let nameless = vitalsd(&["decode", file.to_str().unwrap()], b"");
    assert!(!nameless.status.success() && said(&nameless).contains("names no driver"), "{}", said(&nameless));
    let raw = vitalsd(&["decode"], b"\x80\x48\x61\x00");
    assert!(!raw.status.success() && said(&raw).contains("--driver NAME"), "{}", said(&raw));
}

// Played to a bed.

/// What a simulated device says in that script, taken without a port: simulated time.
fn taken(model: Model, script: Script, length: Span) -> String {
    let header = Header { driver: Some(model.name().into()), ..Header::of(Provenance::Simulated) };
    let mut tape = Writer::new(Vec::new(), &header).unwrap();
    let mut device = Device::new(model, &Scene::patient(script, 1).shared());
    let end = Time::ZERO + length;
    let mut bytes = Vec::new();
    while let Some(due) = device.due().filter(|due| *due <= end) {
        bytes.clear();
        device.advance(due, &mut bytes);
        tape.write(due, What::Heard(&bytes)).unwrap();
    }
    tape.write(end, What::End).unwrap();
    String::from_utf8(tape.into_inner()).unwrap()
}

#[test]
fn a_capture_is_replayed_to_the_alarm_that_its_values_make() {
    // Below 85 % from about 26 s on; row 1b is active after 5 s.
    let fall = Effect::Desaturation { to_pct: 80.0, ramp: Span::secs(10) };
    let text =
        taken(Model::NoninDf2, Script::quiet().with(fall, Time::from_millis(20_000), Span::secs(30)), Span::secs(60));
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("fall.capture");
    fs::write(&file, &text).unwrap();
    let play = || vitalsd(&["replay", file.to_str().unwrap()], b"");
    let output = play();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(output.stdout, play().stdout, "the same bytes each time");
    let events = lines(&output);
    let raised = events.iter().find(|event| event["condition"] == "spo2-very-low").expect("the alarm");
    assert_eq!((&raised["event"], &raised["priority"]), (&json!("raised"), &json!("high")));
    let at = raised["time_s"].as_f64().unwrap();
    assert!((28.0..40.0).contains(&at), "{at}");
    assert!(events.iter().any(|event| event["event"] == "device" && event["device"] == "oximeter"), "{events:?}");

    let summary = vitalsd(&["replay", file.to_str().unwrap(), "--summary"], b"");
    assert!(!summary.status.success() && said(&summary).contains("Leave out --summary"), "{}", said(&summary));
}

#[test]
fn silence_at_the_end_of_a_capture_is_no_value_and_alarms() {
    let quiet = taken(Model::NoninDf2, Script::quiet(), Span::secs(20));
    let text = quiet.replace("20.000 ! end", "90.000 ! end");
    assert_ne!(text, quiet);
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("silent.capture");
    fs::write(&file, text).unwrap();
    let output = vitalsd(&["replay", file.to_str().unwrap()], b"");
    let raised: Vec<_> = lines(&output).into_iter().filter(|event| event["event"] == "raised").collect();
    assert!(raised.iter().any(|event| event["condition"] == "spo2-unavailable"), "{raised:?}");
}

#[test]
fn a_capture_that_was_cut_off_gives_everything_before_that_and_says_so() {
    let text = taken(Model::NoninDf2, Script::quiet(), Span::secs(5));
    let whole = vitalsd(&["decode"], text.as_bytes());
    let cut = text.trim_end().strip_suffix(" ! end").unwrap();
    let cut_off = vitalsd(&["decode"], cut.as_bytes());
    assert_eq!(cut_off.stdout, whole.stdout);
    assert!(cut_off.status.success() && said(&cut_off).contains("cut off"), "{}", said(&cut_off));
}

#[test]
fn a_capture_that_cannot_be_read_names_its_line() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("bad.capture");
    fs::write(
        &file,
        "vitalsd capture 1\ndriver: nonin-df8\nprovenance: simulated\n\n1.0 < 80 48 61 00\n2.0 < 8O 48\n3.0 < 80\n",
    )
    .unwrap();
    for command in ["decode", "replay"] {
        let output = vitalsd(&[command, file.to_str().unwrap()], b"");
        assert!(!output.status.success());
        assert!(said(&output).contains("bad.capture:6: found `8O`"), "{}", said(&output));
    }
    fs::write(&file, "vitalsd capture 1\ndriver: nonesuch\nprovenance: simulated\n\n1.0 < 80\n").unwrap();
    for command in ["decode", "replay"] {
        let output = vitalsd(&[command, file.to_str().unwrap()], b"");
        assert!(said(&output).contains("no such driver `nonesuch`"), "{}", said(&output));
    }
}
