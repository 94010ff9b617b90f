//! A server that is killed at any moment while files come: nothing is lost that it acknowledged.
//!
//! What surprises: the server is this same program, started once more to do nothing but serve.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use social::Social;
use social::account::Passwords;
use social::clock::ManualClock;
use social::objects::{Encryption, ObjectsConfig, S3Config};
use social::secret::ServerKey;

use super::{for_each_file_store, objects, wav};
use crate::world::{NOW, World};

/// Where the server that is killed is told what it is: its database and its objects.
const VARIABLE: &str = "VJAM_TEST_FILES_SERVER";

/// How often a server is killed, on each store.
const KILLS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_files_come_loses_nothing_that_it_acknowledged() {
    if let Ok(told) = std::env::var(VARIABLE) {
        return serve(serde_json::from_str(&told).expect("what it is told")).await;
    }
    for_each_file_store(async |world: World| {
        let ada = world.account("ada").await;
        world.work().await;
        let mut client = Client::new(&world, ada.token.expect("signed in"));
        let done = tokio::task::spawn_blocking(move || {
            client.run();
            client.files
        });
        let files = done.await.expect("no panic");
        assert!(!files.is_empty(), "some came to their end");
        // What was left over is found, and what is somebody's is not touched.
        world.clock.advance(Duration::from_secs(25 * 3600));
        world.work().await;
        world.clock.advance(Duration::from_secs(25 * 3600));
        world.work().await;
        assert_eq!(objects(&world).await.len(), files.len(), "no orphan remains");
        let mut nobody = world.device();
        nobody.token = Some(ada_token(&world).await);
        for (id, bytes) in files {
            let there = super::get(&nobody, &format!("/files/{id}/content")).await;
            assert!(there.bytes == bytes, "{id} is whole");
        }
    })
    .await;
}

async fn ada_token(world: &World) -> String {
    let mut ada = world.device();
    ada.sign_in("ada", crate::world::PASSWORD).await.text("token")
}

/// What is sent, by whom, and what of it was acknowledged.
struct Client {
    told: Value,
    token: String,
    server: Option<(Child, BufReader<ChildStderr>, String)>,
    agent: ureq::Agent,
    kills: u32,
    /// When the server that runs is killed.
    until: Instant,
    /// Files that were acknowledged whole.
    files: Vec<(String, Vec<u8>)>,
}

impl Client {
    fn new(world: &World, token: String) -> Self {
        let objects = match &world.config.objects {
            ObjectsConfig::Disk(folder) => json!({ "folder": folder }),
            ObjectsConfig::S3(config) => {
                json!({ "endpoint": config.endpoint, "bucket": config.bucket })
            }
        };
        let database = match &world.config.database {
            social::store::DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            social::store::DatabaseUrl::Postgres(url) => url.clone(),
        };
        let folder = &world.folder;
        let told = json!({ "database": database, "folder": folder, "objects": objects });
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into();
        let until = Instant::now();
        Self { told, token, server: None, agent, kills: 0, until, files: Vec::new() }
    }

    fn run(&mut self) {
        while self.kills < KILLS {
            let bytes = wav(5000 + random(40_000));
            self.file(bytes);
        }
        if let Some((mut server, ..)) = self.server.take() {
            server.kill().expect("it runs");
            server.wait().expect("it ends");
        }
    }

    /// Sends one file, however often the server dies meanwhile.
    fn file(&mut self, bytes: Vec<u8>) {
        let body = json!({ "name": "x.wav", "size": bytes.len() }).to_string();
        let (_, begun) = self.insist("POST", "/uploads", None, body.as_bytes());
        let id = begun["id"].as_str().expect("an id").to_owned();
        let path = format!("/uploads/{id}");
        let mut acknowledged = 0;
        while acknowledged < bytes.len() {
            let end = bytes.len().min(acknowledged + 64 + random(30_000) as usize);
            let part = &bytes[acknowledged..end];
            match self.ask("PATCH", &path, Some(acknowledged), part) {
                Some((200, there)) => acknowledged = offset(&there),
                Some((status, there)) => panic!("{status}: {there}"),
                None => {
                    let (status, there) = self.insist("GET", &path, None, b"");
                    assert_eq!(status, 200, "{there}");
                    let there = offset(&there);
                    // What was not acknowledged may be there, and what was is.
                    assert!(there == acknowledged || there == end, "{acknowledged} {there} {end}");
                    acknowledged = there;
                }
            }
        }
        let (status, done) = self.insist("POST", &format!("{path}/complete"), None, b"{}");
        assert_eq!((status, done["id"].as_str()), (201, Some(id.as_str())), "{done}");
        self.files.push((id, bytes));
    }

    /// Asks until there is an answer.
    fn insist(&mut self, method: &str, path: &str, at: Option<usize>, body: &[u8]) -> (u16, Value) {
        loop {
            if let Some(answer) = self.ask(method, path, at, body) {
                return answer;
            }
        }
    }

    /// Asks once; nothing where the server died over it.
    fn ask(
        &mut self,
        method: &str,
        path: &str,
        at: Option<usize>,
        body: &[u8],
    ) -> Option<(u16, Value)> {
        let url = format!("{}/api/v1/social{path}", self.address());
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        if let Some(at) = at {
            request = request.header("upload-offset", at.to_string());
        }
        let request = request.body(body.to_vec()).expect("a request");
        let (agent, until) = (self.agent.clone(), self.until);
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let answer = agent.run(request).ok().and_then(|mut answer| {
                let body = answer.body_mut().read_to_string().ok()?;
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                Some((answer.status().as_u16(), body))
            });
            let _ = tell.send(answer);
        });
        // It is killed at its moment, whatever it is doing then.
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(_) => {
                if self.kills < KILLS {
                    self.kill();
                }
                told.recv().expect("it says what came of it")
            }
        }
    }

    fn kill(&mut self) {
        if let Some((mut server, ..)) = self.server.take() {
            server.kill().expect("it runs");
            server.wait().expect("it ends");
            self.kills += 1;
        }
    }

    /// Where the server is, which is started if there is none.
    fn address(&mut self) -> String {
        if let Some((.., address)) = &self.server {
            return address.clone();
        }
        let mut server = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", TEST, "--test-threads", "1", "--nocapture"])
            .env(VARIABLE, self.told.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(server.stderr.take().expect("piped"));
        let mut address = String::new();
        while !address.starts_with("http://") {
            address.clear();
            let read = said.read_line(&mut address).expect("text");
            assert!(read != 0, "it runs");
        }
        let address = address.trim().to_owned();
        self.until = Instant::now() + Duration::from_micros(random(300_000).into());
        self.server = Some((server, said, address.clone()));
        address
    }
}

fn offset(upload: &Value) -> usize {
    let offset = upload["offset"].as_u64().unwrap_or_else(|| panic!("an offset in {upload}"));
    usize::try_from(offset).expect("fits")
}

/// Any number below.
fn random(below: u32) -> u32 {
    let [a, b, c, d, ..] = social::secret::random();
    u32::from_be_bytes([a, b, c, d]) % below
}

/// This test, as the program that runs it calls it.
const TEST: &str =
    "files::crash::a_server_that_is_killed_while_files_come_loses_nothing_that_it_acknowledged";

/// Serves until it is killed.
async fn serve(told: Value) {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut config = social::Config::embedded("x".into(), ServerKey::new([7; 32]));
    config.folder = text(&told["folder"]).into();
    config.database = text(&told["database"]).parse().expect("a URL");
    config.objects = match told["objects"]["folder"].as_str() {
        Some(folder) => ObjectsConfig::Disk(folder.into()),
        None => ObjectsConfig::S3(S3Config {
            endpoint: Some(text(&told["objects"]["endpoint"])),
            bucket: text(&told["objects"]["bucket"]),
            region: "us-east-1".into(),
            access_key: "tests".into(),
            secret_key: "tests' own".into(),
            encryption: Encryption::Aes256,
        }),
    };
    let clock = Arc::new(ManualClock::new(NOW));
    let started = Social::start_with(config, clock, Passwords::at_any_cost(4)).await;
    let (social, jobs) = started.expect("it starts");
    tokio::spawn(async move { jobs.run(std::future::pending()).await });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    eprintln!("http://{}", listener.local_addr().expect("it has one"));
    let router = social::http::routes(social, |_| None::<u8>);
    axum::serve(listener, router).await.expect("it serves");
}
