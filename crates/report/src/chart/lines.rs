use std::fmt::Write;

use super::{Frame, Scale, titled};
use crate::format::number;

/// A line of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// Which of the page's colours it has, from 0.
    pub(crate) color: usize,
    pub(crate) style: LineStyle,
    pub(crate) points: Vec<(f64, f64)>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    Solid,
    /// With gaps, in which a line below it is seen.
    Dashed,
    /// In the background.
    Faint,
    /// With a dot at each point, which tells its value.
    Dotted,
}

/// Lines over one axis. `description` is what a screen reader says.
pub(crate) fn line_chart(description: &str, x: &Scale, y: &Scale, lines: &[Line]) -> String {
    let frame = Frame { x, y };
    let marks: String = lines.iter().map(|line| marks(&frame, line)).collect();
    frame.svg(description, &marks)
}

fn marks(frame: &Frame<'_>, line: &Line) -> String {
    let class = match line.style {
        LineStyle::Faint => "line faint",
        LineStyle::Dashed => "line dashed",
        LineStyle::Solid | LineStyle::Dotted => "line",
    };
    let mut path = String::new();
    for (index, (x, y)) in line.points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", frame.x(*x), frame.y(*y));
    }
    let mut marks = format!("<path class=\"{class} c{}\" d=\"{path}\"/>", line.color);
    if line.style == LineStyle::Dotted {
        for (x, y) in &line.points {
            let place = format!(
                "class=\"dot c{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"",
                line.color,
                frame.x(*x),
                frame.y(*y)
            );
            let title = format!(
                "{} {} at {} {}",
                line.name,
                number(*y),
                frame.x.name(),
                number(*x)
            );
            marks.push_str(&titled("circle", &place, &title));
        }
    }
    marks
}
