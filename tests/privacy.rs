//! Proves that a session leaves no trace of a person outside the box (R5.10, DESIGN 6): what was typed into a note is in
//! its command and in the note of the journal, and nowhere else; and nothing that names the box, its devices, its users
//! or its network is in any topic, payload or client id.
//!
//! The command itself must carry the text from the station to the box. It is read by the box and by stations alone: the
//! shipped access list keeps commands from integrators (tests/broker_access.rs), and `vitalsd session` sends a note only
//! over TLS or on the box.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use support::bedside::{BED, Bedside, Daemon};
use support::clinic::{Clinic, Proof};
use support::fake_box::{err, out, program};
use support::{Broker, Ear, Heard};
use vitalsd::simulator::device::Model;
use vitalsd::simulator::script::Script;
use vitalsd_core::time::Span;

/// What is typed, and the part of it that every form of writing leaves together.
const NOTE: &str = "Zéphyrine Quibblethwaite cried and asked for her brother";
const CORE: &str = "phyrine Quibblethwaite cried";
/// What names the box and its devices.
const SERIAL: &str = "SN7734551";
const HOST: &str = "oakroom-pc";
const USER: &str = "florence.n";

/// Somebody who looks for a text in whatever way it may be written.
struct Search(Vec<(&'static str, Vec<u8>)>);

impl Search {
    fn of(text: &str) -> Self {
        let hex = text.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let numbers: Vec<_> = text.bytes().map(|byte| byte.to_string()).collect();
        let mut forms = vec![
            ("plain", text.to_owned()),
            ("lower case", text.to_lowercase()),
            ("JSON", serde_json::to_string(text).unwrap().trim_matches('"').to_owned()),
            ("percent", text.replace(' ', "%20")),
            ("hex", hex.clone()),
            ("HEX", hex.to_uppercase()),
            ("a list of numbers", numbers.join(",")),
            ("a list of numbers, printed", numbers.join(", ")),
        ];
        // Base64 has three ways to write it, by where it begins.
        for skip in 0..3 {
            forms.push(("base64", base64(text.as_bytes().get(skip..).unwrap_or_default())));
        }
        Self(forms.into_iter().map(|(form, text)| (form, text.into_bytes())).collect())
    }

    /// How it is written there; `None`: it is not.
    fn find(&self, bytes: &[u8]) -> Option<&'static str> {
        let has = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
        self.0.iter().find(|(_, form)| has(form)).map(|(form, _)| *form)
    }
}

/// Whole groups of three bytes only: what follows does not change them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let group = |bytes: &[u8; 3]| {
        let bits = bytes.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| digit(bits >> shift)).iter().collect::<String>()
    };
    bytes.as_chunks::<3>().0.iter().map(group).collect()
}

#[test]
fn the_search_finds_every_way_of_writing() {
    let search = Search::of(CORE);
    for offset in ["", "x", "xy"] {
        let whole = base64(format!("{offset}{NOTE} and more").as_bytes());
        assert_eq!(search.find(whole.as_bytes()), Some("base64"), "{whole}");
    }
    assert_eq!(base64(b"Man!"), "TWFu");
    assert_eq!(search.find(json!({ "text": NOTE }).to_string().as_bytes()), Some("plain"));
    assert_eq!(search.find(format!("{:02x?}", NOTE.as_bytes()).replace(", ", "").as_bytes()), Some("hex"));
    assert_eq!(search.find(format!("{:?}", NOTE.as_bytes()).as_bytes()), Some("a list of numbers, printed"));
    assert_eq!(search.find(b"Quibblethwaite"), None);
}

/// Every cell of the file with the table in which it stands.
fn cells(file: &Path) -> Vec<(String, Vec<u8>)> {
    let journal = rusqlite::Connection::open(file).unwrap();
    let mut tables = journal.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut cells = Vec::new();
    for table in tables {
        let mut all = journal.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let value = row.get_ref(column).unwrap();
                let bytes = value.as_bytes_or_null().ok().flatten().map(<[u8]>::to_vec);
                cells.extend(bytes.map(|bytes| (table.clone(), bytes)));
            }
        }
    }
    cells
}

/// What sysfs has of the adapter of a device that is plugged in, and of the machine.
fn describe(bedside: &Bedside, device: &str) {
    let root = bedside.root();
    let node = fs::canonicalize(bedside.port(device)).unwrap();
    let tty = root.join("sys/class/tty").join(node.file_name().unwrap());
    let adapter = root.join("sys/devices").join(SERIAL);
    fs::create_dir_all(adapter.join("1-1:1.0/tty")).unwrap();
    fs::create_dir_all(&tty).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    for (file, text) in [("idVendor", "0403"), ("serial", SERIAL)] {
        fs::write(adapter.join(file), format!("{text}\n")).unwrap();
    }
    symlink(adapter.join("1-1:1.0/tty"), tty.join("device")).unwrap();
    fs::write(root.join("etc/hostname"), format!("{HOST}\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_into_a_note_stays_on_the_box_and_nothing_names_persons_or_things() {
    if !Broker::is_mosquitto() {
        eprintln!("not proved here: needs Mosquitto");
        return;
    }
    let mut clinic = Clinic::open(Proof::Password);
    let mut bedside = Bedside::new(clinic.plain, &[("oximeter", Model::NoninDf2), ("cuff", Model::Dinamap)]);
    bedside.own_root = true;
    fs::write(bedside.root().join("desk.key"), "3c".repeat(32)).unwrap();
    bedside.sections = "[[station]]\nid = 'desk'\nkey_file = 'desk.key'\n".into();
    let script = || Script { determination: Some(Span::secs(2)), ..Script::quiet() };
    let _oximeter = bedside.plug_in("oximeter", script(), Instant::now());
    let _cuff = bedside.plug_in("cuff", script(), Instant::now());
    describe(&bedside, "oximeter");
    drop(bedside.daemon());
    let mut ear = Ear::on(clinic.plain, "#");
    let mut daemon = Daemon::telling(&bedside.file(), bedside.root(), "debug");
    let mut heard = ear.all_until("the cuff", |heard| heard.on("/device/cuff") && heard.says("connection", "up")).await;

    let (at, key) = (format!("127.0.0.1:{}", clinic.plain), bedside.root().join("desk.key").display().to_string());
    let mut printed = String::new();
    for line in [
        "open --route iv --cuff-arm left --probe-hand right --iv-arm right --patient p-17 --screened",
        "dose",
        "observe nausea",
        "check awake --breaths 14",
        "bp 124/80",
        "note",
        "help-call",
        "help-over",
        "dose-again",
        "abort",
        "status",
    ] {
        let mut session = program(&["session"]);
        session.args(line.split(' ')).args((line == "note").then_some(NOTE));
        session.args(["--broker", &at, "--site", "north", "--bed", "room-1", "--actor", "nurse-2"]);
        session.args(["--station", "desk", "--station-key", &key]).env("USER", USER).env("HOSTNAME", HOST);
        let output = session.output().await.unwrap();
        printed = printed + out(&output) + err(&output);
        assert!(output.status.success() || line == "dose-again", "{line}: {}", err(&output));
    }
    // A note in the wrong place is read back to whoever wrote it, and to nobody else.
    let beat = ear.until("a heartbeat", |heard| heard.on("/heartbeat")).await.json();
    let astray = json!({
        "boot_id": beat["boot_id"], "uptime_ms": beat["uptime_ms"], "actor": "nurse-2", "key": "astray", "action": NOTE
    });
    let astray = astray.to_string();
    ear.say(&format!("{BED}/command"), astray.as_bytes(), false, Some(("vitals-reply/desk/astray", b"1")));
    heard.extend(ear.all_until("the refusal", |heard| heard.on("/astray")).await);
    daemon.logs(&["a command was refused", "cannot be read"]).await;
    heard.extend(ear.all_until("a state", |heard| heard.on("/state")).await);
    // What the broker keeps for those who come later.
    let mut late = Ear::on(clinic.plain, "#");
    heard.extend(late.all_until("the heartbeat", |heard| heard.on("/heartbeat") && !heard.retained).await);
    let told = daemon.log();
    drop(daemon);
    let mut log = broker_wrote(&mut clinic);
    assert!(told.contains("DEBUG"), "{told}");
    log.push(("the box's log", told.into_bytes()));

    let note = Search::of(CORE);
    let command = |heard: &&Heard| heard.topic == format!("{BED}/command");
    let carried = heard.iter().filter(command).filter(|heard| note.find(&heard.payload).is_some()).count();
    assert_eq!(carried, 2, "the command of the note, and the one that is none");
    let own_reply = heard.iter().find(|heard| heard.on("/astray")).unwrap();
    assert!(note.find(&own_reply.payload).is_some());
    for told in heard.iter().filter(|heard| !command(heard) && !heard.on("/astray")) {
        assert_eq!(note.find(&told.payload), None, "{} {}", told.topic, String::from_utf8_lossy(&told.payload));
    }
    for told in &heard {
        let beside = [Some(told.topic.as_bytes()), told.response_topic.as_deref().map(str::as_bytes)];
        let beside = beside.into_iter().chain([told.correlation.as_deref()]).flatten();
        assert_eq!(beside.filter_map(|bytes| note.find(bytes)).next(), None, "{told:?}");
    }
    assert_eq!(note.find(printed.as_bytes()), None, "{printed}");
    for (what, text) in &log {
        assert_eq!(note.find(text), None, "{what}");
    }
    assert!(
        log.iter().any(|(_, text)| String::from_utf8_lossy(text).contains("vitalsd-visit-")),
        "client ids are in it"
    );
    let state = bedside.root().join("state");
    let found: Vec<_> = ["state.db", "history.db"]
        .iter()
        .flat_map(|file| cells(&state.join(file)))
        .filter(|(_, cell)| note.find(cell).is_some())
        .map(|(table, _)| table)
        .collect();
    assert_eq!(found, ["note"]);

    // The box knows its adapter; nothing that is said names it, or the box, its users, its network.
    let known = cells(&state.join("state.db")).into_iter().find(|(_, cell)| Search::of(SERIAL).find(cell).is_some());
    assert_eq!(known.map(|(table, _)| table).as_deref(), Some("bed"));
    let root = bedside.root().display().to_string();
    for name in [SERIAL, HOST, USER, "florence", &root, "/ports/", "/dev/", "127.0.0.1", &own_host()] {
        let name = Search::of(name);
        for told in &heard {
            let all = [told.topic.as_bytes(), &told.payload].into_iter().find_map(|bytes| name.find(bytes));
            assert_eq!(all, None, "{} {}", told.topic, String::from_utf8_lossy(&told.payload));
        }
    }
}

/// What the broker has written, its log with every client id and its store, once it has ended.
fn broker_wrote(clinic: &mut Clinic) -> Vec<(&'static str, Vec<u8>)> {
    clinic.stop();
    let store = fs::read(clinic.path("mosquitto.db")).unwrap();
    assert!(!store.is_empty());
    vec![("the broker's log", clinic.log().into_bytes()), ("the broker's store", store)]
}

/// The name of this machine; the machines of the tests may have none that tells anything.
fn own_host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        short if short.len() < 6 => HOST.to_owned(),
        name => name.to_owned(),
    }
}
