//! The captures of the flight recorder on disk: few and small enough, the oldest making room.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use vitalsd_core::driver::LineSettings;
use vitalsd_core::monitor::output::{Condition, Priority};
use vitalsd_core::time::Time;

use super::ring;
use crate::capture::{Header, Provenance, What, Writer};
use crate::config;
use crate::wire::Clock;

/// The end of the name of every file.
const ENDING: &str = ".capture";

/// What is to be saved of one line.
#[derive(Debug)]
pub struct Flight {
    /// The bed.
    pub bed: String,
    /// The device.
    pub device: config::Device,
    /// What is spoken there, as far as it is known.
    pub spoken: Option<(&'static str, LineSettings)>,
    /// The alarm.
    pub condition: Condition,
    /// How grave it was.
    pub priority: Priority,
    /// When it began.
    pub began: Time,
    /// The end of what was copied.
    pub until: Time,
    /// The wall clock.
    pub clock: Clock,
    /// A copy of the ring.
    pub bytes: Vec<u8>,
}

/// The directory that the captures are kept in.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    files: usize,
    bytes: u64,
}

impl Directory {
    /// The one that is configured.
    #[must_use]
    pub fn of(settings: &config::FlightRecorder) -> Self {
        Self { path: settings.directory.clone(), files: settings.files, bytes: settings.bytes }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a capture, which only its owner may read, after the oldest ones have made room for it.
    ///
    /// # Errors
    /// It cannot be written, or is larger than everything may be.
    pub fn keep(&self, flight: &Flight) -> io::Result<PathBuf> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let text = flight.text()?;
        self.make_room(text.len().try_into().unwrap_or(u64::MAX))?;
        let name = flight.name();
        for twin in 1.. {
            let twin = if twin == 1 { String::new() } else { format!("-{twin}") };
            let file = self.path.join(format!("{name}{twin}{ENDING}"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
                Ok(mut out) => return out.write_all(&text).map(|()| file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Removes the oldest captures, and nothing else, until one of `size` bytes has room.
    fn make_room(&self, size: u64) -> io::Result<()> {
        if size > self.bytes {
            let error = format!("a capture of {size} bytes is more than the {} of the configuration", self.bytes);
            return Err(io::Error::other(error));
        }
        let mut captures = self.captures()?;
        // Oldest last.
        captures.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        let mut used = captures.iter().fold(0_u64, |sum, (_, _, size)| sum.saturating_add(*size));
        while captures.len() >= self.files || used.saturating_add(size) > self.bytes {
            let Some((_, file, its)) = captures.pop() else { break };
            fs::remove_file(file)?;
            used = used.saturating_sub(its);
        }
        Ok(())
    }

    /// Those that are there: when, which file, how large.
    fn captures(&self) -> io::Result<Vec<(String, PathBuf, u64)>> {
        let mut captures = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let Some(time) = entry.file_name().to_str().and_then(time_in) {
                captures.push((time.to_owned(), entry.path(), entry.metadata()?.len()));
            }
        }
        Ok(captures)
    }
}

/// The time in a name of ours, `room-1_oximeter_20261125T093000Z.capture`; `None`: it is somebody else's.
fn time_in(name: &str) -> Option<&str> {
    let mut parts = name.strip_suffix(ENDING)?.split('_');
    let time = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(time), None) => time,
        _ => return None,
    };
    let is_time = time.len() >= 16 && time.bytes().take(8).all(|c| c.is_ascii_digit()) && time.contains('T');
    is_time.then_some(time)
}

impl Flight {
    /// Bed, device and time, and nothing of a patient.
    fn name(&self) -> String {
        let time = self.clock.at(self.began).0.strftime("%Y%m%dT%H%M%SZ");
        format!("{}_{}_{time}", self.bed, self.device.id)
    }

    /// The capture as it stands in the file.
    fn text(&self) -> io::Result<Vec<u8>> {
        let start = ring::lines(&self.bytes).next().map_or(self.until, |(at, _)| at);
        let seconds = self.began.since(start).as_millis();
        let priority = match self.priority {
            Priority::Low => "low",
            Priority::Medium => "medium",
            Priority::High => "high",
        };
        let simulated = self.device.port.canonicalize().is_ok_and(|port| port.starts_with("/dev/pts"));
        let header = Header {
            driver: self.spoken.map(|(protocol, _)| protocol.to_owned()),
            line: self.spoken.map(|(_, line)| line),
            started_at: Some(self.clock.at(start).0),
            note: Some(format!(
                "{} ({priority}) began at {}.{:03}",
                self.condition.slug(),
                seconds / 1_000,
                seconds % 1_000
            )),
            ..Header::of(if simulated { Provenance::Simulated } else { Provenance::Device })
        };
        let mut writer = Writer::new(Vec::new(), &header)?;
        let at = |moment: Time| Time::ZERO + moment.since(start);
        for (moment, what) in ring::lines(&self.bytes) {
            writer.write(at(moment), what)?;
        }
        writer.write(at(self.until), What::End)?;
        Ok(writer.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use vitalsd_core::driver::PROTOCOLS;
    use vitalsd_core::time::Span;

    fn flight(second: u64, bytes: usize) -> Flight {
        let device = config::Device {
            id: "oximeter".into(),
            protocols: vec![PROTOCOLS[0]],
            port: "/dev/none".into(),
            primary: Vec::new(),
            listen_only: false,
        };
        let mut ring = ring::Ring::new(Span::mins(1), 100_000);
        let began = Time::ZERO + Span::secs(second);
        ring.take(began - Span::secs(5), What::Heard(&vec![0x81; bytes]));
        Flight {
            bed: "room-1".into(),
            device,
            spoken: Some((PROTOCOLS[0].name, PROTOCOLS[0].lines[0])),
            condition: Condition::Spo2VeryLow,
            priority: Priority::High,
            began,
            until: began + Span::secs(2),
            clock: Clock::new("2026-11-25T09:30:00Z".parse().unwrap()),
            bytes: ring.copy(began),
        }
    }

    fn directory(files: usize, bytes: u64) -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flights");
        (dir, Directory { path, files, bytes })
    }

    fn names(directory: &Directory) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_capture_is_for_its_owner_alone_and_its_name_holds_bed_device_and_time() {
        let (_dir, directory) = directory(10, 1_000_000);
        let file = directory.keep(&flight(60, 3)).unwrap();
        assert_eq!(file.file_name().unwrap(), "room-1_oximeter_20261125T093100Z.capture");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(directory.path())), (0o600, 0o700));
        let expected = "vitalsd capture 1\ndriver: nonin-df2\nline: 9600 8N1\nstarted-at: 2026-11-25T09:30:55Z\n\
            provenance: captured from a device\nnote: spo2-very-low (high) began at 5.000\n\n\
            0.000 < 81 81 81\n7.000 ! end\n";
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        let twin = directory.keep(&flight(60, 3)).unwrap();
        assert_eq!(twin.file_name().unwrap(), "room-1_oximeter_20261125T093100Z-2.capture");
    }

    #[test]
    fn the_oldest_make_room_and_nothing_else_is_removed() {
        let (_dir, directory) = directory(3, 1_000_000);
        fs::create_dir_all(directory.path()).unwrap();
        for others in ["notes.txt", "night.capture", "a_b_c.capture"] {
            fs::write(directory.path().join(others), "somebody else's").unwrap();
        }
        (1..=5).for_each(|minute| drop(directory.keep(&flight(minute * 60, 3)).unwrap()));
        let kept = [3, 4, 5].map(|minute| format!("room-1_oximeter_20261125T093{minute}00Z.capture"));
        assert_eq!(
            names(&directory),
            [&["a_b_c.capture".into(), "night.capture".into(), "notes.txt".into()], &kept[..]].concat()
        );
    }

    #[test]
    fn all_together_are_never_larger_than_they_may_be() {
        let (_dir, directory) = directory(100, 3_000);
        for minute in 1..=6 {
            directory.keep(&flight(minute * 60, 300)).unwrap();
            let total: u64 = directory.captures().unwrap().iter().map(|(_, _, size)| size).sum();
            assert!(total <= 3_000, "{total}");
        }
        assert_eq!(names(&directory).len(), 2, "of a thousand bytes and some each");
        let before = names(&directory);
        assert!(directory.keep(&flight(600, 2_000)).unwrap_err().to_string().contains("more than the 3000"));
        assert_eq!(names(&directory), before, "nothing is removed for what cannot be kept");
    }
}
