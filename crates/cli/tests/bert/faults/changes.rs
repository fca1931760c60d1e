//! Files that are cut short, replaced or removed, before they are read and meanwhile.

use std::fs::File;

use super::super::interrupted::{Random, start};
use super::super::support::Run;
use super::site::{Site, has_ended_well, predict};

/// Cuts a file at a random place, or removes it.
fn cut(site: &Site, file: &str, random: &mut Random) {
    let path = site.room.path(file);
    let length = path.metadata().unwrap().len();
    match random.below(8) {
        0 => std::fs::remove_file(&path).unwrap(),
        _ => {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(random.below(length)).unwrap();
        }
    }
}

/// While the weights are read, or before. Nobody maps them into memory, so no signal comes.
pub(super) fn damaged_weights(site: &Site, random: &mut Random) -> &'static str {
    let model = site.copy_of("first");
    let file = format!("{model}/model.safetensors");
    let is_running = random.below(2) == 0;
    let run = match is_running {
        true => {
            let child = start(&site.room, &predict(&model));
            std::thread::sleep(site.moment(random, site.starting));
            cut(site, &file, random);
            Run::from(child.wait_with_output().unwrap())
        }
        false => {
            cut(site, &file, random);
            site.room.bert(&predict(&model))
        }
    };
    has_ended_well(&run);
    let outcome = match run.code {
        Some(0) => {
            assert!(
                is_running && run.stdout == site.answers[0],
                "{}",
                run.stderr
            );
            "they had been read"
        }
        _ => {
            assert!(run.stderr.contains(&model), "{}", run.stderr);
            assert_eq!(run.stdout, "");
            "refused with a message"
        }
    };
    std::fs::copy(
        site.room.path("first/model.safetensors"),
        site.room.path(&file),
    )
    .unwrap();
    assert!(site.room.bert(&predict(&model)).succeeded().stdout == site.answers[0]);
    site.clear(&model);
    outcome
}

/// Another process exports the second model over the first: the answers are those of one of the two.
pub(super) fn replaced_weights(site: &Site, random: &mut Random) -> &'static str {
    let model = site.copy_of("first");
    let export = format!("export second --to safetensors --output {model} --overwrite");
    let exporting = start(&site.room, &export);
    std::thread::sleep(site.moment(random, site.starting / 2));
    let run = site.room.bert(&predict(&model));
    Run::from(exporting.wait_with_output().unwrap()).succeeded();
    has_ended_well(&run);
    let outcome = match site
        .answers
        .iter()
        .position(|answers| *answers == run.stdout)
    {
        Some(0) => "answered by the old model",
        Some(_) => "answered by the new model",
        None => {
            run.failed(1, &[&model]);
            "refused with a message"
        }
    };
    assert!(site.room.bert(&predict(&model)).succeeded().stdout == site.answers[1]);
    site.clear(&model);
    outcome
}

/// What is left of the input has its answers.
pub(super) fn shortened_input(site: &Site, random: &mut Random) -> &'static str {
    let input = format!("{}.txt", site.fresh("inputs"));
    site.room
        .write(&input, site.room.read("inputs.txt").repeat(20));
    let line = predict("first").replace("inputs.txt", &input);
    let whole = site.answers[0].repeat(20);
    let child = start(&site.room, &line);
    std::thread::sleep(site.moment(random, site.starting));
    // At the end of a line: half a line is a line, too.
    let kept = random.below(4000) as usize;
    let text = site.room.read(&input);
    let length: usize = text.split_inclusive('\n').take(kept).map(str::len).sum();
    let file = File::options()
        .write(true)
        .open(site.room.path(&input))
        .unwrap();
    file.set_len(length as u64).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    has_ended_well(&run);
    let run = run.succeeded();
    let answered = run.stdout.lines().count();
    assert!(answered >= kept || answered == 0 || run.stdout.ends_with('\n'));
    let expected: String = whole.split_inclusive('\n').take(answered).collect();
    // A block that was read before the cut may end within a line.
    let all_but_last = |text: &str| {
        text.trim_end()
            .rsplit_once('\n')
            .map(|(all, _)| all.to_owned())
    };
    assert_eq!(all_but_last(&run.stdout), all_but_last(&expected));
    site.clear(&input);
    if answered == 4000 {
        "it had been read"
    } else {
        "what was left was answered"
    }
}
