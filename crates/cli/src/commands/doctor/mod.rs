//! `bert doctor`: whether training is right on this machine.

mod machine;
mod report;
mod speed;

use anyhow::{Result, bail};
use bert_device::Backend;
use bert_doctor::{Doctor, Group, Item, Outcome, Status, advice, failures, suite};
use clap::Args;

use self::machine::Machine;
use self::report::Report;
use self::speed::Speed;
use crate::findings;
use crate::flags::MachineFlags;
use crate::progress::ShareBar;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Make the checks of these kinds alone: model, training, frozen-parts, adapter, bf16, kernel, shape. By default all
    #[arg(long, value_name = "KIND", num_args = 1.., value_delimiter = ',', value_parser = group)]
    only: Vec<Group>,
    /// Use no network: do not ask whether the hub answers
    #[arg(long)]
    offline: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: MachineFlags,
}

impl DoctorArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let opened = self.machine.open(1)?;
        let spec = self.machine.device;
        let doctor = Doctor::new(spec.backend(), opened.device.clone())?;
        let is_wanted = |group| self.only.is_empty() || self.only.contains(&group);
        let mut items = suite();
        items.retain(|item| is_wanted(item.group));
        let mut checks = examine(&doctor, &items);
        if is_wanted(Group::Bf16) {
            checks.push(doctor.half_precision());
        }
        if let Err(error) = findings::keep(spec, &opened, &failures(&checks)) {
            say!("note    later commands do not learn of this: {error:#}");
        }
        let speed = Speed::of(&opened.device);
        let machine = Machine::examine(&spec.to_string(), opened, self.offline)?;
        let report = report(spec.backend(), checks, speed, machine);
        let mut results = Results::new();
        if self.json {
            results.json(&report)?;
        } else {
            for line in report.lines() {
                results.line(&line)?;
            }
        }
        results.flush()?;
        verdict(&report)
    }
}

fn examine(doctor: &Doctor, items: &[Item]) -> Vec<Outcome> {
    let bar = ShareBar::new("checking");
    let examined = items.iter().enumerate().map(|(done, item)| {
        bar.set(done as f64 / items.len() as f64);
        doctor.examine(item)
    });
    examined.collect()
}

/// A kind of checks by its word.
fn group(word: &str) -> Result<Group, String> {
    let found = Group::ALL.into_iter().find(|group| group.word() == word);
    found.ok_or_else(|| {
        let known = Group::ALL.map(Group::word);
        format!("no such kind; known are {}", known.join(", "))
    })
}

fn report(backend: Backend, checks: Vec<Outcome>, speed: Speed, machine: Machine) -> Report {
    let mut advice = advice(backend, &failures(&checks));
    advice.extend(speed.advice(backend));
    Report {
        passed: checks.iter().all(|one| one.status != Status::Failed),
        checks,
        advice,
        speed,
        machine,
    }
}

/// A check that failed is a failure of the command.
fn verdict(report: &Report) -> Result<()> {
    let failed = report.failed();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "{} of {} checks failed on {}: {}; the output says what is unsafe here",
        failed.len(),
        report.checks.len(),
        report.machine.environment.device,
        failed.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use bert_device::DeviceSpec;
    use bert_doctor::Fault;

    use super::*;

    #[test]
    fn a_wrong_gradient_is_a_failure_that_names_the_check_and_what_is_unsafe() {
        let opened = DeviceSpec::new(Backend::Flex).open_described().unwrap();
        let fault = Fault {
            gradient: "bert.encoder.layer.1.output.dense.weight".to_owned(),
            factor: 1.01,
        };
        let doctor = Doctor::new(Backend::Flex, opened.device.clone()).unwrap();
        let doctor = doctor.with_fault(fault);
        let mut items = suite();
        items.retain(|item| item.group == Group::FrozenParts || item.name == "more padding");
        let checks = examine(&doctor, &items);
        let machine = Machine::examine("flex", opened, true).unwrap();
        let report = report(Backend::Flex, checks, Speed::default(), machine);

        assert!(!report.passed);
        let error = verdict(&report).unwrap_err().to_string();
        for words in ["2 of 5", "flex", "--tune last:1", "--tune all"] {
            assert!(error.contains(words), "no {words:?} in {error}");
        }
        let text = report.lines().join("\n");
        let failed = text.lines().filter(|line| line.starts_with("FAILED"));
        assert_eq!(failed.count(), 2, "{text}");
        assert!(text.contains("single_label/bert.encoder.layer.1.output.dense.weight"));
        assert!(text.contains("unsafe here: --tune head"), "{text}");
        assert!(
            serde_json::to_string(&report)
                .unwrap()
                .contains("\"passed\":false")
        );
    }
}
