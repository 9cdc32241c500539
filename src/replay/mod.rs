//! A recording, or a raw capture, through the same drivers and the same bed as at the bedside, in simulated time.
//!
//! Its rows enter as samples, or (with a driver named) as the bytes of a simulated device. The bed looks
//! when something arrives; what was due in between it stamps with the moment it was due.

pub mod captured;
mod content;
mod excursion;
mod plain;
mod play;
mod source;
mod story;
mod summary;
mod track;
pub mod trial;
mod verdict;

pub use story::Story;

use thiserror::Error;
use vitalsd_core::monitor::Device;
use vitalsd_core::monitor::input::{CommandRefusal, DeviceIndex, Input, Route};
use vitalsd_core::monitor::output::{Event, Output};
use vitalsd_core::monitor::preset::Preset;
use vitalsd_core::time::{Span, Time};

use self::content::Content;
use self::play::Play;
use self::source::Source;
use crate::recording::Row;
use crate::simulator::device::Model;
use crate::simulator::scene::Scene;
use crate::simulator::script::{Role, Script};
use crate::wire::Summary;

/// R1.2: a slower oximeter is shown, but raises no alarm.
const SLOWEST_ALARM_SOURCE: Span = Span::secs(4);

/// How a recording is to be played.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The alarm limits.
    pub preset: Preset,
    /// How the dose is given.
    pub route: Route,
    /// When it is given; the session opens at 0. After the end of the recording: not at all.
    pub dose_at: Time,
    /// The cadence of the oximeter; `None`: the typical step of the recording, or that of the driver if
    /// it is longer.
    pub cadence: Option<Span>,
    /// The devices whose bytes are to be played through their drivers. What none of them measures is
    /// taken from the rows.
    pub drivers: Vec<Model>,
}

impl Default for Terms {
    /// An IV dose at the start, the preset that is compiled in, everything from the rows.
    fn default() -> Self {
        Self { preset: preset(), route: Route::Iv, dose_at: Time::ZERO, cadence: None, drivers: Vec::new() }
    }
}

/// The preset that is compiled in, without check rounds (R5.12): in a replay nobody walks them.
#[must_use]
pub fn preset() -> Preset {
    Preset { check_round: None, ..Preset::kat_default_1() }
}

/// Why a recording cannot be played as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It has none of the columns that a bed judges.
    #[error("found no SpO2, pulse or blood pressure in any row, expected one of them: there is nothing to judge")]
    Nothing,
    /// It has nothing for a driver to read.
    #[error("found nothing in it that a device of `{0}` measures. Leave out --driver {0}")]
    NothingFor(Model),
    /// Two drivers for the same.
    #[error("`{0}` and `{1}` measure the same. Give one oximeter and one blood-pressure monitor at the most")]
    Twice(Model, Model),
    /// The session cannot be opened, or the dose not be given.
    #[error("{0}")]
    Refused(CommandRefusal),
}

/// A recording, ready to be played.
#[derive(Debug)]
pub struct Replay {
    rows: Vec<Row>,
    terms: Terms,
    content: Content,
    /// One for each device of the bed, and the driver if its bytes are to be played.
    parts: Vec<(Role, Option<Model>)>,
}

impl Replay {
    /// The bed expects a device for each of the columns that has data.
    ///
    /// # Errors
    /// The recording has nothing to play, or nothing for a driver that was asked for.
    pub fn new(rows: Vec<Row>, terms: Terms) -> Result<Self, ReplayError> {
        let content = Content::of(&rows);
        let mut parts = Vec::new();
        for role in [Role::Oximeter, Role::Cuff] {
            let mut models = terms.drivers.iter().copied().filter(|model| model.role() == role);
            let model = models.next();
            match (model, models.next()) {
                (Some(first), Some(second)) => return Err(ReplayError::Twice(first, second)),
                (Some(model), None) if !content.has(role) => return Err(ReplayError::NothingFor(model)),
                _ => {}
            }
            if content.has(role) {
                parts.push((role, model));
            }
        }
        if parts.is_empty() {
            return Err(ReplayError::Nothing);
        }
        Ok(Self { rows, terms, content, parts })
    }

    /// What a device of the bed is.
    #[must_use]
    pub fn role(&self, device: DeviceIndex) -> Option<Role> {
        self.parts.get(usize::from(device.0)).map(|(role, _)| *role)
    }

    /// When the recording ends: its last row holds for a typical step.
    #[must_use]
    pub const fn end(&self) -> Time {
        self.content.end
    }

    /// Plays it once, and tells everything that the bed says.
    ///
    /// # Errors
    /// The bed refuses the session; it has no reason to.
    pub fn run(&self, out: &mut impl FnMut(Output)) -> Result<(), ReplayError> {
        let mut sources: Vec<_> = self.parts.iter().map(|part| self.source(*part)).collect();
        let devices = self.parts.iter().map(|part| self.device(*part)).collect();
        let links: Vec<_> = sources.iter().map(Source::link).collect();
        let mut play = Play::open(&self.terms, devices, &links, out)?;

        let end = self.end();
        let out = &mut |output| {
            if !Play::is_its_own(&output) {
                out(output);
            }
        };
        loop {
            let next = sources.iter().filter_map(Source::due).chain(play.due()).min();
            let Some(now) = next.filter(|next| *next < end) else { break };
            play.dose(now, out)?;
            for (device, source) in (0..).map(DeviceIndex).zip(&mut sources) {
                if source.due().is_some_and(|due| due <= now) {
                    source.advance(device, now, &mut |input| play.bed.input(&input, now, out));
                }
            }
            play.answer(now, out)?;
        }
        play.bed.input(&Input::Tick, end, out);
        Ok(())
    }

    /// Plays it once, and keeps what the bed says.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn play(&self) -> Result<Story, ReplayError> {
        let mut story = Story::default();
        self.run(&mut |output| story.take(output))?;
        story.ends(self.end());
        Ok(story)
    }

    /// Plays it once, for its events alone.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn events(&self) -> Result<Vec<Event>, ReplayError> {
        self.play().map(|story| story.events)
    }

    /// What a replay of it came to, beside what the plain rules would have done.
    #[must_use]
    pub fn summary(&self, story: &Story) -> Summary {
        let cadence = self.terms.cadence.unwrap_or(self.content.step);
        summary::of(
            &self.terms.preset,
            &track::of_rows(&self.rows, &self.content),
            cadence <= SLOWEST_ALARM_SOURCE,
            story,
        )
    }

    fn source(&self, (role, model): (Role, Option<Model>)) -> Source<'_> {
        match (model, role) {
            (Some(model), _) => Source::line(model, &Scene::recording(self.rows.clone(), Script::quiet(), 1).shared()),
            (None, Role::Oximeter) => Source::numbers(&self.rows, &self.content),
            (None, Role::Cuff) => Source::pressures(&self.rows),
        }
    }

    /// The device as its bed sees it. A cuff cannot be started: its results are those of the recording.
    fn device(&self, (role, model): (Role, Option<Model>)) -> Device {
        let primary = self.content.quantities(role);
        let mut device = match model {
            Some(model) => Device::of(model.protocol(), &primary),
            None => Device {
                cadence: Span::ZERO,
                primary,
                starts_cuff: false,
                cuff_rest: Span::ZERO,
                pleth_full_scale: self.content.pleth.map(|_| source::FULL_SCALE),
            },
        };
        device.starts_cuff = false;
        if role == Role::Oximeter {
            device.cadence = self.terms.cadence.unwrap_or(device.cadence.max(self.content.step));
        }
        device
    }
}
