//! The frames of the TM-2655: the vectors of the sheet, and what is no frame.

use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use crate::driver::Reject;
use crate::driver::and_medical::frame::*;
use crate::sample::CuffFailure;

/// Captured, a TM-2655: 2019-10-29 14:29, no error, 102/62, mean 87, pulse 83. The control characters are
/// rebuilt: the capture shows them as bars, with one before ETX.
pub(super) const CAPTURED: &[u8] =
    b"\x16\x16\x01\x30\x30\x02TM2655\x1e1910291429\x1eRB\x1eM\x1eE00\x1eS102\x1eM 87\x1e\
                                     D 62\x1eP 83\x1eI17\x1eL139\x1e\x03";
/// Captured, another TM-2655: 2020-05-11 08:48, no error, 107/59, mean 85, pulse 88. The control characters
/// were dropped and are rebuilt, here without the one before ETX.
pub(super) const CAPTURED_TOO: &[u8] = b"\x16\x16\x01\x30\x30\x02TM2655\x1e2005110848\x1eRB\x1eM\x1eE00\x1eS107\x1e\
                                         M 85\x1eD 59\x1eP 88\x1eI16\x1eL 92\x03";
/// Computed: the patient moved, no values.
pub(super) const MOVED: &[u8] = b"\x16\x16\x01\x30\x30\x02TM2655\x1e1910291429\x1eRB\x1eM\x1eE44\x1eS   \x1eM   \x1e\
                                  D   \x1eP   \x1eI17\x1eL   \x1e\x03";

/// What was found in `bytes`: texts, answers, and what was rejected or skipped.
fn found(bytes: &[u8]) -> Vec<String> {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    for byte in bytes {
        match frames.push(*byte) {
            Found::Nothing => {}
            Found::Frame(Frame::Text(text)) => found.push(String::from_utf8(text.to_vec()).unwrap()),
            other => found.push(std::format!("{other:?}")),
        }
    }
    found
}

fn text(frame: &[u8]) -> &[u8] {
    &frame[6..frame.len() - 1]
}

fn report(error: u8, numbers: [u16; 4]) -> Report {
    let [systolic, mean, diastolic, pulse] = numbers.map(|number| Some(number).filter(|number| *number != 0));
    Report { error, systolic, mean, diastolic, pulse }
}

#[test]
fn commands_are_as_on_the_wire() {
    let frame = |command: Command| command.frame().to_vec();
    assert_eq!(frame(Command::Start), [0x16, 0x16, 0x01, 0x30, 0x30, 0x02, 0x53, 0x54, 0x03, 0x07]);
    assert_eq!(frame(Command::Stop), [0x16, 0x16, 0x01, 0x30, 0x30, 0x02, 0x53, 0x50, 0x03, 0x03]);
    assert_eq!(frame(Command::ReadResult), [0x16, 0x16, 0x01, 0x30, 0x30, 0x02, 0x52, 0x42, 0x03, 0x10]);
    assert_eq!(frame(Command::ReadPulses), [0x16, 0x16, 0x01, 0x30, 0x30, 0x02, 0x52, 0x50, 0x03, 0x02]);
}

#[test]
fn a_command_is_understood_behind_anything_and_not_with_another_check_byte() {
    for command in Command::ALL {
        let frame = command.frame();
        assert_eq!(parse_command(&[b"\x16\x16\x01", &*frame].concat()), Some(command));
        let mut wrong = frame.to_vec();
        wrong[9] ^= 1;
        assert_eq!(parse_command(&wrong), None);
        assert_eq!(parse_command(&frame[..9]), None);
    }
}

#[test]
fn results_are_read_as_in_the_captures() {
    assert_eq!(parse(text(CAPTURED)), Ok((&b"TM2655"[..], report(0, [102, 87, 62, 83]))));
    assert_eq!(parse(text(CAPTURED_TOO)), Ok((&b"TM2655"[..], report(0, [107, 85, 59, 88]))));
    assert_eq!(parse(text(MOVED)), Ok((&b"TM2655"[..], report(44, [0; 4]))));
    assert_eq!(report(44, [0; 4]).pressure(), Err(CuffFailure::Motion));
}

#[test]
fn a_result_is_made_as_in_the_capture_with_the_check_byte_of_the_rule() {
    let made = rb_frame("1910291429", &report(0, [102, 87, 62, 83]));
    assert_eq!(made, [CAPTURED, &[0x36]].concat());
}

#[test]
fn answers_have_six_bytes() {
    assert_eq!(answer(false), [0x16, 0x16, 0x01, 0x30, 0x30, 0x15]);
    assert_eq!(found(&[answer(true), answer(false)].concat()), ["Frame(Ack)", "Frame(Nak)"]);
}

#[test]
fn the_check_byte_may_be_any_or_none() {
    let one = String::from_utf8(text(CAPTURED).to_vec()).unwrap();
    assert_eq!(found(&CAPTURED.repeat(3)), [one.as_str(); 3]);
    for check in 0..=255 {
        let found = found(&[CAPTURED, &[check]].concat().repeat(2));
        let texts = found.iter().filter(|text| **text == one).count();
        assert_eq!(texts, 2, "{check:02x}: {found:?}");
        // A check byte that looks like the beginning of a frame is the only one to be counted as skipped.
        assert_eq!(found.len() > 2, check == 0x16, "{check:02x}: {found:?}");
    }
}

#[test]
fn what_is_broken_is_counted_and_the_next_frame_is_whole() {
    let one = String::from_utf8(text(CAPTURED).to_vec()).unwrap();
    for (before, counted) in [
        (&b"ab\x16x"[..], std::vec!["Skipped(1)", "Skipped(1)", "Skipped(2)"]),
        (b"\x16\x16\x16", std::vec!["Skipped(1)", "Skipped(1)", "Skipped(1)"]),
        (b"\x16\x16\x01\x31", std::vec!["Broken(Framing, 4)"]),
        (b"\x16\x16\x01\x30\x30\x05", std::vec!["Broken(Framing, 6)"]),
        // Cut off in the middle.
        (b"\x16\x16\x01\x30", std::vec!["Broken(Framing, 4)"]),
        (b"\x16\x16\x01\x30\x30\x02TM26", std::vec!["Broken(Framing, 10)"]),
        (b"\x16\x16\x01\x30\x30\x02TM\xff", std::vec!["Broken(Framing, 9)"]),
    ] {
        let mut expected = counted.clone();
        expected.push(&one);
        assert_eq!(found(&[before, CAPTURED].concat()), expected, "{before:?}");
    }
    let overlong = text_frame(&"x".repeat(100));
    let expected = ["Broken(Length, 107)", one.as_str()];
    assert_eq!(found(&[overlong, CAPTURED.to_vec()].concat()), expected);
}

#[test]
fn a_text_that_is_no_result_is_rejected_by_reason() {
    let with = |from: &str, to: &str| {
        let text = String::from_utf8(text(CAPTURED).to_vec()).unwrap();
        assert!(text.contains(from));
        parse(text.replacen(from, to, 1).as_bytes()).map(|_| ())
    };
    assert_eq!(parse(b""), Err(Reject::Length));
    assert_eq!(parse(b"TM2655\x1e1910291429\x1eRP\x1eN02\x1e120, 10\x1e119, 12"), Err(Reject::UnknownType));
    assert_eq!(with("\x1eP 83", ""), Err(Reject::Content), "the next field has another letter");
    assert_eq!(with("\x1eL139\x1e", ""), Err(Reject::Length));
    assert_eq!(with("L139\x1e", "L139\x1e\x1e"), Err(Reject::Length));
    assert_eq!(with("L139\x1e", "L139\x1eX"), Err(Reject::Length));
    assert_eq!(with("S102", "S12"), Err(Reject::Length), "a digit is lost");
    assert_eq!(with("S102", "S1 2"), Err(Reject::Content));
    assert_eq!(with("S102", "S10 "), Err(Reject::Content), "right-aligned, or not ours");
    assert_eq!(with("S102", "T102"), Err(Reject::Content));
    assert_eq!(with("E00", "E0"), Err(Reject::Length));
    assert_eq!(with("E00", "E 0"), Err(Reject::Content));
    assert_eq!(with("1910291429", "191029142"), Err(Reject::Content));
    assert_eq!(with("1910291429", "19102914x9"), Err(Reject::Content));
    // Of what is not used nothing is asked.
    assert_eq!(with("I17\x1eL139", "I\x1eL"), Ok(()));
}

#[test]
fn only_error_00_has_a_pressure() {
    for error in 1..=99 {
        assert!(report(error, [102, 87, 62, 83]).pressure().is_err(), "E{error:02}");
    }
    assert!(report(0, [102, 87, 62, 83]).pressure().is_ok());
    assert!(report(0, [102, 0, 62, 83]).pressure().is_ok(), "a mean may be missing");
    for numbers in [[0, 87, 62, 83], [102, 87, 0, 83], [0; 4], [62, 87, 102, 83], [102, 110, 62, 83], [300, 87, 62, 83]]
    {
        assert_eq!(report(0, numbers).pressure(), Err(CuffFailure::OutOfRange), "{numbers:?}");
    }
}

#[test]
fn every_error_code_of_the_sheet_has_its_reason() {
    use CuffFailure as F;
    for (code, reason) in [
        (11, F::Unknown(11)),
        (12, F::PumpTimeout),
        (13, F::Blocked),
        (15, F::Unknown(15)),
        (21, F::Blocked),
        (22, F::Unknown(22)),
        (23, F::Overpressure),
        (24, F::TotalTimeout),
        (42, F::Unknown(42)),
        (43, F::NoPulse),
        (44, F::Motion),
        (45, F::Failed),
        (46, F::Failed),
        (48, F::Failed),
        (61, F::Failed),
        (63, F::OutOfRange),
        (99, F::Unknown(99)),
    ] {
        assert_eq!(failure(code), reason, "E{code}");
        assert_eq!(failure(error_of(reason)), reason, "{reason:?}");
    }
    assert_eq!(failure(error_of(F::Unknown(0))), F::Failed, "00 is no failure");
}

proptest! {
    #[test]
    fn gives_back_what_was_put_on_it(
        error in 0..=99_u8, numbers in [0..=999_u16, 0..=999_u16, 0..=999_u16, 0..=999_u16], minute in 0..10_000_u16,
    ) {
        let report = report(error, numbers);
        let clock = std::format!("261122{minute:04}");
        let made = rb_frame(&clock, &report);
        let mut frames = Frames::default();
        let mut reports = Vec::new();
        for byte in &made {
            if let Found::Frame(Frame::Text(text)) = frames.push(*byte) {
                reports.push(parse(text).map(|(model, report)| (model.to_vec(), report)));
            }
        }
        prop_assert_eq!(reports, [Ok((b"TM2655".to_vec(), report))]);
    }
}
