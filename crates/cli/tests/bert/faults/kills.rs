//! SIGKILL at random moments.

use super::super::interrupted::{Random, assert_same, checkpoints, killed_after};
use super::super::support::{Room, Run, names_in};
use super::site::{CACHED, Site, TRAIN, predict};

pub(super) fn training(site: &Site, random: &mut Random) -> &'static str {
    let output = site.fresh("killed");
    let line = format!("{TRAIN} --output {output}");
    let was_running = killed_after(&site.room, &line, site.moment(random, site.training));
    let outcome = go_on(&site.room, &line, &output, was_running);
    assert_same(&site.room, "whole", &output);
    site.clear(&output);
    outcome
}

pub(super) fn feature_cache(site: &Site, random: &mut Random) -> &'static str {
    let output = site.fresh("killed");
    let line = format!("{CACHED} --output {output}");
    let was_running = killed_after(&site.room, &line, site.moment(random, site.caching));
    let outcome = go_on(&site.room, &line, &output, was_running);
    assert_same(&site.room, "whole-cached", &output);
    site.clear(&output);
    outcome
}

/// Ends a run that was killed, from its checkpoint if there is one.
pub(super) fn go_on(room: &Room, line: &str, output: &str, was_running: bool) -> &'static str {
    if !was_running && room.path(output).join("model.safetensors").exists() {
        return "it was over";
    }
    let left = checkpoints(room, output);
    let (again, outcome) = match left.iter().any(|name| name.starts_with("step-")) {
        true => ("--resume", "went on from a checkpoint"),
        false => ("--overwrite", "began anew"),
    };
    room.bert(&format!("{line} {again}")).succeeded();
    let names = names_in(&room.path(output));
    let left: Vec<&String> = names.iter().filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?} are left");
    outcome
}

/// The second model is exported over the first: the folder holds one of the two, or none that opens.
pub(super) fn export(site: &Site, random: &mut Random) -> &'static str {
    let output = site.copy_of("first");
    let line = format!("export second --to safetensors --output {output} --overwrite");
    killed_after(&site.room, &line, site.moment(random, site.starting));
    let run = site.room.bert(&predict(&output));
    let outcome = match site
        .answers
        .iter()
        .position(|answers| *answers == run.stdout)
    {
        Some(0) => "the old model was there",
        Some(_) => "the new model was there",
        None => {
            run.failed(1, &[&output]);
            "no model was there"
        }
    };
    site.room.bert(&line).succeeded();
    let again = site.room.bert(&predict(&output)).succeeded();
    assert!(again.stdout == site.answers[1]);
    assert!(
        !names_in(&site.room.path(&output))
            .iter()
            .any(|name| name.starts_with('.'))
    );
    site.clear(&output);
    outcome
}

pub(super) fn fetching(site: &Site, random: &mut Random) -> &'static str {
    let home = site.fresh("cache");
    let mut child = fetch(site, &home).spawn().unwrap();
    std::thread::sleep(site.moment(random, site.starting));
    let was_running = child.try_wait().unwrap().is_none();
    // A process that has ended by itself cannot be killed.
    let _ = child.kill();
    child.wait().unwrap();
    fetched_whole(site, &home);
    site.clear(&home);
    if was_running {
        "was fetched the next time"
    } else {
        "it was over"
    }
}

/// The command that fetches the model of the hub into a cache of its own.
pub(super) fn fetch(site: &Site, home: &str) -> std::process::Command {
    let mut command = site.room.command();
    command
        .args(["fetch", "owner/name"])
        .env("HF_ENDPOINT", &site.hub.server.url)
        .env_remove("HF_HUB_OFFLINE")
        .env("BERT_HOME", site.room.path(home).join("bert"))
        .env("HF_HOME", site.room.path(home).join("huggingface"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command
}

/// Makes sure that a fetch completes the cache, and that the model in it is the one that was published.
pub(super) fn fetched_whole(site: &Site, home: &str) {
    let run = Run::from(fetch(site, home).output().unwrap()).succeeded();
    let mut command = site.room.command();
    command.args(predict(run.stdout.trim_end()).split_whitespace());
    let run = Run::from(command.output().unwrap()).succeeded();
    assert!(run.stdout == site.answers[0]);
}

pub(super) fn embedding(site: &Site, random: &mut Random) -> &'static str {
    let output = format!("{}.jsonl", site.fresh("vectors"));
    site.room.write(&output, "earlier");
    let line = format!("embed --model first --input inputs.txt --threads 1 --output {output}");
    killed_after(&site.room, &line, site.moment(random, site.starting));
    let left = site.room.read(&output);
    let lines = left.lines().count();
    assert!(
        left == "earlier" || (lines == 200 && left.ends_with("]}\n")),
        "{left}"
    );
    site.room.bert(&line).succeeded();
    assert_eq!(site.room.read(&output).lines().count(), 200);
    site.clear(&output);
    if lines == 200 {
        "it was over"
    } else {
        "the earlier file was there"
    }
}
