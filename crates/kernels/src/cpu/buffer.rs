//! Memory for results that is written once. Zeroing it first would be a pass of its own.

use std::mem::MaybeUninit;

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
pub(crate) fn filled(
    length: usize,
    chunk: usize,
    fill: impl for<'a> Fn(usize, &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] + Sync,
) -> Vec<f32> {
    let mut vector = Vec::with_capacity(length);
    let places = &mut vector.spare_capacity_mut()[..length];
    let one = |(index, places): (usize, &mut [MaybeUninit<f32>])| {
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

/// Two vectors of `length` elements, as [`filled`], and what `fill` returns beside each pair of chunks.
///
/// # Panics
///
/// `fill` returns something other than the chunks that it took.
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
pub(crate) fn filled_pair<R: Send>(
    length: usize,
    chunk: usize,
    fill: impl for<'a> Fn(usize, [&'a mut [MaybeUninit<f32>]; 2]) -> ([&'a mut [f32]; 2], R) + Sync,
) -> ([Vec<f32>; 2], Vec<R>) {
    let (mut one, mut other) = (Vec::with_capacity(length), Vec::with_capacity(length));
    let ones = one.spare_capacity_mut()[..length].par_chunks_mut(chunk.max(1));
    let others = other.spare_capacity_mut()[..length].par_chunks_mut(chunk.max(1));
    let beside = ones.zip(others).enumerate().map(|(index, (one, other))| {
        let given = (extent(one), extent(other));
        let ([one, other], beside) = fill(index, [one, other]);
        assert_eq!(
            given,
            (extent(one), extent(other)),
            "the chunks that were given are written"
        );
        beside
    });
    let beside = beside.collect();
    // SAFETY: as in `filled`, for both.
    unsafe {
        one.set_len(length);
        other.set_len(length);
    }
    ([one, other], beside)
}

/// The address and the length of a slice.
fn extent<T>(slice: &[T]) -> (usize, usize) {
    (slice.as_ptr().addr(), slice.len())
}

/// Writes `f` of each element of `source`, which `f` may change.
///
/// # Panics
///
/// The lengths differ.
#[inline(always)]
#[expect(unsafe_code, reason = "elements are read once they have been written")]
pub(crate) fn map_into<'a>(
    places: &'a mut [MaybeUninit<f32>],
    source: &mut [f32],
    f: impl Fn(&mut f32) -> f32,
) -> &'a mut [f32] {
    assert_eq!(places.len(), source.len(), "one place for each element");
    for (place, element) in places.iter_mut().zip(source) {
        place.write(f(element));
    }
    // SAFETY: the loop has written every place.
    unsafe { places.assume_init_mut() }
}

/// Writes zeros.
#[expect(unsafe_code, reason = "elements are read once they have been written")]
pub(crate) fn zeroed(places: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    for place in places.iter_mut() {
        place.write(0.0);
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
}
