//! Memory for results that is written once. Zeroing it first would be a pass of its own.

use std::mem::MaybeUninit;

use pulp::bytemuck::Zeroable;
use rayon::prelude::*;

/// Elements of a chunk of element-wise work: three arrays of it fit in a second-level cache, and the work outlasts the cost of
/// handing it to a thread.
pub(super) const CHUNK: usize = 1 << 15;

/// With so few elements one thread is done before another has begun.
const FEW: usize = 1 << 14;

/// A vector of `length` elements. `fill` takes its chunks, numbered, and returns each initialised.
///
/// # Panics
///
/// `fill` returns something other than the chunk that it took.
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
pub(crate) fn filled<E: Send>(
    length: usize,
    chunk: usize,
    fill: impl for<'a> Fn(usize, &'a mut [MaybeUninit<E>]) -> &'a mut [E] + Sync,
) -> Vec<E> {
    let mut vector = Vec::with_capacity(length);
    let places = &mut vector.spare_capacity_mut()[..length];
    let one = |(index, places): (usize, &mut [MaybeUninit<E>])| {
        let given = extent(places);
        let written = fill(index, places);
        assert_eq!(
            given,
            extent(written),
            "the chunk that was given is written"
        );
    };
    if length <= FEW {
        places.chunks_mut(chunk.max(1)).enumerate().for_each(one);
    } else {
        let chunks = places.par_chunks_mut(chunk.max(1));
        chunks.enumerate().for_each(one);
    }
    // SAFETY: the chunks cover `length` elements, and `fill` returned every one of them initialised.
    unsafe { vector.set_len(length) };
    vector
}

/// How two matrices of equally many rows are cut into tiles of whole rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiles {
    pub(crate) rows: usize,
    /// Rows of a tile.
    pub(crate) tile: usize,
    /// Elements of a row of each matrix.
    pub(crate) widths: [usize; 2],
}

impl Tiles {
    /// The tiles of the matrix of this width.
    ///
    /// # Panics
    ///
    /// The matrix has fewer rows.
    fn split<E>(self, matrix: &mut [E], width: usize) -> Vec<&mut [E]> {
        let mut rest = matrix;
        let starts = (0..self.rows).step_by(self.tile.max(1));
        starts
            .map(|start| {
                let rows = self.tile.min(self.rows - start);
                let (tile, after) = std::mem::take(&mut rest).split_at_mut(rows * width);
                rest = after;
                tile
            })
            .collect()
    }
}

/// Two matrices, as [`filled`] by tiles, and what `fill` returns beside each pair of tiles.
///
/// # Panics
///
/// `fill` returns something other than the tiles that it took.
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
pub(crate) fn filled_pair<A: Send, B: Send, R: Send>(
    tiles: Tiles,
    fill: impl for<'a> Fn(
        usize,
        (&'a mut [MaybeUninit<A>], &'a mut [MaybeUninit<B>]),
    ) -> ((&'a mut [A], &'a mut [B]), R)
    + Sync,
) -> ((Vec<A>, Vec<B>), Vec<R>) {
    let length = tiles.rows * tiles.widths[0];
    let mut one = Vec::with_capacity(length);
    let places = &mut one.spare_capacity_mut()[..length];
    let (other, beside) = filled_beside(tiles, places, |index, (one, other)| {
        let given = extent(one);
        let ((one, other), beside) = fill(index, (one, other));
        assert_eq!(given, extent(one), "the tiles that were given are written");
        (other, beside)
    });
    // SAFETY: the tiles cover the matrix, and `fill` returned every element of them initialised.
    unsafe { one.set_len(length) };
    ((one, other), beside)
}

/// The second of two matrices, as [`filled`] by tiles, while the tiles of the first are changed in place; and what `fill`
/// returns beside each pair of tiles.
///
/// # Panics
///
/// `fill` returns something other than the tile that it took, or the first matrix has fewer rows.
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
pub(crate) fn filled_beside<A: Send, B: Send, R: Send>(
    tiles: Tiles,
    first: &mut [A],
    fill: impl for<'a> Fn(usize, (&'a mut [A], &'a mut [MaybeUninit<B>])) -> (&'a mut [B], R) + Sync,
) -> (Vec<B>, Vec<R>) {
    let length = tiles.rows * tiles.widths[1];
    let mut second = Vec::with_capacity(length);
    let places = &mut second.spare_capacity_mut()[..length];
    let places = tiles.split(places, tiles.widths[1]).into_par_iter();
    let firsts = tiles.split(first, tiles.widths[0]).into_par_iter();
    let beside = firsts.zip(places).enumerate();
    let beside = beside.map(|(index, (first, places))| {
        let given = extent(places);
        let (written, beside) = fill(index, (first, places));
        assert_eq!(
            given,
            extent(written),
            "the tiles that were given are written"
        );
        beside
    });
    let beside = beside.collect();
    // SAFETY: the tiles cover the matrix, and `fill` returned every element of them initialised.
    unsafe { second.set_len(length) };
    (second, beside)
}

/// The address and the length of a slice.
fn extent<T>(slice: &[T]) -> (usize, usize) {
    (slice.as_ptr().addr(), slice.len())
}

/// Writes zeros.
#[expect(unsafe_code, reason = "elements are read once they have been written")]
pub(crate) fn zeroed<E: Zeroable>(places: &mut [MaybeUninit<E>]) -> &mut [E] {
    for place in places.iter_mut() {
        place.write(E::zeroed());
    }
    // SAFETY: the loop has written every place.
    unsafe { places.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_filled_in_order() {
        let found = filled(7, 3, |chunk, places| {
            let source = [0.0, 1.0, 2.0].map(|x| x + 3.0 * chunk as f32);
            let length = places.len();
            places.write_copy_of_slice(&source[..length])
        });
        assert_eq!(found, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    #[should_panic(expected = "the chunk that was given is written")]
    fn a_chunk_that_is_only_partly_written_is_refused() {
        filled(2, 2, |_, places| places[..1].write_copy_of_slice(&[1.0]));
    }

    #[test]
    fn tiles_of_two_matrices_are_filled_in_order_even_if_one_has_no_columns() {
        let tiles = |width| Tiles {
            rows: 5,
            tile: 2,
            widths: [3, width],
        };
        for width in [0, 1] {
            let ((one, other), rows) = filled_pair(tiles(width), |index, (one, other)| {
                let (rows, values) = (one.len() / 3, [index as f32; 6]);
                let one = one.write_copy_of_slice(&values[..3 * rows]);
                let other = other.write_copy_of_slice(&[index; 2][..rows * width]);
                ((one, other), rows)
            });
            assert_eq!(rows, [2, 2, 1]);
            let of_rows = [0.0, 0.0, 1.0, 1.0, 2.0];
            assert_eq!(one, of_rows.map(|row| [row; 3]).concat());
            assert_eq!(other, [0, 0, 1, 1, 2][..5 * width]);
        }
    }
}
