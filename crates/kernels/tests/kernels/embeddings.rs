//! The embeddings of tokens: three tables, LayerNorm, dropout.

use bert_kernels::{
    DropoutMask, EmbeddingIds, EmbeddingParams, EmbeddingWeights, embed, embed_composed,
};
use bert_testing::{TestDevice, where_kernels_are, with_and_without_kernels};
use burn::tensor::{Bool, Int, Tensor};

use crate::common::{MASKS, assert_same, integers, kept, row, waves, with_gradients};

where_kernels_are!(embeddings_are_their_composed_body);

with_and_without_kernels!(
    embeddings_are_their_formula,
    missing_positions_add_nothing,
    missing_token_types_add_nothing,
    missing_token_type_ids_are_zero,
);

/// A word table of several blocks.
const VOCABULARY: usize = 201;
const WIDTH: usize = 37;
const PADDING: usize = 3;
/// A position that several tokens have.
const POSITION_PADDING: usize = 2;
const EPSILON: f64 = 1e-12;
const TOKENS: usize = 15;

/// Words that are taken more than once, the padding token among them.
fn words() -> Vec<i64> {
    (0..TOKENS)
        .map(|index| [3, 200, 7, 64, 63][index % 5])
        .collect()
}

/// Positions of three sequences, counted from 2, as RoBERTa counts them.
fn positions() -> Vec<i64> {
    [5_i64, 1, 9]
        .iter()
        .flat_map(|&length| 2..2 + length)
        .collect()
}

fn types() -> Vec<i64> {
    (0..TOKENS).map(|index| i64::from(index % 3 == 0)).collect()
}

fn tables(device: &TestDevice) -> [Tensor<2>; 5] {
    let on = device.autodiff();
    [
        waves([VOCABULARY, WIDTH], 0.0, &on),
        waves([13, WIDTH], 1.0, &on),
        waves([2, WIDTH], 2.0, &on),
        waves([1, WIDTH], 3.0, &on),
        waves([1, WIDTH], 4.0, &on),
    ]
}

fn arguments(
    [words, positions, token_types, gamma, beta]: [Tensor<2>; 5],
) -> (EmbeddingWeights, EmbeddingIds) {
    let on = words.device();
    let ids = EmbeddingIds {
        input_ids: integers(&self::words(), &on),
        token_type_ids: Some(integers(&types(), &on)),
        position_ids: integers(&self::positions(), &on),
    };
    let weights = EmbeddingWeights {
        words,
        positions: Some(positions),
        token_types: Some(token_types),
        gamma: row(gamma),
        beta: Some(row(beta)),
    };
    (weights, ids)
}

fn params(dropout: DropoutMask) -> EmbeddingParams {
    EmbeddingParams {
        padding_idx: Some(PADDING),
        position_padding_idx: Some(POSITION_PADDING),
        epsilon: EPSILON,
        dropout,
    }
}

fn embeddings_are_their_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    for mask in MASKS {
        let found = with_gradients(tables(device), |tables| {
            let (weights, ids) = arguments(tables);
            embed(weights, ids, params(mask))
        });
        let kept = kept([TOKENS, WIDTH], mask, &device.autodiff());
        let expected = with_gradients(tables(device), |tables| {
            let (weights, ids) = arguments(tables);
            embed_composed(weights, ids, params(mask), |y| y * kept)
        });
        let name = format!("embeddings, dropout {}", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn embeddings_are_their_formula(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let found = with_gradients(tables(device), |tables| {
        let (weights, ids) = arguments(tables);
        embed(weights, ids, params(DropoutMask::NONE))
    });
    let expected = with_gradients(
        tables(device),
        |[words, table, token_types, gamma, beta]| {
            let sum = without_gradient_of(words, &self::words(), PADDING)
                + without_gradient_of(table, &positions(), POSITION_PADDING)
                + token_types.select(0, integers(&types(), &on));
            let centred = sum.clone() - sum.mean_dim(1);
            let variance = centred.clone().square().mean_dim(1);
            centred / (variance + EPSILON).sqrt() * gamma + beta
        },
    );
    assert_same(device, "embeddings", &found, &expected);
    Ok(())
}

/// Rows of a table, of which the padding row takes part without a gradient.
fn without_gradient_of(table: Tensor<2>, ids: &[i64], padding: usize) -> Tensor<2> {
    let on = table.device();
    let is_padding: Vec<bool> = ids.iter().map(|&id| id == padding as i64).collect();
    let is_padding = Tensor::<1, Bool>::from_data(is_padding.as_slice(), &on);
    let is_padding = is_padding.unsqueeze_dim::<2>(1).expand([TOKENS, WIDTH]);
    let rows = table.select(0, integers(ids, &on));
    rows.clone().mask_where(is_padding, rows.detach())
}

fn missing_positions_add_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let of = |with_zeros: bool| {
        let [words, positions, token_types, gamma, beta] = tables(device);
        with_gradients(
            [words, token_types, gamma, beta],
            |[words, token_types, gamma, beta]| {
                let zeros = positions.zeros_like();
                let (mut weights, ids) = arguments([words, zeros, token_types, gamma, beta]);
                if !with_zeros {
                    weights.positions = None;
                }
                embed(weights, ids, params(DropoutMask::NONE))
            },
        )
    };
    assert_same(device, "no positions", &of(false), &of(true));
    Ok(())
}

fn missing_token_types_add_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let of = |with_zeros: bool| {
        let [words, positions, token_types, gamma, beta] = tables(device);
        with_gradients(
            [words, positions, gamma, beta],
            |[words, positions, gamma, beta]| {
                let zeros = token_types.zeros_like();
                let (mut weights, ids) = arguments([words, positions, zeros, gamma, beta]);
                if !with_zeros {
                    weights.token_types = None;
                }
                embed(weights, ids, params(DropoutMask::NONE))
            },
        )
    };
    assert_same(device, "no token types", &of(false), &of(true));
    Ok(())
}

fn missing_token_type_ids_are_zero(device: &TestDevice) -> anyhow::Result<()> {
    let of = |ids_of: fn(&EmbeddingIds) -> Option<Tensor<1, Int>>| {
        with_gradients(tables(device), |tables| {
            let (weights, mut ids) = arguments(tables);
            ids.token_type_ids = ids_of(&ids);
            embed(weights, ids, params(DropoutMask::NONE))
        })
    };
    let zeros = of(|ids| Some(ids.input_ids.zeros_like()));
    assert_same(device, "no token type ids", &of(|_| None), &zeros);
    Ok(())
}
