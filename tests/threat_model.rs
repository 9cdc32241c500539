//! Proves that `docs/threat-model.md` names tests that are there: a promise whose proof is gone must be seen.
#![allow(clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = include_str!("../docs/threat-model.md");
    let quoted = page.split('`').skip(1).step_by(2);
    let named: Vec<_> =
        quoted.filter_map(|quoted| quoted.split_once("::")).filter(|named| *named != ("file", "test")).collect();
    assert!(named.len() > 30, "{named:?}");
    for (file, test) in named {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(format!("{file}.rs"));
        let text = fs::read_to_string(&path).expect(file);
        assert!(text.contains(&format!("fn {test}(")), "{file} has no {test}");
    }
}
