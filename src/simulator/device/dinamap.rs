//! GE DINAMAP: answers requests, measures when told to by the host or by somebody at the bedside.

use vitalsd_core::driver::dinamap::line::{
    HostRequest, Lines, NibpReply, Status, na_reply, oa_reply, parse_request, rc_reply, reply_line,
};
use vitalsd_core::time::{Span, Time};
use vitalsd_core::vitals::{BloodPressure, Pressure, PulseRate};

use crate::simulator::scene::{Bedside, Outcome, Scene};

#[derive(Debug)]
pub(super) struct Dinamap {
    lines: Lines,
    /// What happens at the bedside, the next one last.
    bedside: Vec<(Time, Option<Time>)>,
    running: Option<Running>,
    last: Option<Last>,
    /// Determinations begun.
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    began: Time,
    ends: Time,
}

/// How the last determination ended.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Time,
    status: Status,
    pressure: Option<BloodPressure>,
    pulse: Option<PulseRate>,
}

impl Dinamap {
    pub(super) fn new(scene: &Scene) -> Self {
        let mut bedside: Vec<_> = scene
            .bedside_readings()
            .into_iter()
            .map(|(time, bedside)| match bedside {
                Bedside::Starts => (time, None),
                Bedside::Ends => (time - Span::secs(30), Some(time)),
            })
            .collect();
        bedside.sort_by_key(|(start, _)| std::cmp::Reverse(*start));
        Self { lines: Lines::default(), bedside, running: None, last: None, count: 0 }
    }

    pub(super) fn next(&self) -> Option<Time> {
        let bedside = self.bedside.last().map(|(start, _)| *start);
        let running = self.running.map(|running| running.ends);
        [bedside, running].into_iter().flatten().min()
    }

    pub(super) fn advance(&mut self, scene: &Scene, now: Time) {
        if let Some(running) = self.running.filter(|running| running.ends <= now) {
            self.end(scene, running);
        }
        if let Some((_, ends)) = self.bedside.pop_if(|(start, _)| *start <= now) {
            self.begin(scene, now, ends);
        }
    }

    pub(super) fn receive(&mut self, scene: &Scene, bytes: &[u8], now: Time, out: &mut Vec<u8>) {
        for byte in bytes {
            let Some(line) = self.lines.push(*byte) else { continue };
            // How a monitor refuses a line is not known: it says nothing.
            match line.bytes().and_then(parse_request) {
                Some(HostRequest::Start) => {
                    self.begin(scene, now, None);
                    out.extend(reply_line(b" NC"));
                }
                Some(HostRequest::Cancel) => {
                    self.cancel(scene, now);
                    out.extend(reply_line(b" ND"));
                }
                Some(HostRequest::ReadPressure) => out.extend(na_reply(&self.reply(now))),
                Some(HostRequest::ReadPulse) => {
                    out.extend(rc_reply(self.last.and_then(|last| last.pulse).map(PulseRate::as_bpm)));
                }
                // This monitor has no sensor of its own in use.
                Some(HostRequest::ReadSpo2) => out.extend(oa_reply(None)),
                None => {}
            }
        }
    }

    /// Starts a determination unless one is under way.
    fn begin(&mut self, scene: &Scene, now: Time, ends: Option<Time>) {
        if self.running.is_none() {
            self.count += 1;
            let ends = ends.unwrap_or_else(|| now + scene.determination_takes(self.count, now));
            self.running = Some(Running { began: now, ends });
            scene.inflate(now, ends);
        }
    }

    fn end(&mut self, scene: &Scene, running: Running) {
        let last = |status, pressure, pulse| Some(Last { at: running.ends, status, pressure, pulse });
        self.last = match scene.determination(running.ends) {
            Outcome::Hangs => {
                let ends = running.ends + Span::secs(1);
                self.running = Some(Running { ends, ..running });
                scene.inflate(running.began, ends);
                return;
            }
            Outcome::Repeats => self.last.map(|last| Last { at: running.ends, ..last }),
            Outcome::Pressure(pressure, pulse) => last(Status::Done, Some(pressure), pulse),
            Outcome::Failed(code) => last(Status::Failed(code), None, None),
        };
        self.running = None;
    }

    /// What a monitor reports after a cancel is not documented; this one says that it failed.
    fn cancel(&mut self, scene: &Scene, now: Time) {
        if let Some(running) = self.running.take() {
            self.last = Some(Last { at: now, status: Status::Failed(3), pressure: None, pulse: None });
            scene.inflate(running.began, now);
        }
    }

    /// While busy, the pressures and their age are those of the determination before.
    fn reply(&self, now: Time) -> NibpReply {
        let status = match (self.running, self.last) {
            (Some(_), _) => Status::Busy,
            (None, Some(last)) => last.status,
            // As the sheet's vector of a monitor without any recent result has it.
            (None, None) => Status::Failed(3),
        };
        let pressure = self.last.and_then(|last| last.pressure);
        let mmhg = |pressure: Option<Pressure>| pressure.map_or(0, Pressure::as_mmhg);
        NibpReply {
            status,
            // The count ends at 5400 s.
            age: self.last.map(|last| now.since(last.at)).filter(|age| *age <= Span::secs(5_400)),
            systolic: mmhg(pressure.and_then(BloodPressure::systolic)),
            diastolic: mmhg(pressure.and_then(BloodPressure::diastolic)),
            mean: mmhg(pressure.and_then(BloodPressure::measured_mean)),
        }
    }
}
