//! `bert doctor` from end to end.

use bert_testing::{Backend, TestDevice, on_every_device};
use serde_json::Value;

use super::support::{Room, Run, TRAIN};

on_every_device!(every_check_passes);

/// The names of the checks with this status.
fn with_status<'r>(report: &'r Value, status: &str) -> Vec<&'r str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["status"] == status)
        .map(|check| check["name"].as_str().unwrap())
        .collect()
}

/// All of them on a CPU. A software GPU takes minutes for all, so this makes a few; the parity tests make the others there.
fn every_check_passes(device: &TestDevice) -> anyhow::Result<()> {
    let backend = device.backend();
    let has_kernels = matches!(backend, Backend::Flex | Backend::NdArray);
    if has_kernels {
        check_all(backend);
    } else {
        let report = examined(&format!("--device {backend} --only kernel,bf16"));
        assert!(with_status(&report, "passed").contains(&"attention"));
        assert_ne!(with_status(&report, "not_run"), Vec::<&str>::new());
        check_machine(&report["machine"], backend);
    }
    Ok(())
}

#[cfg(feature = "wgpu")]
#[test]
#[ignore = "minutes: cargo test --workspace --features wgpu --test bert -- --ignored doctor"]
fn every_check_passes_on_a_software_gpu() -> anyhow::Result<()> {
    bert_testing::device::run_on(Backend::Wgpu, |device| {
        check_all(device.backend());
        Ok(())
    })
}

/// wgpu takes OpenGL where there is no Vulkan: a GPU of old, a container.
#[cfg(feature = "wgpu")]
#[test]
fn a_gpu_without_vulkan_is_examined_through_opengl() -> anyhow::Result<()> {
    let room = Room::new();
    let mut command = room.command();
    // A folder without drivers, by both names that the loader of Vulkan knows.
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        command.env(variable, "/nonexistent");
    }
    let line = "doctor --device wgpu --offline --json --only kernel";
    let run = Run::from(command.args(line.split(' ')).output()?);
    if run.stderr.contains("no adapter for --device wgpu") {
        return bert_testing::device::skip(&run.stderr.trim_end());
    }
    let report = run.succeeded().json();
    assert_eq!(report["machine"]["api"], "Gl");
    assert_eq!(with_status(&report, "failed"), Vec::<&str>::new());
    assert!(with_status(&report, "passed").contains(&"attention"));
    Ok(())
}

/// The report of a run in which nothing fails.
fn examined(flags: &str) -> Value {
    let run = Room::new().bert(&format!("doctor --offline --json {flags}"));
    let report = run.succeeded().json();
    assert_eq!(report["passed"], true);
    assert_eq!(with_status(&report, "failed"), Vec::<&str>::new());
    assert_eq!(report["advice"], Value::Array(Vec::new()));
    for check in report["checks"].as_array().unwrap() {
        let is_run = check["status"] != "not_run";
        assert_eq!(check["reason"].is_null(), is_run, "{check}");
        assert_eq!(check["compared"].as_u64() > Some(0), is_run, "{check}");
    }
    report
}

fn check_all(backend: Backend) {
    let report = examined(&format!("--device {backend}"));
    let passed = with_status(&report, "passed");
    for name in [
        "bert ForSequenceClassification, single label",
        "roberta ForMaskedLM",
        "deberta-v2 ForQuestionAnswering",
        "modernbert ForTokenClassification",
        "adamw 20 steps",
        "--tune last:1",
        "attention",
        "dora",
        "more padding",
        "2 row(s) of 512 token(s)",
    ] {
        assert!(passed.contains(&name), "no {name} in {passed:?}");
    }
    // bf16 is one of the kernels of flex and ndarray.
    let (steps, not_run) = ("twenty steps", with_status(&report, "not_run"));
    let has_bf16 = matches!(backend, Backend::Flex | Backend::NdArray);
    assert_eq!(passed.contains(&steps), has_bf16, "{not_run:?}");
    assert_eq!(not_run.contains(&steps), !has_bf16, "{not_run:?}");
    check_machine(&report["machine"], backend);
}

fn check_machine(machine: &Value, backend: Backend) {
    assert_eq!(machine["device"], backend.word());
    assert_eq!(machine["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(machine["hub"], "not asked");
    assert_eq!(machine["cache_is_writable"], true);
    assert!(machine["threads"].as_u64() > Some(0), "{machine}");
    let is_gpu = !matches!(backend, Backend::Flex | Backend::NdArray);
    assert_eq!(machine["api"].is_string(), is_gpu, "{machine}");
    let features = machine["features"].as_array().unwrap();
    assert_eq!(features.is_empty(), !is_gpu, "{machine}");
}

#[test]
fn without_json_it_is_a_table_of_checks_and_one_of_the_machine() {
    let line = "doctor --offline --threads 1 --only shape bf16";
    let run = Room::new().bert(line).succeeded();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("RESULT"), "{}", run.stdout);
    let passed = lines.iter().filter(|line| line.starts_with("ok ")).count();
    let summary = format!("{passed} checks passed, 0 failed, 1 not run");
    assert!(lines.contains(&summary.as_str()), "{}", run.stdout);
    let machine = lines.iter().position(|line| *line == "MACHINE").unwrap();
    for name in [
        "bert ", "burn ", "device ", "threads ", "cache ", "hub ", "speed ",
    ] {
        let row = lines[machine..].iter().find(|line| line.starts_with(name));
        assert!(row.is_some(), "no {name} in {}", run.stdout);
    }
    assert!(!run.stdout.contains("unsafe here"), "{}", run.stdout);
}

#[test]
fn an_unknown_kind_is_refused_with_the_known_ones() {
    let run = Room::new().bert("doctor --only models");
    run.failed(2, &["--only", "frozen-parts"]);
}

/// It examines every device, so there is nothing to insist on.
#[test]
fn doctor_refuses_the_flag_that_it_has_no_use_for() {
    let run = Room::new().bert("doctor --offline --only shape --allow-unsafe");
    run.failed(2, &["unexpected argument '--allow-unsafe'"]);
}

/// What fails on a device is refused there by every later command, until it passes or somebody insists.
#[test]
fn a_device_with_wrong_numbers_is_refused_until_it_passes_or_somebody_insists() {
    let room = Room::new();
    let found = "home/doctor/flex.json";
    room.bert("doctor --offline --only kernel shape")
        .succeeded();
    let passing: Value = serde_json::from_str(&room.read(found)).unwrap();
    let (bench, train) = (
        "bench inference --size tiny --batch 1 --seq 8 --runs 1",
        format!("{TRAIN} --tune head"),
    );
    room.bert(bench).succeeded();

    let mut failing = passing.clone();
    failing["failures"]["adapter"] = serde_json::json!(["lora"]);
    room.write(found, failing.to_string());
    room.bert(bench).succeeded();
    room.bert(&train)
        .failed(2, &["--tune head", "failed: lora", "--allow-unsafe"]);
    assert!(!room.path("trained").exists());
    room.bert(&format!("{train} --allow-unsafe")).succeeded();

    failing["failures"]["shape"] = serde_json::json!(["no padding"]);
    room.write(found, failing.to_string());
    room.bert(bench)
        .failed(2, &["--device flex", "failed: no padding", "bert doctor"]);
    room.bert("doctor --offline --only shape").succeeded();
    room.bert(bench).succeeded();
}
