//! Writes a graph as the straight line of a shader, and counts its operations.

use serde::Serialize;

use super::graph::{Graph, Id, Node, Primitive};
use super::{Addition, Majority, Rotation, Schedule, Variant};

/// How many operations a piece of a shader takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Operations {
    /// Logic operations of up to three inputs, any function of them one: `LOP3` of NVIDIA, `v_bfi` and `v_xor3` of AMD.
    pub logic: u32,
    /// The same, of two inputs and with a complement for nothing.
    pub logic_of_two: u32,
    /// Rotations: a funnel shift each, or two shifts and an or.
    pub rotations: u32,
    /// Shifts that are no part of a rotation.
    pub shifts: u32,
    /// Additions of two words.
    pub additions: u32,
    /// Additions of up to three words.
    pub additions_of_three: u32,
    /// Reversals of bytes.
    pub byte_swaps: u32,
}

impl Operations {
    /// Returns what an adapter with funnel shifts and logic of three inputs does, additions left out.
    #[must_use]
    pub fn logic_and_shifts(self) -> u32 {
        self.logic + self.rotations + self.shifts
    }

    /// Returns the total where a rotation takes three operations, logic and additions have two inputs, and a reversal
    /// of bytes takes nine.
    #[must_use]
    pub fn of_two_inputs(self) -> u32 {
        self.logic_of_two + 3 * self.rotations + self.shifts + self.additions + 9 * self.byte_swaps
    }

    fn call(&mut self, primitive: Primitive) {
        let (logic, logic_of_two, rotations, shifts, byte_swaps) = match primitive {
            Primitive::Ch => (1, 3, 0, 0, 0),
            Primitive::Maj => (1, 4, 0, 0, 0),
            Primitive::BigSigma0 | Primitive::BigSigma1 => (1, 2, 3, 0, 0),
            Primitive::SmallSigma0 | Primitive::SmallSigma1 => (1, 2, 2, 1, 0),
            Primitive::SwapBytes => (0, 0, 0, 0, 1),
        };
        self.logic += logic;
        self.logic_of_two += logic_of_two;
        self.rotations += rotations;
        self.shifts += shifts;
        self.byte_swaps += byte_swaps;
    }

    fn sum(&mut self, terms: usize) {
        let additions = u32::try_from(terms - 1).expect("a sum has few terms");
        self.additions += additions;
        self.additions_of_three += additions.div_ceil(2);
    }
}

/// The lines of a shader that compute a word, and what they are given.
#[derive(Debug)]
pub(super) struct Expansion {
    /// Lines that need the nonce, but no midstate that is one of several.
    pub(super) of_nonce: Vec<String>,
    /// Lines for each of several midstates; the last line of all is `last_word`.
    pub(super) of_state: Vec<String>,
    /// What the lines of each kind cost.
    pub(super) operations: [Operations; 2],
    /// The host's words that serve all midstates.
    pub(super) job_words: Vec<Id>,
    /// The host's words of each of several midstates.
    pub(super) state_words: Vec<Id>,
    /// How many words an invocation keeps in the workgroup's memory.
    pub(super) kept_words: usize,
}

/// Writes what `root` needs.
pub(super) fn write(graph: &Graph, root: Id, variant: Variant) -> Expansion {
    let mut writer = Writer {
        graph,
        variant,
        uses: graph.uses(root),
        names: Vec::new(),
        expansion: Expansion {
            of_nonce: Vec::new(),
            of_state: Vec::new(),
            operations: [Operations::default(); 2],
            job_words: Vec::new(),
            state_words: Vec::new(),
            kept_words: 0,
        },
        kept: Vec::new(),
    };
    writer.write(root);
    writer.expansion.kept_words = writer.kept.len();
    writer.expansion
}

struct Writer<'a> {
    graph: &'a Graph,
    variant: Variant,
    uses: Vec<usize>,
    /// What words are called that the lines so far have computed.
    names: Vec<String>,
    expansion: Expansion,
    /// The words in the workgroup's memory, by their place there.
    kept: Vec<Id>,
}

impl Writer<'_> {
    fn write(&mut self, root: Id) {
        let needed = self.graph.needed(&[root]);
        self.names = vec![String::new(); needed.len()];
        let summands = self.summands(&needed);
        let mut count = 0;
        for id in (0..needed.len()).filter(|&id| needed[id] && self.graph.level(id).of_nonce) {
            let text = match self.graph.node(id) {
                Node::Call(primitive, operands) => {
                    self.operations(id).call(*primitive);
                    let operands: Vec<String> = operands.iter().map(|&operand| self.operand(operand, id)).collect();
                    format!("{}({})", primitive.name(), operands.join(", "))
                }
                Node::Sum(terms) => {
                    self.operations(id).sum(terms.len());
                    let terms: Vec<String> = terms.iter().map(|&term| self.operand(term, id)).collect();
                    self.sum(&terms)
                }
                Node::Input(_) | Node::Constant(_) => {
                    "nonce".clone_into(&mut self.names[id]);
                    continue;
                }
            };
            // What is used only once, in a sum, stands there.
            if summands[id] {
                self.names[id] = text;
                continue;
            }
            let name = if id == root { "last_word".to_owned() } else { format!("x{count}") };
            count += 1;
            let lines =
                if self.graph.level(id).of_state { &mut self.expansion.of_state } else { &mut self.expansion.of_nonce };
            lines.push(format!("let {name} = {text};"));
            self.names[id] = name;
        }
    }

    /// Tells which words are functions used once, in a sum of the same kind of lines.
    fn summands(&self, needed: &[bool]) -> Vec<bool> {
        let mut summands = vec![false; needed.len()];
        for id in (0..needed.len()).filter(|&id| needed[id]) {
            let Node::Sum(terms) = self.graph.node(id) else { continue };
            for &term in terms {
                let is_call = matches!(self.graph.node(term), Node::Call(..));
                summands[term] = is_call && self.uses[term] == 1 && self.graph.level(term) == self.graph.level(id);
            }
        }
        summands
    }

    fn operations(&mut self, id: Id) -> &mut Operations {
        &mut self.expansion.operations[usize::from(self.graph.level(id).of_state)]
    }

    fn sum(&self, terms: &[String]) -> String {
        match self.variant.addition {
            Addition::Plain => terms.join(" + "),
            Addition::Multiplied => {
                let join = |sum: String, term: &String| {
                    if sum.is_empty() { term.clone() } else { format!("({term} + {sum} * job.one)") }
                };
                terms.iter().fold(String::new(), join)
            }
        }
    }

    /// Returns what the line for `reader` writes for a word that an earlier one, or the host, has computed.
    fn operand(&mut self, id: Id, reader: Id) -> String {
        if let Some(word) = self.graph.as_constant(id) {
            return format!("0x{word:08x}u");
        }
        let level = self.graph.level(id);
        if level.of_nonce {
            let is_kept = self.variant.schedule == Schedule::Shared && !level.of_state;
            return if is_kept && self.graph.level(reader).of_state { self.kept(id) } else { self.names[id].clone() };
        }
        let (words, vectors) =
            if level.of_state { (&mut self.expansion.state_words, "s") } else { (&mut self.expansion.job_words, "j") };
        let index = words.iter().position(|&word| word == id).unwrap_or_else(|| {
            words.push(id);
            words.len() - 1
        });
        format!("{vectors}{}.{}", index / 4, ["x", "y", "z", "w"][index % 4])
    }
}

impl Writer<'_> {
    /// Returns the place in the workgroup's memory of a word that serves all midstates, and has it put there.
    fn kept(&mut self, id: Id) -> String {
        let place = self.kept.iter().position(|&kept| kept == id);
        let is_new = place.is_none();
        let place = place.unwrap_or(self.kept.len());
        let text = format!("schedule[{}u + lane]", place * self.variant.workgroup_size as usize);
        if is_new {
            self.kept.push(id);
            self.expansion.of_nonce.push(format!("{text} = {};", self.names[id]));
        }
        text
    }
}

/// Writes the functions that the lines call.
pub(super) fn functions(variant: Variant) -> String {
    let rotations = |counts: [u32; 3]| counts.map(|count| rotation(count, variant.rotation)).join(" ^ ");
    let shifted = |[first, second]: [u32; 2], shift: u32| {
        let [first, second] = [first, second].map(|count| rotation(count, variant.rotation));
        format!("{first} ^ {second} ^ (x >> {shift}u)")
    };
    let maj = match variant.majority {
        Majority::Or => "(x & y) | (z & (x | y))",
        Majority::Shared => "y ^ ((x ^ y) & (y ^ z))",
        Majority::Select => "(z & (x ^ y)) | (y & ~(x ^ y))",
    };
    let functions = [
        (Primitive::Ch, "x: u32, y: u32, z: u32", "z ^ (x & (y ^ z))".to_owned()),
        (Primitive::Maj, "x: u32, y: u32, z: u32", maj.to_owned()),
        (Primitive::BigSigma0, "x: u32", rotations([2, 13, 22])),
        (Primitive::BigSigma1, "x: u32", rotations([6, 11, 25])),
        (Primitive::SmallSigma0, "x: u32", shifted([7, 18], 3)),
        (Primitive::SmallSigma1, "x: u32", shifted([17, 19], 10)),
        (
            Primitive::SwapBytes,
            "x: u32",
            "(x << 24u) | ((x & 0xff00u) << 8u) | ((x >> 8u) & 0xff00u) | (x >> 24u)".to_owned(),
        ),
    ];
    let write = |(primitive, parameters, body): (Primitive, &str, String)| {
        format!("fn {}({parameters}) -> u32 {{\n    return {body};\n}}\n", primitive.name())
    };
    functions.map(write).join("\n")
}

fn rotation(count: u32, rotation: Rotation) -> String {
    let rest = 32 - count;
    match rotation {
        Rotation::Or => format!("((x >> {count}u) | (x << {rest}u))"),
        Rotation::Sum => format!("((x >> {count}u) + (x << {rest}u))"),
        Rotation::Given => format!("((x >> (job.zero + {count}u)) | (x << (32u - (job.zero + {count}u))))"),
    }
}
