//! Checkpoints in other forms than ours: pickled, wrapped, with tensors of nothing; and `bert convert`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{SafeTensors, TensorView};

use super::support::{Room, Run, add_copy, names_in};

const CLASSIFY: &str = "predict text-classification --input in.txt --logits --model";
const FILL: &str = "predict masked-lm --input in.txt --model";
const BIAS: &str = "cls.predictions.bias";
const WORDS: &str = "bert.embeddings.word_embeddings.weight";

/// Has `classifier`, and `pickled`, a masked-LM model in `pytorch_model.bin`.
fn room() -> Room {
    let room = Room::new();
    room.checkpoint("classifier", "single_label");
    room.checkpoint("safe", "masked_lm");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/pickled");
    std::fs::create_dir(room.path("pickled")).unwrap();
    for file in ["config.json", "pytorch_model.bin"] {
        std::fs::copy(golden.join(file), room.path("pickled").join(file)).unwrap();
    }
    room.write("pickled/vocab.txt", room.read("safe/vocab.txt"));
    room.write("in.txt", "the [MASK] was good\n");
    room
}

/// Gives the tensors of a safetensors file other names.
fn rename(path: &Path, rename: impl Fn(&str) -> String) {
    let bytes = std::fs::read(path).unwrap();
    let old = SafeTensors::deserialize(&bytes).unwrap();
    let views: BTreeMap<String, TensorView<'_>> = old
        .tensors()
        .into_iter()
        .map(|(name, view)| (rename(&name), view))
        .collect();
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn warnings(run: &Run) -> Vec<&str> {
    let lines = run.stderr.lines();
    lines.filter(|line| line.starts_with("warning")).collect()
}

#[test]
fn pickled_weights_predict_as_their_conversion_does() {
    let room = room();
    let pickled = room.bert(&format!("{FILL} pickled")).succeeded();
    let note = "pickled weights, read without running them; `bert convert` writes safetensors";
    assert!(pickled.stderr.contains(note), "{}", pickled.stderr);
    let converted = room.bert("convert pickled -o new/safe").succeeded();
    assert_eq!(converted.stdout, "new/safe\n");
    assert!(converted.stderr.contains("tensors"), "{}", converted.stderr);
    assert_eq!(
        names_in(&room.path("new/safe")),
        ["config.json", "model.safetensors", "vocab.txt"]
    );
    let safe = room.bert(&format!("{FILL} new/safe")).succeeded();
    assert_eq!(safe.stdout, pickled.stdout);
    assert!(!safe.stderr.contains("pickled"), "{}", safe.stderr);
}

#[test]
fn pickled_weights_are_inspected_without_a_configuration_too() {
    let room = room();
    let directory = room.bert("inspect pickled --json").succeeded();
    std::fs::rename(
        room.path("pickled/pytorch_model.bin"),
        room.path("bare.bin"),
    )
    .unwrap();
    let bare = room.bert("inspect bare.bin --json").succeeded();
    assert_eq!(bare.json()["total"], directory.json()["total"]);
    for run in [directory, bare] {
        assert!(
            run.stderr.contains("without running them"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_conversion_says_what_it_does_not_copy_and_loses_nothing() {
    let room = room();
    room.write("pickled/README.md", "a card");
    std::fs::create_dir(room.path("pickled/1_Pooling")).unwrap();
    room.write("pickled/1_Pooling/config.json", "{}");
    let run = room.bert("convert pickled --output out").succeeded();
    assert!(
        run.stderr.contains("not copied: README.md"),
        "{}",
        run.stderr
    );
    assert_eq!(room.read("out/1_Pooling/config.json"), "{}");
    room.bert("convert pickled --output out")
        .failed(1, &["out", "overwrite"]);
    room.bert("convert pickled --output out --overwrite")
        .succeeded();
    room.write("pickled/pytorch_model.bin", "no pickle");
    let before = std::fs::read(room.path("out/model.safetensors")).unwrap();
    room.bert("convert pickled --output out --overwrite")
        .failed(1, &["pytorch_model.bin", "torch.save"]);
    room.bert("convert pickled --output fresh")
        .failed(1, &["pytorch_model.bin"]);
    assert!(!room.path("fresh").exists());
    assert_eq!(
        std::fs::read(room.path("out/model.safetensors")).unwrap(),
        before
    );
}

#[test]
fn a_format_that_is_not_read_is_named() {
    let room = room();
    std::fs::remove_file(room.path("classifier/model.safetensors")).unwrap();
    room.write("classifier/tf_model.h5", "");
    room.bert(&format!("{CLASSIFY} classifier"))
        .failed(1, &["tf_model.h5", "TensorFlow", "from_tf=True"]);
}

#[test]
fn tensors_of_nothing_are_a_warning_with_their_names() {
    let room = room();
    let clean = room.bert(&format!("{CLASSIFY} classifier")).succeeded();
    assert_eq!(warnings(&clean), Vec::<&str>::new());
    let path = room.path("classifier/model.safetensors");
    add_copy(&path, "classifier.weight", "linear.weight");
    add_copy(&path, "classifier.bias", "crf.transitions");
    let run = room.bert(&format!("{CLASSIFY} classifier")).succeeded();
    assert_eq!(run.stdout, clean.stdout);
    let [warning] = warnings(&run)[..] else {
        panic!("{}", run.stderr)
    };
    assert!(
        warning.contains("crf.transitions, linear.weight"),
        "{warning}"
    );
    add_copy(
        &path,
        "classifier.bias",
        "bert.encoder.layer.7.output.dense.bias",
    );
    room.bert(&format!("{CLASSIFY} classifier"))
        .failed(1, &["bert.encoder.layer.7.output.dense.bias", "unexpected"]);
}

#[test]
fn the_prefix_of_a_wrapper_is_said_and_taken_away() {
    let room = room();
    let clean = room.bert(&format!("{CLASSIFY} classifier")).succeeded();
    let path = room.path("classifier/model.safetensors");
    rename(&path, |name| format!("module._orig_mod.{name}"));
    let run = room.bert(&format!("{CLASSIFY} classifier")).succeeded();
    assert_eq!(run.stdout, clean.stdout);
    let [warning] = warnings(&run)[..] else {
        panic!("{}", run.stderr)
    };
    assert!(warning.contains("`module._orig_mod.`"), "{warning}");
    let converted = room.bert("convert classifier -o bare").succeeded();
    assert!(
        converted.stderr.contains("`module._orig_mod.`"),
        "{}",
        converted.stderr
    );
    let bare = room.bert(&format!("{CLASSIFY} bare")).succeeded();
    assert_eq!(bare.stdout, clean.stdout);
    assert_eq!(warnings(&bare), Vec::<&str>::new());
}

#[test]
fn a_head_beside_the_first_one_warns_as_well() {
    let room = room();
    let path = room.path("classifier/model.safetensors");
    room.checkpoint("again", "single_label");
    add_copy(&path, "classifier.weight", "linear.weight");
    let run = room
        .bert(&format!("{CLASSIFY} again --head classifier"))
        .succeeded();
    let [warning] = warnings(&run)[..] else {
        panic!("{}", run.stderr)
    };
    assert!(warning.contains("linear.weight"), "{warning}");
}

#[test]
fn one_of_two_tied_tensors_is_enough() {
    let room = room();
    let clean = room.bert(&format!("{FILL} safe")).succeeded();
    let path = room.path("safe/model.safetensors");
    rename(&path, |name| match name {
        BIAS => "cls.predictions.decoder.bias".to_owned(),
        WORDS => "cls.predictions.decoder.weight".to_owned(),
        name => name.to_owned(),
    });
    let run = room.bert(&format!("{FILL} safe")).succeeded();
    assert_eq!(run.stdout, clean.stdout);
}
