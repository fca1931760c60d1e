//! What other families have and BERT has not, each against BERT's arithmetic with the same weights; and what padding is.

use bert_encoder::{Encoder, EncoderConfig, EncoderInput, RaggedInput};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_equal_bits, with_and_without_kernels,
};
use burn::tensor::{Int, Tensor, TensorData};

with_and_without_kernels!(
    layers_that_share_weights_are_layers_with_equal_weights,
    narrow_embeddings_are_projected,
    padding_of_a_ragged_batch_does_not_matter,
    sequences_are_padded_to_the_longest,
);

fn config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 37,
        hidden_size: 16,
        num_hidden_layers: 4,
        num_attention_heads: 2,
        intermediate_size: 24,
        max_position_embeddings: 13,
        initializer_range: 0.5,
        ..EncoderConfig::default()
    }
}

fn layers_that_share_weights_are_layers_with_equal_weights(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let shared = EncoderConfig {
        num_hidden_groups: Some(2),
        ..config()
    };
    let shared = shared.init(device.plain())?;
    assert_eq!(shared.layers.len(), 2);
    let mut copied = config().init(device.plain())?;
    copied.embeddings = shared.embeddings.clone();
    copied.layers = [0, 0, 1, 1]
        .map(|group| shared.layers[group].clone())
        .to_vec();
    let (found, expected) = (last(&shared, input()?)?, last(&copied, input()?)?);
    assert_equal_bits(device, "last_hidden_state", &found, &expected);
    Ok(())
}

fn narrow_embeddings_are_projected(device: &TestDevice) -> anyhow::Result<()> {
    let narrow = EncoderConfig {
        embedding_size: Some(6),
        ..config()
    };
    let mut narrow = narrow.init(device.plain())?;
    assert_eq!(narrow.embeddings.word_embeddings.weight.dims(), [37, 6]);
    narrow.layers.clear();
    let projection = narrow.embeddings.projection.take().expect("6 is not 16");
    let embedded = narrow.forward(input()?.into())?.last_hidden_state;
    let [batch, sequence, width] = embedded.dims();
    let flat = embedded.reshape([batch * sequence, width]);
    let expected = Values::of(projection.forward(flat).reshape([batch, sequence, 16]));
    narrow.embeddings.projection = Some(projection);
    // Of the projection's bias, which is 0, nothing stands at padding.
    let found = last(&narrow, input()?)?;
    assert_close(device, Quantity::Output, "projected", &found, &expected);
    Ok(())
}

fn padding_of_a_ragged_batch_does_not_matter(device: &TestDevice) -> anyhow::Result<()> {
    let encoder = config().init(device.plain())?;
    let [first, second] = [&[5, 7, 9][..], &[11, 3]].map(|ids| {
        let ids = TensorData::new(ids.to_vec(), [1, ids.len()]);
        let ids = Tensor::<2, Int>::from_data(ids, device.plain());
        encoder.forward(EncoderInput::new(ids))
    });
    let together = encoder.forward(input()?.into())?.last_hidden_state;
    for (row, alone) in [first?, second?].into_iter().enumerate() {
        let expected = alone.last_hidden_state;
        let length = expected.dims()[1];
        let found = together.clone().narrow(0, row, 1).narrow(1, 0, length);
        let (found, expected) = (Values::of(found), Values::of(expected));
        assert_close(device, Quantity::Invariance, "row", &found, &expected);
    }
    Ok(())
}

fn sequences_are_padded_to_the_longest(device: &TestDevice) -> anyhow::Result<()> {
    let ids = |tensor: Tensor<2, Int>| tensor.into_data().iter::<i64>().collect::<Vec<_>>();
    let input =
        RaggedInput::from_sequences([(&[2, 9, 3][..], &[0, 0, 1][..]), (&[2, 3], &[0, 0])])?;
    let padded = input.to_padded(7, device.plain());
    assert_eq!(padded.input_ids.dims(), [2, 3]);
    assert_eq!(ids(padded.input_ids), [2, 9, 3, 2, 3, 7]);
    assert_eq!(padded.token_type_ids.map(ids), Some(vec![0, 0, 1, 0, 0, 0]));
    assert_eq!(padded.attention_mask.map(ids), Some(vec![1, 1, 1, 1, 1, 0]));
    // One segment and one length need neither types nor a mask.
    let input = RaggedInput::from_sequences([(&[2, 9][..], &[0, 0][..]), (&[2, 3], &[0, 0])])?;
    let padded = input.to_padded(7, device.plain());
    assert!(padded.token_type_ids.is_none() && padded.attention_mask.is_none());
    assert_eq!(ids(padded.input_ids), [2, 9, 2, 3]);
    Ok(())
}

fn input() -> anyhow::Result<RaggedInput> {
    Ok(RaggedInput::from_sequences([
        (&[5, 7, 9][..], &[0, 0, 0][..]),
        (&[11, 3], &[0, 0]),
    ])?)
}

fn last(encoder: &Encoder, input: RaggedInput) -> anyhow::Result<Values> {
    Ok(Values::of(encoder.forward(input.into())?.last_hidden_state))
}
