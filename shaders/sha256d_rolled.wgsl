// Scans nonces of Bitcoin headers that differ only in their version for double SHA-256 hashes that are hits.
//
// An invocation keeps its nonce and goes through the midstates, or a share of them. The message schedule of the header's second block is
// the same for all of them, so it is computed once, ahead of the loop.
//
// A line with a mark, two slashes and an at sign, is where the expansion of sha256d.wgsl goes.

struct Job {
    // The first nonce, and how many follow.
    first_nonce: u32,
    count: u32,
    // A hash is a hit when these bits of its last word are zero.
    mask: u32,
    // How many midstates there are.
    states: u32,
    // A one and a zero that the driver's compiler can't know, for some variants; then padding.
    one: u32,
    zero: u32,
    padding: vec2<u32>,
    // What the expansion needs of the header's second block, and of each midstate, computed by the host.
    words: array<vec4<u32>, JOB_VECTORS>,
    state_words: array<array<vec4<u32>, STATE_VECTORS>, STATES_MAX>,
}

struct Hits {
    // How many hits there were, stored or not.
    count: atomic<u32>,
    nonces: array<u32, HITS_MAX>,
    // Which midstate each belongs to.
    states: array<u32, HITS_MAX>,
}

const HITS_MAX = 4095u;
const STATES_MAX = 32u;
//@ constants

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read_write> hits: Hits;

//@ functions

@compute @workgroup_size(WORKGROUP_SIZE)
fn scan(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_workgroups) workgroups: vec3<u32>
) {
    let index = id.x + id.y * (workgroups.x * WORKGROUP_SIZE);
    // The last workgroups reach past the end of a ragged range.
    if index >= job.count {
        return;
    }
    let nonce = job.first_nonce + index;
    //@ of the nonce
    let first_state = id.z * STATES_PER_INVOCATION;
    let end_state = min(first_state + STATES_PER_INVOCATION, job.states);
    for (var state = first_state; state < end_state; state += 1u) {
        //@ of the state
        if (last_word & job.mask) == 0u {
            let slot = atomicAdd(&hits.count, 1u);
            if slot < HITS_MAX {
                hits.nonces[slot] = nonce;
                hits.states[slot] = state;
            }
        }
    }
}
