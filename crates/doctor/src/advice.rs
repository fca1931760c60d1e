use bert_device::Backend;
use serde::Serialize;

use crate::{Group, Outcome, Status};

/// A setting that is unsafe on this device, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What not to use here.
    pub unsafe_setting: String,
    /// What has shown it.
    pub because: String,
    /// What to use instead.
    pub instead: String,
    /// Open reports in Burn's tracker of what looks the same.
    pub burn_issues: Vec<u32>,
}

/// What the failures of a device mean for its user.
pub fn advice(backend: Backend, outcomes: &[Outcome]) -> Vec<Advice> {
    let failed = |group| {
        let of_group = outcomes.iter().filter(|one| one.group == group);
        of_group
            .filter(|one| one.status == Status::Failed)
            .map(|one| one.name.clone())
            .collect::<Vec<_>>()
    };
    let whole = [Group::Model, Group::Training, Group::Shape]
        .map(failed)
        .concat();
    let parts = [Group::FrozenParts, Group::Adapter].map(failed).concat();
    let mut all = Vec::new();
    if !whole.is_empty() {
        all.push(of_device(backend, &whole));
    }
    if !parts.is_empty() {
        all.push(of_parts(backend, &parts));
    }
    for (group, setting) in [
        (Group::Bf16, "--precision bf16"),
        (Group::Kernel, "the kernels on this device"),
    ] {
        let names = failed(group);
        if !names.is_empty() {
            all.push(Advice {
                unsafe_setting: setting.to_owned(),
                because: because(&names),
                instead: "please report it; another processor or device is not affected".to_owned(),
                burn_issues: Vec::new(),
            });
        }
    }
    all
}

fn of_device(backend: Backend, names: &[String]) -> Advice {
    Advice {
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
        unsafe_setting: format!(
            "--tune head, last:K, bitfit and lora, and --freeze-embeddings, on {backend}"
        ),
        because: because(names),
        instead: format!("--tune all, where it passes; or {}", elsewhere(backend)),
        burn_issues: is_gpu.then_some(5162).into_iter().collect(),
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
        assert_eq!(advice(Backend::Wgpu, &outcomes), []);
    }

    #[test]
    fn a_wrong_gradient_of_a_part_makes_training_of_parts_unsafe() {
        for group in [Group::FrozenParts, Group::Adapter] {
            let [one] = &advice(Backend::Metal, &[outcome(group, Status::Failed)])[..] else {
                panic!("one piece of advice");
            };
            assert!(one.unsafe_setting.contains("lora"), "{one:?}");
            assert_eq!(one.burn_issues, [5162]);
            assert!(one.because.contains("a check"), "{one:?}");
        }
    }

    #[test]
    fn a_wrong_model_makes_the_device_unsafe() {
        let failed = [outcome(Group::Model, Status::Failed)];
        let [one] = &advice(Backend::Cuda, &failed)[..] else {
            panic!("one piece of advice");
        };
        assert_eq!(one.unsafe_setting, "--device cuda");
        assert_eq!(one.burn_issues, [5257, 4366]);
        assert!(advice(Backend::Flex, &failed)[0].burn_issues.is_empty());
    }
}
