//! Where the engine and the reference's reading of the rules part, and nobody has decided yet.

/// `true`: as the engine has it; `false`: as the reference reads the rules. Each has a test in
/// `reference_model.rs` that is ignored until it is decided; then the field goes.
#[derive(Clone, Copy, Debug)]
pub struct Disputed {
    /// R1.2, R1.4: a value that went stale still counts as "held one second ago" when the next one comes.
    pub falls_from_stale: bool,
    /// R1.4: a second in which values were missing makes no sudden fall, though a value was held at its beginning.
    pub gap_hides_fall: bool,
    /// R3.1, R6: row 25 explains the want of SpO2 while it lasts and a pulse is counted, not only while the device
    /// finds none.
    pub row_25_hides_with_a_pulse: bool,
}

impl Disputed {
    pub const AS_THE_ENGINE: Self = Self { falls_from_stale: true, gap_hides_fall: true, row_25_hides_with_a_pulse: true };
    pub const AS_THE_RULES: Self = Self { falls_from_stale: false, gap_hides_fall: false, row_25_hides_with_a_pulse: false };
}
