//! The simulated devices, pure: a time and the host's bytes go in, bytes on the wire come out.
//!
//! They are built on the encoders that stand beside the decoders in [`vitalsd_core::driver`], so each
//! byte layout is written down once.

mod contec;
mod dinamap;
mod nonin;
mod pace;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use vitalsd_core::driver::{self, Protocol};
use vitalsd_core::time::Time;

use self::contec::Contec;
use self::dinamap::Dinamap;
use self::nonin::Nonin;
use super::scene::Scene;
use super::script::Role;

/// What can be simulated. Its name is that of the driver that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Nonin, data format 1.
    NoninDf1,
    /// Nonin, data format 2.
    NoninDf2,
    /// Nonin, data format 7.
    NoninDf7,
    /// Nonin, data format 8.
    NoninDf8,
    /// Nonin, printout.
    NoninPrintout,
    /// Contec, V7.0 packages.
    ContecV7,
    /// Contec, the old five bytes.
    ContecOld,
    /// GE DINAMAP.
    Dinamap,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoninDf1,
        Self::NoninDf2,
        Self::NoninDf7,
        Self::NoninDf8,
        Self::NoninPrintout,
        Self::ContecV7,
        Self::ContecOld,
        Self::Dinamap,
    ];

    /// What it speaks.
    #[must_use]
    pub fn protocol(self) -> &'static Protocol {
        match self {
            Self::NoninDf1 => &driver::nonin::DF1,
            Self::NoninDf2 => &driver::nonin::DF2,
            Self::NoninDf7 => &driver::nonin::DF7,
            Self::NoninDf8 => &driver::nonin::DF8,
            Self::NoninPrintout => &driver::nonin::PRINTOUT,
            Self::ContecV7 => &driver::contec::V7_PROTOCOL,
            Self::ContecOld => &driver::contec::OLD_PROTOCOL,
            Self::Dinamap => &driver::dinamap::PROTOCOL,
        }
    }

    /// The name of its driver.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.protocol().name
    }

    /// What it is at the bed.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Dinamap => Role::Cuff,
            _ => Role::Oximeter,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Model {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| format!("no such device `{name}`; give one of {}", known()))
    }
}

/// A simulated device.
#[derive(Debug)]
pub struct Device {
    model: Model,
    scene: Arc<Scene>,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Nonin(Nonin),
    Contec(Contec),
    Dinamap(Dinamap),
}

impl Device {
    /// A device at the bedside of `scene`, switched on at time 0.
    #[must_use]
    pub fn new(model: Model, scene: &Arc<Scene>) -> Self {
        let inside = match model {
            Model::NoninDf1 => Inside::Nonin(Nonin::new(nonin::Format::Df1)),
            Model::NoninDf2 => Inside::Nonin(Nonin::new(nonin::Format::Df2)),
            Model::NoninDf7 => Inside::Nonin(Nonin::new(nonin::Format::Df7)),
            Model::NoninDf8 => Inside::Nonin(Nonin::new(nonin::Format::Df8)),
            Model::NoninPrintout => Inside::Nonin(Nonin::new(nonin::Format::Printout)),
            Model::ContecV7 => Inside::Contec(Contec::v7()),
            Model::ContecOld => Inside::Contec(Contec::old()),
            Model::Dinamap => Inside::Dinamap(Dinamap::new(scene)),
        };
        Self { model, scene: Arc::clone(scene), inside }
    }

    /// What it is.
    #[must_use]
    pub const fn model(&self) -> Model {
        self.model
    }

    /// The bedside that it stands at.
    #[must_use]
    pub const fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// When it will next do something by itself; `None`: only when it is told to.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        match &self.inside {
            Inside::Nonin(nonin) => Some(nonin.next()),
            Inside::Contec(contec) => contec.next(),
            Inside::Dinamap(dinamap) => dinamap.next(),
        }
    }

    /// Does everything that is due up to `now`; what it says is appended to `out`.
    pub fn advance(&mut self, now: Time, out: &mut Vec<u8>) {
        while let Some(at) = self.due().filter(|at| *at <= now) {
            let said = out.len();
            match &mut self.inside {
                Inside::Nonin(nonin) => nonin.advance(&self.scene, at, out),
                Inside::Contec(contec) => contec.advance(&self.scene, at, out),
                Inside::Dinamap(dinamap) => dinamap.advance(&self.scene, at),
            }
            if self.scene.silent(self.model.role(), at) {
                out.truncate(said);
            }
        }
    }

    /// Takes what the host says at `now`; what it answers is appended to `out`.
    pub fn receive(&mut self, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        if self.scene.silent(self.model.role(), now) {
            return;
        }
        match &mut self.inside {
            Inside::Nonin(_) => {}
            Inside::Contec(contec) => contec.receive(bytes, now, out),
            Inside::Dinamap(dinamap) => dinamap.receive(&self.scene, bytes, now, out),
        }
    }
}
