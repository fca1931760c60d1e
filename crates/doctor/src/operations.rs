//! The operations of `bert-kernels` with their kernels and without: output, and the gradient of every input.

use bert_kernels::{
    AdamWState, AdamWStep, AttentionParams, CrossEntropyOptions, DropoutMask, EmbeddingIds,
    EmbeddingParams, EmbeddingWeights, Epilogue, LinearWeights, LowRankWeights, NormParams,
    Positions, Precision, Projections, Rotation, adamw_update, attention, biased_attention,
    cross_attention, disentangled_attention, dropout_add_norm, embed, feed_forward, gated_gelu,
    gelu, layer_norm, linear, linear_qkv, masked_cross_entropy, rotary, weighted_cross_entropy,
    without_kernels,
};
use bert_parity::operation::{integers, row, same, waves, with_gradients};
use bert_parity::{Quantity, Values};
use burn::tensor::{Device, Tensor};

use crate::Check;

/// An operation on inputs of its own.
pub struct Operation {
    /// What it is called.
    pub name: &'static str,
    compute: fn(&Device) -> Vec<Run>,
}

/// The output and the gradients of one run.
type Run = Vec<Values>;

/// Every operation but the optimiser's.
pub const OPERATIONS: [Operation; 13] = [
    operation("gelu", |on| {
        vec![with_gradients([waves([71, 37], 0.0, on)], |[x]| gelu(x))]
    }),
    operation("gated_gelu", |on| {
        let x = [waves([71, 74], 0.0, on)];
        vec![with_gradients(x, |[x]| gated_gelu(x))]
    }),
    operation("linear", |on| linears(Epilogue::Bias, on)),
    operation("linear with gelu", |on| linears(Epilogue::BiasGelu, on)),
    operation("linear_qkv", |on| vec![qkv(on)]),
    operation("feed_forward", |on| vec![network(on)]),
    operation("linear with an adapter", |on| vec![adapted(on)]),
    operation("layer_norm", |on| {
        let [x, _, gamma, beta] = norm_inputs(on);
        let norm =
            |[x, gamma, beta]: [Tensor<2>; 3]| layer_norm(x, row(gamma), Some(row(beta)), EPSILON);
        vec![with_gradients([x, gamma, beta], norm)]
    }),
    operation("dropout_add_norm", |on| {
        let norm = |[x, residual, gamma, beta]: [Tensor<2>; 4]| {
            let params = NormParams {
                epsilon: EPSILON,
                dropout: DropoutMask::NONE,
                precision: Precision::F32,
            };
            dropout_add_norm(x, residual, row(gamma), Some(row(beta)), params)
        };
        vec![with_gradients(norm_inputs(on), norm)]
    }),
    operation("embed", |on| vec![embeddings(on)]),
    operation("attention", attentions),
    operation("rotary", |on| vec![turned(on)]),
    operation("cross_entropy", cross_entropies),
];

const EPSILON: f64 = 1e-12;

const fn operation(name: &'static str, compute: fn(&Device) -> Vec<Run>) -> Operation {
    Operation { name, compute }
}

/// Holds an operation with its kernel against its composed body.
pub fn check(check: &mut Check, operation: &Operation) {
    let found = (operation.compute)(&check.on);
    let expected = without_kernels(|| (operation.compute)(&check.on));
    for (found, expected) in found.iter().zip(&expected) {
        same(&mut check.comparisons, operation.name, found, expected, &[]);
    }
}

/// Holds a step of AdamW with its kernel against its composed body.
pub fn adamw(check: &mut Check) {
    let found = adamw_step(&check.plain);
    let expected = without_kernels(|| adamw_step(&check.plain));
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        let comparisons = &mut check.comparisons;
        comparisons.values(Quantity::KernelForward, name, found, expected);
    }
}

fn norm_inputs(on: &Device) -> [Tensor<2>; 4] {
    [
        waves([71, 37], 0.0, on),
        waves([71, 37], 1.0, on),
        waves([1, 37], 2.0, on),
        waves([1, 37], 3.0, on),
    ]
}

fn projections(tokens: usize, width: usize, on: &Device) -> [Tensor<2>; 3] {
    [0.0, 1.0, 2.0].map(|phase| waves([tokens, width], phase, on))
}

/// Few rows, and enough of them for several tiles.
fn linears(epilogue: Epilogue, on: &Device) -> Vec<Run> {
    let of_rows = |rows| {
        let inputs = [
            waves([rows, 37], 0.0, on),
            waves([37, 101], 1.0, on) * 0.2,
            waves([1, 101], 2.0, on),
        ];
        with_gradients(inputs, |[x, weight, bias]| {
            linear(x, LinearWeights::new(weight, Some(row(bias))), epilogue)
        })
    };
    vec![of_rows(1), of_rows(300)]
}

fn network(on: &Device) -> Run {
    let inputs = [
        waves([300, 37], 0.0, on),
        waves([37, 101], 1.0, on) * 0.2,
        waves([1, 101], 2.0, on),
        waves([101, 13], 3.0, on) * 0.2,
        waves([1, 13], 4.0, on),
    ];
    with_gradients(inputs, |[x, w1, b1, w2, b2]| {
        let map = |weight, bias| LinearWeights::new(weight, Some(row(bias)));
        feed_forward(x, map(w1, b1), map(w2, b2))
    })
}

fn qkv(on: &Device) -> Run {
    let weight = |phase| waves([37, 101], phase, on) * 0.2;
    let bias = |phase| waves([1, 101], phase, on);
    let inputs = [
        waves([71, 37], 0.0, on),
        weight(1.0),
        bias(2.0),
        weight(3.0),
        bias(4.0),
        weight(5.0),
        bias(6.0),
    ];
    with_gradients(inputs, |[x, w1, b1, w2, b2, w3, b3]| {
        let maps = [(w1, b1), (w2, b2), (w3, b3)];
        linear_qkv(x, maps.map(|(w, b)| LinearWeights::new(w, Some(row(b))))).into_joined()
    })
}

fn adapted(on: &Device) -> Run {
    let inputs = [
        waves([71, 37], 0.0, on) * 0.5,
        waves([37, 101], 1.0, on) * 0.2,
        waves([1, 101], 2.0, on) * 0.2,
        waves([37, 5], 3.0, on) * 0.1,
        waves([5, 101], 4.0, on) * 0.1,
    ];
    with_gradients(inputs, |[x, weight, bias, down, up]| {
        let map = LinearWeights {
            low_rank: Some(LowRankWeights {
                down,
                up,
                scale: 1.7,
                magnitude: None,
                dropout: 0.0,
            }),
            ..LinearWeights::new(weight, Some(row(bias)))
        };
        linear(x, map, Epilogue::Bias)
    })
}

/// Words that are taken more than once, the padding token among them, at positions of three sequences.
fn embeddings(on: &Device) -> Run {
    let words: Vec<i64> = (0..15)
        .map(|index| [3, 200, 7, 64, 63][index % 5])
        .collect();
    let positions: Vec<i64> = [5_i64, 1, 9]
        .iter()
        .flat_map(|&length| 2..2 + length)
        .collect();
    let types: Vec<i64> = (0..15).map(|index| i64::from(index % 3 == 0)).collect();
    let tables = [
        waves([201, 37], 0.0, on),
        waves([13, 37], 1.0, on),
        waves([2, 37], 2.0, on),
        waves([1, 37], 3.0, on),
        waves([1, 37], 4.0, on),
    ];
    with_gradients(
        tables,
        |[word_table, position_table, type_table, gamma, beta]| {
            let weights = EmbeddingWeights {
                words: word_table,
                positions: Some(position_table),
                token_types: Some(type_table),
                gamma: row(gamma),
                beta: Some(row(beta)),
            };
            let ids = EmbeddingIds {
                input_ids: integers(&words, on),
                token_type_ids: Some(integers(&types, on)),
                position_ids: integers(&positions, on),
            };
            let params = EmbeddingParams {
                padding_idx: Some(3),
                position_padding_idx: Some(2),
                epsilon: EPSILON,
                dropout: DropoutMask::NONE,
            };
            embed(weights, ids, params)
        },
    )
}

/// Within ragged sequences, of which one has a masked token; within a window; of the first tokens alone; and with a bias for
/// distances.
fn attentions(on: &Device) -> Vec<Run> {
    let lengths = [5, 1, 19, 2];
    let params = |query_lengths: [usize; 4], window| AttentionParams {
        lengths: lengths.into(),
        query_lengths: query_lengths.into(),
        heads: 5,
        dropout: DropoutMask::NONE,
        window,
        precision: Precision::F32,
    };
    let within = |window| {
        with_gradients(projections(27, 35, on), |qkv| {
            let mask = Tensor::<1>::zeros([27], on).slice_fill(8..9, f32::MIN);
            let qkv = Projections::from_separate(qkv);
            attention(qkv, Some(mask), params(lengths, window))
        })
    };
    let of_first_tokens = with_gradients(projections(27, 35, on), |[query, key, value]| {
        let firsts = integers(&[0, 5, 6, 25], on);
        let keys_values = Projections::from_separate([key, value]);
        cross_attention(
            query.select(0, firsts),
            keys_values,
            None,
            params([1; 4], None),
        )
    });
    let [query, key, value] = projections(27, 35, on);
    let bias = waves([5, 38], 3.0, on);
    let biased = with_gradients([query, key, value, bias], |[query, key, value, bias]| {
        let qkv = Projections::from_separate([query, key, value]);
        biased_attention(qkv, bias, None, params(lengths, None))
    });
    let [query, key, value] = projections(27, 35, on);
    let [keys, queries] = [3.0, 4.0].map(|phase| waves([38, 35], phase, on));
    let inputs = [query, key, value, keys, queries];
    let disentangled = with_gradients(inputs, |[query, key, value, keys, queries]| {
        let qkv = Projections::from_separate([query, key, value]);
        let positions = Positions {
            keys: Some(keys),
            queries: Some(queries),
        };
        disentangled_attention(qkv, positions, None, params(lengths, None))
    });
    vec![
        within(None),
        within(Some(2)),
        of_first_tokens,
        biased,
        disentangled,
    ]
}

/// Plain, and with class weights and smoothing; every fourth row is ignored.
fn cross_entropies(on: &Device) -> Vec<Run> {
    let label = |row: i64| if row % 4 == 0 { -100 } else { row * 5 % 37 };
    let labels: Vec<i64> = (0..23).map(label).collect();
    let plain = with_gradients([waves([23, 37], 0.0, on) * 5.0], |[logits]| {
        masked_cross_entropy(logits, integers(&labels, on)).unsqueeze()
    });
    let options = CrossEntropyOptions {
        class_weights: Some((0..37).map(|class| 1.0 + class as f32 / 37.0).collect()),
        label_smoothing: 0.1,
        focal_gamma: 0.0,
    };
    let weighted = with_gradients([waves([23, 37], 0.0, on) * 5.0], |[logits]| {
        weighted_cross_entropy(logits, integers(&labels, on), &options).unsqueeze()
    });
    vec![plain, weighted]
}

fn turned(on: &Device) -> Run {
    let angles = waves([71, 3], 0.5, on) * 3.0;
    let rotation = Rotation {
        cos: angles.clone().cos(),
        sin: angles.sin(),
    };
    with_gradients(projections(71, 30, on), |qkv| {
        rotary(Projections::from_separate(qkv), &rotation, 5).into_joined()
    })
}

fn adamw_step(on: &Device) -> [(&'static str, Values); 3] {
    // Numbers between -1 and 1.
    let numbers = |phase| waves([40_009], phase, on) * 0.5;
    let state = AdamWState {
        parameter: numbers(1.0),
        first_moment: numbers(2.0),
        second_moment: numbers(3.0).square(),
    };
    let step = AdamWStep {
        learning_rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.01,
        gradient_factor: 0.37,
        step: 3,
    };
    let after = adamw_update(state, numbers(4.0), step);
    [
        ("parameter", Values::of(after.parameter)),
        ("first moment", Values::of(after.first_moment)),
        ("second moment", Values::of(after.second_moment)),
    ]
}
