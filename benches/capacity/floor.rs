//! The floor: a process that waits for the same ports with one epoll and reads what they say, and nothing else.

use std::path::PathBuf;
use std::process::{Child, Command};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fs::{Mode, OFlags, open};

/// The reader. A process of its own, as the daemon is.
pub struct Floor(Child);

impl Floor {
    /// Reads `ports`.
    pub fn start(ports: &[PathBuf]) -> Self {
        let this = std::env::current_exe().expect("this program");
        Self(Command::new(this).arg("--floor").args(ports).spawn().expect("a second process of this program"))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The reader itself.
pub fn run(ports: &[String]) {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let ports: Vec<_> = ports.iter().map(|port| open(port, flags, Mode::empty()).expect("a port")).collect();
    let waits = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
    for (number, port) in (0..).zip(&ports) {
        epoll::add(&waits, port, epoll::EventData::new_u64(number), epoll::EventFlags::IN).expect("a port");
    }
    let (mut events, mut buffer) = (Vec::with_capacity(ports.len()), [0; 4_096]);
    loop {
        events.clear();
        epoll::wait(&waits, spare_capacity(&mut events), None).expect("an epoll");
        for event in &events {
            let port = usize::try_from(event.data.u64()).expect("one of the ports");
            let _ = rustix::io::read(&ports[port], &mut buffer);
        }
    }
}
