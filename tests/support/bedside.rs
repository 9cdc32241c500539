//! A bedside for one test: devices on simulated lines, the daemon as a process of its own, and a nurse
//! who gives commands.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use vitalsd::port::pty::Pty;
use vitalsd::simulator::device::{Device, Model};
use vitalsd::simulator::line::Line;
use vitalsd::simulator::scene::Scene;
use vitalsd::simulator::script::Script;
use vitalsd_core::time::Time;

use super::{Ear, Heard, PATIENCE};

/// Where everything about the bed stands.
pub const BED: &str = "vitals/v1/north/bed/room-1";
/// Where the box says how it is.
pub const STATUS: &str = "vitals/v1/north/box/box-3/status";

/// The place of the ports, the configuration and the state of one box with one bed.
pub struct Bedside {
    dir: TempDir,
    broker: u16,
    devices: Vec<(&'static str, Model)>,
    /// What stands in the configuration of a device instead of its protocol.
    pub settings: Vec<(&'static str, &'static str)>,
    /// The ports and what USB says of them are looked up below the directory of this bedside.
    pub own_root: bool,
    /// Which box.
    pub host: &'static str,
    /// Whether it expects a nurses' station.
    pub expects_station: bool,
    /// Sections of the configuration that only one test wants.
    pub sections: String,
    /// Whether it asks for real-time scheduling.
    pub real_time: bool,
    /// Where its flight recorder saves; `None`: it is off, as it is by default.
    pub flights: Option<PathBuf>,
    /// What is in the environment of the daemon.
    pub env: Vec<(&'static str, PathBuf)>,
}

impl Bedside {
    /// A bed that expects `devices`, none of them plugged in yet.
    pub fn new(broker: u16, devices: &[(&'static str, Model)]) -> Self {
        let dir = TempDir::new().expect("a directory");
        std::fs::create_dir(dir.path().join("ports")).expect("a directory");
        Self {
            dir,
            broker,
            devices: devices.to_vec(),
            settings: Vec::new(),
            own_root: false,
            host: "box-3",
            expects_station: false,
            sections: String::new(),
            real_time: false,
            flights: None,
            env: Vec::new(),
        }
    }

    /// The stable path of a device's port.
    pub fn port(&self, device: &str) -> PathBuf {
        self.dir.path().join("ports").join(device)
    }

    /// Plugs in a simulated device of a patient who follows `script` from `start`.
    pub fn plug_in(&self, device: &str, script: Script, start: Instant) -> Line {
        let (_, model) = self.devices.iter().find(|(name, _)| *name == device).expect("a device of the bed");
        let scene = Scene::patient(script, 1).shared();
        self.plug_in_scene(device, Device::new(*model, &scene), start)
    }

    /// The same with a device at a bedside of its own.
    pub fn plug_in_scene(&self, device: &str, simulated: Device, start: Instant) -> Line {
        Line::start(simulated, self.port(device), start.into()).expect("a simulated port")
    }

    /// Starts the daemon.
    pub fn daemon(&self) -> Daemon {
        let file = self.file();
        std::fs::write(&file, self.config()).expect("a file");
        let root = if self.own_root { self.dir.path() } else { Path::new("/") };
        Daemon::with(&file, root, "info,rumqttc=off", &self.env)
    }

    /// Its configuration, once it has been started.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join("vitalsd.toml")
    }

    /// Below which `/sys` and `/dev` are looked up, if it has a root of its own.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    fn config(&self) -> String {
        let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets/kat-default-1.toml");
        let mut config = format!(
            "site = 'north'\nbox = '{}'\nexpect_station = {}\nreal_time = {}\npreset = '{}'\nstate_dir = '{}'\n\
             [broker]\nhost = '127.0.0.1'\nport = {}\n",
            self.host,
            self.expects_station,
            self.real_time,
            preset.display(),
            self.dir.path().join("state").display(),
            self.broker
        );
        if let Some(flights) = &self.flights {
            config.push_str(&format!("[flight_recorder]\nminutes = 1\ndirectory = '{}'\n", flights.display()));
        }
        config.push_str(&self.sections);
        config.push_str("[[bed]]\nid = 'room-1'\n");
        for (device, model) in &self.devices {
            let port = if self.own_root { Path::new("/ports").join(device) } else { self.port(device) };
            let protocol = format!("protocol = '{model}'");
            let settings = self.settings.iter().find(|(name, _)| name == device).map(|(_, settings)| *settings);
            config.push_str(&format!(
                "[[bed.device]]\nid = '{device}'\n{}\nport = '{}'\n",
                settings.unwrap_or(&protocol),
                port.display()
            ));
        }
        config
    }
}

/// `vitalsd run` as a process. Killed when dropped.
pub struct Daemon {
    child: Child,
    log: watch::Receiver<String>,
}

impl Daemon {
    /// Starts it with the configuration in a file; ports are looked up below `root`.
    pub fn start(config: &Path, root: &Path) -> Self {
        Self::with(config, root, "info,rumqttc=off", &[])
    }

    /// The same with a log that tells what `filter` lets through.
    pub fn telling(config: &Path, root: &Path, filter: &str) -> Self {
        Self::with(config, root, filter, &[])
    }

    fn with(config: &Path, root: &Path, filter: &str, env: &[(&str, PathBuf)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vitalsd"))
            .args(["run", "--config"])
            .arg(config)
            .arg("--root")
            .arg(root)
            .env("VITALSD_LOG", filter)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let (tx, log) = watch::channel(String::new());
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                tx.send_modify(|log| {
                    log.push_str(&line);
                    log.push('\n');
                });
            }
        });
        Self { child, log }
    }

    /// Waits for a line of the log that has all these `words`.
    pub async fn logs(&mut self, words: &[&str]) {
        let told = |log: &String| log.lines().any(|line| words.iter().all(|word| line.contains(word)));
        let waited = timeout(PATIENCE, self.log.wait_for(told)).await.map(|told| told.is_ok());
        assert_eq!(waited, Ok(true), "no line with {words:?} in the log:\n{}", *self.log.borrow());
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a process of ours");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status;
            }
            assert!(Instant::now() < until, "the daemon does not end:\n{}", *self.log.borrow());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", *self.log.borrow());
        }
    }
}

/// A session by the vein: what a person is asked, and nothing more.
pub fn opening() -> Value {
    json!({ "action": "open", "route": "iv", "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right" })
}

/// Somebody who looks at the heartbeat and gives commands.
pub struct Nurse {
    ear: Ear,
    broker: u16,
    keys: u32,
}

impl Nurse {
    /// At a broker.
    pub fn at(broker: u16) -> Self {
        Self { ear: Ear::on(broker, "vitals/v1/north/box/box-3/heartbeat"), broker, keys: 0 }
    }

    /// A command by the newest heartbeat, with a key of its own.
    pub async fn command(&mut self, action: Value) -> Value {
        self.ear.forget();
        let seen = self.ear.next().await.json();
        self.keys += 1;
        let mut command = json!({
            "boot_id": seen["boot_id"], "uptime_ms": seen["uptime_ms"], "actor": "nurse-2",
            "key": format!("k{}", self.keys)
        });
        let fields = command.as_object_mut().expect("an object");
        fields.extend(action.as_object().expect("an object").clone());
        command
    }

    /// Says a command and waits for the reply.
    pub async fn say(&mut self, command: &Value, retain: bool) -> Heard {
        let (topic, correlation) = (format!("replies/{:08x}", fastrand::u32(..)), fastrand::u64(..).to_be_bytes());
        let mut ear = Ear::on(self.broker, &topic);
        ear.say(&format!("{BED}/command"), command.to_string().as_bytes(), retain, Some((&topic, &correlation)));
        let reply = ear.next().await;
        assert_eq!(reply.correlation.as_deref(), Some(correlation.as_slice()), "a reply to what was asked");
        reply
    }

    /// Gives a command that is carried out.
    pub async fn does(&mut self, action: Value) {
        let command = self.command(action).await;
        let reply = self.say(&command, false).await.json();
        assert_eq!(reply, json!({ "key": command["key"], "outcome": "done" }), "{command}");
    }

    /// Opens a session.
    pub async fn opens(&mut self) {
        self.does(opening()).await;
    }

    /// Records the dose.
    pub async fn doses(&mut self) {
        self.does(json!({ "action": "dose" })).await;
    }
}

/// A simulated device on a line into which the test looks and speaks.
pub struct Tapped {
    noise: mpsc::UnboundedSender<Vec<u8>>,
    asked: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
}

impl Tapped {
    /// Plugs it in at `link`, with a quiet patient.
    pub fn start(model: Model, link: &Path) -> Self {
        let pty = Pty::open().expect("a pty");
        pty.plug_in_at(link).expect("a link");
        let mut device = Device::new(model, &Scene::patient(Script::quiet(), 1).shared());
        let ((noise, mut noises), (tell, asked)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let start = Instant::now();
        tokio::spawn(async move {
            let mut tick = interval(Duration::from_millis(10));
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !noises.is_closed() {
                tick.tick().await;
                let now = Time::from_millis(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX));
                let mut out = Vec::new();
                device.advance(now, &mut out);
                let mut buffer = [0; 256];
                if let Ok(count @ 1..) = pty.try_read(&mut buffer) {
                    let asked = buffer.get(..count).unwrap_or_default();
                    device.receive(asked, now, &mut out);
                    let _ = tell.send((Instant::now(), asked.to_vec()));
                }
                while let Ok(noise) = noises.try_recv() {
                    out.extend(noise);
                }
                if !out.is_empty() {
                    pty.try_write(&out).expect("room on the line");
                }
            }
        });
        Self { noise, asked }
    }

    /// Puts bytes on the line that the device never said.
    pub fn disturb(&self, noise: Vec<u8>) {
        self.noise.send(noise).expect("the line is there");
    }

    /// Whether the host has sent anything that was not looked at yet.
    pub fn was_sent_something(&mut self) -> bool {
        self.asked.try_recv().is_ok()
    }

    /// The next thing that the host asks, and when.
    pub async fn asked(&mut self) -> (Instant, Vec<u8>) {
        timeout(PATIENCE, self.asked.recv()).await.expect("nothing was asked").expect("the line is there")
    }
}
