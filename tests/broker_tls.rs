//! Proves that the way to the broker is encrypted and to the right broker: with the right CA and name it stands, and
//! comes back after a cut; with anything else it does not, and the reason says what to do. Nothing older than TLS 1.2 is
//! offered, and no secret is in a log or on a command line.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod support;

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::authority::Authority;
use support::clinic::{Clinic, Proof};
use support::{Ear, PATIENCE};
use tokio::time::{sleep, timeout};
use vitalsd::mqtt::tls::{Identity, Tls, TlsFiles};
use vitalsd::mqtt::{Bounds, Broker, Config, Loss, MqttEvent, Publisher, TlsLoss};
use vitalsd::wire::{BedTopic, BootId, Id, Root, Topic, WallTime};
use vitalsd_core::monitor::output::Condition;

const STATUS: &str = "vitals/v1/clinic/box/box-03/status";
const ALARM: &str = "vitals/v1/clinic/bed/bed-1/alarm/spo2-low";

fn no_mosquitto() -> bool {
    let missing = !support::Broker::is_mosquitto();
    if missing {
        eprintln!("not proved here: needs Mosquitto");
    }
    missing
}

/// The box at that broker.
struct Voice(Publisher);

impl Voice {
    fn at(broker: Broker) -> Self {
        let id = |text| Id::new(text).unwrap();
        Self(Publisher::new(Config {
            broker,
            root: Root::new(id("clinic")),
            box_id: id("box-03"),
            boot_id: BootId::new(42, 0x9f_3a1c),
            version: "0.1.0".into(),
            beds: vec![id("bed-1")],
            listen: vec![],
            read: vec![],
            bounds: Bounds { bytes: 16 << 20, age: Duration::from_secs(3_600) },
        }))
    }

    async fn until<T>(&mut self, wanted: impl Fn(MqttEvent) -> Option<T>) -> T {
        let run = async {
            loop {
                if let Some(found) = wanted(self.0.run_once().await) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, run).await.expect("the event did not come")
    }

    async fn connects(&mut self) {
        let refused = self
            .until(|event| match event {
                MqttEvent::Connected => Some(None),
                MqttEvent::Lost { reason } => Some(Some(reason)),
                _ => None,
            })
            .await;
        assert_eq!(refused, None);
    }

    async fn hears(&mut self, ear: &mut Ear) -> support::Heard {
        tokio::select! {
            heard = ear.next() => heard,
            never = async { loop { self.0.run_once().await; } } => never,
        }
    }
}

/// Why the box does not get in, and what it says about it.
async fn refusal(broker: Broker) -> (TlsLoss, String) {
    let mut voice = Voice::at(broker);
    let reason = voice
        .until(|event| match event {
            MqttEvent::Connected => panic!("let in"),
            MqttEvent::Lost { reason } => Some(reason),
            _ => None,
        })
        .await;
    let text = reason.to_string();
    let Loss::Tls(loss) = reason else { panic!("not a matter of TLS, but {reason:?}") };
    (loss, text)
}

/// The way to the clinic's broker for whoever trusts that CA.
fn way(clinic: &Clinic, ca: &Path, identity: Option<Identity>) -> Broker {
    let tls = Tls::read(&TlsFiles { ca: ca.to_owned(), identity }).unwrap();
    Broker { tls: Some(tls), ..clinic.broker("box-03") }
}

#[tokio::test]
async fn the_box_speaks_over_tls_and_comes_back_after_a_cut() {
    if no_mosquitto() {
        return;
    }
    let mut clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, STATUS);
    let mut voice = Voice::at(clinic.broker("box-03"));
    voice.connects().await;
    assert_eq!(voice.hears(&mut ear).await.json()["state"], "online");
    clinic.kill();
    voice.until(|event| matches!(event, MqttEvent::Lost { .. }).then_some(())).await;
    clinic.restart();
    voice.until(|event| (event == MqttEvent::Connected).then_some(())).await;
    let mut ear = Ear::on(clinic.plain, STATUS);
    assert_eq!(voice.hears(&mut ear).await.json()["state"], "online");
}

#[tokio::test]
async fn an_alarm_is_on_its_way_before_publish_returns_over_tls_too() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, ALARM);
    let mut voice = Voice::at(clinic.broker("box-03"));
    voice.connects().await;
    voice.0.flush();
    let topic = Topic::Bed(Id::new("bed-1").unwrap(), BedTopic::Alarm(Condition::Spo2Low));
    voice.0.publish(topic, WallTime::now(), &json!({ "presence": "on" })).unwrap();
    // The publisher is not run again.
    assert_eq!(ear.next().await.json()["presence"], "on");
}

#[tokio::test]
async fn a_broker_that_another_ca_vouches_for_is_not_ours() {
    if no_mosquitto() {
        return;
    }
    let (clinic, other) = (Clinic::open(Proof::Password), Authority::new());
    let (loss, text) = refusal(way(&clinic, &other.ca(), None)).await;
    assert_eq!(loss, TlsLoss::Untrusted);
    assert!(text.contains("ca_file"), "{text}");
}

#[tokio::test]
async fn a_broker_with_another_name_is_not_ours() {
    if no_mosquitto() {
        return;
    }
    let authority = Authority::new();
    let shown = authority.server(&["broker.clinic.example"]);
    let clinic = Clinic::with(authority, &shown, Proof::Password);
    let (loss, text) = refusal(clinic.broker("box-03")).await;
    assert!(matches!(loss, TlsLoss::OtherName { .. }), "{loss:?}");
    assert!(["127.0.0.1", "broker.clinic.example", "`host`"].iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test]
async fn a_broker_whose_certificate_has_expired_is_refused() {
    if no_mosquitto() {
        return;
    }
    let authority = Authority::new();
    let shown = authority.expired_server(&["127.0.0.1"]);
    let clinic = Clinic::with(authority, &shown, Proof::Password);
    let (loss, text) = refusal(clinic.broker("box-03")).await;
    assert_eq!(loss, TlsLoss::Expired);
    assert!(text.contains("renew"), "{text}");
}

#[tokio::test]
async fn where_a_certificate_is_wanted_only_one_of_the_clinics_ca_gets_in() {
    if no_mosquitto() {
        return;
    }
    let (clinic, other) = (Clinic::open(Proof::Certificate), Authority::new());
    let ca = clinic.authority.ca();
    let (_, text) = refusal(way(&clinic, &ca, None)).await;
    assert!(text.contains("client certificate"), "{text}");
    let (_, text) = refusal(way(&clinic, &ca, Some(other.client("box-03")))).await;
    assert!(text.contains("client certificate"), "{text}");
    Voice::at(way(&clinic, &ca, Some(clinic.authority.client("box-03")))).connects().await;
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_told() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let (_, text) = refusal(Broker { port: clinic.plain, ..clinic.broker("box-03") }).await;
    assert!(text.contains("encrypted listener"), "{text}");
}

/// The extension of a ClientHello that lists the versions (RFC 8446, 4.2.1).
const SUPPORTED_VERSIONS: u16 = 43;

/// What a ClientHello says in `extension`. Layout: RFC 8446, 4.1.2, behind headers of 5 and 4 bytes.
fn extension(hello: &[u8], extension: u16) -> Option<Vec<u8>> {
    let number = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let session = 5 + 4 + 2 + 32;
    let ciphers = session + 1 + usize::from(hello[session]);
    let compression = ciphers + 2 + usize::from(number(ciphers));
    let mut at = compression + 1 + usize::from(hello[compression]) + 2;
    while at < hello.len() {
        let (kind, length) = (number(at), usize::from(number(at + 2)));
        if kind == extension {
            return Some(hello[at + 4..at + 4 + length].to_vec());
        }
        at += 4 + length;
    }
    None
}

#[tokio::test]
async fn tls_1_3_and_1_2_are_offered_and_nothing_older() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let listening = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut hello = vec![0; 5];
        peer.read_exact(&mut hello).unwrap();
        let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
        hello.resize(5 + length, 0);
        peer.read_exact(&mut hello[5..]).unwrap();
        hello
    });
    let authority = Authority::new();
    let tls = Tls::read(&TlsFiles { ca: authority.ca(), identity: None }).unwrap();
    let mut voice = Voice::at(Broker { tls: Some(tls), ..Broker::plain("127.0.0.1", port) });
    voice.until(|event| matches!(event, MqttEvent::Lost { .. }).then_some(())).await;
    let offered = extension(&listening.join().unwrap(), SUPPORTED_VERSIONS).expect("a list of versions");
    let mut versions: Vec<_> = offered[1..].chunks(2).map(|version| [version[0], version[1]]).collect();
    versions.sort_unstable();
    assert_eq!(versions, [[3, 3], [3, 4]]);
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_on_the_command_line() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, STATUS);
    let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets/kat-default-1.toml");
    let file = clinic.path("vitalsd.toml");
    let settings = format!(
        "site = 'clinic'\nbox = 'box-03'\npreset = '{}'\nstate_dir = '{}'\n\
         [broker]\nhost = '127.0.0.1'\nport = {}\nusername = 'box-03'\npassword_credential = 'broker'\n\
         [broker.tls]\nca_file = 'ca.pem'\n\
         [[bed]]\nid = 'bed-1'\n[[bed.device]]\nid = 'oximeter'\nprotocol = 'nonin-df2'\nport = '/nowhere/oximeter'\n",
        preset.display(),
        clinic.path("state").display(),
        clinic.tls
    );
    fs::write(&file, settings).unwrap();
    // As systemd does for LoadCredential=broker:...
    let credentials = clinic.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::copy(clinic.password_file("box-03"), credentials.join("broker")).unwrap();
    let log = fs::File::create(clinic.path("log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
        .args(["run", "--config"])
        .arg(&file)
        .env("VITALSD_LOG", "trace")
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let birth = ear.until("the birth", |heard| heard.says("state", "online")).await;
    let seen = |what: &str| fs::read(format!("/proc/{}/{what}", child.id())).unwrap();
    let (command_line, environment) = (seen("cmdline"), seen("environ"));
    let until = Instant::now() + PATIENCE;
    while !fs::read_to_string(clinic.path("log")).unwrap().contains("connected to the broker") {
        assert!(Instant::now() < until, "the log does not say that there is a broker");
        sleep(Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(birth.json()["box"], "box-03");
    let log = fs::read(clinic.path("log")).unwrap();
    for (what, text) in [("the log", log), ("the command line", command_line), ("the environment", environment)] {
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(&Clinic::password("box-03")), "the password is in {what}: {text}");
        assert!(!text.contains("BEGIN"), "a key is in {what}");
    }
}
