//! Every input that is kept is read without a panic and within bounds, by every build on every machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use bert_fuzzing::corpus;
use bert_fuzzing::memory::{BOUND, Counting, most_bytes};
use bert_fuzzing::mutation::Mutator;
use bert_fuzzing::targets::{TARGETS, Target};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Seconds for each target of the long test.
const SECONDS_VARIABLE: &str = "BERT_FUZZ_SECONDS";
/// The one target of the long test, and where its inputs are written that fail.
const TARGET_VARIABLE: &str = "BERT_FUZZ_TARGET";
const FAILURES_VARIABLE: &str = "BERT_FUZZ_FAILURES";

/// What is wrong with how an input was read.
fn fault(target: &Target, input: &[u8]) -> Option<String> {
    let mut panicked = false;
    let bytes = most_bytes(|| {
        panicked = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err();
    });
    if panicked {
        return Some("it panicked".to_owned());
    }
    (bytes > BOUND).then(|| format!("it asked for {bytes} bytes, more than {BOUND}"))
}

/// One test, because the allocator counts for the whole process.
#[test]
fn every_input_that_is_kept_is_read_without_a_panic_and_within_the_bound_of_memory() {
    let mut faults = Vec::new();
    for target in TARGETS {
        let inputs = corpus::inputs(target.name);
        assert!(!inputs.is_empty(), "{} has no inputs", target.name);
        for (name, input) in inputs {
            if let Some(fault) = fault(target, &input) {
                faults.push(format!("{}/{name}: {fault}", target.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// `BERT_FUZZ_SECONDS=60 cargo test -p bert-fuzzing --test corpus -- --ignored --nocapture`
#[test]
#[ignore = "as long as one likes: it changes inputs and reads them"]
fn changed_inputs_are_read_without_a_panic_and_within_the_bound_of_memory() {
    let variable = |name: &str| std::env::var(name).ok();
    let seconds = variable(SECONDS_VARIABLE).map_or(10, |text| text.parse().expect("seconds"));
    let folder = variable(FAILURES_VARIABLE).unwrap_or_else(|| "fuzz-failures".to_owned());
    let wanted = variable(TARGET_VARIABLE);
    let mut failures = 0;
    for target in TARGETS {
        if wanted.as_ref().is_none_or(|wanted| wanted == target.name) {
            failures += change(target, Duration::from_secs(seconds), Path::new(&folder));
        }
    }
    assert_eq!(failures, 0, "the inputs are in {folder}");
}

/// Reads changed inputs for a while and writes those that fail into the folder. The input under way lies there too, for the
/// case that it ends the process.
fn change(target: &Target, time: Duration, folder: &Path) -> usize {
    std::fs::create_dir_all(folder).expect("a folder for what fails");
    let seeds = corpus::inputs(target.name).into_iter();
    let seeds = seeds.map(|(_, input)| input).collect();
    let seed = std::env::var("BERT_FUZZ_SEED").map_or(7, |text| text.parse().expect("a number"));
    let under_way = folder.join(format!("{}-under-way", target.name));
    let (clock, mut read, mut failures, mut slowest) = (Instant::now(), 0_usize, 0, Duration::ZERO);
    for input in Mutator::new(seeds, seed) {
        if clock.elapsed() > time {
            break;
        }
        std::fs::write(&under_way, &input).expect("a folder for what fails");
        let start = Instant::now();
        if let Some(fault) = fault(target, &input) {
            failures += 1;
            let name = format!("{}-{failures}", target.name);
            std::fs::write(folder.join(&name), &input).expect("a folder for what fails");
            println!("{name}: {fault}");
        }
        if start.elapsed() > slowest {
            slowest = start.elapsed();
            let name = format!("{}-slowest", target.name);
            std::fs::write(folder.join(name), &input).expect("a folder for what fails");
        }
        read += 1;
    }
    println!(
        "{}: {read} inputs in {:.0} s, {failures} failed, the slowest took {:.3} s",
        target.name,
        clock.elapsed().as_secs_f64(),
        slowest.as_secs_f64()
    );
    failures
}
