//! Figures by the names that the hub knows.

use serde_json::{Map, Value};

/// A figure of a model.
pub(super) struct Figure<'a> {
    /// The name in our metrics.
    pub(super) name: &'a str,
    /// The name of the metric on the hub, of which the figure may be one average.
    pub(super) metric: &'a str,
    pub(super) value: f64,
}

/// The figures that say how good a model is: fractions, but no thresholds and not the loss, which depends on the labels.
pub(super) fn figures(metrics: &Map<String, Value>) -> Vec<Figure<'_>> {
    let judging = metrics.iter().filter_map(|(name, value)| {
        let value = match value {
            Value::Number(number) if number.is_f64() => number.as_f64()?,
            _ => return None,
        };
        let is_figure = name != "loss" && !name.ends_with("_loss") && !name.contains("thresh");
        is_figure.then_some(Figure {
            name,
            metric: hub_name(name),
            value,
        })
    });
    judging.collect()
}

/// What `evaluate` and the hub call a metric.
fn hub_name(name: &str) -> &str {
    const METRICS: [(&str, &str); 10] = [
        ("accuracy", "accuracy"),
        ("precision", "precision"),
        ("recall", "recall"),
        ("f1", "f1"),
        ("exact", "exact_match"),
        ("pearson", "pearsonr"),
        ("spearman", "spearmanr"),
        ("mean_squared_error", "mse"),
        ("mse", "mse"),
        ("perplexity", "perplexity"),
    ];
    let mut metrics = METRICS.into_iter();
    let known =
        metrics.find(|(ours, _)| name.split('_').any(|part| part == *ours) || name == *ours);
    known.map_or(name, |(_, hub)| hub)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn averages_are_of_the_metric_and_counts_are_no_figures() {
        let Value::Object(metrics) = json!({
            "examples": 8, "accuracy": 0.5, "f1_macro": 0.25, "exact": 50.0, "loss": 0.7, "null_threshold": -1.5,
            "pearson": null, "per_type": {}, "exact_match": 1.5,
        }) else {
            panic!("an object");
        };
        let found: Vec<(&str, &str)> = figures(&metrics)
            .iter()
            .map(|figure| (figure.name, figure.metric))
            .collect();
        assert_eq!(
            found,
            [
                ("accuracy", "accuracy"),
                ("f1_macro", "f1"),
                ("exact", "exact_match"),
                ("exact_match", "exact_match")
            ]
        );
    }
}
