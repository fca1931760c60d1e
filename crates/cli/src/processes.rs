//! The processes of a run that a launcher such as mpirun has started.

use anyhow::Result;
#[cfg(not(feature = "mpi"))]
use anyhow::bail;
#[cfg(feature = "mpi")]
use anyhow::{Context, anyhow};
use bert_mpi::Launch;
#[cfg(feature = "mpi")]
use bert_mpi::World;
use bert_tasks::Communicator;
#[cfg(feature = "mpi")]
use bert_tasks::Peers;
use bert_train::SingleProcess;

#[cfg(feature = "mpi")]
use crate::failure::{self, Interrupted, Told};
#[cfg(feature = "mpi")]
use crate::results::ReaderGone;

/// How long a rank waits before it says why it failed: what fails on every rank is then told by the first alone, which ends
/// the others.
#[cfg(feature = "mpi")]
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// This process and those that run with it. All but the first are silent and write no file.
pub(crate) struct Processes {
    #[cfg(feature = "mpi")]
    world: Option<World>,
}

#[cfg(not(feature = "mpi"))]
impl Processes {
    /// Makes sure that this process is alone: others would train the same into the same directory.
    pub(crate) fn join() -> Result<Self> {
        let launch = Launch::of_environment();
        if launch.is_shared() {
            bail!(
                "{} processes were started, but this build of bert has no MPI, so each would train for itself; build it with \
                 `--features mpi`, which needs the development files of Open MPI or MPICH, or start one process",
                launch.size
            );
        }
        Ok(Self {})
    }

    pub(crate) fn ranks(&self) -> &dyn Communicator {
        &SingleProcess
    }

    /// How many processes share the processors of this one.
    pub(crate) fn sharing_processors(&self) -> Result<usize> {
        Ok(1)
    }

    /// Ends the run with its outcome.
    pub(crate) fn finish(self, outcome: Result<()>) -> Result<()> {
        outcome
    }
}

#[cfg(feature = "mpi")]
impl Processes {
    /// Waits for the processes that the launcher has started beside this one, if there are any.
    pub(crate) fn join() -> Result<Self> {
        let launch = Launch::of_environment();
        let world = launch.is_shared().then(World::join).transpose()?;
        if let Some(world) = world.as_ref().filter(|world| world.size() != launch.size) {
            let launched = launch.size;
            return Err(anyhow!(
                "{launched} processes were started, but MPI sees {}; start bert with the launcher of the MPI library that it \
                 was built with",
                world.size()
            ));
        }
        Ok(Self { world })
    }

    pub(crate) fn ranks(&self) -> &dyn Communicator {
        match &self.world {
            Some(world) => world,
            None => &SingleProcess,
        }
    }

    /// How many processes share the processors of this one.
    pub(crate) fn sharing_processors(&self) -> Result<usize> {
        let world = self.world.as_ref();
        let sharing = world.map(World::ranks_on_same_processors);
        let sharing = sharing.transpose();
        Ok(sharing
            .context("cannot count the processes of this machine")?
            .unwrap_or(1))
    }

    /// Ends the run with its outcome. A process that has failed ends all others, with one message.
    pub(crate) fn finish(self, outcome: Result<()>) -> Result<()> {
        let (world, error) = match (self.world, outcome) {
            (Some(world), Err(error)) if !error.is::<ReaderGone>() => (world, error),
            (_, outcome) => return outcome,
        };
        if error.is::<Interrupted>() {
            // A launcher ends all processes when the first of them is gone, so this comes before MPI's own end.
            let exit_code = failure::tell(&error);
            return Err(Told { exit_code }.into());
        }
        let rank = world.rank();
        std::thread::sleep(PATIENCE * rank.try_into().unwrap_or(u32::MAX));
        let message = format!(
            "error: rank {rank} ({}): {}",
            world.machine(),
            failure::with_causes(&error)
        );
        world.abort(&message, failure::exit_code(&error).into())
    }
}

impl Processes {
    /// Whether this is the one that writes.
    pub(crate) fn is_first(&self) -> bool {
        self.ranks().rank() == 0
    }

    pub(crate) fn are_several(&self) -> bool {
        self.ranks().size() > 1
    }

    /// Does something in the first process before it does so in the others, which find what the first has left.
    pub(crate) fn first_then_others<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_first() {
            let done = work()?;
            self.ranks().barrier()?;
            return Ok(done);
        }
        self.ranks().barrier()?;
        work()
    }
}

/// Whether this process has nothing to say about a command line that is wrong: another one says it.
pub(crate) fn is_silent() -> bool {
    Launch::of_environment().rank > 0
}
