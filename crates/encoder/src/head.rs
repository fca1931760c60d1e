use crate::{EncoderError, ModelType};

/// The tensors of a head in the checkpoints of one family.
#[derive(Debug, Clone, Copy)]
pub struct HeadKeys {
    /// Checkpoint name and module path of every parameter of the head and its pooler, one pair a line.
    pub map: &'static str,
    /// The parts of the head, without its pooler.
    pub parts: &'static [HeadPart],
    /// Tensors that a checkpoint may hold a second time, because the model ties two of its parts: the copy's name in a
    /// checkpoint, and the module path of the parameter that it is a copy of.
    pub tied: &'static [(&'static str, &'static str)],
}

/// A part of a head that is there as a whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadPart {
    /// What the module paths of its parameters begin with.
    pub path: &'static str,
    /// What the names of its tensors in a checkpoint begin with.
    pub names: &'static [&'static str],
    /// The tensor in a checkpoint that has one row for each output; a checkpoint with this tensor has the part.
    pub output: &'static str,
}

impl HeadKeys {
    /// The keys of a head, or the error that the family has no such head here. `head` is what the names of its classes in
    /// transformers end in, such as `ForMaskedLM`.
    ///
    /// # Errors
    ///
    /// There are no keys.
    pub fn require(
        keys: Option<Self>,
        model_type: ModelType,
        head: &'static str,
    ) -> Result<Self, EncoderError> {
        keys.ok_or(EncoderError::NoHead {
            architecture: model_type.architecture(head),
        })
    }
}
