//! Holds the expanded kernels against the `sha2` crate without an adapter, and their text and cost against what is
//! committed.

use sha2::Digest;

use super::graph::Input;
use super::{Addition, Form, Kernel, Majority, Rotation, Variant, last_word};
use crate::sha256d::{BlockHeader, Midstate};
use wgpu::naga;

#[test]
fn counts() {
    for form in [Form::Plain, Form::Rolled] {
        let kernel = Kernel::new(form, Variant::default());
        println!("{form:?} {:?} words {} {}", kernel.operations(), kernel.job_words.len(), kernel.state_words.len());
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
            additions.map(|addition| Variant { rotation, majority, addition, workgroup_size: 64 })
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
