//! Pieces of HTML.

use std::fmt::Write;

/// Text as it may stand in an element and in an attribute. Control characters, which no browser shows, become `�`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            // Neither does XML, of which a picture is, allow the last two.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A user's text, whose direction is its own.
pub(super) fn bdi(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

/// A part of the page; nothing where there is no content.
pub(super) fn section(title: &str, cards: &str) -> String {
    if cards.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>{}</h2>\n<div class=\"cards\">\n{cards}</div>\n</section>\n",
        escape(title)
    )
}

/// A chart or table with a title, and HTML that says what it shows.
pub(super) fn card(title: &str, text: &str, content: &str) -> String {
    classed_card("", title, text, content)
}

/// The same across the whole page.
pub(super) fn wide_card(title: &str, text: &str, content: &str) -> String {
    classed_card(" wide", title, text, content)
}

fn classed_card(class: &str, title: &str, text: &str, content: &str) -> String {
    let text = match text {
        "" => String::new(),
        text => format!("<p class=\"about\">{text}</p>\n"),
    };
    format!(
        "<article class=\"card{class}\">\n<h3>{}</h3>\n{text}{content}\n</article>\n",
        escape(title)
    )
}

/// What the colours of a chart mean.
pub(super) fn legend(names: &[(usize, String)]) -> String {
    let entries: String = names
        .iter()
        .map(|(color, name)| format!("<li class=\"c{color}\">{}</li>", escape(name)))
        .collect();
    format!("<ul class=\"legend\">{entries}</ul>")
}

/// A table of HTML cells. A table that is wider than the page is scrolled by itself. The columns after the first are
/// numbers if `numbers` says so.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], numbers: bool) -> String {
    let class = if numbers { " class=\"numbers\"" } else { "" };
    let mut html = format!("<div class=\"scroll\" tabindex=\"0\"><table{class}>");
    if !header.is_empty() {
        let cells: String = header
            .iter()
            .map(|name| format!("<th scope=\"col\">{}</th>", escape(name)))
            .collect();
        let _ = write!(html, "<thead><tr>{cells}</tr></thead>");
    }
    html.push_str("<tbody>");
    for row in rows {
        html.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let _ = match index {
                0 => write!(html, "<th scope=\"row\">{cell}</th>"),
                _ => write!(html, "<td>{cell}</td>"),
            };
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}
