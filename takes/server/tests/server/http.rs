//! Takes over HTTP, with the client that native apps upload with.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use takes::{StemId, TakeId};
use takes_server::limits::{BODY_BYTES_MAX, Limits, PIECE_BYTES, UPLOADS_PER_ADDRESS_MAX};
use takes_server::{Begin, Takes, TakesThreads, routes};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::stem::{START, record, stem_id, take_id};
use crate::store::{KEY, begin, claim, folder, limits};

/// A server on a free port.
pub(crate) struct Server {
    http: SocketAddr,
    pub(crate) takes: Takes,
    agent: Agent,
    _threads: Option<TakesThreads>,
    _runtime: Runtime,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) fn start(data: &Path, limits: Limits) -> Self {
        let (takes, threads) = Takes::start(data, limits, Box::new(|_, _| {}));
        Self::serve(takes, threads)
    }

    fn serve(takes: Takes, threads: Option<TakesThreads>) -> Self {
        let runtime = Runtime::new().expect("threads");
        // Everybody comes from one address.
        let router = routes(takes.clone(), |_| Some(1));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let http = listener.local_addr().expect("bound");
        runtime.spawn(async { axum::serve(listener, router).await });
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { http, takes, agent, _threads: threads, _runtime: runtime }
    }

    /// A server with takes that have begun.
    pub(crate) fn with_takes(data: &Path, takes: &[Begin]) -> Self {
        let server = Self::start(data, limits());
        for begin in takes {
            server.takes.started(begin.clone());
            // Requests do not stand in the queue of events.
            let path = take_path(begin.take);
            server.until(|| server.get(&path, KEY).status != 404);
        }
        server
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.link(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answered = match method {
            "GET" | "HEAD" => self.agent.run(request.body(()).expect("a good request")),
            _ => self.agent.run(request.body(body).expect("a good request")),
        };
        let mut response = answered.expect("an answer");
        let body = response.body_mut().read_to_vec().expect("read");
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    fn link(&self, path: &str) -> String {
        format!("http://{}/api/v1/takes/{path}", self.http)
    }

    fn get(&self, path: &str, key: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &format!("Bearer {key}"))], b"")
    }

    fn head(&self, path: &str) -> Answer {
        self.ask("HEAD", path, &[("authorization", BEARER)], b"")
    }

    fn patch(&self, path: &str, offset: usize, bytes: &[u8]) -> Answer {
        let offset = offset.to_string();
        let headers = [("authorization", BEARER), ("upload-offset", offset.as_str())];
        self.ask("PATCH", path, &headers, bytes)
    }

    fn complete(&self, path: &str, bytes: &[u8]) -> Answer {
        let (path, body) = (format!("{path}/complete"), claim_json(bytes));
        self.ask("POST", &path, &[("authorization", BEARER)], body.as_bytes())
    }

    /// Sends what is not there, and says that it is whole.
    pub(crate) fn upload(&self, path: &str, bytes: &[u8]) -> Answer {
        let mut offset = self.head(path).offset().unwrap_or(0);
        while offset < bytes.len() {
            let end = bytes.len().min(offset + 100_000);
            let answer = self.patch(path, offset, &bytes[offset..end]);
            // 409 where a piece of an earlier request was still on its way to the disk.
            assert!(matches!(answer.status, 204 | 409), "{}", answer.text());
            offset = answer.offset().expect("it is told");
        }
        self.complete(path, bytes)
    }

    /// A request that stays in the middle of its body.
    fn begin_patch(&self, path: &str, length: usize, begun: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.http).expect("it listens");
        write!(
            stream,
            "PATCH /api/v1/takes/{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {BEARER}\r\n\
             Upload-Offset: 0\r\nContent-Length: {length}\r\n\r\n",
            self.http
        )
        .and_then(|()| stream.write_all(begun))
        .expect("written");
        stream
    }

    /// Asks until it is so.
    pub(crate) fn until(&self, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed().as_secs() < 60, "nothing comes of it");
        }
    }
}

impl Answer {
    fn offset(&self) -> Option<usize> {
        self.header("upload-offset")?.parse().ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// [`KEY`] as a header has it.
const BEARER: &str = "Bearer 5ec2e75ec2e75ec2e75ec2e75ec2e750";

fn claim_json(bytes: &[u8]) -> String {
    let claim = claim(bytes);
    json!({"length": claim.length, "sha256": claim.sha256}).to_string()
}

pub(crate) fn take_path(take: TakeId) -> String {
    take.to_string()
}

pub(crate) fn stem_path(take: TakeId, stem: StemId) -> String {
    format!("{take}/stems/{stem}")
}

#[test]
fn a_stem_that_a_cut_connection_brought_in_part_goes_on() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let (take, stem) = (take_id(1), stem_id(1));
    let path = stem_path(take, stem);
    let bytes = record(take, stem, "Ana", 8);
    assert_eq!(server.head(&path).status, 404, "nothing is there yet");
    let connection = server.begin_patch(&path, bytes.len(), &bytes[..PIECE_BYTES * 3 + 100]);
    server.until(|| server.head(&path).offset() >= Some(PIECE_BYTES * 3));
    drop(connection);
    // What comes after the last whole piece may be there or not: the server says.
    let answer = server.upload(&path, &bytes);
    assert_eq!(answer.status, 204, "{}", answer.text());
    let head = server.head(&path);
    assert_eq!(head.offset(), Some(bytes.len()));
    assert_eq!(head.header("upload-complete"), Some("?1"));
    let status = server.get(&take_path(take), KEY).json();
    assert_eq!(status["stems"][0]["state"], "complete", "{status}");
    assert_eq!(status["stems"][0]["bytes"], bytes.len());
}

#[test]
fn what_does_not_fit_is_answered_with_where_the_stem_ends() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let (take, stem) = (take_id(1), stem_id(1));
    let path = stem_path(take, stem);
    let bytes = record(take, stem, "Ana", 1);
    assert_eq!(server.patch(&path, 0, &bytes[..1000]).offset(), Some(1000));
    for wrong in [0, 999, 2000] {
        let answer = server.patch(&path, wrong, &bytes);
        assert_eq!((answer.status, answer.offset()), (409, Some(1000)), "{}", answer.text());
        assert!(answer.text().contains("byte 1000"), "{}", answer.text());
    }
    let early = server.complete(&path, &bytes);
    assert_eq!((early.status, early.offset()), (409, Some(1000)));
    let mut damaged = bytes.clone();
    damaged[5000] ^= 1;
    let other = stem_path(take, stem_id(2));
    server.patch(&other, 0, &damaged);
    let mismatch = server.complete(&other, &bytes);
    assert_eq!((mismatch.status, mismatch.offset()), (409, Some(0)), "{}", mismatch.text());
    assert!(mismatch.text().contains("again"), "{}", mismatch.text());
    assert_eq!(server.upload(&other, &bytes).status, 204);
}

#[test]
fn names_and_keys_of_strangers_lead_nowhere() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let take = take_id(1).to_string();
    let good = stem_path(take_id(1), stem_id(1));
    let traversal = format!("{take}/stems/..%2F..%2F..%2Fescaped");
    let upper = format!("{take}/stems/{}", stem_id(1).to_string().to_uppercase());
    let other = stem_path(take_id(2), stem_id(1));
    let short = format!("{take}/stems/{}", &stem_id(1).to_string()[1..]);
    let hostile = format!("..%2F{}/stems/{}", &take[3..], stem_id(1));
    for path in [&traversal, &upper, &other, &short, &hostile] {
        assert_eq!(server.patch(path, 0, b"abc").status, 404, "{path}");
        assert_eq!(server.head(path).status, 404, "{path}");
    }
    for (headers, status) in [
        (&[][..], 401),
        (&[("authorization", "Basic abc")][..], 401),
        (&[("authorization", "Bearer 0123456789abcdef0123456789abcdef")][..], 403),
        (&[("authorization", "Bearer ../../../../../../etc/passwd0000")][..], 403),
    ] {
        let headers = [headers, &[("upload-offset", "0")]].concat();
        let answer = server.ask("PATCH", &good, &headers, b"abc");
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert_eq!(server.ask("GET", &take, &headers, b"").status, status);
        assert_eq!(server.ask("GET", &format!("{take}/take.zip"), &headers, b"").status, status);
        let (path, body) = (format!("{good}/complete"), claim_json(b"abc"));
        assert_eq!(server.ask("POST", &path, &headers, body.as_bytes()).status, status);
    }
    assert_eq!(server.ask("PATCH", &good, &[("authorization", BEARER)], b"abc").status, 400);
    let nonsense = [("authorization", BEARER), ("upload-offset", "-1")];
    assert_eq!(server.ask("PATCH", &good, &nonsense, b"abc").status, 400);
    for body in ["", "{}", r#"{"length":1,"sha256":"abc"}"#, r#"{"length":-1}"#] {
        let path = format!("{good}/complete");
        let answer = server.ask("POST", &path, &[("authorization", BEARER)], body.as_bytes());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(server.head(&good).status, 404, "nothing came of all that");
    let mut left: Vec<_> = std::fs::read_dir(data.path()).expect("ours").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let takes = left.remove(0).expect("ours").path();
    assert_eq!(std::fs::read_dir(takes).expect("ours").count(), 2, "the lock and one take");
}

#[test]
fn a_take_is_told_to_whoever_has_its_key_and_without_secrets() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let (take, stem) = (take_id(1), stem_id(1));
    server.takes.present(take, 1, "Ana".to_owned());
    server.takes.marked(take, START.plus_ns(500_000_000), "solo".to_owned());
    server.takes.stopped(take, START.plus_ns(1_000_000_000));
    let bytes = record(take, stem, "Ana", 1);
    assert_eq!(server.upload(&stem_path(take, stem), &bytes).status, 204);
    let path = take_path(take);
    server.until(|| server.get(&path, KEY).json()["seconds"] == 1.0);
    let with_header = server.get(&path, KEY);
    let status = with_header.json();
    assert_eq!(status["title"], "Take 1");
    assert_eq!(status["room"], "r");
    assert_eq!(status["markers"], json!([{"at_seconds": 0.5, "text": "solo"}]));
    let stem_told = &status["stems"][0];
    assert_eq!(stem_told["name"], "Ana");
    assert_eq!(stem_told["label"], "mic");
    let in_link = server.ask("GET", &format!("{path}?key={KEY}"), &[], b"");
    assert_eq!(in_link.json()["title"], "Take 1");
    for secret in [KEY, &stem.to_string()] {
        assert!(!with_header.text().contains(secret), "{}", with_header.text());
    }
}

#[test]
fn a_request_brings_so_much_and_no_more() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let path = stem_path(take_id(1), stem_id(1));
    let large = vec![1; BODY_BYTES_MAX + 1];
    let answer = server.patch(&path, 0, &large);
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(server.head(&path).status, 404);
    assert_eq!(server.patch(&path, 0, &large[1..]).offset(), Some(BODY_BYTES_MAX));
}

#[test]
fn many_stems_arrive_at_once() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let take = take_id(1);
    std::thread::scope(|scope| {
        for number in 0..6 {
            let server = &server;
            scope.spawn(move || {
                let stem = stem_id(number);
                let bytes = record(take, stem, &format!("Player {number}"), 3);
                let answer = server.upload(&stem_path(take, stem), &bytes);
                assert_eq!(answer.status, 204, "{}", answer.text());
            });
        }
    });
    let status = server.get(&take_path(take), KEY).json();
    let stems = status["stems"].as_array().expect("a list");
    assert_eq!(stems.len(), 6);
    assert!(stems.iter().all(|stem| stem["state"] == "complete"), "{status}");
}

#[test]
fn one_address_uploads_so_much_at_once() {
    let data = folder();
    let server = Server::with_takes(data.path(), &[begin(1, "r")]);
    let path = |number: usize| stem_path(take_id(1), stem_id(u8::try_from(number).expect("few")));
    let begun = vec![1; PIECE_BYTES];
    let open: Vec<_> = (0..UPLOADS_PER_ADDRESS_MAX)
        .map(|number| {
            let connection = server.begin_patch(&path(number), PIECE_BYTES + 1, &begun);
            server.until(|| server.head(&path(number)).offset() == Some(PIECE_BYTES));
            connection
        })
        .collect();
    let refused = server.patch(&path(20), 0, b"abc");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(server.get(&take_path(take_id(1)), KEY).status, 200, "looking is no upload");
    drop(open);
    server.until(|| server.patch(&path(20), 0, b"abc").status == 204);
}

#[test]
fn what_there_is_no_room_for_is_said_with_what_to_do() {
    let data = folder();
    drop(Server::with_takes(data.path(), &[begin(1, "r")]));
    let small = Limits { quota_bytes: 1000, ..limits() };
    let server = Server::start(data.path(), small);
    let path = stem_path(take_id(1), stem_id(1));
    let answer = server.patch(&path, 0, &[1; 1001]);
    assert_eq!(answer.status, 507);
    assert!(answer.text().contains("--takes-quota"), "{}", answer.text());
    assert_eq!(server.patch(&path, 0, &[1; 1000]).status, 204);
}

#[test]
fn a_server_without_takes_says_so() {
    let reason = "whoever runs it has turned them off".to_owned();
    let server = Server::serve(Takes::off(reason.clone()), None);
    let answer = server.get(&take_path(take_id(1)), KEY);
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains(&reason), "{}", answer.text());
    assert_eq!(server.patch(&stem_path(take_id(1), stem_id(1)), 0, b"abc").status, 503);
    let refused = server.takes.admit("r").expect_err("none begins").to_string();
    assert!(refused.contains(&reason), "{refused}");
    // A folder that cannot be: a file stands in its place.
    let data = folder();
    std::fs::write(data.path().join("file"), b"").expect("ours");
    let broken = Server::start(&data.path().join("file"), limits());
    let refused = broken.takes.admit("r").expect_err("none begins").to_string();
    assert!(refused.contains("data folder cannot be used"), "{refused}");
}
