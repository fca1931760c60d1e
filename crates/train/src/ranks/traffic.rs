use serde::Serialize;

/// What one rank has handed over to be added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes.
    pub bytes: u64,
    /// Those of them that were under way before the backward pass was over.
    pub overlapped_bytes: u64,
    /// Calls of the communicator.
    pub messages: u64,
}

impl Traffic {
    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.messages += 1;
    }
}
