//! No room. A limit on the size of files stands for a full disk, because anybody may set it; where a user may mount a file
//! system of his own, a small one is filled, too.

use super::super::interrupted::{Random, assert_same};
use super::super::support::Run;
use super::IMPOSSIBLE;
use super::kills::go_on;
use super::site::{Site, TRAIN, has_ended_well, predict};

/// What a shell says before a command whose files may have so many blocks of 1024 bytes.
fn limit(blocks: u64) -> String {
    format!("trap '' XFSZ; ulimit -f {blocks};")
}

/// The blocks that a file takes.
fn blocks_of(site: &Site, file: &str) -> u64 {
    site.room
        .path(file)
        .metadata()
        .unwrap()
        .len()
        .div_ceil(1024)
}

fn names_the_file(run: &Run) {
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let words = ["cannot write", "cannot be written", "cannot be copied"];
    assert!(
        words.iter().any(|word| run.stderr.contains(word)),
        "{}",
        run.stderr
    );
}

pub(super) fn checkpoint(site: &Site, random: &mut Random) -> &'static str {
    let output = site.fresh("full");
    let line = format!("{TRAIN} --output {output}");
    let blocks = random.below(blocks_of(site, "first/model.safetensors") * 3);
    let run = site.in_shell(&limit(blocks), &line, "");
    has_ended_well(&run);
    let outcome = match run.code {
        Some(0) => "there was room",
        _ => {
            names_the_file(&run);
            match site.room.path(&output).exists() {
                true => go_on(&site.room, &line, &output, true),
                false => {
                    site.room.bert(&line).succeeded();
                    "nothing was left, began anew"
                }
            }
        }
    };
    assert_same(&site.room, "whole", &output);
    site.clear(&output);
    outcome
}

pub(super) fn export(site: &Site, random: &mut Random) -> &'static str {
    let output = site.copy_of("first");
    let formats = ["safetensors", "f16", "bf16", "onnx", "onnx-int8"];
    let format = formats[random.below(formats.len() as u64) as usize];
    let before = site.content(&output);
    let line = format!("export second --to {format} --output {output} --overwrite");
    let blocks = random.below(blocks_of(site, "second/model.safetensors"));
    let run = site.in_shell(&limit(blocks), &line, "");
    has_ended_well(&run);
    let outcome = match run.code {
        Some(0) => "there was room",
        _ => {
            names_the_file(&run);
            assert!(
                site.content(&output) == before,
                "{format} with {blocks} blocks changed files"
            );
            "the old model was there"
        }
    };
    site.room.bert(&line).succeeded();
    site.clear(&output);
    outcome
}

pub(super) fn vectors(site: &Site, random: &mut Random) -> &'static str {
    let ending = ["npy", "jsonl"][random.below(2) as usize];
    let output = format!("{}.{ending}", site.fresh("vectors"));
    let whole = format!("{}.{ending}", site.fresh("whole-vectors"));
    let line = "embed --model first --input inputs.txt --threads 1 --output";
    site.room.bert(&format!("{line} {whole}")).succeeded();
    site.room.write(&output, "earlier");
    let line = format!("{line} {output}");
    let run = site.in_shell(&limit(random.below(blocks_of(site, &whole))), &line, "");
    has_ended_well(&run);
    names_the_file(&run);
    assert_eq!(site.room.read(&output), "earlier");
    site.room.bert(&line).succeeded();
    let read = |name: &str| std::fs::read(site.room.path(name)).unwrap();
    assert!(read(&output) == read(&whole));
    site.clear(&output);
    site.clear(&whole);
    "the earlier file was there"
}

/// `/dev/full` has no room for anything.
pub(super) fn streams(site: &Site, random: &mut Random) -> &'static str {
    if random.below(2) == 0 {
        let run = site.in_shell("", &predict("first"), "> /dev/full");
        run.failed(1, &["standard output: cannot write"]);
        return "results had no room";
    }
    let run = site
        .in_shell("", &predict("first"), "2> /dev/full")
        .succeeded();
    assert!(run.stdout == site.answers[0]);
    "messages had no room"
}

/// A file system of random size in a namespace of the process's own.
pub(super) fn file_system(site: &Site, random: &mut Random) -> &'static str {
    let folder = site.fresh("mount");
    std::fs::create_dir(site.room.path(&folder)).unwrap();
    let room = blocks_of(site, "first/model.safetensors");
    // The model that is there fits, and the one that is to take its place does not, or hardly.
    let size = room + 16 + random.below(room);
    let bert = env!("CARGO_BIN_EXE_bert");
    let script = format!(
        "unshare --user --map-root-user --mount bash -c '\
         mount -t tmpfs -o size={size}k tmpfs {folder} || exit 99; \
         mkdir {folder}/model && cp first/config.json first/vocab.txt first/model.safetensors {folder}/model || exit 98; \
         {bert} export second --to safetensors --output {folder}/model --overwrite > /dev/null; \
         code=$?; rm -rf {folder}/none; {bert} {} && exit $code'",
        predict(&format!("{folder}/model"))
    );
    let run = Run::from(site.shell(&script));
    site.clear(&folder);
    if run.code == Some(99) || run.stderr.contains("unshare") {
        return IMPOSSIBLE;
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    match run.code {
        Some(0) => {
            assert!(run.stdout == site.answers[1], "{}", run.stderr);
            "there was room"
        }
        _ => {
            names_the_file(&run);
            assert!(run.stdout == site.answers[0], "{}", run.stderr);
            "the old model was there"
        }
    }
}
