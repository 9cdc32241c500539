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
    /// finds none. And where its last value goes stale in the very millisecond in which row 25 becomes active, until
    /// the next sample.
    pub row_25_hides_with_a_pulse: bool,
    /// Row 21: a second reading within the hysteresis, which violates nothing, makes it HIGH.
    pub row_21_band_is_high: bool,
    /// R1.5: for a row that questionable values may not start, they count as something pending all the same, at the
    /// next sample; so motion doubles its delay at 3 Hz and not at 1 Hz. And a sudden fall that was none leaves the
    /// doubling behind.
    pub motion_over_doubted: bool,
    /// R2.5, R2.6, R4.1: of what happens at one moment, a row is settled in the order of the preset, not the graver
    /// one first.
    pub order_of_the_preset: bool,
    /// R1.3, R1.5: the engine waits for the next look, a second at the most, where good and questionable violations
    /// together reach 20 s while the value is a good one; and where motion is forgotten when nothing is pending. The
    /// stories are compared with looks at such moments.
    pub late_looks: bool,
    /// R2.6: that a row once ended under a graver one is remembered from one patient to the next.
    pub cover_outlives_patient: bool,
}

impl Disputed {
    pub const AS_THE_ENGINE: Self = Self {
        falls_from_stale: true,
        gap_hides_fall: true,
        row_25_hides_with_a_pulse: true,
        row_21_band_is_high: true,
        motion_over_doubted: true,
        order_of_the_preset: true,
        late_looks: true,
        cover_outlives_patient: true,
    };
    pub const AS_THE_RULES: Self = Self {
        falls_from_stale: false,
        gap_hides_fall: false,
        row_25_hides_with_a_pulse: false,
        row_21_band_is_high: false,
        motion_over_doubted: false,
        order_of_the_preset: false,
        late_looks: false,
        cover_outlives_patient: false,
    };
}
