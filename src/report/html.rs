//! A report as one HTML file that needs nothing else: no script, no picture and no style from elsewhere.

use std::fmt::Write as _;

use super::document::{Block, Data, Document, Fact, Section};
use super::plot::Plot;
use super::table::{Align, Column, Table};

const STYLE: &str = include_str!("style.css");

/// What a browser may load for this page: nothing. The style stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Returns the page.
#[must_use]
pub fn page(document: &Document) -> String {
    let title = escape(&document.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{}</p>\n",
        escape(&document.subtitle)
    );
    for sentence in &document.headline {
        let _ = writeln!(page, "<p class=\"headline\">{}</p>", escape(sentence));
    }
    page.push_str("</header>\n");
    if document.sections.len() > 1 {
        page.push_str("<nav aria-label=\"Contents\">");
        for (index, section) in document.sections.iter().enumerate() {
            let _ = write!(page, "<a href=\"#s{index}\">{}</a>", escape(&section.title));
        }
        page.push_str("</nav>\n");
    }
    for (index, section) in document.sections.iter().enumerate() {
        page.push_str(&section_of(index, section));
    }
    page.push_str("</main>\n");
    for (index, data) in document.data.iter().enumerate() {
        page.push_str(&data_of(index, data));
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section_of(index: usize, section: &Section) -> String {
    let mut text = format!("<section id=\"s{index}\">\n<h2>{}</h2>\n", escape(&section.title));
    for block in &section.blocks {
        text.push_str(&match block {
            Block::Text(words) => format!("<p>{}</p>\n", escape(words)),
            Block::List(items) => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
                format!("<ul>\n{items}</ul>\n")
            }
            Block::Facts(facts) => facts_of(facts),
            Block::Table(caption, table) => table_of(caption, table),
            Block::Plot(plot) => plot_of(plot),
        });
    }
    text.push_str("</section>\n");
    text
}

fn facts_of(facts: &[Fact]) -> String {
    let fact = |Fact { name, value, note }: &Fact| {
        let (name, value, note) = (escape(name), escape(value).replace(" %", "\u{a0}%"), escape(note));
        format!("<div><dt>{name}</dt><dd><strong>{value}</strong><span>{note}</span></dd></div>\n")
    };
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.iter().map(fact).collect::<String>())
}

/// On a narrow page a row becomes a block of lines, each with the heading of its column, which stands in the cell.
fn table_of(caption: &str, table: &Table) -> String {
    let heading = |column: &Column| match column.unit.as_str() {
        "" => column.header.clone(),
        unit => format!("{} ({unit})", column.header),
    };
    let class = |column: &Column| if column.align == Align::Right { " class=\"number\"" } else { "" };
    let mut text = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table>\n\
         <caption>{0}</caption>\n<thead><tr>",
        escape(caption)
    );
    for column in &table.columns {
        let _ = write!(text, "<th scope=\"col\"{}>{}</th>", class(column), escape(&heading(column)));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        text.push_str("<tr>");
        for (index, column) in table.columns.iter().enumerate() {
            let cell = cell_of(row.get(index).map_or("", String::as_str), column.align);
            let _ = match index {
                0 => write!(text, "<th scope=\"row\"{}>{cell}</th>", class(column)),
                _ => write!(text, "<td{} data-label=\"{}\">{cell}</td>", class(column), escape(&heading(column))),
            };
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table></div>\n");
    text
}

/// Escapes a cell of words, which may break behind a slash, as ids do. Numbers don't break: the style sees to that.
fn cell_of(text: &str, align: Align) -> String {
    let escaped = escape(text);
    if align == Align::Left { escaped.replace('/', "/<wbr>") } else { escaped }
}

fn plot_of(Plot { title, wide, narrow, .. }: &Plot) -> String {
    format!("<figure>\n<figcaption>{}</figcaption>\n{wide}\n{narrow}\n</figure>\n", escape(title))
}

/// In JSON `<` stands in texts only, where it may be written by its number. So nothing in it can end the element.
fn data_of(index: usize, Data { kind, name, json }: &Data) -> String {
    let (number, name, json) = (index + 1, escape(name), json.replace('<', "\\u003c"));
    format!("<script type=\"application/json\" id=\"{kind}-{number}\" data-name=\"{name}\">{json}</script>\n")
}

/// Takes the meaning from what HTML would take for its own, in texts and in quoted attributes alike. Control
/// characters, which no page may hold, become the sign for what is unknown.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_html_would_take_for_its_own_gets_through() {
        assert_eq!(escape("<b a=\"c\" d='e'>&amp;\n\0"), "&lt;b a=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp; \u{fffd}");
        let hostile = "</script><img src=x onerror=\"alert(1)\">";
        let mut table = Table::new([Column::left(hostile), Column::right(hostile).unit(hostile)]);
        table.push_row([hostile, hostile]);
        let blocks = vec![
            Block::Text(hostile.to_owned()),
            Block::List(vec![hostile.to_owned()]),
            Block::Facts(vec![Fact { name: hostile.into(), value: hostile.into(), note: hostile.into() }]),
            Block::Table(hostile.to_owned(), table),
        ];
        let document = Document {
            title: hostile.to_owned(),
            subtitle: hostile.to_owned(),
            headline: vec![hostile.to_owned()],
            sections: vec![Section { title: hostile.to_owned(), blocks }; 2],
            data: vec![Data {
                kind: "record",
                name: hostile.to_owned(),
                json: serde_json::to_string(hostile).unwrap(),
            }],
        };
        let page = page(&document);
        assert!(!page.contains("<img"), "{page}");
        assert_eq!(page.matches("</script>").count(), 1, "{page}");
        let json =
            page.split("data-name=").nth(1).unwrap().split_once('>').unwrap().1.split("</script>").next().unwrap();
        assert_eq!(serde_json::from_str::<String>(json).unwrap(), hostile);
    }
}
