//! What can be wrong with pickled weights.

use std::fmt;

/// Why pickled weights are not read. Nothing of such a file is ever executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleFault {
    /// The file does not begin as `torch.save` begins one.
    #[error("not a file of torch.save (a Git LFS pointer?); fetch it again")]
    NotTorchSave,
    /// The archive around the pickle is damaged.
    #[error(
        "the zip archive of torch.save is damaged or cut short: {reason}; fetch the file again"
    )]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// The pickle takes more bytes than any model's names and shapes do.
    #[error("the pickle takes more than {limit} bytes, which no model's names and shapes do")]
    TooLarge {
        /// The largest pickle that is read.
        limit: u64,
    },
    /// The pickle ends before it is complete.
    #[error("the pickle is cut short {place}; fetch the file again")]
    CutShort {
        /// Where it ends.
        place: PicklePlace,
    },
    /// The pickle contradicts itself.
    #[error("the pickle is damaged {place}; fetch the file again")]
    Damaged {
        /// Where the contradiction is.
        place: PicklePlace,
    },
    /// A byte that is no instruction, or an instruction that tensors do not need.
    #[error(
        "the pickle has the instruction {opcode:#04x} {place}, which plain tensors do not need"
    )]
    Opcode {
        /// The instruction.
        opcode: u8,
        /// Where it stands.
        place: PicklePlace,
    },
    /// The pickle asks for a class or function that tensors do not need.
    #[error(
        "the pickle asks for `{class}` {place}, which plain tensors do not need; nothing of it was run. Plain tensors are \
         what `torch.save(model.state_dict(), \"pytorch_model.bin\")` writes of a model"
    )]
    Class {
        /// Module and name.
        class: String,
        /// Where it is asked for.
        place: PicklePlace,
    },
    /// A tensor that is larger than the file it should be in.
    #[error("the pickle asks for {elements} elements {place}, and the file has {file_len} bytes")]
    Elements {
        /// How many; the largest number that can be said stands for all larger ones.
        elements: u64,
        /// The length of the file.
        file_len: u64,
        /// Where it asks for them.
        place: PicklePlace,
    },
    /// Containers within containers.
    #[error("the pickle nests deeper than {limit} levels {place}")]
    Nesting {
        /// The deepest nesting that is read.
        limit: u32,
        /// Where it goes deeper.
        place: PicklePlace,
    },
    /// The reader refuses a tensor: a view beyond its storage, a sparse tensor, another byte order.
    #[error("{reason}")]
    Reader {
        /// What the reader says.
        reason: String,
    },
    /// There is no tensor in the file.
    #[error("the pickle holds no tensors")]
    NoTensors,
}

/// A place in a pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicklePlace {
    /// Bytes from the beginning of the pickle.
    pub offset: usize,
    /// The key of the dictionary whose value stands there, where there is one.
    pub key: Option<String>,
}

impl fmt::Display for PicklePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at its byte {}", self.offset)?;
        match &self.key {
            Some(key) => write!(f, ", for the key `{}`", key.escape_debug()),
            None => Ok(()),
        }
    }
}
