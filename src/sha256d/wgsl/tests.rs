//! Holds the expanded kernels against the `sha2` crate without an adapter, and their text and cost against what is
//! committed.

use sha2::Digest;

use super::graph::Input;
use super::{Addition, Form, Kernel, Majority, Operations, Rotation, Schedule, Variant, last_word};
use crate::gpu::naga;
use crate::sha256d::{BlockHeader, Midstate};

/// The comments are the counts of the best known kernel of each kind.
#[test]
fn no_kernel_takes_an_operation_more_than_it_did() {
    let [plain, rest] = Kernel::new(Form::Plain, Variant::default()).operations();
    assert_eq!(rest, Operations::default());
    let expected = Operations {
        logic: 628,
        logic_of_two: 1608,
        rotations: 1020,
        shifts: 156,
        additions: 1042,
        additions_of_three: 635,
        byte_swaps: 1,
    };
    assert_eq!(plain, expected);
    assert_eq!((plain.logic_and_shifts(), plain.of_two_inputs()), (1804, 5875));

    let [of_nonce, of_state] = Kernel::new(Form::Rolled, Variant::default()).operations();
    let expected = Operations {
        logic: 76,
        logic_of_two: 152,
        rotations: 152,
        shifts: 76,
        additions: 156,
        additions_of_three: 120,
        byte_swaps: 1,
    };
    assert_eq!(of_nonce, expected);
    assert_eq!((of_nonce.logic_and_shifts(), of_nonce.of_two_inputs()), (304, 849));
    let expected = Operations {
        logic: 552,
        logic_of_two: 1456,
        rotations: 868,
        shifts: 80,
        additions: 886,
        additions_of_three: 559,
        byte_swaps: 0,
    };
    assert_eq!(of_state, expected);
    assert_eq!((of_state.logic_and_shifts(), of_state.of_two_inputs()), (1500, 5026));
}

/// Counts the operations of an expanded text, which the writer counts while it writes.
#[test]
fn the_counts_are_those_of_the_text() {
    for form in [Form::Plain, Form::Rolled] {
        let kernel = Kernel::new(form, Variant::default());
        let body = kernel.source().split_once("fn scan(").unwrap().1;
        let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.contains("let nonce")).collect();
        let lines: Vec<&str> =
            lines.into_iter().filter(|line| line.starts_with("let x") || line.starts_with("let last_word")).collect();
        let count = |text: &str| lines.iter().map(|line| line.matches(text).count()).sum::<usize>();
        let sum = |of: fn(Operations) -> u32| kernel.operations().into_iter().map(of).sum::<u32>() as usize;
        assert_eq!(count(" + "), sum(|operations| operations.additions), "{form:?}");
        let (big, small) = (count("big_sigma"), count("small_sigma"));
        assert_eq!(3 * big + 2 * small, sum(|operations| operations.rotations), "{form:?}");
        assert_eq!(small, sum(|operations| operations.shifts), "{form:?}");
        let logic = big + small + count(" ch(") + count("maj(");
        assert_eq!(logic, sum(|operations| operations.logic), "{form:?}");
    }
}

#[test]
fn the_graph_computes_the_last_word_of_the_double_hash() {
    let job = BlockHeader::BLOCK_125552.job();
    let midstate = Midstate::of(&job);
    for form in [Form::Plain, Form::Rolled] {
        let (graph, root) = last_word(form);
        for nonce in [0, 1, 0x8000_0000, BlockHeader::BLOCK_125552.nonce, u32::MAX] {
            let mut header = job.template.clone();
            header[76..].copy_from_slice(&nonce.to_le_bytes());
            let hash = sha2::Sha256::digest(sha2::Sha256::digest(&header));
            let words = graph.evaluate(&[root], |input| match input {
                Input::Midstate(index) => midstate.state[index],
                Input::Tail(index) => midstate.tail[index],
                Input::Nonce => nonce,
            });
            assert_eq!(words[0].to_be_bytes(), hash[28..], "{form:?}, nonce {nonce}");
        }
    }
}

fn variants() -> impl Iterator<Item = Variant> {
    let rotations = [Rotation::Or, Rotation::Sum, Rotation::Given];
    let majorities = [Majority::Or, Majority::Shared, Majority::Select];
    let additions = [Addition::Plain, Addition::Multiplied];
    rotations.into_iter().flat_map(move |rotation| {
        majorities.into_iter().flat_map(move |majority| {
            additions.into_iter().flat_map(move |addition| {
                let usual = Variant { rotation, majority, addition, ..Variant::default() };
                let shared = Variant { schedule: Schedule::Shared, ..usual };
                [usual, shared, Variant { workgroup_size: 256, states: 8, ..usual }]
            })
        })
    })
}

#[test]
fn every_variant_is_valid() {
    for form in [Form::Plain, Form::Rolled] {
        for variant in variants() {
            let kernel = Kernel::new(form, variant);
            let module = naga::front::wgsl::parse_str(kernel.source())
                .unwrap_or_else(|error| panic!("{}", error.emit_to_string(kernel.source())));
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|error| panic!("{form:?}, {variant:?}: {error:?}"));
            // A spelling costs no operation, and the memory is no more than every adapter has.
            assert_eq!(kernel.operations(), Kernel::new(form, Variant::default()).operations());
            assert!(kernel.workgroup_bytes() <= 16 << 10, "{} bytes", kernel.workgroup_bytes());
            let keeps = form == Form::Rolled && variant.schedule == Schedule::Shared;
            assert_eq!(kernel.workgroup_bytes() > 0, keeps, "{form:?}, {variant}");
        }
    }
}

#[test]
fn every_nonce_and_state_has_an_invocation() {
    for states_of_one in [4, 32] {
        let variant = Variant { workgroup_size: 32, states: states_of_one, ..Variant::default() };
        let kernel = Kernel::new(Form::Rolled, variant);
        for nonces in [1, 31, 32, 33, (32 << 15) - 1, 32 << 15, (32 << 15) + 1, 1 << 32] {
            for states in [1, 3, 4, 5, 31, 32] {
                let [columns, rows, depth] = kernel.workgroups(nonces, states).map(u64::from);
                assert!(columns <= 65_535 && rows <= 65_535, "{nonces} nonces");
                assert!(columns * rows * 32 >= nonces && (rows == 1 || columns * (rows - 1) * 32 < nonces));
                let (depth, states_of_one) = (usize::try_from(depth).unwrap(), states_of_one as usize);
                assert!(depth * states_of_one >= states && (depth - 1) * states_of_one < states);
            }
        }
    }
}

/// `HASHWATT_WRITE_SHADERS=1 cargo test --lib wgsl` writes the files anew.
#[test]
fn the_committed_expansions_are_those_of_the_shaders() {
    for (form, name) in [(Form::Plain, "plain"), (Form::Rolled, "rolled")] {
        let path = format!("{}/shaders/expanded/sha256d_{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let kernel = Kernel::new(form, Variant::default());
        if std::env::var_os("HASHWATT_WRITE_SHADERS").is_some() {
            std::fs::write(&path, kernel.source()).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == kernel.source(), "{path} is out of date");
    }
}
