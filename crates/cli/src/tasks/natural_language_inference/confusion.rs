//! The confusion matrix as a table for people.

use bert_tasks::text_classification::head::metrics::LabelMetrics;
use bert_text::LabelSet;

use crate::format::count;
use crate::table::Table;

/// A row for each reference: how often each label was predicted for it, and the label's precision, recall and F1.
pub(super) fn table(metrics: &LabelMetrics, labels: &LabelSet) -> Table {
    let names = labels.names();
    let mut header = vec!["REFERENCE".to_owned()];
    header.extend(names.iter().map(|name| format!("AS {name}")));
    header.extend(["PRECISION", "RECALL", "F1"].map(str::to_owned));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&header);
    for ((name, counts), scores) in names.iter().zip(&metrics.confusion).zip(&metrics.labels) {
        let mut row = vec![name.clone()];
        row.extend(counts.iter().map(|&number| count(number as usize)));
        row.extend([scores.precision, scores.recall, scores.f1].map(|score| format!("{score:.3}")));
        table.push(row);
    }
    table
}
