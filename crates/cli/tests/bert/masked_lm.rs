//! `bert train | evaluate | predict masked-lm`.

use serde_json::Value;

use super::support::{Room, json_lines, names_in, rewrite};

/// A training run that would succeed.
const TRAIN: &str = "train masked-lm --model base --train text.txt --output trained --batch-size 8 --lr 1e-3 --max-length 16";
const PREDICT: &str = "predict masked-lm --model trained --input";

/// As [`Room::new`], with plain text.
fn room() -> Room {
    let room = Room::new();
    room.write("text.txt", text(40));
    room.write("held_out.txt", text(12));
    room
}

fn text(lines: usize) -> String {
    let kinds = [
        "a very good film , and funny .\n",
        "the plot was dull and slow !\n",
        "\n",
    ];
    (0..lines).map(|line| kinds[line % 3]).collect()
}

fn train(room: &Room) {
    room.bert(&format!("{TRAIN} --eval held_out.txt --epochs 1"))
        .succeeded();
}

fn losses(room: &Room, output: &str) -> Vec<Value> {
    let log = json_lines(&room.read(&format!("{output}/training.jsonl")));
    let steps = log.into_iter().filter(|line| line["event"] == "step");
    steps.map(|line| line["loss"].clone()).collect()
}

#[test]
fn training_and_evaluation_agree_on_the_perplexity() {
    let room = room();
    let line = format!("{TRAIN} --eval held_out.txt --test held_out.txt --epochs 3");
    let run = room.bert(&line).succeeded();
    for words in [
        "predicts masked tokens",
        "text.txt:",
        "new: ",
        "predictions.bias",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let best = &run.json()["best"];
    let number = |value: &Value| value.as_f64().unwrap();
    assert!((number(&best["loss"]).exp() - number(&best["perplexity"])).abs() < 1e-6);
    assert!(number(&best["masked_tokens"]) > 0.0);

    let line = "evaluate masked-lm --model trained --data held_out.txt --max-length 16 --batch-size 3 --predictions rows.jsonl";
    let metrics = room.bert(line).succeeded().json();
    assert_eq!(metrics["masked_tokens"], best["masked_tokens"]);
    assert_eq!(metrics["accuracy"], best["accuracy"]);
    assert!((number(&metrics["loss"]) - number(&best["loss"])).abs() < 1e-5);
    let rows = json_lines(&room.read("rows.jsonl"));
    let right = rows
        .iter()
        .filter(|row| row["token_str"] == row["reference"]);
    assert_eq!(rows.len() as f64, number(&metrics["masked_tokens"]));
    let accuracy = right.count() as f64 / rows.len() as f64;
    assert!((accuracy - number(&metrics["accuracy"])).abs() < 1e-12);
}

#[test]
fn what_is_masked_changes_from_epoch_to_epoch_and_not_from_run_to_run() {
    let room = room();
    room.write(
        "one.txt",
        "a very good film and a funny cast . the plot was not dull",
    );
    let run = |output: &str, seed: u64| {
        let line = TRAIN
            .replace("text.txt", "one.txt")
            .replace("--lr 1e-3", "--lr 1e-20")
            .replace("--output trained", &format!("--output {output}"));
        room.bert(&format!("{line} --epochs 4 --seed {seed}"))
            .succeeded();
        losses(&room, output)
    };
    let first = run("first", 7);
    assert_eq!(run("second", 7), first);
    assert_ne!(run("third", 8), first);
    // Nothing is learned at this rate, so losses differ by what is masked alone.
    assert!(first.iter().any(|loss| *loss != first[0]), "{first:?}");
}

#[test]
fn small_batches_that_are_accumulated_have_the_masks_and_the_loss_of_a_large_one() {
    let room = room();
    let line = TRAIN.replace("--batch-size 8", "--max-steps 1");
    let loss = |output: &str, batches: &str| {
        let line = line.replace("--output trained", &format!("--output {output}"));
        room.bert(&format!("{line} {batches}")).succeeded();
        losses(&room, output)[0].as_f64().unwrap()
    };
    let large = loss("large", "--batch-size 16");
    let small = loss("small", "--batch-size 4 --accumulation-steps 4");
    assert!((large - small).abs() < 1e-5, "{large} {small}");
}

#[test]
fn rows_are_blocks_or_lines_and_tokens_are_words_or_pieces() {
    let room = room();
    let run = room.bert(&format!("{TRAIN} --max-steps 1")).succeeded();
    assert!(run.stderr.contains("text.txt: 15 rows"), "{}", run.stderr);
    let line = format!(
        "{TRAIN} --max-steps 1 --overwrite --line-by-line --whole-word --mlm-probability 0.5"
    );
    let run = room.bert(&line).succeeded();
    assert!(run.stderr.contains("text.txt: 27 rows"), "{}", run.stderr);
}

#[test]
fn proposals_for_one_mask_are_a_list_and_for_several_a_list_of_lists() {
    let room = room();
    train(&room);
    let input = "a [MASK] film\n{\"text\": \"the [MASK] was [MASK] .\"}\n";
    let lines = room
        .bert_with(
            &format!("{PREDICT} - --top-k 3 --logits"),
            &[],
            input.as_bytes(),
        )
        .succeeded()
        .json_lines();
    assert_eq!(lines.len(), 2);
    let one = lines[0]["predictions"].as_array().unwrap();
    assert_eq!(one.len(), 3);
    let keys: Vec<&String> = one[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["score", "token", "token_str", "sequence"]);
    for proposal in one {
        let token = proposal["token_str"].as_str().unwrap();
        let sequence = proposal["sequence"].as_str().unwrap();
        assert!(!sequence.contains("[CLS]"), "{proposal}");
        assert!(
            token.starts_with(['[', '#']) || sequence.contains(token),
            "{proposal}"
        );
    }
    let scores: Vec<f64> = one
        .iter()
        .map(|one| one["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

    let several = lines[1]["predictions"].as_array().unwrap();
    assert_eq!(several.len(), 2);
    let sequence = several[0][0]["sequence"].as_str().unwrap();
    assert!(sequence.starts_with("[CLS]"), "{sequence}");
    assert_eq!(several[1].as_array().unwrap().len(), 3);
    let logits = lines[1]["logits"].as_array().unwrap();
    assert_eq!((logits.len(), logits[0].as_array().unwrap().len()), (2, 61));
}

#[test]
fn a_text_without_mask_is_named_and_what_came_before_it_is_answered() {
    let room = room();
    train(&room);
    let run = room.bert_with(
        &format!("{PREDICT} -"),
        &[],
        b"a [MASK] film\na good film\n[MASK]\n",
    );
    assert_eq!(run.code, Some(1));
    assert_eq!(run.json_lines().len(), 1);
    for words in ["a good film", "[MASK]"] {
        assert!(run.stderr.contains(words), "no {words:?} in {}", run.stderr);
    }
}

#[test]
fn texts_without_mask_have_a_record_with_the_reason_when_they_are_skipped() {
    let room = room();
    train(&room);
    let input = b"no mask\na [MASK] film\n\nthe [MASK]\nnone\n";
    let run = room
        .bert_with(&format!("{PREDICT} - --on-error skip"), &[], input)
        .succeeded();
    let lines = run.json_lines();
    let answered: Vec<bool> = lines
        .iter()
        .map(|line| line["predictions"].is_array())
        .collect();
    assert_eq!(answered, [false, true, false, true, false]);
    let message = lines[4]["error"].as_str().unwrap();
    assert!(message.contains("no mask token"), "{message}");
}

#[test]
fn several_texts_and_standard_input_are_read_as_one() {
    let room = room();
    let line = TRAIN.replace(
        "--train text.txt",
        "--train text.txt held_out.txt - --max-steps 1",
    );
    let run = room.bert_with(&line, &[], text(3).as_bytes()).succeeded();
    assert!(
        run.stderr.contains("text.txt and 2 other files: "),
        "{}",
        run.stderr
    );
}

#[test]
fn the_trained_encoder_serves_text_classification() {
    let room = room();
    train(&room);
    let line = "train text-classification --model trained --train train.tsv --eval eval.tsv --output classifier --max-steps 2";
    let run = room.bert(line).succeeded();
    for words in [
        "pooler.dense.weight",
        "not for this task: cls.predictions.bias",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    room.bert("evaluate text-classification --model classifier --data eval.tsv")
        .succeeded();
}

#[test]
fn the_decoder_is_saved_as_the_word_embeddings_alone() {
    let room = room();
    train(&room);
    let bytes = std::fs::read(room.path("trained/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert!(tensors.tensor("cls.predictions.bias").is_ok());
    assert!(tensors.names().iter().all(|name| !name.contains("decoder")));
    let config: Value = serde_json::from_str(&room.read("trained/config.json")).unwrap();
    assert_eq!(config["architectures"][0], "BertForMaskedLM");
    assert_eq!(config["tie_word_embeddings"], true);
    assert!(names_in(&room.path("trained")).contains(&"vocab.txt".to_owned()));
}

#[test]
fn a_trained_head_is_kept_when_training_goes_on() {
    let room = room();
    train(&room);
    let line = TRAIN
        .replace("--model base", "--model trained")
        .replace("--output trained", "--output further");
    let run = room.bert(&format!("{line} --max-steps 1")).succeeded();
    assert!(!run.stderr.contains("new:"), "{}", run.stderr);
}

#[test]
fn both_losses_are_summed_on_request() {
    let room = room();
    let line = format!("{TRAIN} --eval held_out.txt --epochs 1 --next-sentence");
    let best = room.bert(&line).succeeded().json()["best"].clone();
    let number = |key: &str| {
        best[key]
            .as_f64()
            .unwrap_or_else(|| panic!("{key} in {best}"))
    };
    let sum = number("masked_lm_loss") + number("next_sentence_loss");
    assert!((sum - number("loss")).abs() < 1e-9);
    assert!((number("masked_lm_loss").exp() - number("perplexity")).abs() < 1e-6);
    number("next_sentence_accuracy");
    let line =
        "evaluate masked-lm --model trained --data held_out.txt --next-sentence --max-length 16";
    let metrics = room.bert(line).succeeded().json();
    assert_eq!(
        metrics["next_sentence_accuracy"],
        best["next_sentence_accuracy"]
    );
    // Each half of it is a model of its own.
    room.bert("evaluate masked-lm --model trained --data held_out.txt")
        .succeeded();
    room.bert("evaluate next-sentence --model trained --data held_out.txt")
        .succeeded();
}

#[test]
fn one_long_line_is_a_text_like_any_other() {
    let room = room();
    room.write("long.txt", "a very good film . ".repeat(30_000));
    let line = TRAIN.replace("text.txt", "long.txt");
    let run = room.bert(&format!("{line} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("long.txt: 10,715 rows"),
        "{}",
        run.stderr
    );
}

#[test]
fn lines_too_short_to_be_masked_train_without_nan() {
    let room = room();
    room.write("short.txt", "a\n".repeat(20));
    let line = TRAIN
        .replace("text.txt", "short.txt")
        .replace("--batch-size 8", "--batch-size 1");
    room.bert(&format!(
        "{line} --line-by-line --epochs 1 --mlm-probability 0.05"
    ))
    .succeeded();
    assert!(losses(&room, "trained").iter().any(|loss| *loss == 0.0));
    assert!(losses(&room, "trained").iter().all(Value::is_number));
}

/// The run with this text fails and leaves no output directory.
fn refused(content: &[u8], further: &str, words: &[&str]) {
    let room = room();
    room.write("text.txt", content);
    let before = room.entries();
    room.bert(&format!("{TRAIN} {further}")).failed(1, words);
    assert_eq!(room.entries(), before);
}

#[test]
fn texts_that_cannot_be_used_are_named() {
    refused(b"", "", &["text.txt", "holds no text"]);
    refused(b"\n \n", "", &["text.txt", "holds no text"]);
    refused(b"good\nb\xffd\n", "", &["text.txt", "line 2", "UTF-8"]);
    refused(
        "世界 世界".as_bytes(),
        "",
        &["text.txt", "no token to mask"],
    );
    refused(
        b"good\nbad\n",
        "--next-sentence",
        &["text.txt", "blank line"],
    );
    let room = room();
    room.bert(&format!("{TRAIN} --eval none.txt"))
        .failed(1, &["none.txt", "cannot be read"]);
    room.bert(&format!("{TRAIN} --eval base"))
        .failed(1, &["base", "directory"]);
}

#[test]
fn nothing_masked_in_the_evaluation_data_is_an_error() {
    let room = room();
    room.write("held_out.txt", "a\n");
    room.bert(&format!(
        "{TRAIN} --eval held_out.txt --mlm-probability 0.000001 --max-steps 1"
    ))
    .failed(1, &["held_out.txt", "no token", "mlm-probability"]);
}

#[test]
fn a_vocabulary_without_mask_is_refused() {
    let room = room();
    let mut vocabulary = room.read("base/vocab.txt").replace("[MASK]", "mask");
    // A missing special token follows the vocabulary, as in transformers; here the model has no row left for it.
    let config: Value = serde_json::from_str(&room.read("base/config.json")).unwrap();
    let rows = config["vocab_size"].as_u64().unwrap() as usize;
    for row in vocabulary.lines().count()..rows {
        vocabulary.push_str(&format!("\nfiller{row}"));
    }
    room.write("base/vocab.txt", vocabulary);
    room.bert(TRAIN).failed(1, &["base", "mask token"]);
}

#[test]
fn options_that_no_run_can_have_are_wrong_usage() {
    let room = room();
    for share in ["0", "1.5", "-0.1", "x"] {
        room.bert(&format!("{TRAIN} --mlm-probability={share}"))
            .failed(2, &["mlm-probability", "above 0 and at most 1"]);
    }
    room.bert(&format!("{TRAIN} --line-by-line --next-sentence"))
        .failed(2, &["--line-by-line", "--next-sentence"]);
    room.bert(&TRAIN.replace("--max-length 16", "--max-length 2"))
        .failed(1, &["max_length 2"]);
}

#[test]
fn a_model_without_the_head_is_refused_by_name() {
    let room = room();
    room.write("in.txt", "[MASK]");
    room.bert("predict masked-lm --model base --input in.txt")
        .failed(1, &["base", "cls.predictions.bias", "bert train masked-lm"]);
}

#[test]
fn a_decoder_that_is_there_a_second_time_must_be_the_word_embeddings() {
    let room = room();
    train(&room);
    room.write("in.txt", "[MASK] film");
    let answer = room.bert(&format!("{PREDICT} in.txt")).succeeded().stdout;
    let path = room.path("trained/model.safetensors");
    let words = "bert.embeddings.word_embeddings.weight";
    super::support::add_copy(&path, words, "cls.predictions.decoder.weight");
    super::support::add_copy(
        &path,
        "cls.predictions.bias",
        "cls.predictions.decoder.bias",
    );
    assert_eq!(
        room.bert(&format!("{PREDICT} in.txt")).succeeded().stdout,
        answer
    );
    rewrite(&path, |name, mut data| {
        if name == "cls.predictions.decoder.weight" {
            data[5] ^= 1;
        }
        Some(data)
    });
    room.bert(&format!("{PREDICT} in.txt"))
        .failed(1, &["cls.predictions.decoder.weight", words, "not tied"]);
}
