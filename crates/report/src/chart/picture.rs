use std::fmt::Write;

use super::{HEIGHT, LEFT, STYLE, WIDTH};
use crate::page::escape;

/// Room for the title.
const TITLE: f64 = 26.0;
/// Height of a line of the legend.
const ENTRY: f64 = 16.0;

/// A chart as an SVG file of its own, with its title and the meaning of its colours.
pub(crate) fn picture(title: &str, chart: &str, legend: &[(usize, String)]) -> String {
    let height = TITLE + HEIGHT + ENTRY * legend.len() as f64 + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\">\n\
         <style>\n{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"8\" style=\"fill: var(--card)\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" style=\"fill: var(--text); font-size: 13px\">{}</text>\n\
         <svg y=\"{TITLE}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">{chart}</svg>\n",
        escape(title)
    );
    for (index, (color, name)) in legend.iter().enumerate() {
        let y = TITLE + HEIGHT + ENTRY * (index as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<rect class=\"c{color}\" x=\"{LEFT}\" y=\"{:.1}\" width=\"9\" height=\"9\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y - 4.5,
            LEFT + 15.0,
            y + 4.0,
            escape(name)
        );
    }
    svg.push_str("</svg>\n");
    svg
}
