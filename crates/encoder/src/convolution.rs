// B sequences, S positions, T tokens of all sequences, H hidden

use bert_kernels::{DropoutMask, NormParams, Precision, dropout_add_norm};
use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, PaddingConfig1d};
use burn::tensor::{Device, Tensor};

use crate::rows::Rows;
use crate::{EncoderConfig, HiddenAct, kernel_args};

/// The convolution of DeBERTa-v2-xlarge beside its first layer: LayerNorm(layer's output + act(dropout(convolution of the
/// layer's input))).
#[derive(Module, Debug)]
pub struct Convolution {
    /// Along the tokens of a sequence, `[H, H / groups, width]`.
    pub conv: Conv1d,
    /// After the sum.
    pub norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
    #[module(skip)]
    act: HiddenAct,
    #[module(skip)]
    layer_norm_eps: f64,
}

impl Convolution {
    /// `None` where the configuration has none.
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Option<Self> {
        let disentangled = config.disentangled.as_ref()?;
        let (hidden, width) = (config.hidden_size, disentangled.conv_kernel_size);
        let around = width.checked_sub(1)? / 2;
        let groups = disentangled.conv_groups;
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.initializer_range,
        };
        let conv = Conv1dConfig::new(hidden, hidden, width)
            .with_padding(PaddingConfig1d::Explicit(around, around))
            .with_groups(groups)
            .with_initializer(normal);
        let mut conv = conv.init(device);
        conv.bias = Some(Initializer::Zeros.init([hidden], device));
        Some(Self {
            conv,
            norm: LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            act: disentangled.conv_act,
            layer_norm_eps: config.layer_norm_eps,
        })
    }

    /// The output of the first layer, with the convolution of its input.
    ///
    /// # Shapes
    ///
    /// `input`, `output` `[T, H]` → `[T, H]`, zero at padding.
    pub(crate) fn forward(&self, input: Tensor<2>, output: Tensor<2>, rows: &Rows) -> Tensor<2> {
        let convolved = rows.collect(self.convolve(rows.spread(input), rows));
        let mask = kernel_args::mask(&self.dropout, &convolved);
        let activated = self.act.forward(bert_kernels::dropout(convolved, mask));
        let params = NormParams {
            epsilon: self.layer_norm_eps,
            dropout: DropoutMask::NONE,
            precision: Precision::F32,
        };
        let beta = self.norm.beta.as_ref().map(Param::val);
        let normed = dropout_add_norm(activated, output, self.norm.gamma.val(), beta, params);
        rows.hide_padding(normed)
    }

    /// `[B · S, H]` → `[B · S, H]`. What is no token counts as zero.
    fn convolve(&self, places: Tensor<2>, rows: &Rows) -> Tensor<2> {
        let [count, hidden] = places.dims();
        let places = match rows.real() {
            Some(real) => places * real.reshape([count, 1]),
            None => places,
        };
        let channels_bhs = places
            .reshape([rows.batch, rows.length, hidden])
            .swap_dims(1, 2);
        let convolved = self.conv.forward(channels_bhs).swap_dims(1, 2);
        convolved.reshape([count, hidden])
    }
}
