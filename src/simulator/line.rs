//! A simulated device on a pseudo-terminal, kept to its time by a task of its own.

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use vitalsd_core::time::Time;

use super::device::Device;
use crate::port::pty::Pty;

/// Why a simulated device has no port.
#[derive(Debug, Error)]
#[error("the simulated device at {} has no port: {source}. Check that the directory may be written and that devpts is mounted", link.display())]
pub struct LineError {
    link: PathBuf,
    source: io::Error,
}

/// A simulated device that is running. Dropping it ends it and takes its port away.
#[derive(Debug)]
pub struct Line {
    link: PathBuf,
    plugged: watch::Sender<bool>,
    task: JoinHandle<Result<(), LineError>>,
}

impl Line {
    /// Starts `device` on a port at `link`; its time 0 is `start`, the same for all devices of a bed.
    /// Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// The port cannot be made.
    pub fn start(device: Device, link: PathBuf, start: Instant) -> Result<Self, LineError> {
        let (plugged, plug) = watch::channel(true);
        let mut worker = Worker { device, link: link.clone(), start, plug, port: None, out: Vec::new() };
        worker.plug_in_or_out()?;
        Ok(Self { link, plugged, task: tokio::spawn(worker.run()) })
    }

    /// The path at which the port appears.
    #[must_use]
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Pulls the cable: the port hangs up and its link vanishes; the device goes on.
    pub fn unplug(&self) {
        self.plugged.send_replace(false);
    }

    /// Puts the cable back: another port, at the same link.
    pub fn replug(&self) {
        self.plugged.send_replace(true);
    }

    /// Waits for what ends it: only an error does.
    ///
    /// # Errors
    /// The port could not be made again after the cable was out.
    pub async fn ended(&mut self) -> Result<(), LineError> {
        match (&mut self.task).await {
            Ok(result) => result,
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Worker {
    device: Device,
    link: PathBuf,
    start: Instant,
    plug: watch::Receiver<bool>,
    port: Option<AsyncFd<Pty>>,
    out: Vec<u8>,
}

impl Worker {
    async fn run(mut self) -> Result<(), LineError> {
        loop {
            self.plug_in_or_out()?;
            let now = self.now();
            self.out.clear();
            self.device.advance(now, &mut self.out);
            self.say();

            let cable = self.device.scene().next_cable_change(self.device.model().role(), now);
            let next = [self.device.due(), cable].into_iter().flatten().min();
            let start = self.start;
            let due = async {
                match next {
                    Some(next) => sleep_until(start + Duration::from_millis(next.as_millis())).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                changed = self.plug.changed() => if changed.is_err() { return Ok(()) },
                () = readable(self.port.as_ref()) => self.listen(),
            }
        }
    }

    fn now(&self) -> Time {
        Time::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn plug_in_or_out(&mut self) -> Result<(), LineError> {
        let plugged =
            *self.plug.borrow_and_update() && !self.device.scene().pulled(self.device.model().role(), self.now());
        if !plugged {
            self.plug_out();
        } else if self.port.is_none() {
            let port = open(&self.link).map_err(|source| LineError { link: self.link.clone(), source })?;
            self.port = Some(port);
        }
        Ok(())
    }

    fn plug_out(&mut self) {
        if self.port.take().is_some() {
            // Already gone is as good.
            let _ = std::fs::remove_file(&self.link);
        }
    }

    /// What a full line does not take is lost, as on a wire.
    fn say(&self) {
        if let Some(port) = self.port.as_ref().filter(|_| !self.out.is_empty()) {
            let _ = port.get_ref().try_write(&self.out);
        }
    }

    /// Reads all there is, because readiness is told only once.
    fn listen(&mut self) {
        let mut buffer = [0; 256];
        let Some(port) = &self.port else { return };
        let now = self.now();
        self.out.clear();
        // What was due before the command goes out before the answer.
        self.device.advance(now, &mut self.out);
        while let Ok(count @ 1..) = port.get_ref().try_read(&mut buffer) {
            self.device.receive(buffer.get(..count).unwrap_or_default(), now, &mut self.out);
        }
        self.say();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.plug_out();
    }
}

#[expect(deprecated, reason = "its successor is unsafe; a Pty answers with one and the same descriptor while it lives")]
fn open(link: &Path) -> io::Result<AsyncFd<Pty>> {
    let port = AsyncFd::new(Pty::open()?)?;
    port.get_ref().plug_in_at(link)?;
    Ok(port)
}

/// Waits until the host has said something; without a port it never has.
async fn readable(port: Option<&AsyncFd<Pty>>) {
    match port {
        Some(port) => match port.readable().await {
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => pending().await,
        },
        None => pending().await,
    }
}
