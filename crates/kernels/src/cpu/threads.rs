//! Who does the work: handing it to other threads takes some microseconds, within which one thread is done with a little.

use rayon::prelude::*;

/// Operations below which one thread works alone: some ten microseconds of them.
const LITTLE: usize = 1 << 20;

/// Whether one thread had best do so many operations.
pub(crate) fn is_little(operations: usize) -> bool {
    operations < LITTLE || rayon::current_num_threads() == 1
}

/// What `work` makes of each item, with room of its thread's own.
pub(crate) fn each<T: Send, R, O: Send>(
    items: Vec<T>,
    is_little: bool,
    room: impl Fn() -> R + Sync + Send,
    work: impl Fn(&mut R, T) -> O + Sync + Send,
) -> Vec<O> {
    if is_little || items.len() < 2 {
        let mut room = room();
        return items
            .into_iter()
            .map(|item| work(&mut room, item))
            .collect();
    }
    let items = items.into_par_iter().with_max_len(1);
    items.map_init(room, work).collect()
}
