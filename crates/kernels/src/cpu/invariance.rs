//! Tests of every kernel: the number of threads changes no bit, and the width of the registers only roundings.

use pulp::Arch;

use super::simd::FORCED;
use super::test_data::waves;
use super::{
    attention, cross_entropy, elementwise, embeddings, feed_forward, feed_forward_bf16, gated,
    layer_norm, linear, linear_bf16, rotary,
};
use crate::params::{AttentionParams, DropoutMask, Epilogue, NormParams, Precision, WeightFormat};

const DROPOUT: DropoutMask = DropoutMask {
    probability: 0.3,
    seed: 0x1234_5678_9abc,
};
/// No multiple of any register's width, heads of 7.
const WIDTH: usize = 35;
const HEADS: usize = 5;
/// Ragged sequences, together enough rows for several tiles.
const LENGTHS: [usize; 5] = [1, 97, 150, 2, 70];

type Results = Vec<(&'static str, Vec<f32>)>;

/// Numbers in (−2, 2) without a pattern.
fn data(count: usize, phase: f32) -> Vec<f32> {
    waves(count, phase).into_iter().map(|x| 2.0 * x).collect()
}

fn rows() -> usize {
    LENGTHS.iter().sum()
}

fn of_every_kernel() -> Results {
    let mut all = of_linear_maps(rows());
    // With few rows, threads share columns.
    all.extend(of_linear_maps(19));
    all.extend(in_bf16(rows()));
    all.extend(in_bf16(19));
    all.extend(of_feed_forward(rows()));
    all.extend(of_feed_forward(19));
    for precision in [Precision::F32, Precision::Bf16] {
        all.extend(of_attention(None, None, precision));
        for relative in relatives(precision) {
            all.extend(of_attention(None, Some(&relative), precision));
        }
        all.extend(of_attention(Some(30), None, precision));
    }
    all.extend(of_rows());
    all
}

fn of_linear_maps(rows: usize) -> Results {
    let columns = 201;
    let (x, weight) = (data(rows * WIDTH, 0.0), data(WIDTH * columns, 1.0));
    let bias = data(columns, 2.0);
    let map = linear::Map {
        weight: &weight,
        panels: None,
        bias: &bias,
        precision: Precision::F32,
    };
    let sizes = |maps| linear::Sizes {
        rows,
        k: WIDTH,
        columns,
        maps,
    };
    let [gelu, z] = linear::gelu_forward(&x, map, sizes(1));
    let wanted = linear::Wanted {
        x: true,
        maps: &[[true; 2]; 2],
    };
    let grad = data(rows * 2 * columns, 3.0);
    let gradients = linear::backward(
        Some(&x),
        &[weight.as_slice(); 2],
        Some(&grad),
        &grad,
        sizes(2),
        wanted,
    );
    let mut all = vec![
        (
            "linear",
            linear::forward(&x, &[map; 2], sizes(2), Epilogue::Bias),
        ),
        (
            "GELU of linear",
            linear::forward(&x, &[map], sizes(1), Epilogue::BiasGelu),
        ),
        ("GELU and its input", [gelu, z].concat()),
        ("gradient of x", gradients.x.expect("it is wanted")),
    ];
    for (name, format) in [
        ("linear in bfloat16", WeightFormat::Bf16),
        ("linear in int8", WeightFormat::Int8),
    ] {
        let panels = sizes(1).panels(&weight).in_format(format);
        let map = linear::Map {
            panels: Some(&panels),
            ..map
        };
        all.push((name, linear::forward(&x, &[map], sizes(1), Epilogue::Bias)));
    }
    for [weight, bias] in gradients.maps {
        all.push(("gradient of a weight", weight.expect("it is wanted")));
        all.push(("gradient of a bias", bias.expect("it is wanted")));
    }
    all
}

/// Linear layers in bfloat16, with an odd number of columns and of columns side by side.
fn in_bf16(rows: usize) -> Results {
    let columns = 201;
    let (x, weight) = (data(rows * WIDTH, 0.0), data(WIDTH * columns, 1.0));
    let bias = data(columns, 2.0);
    let map = linear::Map {
        weight: &weight,
        panels: None,
        bias: &bias,
        precision: Precision::Bf16,
    };
    let mut all = Vec::new();
    for (maps, epilogue) in [(1, Epilogue::BiasGelu), (3, Epilogue::Bias)] {
        let sizes = linear::Sizes {
            rows,
            k: WIDTH,
            columns,
            maps,
        };
        let all_maps = vec![map; maps];
        let plain = linear::forward(&x, &all_maps, sizes, epilogue);
        let (y, kept) = linear_bf16::forward_saving(&x, &all_maps, sizes, epilogue, true);
        assert_eq!(plain, y, "with what is kept or without");
        all.push(("bf16 linear", y));
        // The gradient depends on no rounding of the slope, which narrow registers may tip over.
        if epilogue == Epilogue::BiasGelu {
            continue;
        }
        let wanted = linear::Wanted {
            x: true,
            maps: &vec![[true; 2]; maps],
        };
        let grad = data(rows * sizes.width(), 3.0);
        let weights = vec![weight.as_slice(); maps];
        let rounded = linear_bf16::RoundedGradient::of_product(&grad, sizes.width(), &kept);
        let gradients = linear_bf16::backward(&kept, &weights, &rounded, sizes, wanted);
        all.push(("bf16 gradient of x", gradients.x.expect("it is wanted")));
        for [weight, bias] in gradients.maps {
            all.push(("bf16 gradient of a weight", weight.expect("it is wanted")));
            all.push(("bf16 gradient of a bias", bias.expect("it is wanted")));
        }
    }
    all
}

/// In single precision, and the output in bfloat16, whose gradients depend on a rounding that narrow registers may tip over.
fn of_feed_forward(rows: usize) -> Results {
    let (inner, output) = (201, 37);
    // Squares: sums of their products do not cancel, and rounding is relative to the terms.
    let squares = |count, phase| -> Vec<f32> { data(count, phase).iter().map(|x| x * x).collect() };
    let (x, grad) = (data(rows * WIDTH, 0.0), squares(rows * output, 1.0));
    let (w1, b1) = (data(WIDTH * inner, 2.0), data(inner, 3.0));
    let (w2, b2) = (squares(inner * output, 4.0), data(output, 5.0));
    let maps = |precision| {
        [(&w1, &b1), (&w2, &b2)].map(|(weight, bias)| linear::Map {
            weight,
            panels: None,
            bias,
            precision,
        })
    };
    let sizes = feed_forward::Sizes {
        rows,
        input: WIDTH,
        inner,
        output,
    };
    let plain = feed_forward::forward(&x, maps(Precision::F32), sizes);
    let [y, z] = feed_forward::forward_saving(&x, maps(Precision::F32), sizes);
    assert_eq!(plain, y, "with what is kept or without");
    let plain = feed_forward::forward(&x, maps(Precision::Bf16), sizes);
    let (in_bf16, _) = feed_forward_bf16::forward_saving(&x, maps(Precision::Bf16), sizes, true);
    assert_eq!(plain, in_bf16, "with what is kept or without");
    let wanted = linear::Wanted {
        x: true,
        maps: &[[true; 2]; 2],
    };
    let gradients = feed_forward::backward(Some(&x), z, [&w1, &w2], &grad, sizes, wanted);
    let mut all = vec![
        ("feed-forward network", y),
        ("feed-forward network in bfloat16", in_bf16),
    ];
    let of_maps = gradients.maps.into_iter().flatten();
    let gradients = of_maps.chain([gradients.x]).flatten();
    all.extend(gradients.map(|gradient| ("gradient of a feed-forward network", gradient)));
    all
}

fn of_attention(
    window: Option<usize>,
    relative: Option<&attention::Relative>,
    precision: Precision,
) -> Results {
    let params = AttentionParams {
        lengths: LENGTHS.into(),
        query_lengths: LENGTHS.into(),
        heads: HEADS,
        dropout: DROPOUT,
        window,
        precision,
    };
    let joined = data(rows() * 3 * WIDTH, 0.0);
    let mask = vec![0.0; rows()];
    let rounded = elementwise::round(&joined);
    let operands = match precision {
        Precision::F32 => attention::Operands::F32(attention::Layout::Joined(&joined)),
        Precision::Bf16 => attention::Operands::Bf16(attention::Layout::Joined(&rounded)),
    };
    let inputs = attention::Inputs {
        operands,
        mask: &mask,
        relative,
    };
    let grad = data(rows() * WIDTH, 4.0);
    let (context, statistics) = attention::forward(inputs, &params);
    let (gradient, of_relative) = attention::backward(inputs, &statistics, &grad, &params);
    let attention::Gradient::Joined(gradient) = gradient else {
        unreachable!("the inputs are joined")
    };
    let mut all = vec![("context", context), ("gradient of attention", gradient)];
    let of_relative = of_relative.into_iter();
    all.extend(of_relative.map(|gradient| ("gradient of what distances add", gradient)));
    all
}

/// What distances may add.
fn relatives(precision: Precision) -> [attention::Relative; 2] {
    let distances = 2 * LENGTHS.iter().max().expect("some sequences");
    let bias = attention::Bias::new(&data(HEADS * distances, 5.0), HEADS);
    let [keys, queries] = [6.0, 7.0].map(|phase| data(distances * WIDTH, phase));
    let sizes = [HEADS, WIDTH];
    let positions = attention::Positions::new(Some(&keys), Some(&queries), sizes, precision);
    [
        attention::Relative::Bias(bias),
        attention::Relative::Positions(positions),
    ]
}

fn of_rows() -> Results {
    let (rows, norm) = (
        rows(),
        NormParams {
            epsilon: 1e-12,
            dropout: DROPOUT,
            precision: Precision::F32,
        },
    );
    let (x, residual) = (data(rows * WIDTH, 0.0), data(rows * WIDTH, 1.0));
    let (gamma, beta) = (data(WIDTH, 2.0), data(WIDTH, 3.0));
    let inputs = layer_norm::Inputs {
        x: &x,
        residual: Some(&residual),
        gamma: &gamma,
        beta: &beta,
    };
    let (y, saved) = layer_norm::forward_saving(inputs, norm);
    let inverse = &saved.inverse_deviation;
    let normalized = layer_norm::KeptRows::F32(&saved.normalized);
    let gradients = layer_norm::backward(normalized, inverse, &gamma, &x, norm);
    let tokens: Vec<usize> = (0..rows).map(|row| row * 7 % 131).collect();
    let lookup = embeddings::Lookup {
        table: &x,
        rows: &tokens,
    };
    let classes: Vec<Option<usize>> = (0..rows)
        .map(|row| (row % 4 != 0).then_some(row % WIDTH))
        .collect();
    let loss = cross_entropy::forward(&x, &classes);
    vec![
        ("LayerNorm", y),
        ("LayerNorm alone", layer_norm::forward(inputs, norm)),
        ("gradient of LayerNorm", gradients.residual),
        (
            "gradient behind dropout",
            gradients.x.expect("something is dropped"),
        ),
        ("gradient of γ", gradients.gamma),
        ("gradient of β", gradients.beta),
        ("GELU", elementwise::gelu(&x)),
        (
            "gradient of GELU",
            elementwise::gelu_backward(&x, &residual),
        ),
        ("dropout", elementwise::dropout(x.as_slice(), DROPOUT)),
        ("embeddings", embeddings::sum([lookup; 3], WIDTH)),
        (
            "gradient of a table",
            embeddings::scatter_add(rows, &tokens, &x, WIDTH, Some(7)),
        ),
        (
            "gradient of cross-entropy",
            cross_entropy::backward(&x, &classes, &loss.statistics, 1.5),
        ),
        ("cross-entropy", vec![loss.mean]),
        ("gated GELU", gated::forward(&x[..2 * 35 * 100], 35)),
        (
            "gradient of gated GELU",
            gated::backward(&x[..2 * 35 * 100], &residual, 35),
        ),
        (
            "rotary",
            rotary::forward(
                &data(rows * 3 * 42, 0.0),
                &x[..rows * 7],
                &residual[..rows * 7],
                7,
            ),
        ),
    ]
}

/// Results on so many threads, with these registers.
fn with(threads: usize, arch: Option<Arch>) -> Results {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .start_handler(move |_| FORCED.set(arch))
        .build();
    pool.expect("threads can be started")
        .install(of_every_kernel)
}

/// Registers narrower than this processor's widest: the baseline of the architecture, and AVX2.
fn narrower() -> Vec<Arch> {
    let mut all = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(Arch::V3));
    all
}

#[test]
fn the_number_of_threads_does_not_matter() {
    for arch in narrower().into_iter().map(Some).chain([None]) {
        let one = with(1, arch);
        for threads in [2, 3, 8] {
            for ((name, one), (_, more)) in one.iter().zip(with(threads, arch)) {
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let same = bits(one) == bits(&more);
                assert!(same, "{name} on {threads} threads, {arch:?}");
            }
        }
    }
}

#[test]
fn the_width_of_registers_does_not_matter() {
    let wide = with(2, None);
    for arch in narrower() {
        are_close(arch, &wide, &with(2, Some(arch)));
    }
}

fn are_close(arch: Arch, wide: &Results, narrow: &Results) {
    for ((name, wide), (_, narrow)) in wide.iter().zip(narrow) {
        assert_eq!(wide.len(), narrow.len());
        let largest = wide.iter().fold(1.0_f32, |largest, x| largest.max(x.abs()));
        for (index, (wide, narrow)) in wide.iter().zip(narrow).enumerate() {
            // A few units in the last place of the largest: a fused multiply-add rounds once, a plain one twice.
            let difference = (wide - narrow).abs();
            assert!(
                difference <= 4e-6 * largest,
                "{name}, {arch:?}, element {index}: {wide} and {narrow}"
            );
        }
    }
}
