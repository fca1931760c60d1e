//! `--head`: several heads on one encoder.

use super::support::{Room, TRAIN, rewrite};

/// Two classifiers of `base` whose encoders are its own.
fn room() -> Room {
    let room = Room::new();
    for (output, seed) in [("first", 1), ("second", 2)] {
        let line = TRAIN.replace(
            "--output trained",
            &format!("--output {output} --tune head --seed {seed}"),
        );
        room.bert(&format!("{line} --epochs 1")).succeeded();
    }
    room
}

fn predict(room: &Room, further: &str) -> Vec<String> {
    let line = format!("predict text-classification {further} --input - --logits");
    let run = room
        .bert_with(&line, &[], b"a good film\nslow and dull\n")
        .succeeded();
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_head_says_what_it_says_alone() {
    let room = room();
    let together = predict(&room, "--model first --head second --head first");
    let first = predict(&room, "--model first");
    let second = predict(&room, "--model second");
    assert_ne!(first, second);
    for row in 0..2 {
        let start = first[row].trim_end_matches('}');
        let expected = format!(
            "{start},\"heads\":{{\"second\":{},\"first\":{}}}}}",
            second[row], first[row]
        );
        assert_eq!(together[row], expected);
    }
}

#[test]
fn a_head_of_another_encoder_is_refused_by_the_first_tensor_that_differs() {
    let room = room();
    rewrite(&room.path("second/model.safetensors"), |name, mut data| {
        if name.contains("encoder.layer.1.output.dense") {
            data[0] ^= 1;
        }
        Some(data)
    });
    room.bert_with(
        "predict text-classification --model first --head second --input -",
        &[],
        b"good\n",
    )
    .failed(
        1,
        &[
            "second",
            "`bert.encoder.layer.1.output.dense.bias` has other values",
            "first",
        ],
    );
    room.bert_with(
        "predict text-classification --model first --head base --input -",
        &[],
        b"good\n",
    )
    .failed(1, &["base", "classifier.weight"]);
}
