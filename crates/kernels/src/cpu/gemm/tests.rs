//! Tests of products: of single precision, and of quantized formats with and without a dot-product instruction.

use std::mem::MaybeUninit;

use super::bf16_rows::{Bf16Rows, words_of, words_of_row};
use super::blocking::{KC, MAX_MR};
use super::dot_product::DotProduct;
use super::lhs::{LhsElements, PackedLhs};
use super::macrokernel::{RhsColumns, multiply_into};
use super::pack_lhs::LhsPanels;
use super::pack_rhs::RhsPanels;
use super::quantize::{Quantization, bf16, inverse, quantize, scale_of, widen};
use crate::cpu::test_data::waves;
use crate::cpu::view::View;
use crate::params::WeightFormat;

fn multiplied(lhs: LhsPanels, rhs: &[RhsColumns<'_>]) -> Vec<f32> {
    let lhs = PackedLhs::f32(lhs);
    let width: usize = rhs.iter().map(|rhs| rhs.range().len()).sum();
    let mut out = vec![MaybeUninit::uninit(); lhs.rows() * width];
    multiply_into(&mut out, &lhs, rhs).to_vec()
}

/// In double precision, one element at a time.
fn expected(lhs: (&[f32], View), rhs: &[f32], columns: usize) -> Vec<f64> {
    let (lhs, view) = lhs;
    let element = |row: usize, column: usize| {
        let term = |k: usize| {
            let lhs = lhs[view.start + row * view.row_stride + k * view.column_stride];
            f64::from(lhs) * f64::from(rhs[k * columns + column])
        };
        (0..view.columns).map(term).sum()
    };
    let rows = 0..view.rows;
    rows.flat_map(|row| (0..columns).map(move |column| element(row, column)))
        .collect()
}

#[test]
fn every_number_of_rows_and_columns_gives_the_product() {
    for rows in [0, 1, 5, 6, 7, 13, 25] {
        for (k, columns) in [(0, 3), (1, 1), (3, 35), (400, 16), (900, 33)] {
            let x = waves(rows * k + 2, 0.5);
            let weight = waves(k * columns, 1.5);
            let panels = RhsPanels::pack(&[(&weight, View::rows(0, k, columns, columns))]);
            for view in [
                View::rows(2, rows, k, k),
                View::rows(2, k, rows, rows).transposed(),
            ] {
                let lhs = LhsPanels::pack(panels.arch(), (&x, view));
                let found = multiplied(lhs, &[RhsColumns::all(&panels)]);
                let expected = expected((&x, view), &weight, columns);
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    let difference = (f64::from(*found) - expected).abs();
                    assert!(difference < 1e-4, "{rows} × {k} × {columns}");
                }
            }
        }
    }
}

#[test]
fn tall_blocks_sum_up_the_same() {
    let (k, columns) = (50, 37);
    let weight = waves(k * columns, 1.0);
    let panels = RhsPanels::pack(&[(&weight, View::rows(0, k, columns, columns))]);
    let rhs = [RhsColumns::all(&panels)];
    for rows in 1..=25 {
        let x = waves(rows * k, 0.0);
        for view in [
            View::rows(0, rows, k, k),
            View::rows(0, k, rows, rows).transposed(),
        ] {
            // As many rows as the widest registers take, on whatever registers there are.
            let tall = LhsPanels::of_at_most(MAX_MR, (&x, view));
            let found = multiplied(tall, &rhs);
            let usual = LhsPanels::pack(panels.arch(), (&x, view));
            assert_eq!(found, multiplied(usual, &rhs), "{rows} rows");
        }
    }
}

#[test]
fn a_row_is_the_same_alone_and_among_others() {
    let (rows, k, columns) = (29, 500, 50);
    let x = waves(rows * k, 0.0);
    let weight = waves(k * columns, 1.0);
    let panels = RhsPanels::pack(&[(&weight, View::rows(0, k, columns, columns))]);
    let all = [RhsColumns::all(&panels)];
    let multiplied = |view| multiplied(LhsPanels::pack(panels.arch(), (&x, view)), &all);
    let together = multiplied(View::rows(0, rows, k, k));
    for row in 0..rows {
        let alone = multiplied(View::rows(row * k, 1, k, k));
        assert_eq!(alone, together[row * columns..(row + 1) * columns]);
    }
}

#[test]
fn several_right_hand_sides_are_multiplied_and_may_be_cut() {
    let (rows, k, columns) = (3, 4, 40);
    let x = waves(rows * k, 0.0);
    let weights = [waves(k * columns, 1.0), waves(k * columns, 2.0)];
    let view = View::rows(0, k, columns, columns);
    let panels = weights
        .each_ref()
        .map(|weight| RhsPanels::pack(&[(weight, view)]));
    let last = RhsColumns::some(&panels[1], &(panels[1].width()..columns));
    let cut = last.range();
    let lhs = (x.as_slice(), View::rows(0, rows, k, k));
    let packed = LhsPanels::pack(panels[0].arch(), lhs);
    let found = multiplied(packed, &[RhsColumns::all(&panels[0]), last]);
    let [one, two] = weights.map(|weight| expected(lhs, &weight, columns));
    for row in 0..rows {
        let (one, two) = (&one[row * columns..][..columns], &two[row * columns..]);
        let expected = one.iter().chain(&two[cut.clone()]);
        let found = &found[row * (columns + cut.len())..];
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5);
        }
    }
}

/// Rounded as it is packed, a right-hand side is what it is rounded afterwards.
#[test]
fn panels_are_rounded_on_the_way_as_they_are_afterwards() {
    const COLUMNS: usize = 75;
    for rows in [[1, 0], [2, 3], [3, 2], [64, 65], [130, 7]] {
        let of = |matrix: usize| waves(rows[matrix] * COLUMNS, matrix as f32);
        let matrices = [of(0), of(1)];
        let by_rows: fn(usize) -> View = |rows| View::rows(0, rows, COLUMNS, COLUMNS);
        let by_columns: fn(usize) -> View = |rows| View::rows(0, COLUMNS, rows, rows).transposed();
        for view in [by_rows, by_columns] {
            let views = [0, 1].map(|matrix| (matrices[matrix].as_slice(), view(rows[matrix])));
            let on_the_way = RhsPanels::pack_rounded(&views);
            let afterwards = RhsPanels::pack(&views).in_format(WeightFormat::Bf16);
            let elements = |panels: &RhsPanels| -> Vec<f32> {
                let all = 0..panels.rows();
                let of_panel = |panel| panels.rows_of(panel, &all, &mut Vec::new()).to_vec();
                (0..panels.count()).flat_map(of_panel).collect()
            };
            assert_eq!(elements(&on_the_way), elements(&afterwards), "{rows:?}");
            assert_eq!(
                elements(&on_the_way.widened_without_instruction()),
                elements(&afterwards)
            );
        }
    }
}

/// Matrices of bfloat16 as they are, and those whose columns are contiguous.
#[test]
fn products_of_bfloat16_are_those_of_the_same_elements_in_single_precision() {
    for [rows, k, columns] in [[1, 1, 1], [7, 37, 33], [25, 900, 70]] {
        let words = words_of_row(k.max(columns).max(rows));
        let matrix = |lines: usize, phase| -> Vec<u32> {
            let values = waves(lines * 2 * words, phase);
            let pairs = values.as_chunks::<2>().0.iter();
            let pairs =
                pairs.map(|&[low, high]| u32::from(bf16(low)) | u32::from(bf16(high)) << 16);
            pairs.collect()
        };
        let (left, transposed, right) = (matrix(rows, 0.0), matrix(k, 1.0), matrix(k, 2.0));
        let right = Bf16Rows::new(&right, words).columns(0..columns);
        let panels = RhsPanels::pack_bf16(right);
        let transpose = |(elements, view): (_, View)| (elements, view.transposed());
        for left in [
            Bf16Rows::new(&left, words).columns(0..k),
            transpose(Bf16Rows::new(&transposed, words).columns(0..rows)),
        ] {
            let instruction = DotProduct::of(panels.arch(), Quantization::Bf16);
            for by in [None, instruction] {
                let lhs = PackedLhs::pack_bf16_for(by, panels.arch(), left);
                let mut out = vec![MaybeUninit::uninit(); rows * columns];
                let found = multiply_into(&mut out, &lhs, &[RhsColumns::all(&panels)]);
                let wide = left.0.iter().copied().map(widen).collect::<Vec<f32>>();
                let weight = (0..k).flat_map(|row| &right.0[row * right.1.row_stride..][..columns]);
                let weight = weight.copied().map(widen).collect::<Vec<f32>>();
                let expected = expected((&wide, left.1), &weight, columns);
                for (found, expected) in found.iter().zip(expected) {
                    let difference = (f64::from(*found) - expected).abs();
                    assert!(difference <= 1e-6 * k as f64, "{rows} × {k} × {columns}");
                }
            }
        }
    }
}

const FORMATS: [WeightFormat; 2] = [WeightFormat::Bf16, WeightFormat::Int8];

/// `x · weight` with this format, by the processor's instruction, if it has one, or without.
fn product(
    (x, weight): (&[f32], &[f32]),
    k: usize,
    format: WeightFormat,
    by_instruction: bool,
) -> Option<Vec<f32>> {
    let (rows, columns) = (x.len() / k, weight.len() / k);
    let panels = RhsPanels::pack(&[(weight, View::rows(0, k, columns, columns))]);
    let panels = panels.in_format(format);
    let quantization = panels.quantization().expect("a quantization format");
    let by = match by_instruction {
        true => Some(DotProduct::of(panels.arch(), quantization)?),
        false => None,
    };
    let x = (x, View::rows(0, rows, k, k));
    let lhs = PackedLhs::pack_for(by, panels.arch(), x, Some(quantization));
    let mut out = vec![MaybeUninit::uninit(); rows * columns];
    Some(multiply_into(&mut out, &lhs, &[RhsColumns::all(&panels)]).to_vec())
}

fn without_instruction(operands: (&[f32], &[f32]), k: usize, format: WeightFormat) -> Vec<f32> {
    product(operands, k, format, false).expect("it needs no instruction")
}

/// None where the processor has no instruction, and says so.
fn by_instruction(operands: (&[f32], &[f32]), k: usize, format: WeightFormat) -> Option<Vec<f32>> {
    let product = product(operands, k, format, true);
    if product.is_none() {
        eprintln!("SKIPPED: this processor has no instruction for {format:?}");
    }
    product
}

#[test]
fn products_are_those_of_the_rounded_elements() {
    for k in [1, 3, 384, 387, 1000] {
        let (rows, columns) = (5, 37);
        let (x, weight) = (waves(rows * k, 0.5), waves(k * columns, 1.0));
        let bf16 = |x: &f32| f64::from(widen(bf16(*x)));
        let int8 = |x: f32, scale: f32| f64::from(quantize(x * inverse(scale))) * f64::from(scale);
        for format in FORMATS {
            let found = without_instruction((&x, &weight), k, format);
            for row in 0..rows {
                let x = &x[row * k..(row + 1) * k];
                let of_row = scale_of(x);
                for column in 0..columns {
                    let of_column = weight.iter().skip(column).step_by(columns);
                    let of_column: Vec<f32> = of_column.copied().collect();
                    let scale = scale_of(&of_column);
                    let products = x.iter().zip(&of_column).map(|(x, w)| match format {
                        WeightFormat::Bf16 => bf16(x) * bf16(w),
                        _ => int8(*x, of_row) * int8(*w, scale),
                    });
                    let expected: f64 = products.sum();
                    let difference = f64::from(found[row * columns + column]) - expected;
                    let what = format!("{format:?}, {k}: {difference} off");
                    assert!(difference.abs() < 1e-5 * k as f64, "{what}");
                }
            }
        }
    }
}

/// Sums of integers are exact, so there is one result: of each block of K the sum times both scales, added up in single precision.
#[test]
fn int8_products_are_sums_of_integers_bit_for_bit() {
    for k in [1, 3, KC, KC + 3, 2 * KC + 41] {
        let (rows, columns) = (5, 37);
        let (x, weight) = (waves(rows * k, 0.5), waves(k * columns, 1.0));
        let integers = |elements: &[f32]| -> (f32, Vec<i32>) {
            let scale = scale_of(elements);
            let quantized = elements.iter().map(|x| quantize(x * inverse(scale)).into());
            (scale, quantized.collect())
        };
        let mut expected = Vec::new();
        for row in x.chunks(k) {
            let (of_row, row) = integers(row);
            for column in 0..columns {
                let column: Vec<f32> = weight
                    .iter()
                    .skip(column)
                    .step_by(columns)
                    .copied()
                    .collect();
                let (of_column, column) = integers(&column);
                let blocks = row.chunks(KC).zip(column.chunks(KC));
                let sums = blocks.map(|(row, column)| {
                    let sum: i32 = row.iter().zip(column).map(|(x, w)| x * w).sum();
                    sum as f32 * (of_row * of_column)
                });
                expected.push(sums.reduce(|sum, next| sum + next).unwrap_or(0.0));
            }
        }
        let operands = (&x[..], &weight[..]);
        assert_eq!(
            without_instruction(operands, k, WeightFormat::Int8),
            expected,
            "{k}"
        );
        if let Some(found) = by_instruction(operands, k, WeightFormat::Int8) {
            assert_eq!(found, expected, "{k}, by the instruction");
        }
    }
}

/// What the instruction for this quantization adds to a sum: the products of the elements of two words.
fn product_of_words(quantization: Quantization, lhs: u32, rhs: u32) -> f64 {
    let (lhs_bytes, rhs_bytes) = (lhs.to_le_bytes(), rhs.to_le_bytes());
    let of_bytes = lhs_bytes.into_iter().zip(rhs_bytes);
    let low_and_high = |word: u32| [word as u16, (word >> 16) as u16].map(widen).map(f64::from);
    let ([l0, l1], [r0, r1]) = (low_and_high(lhs), low_and_high(rhs));
    match quantization {
        Quantization::Bf16 => l0 * r0 + l1 * r1,
        Quantization::Int8 => of_bytes
            .map(|(unsigned, signed)| f64::from(unsigned) * f64::from(signed.cast_signed()))
            .sum(),
    }
}

/// On processors without the instruction, too: the words of both sides and the compensation are packed anywhere.
#[test]
fn words_that_are_packed_for_an_instruction_multiply_to_the_products_of_their_elements() {
    for (format, k) in FORMATS
        .into_iter()
        .flat_map(|format| [1, 2, 3, 7, KC, KC + 3, 2 * KC + 41].map(|k| (format, k)))
    {
        let (rows, columns) = (5, 37);
        let (x, weight) = (waves(rows * k, 0.5), waves(k * columns, 1.0));
        let panels = RhsPanels::pack(&[(&weight, View::rows(0, k, columns, columns))]);
        let panels = panels.in_format(format);
        let words = panels.words().expect("it is quantized");
        let quantization = words.quantization();
        let by = DotProduct::of_some_processor(quantization);
        let view = View::rows(0, rows, k, k);
        let lhs = PackedLhs::pack_for(Some(by), panels.arch(), (&x, view), Some(quantization));
        let LhsElements::Words(of_rows, _) = lhs.elements() else {
            panic!("words were asked for")
        };
        let element = |scale: f32, x: f32| match format {
            WeightFormat::Int8 => f64::from(quantize(x * inverse(scale))),
            _ => f64::from(widen(bf16(x))),
        };
        let of_column = |column| weight.iter().copied().skip(column).step_by(columns);
        for block in (0..k).step_by(KC).map(|start| start..k.min(start + KC)) {
            for column in 0..columns {
                let (panel, place) = (column / panels.width(), column % panels.width());
                let right: Vec<f32> = of_column(column).collect();
                let of_panel = words.rows_of(panel, &block).chunks_exact(panels.width());
                let right_words: Vec<u32> = of_panel.map(|row| row[place]).collect();
                let compensation = words.compensation_of(panel, &block).get(place);
                let compensation = f64::from(compensation.copied().unwrap_or(0));
                for (range, left) in of_rows.columns_of(&quantization.words_of(&block)) {
                    for row in range.clone() {
                        let left = left.chunks_exact(range.len());
                        let pairs = left.map(|words| words[row - range.start]).zip(&right_words);
                        let found = pairs.map(|(l, &r)| product_of_words(quantization, l, r));
                        let found = found.sum::<f64>() + compensation;
                        let x = &x[row * k..(row + 1) * k];
                        let (of_x, of_right) = (scale_of(x), scale_of(&right));
                        let terms = block.clone();
                        let expected: f64 = terms
                            .map(|k| element(of_x, x[k]) * element(of_right, right[k]))
                            .sum();
                        assert!(
                            (found - expected).abs() < 1e-9,
                            "{format:?}, {k}: {row}, {column}"
                        );
                    }
                }
            }
        }
    }
}

/// Joined from contiguous columns, words are those of the same matrix by rows, as an instruction that multiplies words takes
/// both.
#[test]
fn columns_of_bfloat16_are_joined_to_the_words_of_rows() {
    let by = Some(DotProduct::of_some_processor(Quantization::Bf16));
    let panels = RhsPanels::pack(&[(&[1.0], View::rows(0, 1, 1, 1))]);
    for (rows, columns) in [(1, 1), (7, 2), (25, 7), (6, 131)] {
        let width = words_of_row(columns);
        let element = |row: usize, column: usize| (1 + row * columns + column) as u16;
        let mut by_rows = vec![0_u32; rows * width];
        let places = super::bf16_rows::elements_mut(&mut by_rows);
        for (row, places) in places.chunks_exact_mut(2 * width).enumerate() {
            (0..columns).for_each(|column| places[column] = element(row, column));
        }
        let (elements, view) = Bf16Rows::new(&by_rows, width).columns(0..columns);
        let expected = PackedLhs::pack_bf16_for(by, panels.arch(), (elements, view));
        let by_columns: Vec<u16> = (0..columns)
            .flat_map(|column| (0..rows).map(move |row| element(row, column)))
            .collect();
        let view = View::rows(0, columns, rows, rows).transposed();
        let found = PackedLhs::pack_bf16_for(by, panels.arch(), (&by_columns, view));
        let (LhsElements::Words(expected, _), LhsElements::Words(found, _)) =
            (expected.elements(), found.elements())
        else {
            panic!("words were asked for")
        };
        let all = 0..width;
        assert!(
            found.columns_of(&all).eq(expected.columns_of(&all)),
            "{rows} × {columns}"
        );
    }
}

#[test]
fn elements_that_begin_within_a_word_are_no_words() {
    let elements = [0_u16; 16];
    let whole = View::rows(2, 2, 3, 4);
    let (words, view) = words_of((&elements, whole));
    assert_eq!((words.len(), view.start, view.row_stride), (8, 1, 2));
    assert_eq!((view.rows, view.columns), (2, 2));
    for view in [
        View { start: 1, ..whole },
        View {
            row_stride: 5,
            ..whole
        },
        whole.transposed(),
    ] {
        let refused = std::panic::catch_unwind(|| words_of((&elements, view)));
        assert!(refused.is_err());
    }
}

#[test]
fn instructions_compute_what_single_precision_does() {
    for format in FORMATS {
        for (k, rows) in [
            (1, 1),
            (2, 12),
            (3, 13),
            (7, 25),
            (384, 2),
            (385, 5),
            (1000, 3),
        ] {
            let (x, weight) = (waves(rows * k, 0.5), waves(k * 37, 1.0));
            let Some(found) = by_instruction((&x, &weight), k, format) else {
                continue;
            };
            let expected = without_instruction((&x, &weight), k, format);
            if format == WeightFormat::Int8 {
                assert_eq!(found, expected, "{k}");
            }
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected).abs();
                let what = format!("{format:?}, {k}: {difference} off");
                assert!(difference <= 1e-6 * k as f32, "{what}");
            }
        }
    }
}

#[test]
fn rows_with_nan_or_infinity_show_it() {
    let (k, columns) = (9, 33);
    let weight = waves(k * columns, 1.0);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = waves(2 * k, 0.0);
        x[k + 4] = bad;
        for format in FORMATS {
            let without = without_instruction((&x, &weight), k, format);
            let with = by_instruction((&x, &weight), k, format);
            for found in [without].into_iter().chain(with) {
                let (good, bad) = found.split_at(columns);
                assert!(good.iter().all(|x| x.is_finite()), "{format:?}");
                assert!(bad.iter().all(|x| !x.is_finite()), "{format:?}");
            }
        }
    }
}

#[test]
fn elements_are_near_and_nan_stays_visible() {
    let (rows, columns) = (7, 33);
    let mut weight = waves(rows * columns, 0.0);
    weight[1] = f32::NAN;
    weight[2] = f32::INFINITY;
    (0..rows).for_each(|row| weight[row * columns + 3] = 0.0);
    let panels = RhsPanels::pack(&[(&weight, View::rows(0, rows, columns, columns))]);
    for (format, tolerance) in [
        (WeightFormat::Bf16, 1.0 / 512.0),
        (WeightFormat::Int8, 0.501 / 127.0),
    ] {
        let panels = panels.clone().in_format(format);
        for column in 0..columns {
            let (panel, place) = (column / panels.width(), column % panels.width());
            let scale = panels.scales_of(panel).get(place).copied().unwrap_or(1.0);
            for row in 0..rows {
                let mut room = Vec::new();
                let word = row / 4 * 4..row + 1;
                let found = panels.rows_of(panel, &word, &mut room);
                let found = found[(row % 4) * panels.width() + place] * scale;
                let expected = weight[row * columns + column];
                if expected.is_finite() && (found.is_finite() || ![1, 2].contains(&column)) {
                    let difference = (found - expected).abs();
                    assert!(difference <= tolerance, "{format:?}: {found}, {expected}");
                } else {
                    assert!(!found.is_finite(), "{format:?}: {found} for {expected}");
                }
            }
        }
    }
}
