//! Any bytes into the driver that `VITALSD_DRIVER` names.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static DRIVER: LazyLock<String> =
    LazyLock::new(|| std::env::var("VITALSD_DRIVER").expect("VITALSD_DRIVER names the driver: see `vitalsd drivers`"));

fuzz_target!(|input: &[u8]| vitalsd_fuzz::driver::run(&DRIVER, input));
