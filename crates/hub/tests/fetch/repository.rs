//! Models of the hub by name: first use, later uses, what has changed since.

use std::fs;
use std::path::Path;

use crate::home::{Home, assert_words, fetch, files_below, model};
use crate::stand_in::{COMMIT, sha256};
use crate::support::{Recorder, content};
use bert_hub::{AskHub, FetchOptions, Fetcher, HubError, HubName};

#[test]
fn the_first_use_fetches_what_is_needed_into_the_layout_of_python() {
    let (home, weights) = (Home::new(), content(100_000));
    let hub = model(&weights);

    let snapshot = home.fetch(&hub, "owner/name").expect("fetched");

    assert_eq!(snapshot.commit, COMMIT);
    assert_eq!(snapshot.dir, home.repo().join("snapshots").join(COMMIT));
    let mut files = fs::read_dir(&snapshot.dir)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect::<Vec<_>>();
    files.sort();
    let needed = [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ];
    assert_eq!(files, needed);
    assert_eq!(
        fs::read(snapshot.dir.join("model.safetensors")).expect("weights"),
        weights
    );
    assert_eq!(
        fs::read_to_string(home.repo().join("refs/main")).expect("a reference"),
        COMMIT
    );
    let blob = home.repo().join("blobs").join(sha256(&weights));
    assert_eq!(fs::read(blob).expect("the content"), weights);
    #[cfg(unix)]
    assert_eq!(
        fs::read_link(snapshot.dir.join("model.safetensors")).expect("a link"),
        Path::new("../../blobs").join(sha256(&weights))
    );
    let requests = hub.requests().join(" ");
    for other in ["README.md", "onnx", "pytorch_model.bin", "tf_model.h5"] {
        assert!(!requests.contains(other), "{requests}");
    }
}

#[test]
fn the_first_use_pins_commit_and_hashes_and_says_so() {
    let home = Home::new();
    let hub = model(b"weights");
    let mut progress = Recorder::default();
    let name = HubName::parse("owner/name").expect("a name");

    Fetcher::new(home.options(&hub))
        .fetch_hub(&name, AskHub::WhenNeeded, &mut progress)
        .expect("fetched");

    assert!(progress.has_note("pinned in"), "{:?}", progress.notes);
    let pins = fs::read_to_string(home.lock_file()).expect("the pins");
    for pin in [
        &format!("\"owner/name@main\" = \"{COMMIT}\""),
        &format!("[\"hub/owner/name@{COMMIT}\"]"),
        &format!("\"model.safetensors\" = \"{}\"", sha256(b"weights")),
        &format!("\"config.json\" = \"{}\"", sha256(b"{}")),
    ] {
        assert!(pins.contains(pin.as_str()), "{pin} is not in: {pins}");
    }
}

#[test]
fn later_uses_ask_nobody_online_and_offline() {
    let home = Home::new();
    let hub = model(b"weights");
    let first = home.fetch(&hub, "owner/name").expect("fetched");
    let asked = hub.requests().len();

    assert_eq!(home.fetch(&hub, "owner/name").expect("cached"), first);
    assert_eq!(home.offline(&hub, "owner/name").expect("cached"), first);
    let by_commit = home.fetch(&hub, &format!("owner/name@{COMMIT}"));
    assert_eq!(by_commit.expect("cached"), first);

    assert_eq!(hub.requests().len(), asked);
}

#[test]
fn offline_without_a_cached_model_says_what_is_missing() {
    let home = Home::new();
    let hub = model(b"weights");

    let failed = home.offline(&hub, "owner/name").expect_err("not cached");
    assert_words(
        &failed,
        &["owner/name", "models--owner--name", "HF_HUB_OFFLINE"],
    );

    home.fetch(&hub, "owner/name").expect("fetched");
    fs::remove_file(
        home.repo()
            .join("snapshots")
            .join(COMMIT)
            .join("model.safetensors"),
    )
    .expect("removed");
    let failed = home.offline(&hub, "owner/name").expect_err("incomplete");
    assert_words(&failed, &["usable weights"]);
    assert!(
        hub.requests()
            .iter()
            .all(|request| !request.contains("HEAD /api"))
    );
}

#[test]
fn a_moved_branch_is_an_error_that_says_how_to_keep_and_how_to_accept() {
    let home = Home::new();
    let hub = model(b"first");
    let first = home.fetch(&hub, "owner/name").expect("fetched");
    let moved = "2".repeat(40);
    hub.repository().commit = moved.clone();
    hub.repository().files[2].1 = b"second".to_vec();

    // Nobody asks, so that the pinned commit stays.
    assert_eq!(home.fetch(&hub, "owner/name").expect("cached"), first);
    let failed = fetch(home.options(&hub), "owner/name", AskHub::Always).expect_err("moved");
    assert!(matches!(failed, HubError::Moved { .. }), "{failed}");
    let lock_file = home.lock_file().display().to_string();
    let keep = format!("owner/name@{COMMIT}");
    assert_words(
        &failed,
        &[COMMIT, &moved, &lock_file, &keep, "\"owner/name@main\""],
    );
    assert_eq!(home.fetch(&hub, &keep).expect("kept").dir, first.dir);

    let pins = fs::read_to_string(home.lock_file()).expect("the pins");
    let kept: Vec<&str> = pins
        .lines()
        .filter(|line| !line.starts_with("\"owner/name@main\""))
        .collect();
    fs::write(home.lock_file(), kept.join("\n")).expect("written");
    let second = home.fetch(&hub, "owner/name").expect("accepted");
    assert_eq!(second.commit, moved);
    assert_eq!(
        fs::read(second.dir.join("model.safetensors")).expect("weights"),
        b"second"
    );
}

#[test]
fn a_lost_cache_is_filled_with_the_pinned_hashes_only() {
    let home = Home::new();
    let hub = model(b"first");
    home.fetch(&hub, "owner/name").expect("fetched");
    fs::remove_dir_all(home.path("huggingface")).expect("removed");
    hub.repository().files[2].1 = b"other".to_vec();

    let failed = home
        .fetch(&hub, "owner/name")
        .expect_err("another content at the same commit");

    let lock_file = home.lock_file().display().to_string();
    let hashes = [sha256(b"first"), sha256(b"other")];
    assert_words(
        &failed,
        &[
            "model.safetensors",
            &hashes[0],
            &hashes[1],
            &lock_file,
            "delete its line",
        ],
    );
    let left = files_below(&home.repo().join("blobs")).join(" ");
    assert!(!left.contains(&hashes[1]), "{left}");
}

#[test]
fn a_damaged_file_is_an_error_offline_and_fetched_again_online() {
    let home = Home::new();
    let hub = model(b"weights");
    let snapshot = home.fetch(&hub, "owner/name").expect("fetched");
    let blob = fs::canonicalize(snapshot.dir.join("model.safetensors")).expect("the content");
    fs::write(&blob, b"damage!!").expect("damaged");

    let failed = home.offline(&hub, "owner/name").expect_err("damaged");
    assert_words(&failed, &["model.safetensors", "was pinned at first use"]);
    home.fetch(&hub, "owner/name").expect("fetched again");

    assert_eq!(fs::read(&blob).expect("weights"), b"weights");
}

#[test]
fn a_cache_that_python_filled_needs_no_network() {
    let (home, weights) = (Home::new(), content(1_000));
    let hub = model(&weights);
    let snapshot = home.repo().join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).expect("folders");
    fs::create_dir_all(home.repo().join("refs")).expect("folders");
    fs::write(home.repo().join("refs/main"), COMMIT).expect("a reference");
    fs::write(snapshot.join("config.json"), b"{}").expect("a file");
    fs::write(snapshot.join("vocab.txt"), b"[PAD]").expect("a file");
    fs::write(snapshot.join("model.safetensors"), &weights).expect("a file");

    let found = home.offline(&hub, "owner/name").expect("found");
    assert_eq!((found.dir, found.files.len()), (snapshot, 3));

    // The hub names a fourth file that is needed. What is there is not transferred again.
    fs::remove_file(home.lock_file()).expect("removed");
    let found = home.fetch(&hub, "owner/name").expect("completed");
    assert_eq!(found.files.len(), 4);
    let requests = hub.requests();
    assert!(
        requests.iter().all(|request| !request.contains("store")),
        "{requests:?}"
    );
}

#[test]
fn an_unreachable_hub_leaves_what_the_cache_holds() {
    let home = Home::new();
    let hub = model(b"weights");
    let first = home.fetch(&hub, "owner/name").expect("fetched");
    let mut progress = Recorder::default();
    let options = FetchOptions {
        hub_endpoint: "http://127.0.0.1:9".to_owned(),
        ..home.options(&hub)
    };

    let name = HubName::parse("owner/name").expect("a name");
    let again = Fetcher::new(options.clone()).fetch_hub(&name, AskHub::Always, &mut progress);

    assert_eq!(again.expect("cached"), first);
    assert!(progress.has_note("127.0.0.1:9"), "{:?}", progress.notes);
    let failed = fetch(options, "owner/other", AskHub::WhenNeeded).expect_err("not cached");
    assert_words(&failed, &["owner/other", "127.0.0.1:9"]);
}

#[test]
fn the_environment_names_the_hubs_cache() {
    let options = FetchOptions::from_variables(|name| match name {
        "BERT_HOME" => Some("ours".to_owned()),
        "HF_HUB_CACHE" => Some("shared".to_owned()),
        "XDG_CACHE_HOME" => Some("xdg".to_owned()),
        _ => None,
    })
    .expect("options");
    assert_eq!(options.hub_cache.as_deref(), Some(Path::new("shared")));
    assert_eq!(
        options.hub_home.as_deref(),
        Some(Path::new("xdg/huggingface"))
    );

    let (home, elsewhere) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let hub = model(b"weights");
    let options = FetchOptions {
        hub_cache: Some(elsewhere.path().to_path_buf()),
        ..home.options(&hub)
    };
    let snapshot = fetch(options, "owner/name", AskHub::WhenNeeded).expect("fetched");
    assert!(
        snapshot
            .dir
            .starts_with(elsewhere.path().join("models--owner--name"))
    );
}

#[test]
fn a_renamed_repository_is_found_by_its_old_name() {
    let home = Home::new();
    let hub = model(b"weights");
    hub.repository().old_name = Some("before/renamed");

    let snapshot = home.fetch(&hub, "before/renamed").expect("redirected");

    let weights = fs::read(snapshot.dir.join("model.safetensors"));
    assert_eq!(weights.expect("weights"), b"weights");
    let folder = home.path("huggingface/hub/models--before--renamed");
    assert!(snapshot.dir.starts_with(folder), "{snapshot:?}");
}
