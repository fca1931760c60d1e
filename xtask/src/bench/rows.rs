//! What is measured, and what it must reach.

/// A line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// As `bert bench` and the peer's script call it.
    pub(crate) work: &'static str,
    pub(crate) size: &'static str,
    pub(crate) batch: usize,
    pub(crate) seq: usize,
    pub(crate) device: &'static str,
    /// What a training step trains, where that is not everything.
    pub(crate) tune: Option<&'static str>,
    /// Of the products.
    pub(crate) precision: Precision,
    pub(crate) must_reach: Bound,
}

/// In which numbers both sides multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    F32,
    Bf16,
    Int8,
}

impl Precision {
    /// As both command lines call it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

/// A bound of the ratio of our time to the best peer's.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    Below(f64),
}

pub(crate) const TRAIN_STEP: &str = "train-step";
pub(crate) const INFERENCE: &str = "inference";
const DROPOUT: &str = "0.1";

use Bound::{AtMost, Below};

pub(crate) const ROWS: [Row; 16] = [
    train_step("minilm", 16, 128, AtMost(0.50)),
    train_step("base", 4, 128, AtMost(0.55)),
    train_step("tiny", 32, 64, AtMost(0.50)),
    Row {
        device: "ndarray",
        ..train_step("minilm", 16, 128, AtMost(1.0))
    },
    Row {
        tune: Some("lora:rank=8"),
        ..train_step("minilm", 16, 128, AtMost(0.70))
    },
    train_step("minilm", 16, 128, AtMost(0.55)).bf16(),
    train_step("base", 4, 128, AtMost(0.60)).bf16(),
    inference("minilm", 16, 128, AtMost(0.90)),
    inference("base", 4, 128, AtMost(0.90)),
    inference("minilm", 1, 16, Below(1.0)),
    inference("minilm", 16, 128, AtMost(0.90)).bf16(),
    inference("base", 4, 128, AtMost(0.90)).bf16(),
    inference("minilm", 1, 16, AtMost(0.90)).bf16(),
    inference("minilm", 16, 128, AtMost(0.65)).int8(),
    inference("base", 4, 128, AtMost(0.80)).int8(),
    inference("minilm", 1, 16, AtMost(0.80)).int8(),
];

const fn train_step(size: &'static str, batch: usize, seq: usize, must_reach: Bound) -> Row {
    Row {
        work: TRAIN_STEP,
        size,
        batch,
        seq,
        device: "flex",
        tune: None,
        precision: Precision::F32,
        must_reach,
    }
}

const fn inference(size: &'static str, batch: usize, seq: usize, must_reach: Bound) -> Row {
    Row {
        work: INFERENCE,
        ..train_step(size, batch, seq, must_reach)
    }
}

impl Row {
    const fn bf16(self) -> Self {
        Self {
            precision: Precision::Bf16,
            ..self
        }
    }

    const fn int8(self) -> Self {
        Self {
            precision: Precision::Int8,
            ..self
        }
    }

    pub(crate) fn name(&self) -> String {
        let tune = self.tune.map_or(String::new(), |tune| format!(", {tune}"));
        format!(
            "{} {} {} × {}, {}, {}{tune}",
            self.work,
            self.size,
            self.batch,
            self.seq,
            self.device,
            self.precision.word()
        )
    }

    /// The flag of `bert bench` for the precision.
    pub(crate) fn precision_flag(&self) -> [&'static str; 2] {
        let flag = match self.work {
            TRAIN_STEP => "--precision",
            _ => "--weights",
        };
        [flag, self.precision.word()]
    }

    /// The flags that say what is measured, the same for both sides.
    pub(crate) fn flags(&self) -> Vec<String> {
        [
            ("--size", self.size.to_owned()),
            ("--batch", self.batch.to_string()),
            ("--seq", self.seq.to_string()),
            ("--dropout", DROPOUT.to_owned()),
        ]
        .into_iter()
        .chain(self.tune.map(|tune| ("--tune", tune.to_owned())))
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
    }
}

impl Bound {
    pub(crate) fn is_reached(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(bound) => ratio <= bound,
            Self::Below(bound) => ratio < bound,
        }
    }

    pub(crate) fn shown(self) -> String {
        match self {
            Self::AtMost(bound) => format!("≤ {bound:.2}"),
            Self::Below(bound) => format!("< {bound:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_their_edges_as_they_are_written() {
        assert!(Bound::AtMost(0.5).is_reached(0.5));
        assert!(!Bound::Below(1.0).is_reached(1.0));
        assert!(Bound::Below(1.0).is_reached(0.99));
        assert_eq!(Bound::AtMost(0.5).shown(), "≤ 0.50");
    }

    #[test]
    fn rows_have_names_of_their_own() {
        let mut names: Vec<String> = ROWS.iter().map(Row::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }
}
