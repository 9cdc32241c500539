//! Builds in the headers of `tests/recordings`: `vitalsd drivers` says on any box which recording proves a driver.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const RECORDINGS: &str = "tests/recordings";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={RECORDINGS}");
    let mut headers = Vec::new();
    for file in fs::read_dir(RECORDINGS)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "capture") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            headers.push((name, header(&fs::read_to_string(&path)?)));
        }
    }
    headers.sort();
    // A list of strings reads the same in Rust as it is shown for debugging.
    fs::write(Path::new(&env::var("OUT_DIR")?).join("recordings.rs"), format!("&{headers:?}"))?;
    Ok(())
}

/// What stands before the first blank line, and that line.
fn header(capture: &str) -> String {
    capture.split("\n\n").next().unwrap_or_default().to_owned() + "\n\n"
}
