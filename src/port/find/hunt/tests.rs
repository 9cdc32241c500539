//! The hunt with simulated devices on a line that has settings, unlike a pseudo-terminal.

use super::*;
use crate::simulator::device::{Device, Model};
use crate::simulator::scene::Scene;
use crate::simulator::script::Script;
use vitalsd_core::driver::{PROTOCOLS, Quantity, and_medical, contec, dinamap, five_bytes, nonin, omron, suntech};

/// A device on a line of its own settings: at any other the bytes are others.
struct Bench {
    device: Option<Device>,
    line: LineSettings,
    hunt: Hunt,
    now: Time,
    /// The settings at which the port is open, in the order in which they were tried.
    tried: Vec<LineSettings>,
    /// What was sent, and at which settings.
    sent: Vec<(LineSettings, Vec<u8>)>,
    news: Vec<News>,
    samples: usize,
}

impl Bench {
    fn new(model: Model, line: LineSettings, protocols: &[&'static Protocol]) -> Self {
        let mut bench = Self::silent(protocols, false);
        bench.device = Some(device(model));
        bench.line = line;
        bench
    }

    fn silent(protocols: &[&'static Protocol], listen_only: bool) -> Self {
        let hunt = Hunt::over(protocols, listen_only);
        Self {
            device: None,
            line: LineSettings::n1(9_600),
            hunt,
            now: Time::ZERO,
            tried: Vec::new(),
            sent: Vec::new(),
            news: Vec::new(),
            samples: 0,
        }
    }

    /// Lets time pass in steps of 10 ms; a change of the line settings takes one.
    fn run(&mut self, length: Span) {
        let end = self.now + length;
        while self.now < end {
            if self.tried.last() != Some(&self.hunt.line()) {
                self.tried.push(self.hunt.line());
                self.hunt.opened(self.now);
            }
            let line = self.hunt.line();
            let mut said = Vec::new();
            if let Some(device) = &mut self.device {
                device.advance(self.now, &mut said);
            }
            let samples = &mut self.samples;
            let (poll, news) = self.hunt.poll(self.now, &mut |_| *samples += 1);
            self.news.extend(news);
            if let Some(send) = poll.send {
                self.sent.push((line, send.to_vec()));
                if let Some(device) = self.device.as_mut().filter(|_| line == self.line) {
                    device.receive(&send, self.now, &mut said);
                }
            }
            if !said.is_empty() && self.hunt.line() == line {
                let bytes = if line == self.line { said } else { garbled(&said) };
                let samples = &mut self.samples;
                self.news.extend(self.hunt.heard(&bytes, self.now, &mut |_| *samples += 1));
            }
            self.now = self.now + Span::millis(10);
        }
    }

    fn found(&self) -> Option<&'static str> {
        self.hunt.protocol().filter(|_| self.hunt.is_over()).map(|protocol| protocol.name)
    }
}

fn device(model: Model) -> Device {
    Device::new(model, &Scene::patient(Script::quiet(), 1).shared())
}

/// What a UART makes of bytes at another rate: as many others, without the form of the old ones.
fn garbled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().enumerate().map(|(n, byte)| byte.rotate_left(3) ^ if n % 3 == 0 { 0xe0 } else { 0x9c }).collect()
}

fn oximeters() -> Vec<&'static Protocol> {
    PROTOCOLS.iter().copied().filter(|protocol| protocol.measures(Quantity::Spo2)).collect()
}

#[test]
fn every_simulated_oximeter_is_found_at_its_own_line_settings_unless_another_says_the_same_there() {
    for model in Model::ALL.iter().filter(|model| model.protocol().measures(Quantity::Spo2)) {
        for line in model.protocol().lines {
            let mut bench = Bench::new(*model, *line, &oximeters());
            bench.run(Span::secs(60));
            // The five bytes of Contec and of the BCI family are the same, and so is one of their line settings.
            let doubtful = *line == LineSettings::n1(4_800);
            let expected =
                if doubtful { News::Doubtful(vec!["contec-old", "bci"]) } else { News::Found(model.name(), *line) };
            assert_eq!(bench.news, [expected], "{model} at {line}, tried {:?}", bench.tried);
            assert_eq!(bench.samples == 0, doubtful, "{model}");
        }
    }
}

#[test]
fn a_protocol_with_three_line_settings_is_hunted_for_over_them_in_turn() {
    let [first, second, third] = contec::OLD_PROTOCOL.lines else { panic!("three of them") };
    let mut bench = Bench::new(Model::ContecOld, *third, &[&contec::OLD_PROTOCOL]);
    assert_eq!(bench.hunt.protocol().map(|it| it.name), Some("contec-old"), "the protocol is known all the time");
    bench.run(Span::secs(10));
    assert_eq!(bench.tried, [*first, *second, *third]);
    assert!(bench.hunt.is_over());
}

#[test]
fn one_protocol_at_one_line_setting_is_no_hunt() {
    let mut bench = Bench::new(Model::NoninDf2, LineSettings::n1(9_600), &[&nonin::DF2]);
    assert!(bench.hunt.is_over());
    bench.run(Span::secs(2));
    assert!(bench.samples > 0 && bench.news.is_empty());
    assert!(!bench.hunt.lost(bench.now) && bench.hunt.is_over(), "nor when it is silent");
}

#[test]
fn no_sample_is_told_before_the_protocol_is_believed() {
    let mut bench = Bench::new(Model::ContecOld, LineSettings::o1(19_200), &oximeters());
    while bench.news.is_empty() {
        assert_eq!(bench.samples, 0);
        bench.run(Span::millis(10));
    }
    bench.run(Span::secs(1));
    assert!(bench.samples >= 100);
}

#[test]
fn it_listens_at_a_line_setting_before_anything_is_sent_there() {
    let mut bench = Bench::silent(&[&contec::V7_PROTOCOL, &dinamap::PROTOCOL], false);
    bench.run(Span::secs(1));
    assert_eq!(bench.sent, []);
    bench.run(Span::secs(30));
    let (v7, dinamap) = (contec::V7_PROTOCOL.lines[0], dinamap::PROTOCOL.lines[0]);
    assert!(bench.sent.contains(&(v7, contec::v7::command(contec::v7::START).to_vec())), "{:?}", bench.sent);
    assert!(bench.sent.contains(&(dinamap, b"\r NA!2\r".to_vec())), "{:?}", bench.sent);
    assert!(
        bench.sent.iter().all(|(line, sent)| (*line == v7) == (sent[0] == 0x7d)),
        "each at its own: {:?}",
        bench.sent
    );
}

#[test]
fn a_device_that_already_answers_another_is_never_spoken_to() {
    // An oximeter streams at the line setting at which a monitor would be asked.
    let mut bench = Bench::new(Model::NoninDf1, LineSettings::n1(9_600), &[&dinamap::PROTOCOL, &nonin::DF1]);
    bench.run(Span::secs(30));
    assert_eq!((bench.found(), bench.sent), (Some("nonin-df1"), vec![]));
    // The same where its protocol is no candidate: the line is not silent.
    let mut bench = Bench::new(Model::NoninDf1, LineSettings::n1(9_600), &[&dinamap::PROTOCOL, &contec::V7_PROTOCOL]);
    bench.run(Span::secs(60));
    assert_eq!(bench.found(), None);
    assert!(bench.sent.iter().all(|(line, _)| *line != LineSettings::n1(9_600)), "{:?}", bench.sent);
}

#[test]
fn in_listen_only_mode_nothing_is_sent_and_what_speaks_by_itself_is_found() {
    let mut bench = Bench::silent(PROTOCOLS, true);
    bench.run(Span::secs(120));
    assert_eq!((&bench.sent, bench.found()), (&vec![], None));
    bench.device = Some(device(Model::NoninDf2));
    bench.run(Span::secs(120));
    assert_eq!((&bench.sent, bench.found()), (&vec![], Some("nonin-df2")));
    assert_eq!(bench.hunt.request(Request::StartCuff, bench.now), Err(Refusal::NotSupported));
}

#[test]
fn after_a_loss_what_was_found_is_tried_first_and_then_the_others() {
    let family = [&contec::V7_PROTOCOL, &contec::OLD_PROTOCOL];
    let old = contec::OLD_PROTOCOL.lines[1];
    let mut bench = Bench::new(Model::ContecOld, old, &family);
    bench.run(Span::secs(20));
    assert_eq!(bench.found(), Some("contec-old"));
    bench.device = None;
    bench.tried.truncate(0);
    bench.tried.push(old);
    assert!(bench.hunt.lost(bench.now));
    assert_eq!(bench.hunt.line(), old, "where it was");
    bench.run(Span::secs(30));
    assert_eq!(bench.tried[..2], [old, contec::V7_PROTOCOL.lines[0]]);
    // Back as another device, which must be told to start.
    (bench.device, bench.line) = (Some(device(Model::ContecV7)), contec::V7_PROTOCOL.lines[0]);
    bench.run(Span::secs(30));
    assert_eq!(bench.found(), Some("contec-v7"));
}

#[test]
fn a_device_that_must_be_told_to_start_is_told_at_once_when_it_is_tried_again() {
    let family = [&contec::OLD_PROTOCOL, &contec::V7_PROTOCOL];
    let mut bench = Bench::new(Model::ContecV7, contec::V7_PROTOCOL.lines[0], &family);
    bench.run(Span::secs(20));
    assert_eq!(bench.found(), Some("contec-v7"));
    bench.device = Some(device(Model::ContecV7));
    bench.hunt.lost(bench.now);
    let before = bench.sent.len();
    bench.run(Span::millis(20));
    assert_eq!(bench.sent.len(), before + 1);
    bench.run(Span::secs(1));
    assert_eq!(bench.found(), Some("contec-v7"), "half a second of clean frames, no more");
}

#[test]
fn a_monitor_is_found_by_its_answers_and_one_is_not_enough() {
    let mut bench = Bench::new(Model::Dinamap, LineSettings::n1(9_600), &[&contec::V7_PROTOCOL, &dinamap::PROTOCOL]);
    bench.run(Span::secs(60));
    assert_eq!(bench.found(), Some("dinamap"));
    let asked = bench.sent.iter().filter(|(_, sent)| sent == b"\r NA!2\r").count();
    assert!(asked >= 2, "{asked}");
}

#[test]
fn two_that_understand_the_same_with_the_same_proof_are_told_once_and_none_is_believed() {
    // The same driver twice stands for two protocols with one frame.
    let mut hunt = Hunt::over(&[&contec::OLD_PROTOCOL, &contec::OLD_PROTOCOL], false);
    hunt.opened(Time::ZERO);
    let frame = five_bytes::Frame { spo2: 97, pulse: 70, ..Default::default() }.encode();
    let (mut news, mut samples) = (Vec::new(), 0);
    for n in 0..200 {
        news.extend(hunt.heard(&frame, Time::from_millis(n * 17), &mut |_| samples += 1));
    }
    assert_eq!(news, [News::Doubtful(vec!["contec-old", "contec-old"])]);
    assert_eq!((hunt.is_over(), samples), (false, 0));
}

#[test]
fn a_hunt_over_a_silent_line_goes_round_for_ever() {
    let mut bench = Bench::silent(&oximeters(), false);
    bench.run(Span::mins(3));
    let lines: Vec<_> = lines(&oximeters()).iter().map(|line| line.settings).collect();
    assert!(bench.tried.len() > 2 * lines.len());
    assert_eq!(bench.tried[..lines.len()], lines);
    assert_eq!(bench.tried[lines.len()..2 * lines.len()], lines);
}

#[test]
fn a_message_that_only_silence_ends_is_found_and_told() {
    let line = LineSettings::n1(9_600);
    for family in [
        vec![&and_medical::UA767_PROTOCOL, &omron::HBP9030],
        vec![&and_medical::UA767_PROTOCOL, &and_medical::TM2655_PROTOCOL],
        PROTOCOLS.iter().copied().filter(|protocol| protocol.measures(Quantity::BloodPressure)).collect(),
    ] {
        let mut bench = Bench::silent(&family, false);
        bench.run(Span::secs(1));
        while bench.hunt.line() != line {
            bench.run(Span::millis(100));
        }
        bench.run(Span::millis(100));
        bench.news.extend(bench.hunt.heard(b"8028524860", bench.now, &mut |_| {}));
        bench.run(Span::secs(15));
        assert_eq!((&bench.news[..], bench.samples), (&[News::Found("and-ua767", line)][..], 1));
    }
}

#[test]
fn a_line_that_was_noisy_once_is_spoken_to_when_it_has_fallen_silent() {
    let mut bench = Bench::silent(&[&dinamap::PROTOCOL, &suntech::PROTOCOL], false);
    bench.run(Span::millis(100));
    bench.hunt.heard(&[0xff; 5], bench.now, &mut |_| {});
    bench.run(Span::secs(3));
    assert_eq!(bench.sent, [], "not while it may be somebody else's");
    bench.device = Some(device(Model::Suntech));
    bench.run(Span::mins(2));
    assert_eq!(bench.found(), Some("suntech"));
}
