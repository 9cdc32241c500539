//! The broker of a clinic, by the files of `config/mosquitto/` as they are shipped: only ports, paths and the name of
//! the log are put in. Needs Mosquitto.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vitalsd::mqtt::tls::{Identity, Tls, TlsFiles};
use vitalsd::mqtt::{Broker, Login};

use super::PATIENCE;
use super::authority::Authority;
use super::mosquitto::mosquitto;

const PLAIN: &str = include_str!("../../config/mosquitto/vitalsd.conf");
const ENCRYPTED: &str = include_str!("../../config/mosquitto/vitalsd.tls.conf");
const ACCESS: &str = include_str!("../../config/mosquitto/vitalsd.acl");

/// How users prove who they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By the password, as shipped.
    Password,
    /// By a certificate, as the comment in the shipped file says.
    Certificate,
}

/// A broker with users. It dies with its owner.
pub struct Clinic {
    /// The listener on the box, without names.
    pub plain: u16,
    /// The encrypted listener.
    pub tls: u16,
    /// Who signs for it.
    pub authority: Authority,
    child: Option<Child>,
}

/// The users of the shipped list, and one that is on no list.
pub const USERS: [&str; 4] = ["box-03", "station-desk", "integrator-ehr", "stranger"];

impl Clinic {
    /// Opens with a certificate for 127.0.0.1.
    pub fn open(proof: Proof) -> Self {
        let authority = Authority::new();
        let shown = authority.server(&["127.0.0.1"]);
        Self::with(authority, &shown, proof)
    }

    /// Opens with that certificate.
    pub fn with(authority: Authority, shown: &Identity, proof: Proof) -> Self {
        let mut clinic = Self { plain: 0, tls: 0, authority, child: None };
        clinic.register();
        for _ in 0..10 {
            let free = || TcpListener::bind("127.0.0.1:0").expect("a free port");
            let (one, two) = (free(), free());
            clinic.plain = one.local_addr().expect("an address").port();
            clinic.tls = two.local_addr().expect("an address").port();
            drop((one, two));
            clinic.write(shown, proof);
            if clinic.launch() {
                return clinic;
            }
        }
        panic!("Mosquitto does not take the shipped files:\n{}", clinic.log());
    }

    /// The password of a user.
    pub fn password(user: &str) -> String {
        format!("secret-of-{user}-7Qx")
    }

    /// The file that holds it.
    pub fn password_file(&self, user: &str) -> PathBuf {
        let file = self.path(&format!("{user}.password"));
        fs::write(&file, Self::password(user)).expect("a file");
        file
    }

    /// The encrypted way for whoever trusts the clinic's CA.
    pub fn way(&self, identity: Option<Identity>) -> Tls {
        Tls::read(&TlsFiles { ca: self.authority.ca(), identity }).expect("sound files")
    }

    /// The encrypted listener for `user` with the password.
    pub fn broker(&self, user: &str) -> Broker {
        let login = Login::new(user, Some(Self::password(user)));
        Broker { tls: Some(self.way(None)), login: Some(login), ..Broker::plain("127.0.0.1", self.tls) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.authority.dir().join(name)
    }

    /// What Mosquitto said.
    pub fn log(&self) -> String {
        ["mosquitto.err", "mosquitto.log"].map(|file| fs::read_to_string(self.path(file)).unwrap_or_default()).concat()
    }

    /// Waits until Mosquitto has said such a line.
    pub async fn logs(&self, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !self.log().lines().any(&wanted) {
            assert!(Instant::now() < until, "not in the log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets it end and write down what it keeps.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
            kill_process(pid, Signal::TERM).expect("a process of ours");
            child.wait().expect("a child of ours");
        }
    }

    /// Kills it: all connections are cut.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on the same ports.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the broker does not come back:\n{}", self.log());
    }

    fn register(&self) {
        fs::write(self.path("passwords"), "").expect("a file");
        for user in USERS {
            let status = Command::new("mosquitto_passwd")
                .arg("-b")
                .arg(self.path("passwords"))
                .args([user, &Self::password(user)])
                .status();
            assert!(status.expect("mosquitto_passwd").success());
        }
        fs::write(self.path("access"), ACCESS).expect("a file");
    }

    fn write(&self, shown: &Identity, proof: Proof) {
        let path = |name: &str| self.path(name).display().to_string();
        let mut encrypted = but(ENCRYPTED, "listener 8883\n", &format!("listener {} 127.0.0.1\n", self.tls));
        for (shipped, here) in [
            ("/etc/mosquitto/certs/broker.pem", shown.certificate.display().to_string()),
            ("/etc/mosquitto/certs/broker.key", shown.key.display().to_string()),
            ("/etc/mosquitto/vitalsd.acl", path("access")),
            ("\npassword_file /etc/mosquitto/vitalsd.passwd", format!("\npassword_file {}", path("passwords"))),
            ("/etc/mosquitto/ca_certificates/clinic-ca.pem", path("ca.pem")),
        ] {
            encrypted = but(&encrypted, shipped, &here);
        }
        if proof == Proof::Certificate {
            encrypted = but(&encrypted, "\npassword_file", "\n#password_file");
            for line in ["cafile", "require_certificate", "use_identity_as_username"] {
                encrypted = but(&encrypted, &format!("\n#{line}"), &format!("\n{line}"));
            }
        }
        let plain = but(PLAIN, "listener 1883 127.0.0.1", &format!("listener {} 127.0.0.1", self.plain));
        let conf_d = self.path("conf.d");
        fs::create_dir_all(&conf_d).expect("a directory");
        fs::write(conf_d.join("vitalsd.conf"), plain).expect("a file");
        fs::write(conf_d.join("vitalsd.tls.conf"), encrypted).expect("a file");
        // As Debian's own file, which includes ours. It stays the user who reads a directory of a test.
        let main = format!(
            "user root\npersistence true\npersistence_location {}/\nlog_dest file {}\nlog_type all\ninclude_dir {}\n",
            self.authority.dir().display(),
            path("mosquitto.log"),
            conf_d.display()
        );
        fs::write(self.path("mosquitto.conf"), main).expect("a file");
    }

    fn launch(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        let mut command = mosquitto();
        let command = command.arg("-c").arg(self.path("mosquitto.conf"));
        let complaints = fs::File::create(self.path("mosquitto.err")).expect("a file");
        let mut child = command.stdout(Stdio::null()).stderr(complaints).spawn().expect("Mosquitto");
        let up = loop {
            let open = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
            if open(self.plain) && open(self.tls) {
                break true;
            }
            if Instant::now() > until || !matches!(child.try_wait(), Ok(None)) {
                break false;
            }
            thread::sleep(Duration::from_millis(10));
        };
        self.child = Some(child);
        if !up {
            self.kill();
        }
        up
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `text` with one thing changed, which must be in it exactly once: else the shipped file is not what is tested.
fn but(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replace(old, new)
}
