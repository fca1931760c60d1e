//! What lies in the folder of a model.

use std::path::Path;

use bert_tasks::adapters::base_on_hub;
use bert_tasks::heads::TextReader;
use bert_tasks::natural_language_inference::{NliClassifier, ZeroShotClassifier};
use bert_tasks::question_answering::QuestionAnswerer;
use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::token_classification::TokenClassifier;
use bert_tasks::{DropoutOverride, Pretrained};
use bert_text::Tokenizer;
use bert_train::Checkpoint;

use crate::room::Room;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../goldens/", $name))
    };
}

const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n";
const WEIGHTS: &[u8] = golden!("single_label/model.safetensors");
const CONFIG: &[u8] = golden!("single_label/config.json");
const ADAPTED: &[u8] = golden!("lora/model.safetensors");
const ADAPTED_CONFIG: &[u8] = golden!("lora/config.json");
const ADAPTER: &[u8] = golden!("lora/adapter/adapter_model.safetensors");
const ADAPTER_CONFIG: &[u8] = golden!("lora/adapter/adapter_config.json");
const EMBEDDER: &[u8] = golden!("sentence_embedding/model.safetensors");
const EMBEDDER_CONFIG: &[u8] = golden!("sentence_embedding/config.json");
const EMBEDDER_TOKENIZER: &[u8] = golden!("sentence_embedding/tokenizer.json");
const MODULES: &[u8] = golden!("sentence_embedding/modules.json");
const POOLING: &[u8] = golden!("sentence_embedding/1_Pooling/config.json");
const DENSE: &[u8] = golden!("sentence_embedding/2_Dense/config.json");
const DENSE_WEIGHTS: &[u8] = golden!("sentence_embedding/2_Dense/model.safetensors");

/// The file of a tokenizer's input that holds the text for it.
const TEXT_FILE: &str = "text";
const MAX_LENGTH: usize = 16;

/// `config.json` beside the weights of a classifier, opened for every task.
pub fn config(input: &[u8]) {
    let base = [
        ("config.json", CONFIG),
        ("model.safetensors", WEIGHTS),
        ("vocab.txt", VOCAB),
    ];
    let room = Room::new(&base, "config.json", input);
    let dir = room.path();
    let _ = TextClassifier::open(dir, None);
    let _ = TokenClassifier::open(dir, None);
    let _ = QuestionAnswerer::open(dir, None, None);
    let _ = NliClassifier::open(dir, None);
    let _ = ZeroShotClassifier::open(dir, None);
    let _ = TextReader::open(dir, None);
}

/// The files of a tokenizer, and in a file `text` what it is to tokenize.
pub fn tokenizer(input: &[u8]) {
    let room = Room::new(&[], "tokenizer.json", input);
    let Ok(tokenizer) = Tokenizer::from_dir(room.path()) else {
        return;
    };
    let given = std::fs::read(room.path().join(TEXT_FILE)).unwrap_or_default();
    let given = String::from_utf8_lossy(&given);
    for text in [
        given.as_ref(),
        "",
        "a bc [MASK] <s>\u{2581}Ä\u{301}'ll 42 \u{1f600}\n",
    ] {
        read_text(&tokenizer, text);
    }
    let _ = tokenizer.decode(&[0, 1, 5, 7, 1 << 20], true);
    let _ = tokenizer.check_vocab(1000);
    assert!(tokenizer.is_same_as(&tokenizer.clone()));
}

fn read_text(tokenizer: &Tokenizer, text: &str) {
    let _ = tokenizer.encode(text, None, MAX_LENGTH);
    let _ = tokenizer.encode_head_tail(text, Some("b a"), MAX_LENGTH);
    let _ = tokenizer.encode_windows("b a", text, MAX_LENGTH, 2);
    if let Ok(pieces) = tokenizer.pieces(text) {
        let tokens: Vec<&str> = pieces.tokens.iter().map(String::as_str).collect();
        let _ = tokenizer.convert_tokens_to_string(&tokens);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let _ = tokenizer.word_pieces(&words);
}

/// The folder of an adapter, whose base model lies in `base`.
pub fn adapter(input: &[u8]) {
    let base = [
        ("base/config.json", ADAPTED_CONFIG),
        ("base/model.safetensors", ADAPTED),
        ("base/vocab.txt", VOCAB),
        ("adapter_config.json", ADAPTER_CONFIG),
        ("adapter_model.safetensors", ADAPTER),
    ];
    let room = Room::new(&base, "adapter_config.json", input);
    let _ = base_on_hub(room.path());
    open(room.path());
    let _ = TextClassifier::open(room.path(), None);
}

fn open(dir: &Path) {
    let _ = Pretrained::open(dir, None, DropoutOverride::default());
}

/// The folder of a model of sentence-transformers.
pub fn sentence_transformers(input: &[u8]) {
    let base = [
        ("config.json", EMBEDDER_CONFIG),
        ("model.safetensors", EMBEDDER),
        ("tokenizer.json", EMBEDDER_TOKENIZER),
        ("modules.json", MODULES),
        ("1_Pooling/config.json", POOLING),
        ("2_Dense/config.json", DENSE),
        ("2_Dense/model.safetensors", DENSE_WEIGHTS),
        ("3_Normalize/config.json", b"{}"),
    ];
    let room = Room::new(&base, "modules.json", input);
    let _ = SentenceEmbedder::open(room.path(), None);
}

/// The folder of a checkpoint of a run of ours.
pub fn resume(input: &[u8]) {
    let room = Room::new(&[], "state.json", input);
    let _ = Checkpoint::open(room.path());
}
