//! A broker for one test: Mosquitto where it is installed, else the `mqtt5` broker on a thread.
//! On a port of its own, on the loopback, without persistence; it dies with its owner.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A running broker.
pub struct Broker {
    pub port: u16,
    extra: &'static str,
    running: Option<Running>,
}

enum Running {
    Mosquitto {
        child: Child,
        _dir: TempDir,
    },
    #[cfg(feature = "demo-broker")]
    Thread {
        stop: tokio::sync::oneshot::Sender<()>,
        thread: thread::JoinHandle<()>,
    },
}

impl Broker {
    /// A broker that takes everything from everybody.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with lines for Mosquitto's configuration, which the other broker ignores.
    pub fn start_with(extra: &'static str) -> Self {
        let mut broker = Self { port: 0, extra, running: None };
        for _ in 0..10 {
            broker.port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
            if broker.launch() {
                return broker;
            }
        }
        panic!("no broker came up on any of ten ports");
    }

    /// Whether Mosquitto is installed (and `VITALSD_TEST_BROKER=mqtt5` does not ask for the other one):
    /// only a process of its own can be frozen.
    pub fn is_mosquitto() -> bool {
        if std::env::var_os("VITALSD_TEST_BROKER").is_some_and(|name| name == "mqtt5") {
            return false;
        }
        mosquitto().arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    /// Kills it: what it retained is lost.
    pub fn kill(&mut self) {
        match self.running.take() {
            Some(Running::Mosquitto { mut child, .. }) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            #[cfg(feature = "demo-broker")]
            Some(Running::Thread { stop, thread }) => {
                let _ = stop.send(());
                let _ = thread.join();
            }
            None => {}
        }
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the broker does not come back on port {}", self.port);
    }

    /// Starts it again with other lines of configuration.
    pub fn restart_with(&mut self, extra: &'static str) {
        self.extra = extra;
        self.restart();
    }

    /// Stops it in mid-step; its sockets stay open.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let Some(Running::Mosquitto { child, .. }) = &self.running else { panic!("only a process can be frozen") };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a process of ours");
    }

    /// Whether it accepts connections within its time.
    fn launch(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        self.running = if Self::is_mosquitto() { self.launch_mosquitto() } else { launch_thread(self.port) };
        while Instant::now() < until {
            if let Some(Running::Mosquitto { child, .. }) = &mut self.running
                && !matches!(child.try_wait(), Ok(None))
            {
                break;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        false
    }

    fn launch_mosquitto(&self) -> Option<Running> {
        let dir = TempDir::new().expect("a directory");
        let file = dir.path().join("mosquitto.conf");
        let conf = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n\
             max_queued_messages 0\nlog_dest none\n{}\n",
            self.port, self.extra
        );
        std::fs::write(&file, conf).expect("a file");
        let child = mosquitto().arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        Some(Running::Mosquitto { child, _dir: dir })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(Running::Mosquitto { child, .. }) = &self.running
            && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::CONT);
        }
        self.kill();
    }
}

/// Debian keeps it where ordinary users do not look.
pub fn mosquitto() -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("mosquitto");
    command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"));
    command
}

#[cfg(feature = "demo-broker")]
fn launch_thread(port: u16) -> Option<Running> {
    use mqtt5::broker::config::{StorageBackend, StorageConfig};
    use mqtt5::broker::{BrokerConfig, MqttBroker};

    let (stop, stopped) = tokio::sync::oneshot::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let storage = StorageConfig { backend: StorageBackend::Memory, ..StorageConfig::default() };
            let config = BrokerConfig::new().with_bind_address(([127, 0, 0, 1], port)).with_storage(storage);
            if let Ok(mut broker) = MqttBroker::with_config(config).await {
                // Dropped in mid-step, with all its connections: as a killed process would be.
                tokio::select! {
                    _ = broker.run() => {}
                    _ = stopped => {}
                }
            }
        });
    });
    Some(Running::Thread { stop, thread })
}

#[cfg(not(feature = "demo-broker"))]
fn launch_thread(_port: u16) -> Option<Running> {
    None
}
