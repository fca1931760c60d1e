#![no_main]

use bert_fuzzing::memory::{Counting, bounded};
use bert_fuzzing::targets::hub;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fuzz_target!(|input: &[u8]| bounded(|| hub(input)));
