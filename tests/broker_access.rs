//! Proves, by the shipped files on the real Mosquitto, who may do what: a box lives its whole life under its role, a
//! station commands and hears the answer, an integrator hears and can neither command nor forge nor erase, a box cannot
//! speak for another, and nobody without a name comes in.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod support;

use std::fs;
use std::path::Path;

use rumqttc::{ConnectReturnCode, PubAckReason};
use support::bedside::Daemon;
use support::clinic::{Clinic, Proof};
use support::fake_box::{err, out, program};
use support::guest::Guest;
use support::{Broker, Ear, Heard};

const SITE: &str = "vitals/v1/clinic";
const ALARM: &str = "vitals/v1/clinic/bed/bed-1/alarm/spo2-low";
const COMMAND: &str = "vitals/v1/clinic/bed/bed-1/command";
const STATUS: &str = "vitals/v1/clinic/box/box-03/status";
const HEARTBEAT: &str = "vitals/v1/clinic/box/box-03/heartbeat";
/// Said last, so that whoever hears it has heard everything before it.
const LAST: &str = "vitals/v1/clinic/bed/bed-1/event";

fn no_mosquitto() -> bool {
    let missing = !Broker::is_mosquitto();
    if missing {
        eprintln!("not proved here: needs Mosquitto");
    }
    missing
}

/// Whether the broker has it; that nobody listens is none of its refusals.
fn is_taken(reason: PubAckReason) -> bool {
    matches!(reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers)
}

/// The settings of the shipped box, on the encrypted way.
fn settings(clinic: &Clinic, login: &str) -> String {
    let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets/kat-default-1.toml");
    format!(
        "site = 'clinic'\nbox = 'box-03'\npreset = '{}'\nstate_dir = 'state'\n\
         [broker]\nhost = '127.0.0.1'\nport = {}\n{login}\n\
         [[bed]]\nid = 'bed-1'\n[[bed.device]]\nid = 'oximeter'\nprotocol = 'nonin-df2'\nport = '/nowhere/oximeter'\n",
        preset.display(),
        clinic.tls
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_lives_under_its_role_and_a_station_commands_it() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, &format!("{SITE}/#"));
    let login = "username = 'box-03'\npassword_file = 'box-03.password'\n[broker.tls]\nca_file = 'ca.pem'";
    clinic.password_file("box-03");
    let file = clinic.path("vitalsd.toml");
    let state = format!("state_dir = '{}'", clinic.path("state").display());
    fs::write(&file, settings(&clinic, login).replace("state_dir = 'state'", &state)).unwrap();
    let mut daemon = Daemon::start(&file, Path::new("/"));
    ear.until("the birth", |heard| heard.topic == STATUS && heard.says("state", "online")).await;
    ear.until("the heartbeat", |heard| heard.topic == HEARTBEAT).await;
    // The station: the real program, its command, the box's answer.
    let (broker, ca) = (format!("127.0.0.1:{}", clinic.tls), clinic.authority.ca());
    let password = clinic.password_file("station-desk");
    let types = |verb: &'static str| {
        let mut args: Vec<_> = ["session"].into_iter().chain(verb.split(' ')).map(str::to_owned).collect();
        args.extend(["--broker", &broker, "--site", "clinic", "--bed", "bed-1"].map(str::to_owned));
        args.extend(["--username", "station-desk", "--password-file"].map(str::to_owned));
        args.extend([password.display().to_string(), "--ca-file".into(), ca.display().to_string()]);
        async move {
            let output = program(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().await.unwrap();
            assert!(output.status.success(), "{verb}: {}", err(&output));
            out(&output).to_owned()
        }
    };
    let opened = types("open --route iv --cuff-arm right --probe-hand right --iv-arm left --screened --escort").await;
    assert!(opened.contains("session open"), "{opened}");
    // No oximeter: the box has an alarm, and the broker keeps it.
    let alarm = |heard: &Heard| heard.topic.starts_with("vitals/v1/clinic/bed/bed-1/alarm/");
    let raised = ear.until("an alarm", alarm).await;
    let kept = Ear::on(clinic.plain, &raised.topic).next().await;
    assert!(kept.retained);
    assert!(types("status").await.contains("bed-1"));
    // On the box itself its own configuration is enough, for its own beds.
    let file = file.display().to_string();
    let own = program(&["session", "note", "thirsty", "--config", &file]).output().await.unwrap();
    assert!(own.status.success(), "{}", err(&own));
    assert!(daemon.runs());
    let refused = daemon.log().lines().find(|line| line.contains("refused") || line.contains("let the box")).is_some();
    assert!(!refused, "the broker has refused the box something:\n{}", daemon.log());
}

#[tokio::test]
async fn an_integrator_hears_everything_and_can_say_nothing() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, "#");
    let mut bedside = Guest::named(&clinic, "box-03").await;
    let mut integrator = Guest::named(&clinic, "integrator-ehr").await;
    integrator.listen("#").await;
    for topic in [STATUS, ALARM] {
        assert_eq!(bedside.say(topic, "by the box", true).await, PubAckReason::Success);
    }
    for topic in [
        COMMAND,
        STATUS,
        HEARTBEAT,
        ALARM,
        "vitals/v1/clinic/bed/bed-1/state",
        "vitals/v1/clinic/bed/bed-1/session",
        "vitals/v1/clinic/bed/bed-1/oximetry",
        "vitals/v1/clinic/bed/bed-1/receipt",
        LAST,
        "vitals/v1/clinic/bed/bed-9/alarm/spo2-low",
        "vitals/v1/clinic/box/integrator-ehr/status",
        "vitals/v1/clinic/station/integrator-ehr/presence",
        "vitals-reply/station-desk/1",
        "anything/else",
    ] {
        for (payload, retain) in [("forged", false), ("forged", true), ("", true)] {
            let taken = integrator.say(topic, payload, retain).await;
            assert_eq!(taken, PubAckReason::NotAuthorized, "{topic} {payload:?}, retained: {retain}");
        }
    }
    assert!(is_taken(bedside.say(LAST, "by the box", false).await));
    let arrived = ear.all_until("the last word", |heard| heard.topic == LAST).await;
    let by_the_box = arrived.iter().all(|heard| heard.payload == b"by the box");
    assert!(by_the_box && arrived.len() == 3, "{arrived:?}");
    let heard = integrator.hears_until(LAST).await;
    assert_eq!(heard.iter().map(|said| said.topic.as_str()).collect::<Vec<_>>(), [STATUS, ALARM]);
    // What was retained is what the box said.
    for topic in [STATUS, ALARM] {
        assert_eq!(Ear::on(clinic.plain, topic).next().await.payload, b"by the box", "{topic}");
    }
}

#[tokio::test]
async fn an_integrator_cannot_forge_the_death_of_a_box_by_a_last_will() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut ear = Ear::on(clinic.plain, "#");
    let presence = "vitals/v1/clinic/station/station-desk/presence";
    // A station's own will is published: so wills are, and the forged one would be.
    let station = Guest::with_will(&clinic, "station-desk", presence, "gone").await.unwrap();
    drop(Guest::with_will(&clinic, "integrator-ehr", STATUS, "lost").await.unwrap());
    clinic.logs(|line| line.contains("Client guest-") && line.contains("closed its connection")).await;
    drop(station);
    let all = ear.all_until("the will of the station", |heard| heard.topic == presence).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let mut late = Ear::on(clinic.plain, "#");
    late.until("what is retained", |heard| heard.topic == presence).await;
    assert!(late.is_silent(), "no death is retained either");
}

#[tokio::test]
async fn commands_and_answers_are_between_a_station_and_a_box() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let answers = "vitals-reply/station-desk/1";
    let mut bedside = Guest::named(&clinic, "box-03").await;
    bedside.listen(COMMAND).await;
    let mut station = Guest::named(&clinic, "station-desk").await;
    station.listen(answers).await;
    station.listen(&format!("{SITE}/#")).await;
    let mut integrator = Guest::named(&clinic, "integrator-ehr").await;
    integrator.listen("#").await;
    integrator.listen(answers).await;
    integrator.listen(COMMAND).await;
    assert!(is_taken(station.ask(COMMAND, "acknowledge", answers).await));
    assert!(is_taken(bedside.say(answers, "done", false).await));
    assert!(is_taken(bedside.say(LAST, "the last word", false).await));
    let heard = station.hears_until(LAST).await;
    assert_eq!(heard.iter().map(|said| said.payload.as_str()).collect::<Vec<_>>(), ["acknowledge", "done"]);
    assert_eq!(integrator.hears_until(LAST).await, [], "neither the command nor the answer");
    // The box has the command, and with it where the answer is wanted.
    assert!(is_taken(station.say(COMMAND, "again", false).await));
    let told = bedside.hears(2).await;
    assert_eq!(told.first().and_then(|said| said.response_topic.as_deref()), Some(answers));
    // Another station hears its own answers only.
    assert_eq!(station.say("vitals-reply/other/1", "x", false).await, PubAckReason::NotAuthorized);
}

#[tokio::test]
async fn a_box_speaks_for_itself_and_its_beds_alone() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    let mut bedside = Guest::named(&clinic, "box-03").await;
    for own in ["status", "heartbeat", "latency"] {
        assert!(is_taken(bedside.say(&format!("{SITE}/box/box-03/{own}"), "x", false).await), "{own}");
    }
    for own in ["oximetry", "pressure", "event", "pleth", "state", "session", "alarm/spo2-low", "device/oximeter"] {
        assert!(is_taken(bedside.say(&format!("{SITE}/bed/bed-1/{own}"), "x", false).await), "{own}");
    }
    for other in [
        "box/box-04/status",
        "box/box-04/heartbeat",
        "box/box-031/status",
        "bed/bed-2/alarm/spo2-low",
        "bed/bed-2/state",
        "bed/bed-2/command",
        "bed/bed-10/oximetry",
        "station/station-desk/presence",
    ] {
        let taken = bedside.say(&format!("{SITE}/{other}"), "forged", true).await;
        assert_eq!(taken, PubAckReason::NotAuthorized, "{other}");
    }
    // What it said itself is found again after a restart, and nothing of another bed.
    assert!(is_taken(bedside.say(ALARM, "mine", true).await));
    bedside.listen(&format!("{SITE}/bed/+/alarm/#")).await;
    let kept = bedside.hears(1).await;
    assert_eq!((kept[0].topic.as_str(), kept[0].payload.as_str()), (ALARM, "mine"));
    let another_site = bedside.say("vitals/v1/elsewhere/bed/bed-1/state", "x", false).await;
    assert_eq!(another_site, PubAckReason::NotAuthorized);
}

#[tokio::test]
async fn nobody_without_a_name_comes_in_and_nobody_without_a_role_does_anything() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Password);
    for login in [None, Some(("box-03", "guessed")), Some(("nobody", "x"))] {
        let refused = Guest::refused(&clinic, login).await;
        assert_eq!(refused, ConnectReturnCode::NotAuthorized, "{login:?}");
    }
    let mut stranger = Guest::named(&clinic, "stranger").await;
    assert_eq!(stranger.say(STATUS, "forged", true).await, PubAckReason::NotAuthorized);
}

#[tokio::test]
async fn the_roles_hold_for_names_in_certificates_too() {
    if no_mosquitto() {
        return;
    }
    let clinic = Clinic::open(Proof::Certificate);
    let mut bedside = Guest::proved(&clinic, &clinic.authority.client("box-03")).await;
    assert!(is_taken(bedside.say(STATUS, "by the box", true).await));
    assert_eq!(bedside.say(COMMAND.replace("bed-1", "bed-2").as_str(), "x", false).await, PubAckReason::NotAuthorized);
    let mut integrator = Guest::proved(&clinic, &clinic.authority.client("integrator-ehr")).await;
    assert_eq!(integrator.say(STATUS, "forged", true).await, PubAckReason::NotAuthorized);
    assert_eq!(integrator.say(COMMAND, "forged", false).await, PubAckReason::NotAuthorized);
}
