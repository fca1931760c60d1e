use std::collections::BTreeMap;

use bert_device::Backend;
use serde::{Deserialize, Serialize};

use crate::{Group, Outcome, Status};

/// What somebody may ask of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// Any computation on it.
    Device,
    /// Training of some parameters only.
    PartsOfModel,
    /// Training in bfloat16.
    Bf16,
    /// Training for long.
    LongRuns,
}

/// A setting that is unsafe on this device, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What not to use here.
    pub setting: Setting,
    /// The same in the words of the command line.
    pub unsafe_setting: String,
    /// What has shown it.
    pub because: String,
    /// What to use instead.
    pub instead: String,
    /// Open reports in Burn's tracker of what looks the same.
    pub burn_issues: Vec<u32>,
}

/// The names of the checks that failed, of each kind that was examined.
pub type Failures = BTreeMap<Group, Vec<String>>;

/// What the names of failed checks mean on a backend.
type Say = fn(Backend, &[String]) -> Advice;

/// What failed, kind by kind. A kind without a failure has an empty list.
pub fn failures(outcomes: &[Outcome]) -> Failures {
    let mut all = Failures::new();
    for one in outcomes {
        let of_group = all.entry(one.group).or_default();
        if one.status == Status::Failed {
            of_group.push(one.name.clone());
        }
    }
    all
}

/// What the failures of a device mean for its user.
pub fn advice(backend: Backend, failures: &Failures) -> Vec<Advice> {
    let failed = |groups: &[Group]| {
        let of_groups = groups.iter().filter_map(|group| failures.get(group));
        of_groups.flatten().cloned().collect::<Vec<_>>()
    };
    let made: [(&[Group], Say); 4] = [
        (&[Group::Model, Group::Training, Group::Shape], of_device),
        (&[Group::FrozenParts, Group::Adapter], of_parts),
        (&[Group::Bf16], of_bf16),
        (&[Group::Kernel], of_kernels),
    ];
    let all = made.into_iter().filter_map(|(groups, say)| {
        let names = failed(groups);
        (!names.is_empty()).then(|| say(backend, &names))
    });
    all.collect()
}

fn of_device(backend: Backend, names: &[String]) -> Advice {
    Advice {
        setting: Setting::Device,
        unsafe_setting: format!("--device {backend}"),
        because: because(names),
        instead: elsewhere(backend),
        burn_issues: match backend {
            Backend::Flex | Backend::NdArray => Vec::new(),
            // Fusion is off in this project; autotune is on in these builds.
            Backend::Vulkan | Backend::Metal | Backend::Cuda => vec![5257, 4366],
            Backend::Wgpu => Vec::new(),
        },
    }
}

/// A backward pass for some parameters only.
fn of_parts(backend: Backend, names: &[String]) -> Advice {
    let is_gpu = !matches!(backend, Backend::Flex | Backend::NdArray);
    Advice {
        setting: Setting::PartsOfModel,
        unsafe_setting: format!(
            "--tune head, last:K, bitfit and lora, and --freeze-embeddings, on {backend}"
        ),
        because: because(names),
        instead: format!("--tune all, where it passes; or {}", elsewhere(backend)),
        burn_issues: is_gpu.then_some(5162).into_iter().collect(),
    }
}

fn of_bf16(backend: Backend, names: &[String]) -> Advice {
    Advice {
        setting: Setting::Bf16,
        unsafe_setting: format!("--precision bf16 on {backend}"),
        because: because(names),
        instead: "--precision f32; please report it".to_owned(),
        burn_issues: Vec::new(),
    }
}

/// Everything on the device uses its kernels.
fn of_kernels(backend: Backend, names: &[String]) -> Advice {
    Advice {
        unsafe_setting: format!("the kernels of --device {backend}"),
        instead: format!("{}; please report it", elsewhere(backend)),
        burn_issues: Vec::new(),
        ..of_device(backend, names)
    }
}

fn elsewhere(backend: Backend) -> String {
    let device = match backend {
        Backend::Flex => "--device ndarray",
        Backend::NdArray | Backend::Wgpu => "--device flex",
        Backend::Vulkan | Backend::Metal | Backend::Cuda => {
            "--device wgpu, which does without autotune, or --device flex"
        }
    };
    format!("{device}, once `bert doctor` passes there")
}

fn because(names: &[String]) -> String {
    format!("failed: {}", names.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(group: Group, status: Status) -> Outcome {
        let mut outcome = Outcome::not_run(group, "a check".to_owned(), String::new());
        outcome.status = status;
        outcome
    }

    #[test]
    fn a_device_that_passes_is_safe() {
        let outcomes = [
            outcome(Group::Model, Status::Passed),
            outcome(Group::Bf16, Status::NotRun),
        ];
        assert_eq!(advice(Backend::Wgpu, &failures(&outcomes)), []);
    }

    #[test]
    fn a_wrong_gradient_of_a_part_makes_training_of_parts_unsafe() {
        for group in [Group::FrozenParts, Group::Adapter] {
            let failed = failures(&[outcome(group, Status::Failed)]);
            let [one] = &advice(Backend::Metal, &failed)[..] else {
                panic!("one piece of advice");
            };
            assert_eq!(one.setting, Setting::PartsOfModel);
            assert!(one.unsafe_setting.contains("lora"), "{one:?}");
            assert_eq!(one.burn_issues, [5162]);
            assert!(one.because.contains("a check"), "{one:?}");
        }
    }

    #[test]
    fn a_wrong_model_makes_the_device_unsafe() {
        let failed = failures(&[outcome(Group::Model, Status::Failed)]);
        let [one] = &advice(Backend::Cuda, &failed)[..] else {
            panic!("one piece of advice");
        };
        assert_eq!(one.unsafe_setting, "--device cuda");
        assert_eq!(one.burn_issues, [5257, 4366]);
        assert!(advice(Backend::Flex, &failed)[0].burn_issues.is_empty());
    }

    #[test]
    fn a_wrong_kernel_makes_the_device_unsafe_and_wrong_bf16_itself_alone() {
        for (group, setting) in [
            (Group::Kernel, Setting::Device),
            (Group::Bf16, Setting::Bf16),
        ] {
            let failed = failures(&[outcome(group, Status::Failed)]);
            let settings: Vec<Setting> = advice(Backend::Flex, &failed)
                .iter()
                .map(|one| one.setting)
                .collect();
            assert_eq!(settings, [setting]);
        }
    }

    #[test]
    fn kinds_that_were_examined_are_told_from_those_that_were_not() {
        let failed = failures(&[
            outcome(Group::Model, Status::Failed),
            outcome(Group::Shape, Status::Passed),
        ]);
        assert_eq!(failed[&Group::Model], ["a check"]);
        assert!(failed[&Group::Shape].is_empty());
        assert_eq!(failed.get(&Group::Kernel), None);
    }
}
