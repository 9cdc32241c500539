//! A file becomes checked settings, or a list of everything that is wrong with it.
//!
//! Every [`Problem`] names file, line and column, what was found, what is allowed and what to do.
//! Past this door nobody checks a setting again.

mod bed;
mod broker;
mod flight;
mod journal;
mod preset;
mod problem;
mod secret;
mod settings;
mod station;
mod table;

pub use bed::{Bed, Device, SOURCED, can_source};
pub use broker::{Broker, Credentials, is_loopback};
pub use flight::FlightRecorder;
pub use journal::Retention;
pub use preset::load as load_preset;
pub use problem::{Place, Problem, Problems, Severity};
pub use secret::SecretsError;
pub use settings::{Settings, load};
pub use station::{Station, UnusableKey, read_key};

/// What a file says, and what may be worth a look although it is sound.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    /// What it says.
    pub value: T,
    /// Warnings only.
    pub warnings: Problems,
}
