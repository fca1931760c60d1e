//! Fetching from web addresses: verification, resumption, fallbacks.

use std::fs;
use std::io::Write;

use crate::support::{
    Recorder, Reply, Server, content, entry, fetcher, options, sha256, unverified, url, verified,
};
use bert_hub::{FetchError, Fetcher, NoProgress, SourceError};

#[test]
fn a_file_arrives_verified_in_its_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(200_000);
    let served = data.clone();
    let server = Server::start(move |request, _| Reply::file(request, &served, None));
    let entry = entry(
        &[verified("sub/model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );
    let mut progress = Recorder::default();

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched");

    assert_eq!(fetched.dir, home.path().join("models").join("tiny"));
    assert_eq!(fetched.files, [fetched.dir.join("sub/model.bin")]);
    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert_eq!(server.requests()[0].path, "/sub/model.bin");
    assert_eq!(
        progress.starts,
        [("sub/model.bin".to_owned(), 0, Some(200_000))]
    );
    assert_eq!((progress.bytes, progress.finished), (200_000, 1));
    assert!(
        !home.path().join("partial/models/tiny").exists(),
        "no leftovers"
    );
}

#[test]
fn a_cut_connection_is_resumed_where_it_broke() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(150_000);
    let served = data.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::file(request, &served, None);
        if number == 0 {
            reply.cut_after(70_000)
        } else {
            reply
        }
    });
    let entry = entry(
        &[verified("model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[1].headers.get("range").map(String::as_str),
        Some("bytes=70000-")
    );
}

#[test]
fn a_later_run_resumes_what_an_earlier_one_left() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(90_000);
    let served = data.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::file(request, &served, Some("\"v1\""));
        if number == 0 {
            reply.cut_after(40_000)
        } else {
            reply
        }
    });
    // No hash: only the entity tag says that the rest belongs to the same file.
    let entry = entry(
        &[unverified("model.bin")],
        &[url(&format!("{}/", server.url))],
    );
    let mut impatient = options(home.path());
    impatient.attempts = 1;

    let failed = Fetcher::new(impatient)
        .fetch(&entry, &mut NoProgress)
        .expect_err("cut");
    assert!(
        failed
            .to_string()
            .contains("closed the connection after 40000 of 90000 bytes"),
        "{failed}"
    );
    let mut progress = Recorder::default();
    let fetched = fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert_eq!(
        progress.starts,
        [("model.bin".to_owned(), 40_000, Some(90_000))]
    );
    assert_eq!(
        server.requests()[1]
            .headers
            .get("if-range")
            .map(String::as_str),
        Some("\"v1\"")
    );
}

#[test]
fn a_file_that_changed_on_the_server_is_not_glued_to_its_old_half() {
    let home = tempfile::tempdir().expect("a folder");
    let (old, new) = (vec![1; 50_000], vec![2; 50_000]);
    let served = new.clone();
    let server = Server::start(move |request, number| match number {
        0 => Reply::file(request, &old, Some("\"old\"")).cut_after(20_000),
        _ => Reply::file(request, &served, Some("\"new\"")),
    });
    let entry = entry(
        &[unverified("model.bin")],
        &[url(&format!("{}/", server.url))],
    );

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), new);
}

#[test]
fn damaged_bytes_of_an_earlier_transfer_are_thrown_away() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(30_000);
    let served = data.clone();
    let server = Server::start(move |request, _| Reply::file(request, &served, None));
    let entry = entry(
        &[verified("model.bin", &data)],
        &[url(&format!("{}/", server.url))],
    );
    let parts = home.path().join("partial/models/tiny/parts");
    fs::create_dir_all(&parts).expect("the folder");
    fs::write(parts.join("model.bin.part"), [7; 10_000]).expect("a damaged part");
    let mut progress = Recorder::default();

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert!(progress.has_note("from the start"), "{:?}", progress.notes);
}

#[test]
fn tampered_bytes_are_refused_and_the_next_source_is_asked() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(5_000);
    let mut tampered = data.clone();
    tampered[1_234] ^= 1;
    let (bad, good) = (tampered.clone(), data.clone());
    let server = Server::start(move |request, _| match request.path.starts_with("/bad/") {
        true => Reply::body(&bad),
        false => Reply::body(&good),
    });
    let sources = [
        url(&format!("{}/bad/", server.url)),
        url(&format!("{}/good/", server.url)),
    ];
    let entry = entry(&[verified("model.bin", &data)], &sources);
    let mut progress = Recorder::default();

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut progress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert_eq!(fetched.origins, [format!("url {}/good/", server.url)]);
    assert!(
        progress.has_note(&sha256(&tampered)) && progress.has_note(&sha256(&data)),
        "{:?}",
        progress.notes
    );
}

#[test]
fn a_source_that_lacks_the_file_gives_way_to_the_next() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(100);
    let served = data.clone();
    let server = Server::start(move |request, _| match request.path.starts_with("/gone/") {
        true => Reply::status(404),
        false => Reply::body(&served),
    });
    let sources = [
        url(&format!("{}/gone/", server.url)),
        url(&format!("{}/here/", server.url)),
    ];

    let entry = entry(&[verified("model.bin", &data)], &sources);
    fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    let paths: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/gone/model.bin", "/here/model.bin"]);
}

#[test]
fn when_all_sources_fail_each_is_listed_with_its_reason() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(|request, _| match request.path.as_str() {
        "/a/model.bin" => Reply::status(404),
        "/b/model.bin" => Reply::status(503),
        _ => Reply::body(b"short"),
    });
    let sources = ["a", "b", "c"].map(|name| url(&format!("{}/{name}/", server.url)));
    let entry = entry(&[verified("model.bin", &content(100))], &sources);

    let failed = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("nothing to be had");

    let FetchError::AllSourcesFailed { failures, .. } = &failed else {
        panic!("{failed}")
    };
    assert!(matches!(
        failures[0].reason,
        SourceError::Status { status: 404, .. }
    ));
    assert!(matches!(
        failures[1].reason,
        SourceError::Status { status: 503, .. }
    ));
    assert!(matches!(
        failures[2].reason,
        SourceError::Size {
            expected: 100,
            found: 5,
            ..
        }
    ));
    let message = failed.to_string();
    for part in ["tiny", "/a/", "404", "/b/", "503", "/c/", "5 bytes"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let tries_of_b = server
        .requests()
        .iter()
        .filter(|request| request.path.starts_with("/b/"))
        .count();
    assert_eq!(tries_of_b, 5, "a busy server is asked again");
    assert!(!home.path().join("models/tiny/model.bin").exists());
}

#[test]
fn a_server_that_never_stops_is_cut_off_at_the_stated_size() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::body(&content(500_000)));
    let entry = entry(
        &[verified("model.bin", &content(100))],
        &[url(&format!("{}/", server.url))],
    );

    let failed = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect_err("too long");

    assert!(
        failed
            .to_string()
            .contains("500000 bytes, but 100 are expected"),
        "{failed}"
    );
}

#[test]
fn unverified_files_of_a_source_that_failed_half_way_are_not_mixed_with_those_of_the_next() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(|request, _| match request.path.as_str() {
        "/first/config.json" => Reply::body(b"first"),
        "/second/config.json" => Reply::body(b"second"),
        "/second/vocab.txt" => Reply::body(b"vocab"),
        _ => Reply::status(404),
    });
    let sources = ["first", "second"].map(|name| url(&format!("{}/{name}/", server.url)));
    let entry = entry(
        &[unverified("config.json"), unverified("vocab.txt")],
        &sources,
    );

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(
        fs::read_to_string(&fetched.files[0]).expect("the file"),
        "second"
    );
}

#[test]
fn files_are_taken_out_of_a_zip_at_an_address() {
    let home = tempfile::tempdir().expect("a folder");
    let data = content(20_000);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("inner/dev.json", zip::write::SimpleFileOptions::default())
        .expect("a member");
    zip.write_all(&data).expect("its content");
    let archive = zip.finish().expect("a zip").into_inner();
    let source = format!("sha256 = \"{}\", path = \"inner\" }} }}", sha256(&archive));
    let served = archive.clone();
    let server = Server::start(move |request, _| Reply::file(request, &served, None));
    let source = format!("{{ url = {{ url = \"{}/dev.zip\", {source}", server.url);
    let entry = entry(&[verified("dev.json", &data)], &[source]);

    let fetched = fetcher(home.path())
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);

    // The same archive in the user's own collection spares the transfer.
    let (elsewhere, collection) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    fs::write(collection.path().join("dev.zip"), &archive).expect("the archive");
    let mut local = options(elsewhere.path());
    local.datasets = Some(collection.path().to_path_buf());
    local.offline = true;
    let fetched = Fetcher::new(local)
        .fetch(&entry, &mut NoProgress)
        .expect("unpacked");
    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), data);
    assert_eq!(server.requests().len(), 1);
}
