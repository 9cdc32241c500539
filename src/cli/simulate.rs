//! `vitalsd simulate`: a patient and devices on pseudo-terminals, for a demonstration or a trial.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, path, process};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::recording::Reader;
use crate::simulator::device::{Device, Model};
use crate::simulator::line::Line;
use crate::simulator::scene::Scene;
use crate::simulator::script::Script;

/// Simulates one bed: a patient, or a recording played as one, on devices that look like serial ports.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vitalsd simulate
  vitalsd simulate --device contec-v7 --device dinamap --script course.toml --link /tmp/bed1

A course (all times in seconds; leave out what you do not need):
  dose_at_s = 600            # pressure and pulse rise, highest 35 min later
  [rest]
  spo2_pct = 97
  systolic_mmhg = 122
  diastolic_mmhg = 76
  [[event]]
  kind = \"desaturation\"      # to_pct, ramp_s
  at_s = 1500
  for_s = 90
  to_pct = 84

Kinds of event, each with at_s and for_s:
  desaturation, low-perfusion         to_pct, ramp_s
  bradycardia, tachycardia            to_bpm, ramp_s
  hypertension, hypotension           to_mmhg = [systolic, diastolic], ramp_s
  flicker                             on_s, off_s: the sensor comes off and on
  no-pulse, motion, sensor-off, stuck, cuff-on-probe-arm
  silent, cable-pulled                device = \"oximeter\" or \"cuff\"
  cuff-fails                          status: 3, 4, 6, 7, 8 or 9
  cuff-hangs
  cuff-repeats       a determination ends at once with the reading before
  cuff-stopped       somebody stops each determination at the monitor
  bedside-reading                     no for_s: somebody presses the monitor's button")]
pub struct Simulate {
    /// A device to simulate, by the name of its driver; repeat it for several [default: nonin-df2, dinamap].
    #[arg(long, value_name = "NAME")]
    device: Vec<Model>,
    /// What happens: a course (TOML).
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Play this recording (CSV) as the patient; of a course only what happens to probe, cuff and cables counts.
    #[arg(long, value_name = "CSV")]
    recording: Option<PathBuf>,
    /// Make the ports appear in this directory [default: a new one for this run].
    #[arg(long, value_name = "DIR")]
    link: Option<PathBuf>,
    /// Let the course run this many times as fast; the devices keep their own rate.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Another number, another patient.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds instead of at Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    #[command(flatten)]
    parent: super::parent::Parent,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("give a number 0.01 to 1000".into()),
    }
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.parent.follow();
        let scene = self.scene()?;
        let (directory, ours) = match &self.link {
            Some(directory) => (path::absolute(directory)?, false),
            None => (env::temp_dir().join(format!("vitalsd-simulate-{}", process::id())), true),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(self.play(&scene, &directory));
        // The tasks take their links away as they end.
        drop(runtime);
        if ours {
            let _ = fs::remove_dir(&directory);
        }
        result
    }

    fn scene(&self) -> anyhow::Result<Arc<Scene>> {
        let script = self.script.as_deref().map_or_else(|| Ok(Script::quiet()), Script::read)?;
        let scene = match &self.recording {
            Some(path) => Scene::recording(Reader::open(path)?.collect::<Result<_, _>>()?, script, self.seed),
            None => Scene::patient(script, self.seed),
        };
        Ok(scene.at_speed(self.speed).shared())
    }

    async fn play(&self, scene: &Arc<Scene>, directory: &Path) -> anyhow::Result<()> {
        let usual = [Model::NoninDf2, Model::Dinamap];
        let models = if self.device.is_empty() { &usual } else { self.device.as_slice() };
        // Before the first link is made, so that none is left behind.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let start = Instant::now();
        let mut lines = JoinSet::new();
        for (index, model) in models.iter().enumerate() {
            let before = models.iter().take(index).filter(|other| *other == model).count();
            let name = if before == 0 { model.to_string() } else { format!("{model}-{}", before + 1) };
            let mut line = Line::start(Device::new(*model, scene), directory.join(&name), start)?;
            println!("[[bed.device]]\nid = \"{name}\"\nprotocol = \"{model}\"\nport = \"{}\"\n", line.link().display());
            lines.spawn(async move { line.ended().await });
        }
        let end = self.seconds.map(|seconds| start + Duration::from_secs(seconds));
        tokio::select! {
            Some(Ok(Err(error))) = lines.join_next() => Err(error.into()),
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            () = async { match end { Some(end) => sleep_until(end).await, None => pending().await } } => Ok(()),
        }
    }
}
