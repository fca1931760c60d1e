//! What is measured, and what it must reach.

/// A line of the table.
pub(crate) struct Row {
    /// As `bert bench` and the peer's script call it.
    pub(crate) work: &'static str,
    pub(crate) size: &'static str,
    pub(crate) batch: usize,
    pub(crate) seq: usize,
    pub(crate) device: &'static str,
    /// What a training step trains, where that is not everything.
    pub(crate) tune: Option<&'static str>,
    pub(crate) must_reach: Bound,
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

pub(crate) const ROWS: [Row; 8] = [
    Row {
        work: TRAIN_STEP,
        size: "minilm",
        batch: 16,
        seq: 128,
        device: "flex",
        tune: None,
        must_reach: Bound::AtMost(0.50),
    },
    Row {
        work: TRAIN_STEP,
        size: "base",
        batch: 4,
        seq: 128,
        device: "flex",
        tune: None,
        must_reach: Bound::AtMost(0.55),
    },
    Row {
        work: TRAIN_STEP,
        size: "tiny",
        batch: 32,
        seq: 64,
        device: "flex",
        tune: None,
        must_reach: Bound::AtMost(0.50),
    },
    Row {
        work: TRAIN_STEP,
        size: "minilm",
        batch: 16,
        seq: 128,
        device: "ndarray",
        tune: None,
        must_reach: Bound::AtMost(1.0),
    },
    Row {
        work: TRAIN_STEP,
        size: "minilm",
        batch: 16,
        seq: 128,
        device: "flex",
        tune: Some("lora:rank=8"),
        must_reach: Bound::AtMost(0.70),
    },
    Row {
        work: INFERENCE,
        size: "minilm",
        batch: 16,
        seq: 128,
        device: "flex",
        tune: None,
        must_reach: Bound::Below(1.0),
    },
    Row {
        work: INFERENCE,
        size: "base",
        batch: 4,
        seq: 128,
        device: "flex",
        tune: None,
        must_reach: Bound::Below(1.0),
    },
    Row {
        work: INFERENCE,
        size: "minilm",
        batch: 1,
        seq: 16,
        device: "flex",
        tune: None,
        must_reach: Bound::Below(1.0),
    },
];

impl Row {
    pub(crate) fn name(&self) -> String {
        let tune = self.tune.map_or(String::new(), |tune| format!(", {tune}"));
        format!(
            "{} {} {} × {}, {}{tune}",
            self.work, self.size, self.batch, self.seq, self.device
        )
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
}
