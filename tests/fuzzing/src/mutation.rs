//! Changed copies of inputs, the same ones in every run.
//!
//! A fuzzer that sees which branches an input takes finds more. These changes need nothing but the standard library.

/// Numbers that readers compare with.
const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "1e999",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1000000000",
    "null",
    "[]",
    "{}",
];
const BYTES: [u8; 12] = [
    0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', b'\n', b'\t', b'{', b'[', b',',
];

/// A stream of changed inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    /// Changes of these inputs, of which there is one at least.
    pub fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(2).wrapping_add(1),
            seeds,
        }
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) as usize).checked_rem(end).unwrap_or(0)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len());
        let length = 1 + self.below(16);
        let end = (at + length).min(input.len());
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = BYTES[self.below(BYTES.len())],
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            4 => input.truncate(at),
            5 => {
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len());
                let piece = self.seeds[other][from..].iter().take(64).copied();
                let piece: Vec<u8> = piece.collect();
                input.splice(at..end, piece);
            }
            6 => self.change_number(input, at),
            7 => {
                let word = (self.below(usize::MAX) as u64) >> self.below(64);
                let bytes = word.to_le_bytes();
                input.splice(at..end, bytes.into_iter().take(length));
            }
            _ => input.insert(at, BYTES[self.below(BYTES.len())]),
        }
    }

    /// Puts another number in the place of the next one in digits.
    fn change_number(&mut self, input: &mut Vec<u8>, at: usize) {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = input[at..].iter().position(is_digit) else {
            return;
        };
        let start = at + start;
        let length = input[start..].iter().take_while(|byte| is_digit(byte));
        let end = start + length.count();
        let number = NUMBERS[self.below(NUMBERS.len())];
        input.splice(start..end, number.bytes());
    }
}

impl Iterator for Mutator {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let seed = self.below(self.seeds.len());
        let mut input = self.seeds.get(seed)?.clone();
        for _ in 0..1 + self.below(4) {
            self.change(&mut input);
        }
        Some(input)
    }
}
