// Double SHA-256 of a Bitcoin header, as FIPS 180-4 writes it: what the kernels beside this file compute.
//
// No adapter runs this text. The program reads it (src/sha256d/wgsl), unrolls its loops, leaves out what the last word
// doesn't need, and computes once per job what no nonce changes; what is left of last_word, in a straight line, takes
// the place of the marks in sha256d_plain.wgsl and sha256d_rolled.wgsl. The result lies in expanded/.
//
// The functions up to swap_bytes stay functions there, in a spelling that the adapter's driver likes.

fn ch(x: u32, y: u32, z: u32) -> u32 {
    return (x & y) ^ (~x & z);
}

fn maj(x: u32, y: u32, z: u32) -> u32 {
    return (x & y) ^ (x & z) ^ (y & z);
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

fn swap_bytes(x: u32) -> u32 {
    return (x << 24u) | ((x & 0xff00u) << 8u) | ((x >> 8u) & 0xff00u) | (x >> 24u);
}

// The initial hash value (section 5.3.3).
const H0 = array<u32, 8>(
    0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u
);

// The round constants (section 4.2.2).
const K = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u
);

// The hash value after one more block (section 6.2.2). A word of the schedule is computed where it is used first, so
// that few are alive at a time.
fn compress(hash: array<u32, 8>, block: array<u32, 16>) -> array<u32, 8> {
    var w: array<u32, 64>;
    var a = hash[0];
    var b = hash[1];
    var c = hash[2];
    var d = hash[3];
    var e = hash[4];
    var f = hash[5];
    var g = hash[6];
    var h = hash[7];
    for (var t = 0u; t < 64u; t += 1u) {
        if t < 16u {
            w[t] = block[t];
        } else {
            w[t] = small_sigma1(w[t - 2u]) + w[t - 7u] + small_sigma0(w[t - 15u]) + w[t - 16u];
        }
        let t1 = h + big_sigma1(e) + ch(e, f, g) + K[t] + w[t];
        let t2 = big_sigma0(a) + maj(a, b, c);
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    return array<u32, 8>(
        a + hash[0], b + hash[1], c + hash[2], d + hash[3], e + hash[4], f + hash[5], g + hash[6], h + hash[7]
    );
}

// The last word of the hash of the hash of a header. Its first 64 bytes are in the midstate; the tail is the end of the
// Merkle root, the time and the bits. 80 bytes are 640 bits, 32 bytes are 256.
fn last_word(midstate: array<u32, 8>, tail: array<u32, 3>, nonce: u32) -> u32 {
    let first = compress(
        midstate,
        array<u32, 16>(
            tail[0], tail[1], tail[2], swap_bytes(nonce), 0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 640u
        )
    );
    let second = compress(
        H0,
        array<u32, 16>(
            first[0], first[1], first[2], first[3], first[4], first[5], first[6], first[7],
            0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 256u
        )
    );
    return second[7];
}
