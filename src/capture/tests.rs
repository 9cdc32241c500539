//! What is written is read; what is cut off loses nothing before it; what is wrong is named with its line.

use std::io::Cursor;

use proptest::prelude::*;
use vitalsd_core::driver::{LineSettings, Request};

use super::*;

/// A line that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Heard(Vec<u8>),
    Sent(Vec<u8>),
    Worded(usize),
}

impl Owned {
    fn what(&self) -> What<'_> {
        match self {
            Self::Heard(bytes) => What::Heard(bytes),
            Self::Sent(bytes) => What::Sent(bytes),
            Self::Worded(which) => What::WORDED[*which],
        }
    }

    fn of(what: What<'_>) -> Self {
        match what {
            What::Heard(bytes) => Self::Heard(bytes.to_vec()),
            What::Sent(bytes) => Self::Sent(bytes.to_vec()),
            worded => Self::Worded(What::WORDED.iter().position(|one| *one == worded).unwrap()),
        }
    }
}

fn any_header() -> impl Strategy<Value = Header> {
    let words = || prop::option::of("[a-zA-Z0-9(][a-zA-Z0-9 #:().,-]{0,30}[a-zA-Z0-9)]");
    let line = prop::option::of((50_u32..4_000_000).prop_map(LineSettings::o1));
    let started = prop::option::of((0_i64..4_000_000_000).prop_map(|s| jiff::Timestamp::from_second(s).unwrap()));
    let provenance = prop::sample::select(Provenance::ALL.to_vec());
    (words(), line, started, provenance, words(), any::<bool>(), words()).prop_map(
        |(driver, line, started_at, provenance, port, listened_only, note)| Header {
            driver,
            line,
            started_at,
            provenance,
            port,
            listened_only,
            note,
        },
    )
}

/// Lines with the pauses between them in milliseconds; no end, for nothing is read behind it.
fn any_lines() -> impl Strategy<Value = Vec<(u64, Owned)>> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    let what = prop_oneof![
        6 => bytes().prop_map(Owned::Heard),
        2 => bytes().prop_map(Owned::Sent),
        1 => (0..What::WORDED.len() - 1).prop_map(Owned::Worded),
    ];
    prop::collection::vec((0_u64..100_000, what), 0..30)
}

fn written(header: &Header, lines: &[(u64, Owned)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), header).unwrap();
    let mut at = 0;
    for (pause, line) in lines {
        at += pause;
        writer.write(Time::from_millis(at), line.what()).unwrap();
    }
    writer.into_inner()
}

/// The header, the lines with their times, and whether the last one was cut off.
type Whole = (Header, Vec<(u64, Owned)>, bool);

fn read(text: &[u8]) -> Result<Whole, CaptureError> {
    let mut reader = Reader::new("bed.capture", Cursor::new(text))?;
    let mut lines = Vec::new();
    while let Some(Line { at, what }) = reader.next_line()? {
        lines.push((at.as_millis(), Owned::of(what)));
    }
    Ok((reader.header().clone(), lines, reader.cut_off()))
}

/// The lines with the times that their pauses add up to.
fn at_times(lines: &[(u64, Owned)]) -> Vec<(u64, Owned)> {
    let mut now = 0;
    let at = |(pause, line): &(u64, Owned)| {
        now += pause;
        (now, line.clone())
    };
    lines.iter().map(at).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(header in any_header(), lines in any_lines()) {
        let (read_header, read_lines, cut_off) = read(&written(&header, &lines)).unwrap();
        prop_assert_eq!(read_header, header);
        prop_assert_eq!(read_lines, at_times(&lines));
        prop_assert!(!cut_off);
    }

    #[test]
    fn a_file_cut_off_anywhere_loses_nothing_before_its_last_line(lines in any_lines(), cut in 1_usize..200) {
        let header = Header { driver: Some("nonin-df2".into()), ..Header::of(Provenance::Device) };
        let whole = written(&header, &lines);
        let first = written(&header, &[]).len();
        let kept = &whole[..whole.len().saturating_sub(cut).max(first)];
        let complete = kept[first..].iter().filter(|byte| **byte == b'\n').count();
        let (_, read_lines, _) = read(kept).unwrap();
        let expected = at_times(&lines);
        prop_assert!(read_lines.len() == complete || read_lines.len() == complete + 1);
        prop_assert_eq!(&read_lines[..complete], &expected[..complete]);
        // What is left of the last line is its beginning: bytes may be missing, none is another.
        if let (Some((at, Owned::Heard(bytes) | Owned::Sent(bytes))), Some((time, of))) =
            (read_lines.get(complete), expected.get(complete))
        {
            let (Owned::Heard(all) | Owned::Sent(all)) = of else { panic!("bytes of no bytes") };
            prop_assert!(at == time && all.starts_with(bytes));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut text = b"vitalsd capture 1\nprovenance: simulated\n\n".to_vec();
        text.extend_from_slice(&bytes);
        let _ = (read(&bytes), read(&text));
    }
}

const HEAD: &str = "vitalsd capture 1\nprovenance: simulated\n\n";

#[test]
fn a_capture_is_text_as_the_map_of_this_module_shows_it() {
    let header = Header {
        driver: Some("contec-v7".into()),
        line: Some(LineSettings::n1(115_200)),
        started_at: Some("2026-11-25T09:30:00Z".parse().unwrap()),
        port: Some("Silicon Labs CP2102 (10c4:ea60)".into()),
        ..Header::of(Provenance::Device)
    };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for (ms, what) in [
        (0, What::Opened),
        (2, What::Sent(&[0x7d, 0x81, 0xa1])),
        (12_345, What::Heard(&[0x01, 0x02, 0xff])),
        (12_345, What::Heard(&[])),
        (12_000, What::Asked(Request::StartCuff)),
        (60_000, What::End),
    ] {
        writer.write(Time::from_millis(ms), what).unwrap();
    }
    let expected = "vitalsd capture 1\ndriver: contec-v7\nline: 115200 8N1\nstarted-at: 2026-11-25T09:30:00Z\n\
        provenance: captured from a device\nport: Silicon Labs CP2102 (10c4:ea60)\n\n\
        0.000 ! opened\n0.002 > 7d 81 a1\n12.345 < 01 02 ff\n12.345 ! start-cuff\n60.000 ! end\n";
    assert_eq!(String::from_utf8(writer.into_inner()).unwrap(), expected);
}

#[test]
fn what_a_person_writes_is_read_too() {
    let text = "vitalsd capture 1\n# by hand\nprovenance:  synthetic from the sheet \n\n\n# two frames\n0 < 01 0A  ff # last\r\n\n 1.5 > 7D\n";
    let (header, lines, _) = read(text.as_bytes()).unwrap();
    assert_eq!(header, Header::of(Provenance::Sheet));
    assert_eq!(lines, [(0, Owned::Heard(vec![1, 10, 255])), (1_500, Owned::Sent(vec![0x7d]))]);
}

#[test]
fn a_capture_is_recognised_by_its_first_line_and_nothing_of_it_is_lost() {
    for (text, is) in [(HEAD, true), ("\u{feff}vitalsd capture 2\n", true), ("time_s,spo2_pct\n", false), ("vi", false)]
    {
        let (found, mut all) = recognise(text.as_bytes()).unwrap();
        let mut again = String::new();
        std::io::Read::read_to_string(&mut all, &mut again).unwrap();
        assert_eq!((found, again.as_str()), (is, text));
    }
}

#[test]
fn nothing_is_read_behind_the_end() {
    let (_, lines, _) = read(format!("{HEAD}1.0 ! end\n0.5 nonsense\n").as_bytes()).unwrap();
    assert_eq!(lines, [(1_000, Owned::Worded(4))]);
}

#[test]
fn a_line_end_in_a_value_is_no_further_line() {
    let header = Header { note: Some("one\nprovenance: another\n\n".into()), ..Header::of(Provenance::Simulated) };
    let (read_header, _, _) = read(&written(&header, &[])).unwrap();
    assert_eq!(read_header.note.as_deref(), Some("one provenance: another"));
    assert_eq!(read_header.provenance, Provenance::Simulated);
}

#[test]
fn an_error_names_file_line_what_was_found_what_was_expected_and_what_to_do() {
    let body = |line: &str| format!("{HEAD}0.000 < 01\n{line}\n0.100 < 02\n");
    let head = |line: &str| format!("vitalsd capture 1\n{line}\nprovenance: simulated\n\n");
    let cases = [
        (
            "time_s,spo2_pct\n".to_owned(),
            "bed.capture:1: found `time_s,spo2_pct`, expected `vitalsd capture 1`. Give a capture: `vitalsd capture` makes them",
        ),
        (
            "vitalsd capture 2\n".into(),
            "bed.capture:1: found `vitalsd capture 2`, expected `vitalsd capture 1`. Read it with the vitalsd that wrote it, or a later one",
        ),
        (
            "vitalsd capture 1\nline: 9600 8N1\n\n".into(),
            "bed.capture:3: found a header without `provenance`, expected `captured from a device`, `simulated`, `synthetic from the sheet`. Add the line",
        ),
        (
            head("colour: red"),
            "bed.capture:2: found `colour: red`, expected one of `driver`, `line`, `started-at`, `provenance`, `port`, `mode`, `note`, with a colon, or a blank line before the first bytes. Mend the line, or take it out",
        ),
        (
            head("provenance: guessed"),
            "bed.capture:2: found `guessed` as `provenance`, expected `captured from a device`, `simulated`, `synthetic from the sheet`. Mend the line, or take it out",
        ),
        (
            head("provenance: simulated"),
            "bed.capture:3: found a second `provenance`, expected each line of the header once. Mend the line, or take it out",
        ),
        (
            body("0.05 < 1"),
            "bed.capture:5: found `1`, expected bytes of two hexadecimal digits, with spaces between them. Mend the line, or take it out",
        ),
        (body("0.05 <"), "bed.capture:5: found no bytes, expected one at the least. Mend the line, or take it out"),
        (
            body("0.05 01 02"),
            "bed.capture:5: found `0.05 01 02`, expected seconds, then <, > or !, as in `12.345 < 01 02 ff`. Mend the line, or take it out",
        ),
        (
            body("-1 < 01"),
            "bed.capture:5: found `-1 < 01`, expected seconds, then <, > or !, as in `12.345 < 01 02 ff`. Mend the line, or take it out",
        ),
        (
            body("0.05 ! sneezed"),
            "bed.capture:5: found `sneezed`, expected one of opened, lost, start-cuff, stop-cuff, end after !. Mend the line, or take it out",
        ),
        (
            body("0.2 < 01"),
            "bed.capture:6: found `0.100`, a time before that of the line above, expected times that never fall. Mend the line, or take it out",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), expected);
    }
    let missing = Reader::open(std::path::Path::new("/no/such.capture")).unwrap_err().to_string();
    assert!(missing.starts_with("/no/such.capture: ") && missing.contains("Give the path"), "{missing}");
}

#[test]
fn bytes_in_a_message_are_shown_short_and_as_no_command_of_a_terminal() {
    let text = format!("{HEAD}\u{1b}[2J{}\n", "x".repeat(500));
    let error = read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("found `?[2Jxxx") && error.contains("...`") && error.len() < 200, "{error}");
}

#[test]
fn silence_ends_a_message_of_one_that_only_pushes_also_where_one_only_listened() {
    for mode in ["", "mode: listen\n"] {
        let text = format!(
            "vitalsd capture 1\nprovenance: simulated\n{mode}\n0.000 ! opened\n1.000 < 38 30 32 38 35 32 34 38 36 30\n3.000 ! end\n"
        );
        let reader = Reader::new("bed.capture", Cursor::new(text)).unwrap();
        let driver = vitalsd_core::driver::AnyDriver::new("and-ua767").unwrap();
        let mut playback = Playback::new(reader, driver, Time::ZERO).unwrap();
        let mut told = Vec::new();
        while playback.step(&mut |sample| told.push(sample.at())).unwrap().is_some() {}
        assert_eq!(told, [Time::from_millis(1_000)], "{mode}");
    }
}
