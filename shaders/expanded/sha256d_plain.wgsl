// Scans nonces of one Bitcoin header for double SHA-256 hashes that are hits, one nonce per invocation.
//
// A line with a mark, two slashes and an at sign, is where the expansion of sha256d.wgsl goes.

struct Job {
    // The first nonce, and how many follow.
    first_nonce: u32,
    count: u32,
    // A hash is a hit when these bits of its last word are zero.
    mask: u32,
    // How many midstates there are: here it is always one.
    states: u32,
    // A one and a zero that the driver's compiler can't know, for some variants; then padding.
    one: u32,
    zero: u32,
    padding: vec2<u32>,
    // What the expansion needs of the header, computed by the host.
    words: array<vec4<u32>, JOB_VECTORS>,
}

struct Hits {
    // How many hits there were, stored or not.
    count: atomic<u32>,
    nonces: array<u32, HITS_MAX>,
}

const HITS_MAX = 4095u;
const WORKGROUP_SIZE = 64u;
const JOB_VECTORS = 7u;

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
fn scan(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let index = id.x + id.y * (workgroups.x * WORKGROUP_SIZE);
    // The last workgroups reach past the end of a ragged range.
    if index >= job.count {
        return;
    }
    let nonce = job.first_nonce + index;
    let j0 = job.words[0];
    let j1 = job.words[1];
    let j2 = job.words[2];
    let j3 = job.words[3];
    let j4 = job.words[4];
    let j5 = job.words[5];
    let j6 = job.words[6];
    let x0 = swap_bytes(nonce);
    let x1 = j0.x + x0;
    let x2 = j0.y + x0;
    let x3 = j1.x + big_sigma1(x1) + ch(x1, j0.z, j0.w);
    let x4 = j1.w + x3;
    let x5 = x3 + big_sigma0(x2) + maj(x2, j1.y, j1.z);
    let x6 = j2.x + big_sigma1(x4) + ch(x4, x1, j0.z);
    let x7 = j1.z + x6;
    let x8 = x6 + big_sigma0(x5) + maj(x5, x2, j1.y);
    let x9 = j2.y + big_sigma1(x7) + ch(x7, x4, x1);
    let x10 = j1.y + x9;
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
    let x39 = j2.z + x28 + big_sigma1(x37) + ch(x37, x34, x31);
    let x40 = x29 + x39;
    let x41 = x39 + big_sigma0(x38) + maj(x38, x35, x32);
    let x42 = j2.w + x31 + big_sigma1(x40) + ch(x40, x37, x34);
    let x43 = x32 + x42;
    let x44 = x42 + big_sigma0(x41) + maj(x41, x38, x35);
    let x45 = j3.x + small_sigma0(x0);
    let x46 = 0x0fc19dc6u + x34 + x45 + big_sigma1(x43) + ch(x43, x40, x37);
    let x47 = x35 + x46;
    let x48 = x46 + big_sigma0(x44) + maj(x44, x41, x38);
    let x49 = j3.y + x0;
    let x50 = 0x240ca1ccu + x37 + x49 + big_sigma1(x47) + ch(x47, x43, x40);
    let x51 = x38 + x50;
    let x52 = x50 + big_sigma0(x48) + maj(x48, x44, x41);
    let x53 = 0x80000000u + small_sigma1(x45);
    let x54 = 0x2de92c6fu + x40 + x53 + big_sigma1(x51) + ch(x51, x47, x43);
    let x55 = x41 + x54;
    let x56 = x54 + big_sigma0(x52) + maj(x52, x48, x44);
    let x57 = small_sigma1(x49);
    let x58 = 0x4a7484aau + x43 + x57 + big_sigma1(x55) + ch(x55, x51, x47);
    let x59 = x44 + x58;
    let x60 = x58 + big_sigma0(x56) + maj(x56, x52, x48);
    let x61 = 0x00000280u + small_sigma1(x53);
    let x62 = 0x5cb0a9dcu + x47 + x61 + big_sigma1(x59) + ch(x59, x55, x51);
    let x63 = x48 + x62;
    let x64 = x62 + big_sigma0(x60) + maj(x60, x56, x52);
    let x65 = j3.z + small_sigma1(x57);
    let x66 = 0x76f988dau + x51 + x65 + big_sigma1(x63) + ch(x63, x59, x55);
    let x67 = x52 + x66;
    let x68 = x66 + big_sigma0(x64) + maj(x64, x60, x56);
    let x69 = j3.w + small_sigma1(x61);
    let x70 = 0x983e5152u + x55 + x69 + big_sigma1(x67) + ch(x67, x63, x59);
    let x71 = x56 + x70;
    let x72 = x70 + big_sigma0(x68) + maj(x68, x64, x60);
    let x73 = x45 + small_sigma1(x65);
    let x74 = 0xa831c66du + x59 + x73 + big_sigma1(x71) + ch(x71, x67, x63);
    let x75 = x60 + x74;
    let x76 = x74 + big_sigma0(x72) + maj(x72, x68, x64);
    let x77 = x49 + small_sigma1(x69);
    let x78 = 0xb00327c8u + x63 + x77 + big_sigma1(x75) + ch(x75, x71, x67);
    let x79 = x64 + x78;
    let x80 = x78 + big_sigma0(x76) + maj(x76, x72, x68);
    let x81 = x53 + small_sigma1(x73);
    let x82 = 0xbf597fc7u + x67 + x81 + big_sigma1(x79) + ch(x79, x75, x71);
    let x83 = x68 + x82;
    let x84 = x82 + big_sigma0(x80) + maj(x80, x76, x72);
    let x85 = x57 + small_sigma1(x77);
    let x86 = 0xc6e00bf3u + x71 + x85 + big_sigma1(x83) + ch(x83, x79, x75);
    let x87 = x72 + x86;
    let x88 = x86 + big_sigma0(x84) + maj(x84, x80, x76);
    let x89 = x61 + small_sigma1(x81);
    let x90 = 0xd5a79147u + x75 + x89 + big_sigma1(x87) + ch(x87, x83, x79);
    let x91 = x76 + x90;
    let x92 = x90 + big_sigma0(x88) + maj(x88, x84, x80);
    let x93 = 0x00a00055u + x65 + small_sigma1(x85);
    let x94 = 0x06ca6351u + x79 + x93 + big_sigma1(x91) + ch(x91, x87, x83);
    let x95 = x80 + x94;
    let x96 = x94 + big_sigma0(x92) + maj(x92, x88, x84);
    let x97 = j4.x + x69 + small_sigma1(x89);
    let x98 = 0x14292967u + x83 + x97 + big_sigma1(x95) + ch(x95, x91, x87);
    let x99 = x84 + x98;
    let x100 = x98 + big_sigma0(x96) + maj(x96, x92, x88);
    let x101 = j4.y + x73 + small_sigma1(x93);
    let x102 = 0x27b70a85u + x87 + x101 + big_sigma1(x99) + ch(x99, x95, x91);
    let x103 = x88 + x102;
    let x104 = x102 + big_sigma0(x100) + maj(x100, x96, x92);
    let x105 = j3.w + x77 + small_sigma1(x97) + small_sigma0(x45);
    let x106 = 0x2e1b2138u + x91 + x105 + big_sigma1(x103) + ch(x103, x99, x95);
    let x107 = x92 + x106;
    let x108 = x106 + big_sigma0(x104) + maj(x104, x100, x96);
    let x109 = x45 + x81 + small_sigma1(x101) + small_sigma0(x49);
    let x110 = 0x4d2c6dfcu + x95 + x109 + big_sigma1(x107) + ch(x107, x103, x99);
    let x111 = x96 + x110;
    let x112 = x110 + big_sigma0(x108) + maj(x108, x104, x100);
    let x113 = x49 + x85 + small_sigma1(x105) + small_sigma0(x53);
    let x114 = 0x53380d13u + x99 + x113 + big_sigma1(x111) + ch(x111, x107, x103);
    let x115 = x100 + x114;
    let x116 = x114 + big_sigma0(x112) + maj(x112, x108, x104);
    let x117 = x53 + x89 + small_sigma1(x109) + small_sigma0(x57);
    let x118 = 0x650a7354u + x103 + x117 + big_sigma1(x115) + ch(x115, x111, x107);
    let x119 = x104 + x118;
    let x120 = x118 + big_sigma0(x116) + maj(x116, x112, x108);
    let x121 = x57 + x93 + small_sigma1(x113) + small_sigma0(x61);
    let x122 = 0x766a0abbu + x107 + x121 + big_sigma1(x119) + ch(x119, x115, x111);
    let x123 = x108 + x122;
    let x124 = x122 + big_sigma0(x120) + maj(x120, x116, x112);
    let x125 = x61 + x97 + small_sigma1(x117) + small_sigma0(x65);
    let x126 = 0x81c2c92eu + x111 + x125 + big_sigma1(x123) + ch(x123, x119, x115);
    let x127 = x112 + x126;
    let x128 = x126 + big_sigma0(x124) + maj(x124, x120, x116);
    let x129 = x65 + x101 + small_sigma1(x121) + small_sigma0(x69);
    let x130 = 0x92722c85u + x115 + x129 + big_sigma1(x127) + ch(x127, x123, x119);
    let x131 = x116 + x130;
    let x132 = x130 + big_sigma0(x128) + maj(x128, x124, x120);
    let x133 = x69 + x105 + small_sigma1(x125) + small_sigma0(x73);
    let x134 = 0xa2bfe8a1u + x119 + x133 + big_sigma1(x131) + ch(x131, x127, x123);
    let x135 = x120 + x134;
    let x136 = x134 + big_sigma0(x132) + maj(x132, x128, x124);
    let x137 = x73 + x109 + small_sigma1(x129) + small_sigma0(x77);
    let x138 = 0xa81a664bu + x123 + x137 + big_sigma1(x135) + ch(x135, x131, x127);
    let x139 = x124 + x138;
    let x140 = x138 + big_sigma0(x136) + maj(x136, x132, x128);
    let x141 = x77 + x113 + small_sigma1(x133) + small_sigma0(x81);
    let x142 = 0xc24b8b70u + x127 + x141 + big_sigma1(x139) + ch(x139, x135, x131);
    let x143 = x128 + x142;
    let x144 = x142 + big_sigma0(x140) + maj(x140, x136, x132);
    let x145 = x81 + x117 + small_sigma1(x137) + small_sigma0(x85);
    let x146 = 0xc76c51a3u + x131 + x145 + big_sigma1(x143) + ch(x143, x139, x135);
    let x147 = x132 + x146;
    let x148 = x146 + big_sigma0(x144) + maj(x144, x140, x136);
    let x149 = x85 + x121 + small_sigma1(x141) + small_sigma0(x89);
    let x150 = 0xd192e819u + x135 + x149 + big_sigma1(x147) + ch(x147, x143, x139);
    let x151 = x136 + x150;
    let x152 = x150 + big_sigma0(x148) + maj(x148, x144, x140);
    let x153 = x89 + x125 + small_sigma1(x145) + small_sigma0(x93);
    let x154 = 0xd6990624u + x139 + x153 + big_sigma1(x151) + ch(x151, x147, x143);
    let x155 = x140 + x154;
    let x156 = x154 + big_sigma0(x152) + maj(x152, x148, x144);
    let x157 = x93 + x129 + small_sigma1(x149) + small_sigma0(x97);
    let x158 = 0xf40e3585u + x143 + x157 + big_sigma1(x155) + ch(x155, x151, x147);
    let x159 = x144 + x158;
    let x160 = x158 + big_sigma0(x156) + maj(x156, x152, x148);
    let x161 = x97 + x133 + small_sigma1(x153) + small_sigma0(x101);
    let x162 = 0x106aa070u + x147 + x161 + big_sigma1(x159) + ch(x159, x155, x151);
    let x163 = x148 + x162;
    let x164 = x162 + big_sigma0(x160) + maj(x160, x156, x152);
    let x165 = x101 + x137 + small_sigma1(x157) + small_sigma0(x105);
    let x166 = 0x19a4c116u + x151 + x165 + big_sigma1(x163) + ch(x163, x159, x155);
    let x167 = x152 + x166;
    let x168 = x166 + big_sigma0(x164) + maj(x164, x160, x156);
    let x169 = x105 + x141 + small_sigma1(x161) + small_sigma0(x109);
    let x170 = 0x1e376c08u + x155 + x169 + big_sigma1(x167) + ch(x167, x163, x159);
    let x171 = x156 + x170;
    let x172 = x170 + big_sigma0(x168) + maj(x168, x164, x160);
    let x173 = x109 + x145 + small_sigma1(x165) + small_sigma0(x113);
    let x174 = 0x2748774cu + x159 + x173 + big_sigma1(x171) + ch(x171, x167, x163);
    let x175 = x160 + x174;
    let x176 = x174 + big_sigma0(x172) + maj(x172, x168, x164);
    let x177 = x113 + x149 + small_sigma1(x169) + small_sigma0(x117);
    let x178 = 0x34b0bcb5u + x163 + x177 + big_sigma1(x175) + ch(x175, x171, x167);
    let x179 = x164 + x178;
    let x180 = x178 + big_sigma0(x176) + maj(x176, x172, x168);
    let x181 = x117 + x153 + small_sigma1(x173) + small_sigma0(x121);
    let x182 = 0x391c0cb3u + x167 + x181 + big_sigma1(x179) + ch(x179, x175, x171);
    let x183 = x168 + x182;
    let x184 = x182 + big_sigma0(x180) + maj(x180, x176, x172);
    let x185 = x121 + x157 + small_sigma1(x177) + small_sigma0(x125);
    let x186 = 0x4ed8aa4au + x171 + x185 + big_sigma1(x183) + ch(x183, x179, x175);
    let x187 = x172 + x186;
    let x188 = x186 + big_sigma0(x184) + maj(x184, x180, x176);
    let x189 = x125 + x161 + small_sigma1(x181) + small_sigma0(x129);
    let x190 = 0x5b9cca4fu + x175 + x189 + big_sigma1(x187) + ch(x187, x183, x179);
    let x191 = x176 + x190;
    let x192 = x190 + big_sigma0(x188) + maj(x188, x184, x180);
    let x193 = x129 + x165 + small_sigma1(x185) + small_sigma0(x133);
    let x194 = 0x682e6ff3u + x179 + x193 + big_sigma1(x191) + ch(x191, x187, x183);
    let x195 = x180 + x194;
    let x196 = x194 + big_sigma0(x192) + maj(x192, x188, x184);
    let x197 = x133 + x169 + small_sigma1(x189) + small_sigma0(x137);
    let x198 = 0x748f82eeu + x183 + x197 + big_sigma1(x195) + ch(x195, x191, x187);
    let x199 = x184 + x198;
    let x200 = x198 + big_sigma0(x196) + maj(x196, x192, x188);
    let x201 = x137 + x173 + small_sigma1(x193) + small_sigma0(x141);
    let x202 = 0x78a5636fu + x187 + x201 + big_sigma1(x199) + ch(x199, x195, x191);
    let x203 = x188 + x202;
    let x204 = x202 + big_sigma0(x200) + maj(x200, x196, x192);
    let x205 = x141 + x177 + small_sigma1(x197) + small_sigma0(x145);
    let x206 = 0x84c87814u + x191 + x205 + big_sigma1(x203) + ch(x203, x199, x195);
    let x207 = x192 + x206;
    let x208 = x206 + big_sigma0(x204) + maj(x204, x200, x196);
    let x209 = x145 + x181 + small_sigma1(x201) + small_sigma0(x149);
    let x210 = 0x8cc70208u + x195 + x209 + big_sigma1(x207) + ch(x207, x203, x199);
    let x211 = x196 + x210;
    let x212 = x210 + big_sigma0(x208) + maj(x208, x204, x200);
    let x213 = x149 + x185 + small_sigma1(x205) + small_sigma0(x153);
    let x214 = 0x90befffau + x199 + x213 + big_sigma1(x211) + ch(x211, x207, x203);
    let x215 = x200 + x214;
    let x216 = x214 + big_sigma0(x212) + maj(x212, x208, x204);
    let x217 = x153 + x189 + small_sigma1(x209) + small_sigma0(x157);
    let x218 = 0xa4506cebu + x203 + x217 + big_sigma1(x215) + ch(x215, x211, x207);
    let x219 = x204 + x218;
    let x220 = x218 + big_sigma0(x216) + maj(x216, x212, x208);
    let x221 = 0xbef9a3f7u + x157 + x193 + x207 + small_sigma1(x213) + small_sigma0(x161) + big_sigma1(x219) + ch(x219, x215, x211);
    let x222 = x208 + x221;
    let x223 = x221 + big_sigma0(x220) + maj(x220, x216, x212);
    let x224 = 0xc67178f2u + x161 + x197 + x211 + small_sigma1(x217) + small_sigma0(x165) + big_sigma1(x222) + ch(x222, x219, x215);
    let x225 = j4.z + x224 + big_sigma0(x223) + maj(x223, x220, x216);
    let x226 = j4.w + x223;
    let x227 = j5.x + x220;
    let x228 = j5.y + x216;
    let x229 = j5.z + x212 + x224;
    let x230 = j5.w + x222;
    let x231 = j6.x + x219;
    let x232 = j6.y + x215;
    let x233 = 0x98c7e2a2u + x225;
    let x234 = 0xfc08884du + x225;
    let x235 = 0x90bb1e3cu + x226 + big_sigma1(x233) + ch(x233, 0x510e527fu, 0x9b05688cu);
    let x236 = 0x3c6ef372u + x235;
    let x237 = x235 + big_sigma0(x234) + maj(x234, 0x6a09e667u, 0xbb67ae85u);
    let x238 = 0x50c6645bu + x227 + big_sigma1(x236) + ch(x236, x233, 0x510e527fu);
    let x239 = 0xbb67ae85u + x238;
    let x240 = x238 + big_sigma0(x237) + maj(x237, x234, 0x6a09e667u);
    let x241 = 0x3ac42e24u + x228 + big_sigma1(x239) + ch(x239, x236, x233);
    let x242 = 0x6a09e667u + x241;
    let x243 = x241 + big_sigma0(x240) + maj(x240, x237, x234);
    let x244 = 0x3956c25bu + x229 + x233 + big_sigma1(x242) + ch(x242, x239, x236);
    let x245 = x234 + x244;
    let x246 = x244 + big_sigma0(x243) + maj(x243, x240, x237);
    let x247 = 0x59f111f1u + x230 + x236 + big_sigma1(x245) + ch(x245, x242, x239);
    let x248 = x237 + x247;
    let x249 = x247 + big_sigma0(x246) + maj(x246, x243, x240);
    let x250 = 0x923f82a4u + x231 + x239 + big_sigma1(x248) + ch(x248, x245, x242);
    let x251 = x240 + x250;
    let x252 = x250 + big_sigma0(x249) + maj(x249, x246, x243);
    let x253 = 0xab1c5ed5u + x232 + x242 + big_sigma1(x251) + ch(x251, x248, x245);
    let x254 = x243 + x253;
    let x255 = x253 + big_sigma0(x252) + maj(x252, x249, x246);
    let x256 = 0x5807aa98u + x245 + big_sigma1(x254) + ch(x254, x251, x248);
    let x257 = x246 + x256;
    let x258 = x256 + big_sigma0(x255) + maj(x255, x252, x249);
    let x259 = 0x12835b01u + x248 + big_sigma1(x257) + ch(x257, x254, x251);
    let x260 = x249 + x259;
    let x261 = x259 + big_sigma0(x258) + maj(x258, x255, x252);
    let x262 = 0x243185beu + x251 + big_sigma1(x260) + ch(x260, x257, x254);
    let x263 = x252 + x262;
    let x264 = x262 + big_sigma0(x261) + maj(x261, x258, x255);
    let x265 = 0x550c7dc3u + x254 + big_sigma1(x263) + ch(x263, x260, x257);
    let x266 = x255 + x265;
    let x267 = x265 + big_sigma0(x264) + maj(x264, x261, x258);
    let x268 = 0x72be5d74u + x257 + big_sigma1(x266) + ch(x266, x263, x260);
    let x269 = x258 + x268;
    let x270 = x268 + big_sigma0(x267) + maj(x267, x264, x261);
    let x271 = 0x80deb1feu + x260 + big_sigma1(x269) + ch(x269, x266, x263);
    let x272 = x261 + x271;
    let x273 = x271 + big_sigma0(x270) + maj(x270, x267, x264);
    let x274 = 0x9bdc06a7u + x263 + big_sigma1(x272) + ch(x272, x269, x266);
    let x275 = x264 + x274;
    let x276 = x274 + big_sigma0(x273) + maj(x273, x270, x267);
    let x277 = 0xc19bf274u + x266 + big_sigma1(x275) + ch(x275, x272, x269);
    let x278 = x267 + x277;
    let x279 = x277 + big_sigma0(x276) + maj(x276, x273, x270);
    let x280 = x225 + small_sigma0(x226);
    let x281 = 0xe49b69c1u + x269 + x280 + big_sigma1(x278) + ch(x278, x275, x272);
    let x282 = x270 + x281;
    let x283 = x281 + big_sigma0(x279) + maj(x279, x276, x273);
    let x284 = 0x00a00000u + x226 + small_sigma0(x227);
    let x285 = 0xefbe4786u + x272 + x284 + big_sigma1(x282) + ch(x282, x278, x275);
    let x286 = x273 + x285;
    let x287 = x285 + big_sigma0(x283) + maj(x283, x279, x276);
    let x288 = x227 + small_sigma1(x280) + small_sigma0(x228);
    let x289 = 0x0fc19dc6u + x275 + x288 + big_sigma1(x286) + ch(x286, x282, x278);
    let x290 = x276 + x289;
    let x291 = x289 + big_sigma0(x287) + maj(x287, x283, x279);
    let x292 = x228 + small_sigma1(x284) + small_sigma0(x229);
    let x293 = 0x240ca1ccu + x278 + x292 + big_sigma1(x290) + ch(x290, x286, x282);
    let x294 = x279 + x293;
    let x295 = x293 + big_sigma0(x291) + maj(x291, x287, x283);
    let x296 = x229 + small_sigma1(x288) + small_sigma0(x230);
    let x297 = 0x2de92c6fu + x282 + x296 + big_sigma1(x294) + ch(x294, x290, x286);
    let x298 = x283 + x297;
    let x299 = x297 + big_sigma0(x295) + maj(x295, x291, x287);
    let x300 = x230 + small_sigma1(x292) + small_sigma0(x231);
    let x301 = 0x4a7484aau + x286 + x300 + big_sigma1(x298) + ch(x298, x294, x290);
    let x302 = x287 + x301;
    let x303 = x301 + big_sigma0(x299) + maj(x299, x295, x291);
    let x304 = 0x00000100u + x231 + small_sigma1(x296) + small_sigma0(x232);
    let x305 = 0x5cb0a9dcu + x290 + x304 + big_sigma1(x302) + ch(x302, x298, x294);
    let x306 = x291 + x305;
    let x307 = x305 + big_sigma0(x303) + maj(x303, x299, x295);
    let x308 = 0x11002000u + x232 + x280 + small_sigma1(x300);
    let x309 = 0x76f988dau + x294 + x308 + big_sigma1(x306) + ch(x306, x302, x298);
    let x310 = x295 + x309;
    let x311 = x309 + big_sigma0(x307) + maj(x307, x303, x299);
    let x312 = 0x80000000u + x284 + small_sigma1(x304);
    let x313 = 0x983e5152u + x298 + x312 + big_sigma1(x310) + ch(x310, x306, x302);
    let x314 = x299 + x313;
    let x315 = x313 + big_sigma0(x311) + maj(x311, x307, x303);
    let x316 = x288 + small_sigma1(x308);
    let x317 = 0xa831c66du + x302 + x316 + big_sigma1(x314) + ch(x314, x310, x306);
    let x318 = x303 + x317;
    let x319 = x317 + big_sigma0(x315) + maj(x315, x311, x307);
    let x320 = x292 + small_sigma1(x312);
    let x321 = 0xb00327c8u + x306 + x320 + big_sigma1(x318) + ch(x318, x314, x310);
    let x322 = x307 + x321;
    let x323 = x321 + big_sigma0(x319) + maj(x319, x315, x311);
    let x324 = x296 + small_sigma1(x316);
    let x325 = 0xbf597fc7u + x310 + x324 + big_sigma1(x322) + ch(x322, x318, x314);
    let x326 = x311 + x325;
    let x327 = x325 + big_sigma0(x323) + maj(x323, x319, x315);
    let x328 = x300 + small_sigma1(x320);
    let x329 = 0xc6e00bf3u + x314 + x328 + big_sigma1(x326) + ch(x326, x322, x318);
    let x330 = x315 + x329;
    let x331 = x329 + big_sigma0(x327) + maj(x327, x323, x319);
    let x332 = x304 + small_sigma1(x324);
    let x333 = 0xd5a79147u + x318 + x332 + big_sigma1(x330) + ch(x330, x326, x322);
    let x334 = x319 + x333;
    let x335 = x333 + big_sigma0(x331) + maj(x331, x327, x323);
    let x336 = 0x00400022u + x308 + small_sigma1(x328);
    let x337 = 0x06ca6351u + x322 + x336 + big_sigma1(x334) + ch(x334, x330, x326);
    let x338 = x323 + x337;
    let x339 = x337 + big_sigma0(x335) + maj(x335, x331, x327);
    let x340 = 0x00000100u + x312 + small_sigma1(x332) + small_sigma0(x280);
    let x341 = 0x14292967u + x326 + x340 + big_sigma1(x338) + ch(x338, x334, x330);
    let x342 = x327 + x341;
    let x343 = x341 + big_sigma0(x339) + maj(x339, x335, x331);
    let x344 = x280 + x316 + small_sigma1(x336) + small_sigma0(x284);
    let x345 = 0x27b70a85u + x330 + x344 + big_sigma1(x342) + ch(x342, x338, x334);
    let x346 = x331 + x345;
    let x347 = x345 + big_sigma0(x343) + maj(x343, x339, x335);
    let x348 = x284 + x320 + small_sigma1(x340) + small_sigma0(x288);
    let x349 = 0x2e1b2138u + x334 + x348 + big_sigma1(x346) + ch(x346, x342, x338);
    let x350 = x335 + x349;
    let x351 = x349 + big_sigma0(x347) + maj(x347, x343, x339);
    let x352 = x288 + x324 + small_sigma1(x344) + small_sigma0(x292);
    let x353 = 0x4d2c6dfcu + x338 + x352 + big_sigma1(x350) + ch(x350, x346, x342);
    let x354 = x339 + x353;
    let x355 = x353 + big_sigma0(x351) + maj(x351, x347, x343);
    let x356 = x292 + x328 + small_sigma1(x348) + small_sigma0(x296);
    let x357 = 0x53380d13u + x342 + x356 + big_sigma1(x354) + ch(x354, x350, x346);
    let x358 = x343 + x357;
    let x359 = x357 + big_sigma0(x355) + maj(x355, x351, x347);
    let x360 = x296 + x332 + small_sigma1(x352) + small_sigma0(x300);
    let x361 = 0x650a7354u + x346 + x360 + big_sigma1(x358) + ch(x358, x354, x350);
    let x362 = x347 + x361;
    let x363 = x361 + big_sigma0(x359) + maj(x359, x355, x351);
    let x364 = x300 + x336 + small_sigma1(x356) + small_sigma0(x304);
    let x365 = 0x766a0abbu + x350 + x364 + big_sigma1(x362) + ch(x362, x358, x354);
    let x366 = x351 + x365;
    let x367 = x365 + big_sigma0(x363) + maj(x363, x359, x355);
    let x368 = x304 + x340 + small_sigma1(x360) + small_sigma0(x308);
    let x369 = 0x81c2c92eu + x354 + x368 + big_sigma1(x366) + ch(x366, x362, x358);
    let x370 = x355 + x369;
    let x371 = x369 + big_sigma0(x367) + maj(x367, x363, x359);
    let x372 = x308 + x344 + small_sigma1(x364) + small_sigma0(x312);
    let x373 = 0x92722c85u + x358 + x372 + big_sigma1(x370) + ch(x370, x366, x362);
    let x374 = x359 + x373;
    let x375 = x373 + big_sigma0(x371) + maj(x371, x367, x363);
    let x376 = x312 + x348 + small_sigma1(x368) + small_sigma0(x316);
    let x377 = 0xa2bfe8a1u + x362 + x376 + big_sigma1(x374) + ch(x374, x370, x366);
    let x378 = x363 + x377;
    let x379 = x377 + big_sigma0(x375) + maj(x375, x371, x367);
    let x380 = x316 + x352 + small_sigma1(x372) + small_sigma0(x320);
    let x381 = 0xa81a664bu + x366 + x380 + big_sigma1(x378) + ch(x378, x374, x370);
    let x382 = x367 + x381;
    let x383 = x381 + big_sigma0(x379) + maj(x379, x375, x371);
    let x384 = x320 + x356 + small_sigma1(x376) + small_sigma0(x324);
    let x385 = 0xc24b8b70u + x370 + x384 + big_sigma1(x382) + ch(x382, x378, x374);
    let x386 = x371 + x385;
    let x387 = x385 + big_sigma0(x383) + maj(x383, x379, x375);
    let x388 = x324 + x360 + small_sigma1(x380) + small_sigma0(x328);
    let x389 = 0xc76c51a3u + x374 + x388 + big_sigma1(x386) + ch(x386, x382, x378);
    let x390 = x375 + x389;
    let x391 = x389 + big_sigma0(x387) + maj(x387, x383, x379);
    let x392 = x328 + x364 + small_sigma1(x384) + small_sigma0(x332);
    let x393 = 0xd192e819u + x378 + x392 + big_sigma1(x390) + ch(x390, x386, x382);
    let x394 = x379 + x393;
    let x395 = x393 + big_sigma0(x391) + maj(x391, x387, x383);
    let x396 = x332 + x368 + small_sigma1(x388) + small_sigma0(x336);
    let x397 = 0xd6990624u + x382 + x396 + big_sigma1(x394) + ch(x394, x390, x386);
    let x398 = x383 + x397;
    let x399 = x397 + big_sigma0(x395) + maj(x395, x391, x387);
    let x400 = x336 + x372 + small_sigma1(x392) + small_sigma0(x340);
    let x401 = 0xf40e3585u + x386 + x400 + big_sigma1(x398) + ch(x398, x394, x390);
    let x402 = x387 + x401;
    let x403 = x401 + big_sigma0(x399) + maj(x399, x395, x391);
    let x404 = x340 + x376 + small_sigma1(x396) + small_sigma0(x344);
    let x405 = 0x106aa070u + x390 + x404 + big_sigma1(x402) + ch(x402, x398, x394);
    let x406 = x391 + x405;
    let x407 = x405 + big_sigma0(x403) + maj(x403, x399, x395);
    let x408 = x344 + x380 + small_sigma1(x400) + small_sigma0(x348);
    let x409 = 0x19a4c116u + x394 + x408 + big_sigma1(x406) + ch(x406, x402, x398);
    let x410 = x395 + x409;
    let x411 = x409 + big_sigma0(x407) + maj(x407, x403, x399);
    let x412 = x348 + x384 + small_sigma1(x404) + small_sigma0(x352);
    let x413 = 0x1e376c08u + x398 + x412 + big_sigma1(x410) + ch(x410, x406, x402);
    let x414 = x399 + x413;
    let x415 = x413 + big_sigma0(x411) + maj(x411, x407, x403);
    let x416 = x352 + x388 + small_sigma1(x408) + small_sigma0(x356);
    let x417 = 0x2748774cu + x402 + x416 + big_sigma1(x414) + ch(x414, x410, x406);
    let x418 = x403 + x417;
    let x419 = x417 + big_sigma0(x415) + maj(x415, x411, x407);
    let x420 = x356 + x392 + small_sigma1(x412) + small_sigma0(x360);
    let x421 = 0x34b0bcb5u + x406 + x420 + big_sigma1(x418) + ch(x418, x414, x410);
    let x422 = x407 + x421;
    let x423 = x421 + big_sigma0(x419) + maj(x419, x415, x411);
    let x424 = x360 + x396 + small_sigma1(x416) + small_sigma0(x364);
    let x425 = 0x391c0cb3u + x410 + x424 + big_sigma1(x422) + ch(x422, x418, x414);
    let x426 = x411 + x425;
    let x427 = x425 + big_sigma0(x423) + maj(x423, x419, x415);
    let x428 = x364 + x400 + small_sigma1(x420) + small_sigma0(x368);
    let x429 = 0x4ed8aa4au + x414 + x428 + big_sigma1(x426) + ch(x426, x422, x418);
    let x430 = x415 + x429;
    let x431 = x429 + big_sigma0(x427) + maj(x427, x423, x419);
    let x432 = x368 + x404 + small_sigma1(x424) + small_sigma0(x372);
    let x433 = 0x5b9cca4fu + x418 + x432 + big_sigma1(x430) + ch(x430, x426, x422);
    let x434 = x419 + x433;
    let x435 = x433 + big_sigma0(x431) + maj(x431, x427, x423);
    let x436 = x372 + x408 + small_sigma1(x428) + small_sigma0(x376);
    let x437 = 0x682e6ff3u + x422 + x436 + big_sigma1(x434) + ch(x434, x430, x426);
    let x438 = x423 + x437;
    let x439 = x437 + big_sigma0(x435) + maj(x435, x431, x427);
    let x440 = x376 + x412 + small_sigma1(x432) + small_sigma0(x380);
    let x441 = 0x748f82eeu + x426 + x440 + big_sigma1(x438) + ch(x438, x434, x430);
    let x442 = x427 + x441;
    let x443 = x380 + x416 + small_sigma1(x436) + small_sigma0(x384);
    let x444 = 0x78a5636fu + x430 + x431 + x443 + big_sigma1(x442) + ch(x442, x438, x434);
    let x445 = x384 + x420 + small_sigma1(x440) + small_sigma0(x388);
    let x446 = 0x84c87814u + x434 + x435 + x445 + big_sigma1(x444) + ch(x444, x442, x438);
    let x447 = 0x8cc70208u + x388 + x424 + x438 + x439 + small_sigma1(x443) + small_sigma0(x392) + big_sigma1(x446) + ch(x446, x444, x442);
    let last_word = 0xec9fcd13u + x392 + x428 + x441 + big_sigma0(x439) + maj(x439, x435, x431) + x442 + small_sigma1(x445) + small_sigma0(x396) + big_sigma1(x447) + ch(x447, x446, x444);
    if (last_word & job.mask) == 0u {
        let slot = atomicAdd(&hits.count, 1u);
        if slot < HITS_MAX {
            hits.nonces[slot] = nonce;
        }
    }
}
