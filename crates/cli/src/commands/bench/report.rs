use anyhow::Result;
use bert_encoder::ModelType;
use bert_train::Tune;
use serde::Serialize;
use serde_json::Value;

use super::BenchArgs;
use super::count::Counts;
use super::kernels::Kernels;
use super::timing::Taken;
use super::workload::{Size, Work, Workload};
use crate::flags::{PrecisionWord, Weights};
use crate::table::Table;

/// What was measured, from which the other figures follow.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) taken: Taken,
    pub(crate) peak_rss_mib: Option<f64>,
    /// `None` where the products run on a GPU.
    pub(crate) gemm_ceiling_gflops: Option<f64>,
}

/// What `bert bench` prints, by the names it prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    work: Work,
    family: ModelType,
    size: Size,
    batch: usize,
    seq: usize,
    dropout: f64,
    tune: Tune,
    precision: PrecisionWord,
    weights: Weights,
    kernels: Kernels,
    threads: usize,
    device: String,
    runs: usize,
    median_ms: f64,
    tokens_per_second: f64,
    /// `None` where not all gradients are computed.
    gflops: Option<f64>,
    gemm_ceiling_gflops: Option<f64>,
    gemm_share: Option<f64>,
    peak_rss_mib: Option<f64>,
    /// With `--count`.
    #[serde(flatten)]
    counts: Option<Counts>,
}

impl Report {
    pub(crate) fn new(args: &BenchArgs, workload: &Workload, measured: Measured) -> Self {
        let Measured {
            taken: Taken { median_ms, counts },
            peak_rss_mib,
            gemm_ceiling_gflops,
        } = measured;
        let seconds = median_ms / 1e3;
        let computes_all = workload.work == Work::Inference || args.tune == Tune::All;
        let gflops = computes_all.then(|| workload.flop() / seconds / 1e9);
        Self {
            work: workload.work,
            family: workload.family,
            size: workload.size,
            batch: workload.batch,
            seq: workload.sequence,
            dropout: args.dropout,
            tune: args.tune.clone(),
            precision: args.precision,
            weights: args.weights,
            kernels: args.kernels,
            threads: rayon::current_num_threads(),
            device: args.runtime.device().to_string(),
            runs: args.runs.get(),
            median_ms,
            tokens_per_second: workload.tokens() as f64 / seconds,
            gflops,
            gemm_ceiling_gflops,
            gemm_share: gflops
                .zip(gemm_ceiling_gflops)
                .map(|(gflops, ceiling)| gflops / ceiling),
            peak_rss_mib,
            counts,
        }
    }

    pub(crate) fn table(&self) -> Result<Table> {
        let mut table = Table::new(&["FIGURE", "VALUE"]);
        if let Value::Object(figures) = serde_json::to_value(self)? {
            for (name, value) in figures {
                match value {
                    Value::Object(parts) => {
                        let rows = parts.into_iter();
                        rows.for_each(|(part, value)| {
                            table.push(vec![format!("  {part}"), shown(&value)]);
                        });
                    }
                    value => table.push(vec![name, shown(&value)]),
                }
            }
        }
        Ok(table)
    }
}

/// A figure for people: four digits or so, a dash for what there is not.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            match number {
                100.0.. => format!("{number:.1}"),
                10.0..100.0 => format!("{number:.2}"),
                _ => format!("{number:.3}"),
            }
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_shown_with_as_many_digits_as_mean_anything() {
        let values = [
            json!(1234.5678),
            json!(56.789),
            json!(0.65432),
            json!(16),
            json!("flex"),
            json!(null),
        ];
        let shown = values.each_ref().map(shown);
        assert_eq!(shown, ["1234.6", "56.79", "0.654", "16", "flex", "-"]);
    }
}
