//! Transposition of four rows at a time, in vector registers where every processor of the architecture has them.

use pulp::bytemuck::Pod;

/// Rows that are interleaved together.
pub(in crate::cpu) const SIDE: usize = 4;

/// Interleaves rows: element i of row j goes to `places[i][at + j]`. `write` sets four consecutive places.
///
/// # Panics
///
/// The rows are not as long as there are places, or a place has no room for them.
#[inline(always)]
pub(in crate::cpu) fn interleave<E: Pod, P, const N: usize>(
    places: &mut [[P; N]],
    at: usize,
    rows: [&[E]; SIDE],
    write: impl Fn(&mut [P; SIDE], [E; SIDE]),
) {
    assert!(at + SIDE <= N, "room for the rows");
    let rows = rows.map(|row| {
        assert_eq!(row.len(), places.len(), "one place for each element");
        row.as_chunks::<SIDE>()
    });
    let put = |places: &mut [P; N], elements| {
        let places = places[at..].first_chunk_mut();
        write(places.expect("there is room"), elements);
    };
    let (squares, rest) = places.as_chunks_mut::<SIDE>();
    for (index, places) in squares.iter_mut().enumerate() {
        let square = rows.map(|(whole, _)| whole[index]);
        for (places, elements) in places.iter_mut().zip(transposed(square)) {
            put(places, elements);
        }
    }
    for (index, places) in rest.iter_mut().enumerate() {
        put(places, rows.map(|(_, rest)| rest[index]));
    }
}

/// Element j of row i becomes element i of row j. Elements are of 32 bits.
#[inline(always)]
fn transposed<E: Pod>(rows: [[E; SIDE]; SIDE]) -> [[E; SIDE]; SIDE] {
    #[cfg(target_arch = "x86_64")]
    if let Some(sse) = pulp::core_arch::x86::Sse::try_new() {
        use pulp::bytemuck::cast;
        use std::arch::x86_64::__m128;

        // As `_MM_TRANSPOSE4_PS` of Intel's xmmintrin.h. Left to the compiler it takes twice as long.
        let [a, b, c, d] = rows.map(cast::<[E; SIDE], __m128>);
        let (ab_low, ab_high) = (sse._mm_unpacklo_ps(a, b), sse._mm_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (sse._mm_unpacklo_ps(c, d), sse._mm_unpackhi_ps(c, d));
        let columns = [
            sse._mm_movelh_ps(ab_low, cd_low),
            sse._mm_movehl_ps(cd_low, ab_low),
            sse._mm_movelh_ps(ab_high, cd_high),
            sse._mm_movehl_ps(cd_high, ab_high),
        ];
        return columns.map(cast::<__m128, [E; SIDE]>);
    }
    std::array::from_fn(|column| rows.map(|row| row[column]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length_are_interleaved() {
        for length in [0, 1, 4, 7, 8] {
            let row = |number: u32| -> Vec<u32> { (0..length).map(|i| 10 * i + number).collect() };
            let rows = [0, 1, 2, 3].map(row);
            let mut places = vec![[99; 6]; length as usize];
            interleave(
                &mut places,
                1,
                rows.each_ref().map(Vec::as_slice),
                |p, e| {
                    *p = e;
                },
            );
            for (index, places) in (0..).zip(places) {
                let expected = [0, 1, 2, 3].map(|number| 10 * index + number);
                assert_eq!(places[1..5], expected);
                assert_eq!([places[0], places[5]], [99; 2], "nothing else is written");
            }
        }
    }
}
