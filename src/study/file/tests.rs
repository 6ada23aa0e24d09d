//! What a study file may say, and where it says something else.

use super::*;

const GOOD: &str = r#"
name = "a"
coin = "btc"
coin_price = [1, { low = 2, high = 4 }]
pool_fee = "2%"
growth = { low = "0%/epoch", value = "1%/epoch", high = "3%/epoch" }

[[window]]
from = 2017-05-17
to = "2017-07-06"

[[fleet]]
machine = "Antminer S9"
count = "1 to 5"

[[fleet]]
name = "both"
machines = [{ hashrate = "13.5T±2%", power = 1323, count = 2 }, { machine = "S7" }]
"#;

#[test]
fn figures_stand_alone_in_lists_and_as_ranges() {
    let file = StudyFile::parse(GOOD).unwrap();
    let inputs = file.inputs();
    let range = |value, low, high| Interval { value, low, high };
    assert_eq!(inputs.lists[&Input::CoinPrice], [Interval::exact(1.0), range(3.0, 2.0, 4.0)]);
    assert_eq!(inputs.lists[&Input::PoolFee], [Interval::exact(0.02)]);
    let growth = inputs.lists[&Input::Growth][0];
    assert!((growth.value - 0.01).abs() < 1e-9 && (growth.high - 0.03).abs() < 1e-9, "{growth:?}");
    let window = file.window[0].as_ref();
    let day = |day: &Option<Spanned<Day>>| day.as_ref().unwrap().as_ref().0.to_string();
    assert_eq!((day(&window.from), day(&window.to)), ("2017-05-17".to_owned(), "2017-07-06".to_owned()));
    assert_eq!(file.fleet[0].as_ref().count, Some(Counts(vec![1, 2, 3, 4, 5])));
    let machine = file.fleet[1].as_ref().machines[0].as_ref();
    assert!((machine.hashrate.unwrap().0.low / 13.23e12 - 1.0).abs() < 1e-12);
    assert_eq!(machine.power, Some(Power(Interval::exact(1323.0))));
}

/// Each wrong line in place of one of the good file, with what the error says and the place it names.
#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
    let cases = [
        ("coin = \"btc\"", "coin = \"doge\"", (3, 8), "unknown variant `doge`, expected `btc` or `xmr`", ""),
        (
            "pool_fee = \"2%\"",
            "pool_fees = \"2%\"",
            (5, 1),
            "there is no key \"pool_fees\" here",
            "did you mean \"pool_fee\"?",
        ),
        ("count = \"1 to 5\"", "cuont = 5", (14, 1), "there is no key \"cuont\" here", "did you mean \"count\"?"),
        ("pool_fee = \"2%\"", "xyzzy = 1", (5, 1), "there is no key \"xyzzy\" here", "known here: name"),
        ("pool_fee = \"2%\"", "pool_fee = 2", (5, 12), "expected a part below 1, or a percentage such as 2%", ""),
        ("pool_fee = \"2%\"", "price_kwh = -0.05", (5, 13), "-0.05: a price is a number from 0 on", ""),
        ("pool_fee = \"2%\"", "price_kwh = 1e300", (5, 13), "no market has a price above", ""),
        ("pool_fee = \"2%\"", "price_kwh = nan", (5, 13), "a price is a number from 0 on", ""),
        ("pool_fee = \"2%\"", "price_kwh = true", (5, 13), "expected a price such as 0.05, and not true or false", ""),
        ("pool_fee = \"2%\"", "price_kwh = []", (5, 13), "an empty list says nothing", ""),
        ("pool_fee = \"2%\"", "price_kwh = { low = 1 }", (5, 13), "a range needs both its ends", ""),
        ("pool_fee = \"2%\"", "price_kwh = { low = 2, high = 1 }", (5, 13), "aren't in this order", ""),
        ("pool_fee = \"2%\"", "price_kwh = { low = 1, hihg = 2 }", (5, 13), "\"hihg\" is none of them", ""),
        ("pool_fee = \"2%\"", "pue = 0.5", (5, 7), "expected 1 to 10", ""),
        ("pool_fee = \"2%\"", "uptime = \"0%\"", (5, 10), "for a part of the time above 0%", ""),
        ("pool_fee = \"2%\"", "growth = 0.02", (6, 1), "duplicate key", ""),
        ("from = 2017-05-17", "from = 2017-02-30", (9, 8), "", ""),
        ("to = \"2017-07-06\"", "to = \"6 July 2017\"", (10, 6), "is no day", ""),
        ("to = \"2017-07-06\"", "to = 2017-07-06T12:00:00Z", (10, 6), "is no day", ""),
        ("count = \"1 to 5\"", "count = 0", (14, 9), "a count is a whole number from 1", ""),
        ("count = \"1 to 5\"", "count = \"1..5\"", (14, 9), "a text such as \"1 to 5\"", ""),
        ("count = \"1 to 5\"", "count = \"5 to 1\"", (14, 9), "ends before it begins", ""),
        ("count = \"1 to 5\"", "count = \"1 to 500\"", (14, 9), "more than 50 counts make no table", ""),
        ("count = \"1 to 5\"", "hashrate = \"fast\"", (14, 12), "is no quantity in H/s", ""),
        ("count = \"1 to 5\"", "power = 0", (14, 9), "must be above zero", ""),
        ("name = \"a\"", "name = \"a", (2, 10), "", ""),
        ("name = \"a\"", "", (1, 1), "missing field `name`", ""),
    ];
    for (good, bad, place, reason, help) in cases {
        let text = GOOD.replacen(good, bad, 1);
        let error = StudyFile::parse(&text).expect_err(bad);
        assert!(error.reason.contains(reason), "{bad}: {error}");
        assert!(error.help.contains(help), "{bad}: {}", error.help);
        assert_eq!((error.line, error.column), place, "{bad}: {error}");
        assert!(error.to_string().starts_with(&format!("line {}, column {}: ", place.0, place.1)));
    }
}

#[test]
fn no_text_makes_the_reader_fall() {
    for (length, _) in GOOD.char_indices() {
        let _ = StudyFile::parse(&GOOD[..length]);
        let _ = StudyFile::parse(&format!("{}\u{1f4b0}{}", &GOOD[..length], &GOOD[length..]));
    }
}
