//! How a fetch reports to its caller: the library itself never prints.

/// Receives the progress of a fetch; a command line draws a bar with it.
pub trait Progress {
    /// A transfer of `file` begins. An earlier, interrupted transfer has left `done_bytes` of it.
    fn start(&mut self, file: &str, done_bytes: u64, total_bytes: Option<u64>);

    /// `bytes` more have arrived.
    fn advance(&mut self, bytes: u64);

    /// The transfer that began last has succeeded or failed.
    fn finish(&mut self);

    /// Something the user should read: a source that failed, a hash that nobody has verified, a wait for another process.
    fn note(&mut self, message: &str);
}

/// Progress for callers that show none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&mut self, _file: &str, _done_bytes: u64, _total_bytes: Option<u64>) {}
    fn advance(&mut self, _bytes: u64) {}
    fn finish(&mut self) {}
    fn note(&mut self, _message: &str) {}
}
