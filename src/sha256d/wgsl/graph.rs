//! What a shader computes, as a graph of 32-bit words: which of it the host knows, and what it costs.

use std::collections::HashMap;

use crate::sha256d::scalar;

/// The place of a node in its graph. Operands stand before what is computed of them.
pub(super) type Id = usize;

/// What a shader is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// A word of the midstate.
    Midstate(usize),
    /// A word of the header's second block before the nonce.
    Tail(usize),
    /// The nonce.
    Nonce,
}

/// The functions of FIPS 180-4, section 4.1.2, and the exchange of bytes that brings a nonce into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Primitive {
    /// Ch.
    Ch,
    /// Maj.
    Maj,
    /// Σ0.
    BigSigma0,
    /// Σ1.
    BigSigma1,
    /// σ0.
    SmallSigma0,
    /// σ1.
    SmallSigma1,
    /// The four bytes in reverse.
    SwapBytes,
}

impl Primitive {
    /// All of them.
    pub(super) const ALL: [Self; 7] =
        [Self::Ch, Self::Maj, Self::BigSigma0, Self::BigSigma1, Self::SmallSigma0, Self::SmallSigma1, Self::SwapBytes];

    /// Returns the name of the function in the shaders.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ch => "ch",
            Self::Maj => "maj",
            Self::BigSigma0 => "big_sigma0",
            Self::BigSigma1 => "big_sigma1",
            Self::SmallSigma0 => "small_sigma0",
            Self::SmallSigma1 => "small_sigma1",
            Self::SwapBytes => "swap_bytes",
        }
    }

    /// Computes it of words.
    fn apply(self, words: &[u32]) -> u32 {
        match (self, words) {
            (Self::Ch, &[x, y, z]) => scalar::ch(x, y, z),
            (Self::Maj, &[x, y, z]) => scalar::maj(x, y, z),
            (Self::BigSigma0, &[x]) => scalar::big_sigma0(x),
            (Self::BigSigma1, &[x]) => scalar::big_sigma1(x),
            (Self::SmallSigma0, &[x]) => scalar::small_sigma0(x),
            (Self::SmallSigma1, &[x]) => scalar::small_sigma1(x),
            (Self::SwapBytes, &[x]) => x.swap_bytes(),
            _ => unreachable!("{self:?} of {} words", words.len()),
        }
    }
}

/// How one word comes about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// It is the same in every hash.
    Constant(u32),
    /// It is given.
    Input(Input),
    /// It is a function of others.
    Call(Primitive, Vec<Id>),
    /// It is the sum of others.
    Sum(Vec<Id>),
}

impl Node {
    /// Returns the words that it is computed of.
    pub(super) fn operands(&self) -> &[Id] {
        match self {
            Self::Constant(_) | Self::Input(_) => &[],
            Self::Call(_, operands) | Self::Sum(operands) => operands,
        }
    }
}

/// When a word can be computed at the earliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Level {
    /// It depends on which of several midstates it is.
    pub(super) of_state: bool,
    /// It depends on the nonce, so no host can know it.
    pub(super) of_nonce: bool,
}

/// The words of one computation, each once.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    levels: Vec<Level>,
    known: HashMap<Node, Id>,
    has_states: bool,
}

impl Graph {
    /// Makes an empty graph. With `has_states` a midstate is one of several, which take turns with the same nonce.
    pub(super) fn new(has_states: bool) -> Self {
        Self { nodes: Vec::new(), levels: Vec::new(), known: HashMap::new(), has_states }
    }

    /// Returns how a word comes about.
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// Returns when a word can be computed.
    pub(super) fn level(&self, id: Id) -> Level {
        self.levels[id]
    }

    /// Returns the word's value where it is a constant.
    pub(super) fn as_constant(&self, id: Id) -> Option<u32> {
        match self.nodes[id] {
            Node::Constant(word) => Some(word),
            _ => None,
        }
    }

    /// Adds a constant.
    pub(super) fn constant(&mut self, word: u32) -> Id {
        self.insert(Node::Constant(word))
    }

    /// Adds an input.
    pub(super) fn input(&mut self, input: Input) -> Id {
        self.insert(Node::Input(input))
    }

    /// Adds a function of words.
    pub(super) fn call(&mut self, primitive: Primitive, operands: Vec<Id>) -> Id {
        let words: Option<Vec<u32>> = operands.iter().map(|&id| self.as_constant(id)).collect();
        match words {
            Some(words) => self.constant(primitive.apply(&words)),
            None => self.insert(Node::Call(primitive, operands)),
        }
    }

    /// Adds a sum of words, its constants as one, and that one left out where it is zero.
    pub(super) fn sum(&mut self, terms: &[Id]) -> Id {
        let constant = terms.iter().filter_map(|&id| self.as_constant(id)).fold(0, u32::wrapping_add);
        let mut others: Vec<Id> = terms.iter().copied().filter(|&id| self.as_constant(id).is_none()).collect();
        match others[..] {
            [] => return self.constant(constant),
            [only] if constant == 0 => return only,
            _ => {}
        }
        if constant != 0 {
            others.insert(0, self.constant(constant));
        }
        self.insert(Node::Sum(others))
    }

    fn insert(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let level = match &node {
            Node::Input(Input::Nonce) => Level { of_state: false, of_nonce: true },
            Node::Input(Input::Midstate(_)) => Level { of_state: self.has_states, of_nonce: false },
            node => node.operands().iter().fold(Level { of_state: false, of_nonce: false }, |level, &id| Level {
                of_state: level.of_state || self.levels[id].of_state,
                of_nonce: level.of_nonce || self.levels[id].of_nonce,
            }),
        };
        self.nodes.push(node.clone());
        self.levels.push(level);
        self.known.insert(node, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Tells of each word whether `roots` need it.
    pub(super) fn needed(&self, roots: &[Id]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for &root in roots {
            needed[root] = true;
        }
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                for &operand in self.nodes[id].operands() {
                    needed[operand] = true;
                }
            }
        }
        needed
    }

    /// Counts how often the words that `root` needs are used.
    pub(super) fn uses(&self, root: Id) -> Vec<usize> {
        let needed = self.needed(&[root]);
        let mut uses = vec![0; self.nodes.len()];
        uses[root] = 1;
        for (node, _) in self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
            for &operand in node.operands() {
                uses[operand] += 1;
            }
        }
        uses
    }

    /// Computes the words `wanted`, which have to be known for these inputs.
    pub(super) fn evaluate(&self, wanted: &[Id], input: impl Fn(Input) -> u32) -> Vec<u32> {
        let needed = self.needed(wanted);
        let mut words = vec![0_u32; self.nodes.len()];
        for id in 0..self.nodes.len() {
            if needed[id] {
                words[id] = match &self.nodes[id] {
                    Node::Constant(word) => *word,
                    Node::Input(given) => input(*given),
                    Node::Call(primitive, operands) => {
                        primitive.apply(&operands.iter().map(|&operand| words[operand]).collect::<Vec<_>>())
                    }
                    Node::Sum(terms) => terms.iter().fold(0, |sum, &term| sum.wrapping_add(words[term])),
                };
            }
        }
        wanted.iter().map(|&id| words[id]).collect()
    }

    /// Returns the part of the graph that `wanted` needs, and what became of them.
    pub(super) fn part(&self, wanted: &[Id]) -> (Self, Vec<Id>) {
        let needed = self.needed(wanted);
        let mut part = Self::new(self.has_states);
        let mut moved: Vec<Id> = Vec::with_capacity(self.nodes.len());
        for (node, needed) in self.nodes.iter().zip(needed) {
            let of_moved = |operands: &[Id]| operands.iter().map(|&operand| moved[operand]).collect();
            moved.push(match node {
                _ if !needed => Id::MAX,
                Node::Call(primitive, operands) => part.insert(Node::Call(*primitive, of_moved(operands))),
                Node::Sum(terms) => part.insert(Node::Sum(of_moved(terms))),
                given => part.insert(given.clone()),
            });
        }
        (part, wanted.iter().map(|&id| moved[id]).collect())
    }

    /// Returns the same computation with its sums taken apart and put together anew, so that the host does as much as
    /// it can; and what became of `root`.
    pub(super) fn folded(&self, root: Id) -> (Self, Id) {
        let terms = self.joined_terms(root);
        let needed = self.needed(&[root]);
        let mut folded = Self::new(self.has_states);
        let mut moved: Vec<Id> = Vec::with_capacity(self.nodes.len());
        for id in 0..self.nodes.len() {
            let new = match &self.nodes[id] {
                _ if !needed[id] => Id::MAX,
                Node::Constant(word) => folded.constant(*word),
                Node::Input(input) => folded.input(*input),
                Node::Call(primitive, operands) => {
                    let operands = operands.iter().map(|&operand| moved[operand]).collect();
                    folded.call(*primitive, operands)
                }
                Node::Sum(_) => {
                    let terms: Vec<Id> = terms[id].iter().map(|&term| moved[term]).collect();
                    folded.sum_by_level(terms)
                }
            };
            moved.push(new);
        }
        (folded, moved[root])
    }

    /// Returns the terms of each sum, where a sum that is used only there is part of them. So is a sum of what the host
    /// knows and one other term, if nothing else but the host's words is added to it: that costs nothing.
    fn joined_terms(&self, root: Id) -> Vec<Vec<Id>> {
        let uses = self.uses(root);
        let is_known = |id: &Id| !self.levels[*id].of_nonce;
        let mut joined: Vec<Vec<Id>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let Node::Sum(terms) = node else {
                joined.push(Vec::new());
                continue;
            };
            let unknown = |terms: &[Id]| terms.iter().filter(|id| !is_known(id)).count();
            let mut all = Vec::new();
            for &term in terms {
                let inner = &joined[term];
                let is_free = unknown(inner) == 1 && unknown(terms) == 1;
                if !inner.is_empty() && (uses[term] == 1 || is_free) {
                    all.extend_from_slice(inner);
                } else {
                    all.push(term);
                }
            }
            joined.push(all);
        }
        joined
    }

    /// Adds a sum: first what the host knows, then what only the nonce changes, then the rest, each as one word and in
    /// the order in which they come about.
    fn sum_by_level(&mut self, mut terms: Vec<Id>) -> Id {
        terms.sort_unstable();
        let (known, unknown): (Vec<Id>, Vec<Id>) = terms.into_iter().partition(|&id| !self.levels[id].of_nonce);
        let (of_both, of_nonce): (Vec<Id>, Vec<Id>) = unknown.into_iter().partition(|&id| self.levels[id].of_state);
        let known = self.sum(&known);
        let mut sum = vec![known];
        if self.levels[known].of_state && !of_nonce.is_empty() {
            let of_nonce = self.sum(&of_nonce);
            sum.push(of_nonce);
        } else {
            sum.extend(of_nonce);
            if sum.len() > 1 && !of_both.is_empty() {
                sum = vec![self.sum(&sum)];
            }
        }
        sum.extend(of_both);
        self.sum(&sum)
    }
}
