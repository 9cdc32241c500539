//! A hint from the file system that a path may have come back. Only a hint: the timer is the truth.

use std::ffi::{OsStr, OsString};
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use tokio::io::unix::AsyncFd;

/// Watches the deepest directory on the way to a path that exists: /dev/serial/by-id itself goes
/// with the last adapter. Kept for the life of a port, since closing an inotify can block.
#[derive(Debug)]
pub(super) struct Hint {
    inotify: AsyncFd<Inotify>,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    id: WatchDescriptor,
    directory: PathBuf,
    /// The entry of `directory` that is on the way to the path.
    awaited: OsString,
}

impl Hint {
    /// Starts to watch for `path`, or goes on. Without inotify (too many instances) the timer does.
    pub(super) fn watch(hint: &mut Option<Self>, path: &Path) {
        let result = match hint {
            Some(hint) => hint.follow(path),
            None => Self::new().and_then(|new| hint.insert(new).follow(path)),
        };
        if let Err(error) = result {
            tracing::debug!(port = %path.display(), %error, "no hint when the port comes back");
        }
    }

    /// Stops watching.
    pub(super) fn rest(hint: &mut Option<Self>) {
        if let Some(hint) = hint {
            hint.unwatch();
        }
    }

    /// Waits until the path may have come back. Cancel-safe.
    pub(super) async fn given(hint: &mut Option<Self>) {
        match hint {
            Some(hint) => hint.changed().await,
            None => pending().await,
        }
    }

    #[expect(deprecated, reason = "its successor is unsafe; what it asks for holds: an Inotify keeps its descriptor")]
    fn new() -> io::Result<Self> {
        Ok(Self { inotify: AsyncFd::new(Inotify::init()?)?, watched: None })
    }

    fn follow(&mut self, path: &Path) -> io::Result<()> {
        let Some((directory, awaited)) = deepest(path) else { return Ok(()) };
        if self.watched.as_ref().is_some_and(|now| now.directory == directory && now.awaited == awaited) {
            return Ok(());
        }
        self.unwatch();
        let mask = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::DELETE_SELF | WatchMask::ONLYDIR;
        let id = self.inotify.get_ref().watches().add(directory, mask)?;
        self.watched = Some(Watched { id, directory: directory.to_owned(), awaited: awaited.to_owned() });
        Ok(())
    }

    fn unwatch(&mut self) {
        if let Some(watched) = self.watched.take() {
            let _ = self.inotify.get_ref().watches().remove(watched.id);
        }
    }

    async fn changed(&mut self) {
        let mut buffer = [0; 1024];
        loop {
            let Ok(mut ready) = self.inotify.readable_mut().await else { return pending().await };
            let Ok(Ok(events)) = ready.try_io(|inotify| inotify.get_mut().read_events(&mut buffer)) else { continue };
            let (mut given, mut gone) = (false, false);
            for event in events {
                let Some(watched) = &self.watched else { continue };
                if event.wd == watched.id {
                    gone |= event.mask.intersects(EventMask::DELETE_SELF | EventMask::IGNORED);
                    given |= event.name == Some(&watched.awaited);
                }
            }
            if gone {
                self.watched = None;
            }
            if given || gone {
                return;
            }
        }
    }
}

/// The deepest directory that exists on the way to `path`, and the entry of it that comes next.
fn deepest(path: &Path) -> Option<(&Path, &OsStr)> {
    path.ancestors()
        .filter_map(|step| Some((step.parent()?, step.file_name()?)))
        .find(|(directory, _)| directory.is_dir())
}
