//! What Monero's blocks pay, by the emission formula.
//!
//! The formula is run without the penalties of blocks that are larger than usual, because nobody's table has them. So
//! the supply is a little too high and the reward a little too low: the real chain reached the tail emission at height
//! 2,641,623, the formula at 2,639,513, and rewards differ by less than 0.3 %.

use std::sync::OnceLock;

use super::monero::TAIL_EMISSION_PICONERO;

/// From here on a block takes two minutes and pays for two.
const TWO_MINUTE_HEIGHT: u64 = 1_009_827;
/// What the first part of the emission is made of: 2^64 - 1 piconero.
const MONEY_SUPPLY: u128 = u64::MAX as u128;
/// A block of one minute pays this part of what is left: 2^-20.
const SPEED_FACTOR: u32 = 20;

/// Heights between two supplies that are kept.
const STEP: u64 = 10_000;

/// The supply at every `STEP`-th height, up to the tail emission.
struct Supplies {
    at_step: Vec<u128>,
    tail_height: u64,
    tail_supply: u128,
}

/// What the block at `height` pays when `generated` piconero exist.
fn reward(height: u64, generated: u128) -> u64 {
    let shift = if height < TWO_MINUTE_HEIGHT { SPEED_FACTOR } else { SPEED_FACTOR - 1 };
    // The tail emission is 0.3 XMR a minute, and blocks took one minute before it mattered.
    let base = MONEY_SUPPLY.saturating_sub(generated) >> shift;
    (base as u64).max(if height < TWO_MINUTE_HEIGHT { TAIL_EMISSION_PICONERO / 2 } else { TAIL_EMISSION_PICONERO })
}

fn supplies() -> &'static Supplies {
    static SUPPLIES: OnceLock<Supplies> = OnceLock::new();
    SUPPLIES.get_or_init(|| {
        let (mut at_step, mut generated, mut height) = (Vec::new(), 0, 0);
        loop {
            if height % STEP == 0 {
                at_step.push(generated);
            }
            let reward = reward(height, generated);
            if reward == TAIL_EMISSION_PICONERO {
                return Supplies { at_step, tail_height: height, tail_supply: generated };
            }
            generated += u128::from(reward);
            height += 1;
        }
    })
}

/// The piconero that exist before the block at `height`.
pub fn supply_piconero(height: u64) -> u128 {
    let supplies = supplies();
    if height >= supplies.tail_height {
        return supplies.tail_supply + u128::from(height - supplies.tail_height) * u128::from(TAIL_EMISSION_PICONERO);
    }
    let step = height / STEP;
    let start = supplies.at_step[step as usize];
    (step * STEP..height).fold(start, |generated, height| generated + u128::from(reward(height, generated)))
}

/// What the block at `height` pays without fees.
pub fn reward_piconero(height: u64) -> u64 {
    reward(height, supply_piconero(height))
}

/// What the blocks from `first` to before `end` pay on average, rounded; of an empty range what its first would pay.
pub fn mean_reward_piconero(first: u64, end: u64) -> u64 {
    if end <= first {
        return reward_piconero(first);
    }
    let blocks = u128::from(end - first);
    ((supply_piconero(end) - supply_piconero(first) + blocks / 2) / blocks) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_are_those_of_the_real_chain() {
        // Known to two decimals: block 0 paid 17.592186044415, exactly 2^64 - 1 over 2^20.
        assert_eq!(reward_piconero(0), 17_592_186_044_415);
        assert_eq!(reward_piconero(1), 17_592_169_267_200);
        // 1,312,000 (May 2017), 1,485,000 (January 2018), 1,978,433 (November 2019).
        for (height, xmr) in [(1_312_000, 7.55), (1_485_000, 5.43), (1_978_433, 2.12)] {
            let formula = reward_piconero(height) as f64 / 1e12;
            assert!((formula / xmr - 1.0).abs() < 0.003, "{height}: {formula}");
        }
    }

    #[test]
    fn the_tail_emission_is_reached_close_to_the_real_height_and_never_left() {
        assert_eq!(supplies().tail_height, 2_639_513);
        assert!(reward_piconero(2_639_512) > TAIL_EMISSION_PICONERO);
        for height in [2_639_513, 2_641_623, 4_000_000, u64::MAX / 2] {
            assert_eq!(reward_piconero(height), TAIL_EMISSION_PICONERO);
        }
    }

    #[test]
    fn blocks_of_two_minutes_pay_for_two() {
        let (before, after) = (reward_piconero(1_009_826), reward_piconero(1_009_827));
        assert!(after.abs_diff(2 * before) < 20_000_000, "{before}, {after}");
    }

    #[test]
    fn supplies_add_up_across_the_steps_that_are_kept() {
        for height in [9_999, 10_000, 1_009_827, 2_630_000, 2_639_512, 2_639_513] {
            let difference = supply_piconero(height + 1) - supply_piconero(height);
            assert_eq!(difference, u128::from(reward_piconero(height)), "{height}");
        }
        assert_eq!(mean_reward_piconero(5, 6), reward_piconero(5));
        assert_eq!(mean_reward_piconero(5, 5), reward_piconero(5));
        assert_eq!(mean_reward_piconero(3_000_000, 3_100_000), TAIL_EMISSION_PICONERO);
        let (first, last) = (reward_piconero(1_300_000), reward_piconero(1_389_999));
        let mean = mean_reward_piconero(1_300_000, 1_390_000);
        assert!(last < mean && mean < first);
    }
}
