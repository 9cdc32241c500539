//! R6: how grave the want of good data was, from the sums and shares of the time without them.

use vitalsd_core::monitor::output::{Phase, Priority};
use vitalsd_core::monitor::preset::UnavailableTerms;
use vitalsd_core::time::Span as Length;
use vitalsd_core::vitals::{Absent, Measured};

use super::segments::Held;
use super::timeline::{Instant, Stretch, Timeline};

/// R6.3: a signal that came and went is trusted again once this much of a minute was good, percent.
const TRUSTED: u64 = 90;
const SECOND: u64 = 1_000;
/// R6.3: its two windows, milliseconds.
const SHORT: u64 = 60 * SECOND;
const LONG: u64 = 180 * SECOND;

/// Why there are no good data now: a reason, or none if they are good.
type Want = Option<Absent>;

/// What is wanting: good SpO2, and a pulse beside it.
pub fn wants(held: &Held) -> Timeline<Want> {
    held.spo2.with(&held.pulse).map(|(spo2, pulse)| match (spo2, pulse) {
        (Measured::Absent(reason), _) => Some(*reason),
        (Measured::Questionable(..), _) => Some(Absent::InadequateSignal),
        (Measured::Good(_), Measured::Absent(reason)) => Some(*reason),
        (Measured::Good(_), _) => None,
    })
}

/// What the want of data is judged in.
pub struct Circumstances<'a> {
    pub phases: &'a Timeline<Phase>,
    /// R6.2: whether a third reading of the baseline exists.
    pub third_baseline: &'a Timeline<bool>,
    /// Whether somebody is watched: in a session, or in an armed room.
    pub watched: &'a Timeline<bool>,
    /// When everything about the patient is dropped.
    pub drops: &'a [Instant],
    pub end: Instant,
}

/// The priority of the want of data at every instant.
pub fn activity(
    wants: &Timeline<Want>,
    terms: &UnavailableTerms,
    circumstances: &Circumstances<'_>,
) -> Timeline<Option<Priority>> {
    let mut activity = Timeline::always(None);
    for watch in circumstances.watched.stretches().filter(|watch| *watch.value) {
        let inner = circumstances.drops.iter().copied().filter(|drop| *drop > watch.from && *drop < watch.to);
        let ends: Vec<_> = inner.chain([watch.to.min(circumstances.end)]).collect();
        let mut from = watch.from;
        for to in ends {
            watched(wants, terms, circumstances, from, to, &mut activity);
            if to < circumstances.end {
                activity.set(to, None);
            }
            from = to;
        }
    }
    activity
}

/// One watch over one patient.
fn watched(
    wants: &Timeline<Want>,
    terms: &UnavailableTerms,
    circumstances: &Circumstances<'_>,
    from: Instant,
    to: Instant,
    activity: &mut Timeline<Option<Priority>>,
) {
    let stretches: Vec<_> = clipped(&wants.map(Option::is_some), from, to);
    let missing = missing(&stretches, terms, to);
    let mut rises = by_time(wants, &missing, terms, circumstances);
    let losses: Vec<_> = stretches.iter().filter(|stretch| stretch.value && stretch.ms() > 0).copied().collect();
    let thin = thin(&losses, terms, circumstances, from, to);
    rises.extend(thin.iter().flat_map(|thin| thin.1.iter().copied()));
    rises.sort_by_key(|(at, _)| *at);
    // It is there while data are missing or the signal is thin; the priority rises, and never falls until then.
    let spans = missing.iter().copied().chain(thin.iter().map(|(span, _)| *span));
    for (begin, end) in joined(spans.collect()) {
        let mut worst = None;
        for (at, priority) in rises.iter().filter(|(at, _)| *at >= begin && *at <= end && *at <= to) {
            worst = worst.max(Some(*priority));
            activity.set(*at, worst);
        }
        if end < to {
            activity.set(end, None);
        }
    }
}

type Span = (Instant, Instant);

/// The stretches between `from` and `to`, cut there.
fn clipped(missing: &Timeline<bool>, from: Instant, to: Instant) -> Vec<Stretch<bool>> {
    let inside = missing.from(from).take_while(|stretch| stretch.from < to);
    inside.map(|s| Stretch { from: s.from.max(from), to: s.to.min(to), value: *s.value }).collect()
}

/// R6.1: from the first loss to the end of ten seconds of continuous good data.
fn missing(stretches: &[Stretch<bool>], terms: &UnavailableTerms, to: Instant) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (index, loss) in stretches.iter().enumerate().filter(|(_, stretch)| stretch.value && stretch.ms() > 0) {
        if spans.last().is_some_and(|(_, end)| *end > loss.from) {
            continue;
        }
        let restored = stretches[index..].iter().find_map(|stretch| {
            let at = Instant::due(stretch.from.ms + terms.reset.as_millis());
            (!stretch.value && at < stretch.to).then_some(at)
        });
        spans.push((loss.from, restored.unwrap_or(to)));
    }
    spans
}

/// R6.2: when the sums of the time without good data reach which step.
fn by_time(
    wants: &Timeline<Want>,
    missing: &[Span],
    terms: &UnavailableTerms,
    circumstances: &Circumstances<'_>,
) -> Vec<(Instant, Priority)> {
    let mut rises = Vec::new();
    let all = wants.with(&circumstances.phases.with(circumstances.third_baseline));
    for (begin, end) in missing {
        // All time without good data, and as much of it as had no value at all.
        let (mut bad, mut none) = (0, 0);
        for stretch in all.from(*begin).take_while(|stretch| stretch.from < *end) {
            let (Some(reason), (phase, third)) = *stretch.value else { continue };
            let doubted = reason == Absent::InadequateSignal;
            let (from, to) = (stretch.from.max(*begin), stretch.to.min(*end));
            let by_bad = steps(phase, third, terms).into_iter().map(|(after, priority)| (bad, true, after, priority));
            let by_none = steps_without(phase, terms).into_iter().map(|(after, p)| (none, !doubted, after, p));
            for (sum, grows, after, priority) in by_bad.chain(by_none) {
                let after = after.as_millis();
                if sum >= after {
                    rises.push((from, priority));
                } else if grows {
                    let at = Instant::due(from.ms + (after - sum));
                    rises.extend((at < to).then_some((at, priority)));
                }
            }
            bad += to.ms - from.ms;
            none += if doubted { 0 } else { to.ms - from.ms };
        }
    }
    rises
}

/// The steps by all the time without good data.
fn steps(phase: Phase, third_baseline: bool, terms: &UnavailableTerms) -> Vec<(Length, Priority)> {
    match phase {
        Phase::NoSession | Phase::Baseline if third_baseline => {
            vec![(terms.baseline_low, Priority::Low), (terms.baseline_medium, Priority::Medium)]
        }
        Phase::NoSession | Phase::Baseline => vec![(terms.baseline_low, Priority::Low)],
        Phase::Onset | Phase::Window => {
            vec![(terms.dosed_inadequate_medium, Priority::Medium), (terms.dosed_inadequate_high, Priority::High)]
        }
        Phase::Recovery => vec![(terms.recovery_medium, Priority::Medium), (terms.recovery_high, Priority::High)],
    }
}

/// The steps by the time without any value: a doubted one may take longer after the dose.
fn steps_without(phase: Phase, terms: &UnavailableTerms) -> Vec<(Length, Priority)> {
    match phase {
        Phase::Onset | Phase::Window => {
            vec![(terms.dosed_medium, Priority::Medium), (terms.dosed_high, Priority::High)]
        }
        Phase::NoSession | Phase::Baseline | Phase::Recovery => Vec::new(),
    }
}

/// R6.3: when the signal was thin, and what it rose to, judged on the whole seconds of the watch.
fn thin(
    losses: &[Stretch<bool>],
    terms: &UnavailableTerms,
    circumstances: &Circumstances<'_>,
    from: Instant,
    to: Instant,
) -> Vec<(Span, Vec<(Instant, Priority)>)> {
    let mut spans: Vec<(Span, Vec<(Instant, Priority)>)> = Vec::new();
    let mut thin: Option<Priority> = None;
    let mut second = from.ms + SECOND;
    while Instant::due(second) < to {
        // A dose that is told in that very millisecond counts.
        let (due, last) = (Instant::due(second), Instant::last(second));
        let dosed = circumstances.phases.at(due) != circumstances.phases.at(last);
        let now = if dosed { Instant::said(second) } else { due };
        // What has ended three minutes ago is not looked at any more, nor what has not begun.
        let first = losses.partition_point(|loss| loss.to.ms + LONG <= second);
        let seen = &losses[first..losses.partition_point(|loss| loss.from < due)];
        let judged = match *circumstances.phases.at(last) {
            Phase::NoSession | Phase::Baseline => None,
            _ if comes_and_goes(seen, second, LONG) && good_below(seen, second, LONG, terms.thin_high_pct.into()) => {
                Some(Priority::High)
            }
            _ if comes_and_goes(seen, second, SHORT)
                && good_below(seen, second, SHORT, terms.thin_medium_pct.into()) =>
            {
                Some(Priority::Medium)
            }
            _ => None,
        };
        let before = thin;
        thin = if good_below(seen, second, SHORT, TRUSTED) { thin.max(judged) } else { None };
        match (before, thin, spans.last_mut()) {
            (None, Some(priority), _) => spans.push(((now, to), vec![(now, priority)])),
            (Some(before), Some(priority), Some(last)) if priority > before => last.1.push((now, priority)),
            (Some(_), None, Some(last)) => last.0.1 = now,
            _ => {}
        }
        second += SECOND;
        if thin.is_none() && seen.is_empty() {
            // Nothing until the second after the next loss begins.
            let Some(next) = losses.iter().find(|loss| loss.from.ms + SECOND > second) else { break };
            let wait = next.from.ms.saturating_sub(second) / SECOND * SECOND;
            second += wait;
        }
    }
    spans
}

/// Whether at least two losses touch the last `window`: an unbroken one is R6.2's to judge.
fn comes_and_goes(losses: &[Stretch<bool>], now: u64, window: u64) -> bool {
    losses.iter().filter(|loss| loss.to.ms + window > now).count() >= 2
}

/// Whether less than `percent` of the last `window` was good.
fn good_below(losses: &[Stretch<bool>], now: u64, window: u64, percent: u64) -> bool {
    let begin = now.saturating_sub(window);
    let lost = |loss: &Stretch<bool>| loss.to.ms.min(now).saturating_sub(loss.from.ms.max(begin));
    let good = window - losses.iter().map(lost).sum::<u64>();
    good * 100 < percent * window
}

/// Spans that touch or overlap are one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}
