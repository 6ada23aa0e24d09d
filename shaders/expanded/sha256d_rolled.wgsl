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
const WORKGROUP_SIZE = 64u;
const JOB_VECTORS = 2u;
const STATE_VECTORS = 5u;
const STATES_PER_INVOCATION = 32u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read_write> hits: Hits;

fn ch(x: u32, y: u32, z: u32) -> u32 {
    return z ^ (x & (y ^ z));
}

fn maj(x: u32, y: u32, z: u32) -> u32 {
    return y ^ ((x ^ y) & (y ^ z));
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
    let j0 = job.words[0];
    let j1 = job.words[1];
    let x0 = swap_bytes(nonce);
    let x45 = j0.z + small_sigma0(x0);
    let x46 = 0x0fc19dc6u + x45;
    let x50 = j0.w + x0;
    let x51 = 0x240ca1ccu + x50;
    let x55 = 0x80000000u + small_sigma1(x45);
    let x56 = 0x2de92c6fu + x55;
    let x60 = small_sigma1(x50);
    let x61 = 0x4a7484aau + x60;
    let x65 = 0x00000280u + small_sigma1(x55);
    let x66 = 0x5cb0a9dcu + x65;
    let x70 = j1.x + small_sigma1(x60);
    let x71 = 0x76f988dau + x70;
    let x75 = j1.y + small_sigma1(x65);
    let x76 = 0x983e5152u + x75;
    let x80 = x45 + small_sigma1(x70);
    let x81 = 0xa831c66du + x80;
    let x85 = x50 + small_sigma1(x75);
    let x86 = 0xb00327c8u + x85;
    let x90 = x55 + small_sigma1(x80);
    let x91 = 0xbf597fc7u + x90;
    let x95 = x60 + small_sigma1(x85);
    let x96 = 0xc6e00bf3u + x95;
    let x100 = x65 + small_sigma1(x90);
    let x101 = 0xd5a79147u + x100;
    let x105 = 0x00a00055u + x70 + small_sigma1(x95);
    let x106 = 0x06ca6351u + x105;
    let x110 = j1.z + x75 + small_sigma1(x100);
    let x111 = 0x14292967u + x110;
    let x115 = j1.w + x80 + small_sigma1(x105);
    let x116 = 0x27b70a85u + x115;
    let x120 = j1.y + x85 + small_sigma1(x110) + small_sigma0(x45);
    let x121 = 0x2e1b2138u + x120;
    let x125 = x45 + x90 + small_sigma1(x115) + small_sigma0(x50);
    let x126 = 0x4d2c6dfcu + x125;
    let x130 = x50 + x95 + small_sigma1(x120) + small_sigma0(x55);
    let x131 = 0x53380d13u + x130;
    let x135 = x55 + x100 + small_sigma1(x125) + small_sigma0(x60);
    let x136 = 0x650a7354u + x135;
    let x140 = x60 + x105 + small_sigma1(x130) + small_sigma0(x65);
    let x141 = 0x766a0abbu + x140;
    let x145 = x65 + x110 + small_sigma1(x135) + small_sigma0(x70);
    let x146 = 0x81c2c92eu + x145;
    let x150 = x70 + x115 + small_sigma1(x140) + small_sigma0(x75);
    let x151 = 0x92722c85u + x150;
    let x155 = x75 + x120 + small_sigma1(x145) + small_sigma0(x80);
    let x156 = 0xa2bfe8a1u + x155;
    let x160 = x80 + x125 + small_sigma1(x150) + small_sigma0(x85);
    let x161 = 0xa81a664bu + x160;
    let x165 = x85 + x130 + small_sigma1(x155) + small_sigma0(x90);
    let x166 = 0xc24b8b70u + x165;
    let x170 = x90 + x135 + small_sigma1(x160) + small_sigma0(x95);
    let x171 = 0xc76c51a3u + x170;
    let x175 = x95 + x140 + small_sigma1(x165) + small_sigma0(x100);
    let x176 = 0xd192e819u + x175;
    let x180 = x100 + x145 + small_sigma1(x170) + small_sigma0(x105);
    let x181 = 0xd6990624u + x180;
    let x185 = x105 + x150 + small_sigma1(x175) + small_sigma0(x110);
    let x186 = 0xf40e3585u + x185;
    let x190 = x110 + x155 + small_sigma1(x180) + small_sigma0(x115);
    let x191 = 0x106aa070u + x190;
    let x195 = x115 + x160 + small_sigma1(x185) + small_sigma0(x120);
    let x196 = 0x19a4c116u + x195;
    let x200 = x120 + x165 + small_sigma1(x190) + small_sigma0(x125);
    let x201 = 0x1e376c08u + x200;
    let x205 = x125 + x170 + small_sigma1(x195) + small_sigma0(x130);
    let x206 = 0x2748774cu + x205;
    let x210 = x130 + x175 + small_sigma1(x200) + small_sigma0(x135);
    let x211 = 0x34b0bcb5u + x210;
    let x215 = x135 + x180 + small_sigma1(x205) + small_sigma0(x140);
    let x216 = 0x391c0cb3u + x215;
    let x220 = x140 + x185 + small_sigma1(x210) + small_sigma0(x145);
    let x221 = 0x4ed8aa4au + x220;
    let x225 = x145 + x190 + small_sigma1(x215) + small_sigma0(x150);
    let x226 = 0x5b9cca4fu + x225;
    let x230 = x150 + x195 + small_sigma1(x220) + small_sigma0(x155);
    let x231 = 0x682e6ff3u + x230;
    let x235 = x155 + x200 + small_sigma1(x225) + small_sigma0(x160);
    let x236 = 0x748f82eeu + x235;
    let x240 = x160 + x205 + small_sigma1(x230) + small_sigma0(x165);
    let x241 = 0x78a5636fu + x240;
    let x245 = x165 + x210 + small_sigma1(x235) + small_sigma0(x170);
    let x246 = 0x84c87814u + x245;
    let x250 = x170 + x215 + small_sigma1(x240) + small_sigma0(x175);
    let x251 = 0x8cc70208u + x250;
    let x255 = x175 + x220 + small_sigma1(x245) + small_sigma0(x180);
    let x256 = 0x90befffau + x255;
    let x260 = x180 + x225 + small_sigma1(x250) + small_sigma0(x185);
    let x261 = 0xa4506cebu + x260;
    let x265 = 0xbef9a3f7u + x185 + x230 + small_sigma1(x255) + small_sigma0(x190);
    let x269 = 0xc67178f2u + x190 + x235 + small_sigma1(x260) + small_sigma0(x195);
    let first_state = id.z * STATES_PER_INVOCATION;
    let end_state = min(first_state + STATES_PER_INVOCATION, job.states);
    for (var state = first_state; state < end_state; state += 1u) {
        let s0 = job.state_words[state][0];
        let s1 = job.state_words[state][1];
        let s2 = job.state_words[state][2];
        let s3 = job.state_words[state][3];
        let s4 = job.state_words[state][4];
        let x1 = s0.x + x0;
        let x2 = s0.y + x0;
        let x3 = s1.x + big_sigma1(x1) + ch(x1, s0.z, s0.w);
        let x4 = s1.w + x3;
        let x5 = x3 + big_sigma0(x2) + maj(x2, s1.y, s1.z);
        let x6 = s2.x + big_sigma1(x4) + ch(x4, x1, s0.z);
        let x7 = s1.z + x6;
        let x8 = x6 + big_sigma0(x5) + maj(x5, x2, s1.y);
        let x9 = s2.y + big_sigma1(x7) + ch(x7, x4, x1);
        let x10 = s1.y + x9;
        let x11 = x9 + big_sigma0(x8) + maj(x8, x5, x2);
        let x12 = 0xab1c5ed5u + x1 + big_sigma1(x10) + ch(x10, x7, x4);
        let x13 = x2 + x12;
        let x14 = x12 + big_sigma0(x11) + maj(x11, x8, x5);
        let x15 = 0xd807aa98u + x4 + big_sigma1(x13) + ch(x13, x10, x7);
        let x16 = x5 + x15;
        let x17 = x15 + big_sigma0(x14) + maj(x14, x11, x8);
        let x18 = 0x12835b01u + x7 + big_sigma1(x16) + ch(x16, x13, x10);
        let x19 = x8 + x18;
        let x20 = x18 + big_sigma0(x17) + maj(x17, x14, x11);
        let x21 = 0x243185beu + x10 + big_sigma1(x19) + ch(x19, x16, x13);
        let x22 = x11 + x21;
        let x23 = x21 + big_sigma0(x20) + maj(x20, x17, x14);
        let x24 = 0x550c7dc3u + x13 + big_sigma1(x22) + ch(x22, x19, x16);
        let x25 = x14 + x24;
        let x26 = x24 + big_sigma0(x23) + maj(x23, x20, x17);
        let x27 = 0x72be5d74u + x16 + big_sigma1(x25) + ch(x25, x22, x19);
        let x28 = x17 + x27;
        let x29 = x27 + big_sigma0(x26) + maj(x26, x23, x20);
        let x30 = 0x80deb1feu + x19 + big_sigma1(x28) + ch(x28, x25, x22);
        let x31 = x20 + x30;
        let x32 = x30 + big_sigma0(x29) + maj(x29, x26, x23);
        let x33 = 0x9bdc06a7u + x22 + big_sigma1(x31) + ch(x31, x28, x25);
        let x34 = x23 + x33;
        let x35 = x33 + big_sigma0(x32) + maj(x32, x29, x26);
        let x36 = 0xc19bf3f4u + x25 + big_sigma1(x34) + ch(x34, x31, x28);
        let x37 = x26 + x36;
        let x38 = x36 + big_sigma0(x35) + maj(x35, x32, x29);
        let x39 = j0.x + x28 + big_sigma1(x37) + ch(x37, x34, x31);
        let x40 = x29 + x39;
        let x41 = x39 + big_sigma0(x38) + maj(x38, x35, x32);
        let x42 = j0.y + x31 + big_sigma1(x40) + ch(x40, x37, x34);
        let x43 = x32 + x42;
        let x44 = x42 + big_sigma0(x41) + maj(x41, x38, x35);
        let x47 = x46 + x34 + big_sigma1(x43) + ch(x43, x40, x37);
        let x48 = x35 + x47;
        let x49 = x47 + big_sigma0(x44) + maj(x44, x41, x38);
        let x52 = x51 + x37 + big_sigma1(x48) + ch(x48, x43, x40);
        let x53 = x38 + x52;
        let x54 = x52 + big_sigma0(x49) + maj(x49, x44, x41);
        let x57 = x56 + x40 + big_sigma1(x53) + ch(x53, x48, x43);
        let x58 = x41 + x57;
        let x59 = x57 + big_sigma0(x54) + maj(x54, x49, x44);
        let x62 = x61 + x43 + big_sigma1(x58) + ch(x58, x53, x48);
        let x63 = x44 + x62;
        let x64 = x62 + big_sigma0(x59) + maj(x59, x54, x49);
        let x67 = x66 + x48 + big_sigma1(x63) + ch(x63, x58, x53);
        let x68 = x49 + x67;
        let x69 = x67 + big_sigma0(x64) + maj(x64, x59, x54);
        let x72 = x71 + x53 + big_sigma1(x68) + ch(x68, x63, x58);
        let x73 = x54 + x72;
        let x74 = x72 + big_sigma0(x69) + maj(x69, x64, x59);
        let x77 = x76 + x58 + big_sigma1(x73) + ch(x73, x68, x63);
        let x78 = x59 + x77;
        let x79 = x77 + big_sigma0(x74) + maj(x74, x69, x64);
        let x82 = x81 + x63 + big_sigma1(x78) + ch(x78, x73, x68);
        let x83 = x64 + x82;
        let x84 = x82 + big_sigma0(x79) + maj(x79, x74, x69);
        let x87 = x86 + x68 + big_sigma1(x83) + ch(x83, x78, x73);
        let x88 = x69 + x87;
        let x89 = x87 + big_sigma0(x84) + maj(x84, x79, x74);
        let x92 = x91 + x73 + big_sigma1(x88) + ch(x88, x83, x78);
        let x93 = x74 + x92;
        let x94 = x92 + big_sigma0(x89) + maj(x89, x84, x79);
        let x97 = x96 + x78 + big_sigma1(x93) + ch(x93, x88, x83);
        let x98 = x79 + x97;
        let x99 = x97 + big_sigma0(x94) + maj(x94, x89, x84);
        let x102 = x101 + x83 + big_sigma1(x98) + ch(x98, x93, x88);
        let x103 = x84 + x102;
        let x104 = x102 + big_sigma0(x99) + maj(x99, x94, x89);
        let x107 = x106 + x88 + big_sigma1(x103) + ch(x103, x98, x93);
        let x108 = x89 + x107;
        let x109 = x107 + big_sigma0(x104) + maj(x104, x99, x94);
        let x112 = x111 + x93 + big_sigma1(x108) + ch(x108, x103, x98);
        let x113 = x94 + x112;
        let x114 = x112 + big_sigma0(x109) + maj(x109, x104, x99);
        let x117 = x116 + x98 + big_sigma1(x113) + ch(x113, x108, x103);
        let x118 = x99 + x117;
        let x119 = x117 + big_sigma0(x114) + maj(x114, x109, x104);
        let x122 = x121 + x103 + big_sigma1(x118) + ch(x118, x113, x108);
        let x123 = x104 + x122;
        let x124 = x122 + big_sigma0(x119) + maj(x119, x114, x109);
        let x127 = x126 + x108 + big_sigma1(x123) + ch(x123, x118, x113);
        let x128 = x109 + x127;
        let x129 = x127 + big_sigma0(x124) + maj(x124, x119, x114);
        let x132 = x131 + x113 + big_sigma1(x128) + ch(x128, x123, x118);
        let x133 = x114 + x132;
        let x134 = x132 + big_sigma0(x129) + maj(x129, x124, x119);
        let x137 = x136 + x118 + big_sigma1(x133) + ch(x133, x128, x123);
        let x138 = x119 + x137;
        let x139 = x137 + big_sigma0(x134) + maj(x134, x129, x124);
        let x142 = x141 + x123 + big_sigma1(x138) + ch(x138, x133, x128);
        let x143 = x124 + x142;
        let x144 = x142 + big_sigma0(x139) + maj(x139, x134, x129);
        let x147 = x146 + x128 + big_sigma1(x143) + ch(x143, x138, x133);
        let x148 = x129 + x147;
        let x149 = x147 + big_sigma0(x144) + maj(x144, x139, x134);
        let x152 = x151 + x133 + big_sigma1(x148) + ch(x148, x143, x138);
        let x153 = x134 + x152;
        let x154 = x152 + big_sigma0(x149) + maj(x149, x144, x139);
        let x157 = x156 + x138 + big_sigma1(x153) + ch(x153, x148, x143);
        let x158 = x139 + x157;
        let x159 = x157 + big_sigma0(x154) + maj(x154, x149, x144);
        let x162 = x161 + x143 + big_sigma1(x158) + ch(x158, x153, x148);
        let x163 = x144 + x162;
        let x164 = x162 + big_sigma0(x159) + maj(x159, x154, x149);
        let x167 = x166 + x148 + big_sigma1(x163) + ch(x163, x158, x153);
        let x168 = x149 + x167;
        let x169 = x167 + big_sigma0(x164) + maj(x164, x159, x154);
        let x172 = x171 + x153 + big_sigma1(x168) + ch(x168, x163, x158);
        let x173 = x154 + x172;
        let x174 = x172 + big_sigma0(x169) + maj(x169, x164, x159);
        let x177 = x176 + x158 + big_sigma1(x173) + ch(x173, x168, x163);
        let x178 = x159 + x177;
        let x179 = x177 + big_sigma0(x174) + maj(x174, x169, x164);
        let x182 = x181 + x163 + big_sigma1(x178) + ch(x178, x173, x168);
        let x183 = x164 + x182;
        let x184 = x182 + big_sigma0(x179) + maj(x179, x174, x169);
        let x187 = x186 + x168 + big_sigma1(x183) + ch(x183, x178, x173);
        let x188 = x169 + x187;
        let x189 = x187 + big_sigma0(x184) + maj(x184, x179, x174);
        let x192 = x191 + x173 + big_sigma1(x188) + ch(x188, x183, x178);
        let x193 = x174 + x192;
        let x194 = x192 + big_sigma0(x189) + maj(x189, x184, x179);
        let x197 = x196 + x178 + big_sigma1(x193) + ch(x193, x188, x183);
        let x198 = x179 + x197;
        let x199 = x197 + big_sigma0(x194) + maj(x194, x189, x184);
        let x202 = x201 + x183 + big_sigma1(x198) + ch(x198, x193, x188);
        let x203 = x184 + x202;
        let x204 = x202 + big_sigma0(x199) + maj(x199, x194, x189);
        let x207 = x206 + x188 + big_sigma1(x203) + ch(x203, x198, x193);
        let x208 = x189 + x207;
        let x209 = x207 + big_sigma0(x204) + maj(x204, x199, x194);
        let x212 = x211 + x193 + big_sigma1(x208) + ch(x208, x203, x198);
        let x213 = x194 + x212;
        let x214 = x212 + big_sigma0(x209) + maj(x209, x204, x199);
        let x217 = x216 + x198 + big_sigma1(x213) + ch(x213, x208, x203);
        let x218 = x199 + x217;
        let x219 = x217 + big_sigma0(x214) + maj(x214, x209, x204);
        let x222 = x221 + x203 + big_sigma1(x218) + ch(x218, x213, x208);
        let x223 = x204 + x222;
        let x224 = x222 + big_sigma0(x219) + maj(x219, x214, x209);
        let x227 = x226 + x208 + big_sigma1(x223) + ch(x223, x218, x213);
        let x228 = x209 + x227;
        let x229 = x227 + big_sigma0(x224) + maj(x224, x219, x214);
        let x232 = x231 + x213 + big_sigma1(x228) + ch(x228, x223, x218);
        let x233 = x214 + x232;
        let x234 = x232 + big_sigma0(x229) + maj(x229, x224, x219);
        let x237 = x236 + x218 + big_sigma1(x233) + ch(x233, x228, x223);
        let x238 = x219 + x237;
        let x239 = x237 + big_sigma0(x234) + maj(x234, x229, x224);
        let x242 = x241 + x223 + big_sigma1(x238) + ch(x238, x233, x228);
        let x243 = x224 + x242;
        let x244 = x242 + big_sigma0(x239) + maj(x239, x234, x229);
        let x247 = x246 + x228 + big_sigma1(x243) + ch(x243, x238, x233);
        let x248 = x229 + x247;
        let x249 = x247 + big_sigma0(x244) + maj(x244, x239, x234);
        let x252 = x251 + x233 + big_sigma1(x248) + ch(x248, x243, x238);
        let x253 = x234 + x252;
        let x254 = x252 + big_sigma0(x249) + maj(x249, x244, x239);
        let x257 = x256 + x238 + big_sigma1(x253) + ch(x253, x248, x243);
        let x258 = x239 + x257;
        let x259 = x257 + big_sigma0(x254) + maj(x254, x249, x244);
        let x262 = x261 + x243 + big_sigma1(x258) + ch(x258, x253, x248);
        let x263 = x244 + x262;
        let x264 = x262 + big_sigma0(x259) + maj(x259, x254, x249);
        let x266 = x265 + x248 + big_sigma1(x263) + ch(x263, x258, x253);
        let x267 = x249 + x266;
        let x268 = x266 + big_sigma0(x264) + maj(x264, x259, x254);
        let x270 = x269 + x253 + big_sigma1(x267) + ch(x267, x263, x258);
        let x271 = s2.z + x270 + big_sigma0(x268) + maj(x268, x264, x259);
        let x272 = s2.w + x268;
        let x273 = s3.x + x264;
        let x274 = s3.y + x259;
        let x275 = s3.z + x254 + x270;
        let x276 = s3.w + x267;
        let x277 = s4.x + x263;
        let x278 = s4.y + x258;
        let x279 = 0x98c7e2a2u + x271;
        let x280 = 0xfc08884du + x271;
        let x281 = 0x90bb1e3cu + x272 + big_sigma1(x279) + ch(x279, 0x510e527fu, 0x9b05688cu);
        let x282 = 0x3c6ef372u + x281;
        let x283 = x281 + big_sigma0(x280) + maj(x280, 0x6a09e667u, 0xbb67ae85u);
        let x284 = 0x50c6645bu + x273 + big_sigma1(x282) + ch(x282, x279, 0x510e527fu);
        let x285 = 0xbb67ae85u + x284;
        let x286 = x284 + big_sigma0(x283) + maj(x283, x280, 0x6a09e667u);
        let x287 = 0x3ac42e24u + x274 + big_sigma1(x285) + ch(x285, x282, x279);
        let x288 = 0x6a09e667u + x287;
        let x289 = x287 + big_sigma0(x286) + maj(x286, x283, x280);
        let x290 = 0x3956c25bu + x275 + x279 + big_sigma1(x288) + ch(x288, x285, x282);
        let x291 = x280 + x290;
        let x292 = x290 + big_sigma0(x289) + maj(x289, x286, x283);
        let x293 = 0x59f111f1u + x276 + x282 + big_sigma1(x291) + ch(x291, x288, x285);
        let x294 = x283 + x293;
        let x295 = x293 + big_sigma0(x292) + maj(x292, x289, x286);
        let x296 = 0x923f82a4u + x277 + x285 + big_sigma1(x294) + ch(x294, x291, x288);
        let x297 = x286 + x296;
        let x298 = x296 + big_sigma0(x295) + maj(x295, x292, x289);
        let x299 = 0xab1c5ed5u + x278 + x288 + big_sigma1(x297) + ch(x297, x294, x291);
        let x300 = x289 + x299;
        let x301 = x299 + big_sigma0(x298) + maj(x298, x295, x292);
        let x302 = 0x5807aa98u + x291 + big_sigma1(x300) + ch(x300, x297, x294);
        let x303 = x292 + x302;
        let x304 = x302 + big_sigma0(x301) + maj(x301, x298, x295);
        let x305 = 0x12835b01u + x294 + big_sigma1(x303) + ch(x303, x300, x297);
        let x306 = x295 + x305;
        let x307 = x305 + big_sigma0(x304) + maj(x304, x301, x298);
        let x308 = 0x243185beu + x297 + big_sigma1(x306) + ch(x306, x303, x300);
        let x309 = x298 + x308;
        let x310 = x308 + big_sigma0(x307) + maj(x307, x304, x301);
        let x311 = 0x550c7dc3u + x300 + big_sigma1(x309) + ch(x309, x306, x303);
        let x312 = x301 + x311;
        let x313 = x311 + big_sigma0(x310) + maj(x310, x307, x304);
        let x314 = 0x72be5d74u + x303 + big_sigma1(x312) + ch(x312, x309, x306);
        let x315 = x304 + x314;
        let x316 = x314 + big_sigma0(x313) + maj(x313, x310, x307);
        let x317 = 0x80deb1feu + x306 + big_sigma1(x315) + ch(x315, x312, x309);
        let x318 = x307 + x317;
        let x319 = x317 + big_sigma0(x316) + maj(x316, x313, x310);
        let x320 = 0x9bdc06a7u + x309 + big_sigma1(x318) + ch(x318, x315, x312);
        let x321 = x310 + x320;
        let x322 = x320 + big_sigma0(x319) + maj(x319, x316, x313);
        let x323 = 0xc19bf274u + x312 + big_sigma1(x321) + ch(x321, x318, x315);
        let x324 = x313 + x323;
        let x325 = x323 + big_sigma0(x322) + maj(x322, x319, x316);
        let x326 = x271 + small_sigma0(x272);
        let x327 = 0xe49b69c1u + x315 + x326 + big_sigma1(x324) + ch(x324, x321, x318);
        let x328 = x316 + x327;
        let x329 = x327 + big_sigma0(x325) + maj(x325, x322, x319);
        let x330 = 0x00a00000u + x272 + small_sigma0(x273);
        let x331 = 0xefbe4786u + x318 + x330 + big_sigma1(x328) + ch(x328, x324, x321);
        let x332 = x319 + x331;
        let x333 = x331 + big_sigma0(x329) + maj(x329, x325, x322);
        let x334 = x273 + small_sigma1(x326) + small_sigma0(x274);
        let x335 = 0x0fc19dc6u + x321 + x334 + big_sigma1(x332) + ch(x332, x328, x324);
        let x336 = x322 + x335;
        let x337 = x335 + big_sigma0(x333) + maj(x333, x329, x325);
        let x338 = x274 + small_sigma1(x330) + small_sigma0(x275);
        let x339 = 0x240ca1ccu + x324 + x338 + big_sigma1(x336) + ch(x336, x332, x328);
        let x340 = x325 + x339;
        let x341 = x339 + big_sigma0(x337) + maj(x337, x333, x329);
        let x342 = x275 + small_sigma1(x334) + small_sigma0(x276);
        let x343 = 0x2de92c6fu + x328 + x342 + big_sigma1(x340) + ch(x340, x336, x332);
        let x344 = x329 + x343;
        let x345 = x343 + big_sigma0(x341) + maj(x341, x337, x333);
        let x346 = x276 + small_sigma1(x338) + small_sigma0(x277);
        let x347 = 0x4a7484aau + x332 + x346 + big_sigma1(x344) + ch(x344, x340, x336);
        let x348 = x333 + x347;
        let x349 = x347 + big_sigma0(x345) + maj(x345, x341, x337);
        let x350 = 0x00000100u + x277 + small_sigma1(x342) + small_sigma0(x278);
        let x351 = 0x5cb0a9dcu + x336 + x350 + big_sigma1(x348) + ch(x348, x344, x340);
        let x352 = x337 + x351;
        let x353 = x351 + big_sigma0(x349) + maj(x349, x345, x341);
        let x354 = 0x11002000u + x278 + x326 + small_sigma1(x346);
        let x355 = 0x76f988dau + x340 + x354 + big_sigma1(x352) + ch(x352, x348, x344);
        let x356 = x341 + x355;
        let x357 = x355 + big_sigma0(x353) + maj(x353, x349, x345);
        let x358 = 0x80000000u + x330 + small_sigma1(x350);
        let x359 = 0x983e5152u + x344 + x358 + big_sigma1(x356) + ch(x356, x352, x348);
        let x360 = x345 + x359;
        let x361 = x359 + big_sigma0(x357) + maj(x357, x353, x349);
        let x362 = x334 + small_sigma1(x354);
        let x363 = 0xa831c66du + x348 + x362 + big_sigma1(x360) + ch(x360, x356, x352);
        let x364 = x349 + x363;
        let x365 = x363 + big_sigma0(x361) + maj(x361, x357, x353);
        let x366 = x338 + small_sigma1(x358);
        let x367 = 0xb00327c8u + x352 + x366 + big_sigma1(x364) + ch(x364, x360, x356);
        let x368 = x353 + x367;
        let x369 = x367 + big_sigma0(x365) + maj(x365, x361, x357);
        let x370 = x342 + small_sigma1(x362);
        let x371 = 0xbf597fc7u + x356 + x370 + big_sigma1(x368) + ch(x368, x364, x360);
        let x372 = x357 + x371;
        let x373 = x371 + big_sigma0(x369) + maj(x369, x365, x361);
        let x374 = x346 + small_sigma1(x366);
        let x375 = 0xc6e00bf3u + x360 + x374 + big_sigma1(x372) + ch(x372, x368, x364);
        let x376 = x361 + x375;
        let x377 = x375 + big_sigma0(x373) + maj(x373, x369, x365);
        let x378 = x350 + small_sigma1(x370);
        let x379 = 0xd5a79147u + x364 + x378 + big_sigma1(x376) + ch(x376, x372, x368);
        let x380 = x365 + x379;
        let x381 = x379 + big_sigma0(x377) + maj(x377, x373, x369);
        let x382 = 0x00400022u + x354 + small_sigma1(x374);
        let x383 = 0x06ca6351u + x368 + x382 + big_sigma1(x380) + ch(x380, x376, x372);
        let x384 = x369 + x383;
        let x385 = x383 + big_sigma0(x381) + maj(x381, x377, x373);
        let x386 = 0x00000100u + x358 + small_sigma1(x378) + small_sigma0(x326);
        let x387 = 0x14292967u + x372 + x386 + big_sigma1(x384) + ch(x384, x380, x376);
        let x388 = x373 + x387;
        let x389 = x387 + big_sigma0(x385) + maj(x385, x381, x377);
        let x390 = x326 + x362 + small_sigma1(x382) + small_sigma0(x330);
        let x391 = 0x27b70a85u + x376 + x390 + big_sigma1(x388) + ch(x388, x384, x380);
        let x392 = x377 + x391;
        let x393 = x391 + big_sigma0(x389) + maj(x389, x385, x381);
        let x394 = x330 + x366 + small_sigma1(x386) + small_sigma0(x334);
        let x395 = 0x2e1b2138u + x380 + x394 + big_sigma1(x392) + ch(x392, x388, x384);
        let x396 = x381 + x395;
        let x397 = x395 + big_sigma0(x393) + maj(x393, x389, x385);
        let x398 = x334 + x370 + small_sigma1(x390) + small_sigma0(x338);
        let x399 = 0x4d2c6dfcu + x384 + x398 + big_sigma1(x396) + ch(x396, x392, x388);
        let x400 = x385 + x399;
        let x401 = x399 + big_sigma0(x397) + maj(x397, x393, x389);
        let x402 = x338 + x374 + small_sigma1(x394) + small_sigma0(x342);
        let x403 = 0x53380d13u + x388 + x402 + big_sigma1(x400) + ch(x400, x396, x392);
        let x404 = x389 + x403;
        let x405 = x403 + big_sigma0(x401) + maj(x401, x397, x393);
        let x406 = x342 + x378 + small_sigma1(x398) + small_sigma0(x346);
        let x407 = 0x650a7354u + x392 + x406 + big_sigma1(x404) + ch(x404, x400, x396);
        let x408 = x393 + x407;
        let x409 = x407 + big_sigma0(x405) + maj(x405, x401, x397);
        let x410 = x346 + x382 + small_sigma1(x402) + small_sigma0(x350);
        let x411 = 0x766a0abbu + x396 + x410 + big_sigma1(x408) + ch(x408, x404, x400);
        let x412 = x397 + x411;
        let x413 = x411 + big_sigma0(x409) + maj(x409, x405, x401);
        let x414 = x350 + x386 + small_sigma1(x406) + small_sigma0(x354);
        let x415 = 0x81c2c92eu + x400 + x414 + big_sigma1(x412) + ch(x412, x408, x404);
        let x416 = x401 + x415;
        let x417 = x415 + big_sigma0(x413) + maj(x413, x409, x405);
        let x418 = x354 + x390 + small_sigma1(x410) + small_sigma0(x358);
        let x419 = 0x92722c85u + x404 + x418 + big_sigma1(x416) + ch(x416, x412, x408);
        let x420 = x405 + x419;
        let x421 = x419 + big_sigma0(x417) + maj(x417, x413, x409);
        let x422 = x358 + x394 + small_sigma1(x414) + small_sigma0(x362);
        let x423 = 0xa2bfe8a1u + x408 + x422 + big_sigma1(x420) + ch(x420, x416, x412);
        let x424 = x409 + x423;
        let x425 = x423 + big_sigma0(x421) + maj(x421, x417, x413);
        let x426 = x362 + x398 + small_sigma1(x418) + small_sigma0(x366);
        let x427 = 0xa81a664bu + x412 + x426 + big_sigma1(x424) + ch(x424, x420, x416);
        let x428 = x413 + x427;
        let x429 = x427 + big_sigma0(x425) + maj(x425, x421, x417);
        let x430 = x366 + x402 + small_sigma1(x422) + small_sigma0(x370);
        let x431 = 0xc24b8b70u + x416 + x430 + big_sigma1(x428) + ch(x428, x424, x420);
        let x432 = x417 + x431;
        let x433 = x431 + big_sigma0(x429) + maj(x429, x425, x421);
        let x434 = x370 + x406 + small_sigma1(x426) + small_sigma0(x374);
        let x435 = 0xc76c51a3u + x420 + x434 + big_sigma1(x432) + ch(x432, x428, x424);
        let x436 = x421 + x435;
        let x437 = x435 + big_sigma0(x433) + maj(x433, x429, x425);
        let x438 = x374 + x410 + small_sigma1(x430) + small_sigma0(x378);
        let x439 = 0xd192e819u + x424 + x438 + big_sigma1(x436) + ch(x436, x432, x428);
        let x440 = x425 + x439;
        let x441 = x439 + big_sigma0(x437) + maj(x437, x433, x429);
        let x442 = x378 + x414 + small_sigma1(x434) + small_sigma0(x382);
        let x443 = 0xd6990624u + x428 + x442 + big_sigma1(x440) + ch(x440, x436, x432);
        let x444 = x429 + x443;
        let x445 = x443 + big_sigma0(x441) + maj(x441, x437, x433);
        let x446 = x382 + x418 + small_sigma1(x438) + small_sigma0(x386);
        let x447 = 0xf40e3585u + x432 + x446 + big_sigma1(x444) + ch(x444, x440, x436);
        let x448 = x433 + x447;
        let x449 = x447 + big_sigma0(x445) + maj(x445, x441, x437);
        let x450 = x386 + x422 + small_sigma1(x442) + small_sigma0(x390);
        let x451 = 0x106aa070u + x436 + x450 + big_sigma1(x448) + ch(x448, x444, x440);
        let x452 = x437 + x451;
        let x453 = x451 + big_sigma0(x449) + maj(x449, x445, x441);
        let x454 = x390 + x426 + small_sigma1(x446) + small_sigma0(x394);
        let x455 = 0x19a4c116u + x440 + x454 + big_sigma1(x452) + ch(x452, x448, x444);
        let x456 = x441 + x455;
        let x457 = x455 + big_sigma0(x453) + maj(x453, x449, x445);
        let x458 = x394 + x430 + small_sigma1(x450) + small_sigma0(x398);
        let x459 = 0x1e376c08u + x444 + x458 + big_sigma1(x456) + ch(x456, x452, x448);
        let x460 = x445 + x459;
        let x461 = x459 + big_sigma0(x457) + maj(x457, x453, x449);
        let x462 = x398 + x434 + small_sigma1(x454) + small_sigma0(x402);
        let x463 = 0x2748774cu + x448 + x462 + big_sigma1(x460) + ch(x460, x456, x452);
        let x464 = x449 + x463;
        let x465 = x463 + big_sigma0(x461) + maj(x461, x457, x453);
        let x466 = x402 + x438 + small_sigma1(x458) + small_sigma0(x406);
        let x467 = 0x34b0bcb5u + x452 + x466 + big_sigma1(x464) + ch(x464, x460, x456);
        let x468 = x453 + x467;
        let x469 = x467 + big_sigma0(x465) + maj(x465, x461, x457);
        let x470 = x406 + x442 + small_sigma1(x462) + small_sigma0(x410);
        let x471 = 0x391c0cb3u + x456 + x470 + big_sigma1(x468) + ch(x468, x464, x460);
        let x472 = x457 + x471;
        let x473 = x471 + big_sigma0(x469) + maj(x469, x465, x461);
        let x474 = x410 + x446 + small_sigma1(x466) + small_sigma0(x414);
        let x475 = 0x4ed8aa4au + x460 + x474 + big_sigma1(x472) + ch(x472, x468, x464);
        let x476 = x461 + x475;
        let x477 = x475 + big_sigma0(x473) + maj(x473, x469, x465);
        let x478 = x414 + x450 + small_sigma1(x470) + small_sigma0(x418);
        let x479 = 0x5b9cca4fu + x464 + x478 + big_sigma1(x476) + ch(x476, x472, x468);
        let x480 = x465 + x479;
        let x481 = x479 + big_sigma0(x477) + maj(x477, x473, x469);
        let x482 = x418 + x454 + small_sigma1(x474) + small_sigma0(x422);
        let x483 = 0x682e6ff3u + x468 + x482 + big_sigma1(x480) + ch(x480, x476, x472);
        let x484 = x469 + x483;
        let x485 = x483 + big_sigma0(x481) + maj(x481, x477, x473);
        let x486 = x422 + x458 + small_sigma1(x478) + small_sigma0(x426);
        let x487 = 0x748f82eeu + x472 + x486 + big_sigma1(x484) + ch(x484, x480, x476);
        let x488 = x473 + x487;
        let x489 = x426 + x462 + small_sigma1(x482) + small_sigma0(x430);
        let x490 = 0x78a5636fu + x476 + x477 + x489 + big_sigma1(x488) + ch(x488, x484, x480);
        let x491 = x430 + x466 + small_sigma1(x486) + small_sigma0(x434);
        let x492 = 0x84c87814u + x480 + x481 + x491 + big_sigma1(x490) + ch(x490, x488, x484);
        let x493 = 0x8cc70208u + x434 + x470 + x484 + x485 + small_sigma1(x489) + small_sigma0(x438) + big_sigma1(x492) + ch(x492, x490, x488);
        let last_word = 0xec9fcd13u + x438 + x474 + x487 + big_sigma0(x485) + maj(x485, x481, x477) + x488 + small_sigma1(x491) + small_sigma0(x442) + big_sigma1(x493) + ch(x493, x492, x490);
        if (last_word & job.mask) == 0u {
            let slot = atomicAdd(&hits.count, 1u);
            if slot < HITS_MAX {
                hits.nonces[slot] = nonce;
                hits.states[slot] = state;
            }
        }
    }
}
