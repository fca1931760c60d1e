//! A web server, a progress recorder and manifests for the fetch tests. Nothing here leaves the machine.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bert_hub::{Entry, FetchOptions, Fetcher, Manifest, Progress};
use sha2::{Digest, Sha256};

/// A request as the server saw it; header names are lower case.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
}

/// What the server answers.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection closes after this many bytes of the body.
    pub(crate) cut_after: Option<usize>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut_after: None,
        }
    }

    pub(crate) fn body(body: &[u8]) -> Self {
        Self {
            body: body.to_vec(),
            ..Self::status(200)
        }
    }

    /// The file, or the part of it that a range asks for.
    pub(crate) fn file(request: &Request, content: &[u8], etag: Option<&str>) -> Self {
        let start = request
            .headers
            .get("range")
            .filter(|_| {
                request
                    .headers
                    .get("if-range")
                    .is_none_or(|wanted| Some(wanted.as_str()) == etag)
            })
            .and_then(|range| {
                range
                    .strip_prefix("bytes=")?
                    .strip_suffix('-')?
                    .parse::<usize>()
                    .ok()
            });
        let mut reply = match start {
            Some(start) => Self {
                status: 206,
                headers: vec![(
                    "Content-Range",
                    format!("bytes {start}-{}/{}", content.len() - 1, content.len()),
                )],
                ..Self::body(&content[start..])
            },
            None => Self::body(content),
        };
        if let Some(etag) = etag {
            reply.headers.push(("ETag", etag.to_owned()));
        }
        reply
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An HTTP server on a free port, one connection a request.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers with `answer`, which is given the request and its number, counted from 0.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, answer.as_ref()));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .expect("no test panics while it holds the list")
            .clone()
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request, usize) -> Reply,
) {
    let Some(request) = read_request(&stream) else {
        return;
    };
    let number = {
        let mut seen = seen.lock().expect("no test panics while it holds the list");
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = answer(&request, number);
    let mut head = format!(
        "HTTP/1.1 {} Stand-in\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Connection: close\r\n\r\n");
    let sent = if request.method == "HEAD" {
        0
    } else {
        reply.cut_after.unwrap_or(reply.body.len())
    };
    // A client that has seen enough may close first.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&reply.body[..sent]));
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        })
        .collect();
    Some(Request {
        method,
        path,
        headers,
    })
}

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

pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
