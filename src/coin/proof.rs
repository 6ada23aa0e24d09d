//! Which proof of work a coin's blocks had at which height.

use super::Coin;

/// A proof of work, from a height on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The first block that has it.
    pub from_height: u64,
    /// Its name as `--algorithm` spells it: rates of the same name may earn the same coins.
    pub algorithm: &'static str,
    /// Its name in full, with the variant.
    pub name: &'static str,
}

const BITCOIN: [Proof; 1] = [Proof { from_height: 0, algorithm: "sha256d", name: "SHA-256d" }];

/// By `src/hardforks/hardforks.cpp` of Monero.
const MONERO: [Proof; 5] = [
    Proof { from_height: 0, algorithm: "cryptonight", name: "CryptoNight" },
    Proof { from_height: 1_546_000, algorithm: "cryptonight", name: "CryptoNight variant 1" },
    Proof { from_height: 1_685_555, algorithm: "cryptonight", name: "CryptoNight variant 2" },
    Proof { from_height: 1_788_000, algorithm: "cryptonight", name: "CryptoNight-R" },
    Proof { from_height: super::monero::RANDOMX_HEIGHT, algorithm: "randomx-v1", name: "RandomX" },
];

/// The proofs of work of a coin's blocks, in order.
pub const fn proofs(coin: Coin) -> &'static [Proof] {
    match coin {
        Coin::Btc => &BITCOIN,
        Coin::Xmr => &MONERO,
    }
}

/// The proof of work of the block at `height`.
pub fn proof_at(coin: Coin, height: u64) -> Proof {
    let proofs = proofs(coin);
    proofs[proofs.partition_point(|proof| proof.from_height <= height) - 1]
}

impl Coin {
    /// The coin whose blocks an algorithm proves, or proved once.
    pub fn of_algorithm(algorithm: &str) -> Option<Self> {
        [Self::Btc, Self::Xmr].into_iter().find(|coin| proofs(*coin).iter().any(|proof| proof.algorithm == algorithm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monero_changed_its_proof_of_work_four_times() {
        for (height, algorithm, name) in [
            (0, "cryptonight", "CryptoNight"),
            (1_312_000, "cryptonight", "CryptoNight"),
            (1_545_999, "cryptonight", "CryptoNight"),
            (1_546_000, "cryptonight", "CryptoNight variant 1"),
            (1_700_000, "cryptonight", "CryptoNight variant 2"),
            (1_978_432, "cryptonight", "CryptoNight-R"),
            (1_978_433, "randomx-v1", "RandomX"),
            (u64::MAX, "randomx-v1", "RandomX"),
        ] {
            let proof = proof_at(Coin::Xmr, height);
            assert_eq!((proof.algorithm, proof.name), (algorithm, name), "{height}");
        }
        assert_eq!(proof_at(Coin::Btc, 0).algorithm, "sha256d");
    }

    #[test]
    fn an_algorithm_tells_its_coin() {
        for (algorithm, coin) in [("sha256d", Coin::Btc), ("randomx-v1", Coin::Xmr), ("cryptonight", Coin::Xmr)] {
            assert_eq!(Coin::of_algorithm(algorithm), Some(coin));
        }
        assert_eq!((Coin::of_algorithm("randomx-v2"), Coin::of_algorithm("md5")), (None, None));
    }

    #[test]
    fn the_last_proof_is_the_one_that_engines_are_measured_for() {
        for coin in [Coin::Btc, Coin::Xmr] {
            assert_eq!(proof_at(coin, u64::MAX).algorithm, coin.algorithm());
        }
    }
}
