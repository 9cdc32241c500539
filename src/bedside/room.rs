//! One bed of the box: the core's bed, its devices, and their names on the wire.

use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Notify;
use vitalsd_core::driver::{Poll, Quantity, Refusal, Request};
use vitalsd_core::monitor::input::{DeviceIndex, Link, LossReason};
use vitalsd_core::monitor::{self, Bed};
use vitalsd_core::sample::Sample;
use vitalsd_core::time::Time;

use crate::config;
use crate::port::find::hunt::{Hunt, News};
use crate::port::health::Health;
use crate::wire::Id;
use crate::wire::topic::NotAnId;

/// Which device of which bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// The bed, in the order of the configuration.
    pub bed: usize,
    /// Its device.
    pub device: DeviceIndex,
}

/// A bed with its devices.
#[derive(Debug)]
pub struct Room {
    /// Its id on the wire.
    pub id: Id,
    /// The bed itself.
    pub bed: Bed,
    /// Its devices, in the order of the configuration.
    pub devices: Vec<Device>,
    /// How often one of its slots has changed.
    pub rev: u64,
    /// Something but the oximetry changed since its state was last told.
    pub changed: bool,
    /// Another box that claims this bed as well.
    pub claimant: Option<Id>,
    /// When its state was last told.
    pub told: Option<Instant>,
    /// It is another than the journal has.
    pub unkept: bool,
    /// When the journal last had it.
    pub kept: Instant,
}

/// A device of a bed: everything but its port.
#[derive(Debug)]
pub struct Device {
    /// Its id on the wire.
    pub id: Id,
    /// What understands it, or may.
    pub hunt: Hunt,
    /// What it is the bed's source of.
    primary: Vec<Quantity>,
    /// Nothing is ever sent to it.
    listen_only: bool,
    /// Whether it says anything of use.
    pub health: Health,
    /// Its link as the bed was last told; `None`: never opened.
    pub link: Option<Link>,
    /// Whether its port is open: only then its driver may speak.
    pub open: bool,
    /// Wakes its port's task when there is something to send.
    pub wake: Rc<Notify>,
}

impl Room {
    /// The bed of `settings`; `begin` makes it of its devices.
    ///
    /// # Errors
    /// An id that cannot stand in a topic.
    pub fn new(settings: &config::Bed, begin: impl FnOnce(Vec<monitor::Device>) -> Bed) -> Result<Self, NotAnId> {
        let devices = settings.devices.iter().map(Device::new).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: Id::new(&settings.id)?,
            bed: begin(devices.iter().map(Device::terms).collect()),
            devices,
            rev: 0,
            changed: true,
            claimant: None,
            told: None,
            unkept: true,
            kept: Instant::now(),
        })
    }

    /// The device of that index.
    pub fn device_mut(&mut self, device: DeviceIndex) -> Option<&mut Device> {
        self.devices.get_mut(usize::from(device.0))
    }

    /// The name of a device on the wire.
    #[must_use]
    pub fn name(&self, device: DeviceIndex) -> Id {
        self.devices.get(usize::from(device.0)).map_or(self.id, |device| device.id)
    }

    /// The next revision of one of its slots.
    pub const fn next_rev(&mut self) -> u64 {
        self.rev += 1;
        self.rev
    }
}

impl Device {
    fn new(settings: &config::Device) -> Result<Self, NotAnId> {
        let hunt = Hunt::over(&settings.protocols, settings.listen_only);
        let mut device = Self {
            id: Id::new(&settings.id)?,
            health: Health::hunting(hunt.protocols()),
            hunt,
            primary: settings.primary.clone(),
            listen_only: settings.listen_only,
            link: None,
            open: false,
            wake: Rc::new(Notify::new()),
        };
        device.judge_anew();
        Ok(device)
    }

    /// What it is to its bed, as far as that is known.
    #[must_use]
    pub fn terms(&self) -> monitor::Device {
        let terms = match self.hunt.protocol() {
            Some(protocol) => monitor::Device::of(protocol, &self.primary),
            None => monitor::Device::one_of(&self.hunt.protocols().collect::<Vec<_>>(), &self.primary),
        };
        monitor::Device { starts_cuff: terms.starts_cuff && !self.listen_only, ..terms }
    }

    /// Its port was opened, or has other line settings: half a frame from before is worth nothing. Returns whether
    /// it is news: another try of the hunt is none.
    pub fn opened(&mut self, now: Time) -> bool {
        let news = !self.open;
        self.open = true;
        self.hunt.opened(now);
        if news {
            self.health.opened(now, self.hunt.stats().good_frames);
        }
        news
    }

    /// Its port is gone.
    pub const fn closed(&mut self) {
        self.open = false;
        self.hunt.closed();
    }

    /// What it wants to send now; nothing while its port is closed.
    pub fn poll(&mut self, now: Time, out: &mut impl FnMut(Sample)) -> (Poll, Option<News>) {
        if self.open { self.hunt.poll(now, out) } else { (Poll::default(), None) }
    }

    /// The hunt is over: from now on it is judged as what it is.
    pub fn found(&mut self, now: Time) {
        self.judge_anew();
        self.health.opened(now, 0);
    }

    /// It is silent, or not understood. Whether it is hunted for again.
    pub fn hunt_again(&mut self, now: Time) -> bool {
        let hunts = self.hunt.is_over() && self.hunt.lost(now);
        if hunts {
            let link = self.health.link();
            self.health = Health::hunting(self.hunt.protocols()).after(link, now);
        }
        hunts
    }

    fn judge_anew(&mut self) {
        self.health = match self.hunt.protocol().filter(|_| self.hunt.is_over()) {
            Some(protocol) if self.listen_only => Health::listening(protocol),
            Some(protocol) => Health::new(protocol),
            None => Health::hunting(self.hunt.protocols()),
        };
    }

    /// Asks it for something, and wakes its port to send it.
    ///
    /// # Errors
    /// The driver cannot do it, or not now.
    pub fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        self.hunt.request(request, now)?;
        self.wake.notify_one();
        Ok(())
    }

    /// The new state of its link, if it changed.
    pub fn link_changed(&mut self, link: Link) -> bool {
        let changed = self.link != Some(link);
        self.link = Some(link);
        changed
    }

    /// Its link for a slot.
    #[must_use]
    pub fn link_now(&self) -> Link {
        self.link.unwrap_or(Link::Lost(LossReason::NotFound))
    }
}
