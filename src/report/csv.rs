//! Records as comma-separated values: a row for each sample, for whoever wants to make other figures of them.

use csv::WriterBuilder;

use crate::record::Record;

/// The columns that every table has; one for the joules of each meter comes after them.
const COLUMNS: [&str; 9] =
    ["id", "device", "turn", "sample", "start_s", "duration_s", "hashes", "rate_hps", "is_outlier"];

/// Returns the samples of all engines of a record, with a line of headings, quoted as RFC 4180 says. Rows end with a
/// line feed alone, because tools that read lines would take a carriage return for a part of the last cell.
///
/// `sample` is the place in the engine's list of samples, from 0. A meter that wasn't read at both ends of a sample
/// leaves its cell empty.
#[must_use]
pub fn samples(record: &Record) -> String {
    let meters: Vec<&str> = record.sensors.iter().map(|sensor| sensor.name.as_str()).collect();
    table([header(&meters)].into_iter().chain(rows(record, &meters)))
}

/// Returns the same of several records, with one more column in front, which names the record. Each meter of any of
/// them has its column.
#[must_use]
pub fn samples_of_all(records: &[(&str, &Record)]) -> String {
    let mut meters: Vec<&str> = Vec::new();
    for sensor in records.iter().flat_map(|(_, record)| &record.sensors) {
        if !meters.contains(&sensor.name.as_str()) {
            meters.push(&sensor.name);
        }
    }
    let named = |name: &str, row: Vec<String>| [vec![name.to_owned()], row].concat();
    let all = records.iter().flat_map(|(name, record)| rows(record, &meters).map(move |row| named(name, row)));
    table([named("record", header(&meters))].into_iter().chain(all))
}

fn header(meters: &[&str]) -> Vec<String> {
    let mut header: Vec<String> = COLUMNS.map(ToOwned::to_owned).to_vec();
    header.extend(meters.iter().map(|meter| format!("energy_j[{meter}]")));
    header
}

fn rows<'a>(record: &'a Record, meters: &'a [&str]) -> impl Iterator<Item = Vec<String>> {
    record.benchmarks.iter().flat_map(move |benchmark| {
        benchmark.samples.iter().enumerate().map(move |(index, sample)| {
            let mut row = vec![
                benchmark.name(),
                benchmark.device.to_string(),
                sample.turn.to_string(),
                index.to_string(),
                sample.start_s.to_string(),
                sample.duration_s.to_string(),
                sample.hashes.to_string(),
                sample.rate_hps().to_string(),
                benchmark.outliers.contains(&index).to_string(),
            ];
            let joules = |meter: &&str| sample.energy_j.get(*meter).map_or_else(String::new, ToString::to_string);
            row.extend(meters.iter().map(joules));
            row
        })
    })
}

fn table(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("rows are of one length, and memory takes them");
    }
    let bytes = writer.into_inner().expect("memory takes what is left");
    String::from_utf8(bytes).expect("cells are texts")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = include_str!("../../tests/records/1.0-declared-watts.json");

    #[test]
    fn each_sample_is_a_row_and_a_meter_that_was_not_read_leaves_its_cell_empty() {
        let mut record: Record = serde_json::from_str(RECORD).unwrap();
        record.benchmarks.truncate(1);
        let benchmark = &mut record.benchmarks[0];
        benchmark.samples.truncate(2);
        benchmark.outliers = vec![1];
        for (sample, start_s) in benchmark.samples.iter_mut().zip([0.5, 1.0]) {
            (sample.start_s, sample.duration_s, sample.hashes) = (start_s, 0.25, 1_000_001);
        }
        let [first, second] = &mut benchmark.samples[..] else { panic!("two samples") };
        (first.turn, second.turn) = (0, 3);
        first.energy_j = [("csv:a,\"b\".csv@cpu".to_owned(), 16.25)].into();
        second.energy_j.clear();
        record.sensors[0].name = "csv:a,\"b\".csv@cpu".to_owned();
        let expected = "\
id,device,turn,sample,start_s,duration_s,hashes,rate_hps,is_outlier,\"energy_j[csv:a,\"\"b\"\".csv@cpu]\"
sha256d/cpu/scalar,cpu,0,0,0.5,0.25,1000001,4000004,false,16.25
sha256d/cpu/scalar,cpu,3,1,1,0.25,1000001,4000004,true,
";
        assert_eq!(samples(&record), expected);
    }

    #[test]
    fn rows_of_several_records_name_theirs_and_have_a_cell_for_each_meter() {
        let mut first: Record = serde_json::from_str(RECORD).unwrap();
        first.benchmarks.truncate(1);
        first.benchmarks[0].samples.truncate(1);
        let mut second = first.clone();
        second.sensors[0].name = "other".to_owned();
        let sample = &mut second.benchmarks[0].samples[0];
        sample.energy_j = [("other".to_owned(), 2.5)].into();
        let text = samples_of_all(&[("a,b", &first), ("c", &second)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("record,id,device,turn,")
                && lines[0].ends_with(",energy_j[watts:65W±5%@cpu],energy_j[other]")
        );
        assert!(lines[1].starts_with("\"a,b\",sha256d/cpu/scalar,cpu,0,0,") && lines[1].ends_with(','), "{text}");
        assert!(lines[2].starts_with("c,sha256d/cpu/scalar,") && lines[2].ends_with(",,2.5"), "{text}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn without_samples_and_meters_the_headings_are_left() {
        let mut record: Record = serde_json::from_str(RECORD).unwrap();
        record.benchmarks.clear();
        record.sensors.clear();
        assert_eq!(samples(&record), format!("{}\n", COLUMNS.join(",")));
    }
}
