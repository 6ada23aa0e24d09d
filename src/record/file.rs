//! Records as files: written beside and renamed, so that none is ever half written; read with kind refusals.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{FORMAT, FORMAT_VERSION, FormatVersion, Record};

/// A file that will hold a record once there is one.
#[derive(Debug)]
pub struct OutFile {
    path: PathBuf,
}

/// A file that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write {path:?}: {source}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl OutFile {
    /// Checks, before the run and while nothing is lost yet, that `path` can be written: a file is made in its
    /// directory and removed again.
    ///
    /// # Errors
    ///
    /// The directory is absent or can't be written, or `path` is a directory.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let file = Self { path: path.to_owned() };
        if path.is_dir() {
            return Err(file.fault(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
        }
        // Only the kind: the error itself names the temporary file, which nobody asked for.
        file.beside().map_err(|error| file.fault(io::Error::from(error.kind())))?;
        Ok(file)
    }

    /// Writes the whole record beside its place, then puts it there.
    ///
    /// # Errors
    ///
    /// The operating system's; the file at `path` is then as it was before.
    pub fn write(self, text: &str) -> Result<(), WriteError> {
        let written = self.beside().and_then(|mut beside| {
            beside.write_all(text.as_bytes())?;
            beside.as_file().sync_all()?;
            beside.persist(&self.path).map_err(|error| error.error)
        });
        written.map(drop).map_err(|error| self.fault(error))
    }

    fn fault(&self, source: io::Error) -> WriteError {
        WriteError { path: self.path.clone(), source }
    }

    /// Makes a temporary file beside the place, removed when dropped, with the permissions that new files have here.
    fn beside(&self) -> io::Result<tempfile::NamedTempFile> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hashwatt-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(parent.unwrap_or(Path::new(".")))
    }
}

/// A file that is no record that this program can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("can't read the record {path:?}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// No JSON of a record.
    #[error("{path:?} is no record of hashwatt: {reason}")]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A record of a later format.
    #[error("{path:?} has format version {version}, and this program reads up to {FORMAT_VERSION}")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: FormatVersion,
    },
}

/// Reads a record. Fields that a newer minor version added are passed over.
///
/// # Errors
///
/// The file can't be read, is no record, or is one of a later major version.
pub fn read(path: &Path) -> Result<Record, ReadError> {
    read_with_text(path).map(|(record, _)| record)
}

/// Reads a record as [`read`] does, and returns the text of its file, too: what a newer minor version added is still in
/// it.
///
/// # Errors
///
/// Those of [`read`].
pub fn read_with_text(path: &Path) -> Result<(Record, String), ReadError> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
        format_version: FormatVersion,
    }
    let text = fs::read_to_string(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    let not = |reason: String| ReadError::NotARecord { path: path.to_owned(), reason };
    let head: Head = serde_json::from_str(&text).map_err(|error| not(error.to_string()))?;
    if head.format != FORMAT {
        return Err(not(format!("its format is {:?}, not {FORMAT:?}", head.format)));
    }
    if head.format_version.major > FORMAT_VERSION.major {
        return Err(ReadError::TooNew { path: path.to_owned(), version: head.format_version });
    }
    let record = serde_json::from_str(&text).map_err(|error| not(error.to_string()))?;
    Ok((record, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        fs::write(&path, "before").unwrap();
        drop(OutFile::create(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        OutFile::create(&path).unwrap().write("after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn places_that_can_not_be_written_are_refused_before_the_run() {
        let directory = tempfile::tempdir().unwrap();
        assert!(OutFile::create(&directory.path().join("absent/record.json")).is_err());
        let error = OutFile::create(directory.path()).unwrap_err().to_string();
        assert!(error.ends_with("it is a directory"), "{error}");
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.json");
        let refusal = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        assert!(refusal("no json").contains("is no record of hashwatt"));
        assert!(
            refusal(r#"{"format":"other","format_version":{"major":1,"minor":0}}"#).contains("its format is \"other\"")
        );
        let newer = refusal(r#"{"format":"hashwatt-record","format_version":{"major":2,"minor":0}}"#);
        let both = format!("has format version 2.0, and this program reads up to {FORMAT_VERSION}");
        assert!(newer.contains(&both), "{newer}");
        assert!(
            refusal(r#"{"format":"hashwatt-record","format_version":{"major":1,"minor":9}}"#).contains("missing field")
        );
        assert!(matches!(read(&directory.path().join("absent")), Err(ReadError::Io { .. })));
    }
}
