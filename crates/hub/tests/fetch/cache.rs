//! What the cache promises: offline use, detection of damage, one writer at a time, pins, the user's own collection.

use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::support::{
    Recorder, Reply, Server, content, entry, fetcher, folder, offline, options, sha256, unverified,
    url, verified,
};
use bert_hub::{FetchError, FetchOptions, Fetcher, NoProgress};

#[test]
fn a_cached_entry_needs_no_network() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(1_000);
    let served = data.clone();
    let server = Server::start(move |_, _| Reply::body(&served));
    let entry = entry(
        &[verified("model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );
    assert_eq!(fetcher(home.path()).cached(&entry), None);
    let first = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    let again = offline(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("cached");

    assert_eq!((again.dir, again.files), (first.dir.clone(), first.files));
    assert_eq!(again.origins, Vec::<String>::new());
    assert_eq!(fetcher(home.path()).cached(&entry), Some(first.dir));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn offline_without_a_cached_entry_says_what_is_missing_and_what_to_do() {
    let home = tempfile::tempdir().expect("a folder");
    let entry = entry(
        &[verified("model.bin", &content(10))],
        &[url("http://127.0.0.1:9/")],
    );

    let failed = offline(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("not cached");

    assert!(
        matches!(&failed, FetchError::Offline { incomplete, .. } if *incomplete == ["model.bin"]),
        "{failed}"
    );
    let message = failed.to_string();
    for part in [
        "tiny",
        "model.bin",
        "offline",
        "BERT_DATASETS",
        "needs the network",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn a_truncated_file_is_detected_and_fetched_again() {
    let home = tempfile::tempdir().expect("a folder");
    let origin = tempfile::tempdir().expect("a folder");
    let data = content(1_000);
    fs::write(origin.path().join("model.bin"), &data).expect("the origin");
    let entry = entry(&[verified("model.bin", &data)], &[folder(origin.path())]);
    let path = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched")
        .files
        .remove(0);
    fs::write(&path, &data[..999]).expect("cut short");
    assert_eq!(fetcher(home.path()).cached(&entry), None);
    let mut progress = Recorder::default();

    fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched again");

    assert_eq!(fs::read(&path).expect("the file"), data);
    assert!(
        progress.has_note("999 bytes, but 1000 are expected"),
        "{:?}",
        progress.notes
    );
}

#[test]
fn a_file_tampered_with_at_equal_size_is_detected() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(1_000);
    let mut tampered = data.clone();
    tampered[0] ^= 0xff;
    let server = Server::start({
        let data = data.clone();
        move |_, _| Reply::body(&data)
    });
    let entry = entry(
        &[verified("model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );
    let path = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched")
        .files
        .remove(0);
    let modified = fs::metadata(&path)
        .and_then(|found| found.modified())
        .expect("a time");
    fs::write(&path, &tampered).expect("tampered");
    // Whatever the clock's grain, the change gets a time of its own.
    let file = fs::File::options()
        .write(true)
        .open(&path)
        .expect("the file");
    file.set_modified(modified + Duration::from_secs(1))
        .expect("a time");

    let failed = offline(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("damaged and offline");
    assert!(matches!(failed, FetchError::Offline { .. }), "{failed}");
    fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched again");

    assert_eq!(fs::read(&path).expect("the file"), data);
}

#[test]
fn a_file_whose_time_alone_changed_is_hashed_once_and_then_trusted() {
    let home = tempfile::tempdir().expect("a folder");
    let origin = tempfile::tempdir().expect("a folder");
    fs::write(origin.path().join("a.txt"), b"a").expect("the origin");
    let entry = entry(&[verified("a.txt", b"a")], &[folder(origin.path())]);
    let fetched = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");
    let record = home.path().join("state/models/tiny.json");
    let before = fs::read_to_string(&record).expect("the record");
    let file = fs::File::options()
        .write(true)
        .open(&fetched.files[0])
        .expect("the file");
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1))
        .expect("a time");

    let again = offline(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("whole");

    assert_eq!(again.files, fetched.files);
    let after = fs::read_to_string(&record).expect("the record");
    assert_ne!(after, before);
    assert!(after.contains("1000000000"), "{after}");
}

#[test]
fn many_fetchers_at_once_transfer_a_file_once() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(100_000);
    let served = data.clone();
    let server = Server::start(move |_, _| {
        thread::sleep(Duration::from_millis(100));
        Reply::body(&served)
    });
    let entry = entry(
        &[verified("model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );
    let begin = Barrier::new(4);

    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begin.wait();
                let fetched = fetcher(home.path())
                    .fetch(&entry, &mut NoProgress)
                    .expect("fetched");
                assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
            });
        }
    });

    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_unverified_file_says_so_and_is_pinned_at_first_use() {
    let home = tempfile::tempdir().expect("a folder");
    let server =
        Server::start(|_, number| Reply::body(if number == 0 { b"first" } else { b"other" }));
    let entry = entry(
        &[unverified("config.json")],
        &[url(&format!("{}/", server.url))],
    );
    let mut progress = Recorder::default();
    let path = fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched")
        .files
        .remove(0);
    assert!(
        progress.has_note("the manifest states no hash for config.json"),
        "{:?}",
        progress.notes
    );
    let lock_file = home.path().join("weights-lock.toml");
    let pins = fs::read_to_string(&lock_file).expect("the pins");
    assert!(
        pins.contains("models/tiny") && pins.contains(&sha256(b"first")),
        "{pins}"
    );

    fs::remove_file(&path).expect("removed");
    let failed = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("the source has changed");
    let message = failed.to_string();
    for part in [
        sha256(b"first"),
        sha256(b"other"),
        lock_file.display().to_string(),
        "delete its line".to_owned(),
    ] {
        assert!(message.contains(&part), "{part} is not in: {message}");
    }
    assert!(!path.exists());

    fs::remove_file(&lock_file).expect("removed");
    fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("pinned anew");
    assert_eq!(fs::read(&path).expect("the file"), b"other");
}

#[test]
fn a_cached_file_that_differs_from_its_pin_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let origin = tempfile::tempdir().expect("a folder");
    fs::write(origin.path().join("config.json"), b"first").expect("the origin");
    let entry = entry(&[unverified("config.json")], &[folder(origin.path())]);
    let path = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched")
        .files
        .remove(0);
    fs::write(&path, b"tampered").expect("tampered");
    let mut progress = Recorder::default();

    fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched again");

    assert_eq!(fs::read(&path).expect("the file"), b"first");
    assert!(
        progress.has_note("was pinned at first use"),
        "{:?}",
        progress.notes
    );
}

#[test]
fn an_unreadable_file_of_pins_is_an_error_that_names_it() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("weights-lock.toml"), "models = 3").expect("a wrong file");
    let entry = entry(&[unverified("config.json")], &[url("http://127.0.0.1:9/")]);

    let failed = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("no table of pins");

    assert!(
        matches!(&failed, FetchError::Pins { path, .. } if path.ends_with("weights-lock.toml")),
        "{failed}"
    );
}

#[test]
fn a_collection_is_searched_by_hash_whatever_its_files_are_called() {
    let home = tempfile::tempdir().expect("a folder");
    let collection = tempfile::tempdir().expect("a folder");
    let data = content(3_000);
    let mut decoy = data.clone();
    decoy[5] ^= 1;
    fs::create_dir_all(collection.path().join("deep/er")).expect("folders");
    fs::write(collection.path().join("dev.tsv"), &decoy).expect("right name and size, wrong bytes");
    fs::write(collection.path().join("deep/er/renamed"), &data).expect("the file");
    let entry = entry(&[verified("dev.tsv", &data)], &[url("http://127.0.0.1:9/")]);
    let options = FetchOptions {
        datasets: Some(collection.path().to_path_buf()),
        offline: true,
        ..options(home.path())
    };

    let fetched = Fetcher::new(options)
        .fetch(&entry, &mut NoProgress)
        .expect("found");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert!(
        collection.path().join("deep/er/renamed").exists(),
        "the user's file stays"
    );
}

#[test]
fn a_collection_that_is_no_folder_is_noted_and_passed_over() {
    let home = tempfile::tempdir().expect("a folder");
    let origin = tempfile::tempdir().expect("a folder");
    fs::write(origin.path().join("a.txt"), b"a").expect("the origin");
    let entry = entry(&[verified("a.txt", b"a")], &[folder(origin.path())]);
    let options = FetchOptions {
        datasets: Some(home.path().join("absent")),
        ..options(home.path())
    };
    let mut progress = Recorder::default();

    Fetcher::new(options)
        .fetch(&entry, &mut progress)
        .expect("fetched");

    assert!(
        progress.has_note("which is not a folder"),
        "{:?}",
        progress.notes
    );
}

#[test]
fn a_cache_folder_that_is_a_file_is_an_error_that_names_it() {
    let parent = tempfile::tempdir().expect("a folder");
    let home = parent.path().join("home");
    fs::write(&home, b"a file").expect("a file");
    let entry = entry(&[verified("a.txt", b"a")], &[folder(parent.path())]);

    let failed = fetcher(&home)
        .fetch(&entry, &mut NoProgress)
        .expect_err("no folder");

    assert!(matches!(failed, FetchError::Cache { .. }), "{failed}");
    assert!(
        failed.to_string().contains(&home.display().to_string()),
        "{failed}"
    );
}

#[test]
fn the_environment_becomes_options() {
    let options = FetchOptions::from_variables(|name| {
        let value = match name {
            "BERT_HOME" => "cache",
            "BERT_DATASETS" => "data",
            "HF_HOME" => "hub-home",
            "HF_TOKEN" => "secret",
            "HF_ENDPOINT" => "http://mirror",
            "HF_HUB_OFFLINE" => "1",
            _ => "",
        };
        Some(value.to_owned())
    })
    .expect("options");

    assert_eq!(options.home.to_str(), Some("cache"));
    assert_eq!(
        options.datasets.as_deref().and_then(|path| path.to_str()),
        Some("data")
    );
    assert_eq!(
        options.hub_home.as_deref().and_then(|path| path.to_str()),
        Some("hub-home")
    );
    assert_eq!(options.hub_endpoint, "http://mirror");
    assert!(options.hub_offline && !options.offline);
    assert!(options.hub_token.is_some() && !format!("{options:?}").contains("secret"));
}
