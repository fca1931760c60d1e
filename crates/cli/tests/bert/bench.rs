//! `bert bench`: what it prints, never how fast it was.

use serde_json::Value;

use super::support::Room;

const FIGURES: [&str; 19] = [
    "work",
    "family",
    "size",
    "batch",
    "seq",
    "dropout",
    "tune",
    "precision",
    "weights",
    "kernels",
    "threads",
    "device",
    "runs",
    "median_ms",
    "tokens_per_second",
    "gflops",
    "gemm_ceiling_gflops",
    "gemm_share",
    "peak_rss_mib",
];
/// 2 layers of width 128 on one row of 8 tokens: the first computes all of them, `2·T·(4H² + 2HI) + 2·2·S²·H`; the last keys
/// and values of all and everything else of one, `2·T·2H² + 2·(2H² + 2HI) + 2·2·S·H`.
const FLOP: f64 = (2 * 8 * (4 * 128 * 128 + 2 * 128 * 512)
    + 4 * 64 * 128
    + 2 * 8 * 2 * 128 * 128
    + 2 * (2 * 128 * 128 + 2 * 128 * 512)
    + 4 * 8 * 128) as f64;

fn one_object(line: &str) -> Value {
    let run = Room::new().bert(line).succeeded();
    let lines = run.json_lines();
    assert_eq!(lines.len(), 1, "{}", run.stdout);
    lines[0].clone()
}

fn figure(report: &Value, name: &str) -> f64 {
    let value = report[name].as_f64();
    value.unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// The figures follow from the median, the work and each other.
fn is_consistent(report: &Value, flop: f64) {
    let names: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(names, FIGURES);
    let seconds = figure(report, "median_ms") / 1e3;
    let share = figure(report, "gflops") / figure(report, "gemm_ceiling_gflops");
    for (name, expected) in [
        ("tokens_per_second", 8.0 / seconds),
        ("gflops", flop / seconds / 1e9),
        ("gemm_share", share),
    ] {
        let found = figure(report, name);
        let difference = (found / expected - 1.0).abs();
        assert!(difference < 1e-9, "{name} is {found}, not {expected}");
    }
}

#[test]
fn inference_prints_figures_that_follow_from_each_other() {
    let report = one_object("bench inference --size tiny --batch 1 --seq 8 --runs 1 --json");
    is_consistent(&report, FLOP);
    assert_eq!(report["work"], "inference");
    assert_eq!(report["size"], "tiny");
    assert_eq!(report["device"], "flex");
    assert_eq!((&report["batch"], &report["seq"]), (&1.into(), &8.into()));
    if cfg!(target_os = "linux") {
        assert!(figure(&report, "peak_rss_mib") > 1.0);
    }
}

#[test]
fn a_device_without_kernel_launches_has_nothing_to_count() {
    let line = "bench inference --size tiny --batch 1 --seq 8 --runs 1 --count";
    for device in ["flex", "ndarray"] {
        let words = [device, "no kernels", "wgpu, vulkan, metal, cuda"];
        Room::new()
            .bert(&format!("{line} --device {device}"))
            .failed(1, &words);
    }
}

#[test]
fn a_training_step_in_bf16_is_one_of_the_kernels() {
    let line = "bench train-step --size tiny --batch 1 --seq 8 --runs 1 --json --precision bf16";
    let report = one_object(line);
    assert_eq!(report["precision"], "bf16");
    is_consistent(&report, 3.0 * FLOP);
    Room::new()
        .bert(&format!("{line} --kernels off"))
        .failed(1, &["bf16", "flex and ndarray"]);
}

#[test]
fn shorter_numbers_have_a_ceiling_of_their_own() {
    for weights in ["bf16", "int8"] {
        let line = "bench inference --size tiny --batch 1 --seq 8 --runs 1 --json --weights";
        let report = one_object(&format!("{line} {weights}"));
        assert_eq!(report["weights"], weights);
        is_consistent(&report, FLOP);
    }
}

#[test]
fn a_training_step_is_three_times_the_products() {
    let line = "bench train-step --size tiny --batch 1 --seq 8 --runs 2 --threads 1 --json";
    let report = one_object(line);
    is_consistent(&report, 3.0 * FLOP);
    assert_eq!(report["work"], "train-step");
    assert_eq!(
        (&report["threads"], &report["runs"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn without_kernels_the_work_is_the_same() {
    for work in ["train-step", "inference"] {
        let line =
            format!("bench {work} --size tiny --batch 1 --seq 8 --runs 1 --kernels off --json");
        let report = one_object(&line);
        let times = if work == "inference" { 1.0 } else { 3.0 };
        is_consistent(&report, times * FLOP);
        assert_eq!(report["kernels"], "off");
    }
}

#[test]
fn without_json_the_same_figures_are_a_table_that_lines_up() {
    let run = Room::new().bert("bench inference --size tiny --batch 1 --seq 8 --runs 1");
    let text = run.succeeded().stdout;
    let lines: Vec<&str> = text.lines().collect();
    let column = lines[0].find("VALUE").unwrap();
    for (line, name) in lines[1..].iter().zip(FIGURES) {
        assert!(line.starts_with(name), "{line}");
        assert_eq!(line.as_bytes()[column - 1], b' ', "{line}");
        assert_ne!(line.as_bytes()[column], b' ', "{line}");
    }
    assert_eq!(lines.len(), FIGURES.len() + 1);
}

#[test]
fn impossible_benchmarks_are_refused_by_the_name_of_their_flag() {
    let room = Room::new();
    for (further, words) in [
        ("--threads 0", ["--threads", "at least 1"]),
        ("--batch 0", ["--batch", "integer from 1 to 4096"]),
        ("--batch 1000000000", ["--batch", "integer from 1 to 4096"]),
        ("--seq 513", ["--seq", "integer from 1 to 512"]),
        ("--seq -1", ["--seq", "integer from 1 to 512"]),
        ("--dropout 1", ["--dropout", "below 1"]),
        ("--runs 0", ["--runs", "at least 1"]),
        ("--size large", ["--size", "minilm"]),
        ("--kernels none", ["--kernels", "off"]),
        ("--device gpu", ["'gpu'", "did you mean 'wgpu'"]),
        ("--weights int8", ["--weights", "takes --precision"]),
    ] {
        room.bert(&format!("bench train-step {further}"))
            .failed(2, &words);
    }
    for (further, words) in [
        ("--precision bf16", ["--precision", "takes --weights"]),
        ("--tune head", ["--tune", "trains nothing"]),
    ] {
        room.bert(&format!("bench inference {further}"))
            .failed(2, &words);
    }
    let run = room.bert("bench");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("train-step"), "{}", run.stderr);
}
