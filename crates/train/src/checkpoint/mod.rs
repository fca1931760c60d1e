//! Checkpoints of a run: what is needed to go on where it stopped, and end with the same bytes.
//!
//! ```text
//! OUTPUT/checkpoints/step-000120/
//!   parameters.safetensors   the parameters that are trained, by module path
//!   optimizer.safetensors    two moments of each
//!   best.safetensors         the parameters that scored highest so far, if anything was scored
//!   state.json               counters, best figures, positions of observers, the run's description, sums of the files
//! ```
//!
//! Frozen parameters are not stored: the run's description holds the sum of the checkpoint that they came from, and the
//! caller loads it again. The schedule and every random choice follow from the options and the counters.

mod description;
mod directory;
mod error;
mod exact;
mod keep;
mod saver;
mod state;
mod tensors;

pub use description::{Difference, RunDescription};
pub use directory::{CHECKPOINTS_DIR, Checkpoint, checkpoints_in};
pub use error::ResumeError;
pub use keep::{Keep, SaveEvery};
pub use saver::{Checkpointing, Stopped};

pub(crate) use directory::{BEST_FILE, OPTIMIZER_FILE, PARAMETERS_FILE};
pub(crate) use saver::{Saver, Tensors};
pub(crate) use state::{BestState, FORMAT, Place, State};
pub(crate) use tensors::{parameters, restored, tensors_of, trained_paths};
