//! The recordings that prove the drivers, by the headers that `build.rs` builds in.

use super::{CaptureError, Header, Reader};

/// Name and header of each capture in `tests/recordings`.
static HEADERS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/recordings.rs"));

/// The recordings of that driver: their names, and what is known of them.
///
/// # Errors
/// A header is not that of a capture.
pub fn of(driver: &str) -> Result<Vec<(&'static str, Header)>, CaptureError> {
    let mut recordings = Vec::new();
    for (name, text) in HEADERS {
        let header = Reader::new(format!("tests/recordings/{name}.capture"), text.as_bytes())?.header().clone();
        if header.driver.as_deref() == Some(driver) {
            recordings.push((*name, header));
        }
    }
    Ok(recordings)
}
