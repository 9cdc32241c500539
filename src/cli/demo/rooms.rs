//! The four rooms of the demonstration: who lies there, on which devices, and how far the session is.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::SITE;

/// Where the answers to the demonstration's commands go.
pub const REPLIES: &str = "vitals-reply/demo";

/// The preset, as it is shipped.
const PRESET: &str = include_str!("../../../config/presets/kat-default-1.toml");

/// One room.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Its bed.
    pub bed: &'static str,
    /// The driver of its oximeter.
    pub oximeter: &'static str,
    /// How many minutes ago the dose was given; `None`: not yet.
    pub dosed: Option<u64>,
    /// What happens to its patient, in the words of the simulator.
    pub course: &'static str,
}

/// The four of them, in different phases; the first heads for trouble.
pub const ROOMS: [Room; 4] = [
    Room {
        bed: "room-1",
        oximeter: "nonin-df2",
        dosed: Some(25),
        course: "\
[[event]]
kind = \"desaturation\"
at_s = 40
for_s = 70
to_pct = 83
ramp_s = 25
",
    },
    Room {
        bed: "room-2",
        oximeter: "contec-v7",
        dosed: Some(5),
        course: "\
[[event]]
kind = \"cable-pulled\"
device = \"oximeter\"
at_s = 150
for_s = 25
",
    },
    Room {
        bed: "room-3",
        oximeter: "nonin-df7",
        dosed: Some(70),
        course: "\
[rest]
systolic_mmhg = 148
diastolic_mmhg = 92
",
    },
    Room { bed: "room-4", oximeter: "contec-old", dosed: None, course: "" },
];

/// Writes configuration, preset and courses into `directory`; returns the path of the configuration.
pub fn write(directory: &Path, port: u16) -> io::Result<String> {
    let mut config = format!(
        "site = \"{SITE}\"\nbox = \"box-1\"\nexpect_station = false\nstate_dir = {:?}\npreset = \"preset.toml\"\n\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\n",
        directory.join("state")
    );
    for Room { bed, oximeter, course, .. } in ROOMS {
        let ports = directory.join(bed);
        let _ = write!(
            config,
            "\n[[bed]]\nid = \"{bed}\"\n\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"{oximeter}\"\nport = {:?}\n\
             \n[[bed.device]]\nid = \"cuff\"\nprotocol = \"dinamap\"\nport = {:?}\n",
            ports.join(oximeter),
            ports.join("dinamap")
        );
        fs::write(directory.join(format!("{bed}.toml")), course)?;
    }
    fs::write(directory.join("preset.toml"), PRESET)?;
    let path = directory.join("vitalsd.toml");
    fs::write(&path, config)?;
    Ok(path.display().to_string())
}

/// The arguments that simulate `room`.
pub fn simulate(directory: &Path, room: Room) -> Vec<String> {
    let path = |name: String| directory.join(name).display().to_string();
    let seed = room.bed.bytes().last().unwrap_or_default().to_string();
    [
        "simulate",
        "--device",
        room.oximeter,
        "--device",
        "dinamap",
        "--seed",
        &seed,
        "--script",
        &path(format!("{}.toml", room.bed)),
        "--link",
        &path(room.bed.to_owned()),
    ]
    .map(str::to_owned)
    .into()
}
