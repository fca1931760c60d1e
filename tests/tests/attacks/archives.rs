//! Archives that would write elsewhere, or fill the disk.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use bert_hub::{FetchOptions, Fetcher, Manifest, Progress};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::{assert_words, write};

/// The member that the manifest wants.
const MEMBER: &str = "data/train.tsv";

const CONTENT: &[u8] = b"text\tlabel\n";

fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fetches [`MEMBER`] out of an archive that lies in a collection, as the manifest's hash says. Gives the folder of everything
/// and the refusal, if any.
fn fetch(archive: &[u8]) -> (TempDir, Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let collection = folder.path().join("collection");
    fs::create_dir(&collection).expect("a folder");
    write(&collection, "archive", archive);
    let (hash, member) = (sha256(archive), sha256(CONTENT));
    let manifest = format!(
        r#"
        [[entry]]
        name = "reviews"
        kind = "dataset"
        licence = "none"
        description = "none"
        files = [{{ path = "{MEMBER}", sha256 = "{member}" }}]
        sources = [{{ url = {{ url = "https://localhost/archive", sha256 = "{hash}" }} }}]
        "#
    );
    let fetcher = Fetcher::new(FetchOptions {
        offline: true,
        datasets: Some(collection),
        ..FetchOptions::new(folder.path().join("home"))
    });
    let manifest = Manifest::parse(&manifest).expect("a manifest");
    let mut notes = Notes::default();
    let fetched = fetcher.fetch(manifest.entry("reviews").expect("an entry"), &mut notes);
    (folder, fetched.err().map(|_| notes.0.concat()))
}

/// What a fetch says on the way: of an archive in a collection, why it is not used.
#[derive(Default)]
struct Notes(Vec<String>);

impl Progress for Notes {
    fn start(&mut self, _: &str, _: u64, _: Option<u64>) {}

    fn advance(&mut self, _: u64) {}

    fn finish(&mut self) {}

    fn note(&mut self, message: &str) {
        self.0.push(message.to_owned());
    }
}

fn tar(members: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = tar::Header::new_gnu();
        // `set_path` refuses what an attacker writes.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if !kind.is_file() {
            header.set_link_name("/etc/hostname").expect("a name");
        }
        header.set_cksum();
        builder.append(&header, *content).expect("a member");
    }
    builder.into_inner().expect("an archive")
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("a member");
        zip.write_all(content).expect("compressed");
    }
    zip.finish().expect("an archive").into_inner()
}

fn file(name: &str) -> (&str, tar::EntryType, &'static [u8]) {
    (name, tar::EntryType::Regular, CONTENT)
}

#[test]
fn members_whose_names_lead_elsewhere_are_never_written() {
    let names = [
        "../data/train.tsv",
        "/data/train.tsv",
        "data/../data/train.tsv",
        "../../escaped",
    ];
    let members: Vec<_> = names.into_iter().map(file).collect();
    let of_zip: Vec<(&str, &[u8])> = names.map(|name| (name, &b"x"[..])).to_vec();
    for archive in [gzip(&tar(&members)), zip(&of_zip)] {
        let (folder, refusal) = fetch(&archive);
        let refusal = refusal.expect("the member is not there");
        assert_words(&refusal, &["archive", "does not hold data/train.tsv"]);
        for escaped in ["escaped", "home/escaped", "home/datasets/escaped", "data"] {
            assert!(!folder.path().join(escaped).exists(), "{escaped}");
        }
        assert!(!Path::new("/data/train.tsv").exists());
    }
}

#[test]
fn a_link_in_the_place_of_a_member_is_refused() {
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Fifo,
    ] {
        let (_folder, refusal) = fetch(&gzip(&tar(&[(MEMBER, kind, b"")])));
        let refusal = refusal.expect("a link is no file");
        assert_words(&refusal, &["archive", "does not hold data/train.tsv"]);
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink(MEMBER, "/etc/hostname", SimpleFileOptions::default())
        .expect("a link");
    let (_folder, refusal) = fetch(&zip.finish().expect("an archive").into_inner());
    assert_words(
        &refusal.expect("a link is no file"),
        &["archive", "data/train.tsv is a symbolic link"],
    );
}

/// More than what is free, and more than two hundred times the archive.
const ZEROS: usize = 65 << 20;

/// A member of zeros in a tar, compressed in pieces.
fn tar_of_zeros(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("a name");
    header.set_size(ZEROS as u64);
    header.set_cksum();
    let mut archive = gzip(header.as_bytes());
    archive.extend(gzip(&[0; 1 << 20]).repeat(ZEROS >> 20));
    archive.extend(gzip(&tar(&[file(MEMBER)])));
    archive
}

#[test]
fn a_bomb_is_refused_whether_it_is_wanted_or_in_the_way() {
    let zeros = vec![0; ZEROS];
    let of_zip = zip(&[(MEMBER, &zeros)]);
    for archive in [tar_of_zeros(MEMBER), tar_of_zeros("other"), of_zip] {
        assert!(archive.len() < 1 << 18);
        let (_folder, refusal) = fetch(&archive);
        let refusal = refusal.expect("a bomb");
        assert_words(&refusal, &["archive", "200 times its size"]);
    }
}

#[test]
fn an_archive_whose_hash_the_manifest_has_gives_its_member() {
    let (folder, refusal) = fetch(&gzip(&tar(&[file(MEMBER)])));
    assert_eq!(refusal, None);
    let path = folder.path().join("home/datasets/reviews").join(MEMBER);
    assert_eq!(fs::read(path).expect("fetched"), CONTENT);
}
