//! The gradients of every operation against central differences in double precision, at shapes that proptest draws.

use bert_kernels::{
    AttentionParams, CrossEntropyOptions, DropoutMask, EmbeddingIds, EmbeddingParams,
    EmbeddingWeights, Epilogue, IGNORE_INDEX, LinearWeights, LowRankWeights, NormParams, Positions,
    Precision, Projections, Rotation, attention, biased_attention, cross_attention,
    disentangled_attention, dropout_add_norm, embed, embedding, feed_forward, gated_gelu, gelu,
    layer_norm, linear, linear_kv, linear_qkv, masked_cross_entropy, rotary,
    weighted_cross_entropy,
};
use bert_testing::differences::{Place, at_shapes, check, numbers};
use bert_testing::{TestDevice, with_and_without_kernels};
use burn::tensor::Tensor;
use proptest::strategy::Strategy;

use crate::common::row;

with_and_without_kernels!(
    of_linear_maps,
    of_a_linear_map_with_an_adapter,
    of_feed_forward_networks,
    of_self_attention,
    of_attention_with_a_bias,
    of_disentangled_attention,
    of_attention_of_some_queries,
    of_norms,
    of_activations,
    of_rotary_embeddings,
    of_embeddings,
    of_losses,
);

const EPSILON: f64 = 1e-5;

fn map(weight: Tensor<2>, bias: Tensor<2>) -> LinearWeights {
    LinearWeights::new(weight, Some(row(bias)))
}

fn of_linear_maps(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(
        device,
        (1..80_usize, 1..40_usize, 1..40_usize),
        |(t, k, n)| {
            let name = format!("T {t}, K {k}, N {n}");
            for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
                let of = format!("linear {epilogue:?}, {name}");
                check(device, &of, [[t, k], [k, n], [1, n]], |[x, w, b], _| {
                    linear(x, map(w, b), epilogue)
                });
            }
            let of_two = [[t, k], [k, n], [1, n], [k, n], [1, n]];
            check(
                device,
                &format!("two maps, {name}"),
                of_two,
                |[x, w1, b1, w2, b2], _| linear_kv(x, [map(w1, b1), map(w2, b2)]).into_joined(),
            );
            let of_three = [[t, k], [k, n], [1, n], [k, n], [1, n], [k, n], [1, n]];
            check(
                device,
                &format!("three maps, {name}"),
                of_three,
                |inputs, _| {
                    let [x, w1, b1, w2, b2, w3, b3] = inputs;
                    linear_qkv(x, [map(w1, b1), map(w2, b2), map(w3, b3)]).into_joined()
                },
            );
        },
    )
}

/// Of the adapter's two matrices: the map's own weight is frozen.
fn of_a_linear_map_with_an_adapter(device: &TestDevice) -> anyhow::Result<()> {
    let shapes = (1..80_usize, 1..40_usize, 1..40_usize, 1..5_usize);
    at_shapes(device, shapes, |(t, k, n, rank)| {
        let name = format!("adapter, T {t}, K {k}, N {n}, R {rank}");
        check(
            device,
            &name,
            [[t, k], [k, rank], [rank, n]],
            |[x, down, up], place| {
                let weight = place.tensor(&numbers(k * n, 9.0), [k, n]);
                let adapted = LinearWeights {
                    low_rank: Some(LowRankWeights {
                        down,
                        up,
                        scale: 0.5,
                        magnitude: None,
                        dropout: 0.0,
                    }),
                    ..LinearWeights::new(weight, None)
                };
                linear(x, adapted, Epilogue::Bias)
            },
        );
    })
}

fn of_feed_forward_networks(device: &TestDevice) -> anyhow::Result<()> {
    let shapes = (1..120_usize, 1..30_usize, 1..50_usize, 1..30_usize);
    at_shapes(device, shapes, |(t, k, i, n)| {
        let name = format!("T {t}, K {k}, I {i}, N {n}");
        let inputs = [[t, k], [k, i], [1, i], [i, n], [1, n]];
        check(device, &name, inputs, |[x, w1, b1, w2, b2], _| {
            feed_forward(x, map(w1, b1), map(w2, b2))
        });
    })
}

fn params(lengths: &[usize], query_lengths: &[usize], heads: usize) -> AttentionParams {
    AttentionParams {
        lengths: lengths.into(),
        query_lengths: query_lengths.into(),
        heads,
        dropout: DropoutMask::NONE,
        window: None,
        precision: Precision::F32,
    }
}

/// Hides the last of each sequence's tokens but one.
fn mask(lengths: &[usize], place: &Place) -> Tensor<1> {
    let hides = |&length: &usize| {
        let visible = length.div_ceil(2);
        (0..length).map(move |key| if key < visible { 0.0 } else { -1e4 })
    };
    let values: Vec<f64> = lengths.iter().flat_map(hides).collect();
    place.tensor(&values, [values.len()])
}

/// Lengths of sequences, heads and their width.
fn sequences() -> impl Strategy<Value = (Vec<usize>, usize, usize)> {
    (
        proptest::collection::vec(1..50_usize, 1..4),
        1..4_usize,
        1..12_usize,
    )
}

fn of_self_attention(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, sequences(), |(lengths, heads, head)| {
        let (tokens, width) = (lengths.iter().sum(), heads * head);
        for window in [None, Some(3)] {
            for is_masked in [false, true] {
                let name = format!("{lengths:?}, {heads} × {head}, {window:?}, {is_masked}");
                check(device, &name, [[tokens, width]; 3], |inputs, place| {
                    let mask = is_masked.then(|| mask(&lengths, place));
                    let params = AttentionParams {
                        // A query without a key that it sees has no slope to speak of.
                        window: window.filter(|_| !is_masked),
                        ..params(&lengths, &lengths, heads)
                    };
                    attention(Projections::from_separate(inputs), mask, params)
                });
            }
        }
    })
}

fn of_attention_with_a_bias(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, sequences(), |(lengths, heads, head)| {
        let (tokens, width) = (lengths.iter().sum(), heads * head);
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let name = format!("bias, {lengths:?}, {heads} × {head}");
        let qkv = [tokens, width];
        let inputs = [qkv, qkv, qkv, [heads, 2 * longest]];
        check(device, &name, inputs, |[q, k, v, bias], place| {
            let qkv = Projections::from_separate([q, k, v]);
            let params = params(&lengths, &lengths, heads);
            biased_attention(qkv, bias, Some(mask(&lengths, place)), params)
        });
    })
}

fn of_disentangled_attention(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, sequences(), |(lengths, heads, head)| {
        let (tokens, width) = (lengths.iter().sum(), heads * head);
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let name = format!("positions, {lengths:?}, {heads} × {head}");
        let (qkv, positions) = ([tokens, width], [2 * longest, width]);
        let inputs = [qkv, qkv, qkv, positions, positions];
        check(device, &name, inputs, |[q, k, v, keys, queries], place| {
            let qkv = Projections::from_separate([q, k, v]);
            let positions = Positions {
                keys: Some(keys),
                queries: Some(queries),
            };
            let params = params(&lengths, &lengths, heads);
            disentangled_attention(qkv, positions, Some(mask(&lengths, place)), params)
        });
    })
}

fn of_attention_of_some_queries(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, sequences(), |(lengths, heads, head)| {
        let (tokens, width) = (lengths.iter().sum(), heads * head);
        let queries: Vec<usize> = lengths.iter().map(|length| length.div_ceil(3)).collect();
        let asking = queries.iter().sum();
        let name = format!("{lengths:?}, {heads} × {head}");
        let inputs = [[asking, width], [tokens, width], [tokens, width]];
        check(device, &name, inputs, |[q, keys, values], place| {
            let keys_values = Projections::from_separate([keys, values]);
            let params = params(&lengths, &queries, heads);
            cross_attention(q, keys_values, Some(mask(&lengths, place)), params)
        });
    })
}

fn of_norms(device: &TestDevice) -> anyhow::Result<()> {
    // Rows of two are ±1 once they are normalised, without a slope.
    at_shapes(device, (1..80_usize, 4..50_usize), |(t, h)| {
        let params = NormParams {
            epsilon: EPSILON,
            dropout: DropoutMask::NONE,
            precision: Precision::F32,
        };
        let name = format!("T {t}, H {h}");
        let inputs = [[t, h], [t, h], [1, h], [1, h]];
        check(device, &name, inputs, |[x, residual, gamma, beta], _| {
            dropout_add_norm(x, residual, row(gamma), Some(row(beta)), params)
        });
        check(device, &name, [[t, h], [1, h]], |[x, gamma], _| {
            layer_norm(x, row(gamma), None, EPSILON)
        });
    })
}

fn of_activations(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..60_usize, 1..60_usize), |(t, n)| {
        let name = format!("T {t}, N {n}");
        // From −5 to 5, where GELU is bent.
        check(device, &name, [[t, n]], |[x], _| gelu(x * 5.0));
        check(device, &name, [[t, 2 * n]], |[x], _| gated_gelu(x * 3.0));
    })
}

fn of_rotary_embeddings(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(
        device,
        (1..60_usize, 1..4_usize, 1..8_usize),
        |(t, heads, half)| {
            let name = format!("T {t}, {heads} × {}", 2 * half);
            let shape = [t, 2 * heads * half];
            check(device, &name, [shape; 3], |inputs, place| {
                let angles = numbers(t * half, 5.0);
                let of = |f: fn(f64) -> f64| {
                    let values: Vec<f64> = angles.iter().map(|&angle| f(angle)).collect();
                    place.tensor(&values, [t, half])
                };
                let rotation = Rotation {
                    cos: of(f64::cos),
                    sin: of(f64::sin),
                };
                rotary(Projections::from_separate(inputs), &rotation, heads).into_joined()
            });
        },
    )
}

fn of_embeddings(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(
        device,
        (1..60_usize, 2..40_usize, 4..30_usize),
        |(t, words, h)| {
            let ids =
                |rows: usize| -> Vec<i64> { (0..t).map(|at| (at * 7 % rows) as i64).collect() };
            let name = format!("T {t}, V {words}, H {h}");
            let tables = [[words, h], [t, h], [2, h], [1, h], [1, h]];
            check(
                device,
                &name,
                tables,
                |[word, position, segment, gamma, beta], place| {
                    let weights = EmbeddingWeights {
                        words: word,
                        positions: Some(position),
                        token_types: Some(segment),
                        gamma: row(gamma),
                        beta: Some(row(beta)),
                    };
                    let ids = EmbeddingIds {
                        input_ids: place.integers(&ids(words)),
                        token_type_ids: Some(place.integers(&ids(2))),
                        position_ids: place.integers(&ids(t)),
                    };
                    let params = EmbeddingParams {
                        padding_idx: None,
                        position_padding_idx: None,
                        epsilon: EPSILON,
                        dropout: DropoutMask::NONE,
                    };
                    embed(weights, ids, params)
                },
            );
            check(device, &name, [[words, h]], |[table], place| {
                // The padding's row, 0, is not looked up.
                let rows: Vec<i64> = ids(words - 1).iter().map(|row| row + 1).collect();
                let ids = place.integers(&rows).reshape([1, t]);
                embedding(table, ids, 0).reshape([t, h])
            });
        },
    )
}

fn of_losses(device: &TestDevice) -> anyhow::Result<()> {
    at_shapes(device, (1..60_usize, 2..20_usize), |(t, c)| {
        let labels: Vec<i64> = (0..t)
            .map(|at| match at % 5 {
                4 => IGNORE_INDEX,
                _ => (at * 7 % c) as i64,
            })
            .collect();
        let name = format!("T {t}, C {c}");
        check(device, &name, [[t, c]], |[logits], place| {
            masked_cross_entropy(logits * 4.0, place.integers(&labels)).reshape([1, 1])
        });
        let options = CrossEntropyOptions {
            class_weights: Some((0..c).map(|class| 0.5 + class as f32).collect()),
            label_smoothing: 0.1,
            focal_gamma: 2.0,
        };
        check(device, &name, [[t, c]], |[logits], place| {
            weighted_cross_entropy(logits * 4.0, place.integers(&labels), &options).reshape([1, 1])
        });
    })
}
