//! The manifest: the one that is built in, and what is refused in any.

use bert_hub::{Kind, Manifest, ManifestError};

#[test]
fn every_builtin_entry_says_what_it_is_and_where_it_comes_from() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    assert!(!manifest.entries().is_empty());
    for entry in manifest.entries() {
        assert!(!entry.licence.is_empty(), "{}", entry.name);
        assert!(
            !entry.description.is_empty() && !entry.description.contains('\n'),
            "{}",
            entry.name
        );
        assert!(!entry.sources.is_empty(), "{}", entry.name);
    }
}

#[test]
fn every_builtin_model_has_the_files_that_the_loader_needs() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    for entry in manifest
        .entries()
        .iter()
        .filter(|entry| entry.kind == Kind::Model)
    {
        for needed in ["config.json", "model.safetensors", "vocab.txt"] {
            assert!(
                entry.files.iter().any(|file| file.path == needed),
                "{} lacks {needed}",
                entry.name
            );
        }
    }
}

#[test]
fn every_builtin_data_set_is_verified() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    for entry in manifest
        .entries()
        .iter()
        .filter(|entry| entry.kind == Kind::Dataset)
    {
        for file in &entry.files {
            assert!(
                file.sha256.is_some() && file.size.is_some(),
                "{}: {}",
                entry.name,
                file.path
            );
        }
    }
}

#[test]
fn the_quick_start_entry_warns_of_sst2() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    let entry = manifest
        .entry("movie-review-snippets")
        .expect("the quick-start data set");
    assert_eq!(entry.files[0].path, "movieReviewSnippets_GroundTruth.txt");
    assert!(entry.description.contains("SST-2"), "{}", entry.description);
}

#[test]
fn a_name_may_be_written_in_any_case() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    assert_eq!(
        manifest.entry("ALL-minilm-l6-V2").expect("found").name,
        "all-MiniLM-L6-v2"
    );
}

#[test]
fn an_unknown_name_is_answered_with_names_like_it() {
    let manifest = Manifest::builtin().expect("the manifest of the repository");
    let refused = manifest.entry("bert-base-uncase").expect_err("misspelt");
    assert!(
        refused
            .to_string()
            .contains("did you mean bert-base-uncased"),
        "{refused}"
    );

    let refused = manifest.entry("zzz").expect_err("unlike any");
    assert!(
        matches!(&refused, ManifestError::UnknownName { suggestions, .. } if suggestions.is_empty()),
        "{refused}"
    );
}

const GOOD: &str = r#"
[[entry]]
name = "tiny"
kind = "model"
licence = "MIT"
description = "a test"
files = [{ path = "config.json" }]
sources = [{ url = { url = "https://example.org/" } }]
"#;

fn refusal_of(from: &str, to: &str) -> ManifestError {
    assert!(GOOD.contains(from), "{from}");
    Manifest::parse(&GOOD.replace(from, to)).expect_err(to)
}

#[test]
fn an_unknown_key_is_refused_wherever_it_stands() {
    Manifest::parse(GOOD).expect("the text that the others are made of");
    for (from, to) in [
        ("kind =", "colour = \"red\"\nkind ="),
        (
            "{ path = \"config.json\" }",
            "{ path = \"config.json\", sha1 = \"0\" }",
        ),
        (
            "{ url = \"https://example.org/\" }",
            "{ url = \"https://example.org/\", mirror = \"x\" }",
        ),
        ("[[entry]]", "colour = \"red\"\n[[entry]]"),
    ] {
        let refused = refusal_of(from, to);
        assert!(
            matches!(&refused, ManifestError::Syntax(message) if message.contains("unknown field")),
            "{refused}"
        );
    }
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let twice = format!("{GOOD}{}", GOOD.replace("tiny", "Tiny"));
    assert_eq!(
        Manifest::parse(&twice),
        Err(ManifestError::DuplicateName("Tiny".to_owned()))
    );
}

#[test]
fn an_entry_that_could_leave_its_folder_or_means_nothing_is_refused() {
    for (from, to) in [
        ("name = \"tiny\"", "name = \"../tiny\""),
        ("path = \"config.json\"", "path = \"../config.json\""),
        ("path = \"config.json\"", "path = \"/etc/config.json\""),
        ("path = \"config.json\"", "path = 'a\\config.json'"),
        (
            "path = \"config.json\"",
            "path = \"config.json\", sha256 = \"ABC\"",
        ),
        ("{ path = \"config.json\" }", ""),
        (
            "{ path = \"config.json\" }",
            "{ path = \"a\" }, { path = \"a\" }",
        ),
        ("{ url = { url = \"https://example.org/\" } }", ""),
        ("https://example.org/", "ftp://example.org/"),
        ("licence = \"MIT\"", "licence = \" \""),
        (
            "{ url = { url = \"https://example.org/\" } }",
            "{ package = { name = \"--index\", version = \"1\", kind = \"wheel\" } }",
        ),
    ] {
        let refused = refusal_of(from, to);
        assert!(
            matches!(&refused, ManifestError::Entry { .. }),
            "{to}: {refused}"
        );
    }
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    let refused = Manifest::parse("[[entry]]\nname = ").expect_err("cut off");
    assert!(refused.to_string().contains("line 2"), "{refused}");
}
