//! Gradients as slices on the host, and back.

use std::iter;
use std::ops::Range;
use std::vec;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

/// A table of embeddings with so many rows is one of which a batch reads a few.
const TABLE_ROWS: usize = 1024;
/// What a walk over a module calls a table of embeddings.
const TABLE: &str = "Struct:Embedding";

/// One gradient on the host. What is exchanged of it is a mark that is not 0 where there is a gradient, and then its
/// values, or those of some rows.
pub(super) struct Flat {
    mark: f32,
    /// None of them as long as there is no gradient.
    values: Vec<f32>,
    length: usize,
    /// Whether rows that no rank has read are left out.
    is_table: bool,
    /// Values of a row of a matrix; 0 for anything else.
    width: usize,
    /// The rows that are exchanged, if these are not all.
    rows: Option<Vec<usize>>,
}

/// Where a gradient is on its device.
pub(super) struct Place {
    device: Device,
    dtype: DType,
}

impl Flat {
    fn missing(shape: &Shape, is_embedding: bool) -> Self {
        let width = if shape.rank() == 2 { shape[1] } else { 0 };
        let mut flat = Self {
            mark: 0.0,
            values: Vec::new(),
            length: shape.num_elements(),
            is_table: false,
            width,
            rows: None,
        };
        flat.is_table = is_embedding && flat.rows() >= TABLE_ROWS;
        flat
    }

    /// Puts a gradient where there was none.
    pub(super) fn set(&mut self, gradient: TensorData) {
        let gradient = gradient.convert::<f32>();
        self.values = gradient
            .try_into_vec()
            .expect("the data were converted to f32");
        self.mark = 1.0;
    }

    /// Zeros, if there is no gradient to come.
    pub(super) fn settle(&mut self) {
        if self.values.is_empty() {
            self.values = vec![0.0; self.length];
        }
    }

    pub(super) fn is_table(&self) -> bool {
        self.is_table
    }

    /// Rows of a matrix; 0 for anything else.
    pub(super) fn rows(&self) -> usize {
        self.length.checked_div(self.width).unwrap_or_default()
    }

    /// A bit for each row, which is set if not all of the row is 0.
    pub(super) fn touched_rows(&self) -> Vec<u8> {
        let mut bits = vec![0; self.rows().div_ceil(8)];
        for (index, row) in self.values.chunks(self.width).enumerate() {
            // Most rows that are touched show it at once. The others are read whole, as vector units like it, and without
            // the sign, so that −0 is 0.
            let is_touched =
                row[0] != 0.0 || row.iter().fold(0, |all, value| all | value.to_bits() << 1) != 0;
            bits[index / 8] |= u8::from(is_touched) << (index % 8);
        }
        bits
    }

    /// Leaves all other rows out, if these are at most half of all.
    pub(super) fn exchange_only(&mut self, bits: &[u8]) {
        let rows = 0..self.rows();
        let is_set = |row: &usize| bits[row / 8] >> (row % 8) & 1 == 1;
        let touched: Vec<usize> = rows.filter(is_set).collect();
        if 2 * touched.len() <= self.rows() {
            self.rows = Some(touched);
        }
    }

    /// How many values are exchanged, the mark included.
    pub(super) fn exchanged(&self) -> usize {
        let values = match &self.rows {
            Some(rows) => rows.len() * self.width,
            None => self.length,
        };
        1 + values
    }

    /// Copies some of the values that are exchanged.
    pub(super) fn read(&self, range: Range<usize>, into: &mut Vec<f32>) {
        if range.start == 0 && !range.is_empty() {
            into.push(self.mark);
        }
        for range in self.places(range) {
            into.extend_from_slice(&self.values[range]);
        }
    }

    /// Puts sums in the place of what was read.
    pub(super) fn write(&mut self, range: Range<usize>, mut sums: &[f32]) {
        if range.start == 0
            && let Some((mark, others)) = sums.split_first()
        {
            self.mark = *mark;
            sums = others;
        }
        for range in self.places(range) {
            let (own, others) = sums.split_at(range.len());
            self.values[range].copy_from_slice(own);
            sums = others;
        }
    }

    /// Where the exchanged values of a range are, without the mark.
    fn places(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let (start, end) = (range.start.saturating_sub(1), range.end.saturating_sub(1));
        let Some(rows) = &self.rows else {
            return iter::once(start..end).collect();
        };
        let mut places = Vec::new();
        let mut at = start;
        while at < end {
            let (index, column) = (at / self.width, at % self.width);
            let count = (self.width - column).min(end - at);
            let place = rows[index] * self.width + column;
            places.push(place..place + count);
            at += count;
        }
        places
    }
}

/// The gradients of all parameters that are trained, in the order of the module.
pub(super) fn take_out<M: Module>(
    model: &M,
    gradients: GradientsParams,
) -> (Vec<Flat>, Vec<Place>) {
    struct TakeOut {
        gradients: GradientsParams,
        /// Whether each of the modules around belongs to a table of embeddings.
        is_embedding: Vec<bool>,
        flat: Vec<Flat>,
        places: Vec<Place>,
    }
    impl ModuleVisitor for TakeOut {
        fn enter_module(&mut self, _name: &str, container_type: &str) {
            self.is_embedding.push(container_type == TABLE);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.is_embedding.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                return;
            }
            let is_embedding = self.is_embedding.last() == Some(&true);
            let mut flat = Flat::missing(&param.lazy_shape(), is_embedding);
            let gradient = self.gradients.remove::<D>(param.id);
            let (device, dtype) = match &gradient {
                Some(gradient) => (gradient.device(), gradient.dtype()),
                None => (param.val().device().inner(), param.val().dtype()),
            };
            if let Some(gradient) = gradient {
                flat.set(gradient.into_data());
            }
            self.flat.push(flat);
            self.places.push(Place { device, dtype });
        }
    }
    let mut take_out = TakeOut {
        gradients,
        is_embedding: Vec::new(),
        flat: Vec::new(),
        places: Vec::new(),
    };
    model.visit(&mut take_out);
    (take_out.flat, take_out.places)
}

/// The opposite of [`take_out`].
pub(super) fn put_back<M: Module>(
    model: &M,
    (flat, places): (Vec<Flat>, Vec<Place>),
) -> GradientsParams {
    struct PutBack {
        gradients: GradientsParams,
        flat: iter::Zip<vec::IntoIter<Flat>, vec::IntoIter<Place>>,
    }
    impl ModuleVisitor for PutBack {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                return;
            }
            let one = self.flat.next();
            if let Some((flat, place)) = one.filter(|(flat, _)| flat.mark != 0.0) {
                let data = TensorData::new(flat.values, param.lazy_shape());
                let gradient = Tensor::<D>::from_data(data, (&place.device, place.dtype));
                self.gradients.register(param.id, gradient);
            }
        }
    }
    let mut put_back = PutBack {
        gradients: GradientsParams::new(),
        flat: flat.into_iter().zip(places),
    };
    model.visit(&mut put_back);
    put_back.gradients
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Flat {
        Flat {
            mark: 1.0,
            values: vec![0.0, 0.0, 1.0, 2.0, -0.0, 0.0, 3.0, 4.0, 0.0, 0.0],
            length: 10,
            is_table: true,
            width: 2,
            rows: None,
        }
    }

    #[test]
    fn a_row_is_touched_if_a_value_of_it_is_not_zero() {
        assert_eq!(table().touched_rows(), [0b0_1010]);
    }

    #[test]
    fn the_exchanged_values_are_the_mark_and_the_touched_rows_in_any_pieces() {
        let mut table = table();
        table.exchange_only(&[0b0_1010]);
        assert_eq!(table.exchanged(), 5);
        let mut values = Vec::new();
        for range in [0..2, 2..4, 4..5] {
            table.read(range, &mut values);
        }
        assert_eq!(values, [1.0, 1.0, 2.0, 3.0, 4.0]);
        table.write(0..2, &[2.0, 10.0]);
        table.write(2..5, &[20.0, 30.0, 40.0]);
        let expected = [0.0, 0.0, 10.0, 20.0, -0.0, 0.0, 30.0, 40.0, 0.0, 0.0];
        assert_eq!((table.mark, table.values.as_slice()), (2.0, &expected[..]));
    }

    #[test]
    fn a_table_of_which_most_rows_are_touched_is_exchanged_whole() {
        let mut table = table();
        table.exchange_only(&[0b1_1010]);
        assert_eq!(table.exchanged(), 11);
        let mut values = Vec::new();
        table.read(0..11, &mut values);
        assert_eq!(values[1..], table.values);
    }
}
