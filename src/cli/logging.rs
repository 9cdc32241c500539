//! The log: to standard error, written by a thread of its own so that a slow disk or terminal never
//! stands between a byte and its alarm. What it cannot keep up with is dropped and counted.
//!
//! One thing that happened is one line. Whatever a message or a field holds, and wherever it comes from, it cannot begin
//! another line or steer the terminal of whoever reads: [`OneLine`] writes them all.

use std::fmt;
use std::io::{IsTerminal, stderr};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

use super::harmless;

/// How many lines may wait to be written.
const LINES: usize = 4_096;

/// Starts the log; it is written to its end when the guard is dropped. `VITALSD_LOG` chooses what is
/// told, as in `VITALSD_LOG=debug` or `VITALSD_LOG=vitalsd::mqtt=trace`. The MQTT client is left out: what
/// happens to the link is told by [`crate::bedside`], once and in words.
pub fn start() -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES).finish(stderr());
    let filter = EnvFilter::try_from_env("VITALSD_LOG").unwrap_or_else(|_| EnvFilter::new("info,rumqttc=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .fmt_fields(OneLine::default())
        .init();
    guard
}

/// Message and fields, harmless. Time and level stand before them and are our own.
#[derive(Default)]
struct OneLine(DefaultFields);

impl<'w> FormatFields<'w> for OneLine {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut told = String::new();
        FormatFields::format_fields(&self.0, Writer::new(&mut told), fields)?;
        writer.write_str(&harmless::line(&told))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use tracing::{error, info, info_span, subscriber, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when it happens.
    fn written(happens: impl FnOnce()) -> String {
        let page = Page::default();
        let to = page.clone();
        let log = tracing_subscriber::fmt().with_writer(move || to.clone()).with_ansi(false);
        let log = log.with_target(false).fmt_fields(OneLine::default()).finish();
        subscriber::with_default(log, happens);
        let written = page.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_line_is_for_persons() {
        let line = written(|| warn!(bed = "room-1", reason = "müde", "a command was refused"));
        assert!(line.ends_with(" WARN a command was refused bed=\"room-1\" reason=\"müde\"\n"), "{line}");
    }

    proptest! {
        #[test]
        fn whatever_happens_is_one_line_and_steers_no_terminal(text in "\\PC*|.*|[\\x00-\\u{ff}\\u{2000}-\\u{2070}]*") {
            let forged = format!("{text}\n2026-11-25T08:00:00Z ERROR forged\r\u{2028}\x1b[2J{text}");
            let told = written(|| {
                let _span = info_span!("port", device = %forged).entered();
                info!("{forged}");
                warn!(actor = %forged, "asked");
                warn!(error = ?io::Error::other(forged.clone()), key = forged, "asked");
                error!(bytes = ?forged.as_bytes(), "{forged}");
            });
            let (lines, rest) = (told.matches('\n').count(), told.replace('\n', ""));
            prop_assert!(told.ends_with('\n') && lines == 4, "{}", told);
            let steers = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
            prop_assert!(!rest.contains(steers), "{:?}", rest);
        }
    }
}
