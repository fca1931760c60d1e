//! Checkpoints that cannot be trusted: exit code 1, one message that names the file or the tensor, no output.

use super::support::{Room, TRAIN, rewrite};

const QUERY: &str = "encoder.layer.0.attention.self.query.weight";

/// Training from the damaged `base` fails and leaves no output directory.
fn refused(damage: impl Fn(&Room), words: &[&str]) {
    let room = Room::new();
    damage(&room);
    let before = room.entries();
    room.bert(TRAIN).failed(1, words);
    assert_eq!(room.entries(), before);
}

fn edit_config(room: &Room, from: &str, to: &str) {
    let config = room.read("base/config.json");
    assert!(config.contains(from), "{config}");
    room.write("base/config.json", config.replace(from, to));
}

#[test]
fn weights_that_are_cut_short_are_refused() {
    let cut = |length: usize| {
        move |room: &Room| {
            let bytes = std::fs::read(room.path("base/model.safetensors")).unwrap();
            room.write(
                "base/model.safetensors",
                &bytes[..length.min(bytes.len() - 10)],
            );
        }
    };
    refused(cut(usize::MAX), &["model.safetensors", "truncated"]);
    refused(cut(100), &["model.safetensors", "cut short"]);
    refused(cut(0), &["model.safetensors", "cut short"]);
}

#[test]
fn a_header_that_lies_is_refused() {
    let lie = |room: &Room| {
        let mut bytes = std::fs::read(room.path("base/model.safetensors")).unwrap();
        bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        room.write("base/model.safetensors", bytes);
    };
    refused(lie, &["model.safetensors", "header"]);
    let other_shape = |room: &Room| {
        let bytes = std::fs::read(room.path("base/model.safetensors")).unwrap();
        let at = bytes
            .windows(7)
            .position(|window| window == b"[61,16]")
            .unwrap();
        let mut bytes = bytes;
        bytes[at..at + 7].copy_from_slice(b"[16,16]");
        room.write("base/model.safetensors", bytes);
    };
    refused(
        other_shape,
        &["model.safetensors", "invalid safetensors header"],
    );
}

#[test]
fn weights_that_are_not_numbers_are_refused_by_name() {
    let poison = |room: &Room| {
        rewrite(&room.path("base/model.safetensors"), |name, mut data| {
            if name.ends_with(QUERY) {
                data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            }
            Some(data)
        });
    };
    refused(poison, &[QUERY, "NaN"]);
}

#[test]
fn a_missing_tensor_is_refused_by_name() {
    let remove = |room: &Room| {
        rewrite(&room.path("base/model.safetensors"), |name, data| {
            (!name.ends_with(QUERY)).then_some(data)
        });
    };
    refused(remove, &[QUERY, "missing"]);
}

#[test]
fn impossible_configurations_are_refused_by_key() {
    let heads = |room: &Room| {
        edit_config(
            room,
            "\"num_attention_heads\": 2",
            "\"num_attention_heads\": 0",
        )
    };
    refused(heads, &["num_attention_heads"]);
    let uneven = |room: &Room| edit_config(room, "\"hidden_size\": 16", "\"hidden_size\": 17");
    refused(uneven, &["hidden_size"]);
    let wrong = |room: &Room| edit_config(room, "\"hidden_size\": 16", "\"hidden_size\": 24");
    refused(wrong, &["[61, 16]", "[61, 24]"]);
    let broken = |room: &Room| room.write("base/config.json", "{");
    refused(broken, &["config.json"]);
}

/// A size in config.json is compared with the file before anything of that size is allocated: these would take more memory
/// than there is, or than can be counted.
#[test]
fn sizes_that_no_file_of_this_length_can_have_are_refused() {
    let cases = [
        ("num_hidden_layers", 3, 200_000_000, "num_hidden_layers"),
        ("hidden_size", 16, 200_000_000, "[61, 200000000]"),
        ("hidden_size", 16, 1 << 40, "hidden_size"),
        ("intermediate_size", 37, 200_000_000, "[200000000, 16]"),
        ("intermediate_size", 37, 1 << 40, "intermediate_size"),
        ("vocab_size", 61, 200_000_000, "[200000000, 16]"),
        ("vocab_size", 61, 1 << 40, "vocab_size"),
        ("type_vocab_size", 7, 200_000_000, "[200000000, 16]"),
        ("type_vocab_size", 7, 1 << 40, "type_vocab_size"),
    ];
    for (key, true_size, size, words) in cases {
        let [from, to]: [String; 2] =
            [true_size, size].map(|size: u64| format!("\"{key}\": {size}"));
        refused(|room| edit_config(room, &from, &to), &[words]);
    }
}

#[test]
fn a_checkpoint_without_a_file_it_needs_is_refused() {
    for (file, words) in [
        ("config.json", vec!["config.json"]),
        ("model.safetensors", vec!["model.safetensors"]),
        ("vocab.txt", vec!["tokenizer", "vocab.txt"]),
    ] {
        refused(
            |room| std::fs::remove_file(room.path("base").join(file)).unwrap(),
            &words,
        );
    }
}

#[test]
fn a_vocabulary_larger_than_the_model_is_refused() {
    let grow = |room: &Room| {
        let more: String = (0..61).map(|id| format!("\nmore{id}")).collect();
        room.write("base/vocab.txt", room.read("base/vocab.txt") + &more);
    };
    refused(grow, &["tokenizer", "vocab_size"]);
}

#[test]
fn a_tokenizer_that_no_file_describes_is_refused_by_every_command() {
    let room = Room::new();
    for settings in [
        r#"{"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}"#,
        r#"{"tokenizer_class": "KoBertTokenizer"}"#,
        r#"{"auto_map": {"AutoTokenizer": ["tokenization_mine.MyTokenizer", null]}}"#,
    ] {
        room.write("base/tokenizer_config.json", settings);
        for line in [
            TRAIN,
            "check text-classification --data train.tsv --model base",
            "predict masked-lm --model base --input eval.tsv --text-column 0",
        ] {
            room.bert(line)
                .failed(1, &["tokenizer_config.json", "WordPiece"]);
        }
    }
}

#[test]
fn a_pair_for_a_model_with_one_token_type_is_refused() {
    let one_type = |room: &Room| {
        let config = room.read("base/config.json");
        let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
        config["type_vocab_size"] = 1.into();
        room.write("base/config.json", config.to_string());
        let rows: String = (0..8)
            .map(|row| format!("{}\ta film\tgood\n", row % 2))
            .collect();
        room.write("train.tsv", format!("label\ttext\ttext_pair\n{rows}"));
        room.write("eval.tsv", format!("label\ttext\ttext_pair\n{rows}"));
    };
    refused(
        one_type,
        &["config.json", "`type_vocab_size` is 1", "token type 1"],
    );
}

#[test]
fn a_model_without_a_head_cannot_be_evaluated_or_asked() {
    let room = Room::new();
    room.bert("evaluate text-classification --model base --data eval.tsv")
        .failed(1, &["classifier.weight"]);
    room.bert("predict text-classification --model base --input eval.tsv --text-column 0")
        .failed(1, &["classifier.weight"]);
    room.bert("evaluate text-classification --model runs/none --data eval.tsv")
        .failed(1, &["runs/none", "no such directory"]);
}
