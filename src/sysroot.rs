//! Where `/sys` and `/proc` are read: below the root of the file system, or below a directory that stands for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The directory below which `sys/` and `proc/` lie.
///
/// A file that is missing below it counts as absent, as it would on a machine without that hardware; nothing falls back
/// to the real root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysroot {
    root: PathBuf,
}

/// A directory given as `--sysroot` that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read the directory {path:?} given as --sysroot: {source}")]
pub struct SysrootError {
    /// The directory as it was given.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl Default for Sysroot {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Sysroot {
    /// Opens `root` in the place of `/`.
    ///
    /// # Errors
    ///
    /// `root` is no directory, or can't be read.
    pub fn new(root: impl Into<PathBuf>) -> Result<Self, SysrootError> {
        let root = root.into();
        match fs::read_dir(&root) {
            Ok(_) => Ok(Self { root }),
            Err(source) => Err(SysrootError { path: root, source }),
        }
    }

    /// Tells whether this is the real root of the machine.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Returns where `path` (relative, such as `proc/meminfo`) lies.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Reads a whole small file, without the white space around it.
    ///
    /// # Errors
    ///
    /// The operating system's: absent, permission denied, a device that went away.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        Ok(fs::read_to_string(self.path(path))?.trim().to_owned())
    }

    /// Lists the names in a directory, sorted; an absent one is empty.
    #[must_use]
    pub fn list(&self, path: impl AsRef<Path>) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(path))
            .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}
