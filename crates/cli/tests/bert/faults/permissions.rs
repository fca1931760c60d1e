//! Folders and files that a user may not write or read. Root may all the same, unless it gives its capabilities away.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;

use super::super::interrupted::Random;
use super::IMPOSSIBLE;
use super::site::{Site, TRAIN, exists, predict};

/// What a shell puts before a command so that modes count; `None` where there is no such thing.
fn obeying(site: &Site) -> Option<&'static str> {
    static WORDS: OnceLock<Option<&'static str>> = OnceLock::new();
    *WORDS.get_or_init(|| {
        let words = ["", "setpriv --bounding-set=-all --inh-caps=-all "];
        let folder = site.fresh("modes");
        std::fs::create_dir(site.room.path(&folder)).unwrap();
        set_mode(site, &folder, 0o555);
        let obeys = |words: &&str| {
            let probe = site.shell(&format!("{words}true && ! {words}touch {folder}/probe-$$"));
            probe.status.success()
        };
        let found = words.into_iter().find(obeys);
        set_mode(site, &folder, 0o755);
        site.clear(&folder);
        found
    })
}

fn set_mode(site: &Site, name: &str, mode: u32) {
    std::fs::set_permissions(site.room.path(name), Permissions::from_mode(mode)).unwrap();
}

pub(super) fn read_only_folder(site: &Site, random: &mut Random) -> &'static str {
    let Some(words) = obeying(site) else {
        return IMPOSSIBLE;
    };
    let folder = site.copy_of("first");
    let before = site.content(&folder);
    let lines = [
        format!("{TRAIN} --output {folder}/run"),
        format!("{TRAIN} --output {folder} --overwrite"),
        format!("export second --to safetensors --output {folder} --overwrite"),
        format!("embed --model first --input inputs.txt --output {folder}/vectors.npy"),
        format!("convert second --output {folder} --overwrite"),
    ];
    let line = &lines[random.below(lines.len() as u64) as usize];
    set_mode(site, &folder, 0o555);
    let bert = env!("CARGO_BIN_EXE_bert");
    let run = site.shell(&format!("{words}{bert} {line}"));
    set_mode(site, &folder, 0o755);
    super::super::support::Run::from(run).failed(1, &[&folder, "cannot", "ermission denied"]);
    assert!(site.content(&folder) == before, "{line}");
    site.room.bert(line).succeeded();
    site.clear(&folder);
    "refused with a message"
}

pub(super) fn unreadable_file(site: &Site, random: &mut Random) -> &'static str {
    let Some(words) = obeying(site) else {
        return IMPOSSIBLE;
    };
    let model = site.copy_of("first");
    let files = ["config.json", "model.safetensors", "vocab.txt"];
    let file = format!("{model}/{}", files[random.below(3) as usize]);
    set_mode(site, &file, 0o000);
    let bert = env!("CARGO_BIN_EXE_bert");
    let run = site.shell(&format!("{words}{bert} {}", predict(&model)));
    super::super::support::Run::from(run).failed(1, &[&file, "ermission denied"]);
    assert!(exists(&site.room.path(&file)));
    set_mode(site, &file, 0o644);
    let run = site.room.bert(&predict(&model)).succeeded();
    assert!(run.stdout == site.answers[0]);
    site.clear(&model);
    "refused with a message"
}
