//! A hub that sends its clients elsewhere, too much, too little, or never an end.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bert_hub::{AskHub, FetchOptions, Fetcher, HubName, NoProgress};

use crate::{assert_words, chain};

const COMMIT: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";

/// A server that answers a request, of which it is told the first line, with bytes of its own.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                    let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                    let first = request.first().cloned().unwrap_or_default();
                    seen.lock()
                        .expect("no panic before")
                        .push(request.join("\n"));
                    answer(&first, &mut stream);
                });
            }
        });
        Self { url, requests }
    }
}

/// A client that has seen enough closes the connection.
fn send(stream: &mut TcpStream, text: &str) -> bool {
    stream.write_all(text.as_bytes()).is_ok()
}

fn listing(stream: &mut TcpStream) {
    let body = format!(
        r#"{{"sha": "{COMMIT}", "siblings": [{{"rfilename": "config.json"}}, {{"rfilename": "vocab.txt"}}, {{"rfilename": "model.safetensors"}}]}}"#
    );
    send(
        stream,
        &format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
    );
}

/// A server that sends too little is given up after this.
const IMPATIENT: Duration = Duration::from_millis(500);
const PATIENT: Duration = Duration::from_secs(60);

/// What a fetch of a model from this server is refused with; nothing of it lies under its name afterwards.
fn refusal(server: &Server, timeout: Duration) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let fetcher = Fetcher::new(FetchOptions {
        hub_endpoint: server.url.clone(),
        attempts: 1,
        retry_delay: Duration::ZERO,
        timeout,
        ..FetchOptions::new(home.path())
    });
    let name = HubName::parse("owner/name").expect("a name");
    let failed = fetcher
        .fetch_hub(&name, AskHub::WhenNeeded, &mut NoProgress)
        .err();
    let snapshots = home.path().join("hub/models--owner--name/snapshots");
    let is_there = snapshots.join(COMMIT).join("config.json").exists();
    assert!(!is_there, "an unfinished file has its name");
    chain(&failed.expect("the hub is refused"))
}

#[test]
fn a_hub_that_redirects_for_ever_is_left() {
    let server = Server::start(|request, stream| match request.contains("/api/") {
        true => listing(stream),
        false => drop(send(
            stream,
            "HTTP/1.1 307 Moved\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )),
    });
    assert_words(
        &refusal(&server, PATIENT),
        &["config.json", "redirected 5 times"],
    );
    let requests = server.requests.lock().expect("no panic before").len();
    assert!(requests < 10, "{requests} requests");
}

#[test]
fn a_body_without_an_end_is_cut_off_at_a_size() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    // A list of files is the only thing whose size the hub never states: it is read into the memory.
    let server = Server::start(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(1 << 16));
        let mut goes_on = send(stream, head);
        while goes_on {
            goes_on = send(stream, &chunk);
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_words(
        &refusal(&server, PATIENT),
        &["/api/models/owner/name", "limit"],
    );
    let sent = sent.load(Ordering::Relaxed) << 16;
    assert!(sent < 80 << 20, "{sent} bytes were taken");
}

#[test]
fn a_file_that_is_announced_too_large_is_refused_before_it_is_read() {
    let server = Server::start(|request, stream| match request {
        request if request.contains("/api/") => listing(stream),
        request if request.starts_with("HEAD") => drop(send(
            stream,
            "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nX-Repo-Commit: 1110a243fdf4706b3f48f1d95db1a4f5529b4d41\r\nConnection: close\r\n\r\n",
        )),
        _ => drop(send(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\nConnection: close\r\n\r\n{",
        )),
    });
    assert_words(
        &refusal(&server, PATIENT),
        &["config.json", "more than 8589934592 bytes"],
    );
}

/// Announces a body and sends it byte by byte, until nobody reads it.
fn drip(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n";
    let mut goes_on = send(stream, head);
    while goes_on {
        thread::sleep(Duration::from_millis(50));
        goes_on = send(stream, " ");
    }
}

#[test]
fn a_file_that_comes_byte_by_byte_is_given_up() {
    let server = Server::start(|request, stream| match request {
        request if request.contains("/api/") => listing(stream),
        request if request.starts_with("HEAD") => drop(send(
            stream,
            "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nX-Repo-Commit: 1110a243fdf4706b3f48f1d95db1a4f5529b4d41\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n",
        )),
        _ => drip(stream),
    });
    assert_words(
        &refusal(&server, IMPATIENT),
        &["config.json", "sent less than 1024 bytes a second"],
    );
}

#[test]
fn a_list_that_comes_byte_by_byte_is_given_up() {
    let server = Server::start(|_, stream| drip(stream));
    assert_words(
        &refusal(&server, IMPATIENT),
        &["/api/models/owner/name", "timeout"],
    );
}

#[test]
fn a_body_that_ends_too_early_is_refused() {
    let server = Server::start(|request, stream| match request.contains("/api/") {
        true => drop(send(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{\"sha\": \"1110a2",
        )),
        false => listing(stream),
    });
    assert_words(&refusal(&server, PATIENT), &["/api/models/owner/name"]);
}
