//! A box played by the test, on the contract alone: what it says, and what it answers.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::{Broker, Ear, Heard, PATIENCE};

pub const TREE: &str = "vitals/v1/north";
pub const BOOT: &str = "000042-9f3a1c";
pub const AT: &str = "2026-11-22T09:30:00.000Z";

/// A box with one bed, room-1, and nothing behind it.
pub struct FakeBox {
    pub broker: Broker,
    pub ear: Ear,
    pub uptime_ms: u64,
}

/// What the box does with a command: the answer, and the session that results.
pub type Answer = fn(&Value) -> Option<(Value, Option<Value>)>;

pub fn done(_: &Value) -> Option<(Value, Option<Value>)> {
    Some((json!({ "outcome": "done" }), None))
}

pub fn silent(_: &Value) -> Option<(Value, Option<Value>)> {
    None
}

pub fn envelope(stream: &str, message: &Value) -> Value {
    let mut payload = json!({ "box": "box-3", "boot_id": BOOT, "stream": stream, "seq": 1, "at": AT });
    payload.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    payload
}

pub fn state(alarms: &[Value]) -> Value {
    json!({
        "rev": 7, "phase": "window",
        "oximetry": {
            "age_ms": 400, "spo2_pct": 86, "spo2_quality": "good",
            "pulse_bpm": 72, "pulse_quality": "questionable", "pulse_doubt": "motion",
            "perfusion_index_absent": "not_measured"
        },
        "pressure": {
            "age_ms": 300_000, "origin": "schedule", "measured_at": "2026-11-22T09:25:00.000Z",
            "systolic_mmhg": 128, "diastolic_mmhg": 82, "mean_mmhg": 99, "pulse_absent": "not_measured"
        },
        "alarms": alarms,
        "devices": [
            { "device": "oximeter", "connection": "up" },
            { "device": "cuff", "connection": "lost", "reason": "unplugged" }
        ],
        "next_cuff_at": "2026-11-22T09:35:00.000Z"
    })
}

pub fn session() -> Value {
    json!({
        "rev": 3, "phase": "window", "opened_at": "2026-11-22T08:50:00.000Z", "route": "iv",
        "dosed_at": "2026-11-22T09:07:00.000Z", "phase_since": "2026-11-22T09:09:00.000Z",
        "phase_until": "2026-11-22T09:52:00.000Z", "cuff_arm": "left", "probe_hand": "right", "iv_arm": "right",
        "screened": true, "escort": true, "oxygen": false, "probe_on_cuff_arm": false, "window_rules": false,
        "window_assumed": false, "interrupted": false, "dose_time_uncertain": false,
        "baseline": { "provisional": false, "systolic_mmhg": 122, "diastolic_mmhg": 78 },
        "rows_off": [], "preset": "kat-default", "preset_hash": "0"
    })
}

pub fn alarm(condition: &str, priority: &str, episode: u32) -> Value {
    json!({
        "condition": condition, "row": "2", "kind": "physiological", "priority": priority, "presence": "on",
        "activation": "on", "episode": episode, "announced": true, "sounds": true, "bedside": false,
        "since": "2026-11-22T09:29:50.000Z", "delay_ms": 10_000, "stale": false, "phase": "window",
        "reason": "SpO2 86 %, below 88 % for 20 s, in the window"
    })
}

pub fn with(mut value: Value, key: &str, to: Value) -> Value {
    value[key] = to;
    value
}

impl FakeBox {
    pub fn with_alarms(alarms: &[Value]) -> Self {
        let broker = Broker::start();
        let ear = Ear::on(broker.port, "vitals/v1/north/bed/room-1/command");
        let fake = Self { broker, ear, uptime_ms: 60_000 };
        fake.say("box/box-3/status", &json!({ "state": "online", "version": "0.1.0", "beds": ["room-1"] }), true);
        fake.say("bed/room-1/state", &state(alarms), true);
        fake.say("bed/room-1/session", &session(), true);
        fake
    }

    pub fn say(&self, stream: &str, message: &Value, retain: bool) {
        self.ear.say(&format!("{TREE}/{stream}"), envelope(stream, message).to_string().as_bytes(), retain, None);
    }

    pub fn beat(&mut self) {
        self.uptime_ms += 1_000;
        let beat = json!({
            "counter": 1, "uptime_ms": self.uptime_ms, "clock_trusted": true, "queued": 0, "last_seq": {}
        });
        self.say("box/box-3/heartbeat", &beat, false);
    }

    pub fn answer(&self, asked: &Heard, answer: Answer) -> Value {
        let command = asked.json();
        if let Some((mut reply, session)) = answer(&command) {
            reply["key"] = command["key"].clone();
            if let Some(session) = session {
                self.say("bed/room-1/session", &session, true);
            }
            let (topic, data) = (asked.response_topic.as_deref().unwrap(), asked.correlation.as_deref().unwrap());
            self.ear.say(topic, reply.to_string().as_bytes(), false, Some((topic, data)));
        }
        command
    }

    /// The options that lead here.
    pub fn at(&self) -> [String; 4] {
        ["--broker".into(), format!("127.0.0.1:{}", self.broker.port), "--site".into(), "north".into()]
    }

    /// Runs the program while the box beats and answers; what it wrote, and what it asked.
    pub async fn serve(&mut self, args: &[&str], answer: Answer) -> (Output, Vec<Value>) {
        let at = self.at();
        self.serve_this(program(args).args(at), answer).await
    }

    pub async fn serve_this(&mut self, program: &mut Command, answer: Answer) -> (Output, Vec<Value>) {
        let mut program = program.spawn().unwrap();
        let mut beats = interval(Duration::from_millis(100));
        let mut asked = Vec::new();
        let serve = async {
            loop {
                tokio::select! {
                    status = program.wait() => return status.unwrap(),
                    _ = beats.tick() => self.beat(),
                    heard = self.ear.next() => asked.push(self.answer(&heard, answer)),
                }
            }
        };
        timeout(PATIENCE, serve).await.expect("the program does not end");
        (program.wait_with_output().await.unwrap(), asked)
    }
}

pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitalsd"));
    command.args(args).env("TZ", "UTC").env("USER", "Nurse.2").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

pub fn out(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

pub fn err(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// Asserts that it failed without a word on standard output, and gives the reason.
pub fn failed(output: &Output) -> &str {
    assert_eq!((output.status.code(), out(output)), (Some(1), ""), "{}", err(output));
    err(output)
}
