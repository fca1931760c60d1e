//! A progress recorder and manifests for the fetch tests.

use std::path::Path;
use std::time::Duration;

use bert_hub::{Entry, FetchOptions, Fetcher, Manifest, Progress};

pub(crate) use crate::server::{Reply, Server};
pub(crate) use crate::stand_in::sha256;

/// Keeps what it is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) starts: Vec<(String, u64, Option<u64>)>,
    pub(crate) bytes: u64,
    pub(crate) finished: usize,
    pub(crate) notes: Vec<String>,
}

impl Progress for Recorder {
    fn start(&mut self, file: &str, done_bytes: u64, total_bytes: Option<u64>) {
        self.starts.push((file.to_owned(), done_bytes, total_bytes));
    }

    fn advance(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    fn finish(&mut self) {
        self.finished += 1;
    }

    fn note(&mut self, message: &str) {
        self.notes.push(message.to_owned());
    }
}

impl Recorder {
    pub(crate) fn has_note(&self, part: &str) -> bool {
        self.notes.iter().any(|note| note.contains(part))
    }
}

/// Bytes without a pattern that a wrong offset could hide in.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| ((index * 31) ^ (index >> 7)) as u8)
        .collect()
}

/// Options that wait for nothing and know no environment.
pub(crate) fn options(home: &Path) -> FetchOptions {
    FetchOptions {
        retry_delay: Duration::ZERO,
        timeout: Duration::from_secs(20),
        ..FetchOptions::new(home)
    }
}

pub(crate) fn fetcher(home: &Path) -> Fetcher {
    Fetcher::new(options(home))
}

pub(crate) fn offline(home: &Path) -> Fetcher {
    Fetcher::new(FetchOptions {
        offline: true,
        ..options(home)
    })
}

/// The entry `tiny` with these files and sources, in the manifest's own notation.
pub(crate) fn entry(files: &[String], sources: &[String]) -> Entry {
    let text = format!(
        "[[entry]]\nname = \"tiny\"\nkind = \"model\"\nlicence = \"MIT\"\ndescription = \"a test\"\nfiles = [{}]\nsources = [{}]\n",
        files.join(", "),
        sources.join(", ")
    );
    let manifest = Manifest::parse(&text).unwrap_or_else(|refused| panic!("{refused}\n{text}"));
    manifest
        .entry("tiny")
        .expect("the entry just written")
        .clone()
}

pub(crate) fn verified(path: &str, content: &[u8]) -> String {
    format!(
        "{{ path = \"{path}\", sha256 = \"{}\", size = {} }}",
        sha256(content),
        content.len()
    )
}

pub(crate) fn unverified(path: &str) -> String {
    format!("{{ path = \"{path}\" }}")
}

pub(crate) fn url(address: &str) -> String {
    format!("{{ url = {{ url = \"{address}\" }} }}")
}

pub(crate) fn folder(path: &Path) -> String {
    format!("{{ path = {{ folder = '{}' }} }}", path.display())
}
