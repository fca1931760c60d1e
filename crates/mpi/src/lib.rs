//! The processes of a run that a launcher has started.
//!
//! ```text
//! mpirun, srun ──environment──▶ Launch (how many, which one)
//! Launch ──World::join──▶ rank, size, sums, gathering: a Communicator of bert-tasks
//! ```
//!
//! [`Launch`] is there in every build. `World` needs the Cargo feature `mpi`, which links the machine's MPI library.
//!
//! This crate does *not* know what is trained or evaluated. MPI's own words (rank, all-reduce) mean here what they mean
//! there.

mod launch;
#[cfg(feature = "mpi")]
mod streams;
#[cfg(feature = "mpi")]
mod sum;
#[cfg(feature = "mpi")]
mod world;

pub use launch::Launch;
#[cfg(feature = "mpi")]
pub use world::{JoinError, World};
