//! Which line settings to try, in which order, and for how long.

use vitalsd_core::driver::{Integrity, Kind, LineSettings, Protocol};
use vitalsd_core::time::Span;

/// Nothing is judged in less: an adapter and a device need a moment after a change of the line.
const SHORTEST: Span = Span::secs(2);
/// No protocol is waited for longer than this at one line setting.
const LONGEST: Span = Span::secs(12);
/// A stream of many frames a second is to be clean for this long.
const CLEAN_FOR: Span = Span::millis(500);

/// One line setting, and who may speak there.
#[derive(Clone, Debug)]
pub struct Line {
    /// The settings.
    pub settings: LineSettings,
    /// The protocols, in the order in which they were given.
    pub protocols: Vec<&'static Protocol>,
}

impl Line {
    /// How long to listen, so that the slowest of them that speaks can have said enough. `tapped`: somebody else
    /// may be asking on this line, so that those who only answer are waited for as well.
    #[must_use]
    pub fn dwell(&self, tapped: bool) -> Span {
        let speaks = |protocol: &&&'static Protocol| tapped || protocol.kind != Kind::Poll;
        self.protocols.iter().filter(speaks).map(|protocol| dwell(protocol)).max().unwrap_or(SHORTEST)
    }
}

/// The line settings of `protocols`, each once: in the order of the protocols, each with its own in the
/// order of its sheet.
#[must_use]
pub fn lines(protocols: &[&'static Protocol]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for protocol in protocols {
        for settings in protocol.lines {
            match lines.iter_mut().find(|line| line.settings == *settings) {
                Some(line) => line.protocols.push(protocol),
                None => lines.push(Line { settings: *settings, protocols: vec![protocol] }),
            }
        }
    }
    lines
}

/// How many clean frames in a row are enough to believe that it is `protocol` and no other, beside the
/// driver's own lock. One frame that fits can be chance, but for what speaks only every few minutes one is
/// all there is.
#[must_use]
pub fn enough(protocol: &Protocol) -> u32 {
    if protocol.kind == Kind::Push {
        return 1;
    }
    let least = match protocol.integrity {
        Integrity::Checksum => 2,
        Integrity::Framing | Integrity::Text => 3,
    };
    let stream = CLEAN_FOR.as_millis().checked_div(protocol.cadence.as_millis()).unwrap_or_default();
    u32::try_from(stream).unwrap_or(u32::MAX).max(least)
}

/// How long it takes a device of `protocol` to say enough, and one pause more.
#[must_use]
pub fn dwell(protocol: &Protocol) -> Span {
    (protocol.cadence.scaled(u64::from(enough(protocol)), 1) + SHORTEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalsd_core::driver::{contec, dinamap, nonin};

    #[test]
    fn every_line_setting_is_tried_once_in_the_order_of_the_protocols_and_of_their_sheets() {
        let lines = lines(&[&contec::V7_PROTOCOL, &contec::OLD_PROTOCOL, &nonin::DF2, &dinamap::PROTOCOL]);
        let told: Vec<_> = lines
            .iter()
            .map(|line| {
                let names: Vec<_> = line.protocols.iter().map(|protocol| protocol.name).collect();
                format!("{}: {}", line.settings, names.join(" "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "115200 8N1: contec-v7",
                "19200 8O1: contec-old",
                "19200 8N1: contec-old",
                "4800 8N1: contec-old",
                "9600 8N1: nonin-df2 dinamap",
            ]
        );
    }

    #[test]
    fn a_fast_stream_is_clean_for_half_a_second_and_a_slow_one_for_three_frames() {
        // 60 a second; once a second, without a checksum; polled, with one.
        assert_eq!(enough(&contec::OLD_PROTOCOL), 29);
        assert_eq!(enough(&nonin::DF1), 3);
        assert_eq!(enough(&dinamap::PROTOCOL), 2);
    }

    #[test]
    fn what_only_answers_is_not_waited_for_where_nobody_asks() {
        let line = Line { settings: LineSettings::n1(9_600), protocols: vec![&nonin::DF1, &dinamap::PROTOCOL] };
        assert_eq!(line.dwell(false), dwell(&nonin::DF1));
        assert_eq!(line.dwell(true), dwell(&dinamap::PROTOCOL));
    }

    #[test]
    fn each_protocol_is_listened_to_for_long_enough_to_say_enough() {
        for protocol in vitalsd_core::driver::PROTOCOLS {
            let needs = protocol.cadence.scaled(u64::from(enough(protocol)), 1);
            assert!(dwell(protocol) >= SHORTEST && dwell(protocol) <= LONGEST, "{}", protocol.name);
            assert!(dwell(protocol) > needs || dwell(protocol) == LONGEST, "{}", protocol.name);
        }
    }
}
