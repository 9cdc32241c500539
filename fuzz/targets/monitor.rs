//! Any story into a bed.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vitalsd_fuzz::monitor::run(input));
