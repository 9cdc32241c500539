//! What is wrong with a file: where, what was found, what is allowed, what to do.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Whether the daemon starts all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does not start.
    Error,
    /// It starts, and says this in its log.
    Warning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the daemon.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// Where in it; `None`: the file as a whole.
    pub place: Option<Place>,
    /// What was found there.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
    /// What to do about it.
    pub remedy: String,
}

/// A stretch of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line itself.
    source: String,
    /// How many characters of it are meant, at least 1.
    width: usize,
}

/// Everything that is wrong with a file and with the files it names, in the order of their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Place {
    /// Where `span` (bytes) begins in `text`.
    #[must_use]
    pub fn of(span: &Range<usize>, text: &str) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let source = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(start..).unwrap_or_default().chars().count();
        let meant = text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            source: source.to_owned(),
            width: meant.chars().count().max(1),
        }
    }
}

impl Problem {
    /// A problem of a file as a whole.
    #[must_use]
    pub fn whole(severity: Severity, file: &Path, found: &str, allowed: &str, remedy: &str) -> Self {
        Self {
            severity,
            file: file.to_owned(),
            place: None,
            found: found.to_owned(),
            allowed: allowed.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Problems {
    /// Whether any of them stops the daemon.
    #[must_use]
    pub fn stop(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}: {}", self.found)?;
        let file = self.file.display();
        match &self.place {
            None => writeln!(f, "  --> {file}")?,
            Some(Place { line, column, source, width }) => {
                writeln!(f, "  --> {file}:{line}:{column}")?;
                writeln!(f, "{line:>5} | {source}")?;
                // Tabs are kept, so that the caret stands under what it means.
                let indent = source.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' });
                writeln!(f, "      | {}{}", indent.collect::<String>(), "^".repeat(*width))?;
            }
        }
        writeln!(f, "  allowed: {}", self.allowed)?;
        write!(f, "  remedy:  {}", self.remedy)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let text = "a = 1\n\tmüde = \"x\"\n";
        let start = text.find("\"x\"").unwrap();
        let problem = Problem {
            place: Some(Place::of(&(start..start + 3), text)),
            ..Problem::whole(Severity::Error, Path::new("f.toml"), "x", "y", "z")
        };
        assert_eq!(
            problem.to_string(),
            "error: x\n  --> f.toml:2:9\n    2 | \tmüde = \"x\"\n      | \t       ^^^\n  allowed: y\n  remedy:  z"
        );
    }

    #[test]
    fn a_place_at_the_end_of_the_text_is_still_a_place() {
        let place = Place::of(&(4..4), "a =\n");
        assert_eq!((place.line, place.column, place.width), (2, 1, 1));
    }
}
