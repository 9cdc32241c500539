//! Proves that the section `[broker]` is checked before anything starts: files that are missing, of another kind or of
//! another pair are told with their line; what is readable for everybody is warned about; a credential of systemd is
//! found; and whoever goes without encryption is told so, loudly.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use support::authority::Authority;
use support::bedside::Daemon;
use support::fake_box::{err, out, program};
use vitalsd::config::{self, Checked, Problems, Settings, Severity};
use vitalsd::mqtt::tls::{Identity, TlsFiles};
use vitalsd_core::driver::PROTOCOLS;

/// The line on which what is given as the section begins.
const SECTION: usize = 6;

/// A directory with a CA, a certificate of the box and its key.
struct Box3 {
    authority: Authority,
}

impl Box3 {
    fn new() -> Self {
        let box3 = Self { authority: Authority::new() };
        box3.authority.client("box-03");
        box3.mode("box-03.key", 0o600);
        box3.write("station.key", &"1f".repeat(32), 0o600);
        box3.write("password", "secret\nsecond line\n", 0o600);
        box3
    }

    fn path(&self, name: &str) -> PathBuf {
        self.authority.dir().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, mode);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes the configuration with that section.
    fn file(&self, section: &str) -> PathBuf {
        let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets/kat-default-1.toml");
        let text = format!(
            "site = 'clinic'\nbox = 'box-03'\npreset = '{}'\nstate_dir = '{}'\n[broker]\n{section}\n\
             [[station]]\nid = 'station-desk'\nkey_file = 'station.key'\n[[bed]]\nid = 'bed-1'\n\
             [[bed.device]]\nid = 'oximeter'\nprotocol = 'nonin-df2'\nport = '/nowhere/oximeter'\n",
            preset.display(),
            self.path("state").display()
        );
        self.write("vitalsd.toml", &text, 0o640);
        self.path("vitalsd.toml")
    }

    fn load(&self, section: &str) -> Result<Checked<Settings>, Problems> {
        config::load(&self.file(section), PROTOCOLS)
    }

    /// The one problem of a section: on which of its lines, and that it has these words.
    fn refused(&self, section: &str, line: usize, words: &[&str]) {
        let problems = self.load(section).unwrap_err();
        only(&problems, Severity::Error, line, words);
    }
}

fn only(problems: &Problems, severity: Severity, line: usize, words: &[&str]) {
    let [problem] = problems.0.as_slice() else { panic!("not one problem, but:\n{problems}") };
    let found = problem.place.as_ref().map(|place| place.line);
    assert_eq!((problem.severity, found), (severity, Some(SECTION + line)), "{problem}");
    let text = problem.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{words:?} in\n{text}");
}

const TLS: &str = "host = 'broker.clinic.example'\n[broker.tls]\nca_file = 'ca.pem'";

#[test]
fn one_file_encrypts_the_way_to_a_broker_on_the_network() {
    let box3 = Box3::new();
    let Checked { value, warnings } = box3.load(TLS).unwrap();
    assert!(warnings.0.is_empty(), "{warnings}");
    assert_eq!((value.broker.port, value.broker.is_exposed()), (8883, false));
    assert_eq!(value.broker.tls, Some(TlsFiles { ca: box3.path("ca.pem"), identity: None }));
    assert!(value.broker.open().unwrap().tls.is_some());
}

#[test]
fn a_certificate_and_its_key_stand_for_a_password() {
    let box3 = Box3::new();
    let section = format!("username = 'box-03'\n{TLS}\ncertificate_file = 'box-03.pem'\nkey_file = 'box-03.key'");
    let broker = box3.load(&section).unwrap().value.broker;
    let identity = Identity { certificate: box3.path("box-03.pem"), key: box3.path("box-03.key") };
    assert_eq!(broker.tls.as_ref().and_then(|tls| tls.identity.as_ref()), Some(&identity));
    assert_eq!(broker.open().unwrap().login.map(|login| login.user().to_owned()), Some("box-03".to_owned()));
    // Without one, a user has a password.
    box3.refused(&format!("username = 'box-03'\n{TLS}"), 0, &["belong together"]);
}

#[test]
fn a_file_of_tls_that_cannot_be_used_is_told_where_it_is_named() {
    let box3 = Box3::new();
    box3.write("text.pem", "not a certificate", 0o600);
    box3.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o600);
    let other = box3.authority.client("other");
    box3.mode("other.key", 0o600);
    assert!(other.key.exists());
    let with = |ca: &str, rest: &str| format!("host = 'broker'\n[broker.tls]\nca_file = '{ca}'\n{rest}");
    box3.refused("host = 'broker'\n[broker.tls]", 1, &["`ca_file` is missing", "add `ca_file`"]);
    box3.refused(&with("gone.pem", ""), 2, &["the CA file", "gone.pem cannot be read", "correct the path"]);
    box3.refused(&with("text.pem", ""), 2, &["text.pem holds nothing", "BEGIN CERTIFICATE"]);
    box3.refused(&with("broken.pem", ""), 2, &["broken.pem cannot be used", "docs/broker.md"]);
    let pair = |certificate: &str, key: &str| {
        with("ca.pem", &format!("certificate_file = '{certificate}'\nkey_file = '{key}'"))
    };
    box3.refused(&pair("text.pem", "box-03.key"), 3, &["the certificate", "holds nothing"]);
    box3.refused(&pair("box-03.pem", "gone.key"), 4, &["private key", "cannot be found"]);
    box3.refused(&pair("box-03.pem", "text.pem"), 4, &["the private key", "BEGIN PRIVATE KEY"]);
    box3.refused(&pair("box-03.pem", "other.key"), 4, &["is not the key of the certificate"]);
    box3.refused(&with("ca.pem", "certificate_file = 'box-03.pem'"), 3, &["belong together", "`key_file`"]);
    box3.refused(&with("ca.pem", "key_file = 'box-03.key'"), 3, &["belong together", "`certificate_file`"]);
    box3.refused("tls = true", 0, &["`tls` is true", "a table"]);
    box3.refused("host = 'a b'\n[broker.tls]\nca_file = 'ca.pem'", 0, &["no certificate can name the host"]);
}

#[test]
fn a_key_that_everybody_may_read_is_warned_about() {
    let box3 = Box3::new();
    box3.mode("box-03.key", 0o644);
    let section = format!("{TLS}\ncertificate_file = 'box-03.pem'\nkey_file = 'box-03.key'");
    let warnings = box3.load(&section).unwrap().warnings;
    only(&warnings, Severity::Warning, 4, &["everybody on this machine may read the private key", "chmod 640"]);
}

#[test]
fn a_secret_has_one_place() {
    let box3 = Box3::new();
    let login = "username = 'box-03'\npassword_file = 'password'\npassword_credential = 'broker'";
    let problems = box3.load(login).unwrap_err();
    assert!(problems.to_string().contains("two places for one secret"), "{problems}");
    let path = "username = 'box-03'\npassword_credential = '../password'";
    let problems = box3.load(path).unwrap_err();
    assert!(problems.to_string().contains("the name of a systemd credential, without a path"), "{problems}");
}

#[tokio::test]
async fn a_credential_of_systemd_is_found_and_its_absence_is_told() {
    let box3 = Box3::new();
    let file = box3.file("username = 'box-03'\npassword_credential = 'broker'").display().to_string();
    let check = async |directory: Option<&Path>| {
        let mut check = program(&["check", &file]);
        check.env_remove("CREDENTIALS_DIRECTORY");
        if let Some(directory) = directory {
            check.env("CREDENTIALS_DIRECTORY", directory);
        }
        check.output().await.unwrap()
    };
    fs::create_dir(box3.path("credentials")).unwrap();
    let missing = check(Some(&box3.path("credentials"))).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("LoadCredential=broker:"), "{}", err(&missing));
    box3.write("credentials/broker", "secret\n", 0o400);
    let found = check(Some(&box3.path("credentials"))).await;
    assert!(found.status.success() && !err(&found).contains("credential"), "{}", err(&found));
    assert!(out(&found).contains("as box-03, plain, on this box"), "{}", out(&found));
    // Outside of the service nobody sees it, and that is no mistake.
    let elsewhere = check(None).await;
    assert!(elsewhere.status.success(), "{}", err(&elsewhere));
    assert!(err(&elsewhere).contains("warning: the credential \"broker\" is not to be seen here"));
}

#[tokio::test]
async fn going_without_encryption_is_said_loudly_by_check_and_by_the_daemon() {
    let box3 = Box3::new();
    // TEST-NET-1 (RFC 5737): nobody is there.
    let file = box3.file("host = '192.0.2.1'\nallow_plaintext = true");
    let checked = program(&["check", &file.display().to_string()]).output().await.unwrap();
    assert!(checked.status.success());
    assert!(out(&checked).contains("NOT ENCRYPTED"), "{}", out(&checked));
    assert!(err(&checked).contains("warning: NOT ENCRYPTED"), "{}", err(&checked));
    let mut daemon = Daemon::start(&file, Path::new("/"));
    daemon.logs(&["WARN", "NOT ENCRYPTED", "192.0.2.1"]).await;
}

#[tokio::test]
async fn a_visit_leaves_this_machine_encrypted_or_because_somebody_said_so() {
    let box3 = Box3::new();
    let ca = box3.path("ca.pem").display().to_string();
    let visit = async |options: &[&str]| {
        let output = program(&[&["session", "status", "--bed", "bed-1"], options].concat()).output().await.unwrap();
        assert!(!output.status.success());
        err(&output).to_owned()
    };
    let refused = visit(&["--site", "clinic", "--broker", "192.0.2.1"]).await;
    assert!(refused.contains("--ca-file") && refused.contains("--allow-plaintext"), "{refused}");
    let alone = visit(&["--site", "clinic", "--broker", "127.0.0.1", "--username", "station-desk"]).await;
    assert!(alone.contains("--password-file"), "{alone}");
    let closed = visit(&["--site", "clinic", "--broker", "127.0.0.1:1", "--ca-file", &ca]).await;
    assert!(closed.contains("127.0.0.1:1: the broker cannot be reached"), "{closed}");
    let stray = visit(&["--config", "vitalsd.toml", "--ca-file", &ca]).await;
    assert!(stray.contains("belong to --broker"), "{stray}");
}
