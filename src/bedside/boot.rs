//! Which life of the box this is: a counter kept on disk, and chance beside it.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use tracing::warn;

use crate::wire::BootId;

/// The file in the state directory that holds the counter.
const FILE: &str = "boot";

/// One life of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Its id, in order of the lives.
    pub id: BootId,
}

impl Boot {
    /// The next life. A disk that refuses does not keep the box from watching: the clock then stands
    /// in for the counter, and is larger than any counter there has been.
    #[must_use]
    pub fn next(state_dir: &Path) -> Self {
        let counter = count(state_dir).unwrap_or_else(|error| {
            warn!(
                dir = %state_dir.display(), %error,
                "the boot counter cannot be kept; create the directory and let the daemon's user write to it",
            );
            u32::try_from(Timestamp::now().as_second()).unwrap_or(u32::MAX)
        });
        Self { id: BootId::new(counter, fastrand::u32(..)) }
    }
}

/// Counts one up, and has it on disk before it is used.
fn count(dir: &Path) -> io::Result<u32> {
    let (file, new) = (dir.join(FILE), dir.join("boot.new"));
    let last = match fs::read_to_string(&file) {
        Ok(text) => {
            text.trim().parse::<u32>().map_err(|_| io::Error::other(format!("{} is damaged", file.display())))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let next = last.saturating_add(1);
    fs::create_dir_all(dir)?;
    fs::write(&new, format!("{next}\n"))?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, &file)?;
    fs::File::open(dir)?.sync_all()?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_has_a_higher_id_than_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let lives: Vec<_> = (0..3).map(|_| Boot::next(&dir.path().join("state")).id).collect();
        assert!(lives.is_sorted());
        assert_eq!(lives.iter().map(|id| id.counter()).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_counter_that_cannot_be_kept_is_replaced_by_a_later_one() {
        let dir = tempfile::tempdir().unwrap();
        let before = Boot::next(dir.path()).id;
        fs::write(dir.path().join(FILE), "no number").unwrap();
        assert!(Boot::next(dir.path()).id > before);
        assert!(Boot::next(Path::new("/proc/no-such-directory")).id > before);
    }
}
