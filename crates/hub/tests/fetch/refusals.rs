//! Models of the hub that it does not give away, and answers that nobody should believe.

use std::fs;

use crate::home::{Home, assert_words, fetch, files_below, model};
use crate::stand_in::{Access, sha256};
use crate::support::content;
use bert_hub::{AccessToken, AskHub, FetchOptions, HubError};

#[test]
fn a_gated_repository_says_where_to_ask() {
    let home = Home::new();
    let hub = model(b"weights");
    hub.repository().access = Access::Gated;

    let failed = home.fetch(&hub, "owner/name").expect_err("gated");
    let page = format!("{}/owner/name", hub.server.url);
    assert_words(&failed, &["owner/name is gated", &page, "set HF_TOKEN"]);

    let options = FetchOptions {
        hub_token: Some(AccessToken("known".to_owned())),
        ..home.options(&hub)
    };
    let failed = fetch(options, "owner/name", AskHub::WhenNeeded).expect_err("no access");
    assert_words(
        &failed,
        &["owner/name is gated", "account of the token", "no access"],
    );
    assert!(!home.lock_file().exists());
}

#[test]
fn a_missing_repository_is_answered_with_names_like_it() {
    let home = Home::new();
    let hub = model(b"weights");
    let failed = home
        .fetch(&hub, "dslim/bert-base-NERR")
        .expect_err("missing");
    assert!(matches!(failed, HubError::NotFound { .. }), "{failed}");
    assert_words(
        &failed,
        &["dslim/bert-base-NERR", "did you mean dslim/bert-base-NER"],
    );
}

#[test]
fn a_private_repository_needs_its_token_from_the_environment_or_the_token_file() {
    let home = Home::new();
    let hub = model(b"weights");
    hub.repository().access = Access::Private("secret");

    let failed = home.fetch(&hub, "owner/name").expect_err("private");
    assert_words(&failed, &["if it is private, set HF_TOKEN"]);
    let with = |token: &str| FetchOptions {
        hub_token: Some(AccessToken(token.to_owned())),
        ..home.options(&hub)
    };
    let failed = fetch(with("another"), "owner/name", AskHub::WhenNeeded).expect_err("not for him");
    assert_words(&failed, &["account of the token", "may not read it"]);
    let failed = fetch(with("wrong"), "owner/name", AskHub::WhenNeeded).expect_err("unknown token");
    assert!(matches!(failed, HubError::BadToken { .. }), "{failed}");

    fs::create_dir_all(home.path("huggingface")).expect("a folder");
    fs::write(home.path("huggingface/token"), "secret\n").expect("a token");
    home.fetch(&hub, "owner/name").expect("fetched");
}

#[test]
fn a_revision_that_is_not_there_and_a_closed_repository_have_their_own_messages() {
    let home = Home::new();
    let hub = model(b"weights");
    let failed = home
        .fetch(&hub, "owner/name@v9")
        .expect_err("no such revision");
    assert!(matches!(failed, HubError::NoRevision { .. }), "{failed}");
    assert_words(&failed, &["owner/name", "v9"]);

    hub.repository().access = Access::Disabled;
    let failed = home.fetch(&hub, "owner/name").expect_err("closed");
    assert_words(&failed, &["has disabled access to owner/name"]);
}

#[test]
fn a_transfer_that_breaks_off_leaves_nothing_in_the_hubs_cache_and_resumes() {
    let (home, weights) = (Home::new(), content(50_000));
    let hub = model(&weights);
    hub.repository().cut_after = Some(4_000);

    let failed = home.fetch(&hub, "owner/name").expect_err("cut short");
    assert_words(&failed, &["owner/name", "of 50000 bytes"]);
    let left = files_below(&home.path("huggingface")).join(" ");
    assert!(
        !left.contains(&sha256(&weights)) && !left.contains("incomplete"),
        "{left}"
    );
    assert!(!home.lock_file().exists() && !home.repo().join("refs").exists());

    hub.repository().cut_after = None;
    let snapshot = home.fetch(&hub, "owner/name").expect("resumed");
    assert_eq!(
        fs::read(snapshot.dir.join("model.safetensors")).expect("weights"),
        weights
    );
    let last = hub.server.requests().pop().expect("a request");
    assert!(
        last.path.starts_with("/store/") || last.method == "HEAD",
        "{last:?}"
    );
    assert!(
        hub.server
            .requests()
            .iter()
            .any(|request| request.headers.contains_key("range"))
    );
}

#[test]
fn a_hub_that_lies_about_size_or_hash_is_refused_and_nothing_remains() {
    let weights = content(5_000);
    let hub = model(&weights);
    let refused = |words: &[&str]| {
        let home = Home::new();
        let failed = home.fetch(&hub, "owner/name").expect_err("a lie");
        assert_words(&failed, words);
        for folder in ["huggingface", "bert/partial"] {
            let left = files_below(&home.path(folder)).join(" ");
            assert!(!left.contains("model.safetensors"), "{left}");
            assert!(!left.contains(&sha256(&weights)), "{left}");
        }
        assert!(!home.lock_file().exists());
    };
    hub.repository().stated_size = Some(4_999);
    refused(&["model.safetensors", "5000 bytes", "4999 are expected"]);
    hub.repository().stated_size = Some(5_001);
    refused(&["model.safetensors", "5000 bytes", "5001 are expected"]);
    hub.repository().stated_size = None;
    hub.repository().stated_sha256 = Some(sha256(b"what was published"));
    refused(&[
        "model.safetensors",
        &sha256(&weights),
        &sha256(b"what was published"),
    ]);
}

#[test]
fn names_that_a_server_makes_up_do_not_become_paths() {
    let home = Home::new();
    let hub = model(b"weights");
    hub.repository().small_etag = Some("../../../outside");
    let failed = home
        .fetch(&hub, "owner/name")
        .expect_err("an entity tag that climbs");
    assert_words(&failed, &["ETag", "HF_ENDPOINT"]);

    hub.repository().commit = "../../outside".to_owned();
    let failed = home
        .fetch(&hub, "owner/name")
        .expect_err("a commit that climbs");
    assert_words(&failed, &["../../outside", "is no commit"]);
    assert!(!home.path("outside").exists() && !home.path("huggingface/outside").exists());
}

#[test]
fn a_name_that_nobody_knows_leaves_no_trace() {
    let home = Home::new();
    let hub = model(b"weights");
    home.fetch(&hub, "owner/other").expect_err("missing");
    home.offline(&hub, "owner/other").expect_err("not cached");
    assert!(!home.path("bert").exists() && !home.path("huggingface").exists());
}
