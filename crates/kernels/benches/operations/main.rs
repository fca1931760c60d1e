//! Every operation of this crate beside the ordinary tensor operations that mean the same, forward and forward with
//! backward, on flex, at the sizes of a training step of all-MiniLM-L6-v2.
//!
//! ```text
//! cargo bench -p bert-kernels --features flex                        # all of them
//! cargo bench -p bert-kernels --features flex -- attention           # one
//! RAYON_NUM_THREADS=1 cargo bench -p bert-kernels --features flex    # on one thread
//! ```
//!
//! A new operation is one `beside!`: name and shapes of its inputs, the operation, what it stands for.

// T tokens, H hidden, I inner, V vocabulary, B rows, S positions, N heads

#[path = "../../../device/src/allocator.rs"]
#[expect(
    unreachable_pub,
    reason = "the file is bert-device's, which stands above this crate, so that it cannot be a dependency"
)]
#[cfg_attr(
    test,
    allow(
        dead_code,
        unused_imports,
        reason = "the file's own test is bert-device's to run"
    )
)]
mod allocator;
mod beside;
mod optimizer;
mod stock;

use bert_kernels::{
    AttentionParams, DropoutMask, EmbeddingIds, EmbeddingParams, EmbeddingWeights, Epilogue,
    LinearWeights, NormParams, Precision, Projections, attention, attention_composed, dropout,
    dropout_add_norm, dropout_add_norm_composed, embed, embed_composed, embedding,
    embedding_composed, gelu, gelu_composed, linear, linear_composed, linear_qkv,
    masked_cross_entropy, masked_cross_entropy_composed, sum_of_squares,
};

use burn::tensor::Tensor;

use beside::beside;
use stock::{classes, ids, kept, row};

const B: usize = 16;
const S: usize = 128;
const T: usize = B * S;
const H: usize = 384;
const I: usize = 4 * H;
const N: usize = 12;
const V: usize = 30_522;
/// Classes of the cross-entropy: as many as named-entity tags and sentence labels have, not the vocabulary.
const C: usize = 9;
/// Masked tokens of the batch, of a masked language model.
const MASKED: usize = 307;
const PADDING: usize = 0;
const PROBABILITY: f64 = 0.1;
const EPSILON: f64 = 1e-12;
const EMBEDDINGS: EmbeddingParams = EmbeddingParams {
    padding_idx: Some(PADDING),
    position_padding_idx: None,
    epsilon: EPSILON,
    dropout: MASK,
};
const MASK: DropoutMask = DropoutMask {
    probability: PROBABILITY,
    seed: 42,
};
const NORM: NormParams = NormParams {
    epsilon: EPSILON,
    dropout: MASK,
    precision: Precision::F32,
};
fn attention_params() -> AttentionParams {
    AttentionParams {
        lengths: [S; B].into(),
        query_lengths: [S; B].into(),
        heads: N,
        dropout: MASK,
        window: None,
        precision: Precision::F32,
    }
}

/// `[K, N]` and `[1, N]`.
fn map(weight: Tensor<2>, bias: Tensor<2>) -> LinearWeights {
    LinearWeights::new(weight, Some(row(bias)))
}

/// Tables, γ and β, and the ids of the batch.
fn embeddings(
    [words, positions, token_types, gamma, beta]: [Tensor<2>; 5],
) -> (EmbeddingWeights, EmbeddingIds) {
    let device = words.device();
    let ids = EmbeddingIds {
        input_ids: ids([B, S], V, &device).reshape([T]),
        token_type_ids: None,
        position_ids: Tensor::arange(0..S as i64, &device).repeat_dim(0, B),
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

fn main() {
    // As in the binaries of this repository: otherwise page faults would be measured on both sides.
    allocator::keep_allocator_memory();
    divan::main();
}

beside! { gelu_of_the_inner_width [[T, I]]
    kernel |[x]| gelu(x);
    composed |[x]| gelu_composed(x)
}

beside! { dropout_of_the_hidden_width [[T, H]]
    kernel |[x]| dropout(x, MASK);
    composed |[x]| x.clone() * kept(&x)
}

beside! { dropout_add_layer_norm [[T, H], [T, H], [1, H], [1, H]]
    kernel |[x, residual, gamma, beta]| {
        dropout_add_norm(x, residual, row(gamma), Some(row(beta)), NORM)
    };
    composed |[x, residual, gamma, beta]| {
        let drop = |x: Tensor<2>| x.clone() * kept(&x);
        dropout_add_norm_composed(x, residual, row(gamma), Some(row(beta)), EPSILON, drop)
    }
}

beside! { linear_to_the_hidden_width [[T, H], [H, H], [1, H]]
    kernel |[x, weight, bias]| linear(x, map(weight, bias), Epilogue::Bias);
    composed |[x, weight, bias]| linear_composed(x, weight, Some(row(bias)), Epilogue::Bias)
}

beside! { linear_to_the_inner_width_and_gelu [[T, H], [H, I], [1, I]]
    kernel |[x, weight, bias]| linear(x, map(weight, bias), Epilogue::BiasGelu);
    composed |[x, weight, bias]| linear_composed(x, weight, Some(row(bias)), Epilogue::BiasGelu)
}

beside! { queries_keys_and_values [[T, H], [H, H], [1, H], [H, H], [1, H], [H, H], [1, H]]
    kernel |[x, w1, b1, w2, b2, w3, b3]| {
        let maps = [(w1, b1), (w2, b2), (w3, b3)];
        linear_qkv(x, maps.map(|(w, b)| map(w, b))).into_joined()
    };
    composed |[x, w1, b1, w2, b2, w3, b3]| {
        let maps = [(w1, b1), (w2, b2), (w3, b3)];
        let each = maps.map(|(w, b)| linear_composed(x.clone(), w, Some(row(b)), Epilogue::Bias));
        Tensor::cat(each.to_vec(), 1)
    }
}

beside! { attention_of_twelve_heads [[T, 3 * H]]
    kernel |[joined]| {
        attention(Projections::from_joined(joined), None, attention_params())
    };
    composed |[joined]| {
        let qkv = Projections::from_joined(joined).into_separate();
        attention_composed(qkv, None, [B, N], |p| p.clone() * kept(&p)).0
    }
}

beside! { embeddings_and_layer_norm [[V, H], [512, H], [2, H], [1, H], [1, H]]
    kernel |inputs| {
        let (weights, ids) = embeddings(inputs);
        embed(weights, ids, EMBEDDINGS)
    };
    composed |inputs| {
        let (weights, ids) = embeddings(inputs);
        embed_composed(weights, ids, EMBEDDINGS, |y| y.clone() * kept(&y))
    }
}

beside! { word_embeddings [[V, H]]
    kernel |[weight]| {
        let ids = ids([B, S], V, &weight.device());
        embedding(weight, ids, PADDING).reshape([T, H])
    };
    composed |[weight]| {
        let ids = ids([B, S], V, &weight.device());
        embedding_composed(weight, ids, PADDING).reshape([T, H])
    }
}

beside! { cross_entropy [[T, C]]
    kernel |[logits]| {
        let labels = classes(T, C, &logits.device());
        masked_cross_entropy(logits, labels).unsqueeze()
    };
    composed |[logits]| {
        let labels = classes(T, C, &logits.device());
        masked_cross_entropy_composed(logits, labels).unsqueeze()
    }
}

beside! { cross_entropy_over_the_vocabulary [[MASKED, V]]
    kernel |[logits]| {
        let labels = classes(MASKED, V, &logits.device());
        masked_cross_entropy(logits, labels).unsqueeze()
    };
    composed |[logits]| {
        let labels = classes(MASKED, V, &logits.device());
        masked_cross_entropy_composed(logits, labels).unsqueeze()
    }
}

beside! { sum_of_squares_of_the_word_embeddings [[V, H]] forward only
    kernel |[x]| sum_of_squares(x).unsqueeze();
    composed |[x]| x.square().sum().unsqueeze()
}
