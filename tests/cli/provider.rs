//! A real OpenID Connect provider beside a server that runs as a process, and a browser that is led from one to
//! the other and back. The server is behind a proxy, as it is where it is meant for others: the browser knows it
//! by the address of the documentation.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::serving::Serve;

/// The site whose pages ask.
pub(crate) const SITE: &str = "https://jam.example";

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/social/tests/oidc");

/// The provider, until it is dropped.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    said: Receiver<String>,
    child: Child,
}

impl Provider {
    /// One for a client that comes back to this address.
    pub(crate) fn start(return_to: &str, client_id: &str, client_secret: &str) -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis().to_string();
        let mut child = Command::new("node")
            .current_dir(FOLDER)
            .args(["op.mjs", return_to, &now, client_id, client_secret])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let stdout = child.stdout.take().expect("piped");
        let (send, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let issuer = said.recv_timeout(PATIENCE);
        let issuer = issuer.expect("it starts; run `cargo xtask test` once, which installs it");
        Self { issuer, said, child }
    }

    /// Waits until it is told that it is over.
    pub(crate) fn is_told(&self) {
        assert_eq!(self.said.recv_timeout(PATIENCE).as_deref(), Ok("told"));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser: it keeps cookies, and says which page asks.
pub(crate) struct Browser<'a> {
    serve: &'a Serve,
    agent: ureq::Agent,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(serve: &'a Serve) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Self { serve, agent: config.build().into(), cookies: BTreeMap::new() }
    }

    /// Status and body of an answer, and to which page it leads.
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value, Option<String>) {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/api/v1/social{path}", self.serve.url))
            .header("host", SITE.trim_start_matches("https://"))
            .header("cookie", cookies.join("; "));
        if method != "GET" {
            request = request.header("origin", SITE).header("content-type", "application/json");
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut answer =
            self.agent.run(request.body(body).expect("a request")).expect("it answers");
        for line in answer.headers().get_all("set-cookie") {
            let (cookie, _) = line.to_str().expect("text").split_once(';').expect("a cookie");
            let (name, value) = cookie.split_once('=').expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.cookies.retain(|_, value| !value.is_empty());
        let to = answer.headers().get("location");
        let to = to.map(|to| to.to_str().expect("text").to_owned());
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default(), to)
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).1
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body, _) = self.ask("POST", path, body);
        (status, body)
    }

    /// Signs in with the provider as somebody; to which page that leads.
    pub(crate) fn goes_to(&mut self, provider: &str, name: &str) -> String {
        let body = json!({ "purpose": "sign_in" });
        let (status, there) = self.post(&format!("/identity/{provider}/begin"), &body);
        assert_eq!(status, 200, "{there}");
        let url = there["url"].as_str().expect("a URL");
        let visit =
            Command::new("node").current_dir(FOLDER).args(["visit.mjs", url, name]).output();
        let visit = visit.expect("node");
        assert!(visit.status.success(), "{}", String::from_utf8_lossy(&visit.stderr));
        let back = String::from_utf8(visit.stdout).expect("text");
        let prefix = format!("{SITE}/api/v1/social");
        let path = back.trim().strip_prefix(&prefix).expect("a path of ours").to_owned();
        let (status, body, to) = self.ask("GET", &path, &Value::Null);
        assert_eq!(status, 303, "{body}");
        to.expect("a page")
    }

    /// Makes an account of whom the provider vouches for.
    pub(crate) fn signs_up(&mut self, name: &str) -> (u16, Value) {
        let (status, age) = self.post("/age", &json!({ "born": "1990-05-17" }));
        assert_eq!(status, 200, "{age}");
        let body = json!({
            "age_token": age["age_token"], "username": name, "region": "eu", "carrier": "cookie",
        });
        self.post("/sign-ups/identity", &body)
    }
}

/// A key as the file of Apple's holds it.
pub(crate) fn fresh_key() -> String {
    let script = "const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }); \
                  process.stdout.write(privateKey.export({ type: 'pkcs8', format: 'pem' }))";
    let output = Command::new("node").args(["-e", script]).output().expect("node");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(20);
