//! Two processes on one folder or one cache.

use std::process::Stdio;

use super::super::interrupted::{Random, assert_same, start};
use super::super::support::Run;
use super::kills::{fetch, fetched_whole};
use super::site::{Site, TRAIN, has_ended_well, predict};

pub(super) fn at_once(site: &Site, random: &mut Random) -> &'static str {
    match random.below(3) {
        0 => trainings(site, random),
        1 => exports(site, random),
        _ => fetches(site, random),
    }
}

fn both(site: &Site, random: &mut Random, lines: [&str; 2]) -> [Run; 2] {
    let first = start(&site.room, lines[0]);
    std::thread::sleep(site.moment(random, site.starting));
    let second = start(&site.room, lines[1]);
    [first, second].map(|child| Run::from(child.wait_with_output().unwrap()))
}

/// One of them has the folder.
fn trainings(site: &Site, random: &mut Random) -> &'static str {
    let output = site.fresh("shared");
    let line = format!("{TRAIN} --output {output}");
    let runs = both(site, random, [&line, &line]);
    runs.iter().for_each(has_ended_well);
    let codes = runs.each_ref().map(|run| run.code);
    assert!(
        matches!(codes, [Some(0), Some(1)] | [Some(1), Some(0)]),
        "{codes:?}"
    );
    let refused = runs.iter().find(|run| run.code == Some(1)).unwrap();
    let words = [
        "another process is writing to it",
        "with files in it",
        "holds checkpoints of a run",
    ];
    assert!(
        words.iter().any(|word| refused.stderr.contains(word)),
        "{}",
        refused.stderr
    );
    assert_same(&site.room, "whole", &output);
    site.clear(&output);
    "one trained, the other was refused"
}

/// The folder holds one of the two models.
fn exports(site: &Site, random: &mut Random) -> &'static str {
    let output = site.copy_of("first");
    let line =
        |model: &str| format!("export {model} --to safetensors --output {output} --overwrite");
    let runs = both(site, random, [&line("first"), &line("second")]);
    runs.iter().for_each(has_ended_well);
    assert!(runs.iter().any(|run| run.code == Some(0)));
    let run = site.room.bert(&predict(&output)).succeeded();
    assert!(site.answers.contains(&run.stdout));
    site.clear(&output);
    match runs.iter().all(|run| run.code == Some(0)) {
        true => "one model was written after the other",
        false => "one model was written, the other refused",
    }
}

/// One waits for the other.
fn fetches(site: &Site, random: &mut Random) -> &'static str {
    let home = site.fresh("cache");
    let run = || fetch(site, &home).stdin(Stdio::null()).spawn().unwrap();
    let first = run();
    std::thread::sleep(site.moment(random, site.starting / 4));
    let second = run();
    for child in [first, second] {
        Run::from(child.wait_with_output().unwrap()).succeeded();
    }
    fetched_whole(site, &home);
    site.clear(&home);
    "one cache served both"
}
