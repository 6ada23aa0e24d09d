// Scans nonces of one Bitcoin header for double SHA-256 hashes that are hits.
//
// One invocation hashes one nonce. The host has already hashed the header's first 64 bytes (the midstate), so two
// compressions are left: the header's last 16 bytes with their padding, and the hash of that hash.
//
// Names are those of FIPS 180-4. The 64 rounds run as four groups of sixteen: inside a group every index is a constant,
// so the schedule stays in registers. The round constants come from a uniform buffer, because an array indexed at run
// time by the group would be copied into each invocation's memory.

struct Job {
    // The hash value after the first block.
    midstate: array<vec4<u32>, 2>,
    // The second block's words before the nonce: end of the Merkle root, time, bits. The last component is the mask: a
    // hash is a hit when these bits of its last word are zero.
    tail_and_mask: vec4<u32>,
    // The first nonce, and how many follow. The rest is padding.
    nonces: vec4<u32>,
}

struct Hits {
    // How many hits there were, stored or not.
    count: atomic<u32>,
    nonces: array<u32, HITS_MAX>,
}

const HITS_MAX = 4095u;
const WORKGROUP_SIZE = 64u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<uniform> k: array<vec4<u32>, 16>;
@group(0) @binding(2) var<storage, read_write> hits: Hits;

// The initial hash value (FIPS 180-4, section 5.3.3).
const H0_ABCD = vec4<u32>(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au);
const H0_EFGH = vec4<u32>(0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);

struct HashValue {
    abcd: vec4<u32>,
    efgh: vec4<u32>,
}

fn big_sigma0(x: u32) -> u32 {
    return ((x >> 2u) | (x << 30u)) ^ ((x >> 13u) | (x << 19u)) ^ ((x >> 22u) | (x << 10u));
}

fn big_sigma1(x: u32) -> u32 {
    return ((x >> 6u) | (x << 26u)) ^ ((x >> 11u) | (x << 21u)) ^ ((x >> 25u) | (x << 7u));
}

fn small_sigma0(x: u32) -> u32 {
    return ((x >> 7u) | (x << 25u)) ^ ((x >> 18u) | (x << 14u)) ^ (x >> 3u);
}

fn small_sigma1(x: u32) -> u32 {
    return ((x >> 17u) | (x << 15u)) ^ ((x >> 19u) | (x << 13u)) ^ (x >> 10u);
}

fn ch(x: u32, y: u32, z: u32) -> u32 {
    return z ^ (x & (y ^ z));
}

fn maj(x: u32, y: u32, z: u32) -> u32 {
    return (x & y) | (z & (x | y));
}

// One round (FIPS 180-4, section 6.2.2, step 3).
fn round(s: HashValue, k_plus_w: u32) -> HashValue {
    let t1 = s.efgh.w + big_sigma1(s.efgh.x) + ch(s.efgh.x, s.efgh.y, s.efgh.z) + k_plus_w;
    let t2 = big_sigma0(s.abcd.x) + maj(s.abcd.x, s.abcd.y, s.abcd.z);
    return HashValue(vec4<u32>(t1 + t2, s.abcd.xyz), vec4<u32>(s.abcd.w + t1, s.efgh.xyz));
}

// The hash value after one block.
fn compress(initial: HashValue, block: array<u32, 16>) -> HashValue {
    var s = initial;
    var w = block;
    for (var group = 0u; group < 4u; group += 1u) {
        if group > 0u {
            w[0] += small_sigma1(w[14]) + w[9] + small_sigma0(w[1]);
            w[1] += small_sigma1(w[15]) + w[10] + small_sigma0(w[2]);
            w[2] += small_sigma1(w[0]) + w[11] + small_sigma0(w[3]);
            w[3] += small_sigma1(w[1]) + w[12] + small_sigma0(w[4]);
            w[4] += small_sigma1(w[2]) + w[13] + small_sigma0(w[5]);
            w[5] += small_sigma1(w[3]) + w[14] + small_sigma0(w[6]);
            w[6] += small_sigma1(w[4]) + w[15] + small_sigma0(w[7]);
            w[7] += small_sigma1(w[5]) + w[0] + small_sigma0(w[8]);
            w[8] += small_sigma1(w[6]) + w[1] + small_sigma0(w[9]);
            w[9] += small_sigma1(w[7]) + w[2] + small_sigma0(w[10]);
            w[10] += small_sigma1(w[8]) + w[3] + small_sigma0(w[11]);
            w[11] += small_sigma1(w[9]) + w[4] + small_sigma0(w[12]);
            w[12] += small_sigma1(w[10]) + w[5] + small_sigma0(w[13]);
            w[13] += small_sigma1(w[11]) + w[6] + small_sigma0(w[14]);
            w[14] += small_sigma1(w[12]) + w[7] + small_sigma0(w[15]);
            w[15] += small_sigma1(w[13]) + w[8] + small_sigma0(w[0]);
        }
        let k0 = k[4u * group];
        let k1 = k[4u * group + 1u];
        let k2 = k[4u * group + 2u];
        let k3 = k[4u * group + 3u];
        s = round(s, k0.x + w[0]);
        s = round(s, k0.y + w[1]);
        s = round(s, k0.z + w[2]);
        s = round(s, k0.w + w[3]);
        s = round(s, k1.x + w[4]);
        s = round(s, k1.y + w[5]);
        s = round(s, k1.z + w[6]);
        s = round(s, k1.w + w[7]);
        s = round(s, k2.x + w[8]);
        s = round(s, k2.y + w[9]);
        s = round(s, k2.z + w[10]);
        s = round(s, k2.w + w[11]);
        s = round(s, k3.x + w[12]);
        s = round(s, k3.y + w[13]);
        s = round(s, k3.z + w[14]);
        s = round(s, k3.w + w[15]);
    }
    return HashValue(initial.abcd + s.abcd, initial.efgh + s.efgh);
}

fn swap_bytes(x: u32) -> u32 {
    return (x << 24u) | ((x & 0xff00u) << 8u) | ((x >> 8u) & 0xff00u) | (x >> 24u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn scan(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let index = id.x + id.y * (workgroups.x * WORKGROUP_SIZE);
    // The last workgroups reach past the end of a ragged range.
    if index >= job.nonces.y {
        return;
    }
    let nonce = job.nonces.x + index;
    // 80 bytes are 640 bits.
    let first = compress(
        HashValue(job.midstate[0], job.midstate[1]),
        array<u32, 16>(
            job.tail_and_mask.x, job.tail_and_mask.y, job.tail_and_mask.z, swap_bytes(nonce),
            0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 640u
        )
    );
    // 32 bytes are 256 bits.
    let second = compress(
        HashValue(H0_ABCD, H0_EFGH),
        array<u32, 16>(
            first.abcd.x, first.abcd.y, first.abcd.z, first.abcd.w,
            first.efgh.x, first.efgh.y, first.efgh.z, first.efgh.w,
            0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 256u
        )
    );
    if (second.efgh.w & job.tail_and_mask.w) == 0u {
        let slot = atomicAdd(&hits.count, 1u);
        if slot < HITS_MAX {
            hits.nonces[slot] = nonce;
        }
    }
}
