//! The order, the window, the pace and the death of a link, with the time fed by hand.

use super::*;
use crate::mqtt::Bounds;
use crate::wire::{BoxTopic, Id};
use vitalsd_core::monitor::output::Condition;

const NO_LIMIT: usize = 1 << 20;

fn id() -> Id {
    Id::new("room-1").unwrap()
}

fn bed(topic: BedTopic) -> Topic {
    Topic::Bed(id(), topic)
}

const BOUNDS: Bounds = Bounds { bytes: 1 << 24, age: Duration::from_secs(3_600) };
const ALARM: BedTopic = BedTopic::Alarm(Condition::Spo2Low);

/// A feeder and its clock.
struct Bench {
    feeder: Feeder,
    now: Instant,
    seq: u64,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self { feeder: Feeder::new(Outbox::new(BOUNDS, None), now), now, seq: 0 }
    }

    fn connected() -> Self {
        let mut bench = Self::new();
        bench.connect();
        bench
    }

    fn connect(&mut self) {
        self.feeder.connected(65_535, NO_LIMIT, self.now);
    }

    fn say(&mut self, topic: Topic) {
        self.seq += 1;
        self.feeder.put(topic, self.seq, format!("{{\"n\":{}}}", self.seq).into_bytes(), self.now);
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    fn next(&mut self) -> Option<Outgoing> {
        self.feeder.next(self.now)
    }

    fn ack(&mut self, outgoing: &Outgoing) -> Settled {
        self.feeder.acked(outgoing.token, Ack::Taken, self.now).unwrap()
    }

    /// Everything that goes out without any confirmation.
    fn burst(&mut self) -> Vec<Outgoing> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

fn topics(sent: &[Outgoing]) -> Vec<Topic> {
    let topic = |outgoing: &Outgoing| match outgoing.address {
        Address::Topic(topic) => topic,
        Address::Reply(..) => panic!("a reply"),
    };
    sent.iter().map(topic).collect()
}

fn is_replayed(outgoing: &Outgoing) -> bool {
    outgoing.payload.starts_with(br#"{"replayed":true,"#)
}

#[test]
fn nothing_goes_out_without_a_connection() {
    let mut bench = Bench::new();
    bench.say(bed(ALARM));
    assert_eq!(bench.next(), None);
}

#[test]
fn the_order_is_status_alarms_slots_passing_events_readings() {
    let mut bench = Bench::connected();
    let order = [
        Topic::Box(id(), BoxTopic::Status),
        bed(ALARM),
        bed(BedTopic::State),
        Topic::Box(id(), BoxTopic::Heartbeat),
        bed(BedTopic::Event),
        bed(BedTopic::Oximetry),
    ];
    order.iter().rev().for_each(|topic| bench.say(*topic));
    assert_eq!(topics(&bench.burst()), order);
}

#[test]
fn four_places_of_the_window_are_for_alarms_alone() {
    let mut bench = Bench::connected();
    (0..100).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    assert_eq!(bench.burst().len(), 12);
    for condition in Condition::ALL.iter().take(6) {
        bench.say(bed(BedTopic::Alarm(*condition)));
    }
    let alarms = bench.burst();
    assert_eq!(alarms.len(), 4);
    assert!(topics(&alarms).iter().all(|topic| matches!(topic, Topic::Bed(_, BedTopic::Alarm(_)))));
}

#[test]
fn an_alarm_overtakes_ten_thousand_readings() {
    let mut bench = Bench::connected();
    (0..10_000).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    bench.burst();
    bench.say(bed(ALARM));
    assert_eq!(topics(&bench.burst()), [bed(ALARM)]);
}

#[test]
fn the_window_keeps_to_the_brokers_receive_maximum() {
    let mut bench = Bench::new();
    bench.feeder.connected(5, NO_LIMIT, bench.now);
    (0..100).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    assert_eq!(bench.burst().len(), 4);
    bench.say(bed(ALARM));
    bench.say(bed(BedTopic::Alarm(Condition::PulseHigh)));
    assert_eq!(bench.burst().len(), 1, "five in all, of which one place is for alarms");
}

#[test]
fn backlog_is_flagged_and_at_most_200_a_second() {
    let mut bench = Bench::new();
    (0..500).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    bench.connect();
    let mut sent = 0;
    for _ in 0..1_000 {
        for outgoing in bench.burst() {
            assert!(is_replayed(&outgoing));
            bench.ack(&outgoing);
            sent += 1;
        }
        let wake = bench.feeder.deadline(bench.now).expect("more is to come");
        assert!(wake <= bench.now + Duration::from_millis(5));
        bench.pass(1);
    }
    assert_eq!(sent, 200);
}

#[test]
fn fresh_readings_overtake_the_backlog_and_are_not_flagged() {
    let mut bench = Bench::new();
    (0..500).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    bench.connect();
    bench.burst();
    bench.say(bed(BedTopic::Oximetry));
    let sent = bench.burst();
    assert_eq!((sent.len(), is_replayed(&sent[0])), (1, false));
}

#[test]
fn events_keep_their_order_through_an_outage() {
    let mut bench = Bench::new();
    (0..3).for_each(|_| bench.say(bed(BedTopic::Event)));
    bench.connect();
    bench.say(bed(BedTopic::Event));
    let mut replayed = Vec::new();
    for _ in 0..4 {
        replayed.extend(bench.burst().iter().map(is_replayed));
        bench.pass(5);
    }
    assert_eq!(replayed, [true, true, true, false]);
}

#[test]
fn what_was_on_its_way_when_the_link_died_is_sent_again_as_replayed() {
    let mut bench = Bench::connected();
    bench.say(bed(BedTopic::Event));
    let first = bench.next().unwrap();
    assert!(!is_replayed(&first));
    bench.feeder.disconnected();
    assert_eq!(bench.feeder.acked(first.token, Ack::Taken, bench.now), None, "an answer from the old connection");
    bench.connect();
    assert!(is_replayed(&bench.next().unwrap()));
}

#[test]
fn slots_are_published_again_on_every_connect_and_never_as_replayed() {
    let mut bench = Bench::new();
    bench.say(bed(ALARM));
    for _ in 0..2 {
        bench.connect();
        let sent = bench.burst();
        assert_eq!((topics(&sent), is_replayed(&sent[0]), sent[0].retain), (vec![bed(ALARM)], false, true));
        bench.feeder.disconnected();
    }
}

#[test]
fn an_alarm_ends_with_off_and_then_the_empty_retained_message() {
    let mut bench = Bench::connected();
    bench.feeder.end(bed(ALARM), b"{\"presence\":\"off\"}".into(), bench.now);
    let off = bench.next().unwrap();
    assert_eq!(bench.next(), None);
    let settled = bench.ack(&off);
    assert!(!settled.present_alarm);
    let empty = bench.next().unwrap();
    assert_eq!((empty.payload.len(), empty.retain), (0, true));
    bench.ack(&empty);
    assert!(bench.feeder.is_idle());
}

#[test]
fn a_link_is_dead_when_something_waits_and_nothing_is_confirmed_for_two_seconds() {
    let mut bench = Bench::connected();
    bench.pass(60_000);
    assert!(!bench.feeder.is_dead(bench.now), "an idle link is not dead");
    bench.say(bed(BedTopic::Oximetry));
    bench.say(bed(BedTopic::Oximetry));
    let sent = bench.burst();
    bench.pass(1_999);
    assert!(!bench.feeder.is_dead(bench.now));
    bench.ack(&sent[0]);
    bench.pass(1_999);
    assert!(!bench.feeder.is_dead(bench.now), "a confirmation is a sign of life");
    bench.pass(1);
    assert!(bench.feeder.is_dead(bench.now));
    assert_eq!(bench.feeder.deadline(bench.now), Some(bench.now));
}

#[test]
fn a_message_that_is_passed_over_for_ten_seconds_kills_the_link() {
    let mut bench = Bench::connected();
    bench.say(bed(BedTopic::Event));
    bench.next().unwrap();
    for _ in 0..9 {
        bench.pass(1_000);
        bench.say(bed(BedTopic::Event));
        let later = bench.next().unwrap();
        bench.ack(&later);
        assert!(!bench.feeder.is_dead(bench.now));
    }
    bench.pass(1_000);
    assert!(bench.feeder.is_dead(bench.now));
}

#[test]
fn a_refused_event_is_kept_and_tried_again_later() {
    let mut bench = Bench::connected();
    bench.say(bed(BedTopic::Event));
    let first = bench.next().unwrap();
    let refused = Ack::Refused(Refusal::QuotaExceeded);
    assert_eq!(bench.feeder.acked(first.token, refused, bench.now).unwrap().ack, refused);
    assert_eq!(bench.next(), None);
    bench.pass(2_000);
    assert!(bench.next().is_some());
}

#[test]
fn what_is_too_large_for_the_broker_is_not_sent_and_is_reported() {
    let mut bench = Bench::new();
    bench.feeder.connected(20, 400, bench.now);
    bench.feeder.put(bed(ALARM), 1, vec![b'x'; 500], bench.now);
    bench.say(bed(BedTopic::Event));
    assert_eq!(topics(&bench.burst()), [bed(BedTopic::Event)], "the rest goes on");
    let settled = bench.feeder.take_too_large().unwrap();
    assert!(matches!(settled.ack, Ack::Refused(Refusal::TooLarge { limit: 400, .. })));
}

#[test]
fn what_is_for_now_only_is_not_kept_for_later() {
    let mut bench = Bench::new();
    bench.say(Topic::Box(id(), BoxTopic::Heartbeat));
    bench.connect();
    assert_eq!(bench.next(), None, "said without a connection");
    (0..100).for_each(|_| bench.say(bed(BedTopic::Oximetry)));
    bench.burst();
    bench.say(Topic::Box(id(), BoxTopic::Heartbeat));
    bench.pass(5_000);
    assert_eq!(bench.next(), None, "expired while it waited for a place");
    assert_eq!(bench.feeder.passing.len(), 0);
}

#[test]
fn a_waveform_is_not_poured_into_a_silent_link() {
    let mut bench = Bench::connected();
    bench.say(bed(ALARM));
    bench.next().unwrap();
    bench.say(bed(BedTopic::Pleth));
    assert!(bench.next().is_some());
    bench.pass(500);
    bench.say(bed(BedTopic::Pleth));
    assert_eq!(bench.next(), None);
}
