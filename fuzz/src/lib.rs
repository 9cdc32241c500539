//! What is fuzzed: any bytes into every driver, any story into the monitor. The same bodies run over the
//! committed corpus as plain tests (`tests/corpus.rs` of the main crate).

pub mod bytes;
pub mod driver;
pub mod monitor;
