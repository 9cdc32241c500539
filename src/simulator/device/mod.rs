//! The simulated devices, pure: a time and the host's bytes go in, bytes on the wire come out.
//!
//! They are built on the encoders that stand beside the decoders in [`vitalsd_core::driver`], so each
//! byte layout is written down once.

mod and_medical;
mod arm;
mod bci;
mod berry_board;
mod chipox;
mod clock;
mod contec;
mod creative;
mod dinamap;
mod masimo;
mod nellcor;
mod nibp_oem;
mod nonin;
mod omron;
mod pace;
mod suntech;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use vitalsd_core::driver::{self, Protocol};
use vitalsd_core::time::Time;

use self::and_medical::{Tm2655, Ua767};
use self::bci::Bci;
use self::berry_board::BerryBoard;
use self::chipox::Chipox;
use self::contec::Contec;
use self::creative::Creative;
use self::dinamap::Dinamap;
use self::masimo::Masimo;
use self::nellcor::Nellcor;
use self::nibp_oem::NibpOem;
use self::nonin::Nonin;
use self::omron::Omron;
use self::suntech::Suntech;
use super::scene::Scene;
use super::script::Role;

/// A device inside: a time and the host's bytes go in, bytes come out.
trait Instrument: fmt::Debug + Send {
    /// When it will next do something by itself; `None`: only when it is told to.
    fn next(&self) -> Option<Time>;

    /// Does what is due at `now`.
    fn advance(&mut self, scene: &Scene, now: Time, out: &mut Vec<u8>);

    /// Takes what the host says. A device that only speaks is deaf.
    fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        let _ = (scene, bytes, now, out);
    }
}

/// Makes, from one line per device, the list of models and what makes them.
macro_rules! models {
    ($($(#[$doc:meta])* $model:ident => $protocol:path, $role:ident, $make:expr;)+) => {
        /// What can be simulated. Its name is that of the driver that reads it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Model {
            $($(#[$doc])* $model),+
        }

        impl Model {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$model),+];

            /// What it speaks.
            #[must_use]
            pub fn protocol(self) -> &'static Protocol {
                match self { $(Self::$model => &$protocol),+ }
            }

            /// What it is at the bed.
            #[must_use]
            pub const fn role(self) -> Role {
                match self { $(Self::$model => Role::$role),+ }
            }

            fn make(self, scene: &Scene) -> Box<dyn Instrument> {
                match self { $(Self::$model => {
                    let make: fn(&Scene) -> Box<dyn Instrument> = $make;
                    make(scene)
                }),+ }
            }
        }
    };
}

models! {
    /// Nonin, data format 1.
    NoninDf1 => driver::nonin::DF1, Oximeter, |_| Box::new(Nonin::new(nonin::Format::Df1));
    /// Nonin, data format 2.
    NoninDf2 => driver::nonin::DF2, Oximeter, |_| Box::new(Nonin::new(nonin::Format::Df2));
    /// Nonin, data format 7.
    NoninDf7 => driver::nonin::DF7, Oximeter, |_| Box::new(Nonin::new(nonin::Format::Df7));
    /// Nonin, data format 8.
    NoninDf8 => driver::nonin::DF8, Oximeter, |_| Box::new(Nonin::new(nonin::Format::Df8));
    /// Nonin, printout.
    NoninPrintout => driver::nonin::PRINTOUT, Oximeter, |_| Box::new(Nonin::new(nonin::Format::Printout));
    /// Contec, V7.0 packages.
    ContecV7 => driver::contec::V7_PROTOCOL, Oximeter, |_| Box::new(Contec::v7());
    /// Contec, the old five bytes.
    ContecOld => driver::contec::OLD_PROTOCOL, Oximeter, |_| Box::new(Contec::old());
    /// Masimo, ASCII 1.
    Masimo => driver::masimo::PROTOCOL, Oximeter, |_| Box::new(Masimo::new());
    /// Nellcor, printout.
    Nellcor => driver::nellcor::PROTOCOL, Oximeter, |_| Box::new(Nellcor::new());
    /// Berry probe, the five bytes of the BCI family.
    Bci => driver::bci::PROTOCOL, Oximeter, |_| Box::new(Bci::default());
    /// BerryMed board, `55 AA` frames.
    BerryBoard => driver::berry_board::PROTOCOL, Oximeter, |_| Box::new(BerryBoard::default());
    /// ChipOx module.
    Chipox => driver::chipox::PROTOCOL, Oximeter, |_| Box::new(Chipox::default());
    /// Creative, `AA 55` frames.
    Creative => driver::creative::PROTOCOL, Oximeter, |_| Box::new(Creative::default());
    /// GE DINAMAP.
    Dinamap => driver::dinamap::PROTOCOL, Cuff, |scene| Box::new(Dinamap::new(scene));
    /// SunTech OEM module.
    Suntech => driver::suntech::PROTOCOL, Cuff, |_| Box::new(Suntech::new());
    /// OEM board that speaks 01;;D7.
    NibpOem => driver::nibp_oem::PROTOCOL, Cuff, |scene| Box::new(NibpOem::new(scene));
    /// A&D TM-2655.
    AndTm2655 => driver::and_medical::TM2655_PROTOCOL, Cuff, |scene| Box::new(Tm2655::new(scene));
    /// A&D UA-767PC.
    AndUa767 => driver::and_medical::UA767_PROTOCOL, Cuff, |scene| Box::new(Ua767::new(scene));
    /// Omron HBP-9030.
    OmronHbp9030 => driver::omron::HBP9030, Cuff, |scene| Box::new(Omron::new(omron::Layout::Hbp9030, scene));
    /// Omron HBP-9020.
    OmronHbp9020 => driver::omron::HBP9020, Cuff, |scene| Box::new(Omron::new(omron::Layout::Hbp9020, scene));
}

impl Model {
    /// The name of its driver.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.protocol().name
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
        let known = || Self::ALL.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ");
        Self::ALL
            .iter()
            .copied()
            .find(|model| model.name() == name)
            .ok_or_else(|| format!("no such device `{name}`; give one of {}", known()))
    }
}

/// A simulated device.
#[derive(Debug)]
pub struct Device {
    model: Model,
    scene: Arc<Scene>,
    inside: Box<dyn Instrument>,
}

impl Device {
    /// A device at the bedside of `scene`, switched on at time 0.
    #[must_use]
    pub fn new(model: Model, scene: &Arc<Scene>) -> Self {
        let inside = model.make(scene);
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
        self.inside.next()
    }

    /// Does everything that is due up to `now`; what it says is appended to `out`.
    pub fn advance(&mut self, now: Time, out: &mut Vec<u8>) {
        while let Some(at) = self.due().filter(|at| *at <= now) {
            let said = out.len();
            self.inside.advance(&self.scene, at, out);
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
        self.inside.receive(&self.scene, bytes, now, out);
    }
}
