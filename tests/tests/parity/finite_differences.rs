//! The gradients of the heads' losses against central differences in double precision, at shapes that proptest draws.

use bert_kernels::{CrossEntropyOptions, IGNORE_INDEX};
use bert_question_answering::SpanLogits;
use bert_testing::differences::{Place, at_shapes, check, numbers};
use bert_testing::{TestDevice, with_and_without_kernels};
use bert_text_classification::{Labels, weighted_loss};
use burn::tensor::Tensor;

with_and_without_kernels!(
    of_one_class_a_row,
    of_several_classes_a_row,
    of_values,
    of_tokens,
    of_spans,
);

/// Weights, smoothing and focus, each alone and all at once.
fn options(classes: usize) -> [CrossEntropyOptions; 5] {
    let plain = CrossEntropyOptions::default;
    let weights = (0..classes).map(|class| 0.5 + class as f32).collect();
    let weighted = CrossEntropyOptions {
        class_weights: Some(weights),
        ..plain()
    };
    let focal = CrossEntropyOptions {
        focal_gamma: 2.0,
        ..plain()
    };
    let smooth = CrossEntropyOptions {
        label_smoothing: 0.1,
        ..plain()
    };
    let all = CrossEntropyOptions {
        focal_gamma: 1.5,
        label_smoothing: 0.2,
        ..weighted.clone()
    };
    [plain(), weighted, focal, smooth, all]
}

fn classes(rows: usize, classes: usize) -> Vec<i64> {
    (0..rows).map(|row| (row * 7 % classes) as i64).collect()
}

fn scalar(loss: Tensor<1>) -> Tensor<2> {
    loss.reshape([1, 1])
}

fn of_one_class_a_row(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..40_usize, 2..12_usize), |(b, c)| {
        for options in options(c) {
            let name = format!("B {b}, C {c}, {options:?}");
            check(device, &name, [[b, c]], |[logits], place| {
                let labels = Labels::Classes(place.integers(&classes(b, c)));
                scalar(weighted_loss(logits * 4.0, labels, &options))
            });
        }
    })
}

/// Zeros and ones.
fn targets(place: &Place, shape: [usize; 2]) -> Tensor<2> {
    let values = numbers(shape[0] * shape[1], 2.0);
    let hot: Vec<f64> = values.iter().map(|x| f64::from(*x > 0.0)).collect();
    place.tensor(&hot, shape)
}

fn of_several_classes_a_row(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..40_usize, 1..12_usize), |(b, c)| {
        // Smoothing is for one class a row alone.
        for options in &options(c)[..3] {
            let name = format!("B {b}, C {c}, {options:?}");
            check(device, &name, [[b, c]], |[logits], place| {
                let labels = Labels::MultiHot(targets(place, [b, c]));
                scalar(weighted_loss(logits * 4.0, labels, options))
            });
        }
    })
}

fn of_values(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..40_usize, 1..6_usize), |(b, c)| {
        let name = format!("B {b}, C {c}");
        check(device, &name, [[b, c]], |[logits], place| {
            let values = place.tensor(&numbers(b * c, 3.0), [b, c]);
            scalar(bert_text_classification::loss(
                logits * 4.0,
                Labels::Values(values),
            ))
        });
    })
}

fn of_tokens(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(
        device,
        (1..6_usize, 1..12_usize, 2..9_usize),
        |(b, s, c)| {
            let labels: Vec<i64> = classes(b * s, c)
                .into_iter()
                .enumerate()
                .map(|(at, label)| if at % 4 == 3 { IGNORE_INDEX } else { label })
                .collect();
            for options in options(c) {
                let name = format!("B {b}, S {s}, C {c}, {options:?}");
                check(device, &name, [[b * s, c]], |[logits], place| {
                    let logits = (logits * 4.0).reshape([b, s, c]);
                    let labels = place.integers(&labels).reshape([b, s]);
                    let loss = bert_token_classification::weighted_loss(logits, labels, &options);
                    scalar(loss)
                });
            }
        },
    )
}

fn of_spans(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..12_usize, 1..40_usize), |(b, s)| {
        let name = format!("B {b}, S {s}");
        check(device, &name, [[b, s]; 2], |[start, end], place| {
            let logits = SpanLogits {
                start_logits: start * 4.0,
                end_logits: end * 4.0,
            };
            // One beyond the row: it takes no part.
            let positions = place.integers(&classes(b, s + 1));
            let loss = bert_question_answering::loss(logits, positions.clone(), positions);
            scalar(loss)
        });
    })
}
