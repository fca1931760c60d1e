//! Faults by the hundred: after each of them what was there before is whole, no answer is wrong, and the next run ends as if
//! nothing had happened.

mod changes;
mod clocks;
mod disk;
mod kills;
mod pairs;
mod permissions;
mod site;
mod streams;

use std::time::Instant;

use super::interrupted::Random;
use site::Site;

/// Makes one fault, checks what it has left and that the next run is right, and says in a few words what the fault did.
type Fault = fn(&Site, &mut Random) -> &'static str;

/// Every kind of fault. Those that a machine cannot make say so, and count as none.
const KINDS: [(&str, Fault); 18] = [
    ("kill while training", kills::training),
    ("kill while features are cached", kills::feature_cache),
    ("kill while exporting", kills::export),
    ("kill while fetching", kills::fetching),
    ("kill while vectors are written", kills::embedding),
    ("no room for a checkpoint", disk::checkpoint),
    ("no room for an export", disk::export),
    ("no room for vectors", disk::vectors),
    ("no room for results or messages", disk::streams),
    ("no room on a file system of its own", disk::file_system),
    ("read-only folder", permissions::read_only_folder),
    ("file without permission", permissions::unreadable_file),
    ("weights cut short or gone", changes::damaged_weights),
    (
        "weights replaced while they are read",
        changes::replaced_weights,
    ),
    ("input cut short while it is read", changes::shortened_input),
    ("two runs at once", pairs::at_once),
    ("clock that jumps", clocks::jump),
    ("reader that goes away", streams::gone),
];

/// What `Fault` returns where a machine cannot make it.
const IMPOSSIBLE: &str = "not possible on this machine";

/// Makes so many faults, kind after kind, and prints how many there were of each.
fn make(count: usize, seed: u64) {
    println!("seed {seed}");
    let mut random = Random(seed | 1);
    let clock = Instant::now();
    let site = Site::new();
    println!("prepared in {:.1} s", clock.elapsed().as_secs_f64());
    let mut tally = vec![(0, std::collections::BTreeMap::new(), 0.0); KINDS.len()];
    let mut made = 0;
    let mut next = 0;
    while made < count {
        let kind = next % KINDS.len();
        next += 1;
        let (name, fault) = KINDS[kind];
        let start = Instant::now();
        let outcome = fault(&site, &mut random);
        let (times, outcomes, seconds) = &mut tally[kind];
        *outcomes.entry(outcome).or_insert(0) += 1;
        *seconds += start.elapsed().as_secs_f64();
        if outcome == IMPOSSIBLE {
            if next <= KINDS.len() {
                eprintln!("SKIPPED: {name}: {outcome}");
            }
            continue;
        }
        *times += 1;
        made += 1;
        if made % 50 == 0 {
            println!("{made} faults so far");
        }
    }
    site.is_unharmed();
    for ((name, _), (times, outcomes, seconds)) in KINDS.iter().zip(&tally) {
        println!("{times:4}  {name} ({seconds:.1} s): {outcomes:?}");
    }
    println!(
        "{made} faults in {:.0} s, and nothing was lost, half-written or wrong",
        clock.elapsed().as_secs_f64()
    );
    assert_eq!(made, count);
}

#[test]
fn forty_faults_lose_nothing_and_the_next_run_is_right() {
    make(40, 20_261_127);
}

/// `cargo test --workspace --features wgpu --test bert -- --ignored --nocapture faults` prints the outcomes. `BERT_FAULTS`
/// says how many faults there are, `BERT_FAULT_SEED` which.
#[test]
#[ignore = "takes many minutes"]
fn faults_by_the_hundred_lose_nothing_and_the_next_run_is_right() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let by_the_clock = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let count = number("BERT_FAULTS").unwrap_or(500);
    let seed = number("BERT_FAULT_SEED").unwrap_or_else(by_the_clock);
    make(count as usize, seed);
}
