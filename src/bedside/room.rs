//! One bed of the box: the core's bed, its devices, and their names on the wire.

use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Notify;
use vitalsd_core::driver::{AnyDriver, Driver, Poll, Refusal, Request};
use vitalsd_core::monitor::input::{DeviceIndex, Link, LossReason};
use vitalsd_core::monitor::{self, Bed};
use vitalsd_core::time::Time;

use crate::config;
use crate::port::health::Health;
use crate::wire::Id;
use crate::wire::topic::NotAnId;
use vitalsd_core::monitor::preset::Preset;

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
}

/// A device of a bed: everything but its port.
#[derive(Debug)]
pub struct Device {
    /// Its id on the wire.
    pub id: Id,
    /// What understands it.
    pub driver: AnyDriver,
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
    /// The bed of `settings`, at `now`.
    ///
    /// # Errors
    /// An id that cannot stand in a topic.
    pub fn new(settings: &config::Bed, preset: &Preset, now: Time) -> Result<Self, NotAnId> {
        let known = |device: &config::Device| monitor::Device::of(device.protocol, &device.primary);
        let devices =
            settings.devices.iter().filter_map(|device| Device::new(device).transpose()).collect::<Result<_, _>>()?;
        Ok(Self {
            id: Id::new(&settings.id)?,
            bed: Bed::new(preset.clone(), settings.devices.iter().map(known).collect(), now),
            devices,
            rev: 0,
            changed: true,
            claimant: None,
            told: None,
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
    fn new(settings: &config::Device) -> Result<Option<Self>, NotAnId> {
        let id = Id::new(&settings.id)?;
        // The configuration names protocols of the registry only.
        Ok(AnyDriver::new(settings.protocol.name).map(|driver| Self {
            id,
            driver,
            health: Health::new(settings.protocol),
            link: None,
            open: false,
            wake: Rc::new(Notify::new()),
        }))
    }

    /// Its port was opened: half a frame from before is worth nothing.
    pub fn opened(&mut self, now: Time) {
        self.open = true;
        self.driver.opened(now);
        self.health.opened(now, self.driver.stats().good_frames);
    }

    /// Its port is gone.
    pub const fn closed(&mut self) {
        self.open = false;
    }

    /// What it wants to send now; nothing while its port is closed.
    pub fn poll(&mut self, now: Time, out: &mut impl FnMut(vitalsd_core::sample::Sample)) -> Poll {
        if self.open { self.driver.poll(now, out) } else { Poll::default() }
    }

    /// Asks it for something, and wakes its port to send it.
    ///
    /// # Errors
    /// The driver cannot do it, or not now.
    pub fn request(&mut self, request: Request, now: Time) -> Result<(), Refusal> {
        self.driver.request(request, now)?;
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
