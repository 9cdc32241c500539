//! The clock of a simulated monitor that dates its results. Nobody set it, and nobody reads it.

use jiff::{SignedDuration, civil};
use vitalsd_core::time::Time;

/// What it shows at `now`, written as `format` says (`strftime`).
pub(super) fn shown(now: Time, format: &str) -> String {
    let since = SignedDuration::from_millis(now.as_millis().try_into().unwrap_or_default());
    let switched_on = civil::date(2026, 11, 22).at(9, 5, 0, 0);
    switched_on.saturating_add(since).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_past_midnight() {
        assert_eq!(shown(Time::ZERO, "%y%m%d%H%M"), "2611220905");
        assert_eq!(shown(Time::from_millis(15 * 3_600_000), "%Y/%m/%d,%H:%M"), "2026/11/23,00:05");
    }
}
