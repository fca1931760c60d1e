//! The hub, played by a local server.

use std::fs;
use std::path::Path;

use crate::support::{
    Recorder, Reply, Server, content, entry, folder, options, sha256, unverified, verified,
};
use bert_hub::{AccessToken, FetchOptions, Fetcher, NoProgress};

fn hub(repo: &str, revision: &str) -> String {
    format!("{{ hub = {{ repo = \"{repo}\", revision = \"{revision}\" }} }}")
}

fn hub_options(home: &Path, endpoint: &str) -> FetchOptions {
    FetchOptions {
        hub_endpoint: endpoint.to_owned(),
        ..options(home)
    }
}

#[test]
fn files_come_from_the_endpoint_at_their_revision() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(10_000);
    let served = data.clone();
    let server = Server::start(move |request, _| match request.path.as_str() {
        "/owner/name/resolve/refs%2Fpr%2F3/model.safetensors" => {
            Reply::status(302).header("Location", "/content/model")
        }
        "/content/model" => Reply::file(request, &served, None),
        _ => Reply::status(404),
    });
    let entry = entry(
        &[verified("model.safetensors", &data)],
        &[hub("owner/name", "refs/pr/3")],
    );

    let fetched = Fetcher::new(hub_options(home.path(), &server.url))
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert_eq!(fetched.origins, ["hub owner/name@refs/pr/3"]);
}

#[test]
fn data_sets_and_subfolders_have_their_own_addresses() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(|request, _| match request.path.as_str() {
        "/datasets/owner/name/resolve/main/data/dev.tsv" => Reply::body(b"text"),
        _ => Reply::status(404),
    });
    let source = "{ hub = { repo = \"owner/name\", revision = \"main\", subfolder = \"data\", repo_type = \"dataset\" } }";
    let entry = entry(&[verified("dev.tsv", b"text")], &[source.to_owned()]);

    Fetcher::new(hub_options(home.path(), &server.url))
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_where_it_redirects() {
    let home = tempfile::tempdir().expect("a folder");
    let elsewhere = Server::start(|_, _| Reply::body(b"weights"));
    let target = format!("{}/content", elsewhere.url).replace("127.0.0.1", "localhost");
    let server = Server::start(move |_, _| Reply::status(302).header("Location", target.clone()));
    let entry = entry(
        &[verified("model.safetensors", b"weights")],
        &[hub("owner/gated", "main")],
    );
    let options = FetchOptions {
        hub_token: Some(AccessToken("hf_secret".to_owned())),
        ..hub_options(home.path(), &server.url)
    };

    Fetcher::new(options)
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    let authorization =
        |server: &Server| server.requests()[0].headers.get("authorization").cloned();
    assert_eq!(authorization(&server).as_deref(), Some("Bearer hf_secret"));
    assert_eq!(authorization(&elsewhere), None);
}

#[test]
fn a_file_whose_hash_only_the_hub_states_is_held_to_that_hash() {
    let home = tempfile::tempdir().expect("a folder");
    let announced = sha256(b"what was published");
    let etag = format!("\"{announced}\"");
    let server = Server::start(move |_, _| {
        Reply::body(b"what arrived").header("X-Linked-ETag", etag.clone())
    });
    let entry = entry(
        &[unverified("model.safetensors")],
        &[hub("owner/name", "main")],
    );

    let failed = Fetcher::new(hub_options(home.path(), &server.url))
        .fetch(&entry, &mut NoProgress)
        .expect_err("damaged");

    let message = failed.to_string();
    assert!(
        message.contains(&announced) && message.contains(&sha256(b"what arrived")),
        "{message}"
    );
}

#[test]
fn the_hubs_own_cache_is_read_before_the_network() {
    let (home, hub_home) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let repo = hub_home.path().join("hub/models--owner--name");
    fs::create_dir_all(repo.join("refs")).expect("folders");
    fs::create_dir_all(repo.join("snapshots/abc123")).expect("folders");
    fs::write(repo.join("refs/main"), "abc123").expect("a reference");
    fs::write(repo.join("snapshots/abc123/model.safetensors"), b"weights").expect("a file");
    for revision in ["main", "abc123"] {
        let home = home.path().join(revision);
        let entry = entry(
            &[verified("model.safetensors", b"weights")],
            &[hub("owner/name", revision)],
        );
        let options = FetchOptions {
            hub_home: Some(hub_home.path().to_path_buf()),
            offline: true,
            ..options(&home)
        };

        let fetched = Fetcher::new(options)
            .fetch(&entry, &mut NoProgress)
            .expect("from the hub's cache");

        assert_eq!(fs::read(&fetched.files[0]).expect("the file"), b"weights");
    }
}

#[test]
fn hub_offline_forbids_the_hub_alone() {
    let (home, origin) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    fs::write(origin.path().join("model.safetensors"), b"weights").expect("the origin");
    let server = Server::start(|_, _| Reply::body(b"weights"));
    let sources = [hub("owner/name", "main"), folder(origin.path())];
    let entry = entry(&[verified("model.safetensors", b"weights")], &sources);
    let options = FetchOptions {
        hub_offline: true,
        ..hub_options(home.path(), &server.url)
    };
    let mut progress = Recorder::default();

    Fetcher::new(options)
        .fetch(&entry, &mut progress)
        .expect("from the folder");

    assert!(server.requests().is_empty());
    assert!(progress.has_note("HF_HUB_OFFLINE"), "{:?}", progress.notes);
}
