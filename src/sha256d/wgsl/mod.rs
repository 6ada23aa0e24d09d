//! The kernels of SHA-256d for graphics adapters, expanded from the shaders.
//!
//! `shaders/sha256d.wgsl` says what is computed, as the standard does. It is read as a graph of words (`read`), so
//! whatever the last word doesn't need is gone: the second hash ends at round 60. Then the graph is split (`graph`)
//! into what the host can compute once per job or once per midstate, what the adapter computes once per nonce, and the
//! rest; sums are put together anew, so that the host takes as much of them as it can. What is left becomes straight
//! lines in the place of the marks of `shaders/sha256d_plain.wgsl` and `shaders/sha256d_rolled.wgsl` (`write`): an
//! index known only at run time would put arrays into each invocation's memory, and naga neither unrolls loops nor
//! inlines.
//!
//! For each nonce the plain kernel takes 1,804 logic operations, rotations and shifts, and 1,042 additions; the rolled
//! one 304 and 156, and 1,500 and 886 for each midstate. With rotations of three operations and logic of two inputs
//! these are 5,875, and 849 and 5,026, additions and the nonce's reversal of bytes included.
//!
//! Variants on lavapipe (Mesa 22.3; one run each on two cores with other load; MH/s per second of processor time):
//! plain 17.9 as by default, 18.4 and 17.3 with the other rotations, 18.3 and 19.3 with the other forms of Maj, 17.3,
//! 18.5 and 19.5 with workgroups of 32, 128 and 256; rolled 19.4; 19.7, 19.5; 19.9, 19.8; 20.1, 20.5, 20.3.
//! Differences that small say nothing. Additions as products do lose: 14.2 and 14.7.

mod graph;
mod read;
#[cfg(test)]
mod tests;
mod variant;
mod write;

use crate::gpu::naga;

use self::graph::{Graph, Id, Input};
use self::read::Value;
pub use self::variant::{Addition, Majority, ParseVariantError, Rotation, Schedule, Variant};
pub use self::write::Operations;
use crate::engine::VERSIONS_PER_SPAN;

/// What is computed.
const SOURCE: &str = include_str!("../../../shaders/sha256d.wgsl");
const PLAIN: &str = include_str!("../../../shaders/sha256d_plain.wgsl");
const ROLLED: &str = include_str!("../../../shaders/sha256d_rolled.wgsl");

/// The most midstates that a submission takes, as in the shader. With 64 of them a hash would take 0.3 % less, because
/// more share a schedule.
pub const STATES_MAX: u32 = 32;
const _: () = assert!(STATES_MAX as u64 == VERSIONS_PER_SPAN, "a span fits");
/// At most 65,535 workgroups may stand in a row; longer rows are of this many.
const ROW_WORKGROUPS: u64 = 1 << 15;
/// The words of the parameters before those of the expansion.
const HEAD_WORDS: usize = 8;

/// What a kernel goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The nonces of one midstate.
    Plain,
    /// The nonces of several midstates whose headers differ only in their version.
    Rolled,
}

/// A kernel: its text, and what the host has to compute for it.
#[derive(Debug)]
pub struct Kernel {
    source: String,
    operations: [Operations; 2],
    /// How to compute the words that serve all midstates, and those of each.
    host: Graph,
    job_words: Vec<Id>,
    state_words: Vec<Id>,
    form: Form,
    variant: Variant,
    kept_words: usize,
}

impl Kernel {
    /// Expands the shaders.
    ///
    /// # Panics
    ///
    /// They can't be read: they are part of the program.
    #[must_use]
    pub fn new(form: Form, variant: Variant) -> Self {
        let (graph, root) = last_word(form);
        let expansion = write::write(&graph, root, variant);
        let (host, words) = graph.part(&[&expansion.job_words[..], &expansion.state_words].concat());
        let (job_words, state_words) = words.split_at(expansion.job_words.len());
        let (job_vectors, state_vectors) = (job_words.len().div_ceil(4), state_words.len().div_ceil(4));
        let mut constants =
            format!("const WORKGROUP_SIZE = {}u;\nconst JOB_VECTORS = {job_vectors}u;\n", variant.workgroup_size);
        if form == Form::Rolled {
            constants += &format!("const STATE_VECTORS = {state_vectors}u;\n");
            constants += &format!("const STATES_PER_INVOCATION = {}u;\n", variant.states);
        }
        if expansion.kept_words > 0 {
            let words = expansion.kept_words * variant.workgroup_size as usize;
            constants += &format!("var<workgroup> schedule: array<u32, {words}u>;\n");
        }
        let job = (0..job_vectors).map(|index| format!("let j{index} = job.words[{index}];"));
        let state = (0..state_vectors).map(|index| format!("let s{index} = job.state_words[state][{index}];"));
        let of_nonce: Vec<String> = job.chain(expansion.of_nonce).collect();
        let of_state: Vec<String> = state.chain(expansion.of_state).collect();
        let template = match form {
            Form::Plain => PLAIN,
            Form::Rolled => ROLLED,
        };
        let source = fill(template, |mark| match mark {
            "constants" => constants.lines().map(ToOwned::to_owned).collect(),
            "functions" => write::functions(variant).lines().map(ToOwned::to_owned).collect(),
            "of the nonce" => of_nonce.clone(),
            "of the state" => of_state.clone(),
            other => unreachable!("no mark is called {other}"),
        });
        Self {
            source,
            operations: expansion.operations,
            host,
            job_words: job_words.to_vec(),
            state_words: state_words.to_vec(),
            form,
            variant,
            kept_words: expansion.kept_words,
        }
    }

    /// Returns the text for the adapter's driver.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns what the kernel goes through.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Returns how it is spelt.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Returns the workgroups that together scan so many nonces with so many midstates: rows of nonces, and the
    /// midstates in depth.
    #[must_use]
    pub fn workgroups(&self, nonces: u64, states: usize) -> [u32; 3] {
        let workgroups = nonces.div_ceil(u64::from(self.variant.workgroup_size));
        let rows = workgroups.div_ceil(ROW_WORKGROUPS);
        let columns = if rows > 1 { ROW_WORKGROUPS } else { workgroups };
        let depth = states.div_ceil(self.variant.states as usize);
        [columns, rows, depth as u64].map(|count| u32::try_from(count).expect("nonces are 2^32 at most, states 32"))
    }

    /// Returns how many bytes of the workgroup's memory it takes.
    #[must_use]
    pub fn workgroup_bytes(&self) -> usize {
        4 * self.kept_words * self.variant.workgroup_size as usize
    }

    /// Returns the operations for each nonce and, if the kernel goes through several midstates, for each of those. The
    /// comparison at the end is not counted.
    #[must_use]
    pub fn operations(&self) -> [Operations; 2] {
        self.operations
    }

    /// Returns how many words the parameters are.
    #[must_use]
    pub fn parameters_words(&self) -> usize {
        let states = if self.form == Form::Rolled { STATES_MAX as usize } else { 0 };
        HEAD_WORDS + 4 * self.job_words.len().div_ceil(4) + states * 4 * self.state_words.len().div_ceil(4)
    }

    /// Computes the parameters of a submission. `tail` is the words of the second block before the nonce, `mask` the
    /// bits of the last word that are zero in a hit.
    ///
    /// # Panics
    ///
    /// There are more states than the kernel takes, or none.
    #[must_use]
    pub fn parameters(&self, nonces: (u32, u32), mask: u32, states: &[[u32; 8]], tail: [u32; 3]) -> Vec<u32> {
        let states_max = if self.form == Form::Rolled { STATES_MAX as usize } else { 1 };
        assert!(!states.is_empty() && states.len() <= states_max, "the caller splits what doesn't fit");
        let evaluate = |words: &[Id], state: &[u32; 8]| {
            self.host.evaluate(words, |input| match input {
                Input::Midstate(index) => state[index],
                Input::Tail(index) => tail[index],
                Input::Nonce => unreachable!("the host knows no nonce"),
            })
        };
        #[expect(clippy::cast_possible_truncation, reason = "there are few states")]
        let mut parameters = vec![nonces.0, nonces.1, mask, states.len() as u32, 1, 0, 0, 0];
        let mut append = |words: Vec<u32>| {
            parameters.extend(words);
            parameters.resize(parameters.len().next_multiple_of(4), 0);
        };
        append(evaluate(&self.job_words, &states[0]));
        if self.form == Form::Rolled {
            for state in states {
                append(evaluate(&self.state_words, state));
            }
        }
        parameters.resize(self.parameters_words(), 0);
        parameters
    }
}

/// Returns a short text that changes with the shaders, so that what was found out about one kernel isn't taken for true
/// of another.
pub(super) fn fingerprint() -> String {
    use sha2::Digest;
    let digest = [SOURCE, PLAIN, ROLLED, env!("CARGO_PKG_VERSION")]
        .iter()
        .fold(sha2::Sha256::new(), |hash, text| hash.chain_update(text.as_bytes()))
        .finalize();
    const_hex::encode(&digest[..8])
}

/// Reads the computation, and folds it.
fn last_word(form: Form) -> (Graph, Id) {
    let module = naga::front::wgsl::parse_str(SOURCE).expect("the shader is correct: a test reads it");
    let mut graph = Graph::new(form == Form::Rolled);
    let midstate = Value::Array((0..8).map(|index| graph.input(Input::Midstate(index))).collect());
    let tail = Value::Array((0..3).map(|index| graph.input(Input::Tail(index))).collect());
    let nonce = Value::Word(graph.input(Input::Nonce));
    let root = read::read(&module, "last_word", vec![midstate, tail, nonce], &mut graph);
    graph.folded(root)
}

/// Puts lines in the place of each mark, as far from the margin.
fn fill(template: &str, lines_of: impl Fn(&str) -> Vec<String>) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let code = line.trim_start();
        let margin = &line[..line.len() - code.len()];
        match code.strip_prefix("//@ ") {
            None => text = text + line + "\n",
            Some(mark) => {
                for line in lines_of(mark) {
                    text += if line.is_empty() { "" } else { margin };
                    text = text + &line + "\n";
                }
            }
        }
    }
    text
}
