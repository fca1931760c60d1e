use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};

use bert_tasks::{Communicator, ExchangeError, Peers, PendingSum};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, CommunicatorCollectives};

use crate::streams::silence;
use crate::sum::Sum;

/// Bytes that all ranks together gather at once: MPI counts them in 31 bits.
const GATHERED_AT_ONCE: usize = 1 << 30;
/// Where Linux says on which processors a process may run.
const STATUS_FILE: &str = "/proc/self/status";

/// All processes of a run, as one of them sees them. Its methods belong on the thread that has joined.
pub struct World {
    communicator: SimpleCommunicator,
    /// Standard error of a rank that is silent.
    stderr: Option<File>,
    // Last, because MPI is finalized when it goes.
    _universe: Universe,
}

/// Why a process did not join the others.
#[derive(Debug)]
pub enum JoinError {
    /// MPI has been initialized before, or cannot be.
    Initialized,
    /// The streams of the process could not be silenced.
    Streams(io::Error),
}

impl fmt::Display for JoinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initialized => formatter.write_str("MPI cannot be initialized a second time"),
            Self::Streams(error) => write!(formatter, "cannot silence a rank: {error}"),
        }
    }
}

impl std::error::Error for JoinError {}

impl World {
    /// Initializes MPI. Standard output and standard error of all ranks but the first go nowhere from here on.
    ///
    /// # Errors
    ///
    /// MPI is initialized already, or the streams cannot be redirected.
    pub fn join() -> Result<Self, JoinError> {
        let (universe, _) =
            mpi::initialize_with_threading(Threading::Funneled).ok_or(JoinError::Initialized)?;
        let communicator = universe.world();
        let stderr = match communicator.rank() {
            0 => None,
            _ => Some(silence().map_err(JoinError::Streams)?),
        };
        Ok(Self {
            communicator,
            stderr,
            _universe: universe,
        })
    }

    /// The name of the machine that this rank is on.
    pub fn machine(&self) -> String {
        mpi::environment::processor_name().unwrap_or_default()
    }

    /// How many ranks, this one included, run on the same processors as this one.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    pub fn ranks_on_same_processors(&self) -> Result<usize, ExchangeError> {
        let own = format!("{} {}", self.machine(), allowed_processors());
        let all = self.all_gather(own.clone().into_bytes())?;
        Ok(all.iter().filter(|one| **one == own.as_bytes()).count())
    }

    /// Ends all ranks, this one with a last message on standard error.
    pub fn abort(mut self, message: &str, exit_code: i32) -> ! {
        // Nobody is left to tell when the terminal itself is gone.
        let _ = match &mut self.stderr {
            Some(stderr) => writeln!(stderr, "{message}"),
            None => writeln!(io::stderr(), "{message}"),
        };
        self.communicator.abort(exit_code)
    }
}

/// The processors that this process may use; nothing where the system does not say.
fn allowed_processors() -> String {
    let status = fs::read_to_string(STATUS_FILE).unwrap_or_default();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap_or_default().trim().to_owned()
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("rank", &self.rank())
            .field("size", &self.size())
            .finish()
    }
}

impl Peers for World {
    fn rank(&self) -> usize {
        self.communicator.rank() as usize
    }

    fn size(&self) -> usize {
        self.communicator.size() as usize
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let mut lengths = vec![0_u64; self.size()];
        self.communicator
            .all_gather_into(&[bytes.len() as u64][..], &mut lengths[..]);
        let mut gathered: Vec<Vec<u8>> = lengths
            .iter()
            .map(|&length| Vec::with_capacity(length as usize))
            .collect();
        let piece = (GATHERED_AT_ONCE / self.size()).max(1);
        let longest = lengths.iter().max().map_or(0, |&length| length as usize);
        for start in (0..longest).step_by(piece) {
            let part = |length: usize| length.clamp(start, start + piece) - start;
            let counts: Vec<i32> = lengths
                .iter()
                .map(|&length| part(length as usize) as i32)
                .collect();
            let displacements: Vec<i32> = counts
                .iter()
                .scan(0, |next, count| {
                    let start = *next;
                    *next += count;
                    Some(start)
                })
                .collect();
            let total = counts.iter().sum::<i32>() as usize;
            let mut received = vec![0_u8; total];
            let from = start.min(bytes.len());
            let own = &bytes[from..from + part(bytes.len())];
            let mut partition =
                PartitionMut::new(&mut received[..], &counts[..], &displacements[..]);
            self.communicator
                .all_gather_varcount_into(own, &mut partition);
            let mut rest = received.as_slice();
            for (all, count) in gathered.iter_mut().zip(counts) {
                let (part, others) = rest.split_at(count as usize);
                all.extend_from_slice(part);
                rest = others;
            }
        }
        Ok(gathered)
    }
}

impl Communicator for World {
    fn begin_sum(&self, values: Vec<f32>) -> Result<Box<dyn PendingSum + '_>, ExchangeError> {
        Ok(Box::new(Sum::begin(&self.communicator, values)?))
    }

    fn sum(&self, values: &[f64]) -> Result<Vec<f64>, ExchangeError> {
        let mut sums = vec![0.0; values.len()];
        self.communicator
            .all_reduce_into(values, &mut sums[..], SystemOperation::sum());
        Ok(sums)
    }

    fn barrier(&self) -> Result<(), ExchangeError> {
        self.communicator.barrier();
        Ok(())
    }

    fn as_peers(&self) -> &dyn Peers {
        self
    }
}
