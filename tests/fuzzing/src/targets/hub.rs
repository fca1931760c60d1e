//! What a hub answers, and what lies in its archives.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use bert_hub::{AskHub, FetchOptions, Fetcher, HubName, Manifest, NoProgress};
use sha2::{Digest, Sha256};

use crate::room::Room;

/// Between two answers.
const MARK: &[u8] = b"\n>>>>\n";
const MODEL: &str = "owner/name";
/// A request is shorter than this.
const REQUEST_BYTES: usize = 1 << 14;

/// A manifest, and in the other files of the input what a cache holds: `weights-lock.toml`, for one.
pub fn manifest(input: &[u8]) {
    let room = Room::new(&[], "manifest.toml", input);
    let fetcher = Fetcher::new(FetchOptions {
        offline: true,
        ..FetchOptions::new(room.path())
    });
    if let Some(name) = HubName::parse(MODEL) {
        let _ = fetcher.fetch_hub(&name, AskHub::WhenNeeded, &mut NoProgress);
    }
    let text = std::fs::read(room.path().join("manifest.toml")).unwrap_or_default();
    if let Ok(manifest) = Manifest::parse(&String::from_utf8_lossy(&text)) {
        for entry in manifest.entries() {
            let _ = fetcher.cached(entry);
            let _ = manifest.entry(&entry.name);
        }
    }
}

/// An archive that a manifest names with its hash.
pub fn archive(input: &[u8]) {
    let room = Room::new(&[], "archive", input);
    let bytes = std::fs::read(room.path().join("archive")).unwrap_or_default();
    let manifest = archive_manifest(&bytes);
    let fetcher = Fetcher::new(FetchOptions {
        offline: true,
        datasets: Some(room.path().to_owned()),
        ..FetchOptions::new(room.path().join("home"))
    });
    let manifest = Manifest::parse(&manifest).expect("a manifest of ours");
    for entry in manifest.entries() {
        let _ = fetcher.fetch(entry, &mut NoProgress);
    }
}

fn archive_manifest(archive: &[u8]) -> String {
    let digest = Sha256::digest(archive);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        r#"
        [[entry]]
        name = "a"
        kind = "dataset"
        licence = "none"
        description = "none"
        files = [{{ path = "a/b.txt" }}]
        sources = [{{ url = {{ url = "https://localhost/archive", sha256 = "{hash}" }} }}]
        "#
    )
}

/// The answers of a hub, each as it goes over the wire, with a mark between them. The last one is given again.
pub fn hub(input: &[u8]) {
    let server = server();
    server.serve(input);
    let room = Room::new(&[], "unused", b"");
    let fetcher = Fetcher::new(FetchOptions {
        hub_endpoint: server.url.clone(),
        attempts: 2,
        retry_delay: Duration::ZERO,
        timeout: Duration::from_secs(2),
        ..FetchOptions::new(room.path())
    });
    if let Some(name) = HubName::parse(MODEL) {
        let _ = fetcher.fetch_hub(&name, AskHub::WhenNeeded, &mut NoProgress);
    }
}

/// A server of this process, which answers with the bytes of the input under way.
struct Server {
    url: String,
    answers: Arc<Mutex<Vec<Vec<u8>>>>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let answers = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::clone(&answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &served);
            }
        });
        Self { url, answers }
    }

    /// Makes the answers of an input those of the next requests.
    fn serve(&self, input: &[u8]) {
        let mut answers = Vec::new();
        let mut rest = input;
        while let Some(at) = rest.windows(MARK.len()).position(|bytes| bytes == MARK) {
            answers.push(rest[..at].to_vec());
            rest = &rest[at + MARK.len()..];
        }
        answers.push(rest.to_vec());
        answers.reverse();
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }
}

/// Answers one request and closes the connection, so that no client waits.
fn answer(mut stream: TcpStream, answers: &Mutex<Vec<Vec<u8>>>) {
    let mut request = vec![0; REQUEST_BYTES];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = stream.read(&mut request);
    let next = {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.len() {
            0 | 1 => answers.last().cloned(),
            _ => answers.pop(),
        }
    };
    // A client that has seen enough may close first.
    let _ = stream.write_all(&next.unwrap_or_default());
}
