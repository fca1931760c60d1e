use super::{Frame, Scale, bars, titled};
use crate::Reliability;
use crate::format::{count, percent};

/// A bar for the accuracy of each step of confidence, and the diagonal on which both are equal.
pub(crate) fn reliability_chart(reliability: &Reliability) -> String {
    let x = Scale::exact("confidence", 0.0, 1.0);
    let y = Scale::exact("accuracy", 0.0, 1.0);
    let frame = Frame { x: &x, y: &y };
    let width = 1.0 / reliability.bins.len().max(1) as f64;
    let filled = reliability.bins.iter().enumerate();
    let filled = filled.filter(|(_, bin)| bin.count > 0);
    let mut marks = String::new();
    for (index, bin) in filled {
        let left = index as f64 * width;
        let title = format!(
            "{} {}s with confidence {}: {} right",
            count(bin.count),
            reliability.unit,
            percent(bin.confidence),
            percent(bin.accuracy)
        );
        let bar = (left, left + width, bin.accuracy, title.clone());
        marks.push_str(&bars::mark(&frame, 0, &bar));
        let place = format!(
            "class=\"dot c1\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"",
            frame.x(bin.confidence),
            frame.y(bin.accuracy)
        );
        marks.push_str(&titled("circle", &place, &title));
    }
    marks.push_str(&diagonal(&frame, 0.0, 1.0));
    frame.svg("Share of right predictions by confidence", &marks)
}

/// A point for each pair of reference and prediction, and the diagonal on which both are equal.
pub(crate) fn scatter_chart(points: &[[f32; 2]]) -> String {
    let values = || points.iter().flatten().map(|&value| f64::from(value));
    let x = Scale::around("reference", values());
    let y = Scale::around("prediction", values());
    let frame = Frame { x: &x, y: &y };
    let mut marks: String = points
        .iter()
        .map(|&[reference, prediction]| {
            format!(
                "<circle class=\"point c0\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"/>",
                frame.x(f64::from(reference)),
                frame.y(f64::from(prediction))
            )
        })
        .collect();
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    marks.push_str(&diagonal(&frame, low, high));
    frame.svg("Predictions against references", &marks)
}

fn diagonal(frame: &Frame<'_>, low: f64, high: f64) -> String {
    format!(
        "<path class=\"diagonal\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        frame.x(low),
        frame.y(low),
        frame.x(high),
        frame.y(high)
    )
}
