//! The log: to standard error, written by a thread of its own so that a slow disk or terminal never
//! stands between a byte and its alarm. What it cannot keep up with is dropped and counted.

use std::io::{IsTerminal, stderr};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

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
        .init();
    guard
}
