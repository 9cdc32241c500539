//! The daemon: ports, beds and the way to the broker, joined on one thread.
//!
//! * [`hot`]: what one turn of the loop does; everything that is shared, owned once.
//! * [`room`]: one bed with its devices.
//! * [`voice`]: what a bed says, on its topics.
//! * [`requests`]: commands that came by MQTT, carried out or refused; [`stations`]: who may give them.
//! * [`company`]: stations that look, and boxes that claim the same bed.
//! * [`flight`]: the last minutes of every line, saved when an alarm begins.
//! * [`memory`]: what outlives this run, by way of the journal.
//! * [`stages`]: how long a byte takes at each stage.
//! * [`boot`]: which life of the box this is.
//! * [`real_time`]: its thread before everything else on the box, where that is granted.
//! * [`watchdog`]: whether every loop still turns.
//!
//! All of it runs on one current-thread runtime: no lock, no cross-thread wake-up, no blocking call.
//! Each port is a task that owns its descriptor and borrows the rest for the length of one read; a
//! borrow never lives across an `await`.

pub mod boot;
pub mod company;
pub mod flight;
pub mod hot;
pub mod memory;
#[expect(unsafe_code, reason = "no crate offers SCHED_RESET_ON_FORK")]
pub mod real_time;
pub mod requests;
pub mod room;
pub mod stages;
pub mod stations;
pub mod voice;
pub mod watchdog;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Sleep, sleep_until, timeout};
use tracing::{info, warn};

use self::boot::Boot;
use self::hot::Hot;
use self::room::DeviceKey;
use self::watchdog::Watchdog;
use crate::config::Settings;
use crate::journal::{Journal, News};
use crate::port::name::DeviceRoot;
use crate::port::watch::{Port, PortEvent};

/// Every loop turns at least this often, whatever its peer does: that is what the watchdog believes.
const TURN: Duration = Duration::from_secs(1);

/// Why the daemon could not start. Ports and the broker are never among the reasons.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An id of the configuration cannot stand in a topic.
    #[error(transparent)]
    Id(#[from] crate::wire::topic::NotAnId),
    /// A password, certificate or key cannot be read.
    #[error(transparent)]
    Secrets(#[from] crate::config::SecretsError),
}

/// Runs the daemon until `stop` resolves, then says goodbye to the broker. Ports are looked up below `root`.
///
/// # Errors
/// Only for what is wrong before it starts; a port or a broker that is missing is told and waited for.
pub async fn run(settings: Settings, root: &DeviceRoot, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let boot = Boot::next(&settings.state_dir);
    let journal = Journal::open(&settings.state_dir, settings.journal, boot.id);
    if settings.real_time {
        real_time::ask().iter().for_each(|not| warn!("the system did not grant {not}"));
    }
    let synchronized = root.resolve(Path::new(hot::CLOCK_SYNCHRONIZED));
    let hot = Hot::new(&settings, &boot, journal, synchronized, Instant::now())?;
    info!(
        boot = %boot.id, beds = settings.beds.len(), broker = %format_args!("{}:{}", settings.broker.host, settings.broker.port),
        preset = %settings.preset.name,
        "a secondary notification system: the bedside devices' own alarms stay on and primary",
    );
    if settings.preset.signed_by.is_none() {
        warn!(preset = %settings.preset.name, "UNSIGNED: no clinician has signed these alarm limits");
    }
    if settings.broker.is_exposed() {
        warn!(broker = %settings.broker.host, "NOT ENCRYPTED: everyone on the network can read and forge what the box says; use [broker.tls]");
    }
    let hot = Rc::new(RefCell::new(hot));
    let local = LocalSet::new();
    local.run_until(turn(&settings, root, hot, stop)).await;
    Ok(())
}

async fn turn(settings: &Settings, root: &DeviceRoot, hot: Rc<RefCell<Hot>>, stop: impl Future<Output = ()>) {
    let watchdog = Watchdog::new();
    let mut tasks = JoinSet::new();
    for (key, path, line) in hot.borrow().ports(settings) {
        let port = Port::new(root.clone(), path, line);
        tasks.spawn_local(serve_port(Rc::clone(&hot), key, port, watchdog.beat()));
    }
    tasks.spawn_local(serve_link(Rc::clone(&hot), watchdog.beat()));
    tasks.spawn_local(serve_clock(Rc::clone(&hot), watchdog.beat()));
    let news = hot.borrow_mut().journal_news_to_come();
    tasks.spawn_local(serve_journal(Rc::clone(&hot), news, watchdog.beat()));
    tasks.spawn_local(watchdog.run());

    tokio::select! {
        () = stop => info!("stopping"),
        Some(ended) = tasks.join_next() => warn!(?ended, "a loop of the daemon ended by itself"),
    }
    tasks.shutdown().await;
    let publisher = hot.borrow_mut().take_publisher();
    let flight = hot.borrow_mut().take_flight();
    let saved = async {
        if let Some((flight, now, clock)) = flight {
            flight.finish(now, clock).await;
        }
    };
    let goodbye = async {
        if let Some(publisher) = publisher
            && publisher.stop().await
        {
            info!("said goodbye to the broker");
        }
    };
    tokio::join!(goodbye, saved);
    // Last: what the goodbye settled is no part of the next life's outbox.
    let journal = hot.borrow_mut().take_journal();
    if let Some(journal) = journal {
        journal.finish();
    }
}

/// One port: reads it, lets its driver speak.
async fn serve_port(hot: Rc<RefCell<Hot>>, key: DeviceKey, mut port: Port, beat: watchdog::Beat) {
    let wake = hot.borrow().wake_of(key);
    let mut timer = pin!(sleep_until(next_turn(None)));
    loop {
        tokio::select! {
            biased;
            event = port.next() => match event {
                PortEvent::Bytes { bytes, at } => hot.borrow_mut().heard(key, bytes, at),
                PortEvent::Opened { adapter } => hot.borrow_mut().opened(key, adapter.as_deref()),
                PortEvent::Lost { reason, text } => hot.borrow_mut().port_lost(key, reason, &text),
            },
            () = wake.notified() => {}
            () = timer.as_mut() => {}
        }
        beat.turned();
        let (send, next) = hot.borrow_mut().poll_driver(key);
        if let Some(send) = send {
            match port.write(&send) {
                Ok(()) => hot.borrow_mut().sent(key, &send),
                Err(error) => warn!(device = %hot.borrow().name(key), %error, "a request to the device was not sent"),
            }
        }
        port.tune(hot.borrow().line_of(key));
        rearm(timer.as_mut(), next);
    }
}

/// The broker: runs the connection by hand, so that an alarm is written in the turn that decided it.
async fn serve_link(hot: Rc<RefCell<Hot>>, beat: watchdog::Beat) {
    let mut timer = pin!(sleep_until(next_turn(None)));
    loop {
        tokio::select! {
            biased;
            event = poll_fn(|cx| hot.borrow_mut().poll_link(cx)) => hot.borrow_mut().link_event(event),
            () = timer.as_mut() => rearm(timer.as_mut(), None),
        }
        beat.turned();
    }
}

/// What happens by the passing of time alone: deadlines of the beds, heartbeat, state.
async fn serve_clock(hot: Rc<RefCell<Hot>>, beat: watchdog::Beat) {
    let earlier = hot.borrow().earlier();
    let mut timer = pin!(sleep_until(next_turn(None)));
    loop {
        let next = hot.borrow_mut().tick();
        beat.turned();
        rearm(timer.as_mut(), Some(next));
        tokio::select! {
            () = timer.as_mut() => {}
            () = earlier.notified() => {}
        }
    }
}

/// What the journal has to tell. A journal that has ended tells nothing more, which its silence is watched for.
async fn serve_journal(hot: Rc<RefCell<Hot>>, mut news: UnboundedReceiver<News>, beat: watchdog::Beat) {
    loop {
        match timeout(TURN, news.recv()).await {
            Ok(Some(news)) => hot.borrow_mut().journal_news(news),
            Ok(None) => sleep_until(next_turn(None)).await,
            Err(_) => {}
        }
        beat.turned();
    }
}

/// When to turn next: at `wanted`, or a second from now if that is earlier.
fn next_turn(wanted: Option<Instant>) -> tokio::time::Instant {
    let latest = Instant::now() + TURN;
    wanted.map_or(latest, |wanted| wanted.min(latest)).into()
}

/// Arms the timer again; it is left alone while it would ring in time, for that costs nothing.
fn rearm(timer: std::pin::Pin<&mut Sleep>, wanted: Option<Instant>) {
    let in_time = timer.deadline() > tokio::time::Instant::now();
    if !in_time || wanted.is_some_and(|wanted| timer.deadline() > wanted.into()) {
        timer.reset(next_turn(wanted));
    }
}
