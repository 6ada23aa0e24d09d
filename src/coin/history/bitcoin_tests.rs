//! The table of epochs proves itself as far as it can, and windows over it give the figures of exact arithmetic.

use jiff::civil::{Date, date};
use sha2::{Digest, Sha256};

use super::super::{History, Window};
use super::*;

const HEADERS: &str = include_str!("../../../data/bitcoin_headers.csv");

struct Header {
    height: u64,
    hash: String,
    raw: Vec<u8>,
}

impl Header {
    fn word(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.raw[offset..offset + 4].try_into().unwrap())
    }

    fn time_s(&self) -> i64 {
        i64::from(self.word(68))
    }

    fn bits(&self) -> CompactTarget {
        CompactTarget(self.word(72))
    }

    fn begins_epoch(&self) -> bool {
        self.height.is_multiple_of(EPOCH_BLOCKS)
    }
}

fn headers() -> Vec<Header> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(HEADERS.as_bytes());
    let header = |record: StringRecord| Header {
        height: record[0].parse().unwrap(),
        hash: record[1].to_owned(),
        raw: const_hex::decode(&record[2]).unwrap(),
    };
    reader.records().map(|record| header(record.unwrap())).collect()
}

/// The table as text, cell by cell.
fn rows() -> Vec<StringRecord> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(BUILT_IN.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

fn stretches(from: Date, to: Date, growth: Option<Growth>) -> Result<Vec<Stretch>, HistoryError> {
    History::built_in(Coin::Btc).stretches(Window::new(from, to).unwrap(), growth)
}

/// Coins that a rate finds over a window.
fn coins(rate_hps: f64, from: Date, to: Date) -> f64 {
    let of = |part: &Stretch| part.seconds() * part.subsidy_coins(Coin::Btc) / part.hashes_expected_per_block();
    stretches(from, to, None).unwrap().iter().map(|part| rate_hps * of(part)).sum()
}

#[test]
fn every_header_proves_itself_and_stands_in_its_epoch() {
    let table = EpochTable::built_in();
    let headers = headers();
    assert_eq!(headers.len(), 63);
    for header in &headers {
        assert_eq!(header.raw.len(), 80);
        let mut hash: [u8; 32] = Sha256::digest(Sha256::digest(&header.raw)).into();
        assert!(Target::try_from(header.bits()).unwrap().is_met_by(&hash), "{}", header.height);
        hash.reverse();
        assert_eq!(const_hex::encode(hash), header.hash, "{}", header.height);
        let epoch = table.epoch_of(header.height).unwrap();
        assert_eq!(epoch.bits, header.bits(), "{}", header.height);
        let since_s = header.time_s() - epoch.start_s;
        if header.begins_epoch() {
            assert_eq!(since_s, 0, "{}", header.height);
        } else {
            // Its place within the epoch, at ten minutes a block, within a third of the epoch.
            let expected_s = (header.height - epoch.height) as i64 * 600;
            assert!((since_s - expected_s).abs() < 400_000, "{}: {since_s} s", header.height);
        }
    }
}

#[test]
fn targets_follow_from_the_times_in_headers() {
    let headers = headers();
    let mut pairs = 0;
    for pair in headers.windows(2).filter(|pair| pair.iter().all(Header::begins_epoch)) {
        if pair[1].height != pair[0].height + EPOCH_BLOCKS || pair[0].height < 32_256 {
            continue;
        }
        // The rule measures to the epoch's last block, which came just before the next epoch's first.
        let [before, after] = [&pair[0], &pair[1]].map(|header| Target::try_from(header.bits()).unwrap());
        let taken_s = pair[1].time_s() - pair[0].time_s();
        assert!((taken_s - seconds_of(before, after)).abs() < 7_200, "{}", pair[1].height);
        pairs += 1;
    }
    assert!(pairs > 30, "{pairs}");
}

#[test]
fn bits_are_in_the_form_of_headers_and_change_within_the_rules() {
    let table = EpochTable::built_in();
    assert_eq!(table.epochs().len(), 474);
    for (index, epoch) in table.epochs().iter().enumerate() {
        assert_eq!(epoch.height, index as u64 * EPOCH_BLOCKS);
        assert_eq!(epoch.target.to_compact(), epoch.bits, "{}", epoch.height);
        assert!(epoch.target <= Target::DIFFICULTY_1, "{}", epoch.height);
    }
    for pair in table.epochs().windows(2) {
        assert!(pair[0].start_s < pair[1].start_s, "{}", pair[1].height);
        let [before, after] = [pair[0].target.to_u256(), pair[1].target.to_u256()];
        let four = U256::from(4);
        assert!(after <= before * four && before <= (after + U256::ONE) * four, "{}", pair[1].height);
    }
}

/// Between two headers the walk along the ratios of targets is stretched evenly, so that it arrives.
#[test]
fn derived_starts_are_those_of_the_rule() {
    let table = EpochTable::built_in();
    let epochs = table.epochs();
    let anchors: Vec<usize> = headers()
        .iter()
        .filter(|header| header.begins_epoch())
        .map(|header| (header.height / EPOCH_BLOCKS) as usize)
        .collect();
    let rows = rows();
    let step = |index: usize| seconds_of(epochs[index].target, epochs[index + 1].target);
    let mut expected_s: Vec<i64> = vec![0; epochs.len()];
    for (position, &anchor) in anchors.iter().enumerate() {
        let next = anchors.get(position + 1).copied();
        let mut walked_s = epochs[anchor].start_s;
        expected_s[anchor] = walked_s;
        let end = next.unwrap_or(epochs.len());
        let mut walk = vec![walked_s];
        for index in anchor..end.min(epochs.len() - 1) {
            walked_s += step(index);
            walk.push(walked_s);
        }
        let missing_s = next.map_or(0, |next| epochs[next].start_s - walked_s);
        for index in anchor + 1..end {
            let count = (index - anchor) as i64;
            let share_s = (missing_s * count).div_euclid((end - anchor) as i64);
            expected_s[index] = walk[index - anchor] + share_s;
        }
    }
    for (index, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch.start_s, expected_s[index], "{}", epoch.height);
        let start_is = match (anchors.contains(&index), index) {
            (true, _) => "header",
            (false, 0..16) => "interpolated",
            (false, _) => "derived",
        };
        assert_eq!(&rows[index][3], start_is, "{}", epoch.height);
        let source = match index {
            0 => "genesis",
            1..=371 => "electrum-4.3.4",
            _ => "electrum-2026-07",
        };
        assert_eq!(&rows[index][4], source, "{}", epoch.height);
    }
}

#[test]
fn the_epochs_of_2017_and_early_2018_are_anchored_on_headers() {
    let anchored: Vec<u64> =
        headers().iter().filter(|header| header.begins_epoch()).map(|header| header.height).collect();
    for height in (447_552..=524_160).step_by(2016) {
        assert!(anchored.contains(&height), "{height}");
    }
    let table = EpochTable::built_in();
    assert_eq!(format_moment(table.epoch_of(447_552).unwrap().start_s), "2017-01-10T22:40:52Z");
    assert_eq!(format_moment(table.epoch_of(524_160).unwrap().start_s), "2018-05-24T13:20:53Z");
}

#[test]
fn known_difficulties_stand_at_their_heights() {
    let table = EpochTable::built_in();
    for (height, bits, difficulty) in [
        (0, 0x1d00_ffff, "1.00"),
        (32_256, 0x1d00_d86a, "1.18"),
        (465_696, 0x1801_f6a7, "559970892890.84"),
        (483_840, 0x1801_310b, "922724699725.96"),
        (512_064, 0x1755_89a3, "3290605988755.00"),
        (953_568, 0x1702_40c3, "124932866006548.16"),
    ] {
        let epoch = table.epoch_of(height + 2015).unwrap();
        assert_eq!((epoch.height, epoch.bits), (height, CompactTarget(bits)));
        assert_eq!(format!("{:.2}", epoch.target.difficulty()), difficulty);
    }
    assert_eq!(table.last_height(), 955_583);
    let error = table.epoch_of(955_584).unwrap_err().to_string();
    assert_eq!(error, "block 955584 lies past the data: what is known of Bitcoin ends with block 955583");
}

/// Difficulty 1 is 0xffff * 2^208, so work is difficulty * 2^48 / 0xffff, but for the + 1 in the rule.
#[test]
fn work_is_difficulty_times_4295032833_to_all_digits_of_a_float() {
    for epoch in EpochTable::built_in().epochs() {
        let work = ratio_f64(U512::from(epoch.target.work().to_u256()), U512::from(1));
        let ratio = work / (epoch.target.difficulty() * 4_295_032_833.000_015);
        // The work is rounded down to a whole number, which shows where it is small.
        let granularity = 1.0 / work;
        assert!((ratio - 1.0).abs() <= 3.0 * f64::EPSILON + granularity, "{}: {ratio}", epoch.height);
    }
}

/// By exact rational arithmetic elsewhere, over the same headers.
#[test]
fn an_s9_found_this_much_in_the_two_windows_of_the_articles() {
    let first = coins(13.5e12, date(2017, 5, 17), date(2017, 7, 6));
    assert!((first / 0.266_003_66 - 1.0).abs() < 1e-7, "{first}");
    let second = coins(13.5e12, date(2018, 1, 24), date(2018, 3, 15));
    assert!((second / 0.059_943_27 - 1.0).abs() < 1e-7, "{second}");
    let kwh = 1.323 * 24.0 * 51.0;
    assert!((kwh / first / 6_087.6 - 1.0).abs() < 1e-4, "{}", kwh / first);
    assert!((kwh / second / 27_014.7 - 1.0).abs() < 1e-4, "{}", kwh / second);
}

#[test]
fn a_window_is_covered_without_a_gap_and_cut_at_retargets_and_halvings() {
    let parts = stretches(date(2016, 7, 1), date(2016, 7, 31), None).unwrap();
    assert_eq!(parts.iter().map(Stretch::seconds).sum::<f64>(), 31.0 * 86_400.0);
    assert!(parts.windows(2).all(|pair| pair[0].end_s == pair[1].start_s));
    let subsidies: Vec<u64> = parts.iter().map(|part| part.subsidy_units).collect();
    let halving = parts.iter().find(|part| part.subsidy_units == 1_250_000_000).unwrap();
    assert!(subsidies.is_sorted_by(|a, b| a >= b) && subsidies[0] == 2_500_000_000, "{subsidies:?}");
    // Block 420,000 came on 9 July 2016 at 16:46:13.
    assert_eq!(halving.height, 420_000);
    assert!((halving.start_s - 1_468_082_773).abs() < 6 * 3600, "{}", format_moment(halving.start_s));
    // A day within one epoch is one stretch, whose height is the one of its start.
    let day = stretches(date(2017, 5, 17), date(2017, 5, 17), None).unwrap();
    assert_eq!((day.len(), day[0].seconds()), (1, 86_400.0));
    assert!((465_696..467_712).contains(&day[0].height), "{}", day[0].height);
}

#[test]
fn days_before_the_chain_and_past_the_data_are_refused() {
    let error = stretches(date(2009, 1, 2), date(2009, 2, 1), None).unwrap_err().to_string();
    assert_eq!(error, "2009-01-02 lies before Bitcoin began: its first block came on 2009-01-03");
    // The first day counts from the first block on.
    let first = stretches(date(2009, 1, 3), date(2009, 1, 3), None).unwrap();
    assert_eq!((first.len(), first[0].height, first[0].seconds()), (1, 0, 20_695.0));
    let error = stretches(date(2026, 6, 1), date(2026, 11, 21), None).unwrap_err().to_string();
    assert_eq!(error, "2026-11-21 lies past the data: what is known of Bitcoin ends on 2026-06-26");
    assert!(stretches(date(2026, 6, 1), date(2026, 6, 26), None).is_ok());
}

#[test]
fn growth_is_assumed_past_the_last_epoch_only() {
    let growth = Growth::per_epoch(0.03);
    let parts = stretches(date(2026, 6, 20), date(2026, 9, 30), growth).unwrap();
    assert_eq!(parts.iter().map(Stretch::seconds).sum::<f64>(), 103.0 * 86_400.0);
    assert_eq!((parts[0].basis, parts[1].basis), (Basis::Known, Basis::Assumed));
    assert_eq!((parts[1].height, parts[2].height), (955_584, 957_600));
    for (index, part) in parts.iter().enumerate() {
        let expected = 124_932_866_006_548.16 * 1.03_f64.powi(index as i32);
        assert!((part.difficulty / expected - 1.0).abs() < 1e-9, "{index}");
    }
    // 1,209,600 s over 1.03, rounded down, and the block that the rule forgets.
    assert_eq!(parts[1].seconds(), 1_174_368.0 + 600.0);
    // Halvings come on: block 1,050,000 in 2028.
    let far = stretches(date(2028, 1, 1), date(2028, 12, 31), Some(Growth::NONE)).unwrap();
    assert_eq!(far.last().unwrap().subsidy_units, 156_250_000);
    // 4 ^ 128 is 2 ^ 256.
    let error = stretches(date(2026, 6, 1), date(2060, 1, 1), Growth::per_epoch(3.0)).unwrap_err();
    assert_eq!(error, HistoryError::GrowthTooLarge);
}

#[test]
fn heights_of_days_are_estimated_within_their_epoch() {
    let history = History::built_in(Coin::Btc);
    assert_eq!(history.height_on(date(2017, 5, 10)).unwrap() / EPOCH_BLOCKS, 465_696 / EPOCH_BLOCKS);
    assert!(history.height_on(date(2009, 1, 3)).unwrap() < 2016);
    // Block 481,824 came on 24 August 2017 at 01:57:37 (the first that could hold segregated witnesses).
    let height = history.height_on(date(2017, 8, 24)).unwrap();
    assert!(height.abs_diff(481_824 + 132) < 10, "{height}");
}

fn extended(text: &str) -> Result<EpochTable, String> {
    let mut table = EpochTable::built_in();
    table.extend(text).map_err(|error| error.to_string())?;
    Ok(table)
}

#[test]
fn a_file_extends_the_table() {
    // The next epoch, 2 % harder: 1,209,600 s * 0x23541 / 0x240c3 = 1,185,465.5 s.
    let table = extended("height,bits\n953568,170240c3\n955584,17023541\n").unwrap();
    assert_eq!(table.last_height(), 957_599);
    let (last, before) = (table.epochs()[474], table.epochs()[473]);
    assert_eq!(last.start_s - before.start_s, 1_185_466 + 600);
    let with_time = extended("# mine\nheight, bits, start_utc\n955584, 17023541, 2026-06-27T20:00:00Z\n").unwrap();
    assert_eq!(format_moment(with_time.epochs()[474].start_s), "2026-06-27T20:00:00Z");
    assert_eq!(extended("height,bits\n").unwrap(), EpochTable::built_in());
}

#[test]
fn electrums_checkpoints_extend_the_table() {
    let mut entries: Vec<String> = EpochTable::built_in().epochs()[1..]
        .iter()
        .map(|epoch| format!("[\"00\", {}]", epoch.target.to_u256()))
        .collect();
    let unchanged = extended(&format!("[{}]", entries.join(", "))).unwrap();
    assert_eq!(unchanged, EpochTable::built_in());
    let next = Target::try_from(CompactTarget(0x1702_3541)).unwrap();
    entries.push(format!("[\"00\", {}]", next.to_u256()));
    let table = extended(&format!("[{}]", entries.join(", "))).unwrap();
    assert_eq!(table.epochs()[474].bits, CompactTarget(0x1702_3541));
    entries[100] = entries[99].clone();
    let error = extended(&format!("[{}]", entries.join(", "))).unwrap_err();
    assert!(error.starts_with("entry 101: block 203616 has bits"), "{error}");
}

#[test]
fn what_does_not_continue_the_chain_is_refused_with_its_line() {
    for (text, reason) in [
        ("height,bits\n955584,1702354z\n", "line 2: bits \"1702354z\" aren't eight hex digits"),
        ("height,bits\n955584,2354\n", "line 2: bits \"2354\" aren't eight hex digits"),
        ("height,bits\nx,17023541\n", "line 2: height \"x\" is no whole number"),
        ("height,bits\n955585,17023541\n", "line 2: block 955585 begins no epoch: 2016 doesn't divide its height"),
        ("height,bits\n957600,17023541\n", "line 2: block 957600 doesn't follow block 953568: epochs are missing"),
        ("#\nheight,bits\n0,1e00ffff\n", "line 3: block 0 has bits 1d00ffff, not 1e00ffff: this is another network"),
        (
            "height,bits\n955584,17070000\n955584,1707ffff\n",
            "line 3: block 955584 has bits 17070000, not 1707ffff: this is another network",
        ),
        (
            "height,bits\n955584,17090500\n",
            "line 2: bits 17090500 after 170240c3: one epoch can't change them by more than four times",
        ),
        ("height,bits\n955584,1d80ffff\n", "line 2: bits 1d80ffff: the target is negative"),
        (
            "height,bits,start_utc\n955584,17023541,2026-08-01T00:00:00Z\n",
            "line 2: block 955584 came at 2026-08-01T00:00:00Z, but by the targets it came at 2026-06-27T",
        ),
        ("height,bits,start_utc\n955584,17023541,yesterday\n", "line 2: \"yesterday\" is no time"),
        ("height,bits\n955584\n", "line 2: it hasn't as many cells as there are headings"),
        ("a,b\n1,2\n", "it is neither a table with the columns height, bits and start_utc nor"),
        ("", "it is neither a table"),
        ("\u{0}\u{1}", "it is neither a table"),
        ("[[\"00\", 1]]", "entry 1: block 2016 has bits 1d00ffff, not 01010000: this is another network"),
    ] {
        let error = extended(text).map(|_| ()).unwrap_err();
        assert!(error.starts_with(reason), "{text:?}: {error}");
    }
}
