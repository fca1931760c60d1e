/// Pairs of variables with which launchers say how many processes they have started, and which of them this is: Open MPI,
/// MPICH and Intel MPI, MVAPICH, Slurm. Slurm's count is that of the step: a batch script alone is one process.
const VARIABLES: [(&str, &str); 4] = [
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("PMI_SIZE", "PMI_RANK"),
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

/// What a launcher says about the processes that it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// How many.
    pub size: usize,
    /// Which of them this is, from 0.
    pub rank: usize,
}

impl Launch {
    /// Reads the process's environment. Without a launcher there is one process.
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| variable(name)?.trim().parse().ok();
        let launches = VARIABLES.iter().filter_map(|&(size, rank)| {
            Some(Self {
                size: number(size)?,
                rank: number(rank)?,
            })
        });
        let several = launches.filter(|launch| launch.size > 1 && launch.rank < launch.size);
        several.take(1).last().unwrap_or(Self { size: 1, rank: 0 })
    }

    /// Whether this is one of several processes.
    pub fn is_shared(self) -> bool {
        self.size > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(variables: &[(&str, &str)]) -> (usize, usize) {
        let launch = Launch::of(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        (launch.size, launch.rank)
    }

    #[test]
    fn every_launcher_is_understood() {
        for (size, rank) in VARIABLES {
            assert_eq!(launch(&[(size, "4"), (rank, "2")]), (4, 2));
        }
    }

    #[test]
    fn one_process_is_no_launch() {
        assert_eq!(launch(&[]), (1, 0));
        assert_eq!(launch(&[("PMI_SIZE", "1"), ("PMI_RANK", "0")]), (1, 0));
        assert_eq!(launch(&[("PMI_SIZE", "4")]), (1, 0));
        // A batch script of Slurm: four tasks are allotted, and none has been started.
        assert_eq!(
            launch(&[("SLURM_NTASKS", "4"), ("SLURM_PROCID", "0")]),
            (1, 0)
        );
    }
}
