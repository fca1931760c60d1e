//! Checkpoints of a training run.

use anyhow::Result;
use bert_train::{Keep, SaveEvery};
use clap::Args;

use super::at_least_one;
use crate::failure::WrongUsage;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Checkpoints")]
pub(crate) struct CheckpointFlags {
    /// Save a checkpoint after every N steps, from which --resume can go on; by default every ten minutes, because
    /// that is as much as one would want to lose, and costs at most 2 % of the time
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    save_every: Option<std::num::NonZeroUsize>,
    /// Which checkpoints stay: best (that of the best evaluation), last:N (the newest N), or both: best,last:2. By
    /// default the newest, until the run is over: the trained model does not need it
    #[arg(long, value_name = "WHICH")]
    keep: Option<Keep>,
    /// Go on from the newest checkpoint in --output, and end as the run would have ended that was never stopped. Give
    /// the same command line as before, and this
    #[arg(long)]
    resume: bool,
    /// As --resume, but go on with other data, options or another version than the checkpoint's, or from an earlier
    /// checkpoint where the newest is damaged; the result is then none that a single run gives
    #[arg(long)]
    resume_anyway: bool,
}

impl CheckpointFlags {
    /// Whether the run goes on from a checkpoint.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resume || self.resume_anyway
    }

    /// Several runs of one command save no checkpoints.
    pub(crate) fn refuse_several_runs(&self) -> Result<()> {
        let asked = [
            ("--save-every", self.save_every.is_some()),
            ("--keep", self.keep.is_some()),
            ("--resume", self.is_resumed()),
        ];
        match asked.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((flag, _)) => Err(WrongUsage(format!(
                "{flag} is for one run; --seeds and --folds save no checkpoints, so give --seed, or leave out {flag}"
            ))
            .into()),
            None => Ok(()),
        }
    }

    /// Whether it goes on although something is not what it was.
    pub(crate) fn takes_differences(&self) -> bool {
        self.resume_anyway
    }

    pub(crate) fn every(&self) -> SaveEvery {
        let steps = self.save_every.map(|steps| SaveEvery::Steps(steps.get()));
        steps.unwrap_or_default()
    }

    pub(crate) fn keep(&self) -> Keep {
        self.keep.unwrap_or_default()
    }
}
