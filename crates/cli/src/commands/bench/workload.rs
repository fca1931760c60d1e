// B rows, S positions, T = B · S tokens, H hidden, I inner, N heads, D head width, L layers

use bert_encoder::{DisentangledConfig, EncoderConfig, ModelType, PosAttType, WeightFormat};
use clap::ValueEnum;
use serde::Serialize;

use super::LONGEST_SEQUENCE;

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// Forward, loss, backward, clipping, AdamW.
    TrainStep,
    /// Forward to the logits, read back.
    Inference,
}

/// The sizes that BERT is usually measured at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Size {
    Tiny,
    Mini,
    Minilm,
    Base,
}

/// A batch of full-length rows on a model of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) work: Work,
    pub(crate) family: ModelType,
    pub(crate) size: Size,
    pub(crate) batch: usize,
    pub(crate) sequence: usize,
}

/// How the threads share matrix products of one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All threads work on one product, then on the next.
    Within,
    /// Each thread has products of its own: they are many and small.
    Across,
}

/// Which factor lies transposed in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transposed {
    Neither,
    Left,
    Right,
}

/// `count` times `[rows, inner] · [inner, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) count: usize,
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
    pub(crate) transposed: Transposed,
    pub(crate) spread: Spread,
}

impl Size {
    /// The model's configuration, with the family's own vocabulary, and positions for the longest sequence.
    pub(crate) fn config(self, family: ModelType, dropout: f64) -> EncoderConfig {
        let (num_hidden_layers, hidden_size, num_attention_heads) = match self {
            Self::Tiny => (2, 128, 2),
            Self::Mini => (4, 256, 4),
            Self::Minilm => (6, 384, 12),
            Self::Base => (12, 768, 12),
        };
        let mut config = EncoderConfig {
            num_hidden_layers,
            hidden_size,
            num_attention_heads,
            intermediate_size: 4 * hidden_size,
            ..(family.family().defaults)()
        };
        if let Some(disentangled) = &mut config.disentangled {
            *disentangled = as_deberta_v3();
        }
        config.max_position_embeddings += LONGEST_SEQUENCE.saturating_sub(config.max_length());
        config.with_dropout(dropout)
    }
}

/// What config.json of microsoft/deberta-v3-base says: the family's own defaults are without relative positions.
fn as_deberta_v3() -> DisentangledConfig {
    DisentangledConfig {
        relative_attention: true,
        position_buckets: 256,
        pos_att_type: PosAttType {
            c2p: true,
            p2c: true,
        },
        share_att_key: true,
        norm_rel_ebd: "layer_norm".into(),
        position_biased_input: false,
        ..DisentangledConfig::default()
    }
}

impl Product {
    /// A multiplication and an addition are two operations.
    fn flop(&self) -> f64 {
        2.0 * (self.count * self.rows * self.inner) as f64 * self.columns as f64
    }
}

impl Workload {
    pub(crate) fn tokens(&self) -> usize {
        self.batch * self.sequence
    }

    /// How many layers compute every token: all but the last, of which a classifier needs the first token of each row.
    pub(crate) fn whole_layers(&self) -> usize {
        self.config().num_hidden_layers - 1
    }

    /// The operations of all matrix products of the layers that the logits depend on. Pooler, classifier, DeBERTa's relative
    /// positions and everything element by element are not counted, nor is what an implementation computes beyond or twice.
    pub(crate) fn flop(&self) -> f64 {
        let of = |products: Vec<Product>| products.iter().map(Product::flop).sum::<f64>();
        of(self.layer_products()) * self.whole_layers() as f64 + of(self.last_layer_products())
    }

    /// The matrix products of one layer: the six linear layers, and scores and context of every head; in training each with
    /// the gradients of its two factors.
    pub(crate) fn layer_products(&self) -> Vec<Product> {
        self.products(self.tokens(), self.sequence)
    }

    /// The same of the last layer: keys and values of all tokens, everything else of the first tokens.
    pub(crate) fn last_layer_products(&self) -> Vec<Product> {
        self.products(self.batch, 1)
    }

    /// Keys and values of all tokens, everything else of `rows` of them, `queries` in each sequence.
    fn products(&self, rows: usize, queries: usize) -> Vec<Product> {
        let EncoderConfig {
            hidden_size,
            intermediate_size,
            ..
        } = self.config();
        [
            self.linear(2, self.tokens(), hidden_size, hidden_size),
            self.linear(2, rows, hidden_size, hidden_size),
            self.linear(1, rows, hidden_size, intermediate_size),
            self.linear(1, rows, intermediate_size, hidden_size),
            self.attention(queries),
        ]
        .concat()
    }

    /// The format in which a product is computed where the linear layers have one. Attention takes part while training alone.
    pub(crate) fn format_of(&self, product: &Product, maps: WeightFormat) -> WeightFormat {
        match (product.spread, self.work) {
            (Spread::Across, Work::Inference) => WeightFormat::F32,
            (Spread::Within, _) | (Spread::Across, Work::TrainStep) => maps,
        }
    }

    /// The model's configuration, with this dropout.
    pub(crate) fn config_with(&self, dropout: f64) -> EncoderConfig {
        self.size.config(self.family, dropout)
    }

    fn config(&self) -> EncoderConfig {
        self.config_with(0.0)
    }

    /// `Y = X W`, and in training `dX = dY Wᵀ` and `dW = Xᵀ dY`.
    fn linear(&self, count: usize, rows: usize, d_in: usize, d_out: usize) -> Vec<Product> {
        let product = |[rows, inner, columns]: [usize; 3], transposed| Product {
            count,
            rows,
            inner,
            columns,
            transposed,
            spread: Spread::Within,
        };
        let forward = product([rows, d_in, d_out], Transposed::Neither);
        match self.work {
            Work::Inference => vec![forward],
            Work::TrainStep => vec![
                forward,
                product([rows, d_out, d_in], Transposed::Right),
                product([d_in, rows, d_out], Transposed::Left),
            ],
        }
    }

    /// `Q Kᵀ` and `P V` of every head, and in training `dP = dO Vᵀ`, `dQ = dS K`, `dV = Pᵀ dO` and `dK = dSᵀ Q`.
    fn attention(&self, queries: usize) -> Vec<Product> {
        let config = self.config();
        let heads = self.batch * config.num_attention_heads;
        let (sequence, head) = (self.sequence, config.head_size());
        let product = |times: usize, [rows, inner, columns]: [usize; 3], transposed| Product {
            count: times * heads,
            rows,
            inner,
            columns,
            transposed,
            spread: Spread::Across,
        };
        let scores = |times| product(times, [queries, head, sequence], Transposed::Right);
        let context = |times| product(times, [queries, sequence, head], Transposed::Neither);
        let transposed = |times| product(times, [sequence, queries, head], Transposed::Left);
        match self.work {
            Work::Inference => vec![scores(1), context(1)],
            Work::TrainStep => vec![scores(2), context(2), transposed(2)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flop(work: Work, size: Size, batch: usize, sequence: usize) -> f64 {
        let workload = Workload {
            work,
            family: ModelType::Bert,
            size,
            batch,
            sequence,
        };
        workload.flop()
    }

    /// `2·T·(4H² + 2HI) + 2·2·B·S²·H` for each layer but the last, `2·T·2H² + 2·B·(2H² + 2HI) + 2·2·B·S·H` for that.
    fn by_formula([b, s, h, i, l]: [u64; 5]) -> f64 {
        let whole = 2 * b * s * (4 * h * h + 2 * h * i) + 4 * b * s * s * h;
        let last = 2 * b * s * 2 * h * h + 2 * b * (2 * h * h + 2 * h * i) + 4 * b * s * h;
        (whole * (l - 1) + last) as f64
    }

    #[test]
    fn the_products_of_inference_add_up_to_the_formula() {
        for (size, [h, l]) in [
            (Size::Tiny, [128, 2]),
            (Size::Mini, [256, 4]),
            (Size::Minilm, [384, 6]),
            (Size::Base, [768, 12]),
        ] {
            let expected = by_formula([3, 70, h, 4 * h, l]);
            assert_eq!(flop(Work::Inference, size, 3, 70), expected, "{size:?}");
        }
    }

    #[test]
    fn training_is_three_times_inference() {
        for size in Size::value_variants() {
            let inference = flop(Work::Inference, *size, 4, 128);
            assert_eq!(flop(Work::TrainStep, *size, 4, 128), 3.0 * inference);
        }
    }

    #[test]
    fn a_step_of_minilm_on_sixteen_rows_of_128_is_119_gigaflop() {
        let gigaflop = flop(Work::TrainStep, Size::Minilm, 16, 128) / 1e9;
        assert_eq!(gigaflop.round(), 119.0);
    }

    #[test]
    fn every_size_is_a_model_that_can_be_built() {
        for family in ModelType::ALL {
            for size in Size::value_variants() {
                let config = size.config(family, 0.1);
                config.validate().unwrap();
                assert!(config.max_length() >= LONGEST_SEQUENCE, "{family:?}");
            }
        }
    }
}
