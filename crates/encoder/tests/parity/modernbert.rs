//! ModernBERT's layers on sequences that are longer than the window of local attention, and its two kinds of pooling.

use bert_encoder::{
    Encoder, EncoderConfig, EncoderInput, ModelType, ModernBertConfig, Pooling, RaggedInput,
    WeightFormat,
};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_equal_bits, with_and_without_kernels,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

with_and_without_kernels!(
    a_sequence_is_alone_what_it_is_in_a_batch,
    tokens_alone_are_what_they_are_among_all,
    the_mean_is_that_of_the_real_tokens,
    packed_weights_change_nothing,
    dropout_is_drawn_in_training_alone,
    the_window_and_both_frequencies_matter,
);

/// Longer than the window of 8 to each side, but for the last one; the first has several blocks of the kernel.
const LENGTHS: [usize; 3] = [150, 70, 5];

/// The last layer has a window if there are three of them, and none if there are four.
fn config(layers: usize) -> EncoderConfig {
    EncoderConfig {
        vocab_size: 37,
        hidden_size: 16,
        num_hidden_layers: layers,
        num_attention_heads: 2,
        intermediate_size: 24,
        max_position_embeddings: 200,
        initializer_range: 0.2,
        pad_token_id: Some(0),
        modernbert: Some(ModernBertConfig {
            local_attention: 16,
            ..ModernBertConfig::default()
        }),
        ..(ModelType::Modernbert.family().defaults)()
    }
}

fn ids(length: usize) -> Vec<u32> {
    (0..length)
        .map(|index| 1 + (index * 7 % 36) as u32)
        .collect()
}

fn input(lengths: &[usize]) -> anyhow::Result<RaggedInput> {
    let sequences: Vec<(Vec<u32>, Vec<u32>)> = lengths
        .iter()
        .map(|&length| (ids(length), vec![0; length]))
        .collect();
    let sequences = sequences.iter().map(|(ids, types)| (&ids[..], &types[..]));
    Ok(RaggedInput::from_sequences(sequences)?)
}

/// The last hidden states of one row.
fn row(hidden: &Tensor<3>, row: usize, length: usize) -> Tensor<3> {
    hidden.clone().narrow(0, row, 1).narrow(1, 0, length)
}

fn last(encoder: &Encoder, input: RaggedInput) -> anyhow::Result<Tensor<3>> {
    Ok(encoder.forward(input.into())?.last_hidden_state)
}

fn a_sequence_is_alone_what_it_is_in_a_batch(device: &TestDevice) -> anyhow::Result<()> {
    let encoder = config(3).init(device.plain())?;
    let together = last(&encoder, input(&LENGTHS)?)?;
    let padded = input(&LENGTHS)?.to_padded(0, device.plain());
    let padded = encoder.forward(padded.into())?.last_hidden_state;
    for (index, length) in LENGTHS.into_iter().enumerate() {
        let alone = Values::of(last(&encoder, input(&[length])?)?);
        for batch in [&together, &padded] {
            let found = Values::of(row(batch, index, length));
            assert_close(device, Quantity::Invariance, "row", &found, &alone);
        }
    }
    Ok(())
}

fn tokens_alone_are_what_they_are_among_all(device: &TestDevice) -> anyhow::Result<()> {
    // The first and, where there is one, the hundredth token.
    let positions = [vec![0, 99], vec![0], vec![0]];
    for layers in [3, 4] {
        let encoder = config(layers).init(device.plain())?;
        let all = last(&encoder, input(&LENGTHS)?)?;
        let token = |index, position| row(&all, index, 150).narrow(1, position, 1);
        let expected = [token(0, 0), token(0, 99), token(1, 0), token(2, 0)];
        let expected = Tensor::cat(expected.to_vec(), 0).squeeze_dim::<2>(1);
        let found = encoder.forward_selected(input(&LENGTHS)?.into(), &positions)?;
        let (found, expected) = (Values::of(found), Values::of(expected));
        assert_close(device, Quantity::Output, "selected", &found, &expected);
    }
    Ok(())
}

fn the_mean_is_that_of_the_real_tokens(device: &TestDevice) -> anyhow::Result<()> {
    let encoder = config(3).init(device.plain())?;
    let all = last(&encoder, input(&LENGTHS)?)?;
    let means = LENGTHS
        .iter()
        .enumerate()
        .map(|(index, &length)| row(&all, index, length).mean_dim(1).squeeze_dim::<2>(1));
    let expected = Values::of(Tensor::cat(means.collect(), 0));
    let ragged = EncoderInput::from(input(&LENGTHS)?);
    let padded = EncoderInput::from(input(&LENGTHS)?.to_padded(0, device.plain()));
    let mut found = Vec::new();
    for input in [ragged, padded] {
        found.push(encoder.forward_pooled(input, Pooling::Mean)?);
    }
    found.push(Pooling::Mean.of_hidden(all, &LENGTHS));
    for found in found {
        assert_close(
            device,
            Quantity::Output,
            "mean",
            &Values::of(found),
            &expected,
        );
    }
    Ok(())
}

fn packed_weights_change_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let mut encoder = config(4).init(device.plain())?;
    let expected = Values::of(last(&encoder, input(&LENGTHS)?)?);
    encoder.pack_weights(WeightFormat::F32);
    let found = Values::of(last(&encoder, input(&LENGTHS)?)?);
    assert_equal_bits(device, "packed", &found, &expected);
    Ok(())
}

fn dropout_is_drawn_in_training_alone(device: &TestDevice) -> anyhow::Result<()> {
    let twice = |config: EncoderConfig, on: &Device| -> anyhow::Result<[Values; 2]> {
        let encoder = config.init(on)?;
        let pass = || anyhow::Ok(Values::of(last(&encoder, input(&[20])?)?));
        Ok([pass()?, pass()?])
    };
    let keys = |mlp_dropout| {
        let local = config(3).modernbert.unwrap_or_default();
        Some(ModernBertConfig {
            mlp_dropout,
            ..local
        })
    };
    let of_mlp = EncoderConfig {
        modernbert: keys(0.5),
        ..config(3)
    };
    let of_attention = EncoderConfig {
        attention_probs_dropout_prob: 0.5,
        ..config(3)
    };
    for config in [of_mlp, of_attention] {
        let [first, second] = twice(config.clone(), &device.autodiff())?;
        assert_ne!(first.values, second.values);
        let [first, second] = twice(config, device.plain())?;
        assert_equal_bits(device, "inference", &first, &second);
    }
    Ok(())
}

fn the_window_and_both_frequencies_matter(device: &TestDevice) -> anyhow::Result<()> {
    let encoder = config(3).init(device.plain())?;
    let expected = Values::of(last(&encoder, input(&[70])?)?);
    let keys = || config(3).modernbert.unwrap_or_default();
    let others = [
        ModernBertConfig {
            local_attention: 18,
            ..keys()
        },
        ModernBertConfig {
            local_rope_theta: 500.0,
            ..keys()
        },
        ModernBertConfig {
            global_rope_theta: 500.0,
            ..keys()
        },
    ];
    for other in others {
        let changed = EncoderConfig {
            modernbert: Some(other),
            ..config(3)
        };
        let mut changed = changed.init(device.plain())?;
        let record = encoder.clone().into_record();
        changed = changed.load_record(record);
        let found = Values::of(last(&changed, input(&[70])?)?);
        assert_ne!(found.values, expected.values);
    }
    Ok(())
}
