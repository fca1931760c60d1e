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
    AttentionNumbers, DropoutMask, NormNumbers, attention, attention_composed, dropout,
    dropout_add_norm, dropout_add_norm_composed, embedding, embedding_composed, gelu,
    gelu_composed, masked_cross_entropy, sum_of_squares,
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
const PADDING: usize = 0;
const PROBABILITY: f64 = 0.1;
const EPSILON: f64 = 1e-12;
const MASK: DropoutMask = DropoutMask {
    probability: PROBABILITY,
    seed: 42,
};
const NORM: NormNumbers = NormNumbers {
    epsilon: EPSILON,
    dropout: MASK,
};
const ATTENTION: AttentionNumbers = AttentionNumbers {
    batch: B,
    heads: N,
    dropout: MASK,
};

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
    kernel |[x, residual, gamma, beta]| dropout_add_norm(x, residual, row(gamma), row(beta), NORM);
    composed |[x, residual, gamma, beta]| {
        let kept = kept(&x);
        dropout_add_norm_composed(x, residual, kept, row(gamma), row(beta), EPSILON)
    }
}

beside! { attention_of_twelve_heads [[T, H], [T, H], [T, H]]
    kernel |[q, k, v]| {
        let mask = Tensor::zeros([B, S], &q.device());
        attention(q, k, v, mask, ATTENTION)
    };
    composed |[q, k, v]| attention_composed(q, k, v, None, [B, N], |p| p.clone() * kept(&p)).0
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
        stock::cross_entropy(logits, labels).unsqueeze()
    }
}

beside! { sum_of_squares_of_the_word_embeddings [[V, H]] forward only
    kernel |[x]| sum_of_squares(x).unsqueeze();
    composed |[x]| x.square().sum().unsqueeze()
}
