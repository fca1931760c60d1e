//! Charts as SVG elements without colours of their own: the page's style sheet has them, so that they follow the reader's
//! light or dark mode.

mod bars;
mod lines;
mod picture;
mod points;
mod scale;

pub(crate) use bars::{Bars, bar_chart};
pub(crate) use lines::{Line, LineStyle, line_chart};
pub(crate) use picture::picture;
pub(crate) use points::{reliability_chart, scatter_chart};
pub(crate) use scale::Scale;

use std::fmt::Write;

use crate::page::escape;

/// The colours and strokes of charts, by the reader's light or dark mode.
pub(crate) const STYLE: &str = include_str!("chart.css");

/// Width of every chart. A phone shows it at about its own size.
const WIDTH: f64 = 400.0;
/// Height of every chart.
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 36.0;

/// The frame of a chart: two scales and the room between them.
struct Frame<'a> {
    x: &'a Scale,
    y: &'a Scale,
}

impl Frame<'_> {
    /// Where a value stands, from the left.
    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    /// Where a value stands, from the top.
    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    /// A whole chart around its marks. `description` is what a screen reader says.
    fn svg(&self, description: &str, marks: &str) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escape(description)
        );
        self.draw_grid(&mut svg);
        svg.push_str(marks);
        svg.push_str("</svg>");
        svg
    }

    fn draw_grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in self.y.ticks() {
            let y = self.y(value);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                y + 3.5
            );
        }
        let ticks = self.x.ticks();
        for (index, (value, label)) in ticks.iter().enumerate() {
            let x = self.x(*value);
            // A label at the right end would be cut.
            let anchor = match index + 1 == ticks.len() && x > right - 16.0 {
                true => "end",
                false => "middle",
            };
            let _ = write!(
                svg,
                "<path class=\"axis\" d=\"M{x:.1} {bottom}v4\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>",
                if anchor == "end" { right } else { x },
                bottom + 15.0
            );
        }
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 5.0,
            escape(self.x.name())
        );
    }
}

/// A mark with a text that shows when a mouse rests on it.
fn titled(element: &str, attributes: &str, title: &str) -> String {
    format!(
        "<{element} {attributes}><title>{}</title></{element}>",
        escape(title)
    )
}
