//! DeBERTa without padding, where attention has a kernel, against the same batch with padding, where it has none.

use bert_encoder::{
    DisentangledConfig, Encoder, EncoderConfig, EncoderInput, ModelType, PosAttType, RaggedInput,
};
use bert_testing::named::{Named, gradients};
use bert_testing::{Quantity, TestDevice, Values, assert_close_at_scale, with_and_without_kernels};
use bert_weights::KeyMap;
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

with_and_without_kernels!(what_distances_add_needs_no_padding);

/// More than one block of queries, one, and a single token.
const LENGTHS: [usize; 3] = [41, 17, 1];

fn what_distances_add_needs_no_padding(device: &TestDevice) -> anyhow::Result<()> {
    let both = DisentangledConfig {
        relative_attention: true,
        pos_att_type: PosAttType {
            c2p: true,
            p2c: true,
        },
        ..DisentangledConfig::default()
    };
    let one = |c2p| PosAttType { c2p, p2c: !c2p };
    let settings = [
        // As DeBERTa-v3: distances in buckets, shared projections.
        DisentangledConfig {
            position_buckets: 8,
            share_att_key: true,
            norm_rel_ebd: "layer_norm".into(),
            position_biased_input: false,
            ..both.clone()
        },
        DisentangledConfig {
            conv_kernel_size: 3,
            ..both.clone()
        },
        DisentangledConfig {
            pos_att_type: one(true),
            ..both.clone()
        },
        DisentangledConfig {
            pos_att_type: one(false),
            ..both.clone()
        },
        // No table of positions: without scores for them, and with their share of the scale alone.
        DisentangledConfig::default(),
        DisentangledConfig {
            relative_attention: false,
            ..both
        },
    ];
    for disentangled in settings {
        let name = format!("{disentangled:?}");
        let has_p2c = disentangled.relative_attention && disentangled.pos_att_type.p2c;
        let encoder = config(disentangled).init(&device.autodiff())?;
        let ragged = ragged()?;
        let padded = ragged.to_padded(0, &device.autodiff());
        let (found, expected) = (of(&encoder, ragged)?, of(&encoder, padded)?);
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found.len() > 20, "{name}");
        let largest = expected.values().map(Values::largest).fold(0.0, f64::max);
        for (of, expected) in &expected {
            // Softmax ignores what is added to all scores of a query.
            let vanishes =
                of.ends_with(".pos_key_proj.bias") || of.ends_with(".key_proj.bias") && !has_p2c;
            let (quantity, scale) = match of.as_str() {
                OUTPUT => (Quantity::Output, expected.largest()),
                _ if vanishes => (Quantity::VanishingGradient, largest),
                _ => (Quantity::Gradient, expected.largest()),
            };
            let name = format!("{of}, {name}");
            assert_close_at_scale(device, quantity, scale, &name, &found[of], expected);
        }
    }
    Ok(())
}

const OUTPUT: &str = "last_hidden_state";

fn config(disentangled: DisentangledConfig) -> EncoderConfig {
    EncoderConfig {
        vocab_size: 37,
        hidden_size: 16,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 24,
        max_position_embeddings: 48,
        initializer_range: 0.5,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        disentangled: Some(disentangled),
        ..(ModelType::DebertaV2.family().defaults)()
    }
}

fn ragged() -> anyhow::Result<RaggedInput> {
    let ids = |length: usize| (0..length).map(|index| 1 + (index * 7 % 36) as u32);
    let sequences: Vec<(Vec<u32>, Vec<u32>)> = LENGTHS
        .iter()
        .map(|&length| (ids(length).collect(), vec![0; length]))
        .collect();
    let sequences = sequences.iter().map(|(ids, types)| (&ids[..], &types[..]));
    Ok(RaggedInput::from_sequences(sequences)?)
}

/// The last hidden states of the real tokens, and the gradient of a weighted sum of them for every parameter.
fn of(encoder: &Encoder, input: impl Into<EncoderInput>) -> anyhow::Result<Named> {
    let hidden = encoder.forward(input.into())?.last_hidden_state;
    let [batch, sequence, width] = hidden.dims();
    let is_real = |index: usize| index / width % sequence < LENGTHS[index / width / sequence];
    let of_real = |weight: fn(usize) -> f32| {
        let weights = (0..batch * sequence * width)
            .map(|index| if is_real(index) { weight(index) } else { 0.0 });
        let data = TensorData::new(weights.collect::<Vec<f32>>(), [batch, sequence, width]);
        hidden.clone() * Tensor::<3>::from_data(data, &hidden.device())
    };
    let loss = of_real(|index| (index as f32).sin()).sum();
    let family = ModelType::DebertaV2.family();
    let keys = KeyMap::parse(family.keys)?.with_base_prefix(family.base_model_prefix);
    let of_loss = GradientsParams::from_grads(loss.backward(), encoder);
    let mut named = gradients(encoder, &of_loss, &keys)?;
    named.insert(OUTPUT.into(), Values::of(of_real(|_| 1.0)));
    Ok(named)
}
