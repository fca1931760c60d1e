//! Links in the folder of a model. They are followed, as transformers does: the hub's cache consists of links. What they lead
//! to has to be a regular file.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::text_classification::TextClassifier;
use bert_text::Tokenizer;
use bert_train::Checkpoint as Run;

use crate::{assert_words, chain, model};

fn link(folder: &Path, name: &str, to: &Path) {
    let path = folder.join(name);
    if path.exists() {
        fs::remove_file(&path).expect("removed");
    }
    symlink(to, path).expect("a link");
}

#[test]
fn a_model_may_consist_of_links_to_regular_files_elsewhere() {
    let (folder, elsewhere) = (model(), model());
    for name in ["config.json", "model.safetensors", "vocab.txt"] {
        link(folder.path(), name, &elsewhere.path().join(name));
    }
    TextClassifier::open(folder.path(), None).expect("the model opens");
}

/// Each of them would fill the memory, or never end.
#[test]
fn a_link_to_a_device_or_folder_is_refused_by_the_name_of_the_file() {
    for to in ["/dev/zero", "/"] {
        for name in [
            "config.json",
            "model.safetensors",
            "model.safetensors.index.json",
            "vocab.txt",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
        ] {
            let folder = model();
            if name.ends_with("index.json") {
                fs::remove_file(folder.path().join("model.safetensors")).expect("removed");
            }
            link(folder.path(), name, Path::new(to));
            let refused = TextClassifier::open(folder.path(), None).err();
            let message = chain(&refused.unwrap_or_else(|| panic!("{name} → {to} is read")));
            assert_words(&message, &[name, "regular file"]);
        }
        let folder = model();
        link(folder.path(), "modules.json", Path::new(to));
        let refused = SentenceEmbedder::open(folder.path(), None).err();
        assert_words(
            &chain(&refused.expect("modules.json is refused")),
            &["modules.json", "regular file"],
        );
        link(folder.path(), "state.json", Path::new(to));
        let refused = Run::open(folder.path()).err();
        assert_words(
            &chain(&refused.expect("state.json is refused")),
            &["state.json", "regular file"],
        );
    }
}

#[test]
fn a_link_that_leads_to_itself_is_refused() {
    let folder = model();
    link(folder.path(), "vocab.txt", &folder.path().join("vocab.txt"));
    let refused = Tokenizer::from_dir(folder.path()).err();
    assert_words(
        &chain(&refused.expect("the tokenizer is refused")),
        &["vocab.txt", "cannot be read"],
    );
}
