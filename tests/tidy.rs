//! What the source promises about itself: where unsafe code may be, which way dependencies point, who prints, and how
//! long a file may grow.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that may hold unsafe code, each with a reason beside its `expect`.
const UNSAFE_CODE: [&str; 16] = [
    "cpu/floating_point.rs",
    "cpu/memory.rs",
    "gpu/adapter.rs",
    "gpu/ring.rs",
    "randomx/aes/aes_ni.rs",
    "randomx/argon2d.rs",
    "randomx/jit/code_memory.rs",
    "randomx/jit/jit_tests.rs",
    "randomx/jit/lanes_compiler.rs",
    "randomx/jit/mod.rs",
    "randomx/lanes.rs",
    "randomx/memory.rs",
    "randomx/softfloat_tests.rs",
    "sha256d/avx2.rs",
    "sha256d/avx512.rs",
    "sha256d/sha_ni.rs",
];

/// What the modules of a folder may not use.
const ARROWS: [(&str, &[&str]); 11] = [
    ("engine", &["sha256d", "randomx", "coin", "bench", "energy", "record", "registry", "study", "report", "cli"]),
    ("sha256d", &["randomx", "bench", "energy", "record", "registry", "study", "report", "cli"]),
    ("randomx", &["sha256d", "bench", "energy", "record", "registry", "study", "report", "cli"]),
    ("coin", &["sha256d", "randomx", "engine", "bench", "energy", "record", "registry", "study", "report", "cli"]),
    ("energy", &["sha256d", "randomx", "coin", "engine", "bench", "record", "registry", "study", "report", "cli"]),
    ("machine", &["sha256d", "randomx", "coin", "engine", "bench", "record", "registry", "study", "report", "cli"]),
    ("bench", &["sha256d", "randomx", "coin", "registry", "study", "report", "cli"]),
    (
        "statistics",
        &["sha256d", "randomx", "coin", "engine", "bench", "energy", "machine", "record", "registry", "study", "cli"],
    ),
    ("study", &["sha256d", "randomx", "engine", "bench", "energy", "registry", "report", "cli"]),
    // Units of report word its sentences.
    ("traffic", &["sha256d", "randomx", "engine", "bench", "energy", "machine", "registry", "cli"]),
    ("report", &["sha256d", "randomx", "engine", "bench", "energy", "registry", "traffic", "cli"]),
];

const LINES_MAX: usize = 450;
const COLUMNS_MAX: usize = 120;

/// A file of `src`.
struct Source {
    /// Below `src`, with `/`.
    name: String,
    text: String,
}

impl Source {
    /// Returns what isn't a test.
    fn code(&self) -> &str {
        let starts = ["\n#[cfg(test)]\nmod tests", "\n#[cfg(test)]\npub(super) mod tests", "\n#[cfg(all(test,"];
        let end = starts.iter().filter_map(|start| self.text.find(start)).min().unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// Returns the code without comments and white space.
    fn tokens(&self) -> String {
        let without_comment = |line: &str| line.split("//").next().unwrap_or("").to_owned();
        self.code().lines().map(without_comment).collect::<String>().split_whitespace().collect()
    }

    /// Returns the modules of this program that the code names.
    fn modules(&self) -> BTreeSet<String> {
        let tokens = self.tokens();
        let mut modules = BTreeSet::new();
        for rest in tokens.split("crate::").skip(1) {
            match rest.strip_prefix('{') {
                Some(list) => modules.extend(first_names(list)),
                None => drop(modules.insert(first_name(rest))),
            }
        }
        modules
    }
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// Returns the first name of each path in a list that ends with its closing brace: `bench,cli::{a,b}}` has two.
fn first_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (index, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                names.extend(Some(first_name(&list[start..index])).filter(|name| !name.is_empty()));
                start = index + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.push(Source { name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(sources.len() > 50, "{} files can't be all", sources.len());
    sources
}

#[test]
fn unsafe_code_is_allowed_in_exactly_the_modules_that_are_listed() {
    let allowing: Vec<String> =
        sources().into_iter().filter(|source| source.text.contains("unsafe_code")).map(|source| source.name).collect();
    assert_eq!(allowing, UNSAFE_CODE);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""), "elsewhere it is denied");
    for source in sources().iter().filter(|source| source.text.contains("unsafe_code")) {
        let bare = source.text.lines().find(|line| line.contains("unsafe_code") && !line.contains("reason = "));
        assert_eq!(bare, None, "{}: no reason is given", source.name);
    }
}

#[test]
fn dependencies_point_one_way() {
    let mut seen = 0;
    for source in sources() {
        let folder = source.name.split('/').next().unwrap();
        let Some((_, forbidden)) = ARROWS.iter().find(|(name, _)| *name == folder) else { continue };
        let used = source.modules();
        seen += used.len();
        let wrong: Vec<&String> = used.iter().filter(|module| forbidden.contains(&module.as_str())).collect();
        assert!(wrong.is_empty(), "{} uses {wrong:?}", source.name);
    }
    assert!(seen > 50, "the test sees dependencies at all");
}

#[test]
fn lists_of_modules_are_read_whole() {
    let text = "use crate::{\n    bench::{Plan, cli},\n    record, // crate::energy\n};\nfn f() { crate::coin::g() }\n";
    let source = Source { name: "x.rs".to_owned(), text: text.to_owned() };
    assert_eq!(source.modules().into_iter().collect::<Vec<_>>(), ["bench", "coin", "record"]);
}

#[test]
fn only_the_folder_gpu_knows_wgpu() {
    for source in sources().iter().filter(|source| !source.name.starts_with("gpu/")) {
        assert!(!source.tokens().contains("wgpu::"), "{} uses wgpu", source.name);
    }
}

#[test]
fn nothing_prints_past_the_streams_of_the_command_line() {
    for source in sources() {
        // A test that happens to be a file of its own: its figures are what it is for.
        if source.name == "statistics/calibration.rs" {
            continue;
        }
        for name in ["print!(", "println!(", "dbg!("] {
            // This finds eprint!( and eprintln!( as well.
            assert!(!source.tokens().contains(name), "{} uses {name}", source.name);
        }
        let is_cli = source.name.starts_with("cli/");
        for stream in ["stdout()", "stderr()"] {
            assert!(is_cli || !source.tokens().contains(stream), "{} uses {stream}", source.name);
        }
    }
}

#[test]
fn files_stay_short_and_lines_narrow_and_each_says_what_it_is() {
    for source in sources() {
        let lines = source.code().lines().count();
        assert!(lines < LINES_MAX, "{} has {lines} lines without its tests", source.name);
        for (number, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            assert!(columns <= COLUMNS_MAX, "{}:{} has {columns} columns", source.name, number + 1);
        }
        assert!(source.text.starts_with("//! "), "{} has no documentation of its module at the top", source.name);
    }
}

#[test]
fn no_network_can_be_reached_because_nothing_knows_how() {
    for source in sources() {
        for name in ["std::net", "TcpStream", "UdpSocket", "ToSocketAddrs"] {
            assert!(!source.tokens().contains(name), "{} uses {name}", source.name);
        }
    }
}
