//! A record as Markdown, fit to be pasted into an issue: machine, table, notes and warnings.

use std::fmt::Write as _;

use super::document::{Block, Document, Fact};
use super::table::{Align, Column, Table};
use crate::machine::{Gpu, Machine};
use crate::record::Record;

/// Returns a measurement as a page: who measured when and where, the table, the notes below it, and the warnings.
#[must_use]
pub fn report(record: &Record, table: &Table, notes: &[String]) -> String {
    let tool = &record.tool;
    let build = if tool.optimized { "" } else { " (built without optimisation)" };
    let head =
        format!("{} {}{build}, {}, on {}", tool.name, tool.version, record.started_utc, machine(&record.machine));
    let mut page = format!("{}\n\n", escape(&head));
    page.push_str(&if record.benchmarks.is_empty() { "nothing was measured\n".to_owned() } else { pipes(table) });
    for note in notes {
        let _ = write!(page, "\n{}\n", escape(note));
    }
    if !record.warnings.is_empty() {
        page.push_str("\nWarnings:\n\n");
    }
    for warning in &record.warnings {
        let _ = writeln!(page, "- {} (`{}`)", escape(&warning.sentence()), warning.code);
    }
    page
}

/// Returns a whole report as a page. Plots are told in words; what a page carries with it is left out.
#[must_use]
pub fn page(document: &Document) -> String {
    let mut page = format!("# {}\n\n{}\n", escape(&document.title), escape(&document.subtitle));
    for sentence in &document.headline {
        let _ = write!(page, "\n**{}**\n", escape(sentence));
    }
    for section in &document.sections {
        let _ = write!(page, "\n## {}\n", escape(&section.title));
        for block in &section.blocks {
            page.push('\n');
            page.push_str(&match block {
                Block::Text(words) => format!("{}\n", escape(words)),
                Block::List(items) => items.iter().map(|item| format!("- {}\n", escape(item))).collect(),
                Block::Facts(facts) => facts.iter().map(fact).collect(),
                Block::Table(caption, table) => format!("{}:\n\n{}", escape(caption), pipes(table)),
                Block::Plot(plot) => format!("{} (a plot): {}\n", escape(&plot.title), escape(&plot.description)),
            });
        }
    }
    page
}

fn fact(Fact { name, value, note }: &Fact) -> String {
    let note = if note.is_empty() { String::new() } else { format!(" ({})", escape(note)) };
    format!("- {}: **{}**{note}\n", escape(name), escape(value))
}

/// Returns a table between pipes, with its units beside the headings.
#[must_use]
pub fn pipes(table: &Table) -> String {
    let heading = |column: &Column| {
        let Column { header, unit, .. } = column;
        if unit.is_empty() { header.clone() } else { format!("{header} ({unit})") }
    };
    let rule = |column: &Column| match column.align {
        Align::Left => ":--".to_owned(),
        Align::Right => "--:".to_owned(),
    };
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = row(table.columns.iter().map(|column| escape(&heading(column))).collect());
    text.push_str(&row(table.columns.iter().map(rule).collect()));
    for cells in &table.rows {
        let cell = |index: usize| cells.get(index).map_or_else(String::new, |cell| escape(cell));
        text.push_str(&row((0..table.columns.len()).map(cell).collect()));
    }
    text
}

/// Says on one line what machine it was.
fn machine(machine: &Machine) -> String {
    let cpu = &machine.cpu;
    let mut parts = vec![cpu.brand.clone().unwrap_or_else(|| "a processor of unknown brand".to_owned())];
    parts.extend(cpu.logical_count.map(|count| format!("{count} logical processors")));
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    parts.extend(machine.memory.total_bytes.map(|bytes| format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64)));
    let kernel = machine.os.kernel.as_ref().map_or_else(String::new, |kernel| format!(" {kernel}"));
    parts.push(format!("{}{kernel} {}", machine.os.kind, machine.os.arch));
    if machine.virtualization.hypervisor == Some(true) {
        let name = machine.virtualization.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
        parts.push(format!("a virtual machine{name}"));
    }
    let adapter = |gpu: &Gpu| format!("{}: {}, {} {}", gpu.id, gpu.name, gpu.driver, gpu.driver_info);
    parts.extend(machine.gpus.iter().map(adapter));
    parts.join(", ")
}

/// Takes the meaning from what Markdown would take for its own, and puts lines together.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '|' | '*' | '`' | '<' | '>' | '~' | '[' | ']' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_units_beside_its_headings_and_its_numbers_on_the_right() {
        let mut table = Table::new([Column::left("engine"), Column::right("rate").unit("median, 95 %")]);
        table.push_row(["sha256d/cpu/scalar", "1.1 MH/s ±3 %"]);
        table.push_row(["a|b\nc"]);
        let expected = "\
| engine | rate (median, 95 %) |
| :-- | --: |
| sha256d/cpu/scalar | 1.1 MH/s ±3 % |
| a\\|b c |  |
";
        assert_eq!(pipes(&table), expected);
    }

    #[test]
    fn what_markdown_would_take_for_its_own_is_escaped() {
        assert_eq!(escape("a*b`c<d>\\ [e] ~1"), "a\\*b\\`c\\<d\\>\\\\ \\[e\\] \\~1");
        assert_eq!(escape("randomx-v1 ±3 % sha_ni"), "randomx-v1 ±3 % sha_ni");
    }
}
