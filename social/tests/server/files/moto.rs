//! A real program that speaks S3, moto, started once for this test binary and stopped with it.

use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use social::objects::{Encryption, S3Config};

static SERVER: OnceLock<String> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A fresh bucket.
pub(crate) fn fresh() -> S3Config {
    let endpoint = SERVER.get_or_init(start).clone();
    let bucket = format!("jam-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let made = ureq::put(format!("{endpoint}/{bucket}")).send_empty();
    made.expect("a fresh bucket");
    S3Config {
        endpoint: Some(endpoint),
        bucket,
        region: "us-east-1".into(),
        access_key: "tests".into(),
        secret_key: "tests' own".into(),
        encryption: Encryption::Aes256,
    }
}

/// Sets a bucket up otherwise.
pub(crate) fn set(config: &S3Config, what: &str, xml: &str) {
    let endpoint = config.endpoint.as_ref().expect("it has one");
    let set = ureq::put(format!("{endpoint}/{}?{what}", config.bucket));
    set.header("authorization", WHOEVER).send(xml).expect("it is set");
}

/// What it says of an object: the value of a header, or nothing.
pub(crate) fn header(config: &S3Config, key: &str, name: &str) -> Option<String> {
    let endpoint = config.endpoint.as_ref().expect("it has one");
    let head = ureq::head(format!("{endpoint}/{}/{key}", config.bucket));
    let head = head.header("authorization", WHOEVER).call();
    let head = head.expect("the object is there");
    head.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
}

/// What it keeps of an object.
pub(crate) fn bytes(config: &S3Config, key: &str) -> Vec<u8> {
    let endpoint = config.endpoint.as_ref().expect("it has one");
    let got = ureq::get(format!("{endpoint}/{}/{key}", config.bucket));
    let got = got.header("authorization", WHOEVER).call();
    got.expect("the object is there").body_mut().read_to_vec().expect("its bytes")
}

fn start() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a free port").port();
    // The pipe breaks with this process, however it ends, and the server with it.
    let script = "python3 -m moto.server -H 127.0.0.1 -p \"$1\" <&- >/dev/null 2>\"$2\" & \
                  server=$!; cat >/dev/null; kill -KILL $server; rm -f \"$2\"";
    let log = std::env::temp_dir().join(format!("vjam-moto-{}.log", std::process::id()));
    let mut watcher = Command::new("sh");
    watcher
        .args(["-c", script, "sh", &port.to_string()])
        .arg(&log)
        .env("PYTHONPATH", packages())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    std::mem::forget(watcher.spawn().expect("a shell"));
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(
            Instant::now() < until && !said.contains("No module named"),
            "moto is needed for this test, and does not start: `cargo xtask test` installs it\n{said}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    format!("http://127.0.0.1:{port}")
}

/// It does not look at signatures, but at whether there is one.
pub(crate) const WHOEVER: &str =
    "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request";

/// Where `cargo xtask test` installs it.
fn packages() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it has one");
    target.join("moto")
}

/// Follows a link: the type, whether to keep or show it, and the bytes.
pub(crate) fn follow(url: &str) -> (String, String, Vec<u8>) {
    let mut got = ureq::get(url).call().expect("it leads somewhere");
    let text = |name: &str| {
        got.headers().get(name).map_or("", |value| value.to_str().expect("text")).to_owned()
    };
    let (kind, how) = (text("content-type"), text("content-disposition"));
    (kind, how, got.body_mut().read_to_vec().expect("its bytes"))
}
