use super::{Frame, Scale, titled};

/// Bars side by side, drawn in front of other ones.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    /// Which of the page's colours they have, from 0.
    pub(crate) color: usize,
    /// Left end, right end, height, and the text that shows when a mouse rests on the bar.
    pub(crate) bars: Vec<(f64, f64, f64, String)>,
}

/// Series of bars over one axis. `description` is what a screen reader says.
pub(crate) fn bar_chart(description: &str, x: &Scale, y: &Scale, series: &[Bars]) -> String {
    let frame = Frame { x, y };
    let marks: String = series
        .iter()
        .flat_map(|one| one.bars.iter().map(|bar| mark(&frame, one.color, bar)))
        .collect();
    frame.svg(description, &marks)
}

/// One bar; with a hair's breadth to the next.
pub(super) fn mark(frame: &Frame<'_>, color: usize, bar: &(f64, f64, f64, String)) -> String {
    let (left, right, height, title) = bar;
    let (left, right) = (frame.x(*left), frame.x(*right));
    let (top, bottom) = (frame.y(*height), frame.y(frame.y.min()));
    let place = format!(
        "class=\"bar c{color}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"",
        left + 0.5,
        (right - left - 1.0).max(0.5),
        (bottom - top).max(0.0)
    );
    titled("rect", &place, title)
}
