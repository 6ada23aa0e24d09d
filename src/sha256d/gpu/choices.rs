//! Which variant was the fastest on which adapter, kept in the user's cache directory.
//!
//! A file that is absent, broken or of another program's version is no error: then the variants are tried again.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use super::tune::Tuned;
use crate::gpu::Adapter;
use crate::sha256d::wgsl::{Form, Variant, fingerprint};

/// The name of the file below the user's cache directory.
const FILE: &str = "hashwatt/gpu-variants.json";

/// What was found before, in this process or an earlier one.
#[derive(Debug, Default)]
pub struct Choices {
    /// Where they are kept; nowhere where nothing shall be.
    path: Option<PathBuf>,
    /// What this process found: known to it even where the file can't be written.
    found: Mutex<Vec<Entry>>,
}

/// The fastest variant of one kernel on one adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    adapter: String,
    backend: String,
    driver: String,
    /// Changes with the shaders.
    kernel: String,
    form: String,
    variant: String,
    rate_hps: f64,
    tried: usize,
}

impl Entry {
    fn is_of(&self, other: &Self) -> bool {
        let key = |entry: &Self| {
            let Self { adapter, backend, driver, kernel, form, .. } = entry.clone();
            [adapter, backend, driver, kernel, form]
        };
        key(self) == key(other)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    choices: Vec<Entry>,
}

impl Choices {
    /// Takes what is kept in the user's cache directory. It is read when it is asked for.
    #[must_use]
    pub fn of_user() -> Self {
        match etcetera::base_strategy::choose_native_strategy() {
            Ok(directories) => Self::at(&directories.cache_dir().join(FILE)),
            Err(_) => Self::default(),
        }
    }

    /// Takes what is kept in a file, which need not exist.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: Some(path.to_owned()), ..Self::default() }
    }

    /// Returns where choices are kept.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the variant that was found for this adapter with this driver.
    pub(super) fn find(&self, adapter: &Adapter, form: Form) -> Option<Variant> {
        let wanted = entry(adapter, form);
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.extend(self.path.iter().flat_map(|path| read(path)));
        known.iter().find(|entry| entry.is_of(&wanted))?.variant.parse().ok()
    }

    /// Keeps what was found, in the place of what was before.
    ///
    /// # Errors
    ///
    /// The file can't be written; this process knows the choice nevertheless.
    pub(super) fn keep(&self, adapter: &Adapter, form: Form, tuned: &Tuned) -> io::Result<()> {
        let found = Entry {
            variant: tuned.best.variant.to_string(),
            rate_hps: tuned.best.rate_hps.clone().unwrap_or_default(),
            tried: tuned.trials.len(),
            ..entry(adapter, form)
        };
        replace(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner), found.clone());
        let Some(path) = &self.path else { return Ok(()) };
        // Another process may have written meanwhile.
        let mut choices = read(path);
        replace(&mut choices, found);
        write(path, &Document { choices })
    }
}

fn replace(entries: &mut Vec<Entry>, new: Entry) {
    entries.retain(|entry| !entry.is_of(&new));
    entries.push(new);
}

fn entry(adapter: &Adapter, form: Form) -> Entry {
    let (driver, version) = adapter.driver();
    Entry {
        adapter: adapter.name(),
        backend: adapter.backend(),
        driver: format!("{driver} {version}"),
        kernel: fingerprint(),
        form: format!("{form:?}").to_lowercase(),
        variant: String::new(),
        rate_hps: 0.0,
        tried: 0,
    }
}

fn read(path: &Path) -> Vec<Entry> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    match serde_json::from_str::<Document>(&text) {
        Ok(document) => document.choices,
        Err(error) => {
            log::warn!("{} is not what hashwatt writes ({error}); variants are tried again", path.display());
            Vec::new()
        }
    }
}

/// Writes beside and renames, so that no reader sees half a file.
fn write(path: &Path, document: &Document) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(serde_json::to_string_pretty(document).map_err(io::Error::from)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(adapter: &str, driver: &str, variant: &str) -> Entry {
        let [adapter, driver, variant] = [adapter, driver, variant].map(ToOwned::to_owned);
        let (backend, kernel, form) = ("vulkan".to_owned(), "abc".to_owned(), "plain".to_owned());
        Entry { adapter, backend, driver, kernel, form, variant, rate_hps: 1.5e9, tried: 9 }
    }

    #[test]
    fn what_is_written_is_read_and_a_newer_choice_takes_the_place_of_an_older() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/below/choices.json");
        assert!(read(&path).is_empty(), "an absent file is no error");
        let mut choices = vec![entry("a", "1", "rotation=or"), entry("b", "1", "rotation=or")];
        replace(&mut choices, entry("a", "1", "rotation=sum"));
        replace(&mut choices, entry("a", "2", "rotation=given"));
        write(&path, &Document { choices: choices.clone() }).unwrap();
        assert_eq!(read(&path), choices);
        let variants: Vec<&str> = choices.iter().map(|entry| entry.variant.as_str()).collect();
        assert_eq!(variants, ["rotation=or", "rotation=sum", "rotation=given"]);
    }

    #[test]
    fn a_broken_file_is_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("choices.json");
        for text in ["", "{", "[]", r#"{"choices":[{"adapter":7}]}"#] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path).is_empty(), "{text}");
        }
    }
}
