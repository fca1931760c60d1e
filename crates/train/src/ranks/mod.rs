//! A run in several processes: how they talk, what each does, and how their gradients add up.
//!
//! Every rank holds the whole model. The rows of a micro-batch are shared out, each rank computes the gradients of its
//! rows, weighted by its labels of all labels of the step, and the sum of all ranks is what the optimiser of each sees.

mod agreement;
mod communicator;
mod exchange;
mod gradients;
mod handing_over;
mod reducer;
mod tables;
mod threads;
mod traffic;

pub use communicator::SingleProcess;
pub use threads::{ThreadRank, thread_ranks};
pub use traffic::Traffic;

pub(crate) use agreement::{Agreed, own_rows};
pub(crate) use exchange::Exchange;
