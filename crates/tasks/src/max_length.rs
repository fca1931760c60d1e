/// The longest sequence in tokens, special ones included, that a model is opened for.
///
/// Whatever it says, it is never above [`EncoderConfig::max_length`](bert_encoder::EncoderConfig::max_length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxLength {
    /// What the model takes, or `model_max_length` of tokenizer_config.json where that is less: what transformers'
    /// `truncation=True` cuts to.
    OfModel,
    /// The same, but at most so many tokens: the default of a task.
    AtMost(usize),
    /// So many tokens, whatever `model_max_length` says, as transformers' `max_length` does.
    Asked(usize),
}

impl MaxLength {
    /// What was asked for, else the default of a task.
    pub fn or_at_most(asked: Option<usize>, default: usize) -> Self {
        asked.map_or(Self::AtMost(default), Self::Asked)
    }

    /// The number of tokens, for a model that takes `longest` and a tokenizer with this `model_max_length`.
    pub(crate) fn resolve(self, longest: usize, model_max_length: Option<usize>) -> usize {
        let own = model_max_length.unwrap_or(longest).min(longest);
        match self {
            Self::OfModel => own,
            Self::AtMost(tokens) => tokens.min(own),
            Self::Asked(tokens) => tokens.min(longest),
        }
    }

    /// The number of tokens that was asked for, if a model that takes `longest` takes fewer.
    pub(crate) fn beyond(self, longest: usize) -> Option<usize> {
        match self {
            Self::Asked(tokens) if tokens > longest => Some(tokens),
            _ => None,
        }
    }
}

impl From<usize> for MaxLength {
    fn from(asked: usize) -> Self {
        Self::Asked(asked)
    }
}

/// `None` leaves it to the model.
impl From<Option<usize>> for MaxLength {
    fn from(asked: Option<usize>) -> Self {
        asked.map_or(Self::OfModel, Self::Asked)
    }
}

#[cfg(test)]
mod tests {
    use super::MaxLength::{Asked, AtMost, OfModel};

    #[test]
    fn a_default_obeys_the_tokenizer_and_a_wish_the_model_alone() {
        for (length, with_limit, without) in [
            (OfModel, 64, 512),
            (AtMost(128), 64, 128),
            (AtMost(32), 32, 32),
            (Asked(128), 128, 128),
            (Asked(1000), 512, 512),
        ] {
            assert_eq!(length.resolve(512, Some(64)), with_limit, "{length:?}");
            assert_eq!(length.resolve(512, None), without, "{length:?}");
            assert_eq!(length.resolve(512, Some(usize::MAX)), without, "{length:?}");
        }
    }

    #[test]
    fn only_a_wish_is_beyond_the_model() {
        for (length, beyond) in [
            (OfModel, None),
            (AtMost(1000), None),
            (Asked(512), None),
            (Asked(513), Some(513)),
        ] {
            assert_eq!(length.beyond(512), beyond, "{length:?}");
        }
    }
}
