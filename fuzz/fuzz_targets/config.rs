#![no_main]

use bert_fuzzing::memory::{Counting, bounded};
use bert_fuzzing::targets::config;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fuzz_target!(
    init: bert_fuzzing::panics::end_only_where_uncaught(),
    |input: &[u8]| bounded(|| config(input))
);
