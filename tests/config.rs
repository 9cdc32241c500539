//! What this proves: a wrong configuration is refused with the line of every mistake, what was found
//! and what is allowed; a doubtful one is warned about; the shipped ones are sound, and the shipped
//! preset is the one that is compiled in.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod presets;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vitalsd::config::{self, Checked, FlightRecorder, Problem, Problems, Settings, Severity};
use vitalsd_core::driver::{Certainty, OwnAlarm, PROTOCOLS, Protocol, Quantity};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::Span;

const PRESET: &str = include_str!("../config/presets/kat-default-1.toml");

/// Sound; the comments number the lines.
const SOUND: &str = r#"site = "clinic"
box = "box-03"
preset = "preset.toml"
state_dir = "/tmp/x"
[broker] # 5
host = "127.0.0.1"
port = 1883
[[bed]] # 8
id = "bed-1"
[[bed.device]] # 10
id = "oximeter"
protocol = "contec-v7"
port = "/dev/serial/by-id/usb-a"
[[bed.device]] # 14
id = "cuff"
protocol = "dinamap"
port = "/dev/serial/by-id/usb-b"
"#;

struct Clinic(TempDir);

impl Clinic {
    fn new() -> Self {
        let clinic = Self(TempDir::new().unwrap());
        clinic.write("preset.toml", PRESET);
        clinic
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o640);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, text: &str) -> Result<Checked<Settings>, Problems> {
        self.write("vitalsd.toml", text);
        config::load(&self.path("vitalsd.toml"), PROTOCOLS)
    }

    fn load_preset(&self, text: &str) -> Result<Checked<Preset>, Problems> {
        self.write("preset.toml", text);
        config::load_preset(&self.path("preset.toml"))
    }
}

/// `text` with one thing changed, which must be in it exactly once.
fn but(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replace(old, new)
}

fn line(problem: &Problem) -> usize {
    problem.place.as_ref().map_or(0, |place| place.line)
}

/// The one problem there is, and its line.
#[track_caller]
fn only(problems: &Problems, severity: Severity, at: usize, found: &str) {
    let [problem] = problems.0.as_slice() else { panic!("one problem expected:\n{problems}") };
    assert_eq!((problem.severity, line(problem)), (severity, at), "{problem}");
    assert!(problem.found.contains(found), "{problem}");
    assert!(!problem.allowed.is_empty() && !problem.remedy.is_empty(), "{problem}");
}

/// `SOUND` with `old` made `new` is refused for exactly one reason.
#[track_caller]
fn refused(old: &str, new: &str, at: usize, found: &str) {
    let problems = Clinic::new().load(&but(SOUND, old, new)).unwrap_err();
    only(&problems, Severity::Error, at, found);
}

#[test]
fn a_sound_file_becomes_settings() {
    let clinic = Clinic::new();
    let Checked { value, warnings } = clinic.load(SOUND).unwrap();
    assert_eq!(warnings, Problems::default());
    assert_eq!((value.site.as_str(), value.box_id.as_str()), ("clinic", "box-03"));
    assert_eq!(value.state_dir, Path::new("/tmp/x"));
    assert_eq!((value.broker.host.as_str(), value.broker.port), ("127.0.0.1", 1883));
    assert_eq!(value.preset_file, clinic.path("preset.toml"));
    let [bed] = value.beds.as_slice() else { panic!("{:?}", value.beds) };
    let [oximeter, cuff] = bed.devices.as_slice() else { panic!("{bed:?}") };
    assert_eq!((oximeter.id.as_str(), oximeter.protocols[0].name), ("oximeter", "contec-v7"));
    assert_eq!(cuff.port, Path::new("/dev/serial/by-id/usb-b"));
}

#[test]
fn r10_1_a_station_is_expected_unless_somebody_says_otherwise() {
    let clinic = Clinic::new();
    assert!(clinic.load(SOUND).unwrap().value.expect_station);
    let without = but(SOUND, "preset = ", "expect_station = false\npreset = ");
    assert!(!clinic.load(&without).unwrap().value.expect_station);
    refused("preset = ", "expect_station = 1\npreset = ", 3, "`expect_station` is the number 1");
}

#[test]
fn the_only_device_that_measures_something_is_its_source() {
    let settings = Clinic::new().load(SOUND).unwrap().value;
    let sources: Vec<_> = settings.beds[0].devices.iter().map(|device| device.primary.clone()).collect();
    assert_eq!(sources, [vec![Quantity::Spo2, Quantity::Pulse], vec![Quantity::BloodPressure]]);
}

#[test]
fn the_broker_of_the_box_is_the_default() {
    let text = but(SOUND, "[broker] # 5\nhost = \"127.0.0.1\"\nport = 1883\n", "");
    let broker = Clinic::new().load(&text).unwrap().value.broker;
    assert_eq!((broker.host.as_str(), broker.port, broker.tls, broker.credentials), ("127.0.0.1", 1883, None, None));
}

#[test]
fn what_is_not_toml_is_refused_where_it_stands() {
    refused("port = 1883", "port = = 1883", 7, "not TOML");
    refused("port = 1883", "port = 1883\nport = 1884", 8, "duplicate key");
}

#[test]
fn a_missing_key_is_named() {
    refused("site = \"clinic\"\n", "", 1, "`site` is missing");
    refused("id = \"oximeter\"\n", "", 10, "`id` is missing");
    refused("port = \"/dev/serial/by-id/usb-b\"\n", "", 14, "`port` is missing");
    refused("preset = \"preset.toml\"\n", "", 1, "`preset` is missing");
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    refused("state_dir", "statedir", 4, "`statedir` is unknown in the file");
    refused("host", "hots", 6, "`hots` is unknown in `broker`");
    refused("[[bed]] # 8\n", "[[bed]] # 8\nname = \"x\"\n", 9, "`name` is unknown in this `bed`");
    refused("protocol = \"dinamap\"", "protocol = \"dinamap\"\nbaud = 9600", 17, "`baud` is unknown in this `device`");
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    refused("\"box-03\"", "3", 2, "`box` is the number 3");
    refused("port = 1883", "port = \"1883\"", 7, "`port` is the text \"1883\"");
    refused("port = 1883", "port = 70000", 7, "`port` is the number 70000");
    refused("port = 1883", "allow_plaintext = \"no\"", 7, "`allow_plaintext` is the text \"no\"");
    refused("protocol = \"dinamap\"", "protocol = \"dinamap\"\nprimary = \"spo2\"", 17, "`primary` is the text");
    let sectionless = but(SOUND, "[broker] # 5\nhost = \"127.0.0.1\"\nport = 1883\n", "broker = \"127.0.0.1\"\n");
    only(&Clinic::new().load(&sectionless).unwrap_err(), Severity::Error, 5, "`broker` is the text");
}

#[test]
fn an_id_that_cannot_stand_in_a_topic_is_refused() {
    for id in ["Clinic", "a b", "", "a/b", "klinik-ö", "a23456789012345678901234567890123"] {
        refused("\"clinic\"", &format!("{id:?}"), 1, "`site` is");
    }
}

#[test]
fn an_id_that_names_the_drug_is_refused() {
    refused("\"bed-1\"", "\"ketamine-1\"", 9, "names the treatment");
}

#[test]
fn an_id_stands_only_once() {
    let second = "[[bed]]\nid = \"bed-1\"\n[[bed.device]]\nid = \"o\"\nprotocol = \"contec-v7\"\nport = \"/dev/c\"\n";
    let problems = Clinic::new().load(&(SOUND.to_owned() + second)).unwrap_err();
    only(&problems, Severity::Error, 19, "the bed \"bed-1\" stands here for the second time, first on line 9");
    refused(
        "\"cuff\"",
        "\"oximeter\"",
        15,
        "the device \"oximeter\" stands here for the second time, first on line 11",
    );
}

#[test]
fn two_beds_may_each_have_an_oximeter() {
    let second =
        "[[bed]]\nid = \"bed-2\"\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"contec-v7\"\nport = \"/dev/c\"\n";
    assert!(Clinic::new().load(&(SOUND.to_owned() + second)).is_ok());
}

#[test]
fn a_port_serves_one_device() {
    refused("usb-b", "usb-a", 17, "is used twice, first on line 13");
}

#[test]
fn two_names_of_one_port_are_found_out() {
    let clinic = Clinic::new();
    clinic.write("tty", "");
    symlink(clinic.path("tty"), clinic.path("by-id")).unwrap();
    let text = but(SOUND, "/dev/serial/by-id/usb-a", clinic.path("tty").to_str().unwrap());
    let text = but(&text, "/dev/serial/by-id/usb-b", clinic.path("by-id").to_str().unwrap());
    only(&clinic.load(&text).unwrap_err(), Severity::Error, 17, "is used twice, first on line 13");
}

#[test]
fn a_port_serves_one_bed_and_both_lines_are_named() {
    let second = "[[bed]]\nid = \"bed-2\"\n[[bed.device]]\nid = \"oximeter\"\nprotocol = \"contec-v7\"\n\
         port = \"/dev/serial/by-id/usb-a\"\n";
    let problems = Clinic::new().load(&(SOUND.to_owned() + second)).unwrap_err();
    only(&problems, Severity::Error, 23, "is used twice, first on line 13");
}

fn names(device: &config::Device) -> Vec<&'static str> {
    device.protocols.iter().map(|protocol| protocol.name).collect()
}

#[test]
fn a_list_of_protocols_is_tried_in_its_order_and_measures_what_all_of_them_do() {
    let text = but(SOUND, "\"contec-v7\"", "[\"contec-old\", \"contec-v7\"]");
    let settings = Clinic::new().load(&text).unwrap().value;
    let oximeter = &settings.beds[0].devices[0];
    assert_eq!(names(oximeter), ["contec-old", "contec-v7"]);
    assert!(oximeter.is_primary(Quantity::Spo2) && oximeter.is_primary(Quantity::Pulse));
}

#[test]
fn auto_is_every_protocol_of_a_role() {
    let text = but(SOUND, "protocol = \"contec-v7\"", "protocol = \"auto\"\nrole = \"oximeter\"");
    let settings = Clinic::new().load(&text).unwrap().value;
    let oximeters: Vec<_> = PROTOCOLS
        .iter()
        .filter(|protocol| protocol.measures(Quantity::Spo2) && protocol.cadence <= Span::secs(4))
        .map(|protocol| protocol.name)
        .collect();
    assert_eq!(names(&settings.beds[0].devices[0]), oximeters);
    let text = but(SOUND, "protocol = \"dinamap\"", "protocol = \"auto\"\nrole = \"cuff\"");
    let settings = Clinic::new().load(&text).unwrap().value;
    assert!(names(&settings.beds[0].devices[1]).contains(&"dinamap"));
    assert!(settings.beds[0].devices[1].is_primary(Quantity::BloodPressure));
}

#[test]
fn what_may_be_spoken_is_said_so_that_it_can_be_found_out() {
    refused("\"contec-v7\"", "\"auto\"", 12, "protocol = \"auto\" without a `role`");
    refused("\"contec-v7\"", "\"auto\"\nrole = \"pump\"", 13, "the role \"pump\" is unknown");
    refused("\"contec-v7\"", "\"contec-v7\"\nrole = \"oximeter\"", 13, "`role` stands beside a protocol");
    refused("\"contec-v7\"", "[\"contec-v7\", \"contec\"]", 12, "the protocol \"contec\" is unknown");
    refused("\"contec-v7\"", "[\"contec-v7\", \"contec-v7\"]", 12, "stands twice in the list");
    refused("\"contec-v7\"", "[\"contec-v7\", \"dinamap\"]", 12, "contec-v7 and dinamap measure nothing in common");
    refused("\"contec-v7\"", "[]", 10, "the list `protocol` is empty");
    refused("\"contec-v7\"", "7", 12, "`protocol` is the number 7");
}

#[test]
fn whoever_only_listens_to_what_waits_to_be_asked_is_warned() {
    let clinic = Clinic::new();
    let text = but(SOUND, "protocol = \"dinamap\"", "protocol = \"dinamap\"\nlisten_only = true");
    let Checked { value, warnings } = clinic.load(&text).unwrap();
    assert!(value.beds[0].devices[1].listen_only && !value.beds[0].devices[0].listen_only);
    only(&warnings, Severity::Warning, 14, "dinamap speaks only when it is spoken to");
}

#[test]
fn a_port_is_a_full_path() {
    refused("/dev/serial/by-id/usb-b", "COM3", 17, "the port \"COM3\" is not a full path");
}

#[test]
fn an_unknown_protocol_is_refused_with_those_that_are_known() {
    let problems = Clinic::new().load(&but(SOUND, "contec-v7", "contec")).unwrap_err();
    only(&problems, Severity::Error, 12, "the protocol \"contec\" is unknown");
    for protocol in PROTOCOLS {
        assert!(problems.0[0].allowed.contains(protocol.name), "{problems}");
    }
}

#[test]
fn no_bed_and_a_bed_without_a_device_are_refused() {
    let start = SOUND.find("[[bed]]").unwrap();
    only(&Clinic::new().load(&SOUND[..start]).unwrap_err(), Severity::Error, 1, "no bed is configured");
    let start = SOUND.find("[[bed.device]] # 10").unwrap();
    only(&Clinic::new().load(&SOUND[..start]).unwrap_err(), Severity::Error, 8, "bed-1 has no device");
}

#[test]
fn two_devices_for_one_quantity_need_a_primary_source() {
    let two = but(SOUND, "dinamap", "contec-v7");
    let problems = Clinic::new().load(&two).unwrap_err();
    assert_eq!(problems.0.iter().map(line).collect::<Vec<_>>(), [14, 14], "{problems}");
    assert!(problems.0[0].found.contains("oximeter and cuff both measure spo2"), "{problems}");

    let named = but(&two, "usb-b\"", "usb-b\"\nprimary = [\"spo2\", \"pulse\"]");
    let devices = &Clinic::new().load(&named).unwrap().value.beds[0].devices;
    assert!(devices[0].primary.is_empty());
    assert!(devices[1].is_primary(Quantity::Spo2) && devices[1].is_primary(Quantity::Pulse));

    let both = but(&named, "usb-a\"", "usb-a\"\nprimary = [\"spo2\"]");
    let problems = Clinic::new().load(&both).unwrap_err();
    only(&problems, Severity::Error, 19, "oximeter and cuff are both named the source of spo2");
}

#[test]
fn a_device_is_no_source_of_what_it_does_not_measure() {
    refused("usb-a\"", "usb-a\"\nprimary = [\"blood_pressure\"]", 14, "contec-v7 is no source of blood_pressure");
    refused("usb-a\"", "usb-a\"\nprimary = [\"pleth\"]", 14, "`primary` names \"pleth\"");
}

#[test]
fn the_pulse_of_a_cuff_is_never_the_source_of_the_pulse() {
    refused("usb-b\"", "usb-b\"\nprimary = [\"pulse\"]", 18, "dinamap is no source of pulse");
}

#[test]
fn plain_mqtt_stays_on_the_box_unless_told_so() {
    let clinic = Clinic::new();
    clinic.write("station.key", &"1f".repeat(32));
    let sound = SOUND.to_owned() + "[[station]]\nid = \"station-desk\"\nkey_file = \"station.key\"\n";
    let problems = clinic.load(&but(&sound, "127.0.0.1", "10.0.0.5")).unwrap_err();
    only(&problems, Severity::Error, 6, "the broker \"10.0.0.5\" is not on this box");
    let told = but(&sound, "\"127.0.0.1\"", "\"10.0.0.5\"\nallow_plaintext = true");
    let warnings = clinic.load(&told).unwrap().warnings;
    only(&warnings, Severity::Warning, 6, "cross the network to 10.0.0.5 in plain text");
}

#[test]
fn a_login_needs_both_halves_and_a_file_that_is_kept_private() {
    let clinic = Clinic::new();
    clinic.write("password", "secret\n");
    refused("port = 1883", "username = \"box\"", 7, "belong together");
    let login = "username = \"box\"\npassword_file = \"password\"";
    let loaded = clinic.load(&but(SOUND, "port = 1883", login)).unwrap();
    assert_eq!(loaded.warnings, Problems::default());
    let opened = loaded.value.broker.open().unwrap().login;
    assert_eq!(opened, Some(vitalsd::mqtt::Login::new("box", Some("secret".into()))));

    clinic.mode("password", 0o644);
    let warnings = clinic.load(&but(SOUND, "port = 1883", login)).unwrap().warnings;
    only(&warnings, Severity::Warning, 8, "everybody on this machine may read the password");
    fs::remove_file(clinic.path("password")).unwrap();
    let problems = clinic.load(&but(SOUND, "port = 1883", login)).unwrap_err();
    only(&problems, Severity::Error, 8, "cannot be found");
}

#[test]
fn real_time_is_asked_for_only_where_it_is_switched_on() {
    let asked = |text: &str| Clinic::new().load(text).unwrap().value.real_time;
    assert!(!asked(SOUND));
    assert!(asked(&but(SOUND, "[broker] # 5", "real_time = true\n[broker]")));
    refused("[broker] # 5", "real_time = \"yes\"\n[broker]", 5, "`real_time` is the text");
}

#[test]
fn the_flight_recorder_is_off_until_it_is_asked_for_and_check_says_so_either_way() {
    let clinic = Clinic::new();
    assert_eq!(clinic.load(SOUND).unwrap().value.flight_recorder, None);
    let asked = |section: &str| but(SOUND, "[[bed]] # 8", &format!("[flight_recorder]\n{section}[[bed]]"));
    let recorder = clinic.load(&asked("")).unwrap().value.flight_recorder.unwrap();
    assert_eq!((recorder.minutes, recorder.directory.as_path()), (5, Path::new("/tmp/x/flight-recorder")));
    let all = "minutes = 10\ndirectory = \"flights\"\nkilobytes_per_port = 512\nfiles = 7\nmegabytes = 20\n";
    let recorder = clinic.load(&asked(all)).unwrap().value.flight_recorder.unwrap();
    let FlightRecorder { minutes, directory, bytes_per_port, files, bytes } = recorder;
    assert_eq!((minutes, directory, bytes_per_port), (10, clinic.path("flights"), 512_000));
    assert_eq!((files, bytes), (7, 20_000_000));

    let page = |text: &str| {
        clinic.write("vitalsd.toml", text);
        let check = Command::new(env!("CARGO_BIN_EXE_vitalsd")).arg("check").arg(clinic.path("vitalsd.toml")).output();
        String::from_utf8(check.unwrap().stdout).unwrap()
    };
    assert!(page(SOUND).contains("off: no bytes of a device are kept"));
    let on = page(&asked(all));
    for words in
        ["ON: ", "last 10 min", "a person's raw vital signs", "/flights", "7 files and 20 MB", "1024 kB of memory"]
    {
        assert!(on.contains(words), "{words} is missing:\n{on}");
    }
}

#[test]
fn a_flight_recorder_that_could_not_keep_one_capture_or_without_a_bound_is_refused() {
    let refuses =
        |line: &str, at, found: &str| refused("[[bed]] # 8", &format!("[flight_recorder]\n{line}\n[[bed]]"), at, found);
    refuses("megabytes = 4", 8, "no room for one capture of 1024 kB");
    refuses("minutes = 0", 9, "`minutes` is the number 0");
    refuses("minutes = 61", 9, "`minutes` is the number 61");
    refuses("kilobytes_per_port = 10000", 9, "`kilobytes_per_port` is the number 10000");
    refuses("files = 0", 9, "`files` is the number 0");
    refuses("hours = 1", 9, "`hours` is unknown");
}

#[test]
fn a_numbered_port_is_warned_about() {
    for port in ["/dev/ttyUSB0", "/dev/ttyACM1", "/dev/ttyS0"] {
        let warnings = Clinic::new().load(&but(SOUND, "/dev/serial/by-id/usb-b", port)).unwrap().warnings;
        only(&warnings, Severity::Warning, 17, "numbered in the order of plugging in");
    }
}

#[test]
fn a_file_that_everybody_may_change_is_warned_about() {
    let clinic = Clinic::new();
    clinic.write("vitalsd.toml", SOUND);
    clinic.mode("vitalsd.toml", 0o666);
    let warnings = config::load(&clinic.path("vitalsd.toml"), PROTOCOLS).unwrap().warnings;
    only(&warnings, Severity::Warning, 0, "everybody on this machine may change this file");
    clinic.mode("vitalsd.toml", 0o640);
    clinic.mode("preset.toml", 0o642);
    let warnings = config::load(&clinic.path("vitalsd.toml"), PROTOCOLS).unwrap().warnings;
    only(&warnings, Severity::Warning, 0, "everybody on this machine may change this file");
    assert_eq!(warnings.0[0].file, clinic.path("preset.toml"));
}

#[test]
fn a_bed_without_an_oximeter_is_warned_about() {
    let start = SOUND.find("[[bed.device]] # 10").unwrap();
    let end = SOUND.find("[[bed.device]] # 14").unwrap();
    let warnings = Clinic::new().load(&but(SOUND, &SOUND[start..end], "")).unwrap().warnings;
    only(&warnings, Severity::Warning, 8, "no device of this bed measures SpO2");
}

#[test]
fn a_source_too_slow_for_alarms_is_warned_about() {
    static SLOW: Protocol = Protocol {
        name: "slow",
        devices: "an oximeter that prints every minute",
        lines: &[],
        kind: vitalsd_core::driver::Kind::Stream,
        cadence: Span::mins(1),
        measures: &[Quantity::Spo2, Quantity::Pulse],
        pleth: None,
        integrity: vitalsd_core::driver::Integrity::Text,
        certainty: Certainty::Sources,
        own_alarm: OwnAlarm::Unknown,
        cuff: None,
        probe_request: None,
    };
    let clinic = Clinic::new();
    clinic.write("vitalsd.toml", &but(SOUND, "contec-v7", "slow"));
    let known: Vec<_> = PROTOCOLS.iter().copied().chain([&SLOW]).collect();
    let warnings = config::load(&clinic.path("vitalsd.toml"), &known).unwrap().warnings;
    only(&warnings, Severity::Warning, 12, "raises no alarm");
}

#[test]
fn a_missing_file_or_preset_is_named() {
    let clinic = Clinic::new();
    let problems = config::load(&clinic.path("none.toml"), PROTOCOLS).unwrap_err();
    only(&problems, Severity::Error, 0, "cannot be read");
    assert_eq!(problems.0[0].file, clinic.path("none.toml"));
    refused("preset.toml", "none.toml", 3, "there is no preset at");
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_their_lines() {
    let text = but(SOUND, "\"clinic\"", "\"The Clinic\"");
    let text = but(&text, "port = 1883", "port = 0\nqos = 2");
    let text = but(&text, "dinamap", "dynamap");
    let text = but(&text, "\"oximeter\"", "7");
    let problems = Clinic::new().load(&text).unwrap_err();
    assert_eq!(problems.0.iter().map(line).collect::<Vec<_>>(), [1, 7, 8, 12, 17], "{problems}");
}

#[test]
fn mistakes_of_the_preset_come_with_its_own_name() {
    let clinic = Clinic::new();
    clinic.write("preset.toml", &but(PRESET, "version = 1\n", "version = 0\n"));
    let problems = clinic.load(SOUND).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert_eq!(problems.0[0].file, clinic.path("preset.toml"));
}

#[test]
fn the_shipped_configuration_is_sound() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vitalsd.toml");
    let Checked { warnings, .. } = config::load(&path, PROTOCOLS).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(warnings, Problems::default(), "{warnings}");
}
