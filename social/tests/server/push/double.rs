//! The push service of the tests, which is a program of its own (`social/tests/push`): it checks who signs, and reads
//! what arrives with another implementation than ours.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::world::{Engine, Person, World};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/push");

/// The service, until it is dropped.
pub(super) struct Service {
    pub(super) origin: String,
    _child: Child,
}

/// Runs a test on each kind of database, with a server that may ask a service on this machine.
pub(super) async fn for_each_service(test: impl AsyncFn(World, Service)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let allow = |config: &mut social::Config| config.push.allows_loopback = true;
        test(World::with(engine, allow).await, Service::start().await).await;
    }
}

impl Service {
    pub(super) async fn start() -> Self {
        let mut child = Command::new("node")
            .current_dir(FOLDER)
            .arg("double.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let origin = lines.next_line().await.expect("reads");
        let origin = origin.expect("it starts; run `cargo xtask test` once, which installs it");
        Self { origin, _child: child }
    }

    async fn control(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/control/{what}", self.origin);
        let asked = tokio::task::spawn_blocking(move || {
            let mut answer = ureq::post(&url).send(body.to_string()).expect("it answers");
            answer.body_mut().read_to_string().expect("text")
        });
        serde_json::from_str(&asked.await.expect("asked")).expect("JSON")
    }

    /// Switches a browser of somebody's on; what it got from the service.
    pub(super) async fn switch_on(&self, person: &mut Person) -> Value {
        let key = person.get("/account/push").await.text("key");
        let browser = self.control("browser", json!({ "key": key })).await;
        person.put("/account/push", browser.clone()).await.is_done();
        browser
    }

    /// A browser of nobody's yet.
    pub(super) async fn browser(&self, key: &str) -> Value {
        self.control("browser", json!({ "key": key })).await
    }

    /// What it answers next, instead of taking what comes.
    pub(super) async fn answers(&self, next: Value) {
        self.control("answer", next).await;
    }

    /// What arrived and could be read, since it was last asked this.
    pub(super) async fn arrived(&self) -> Vec<Value> {
        self.control("arrived", json!({})).await.as_array().expect("a list").clone()
    }

    /// How often it was asked, whatever it answered.
    pub(super) async fn requests(&self) -> u64 {
        self.control("requests", json!({})).await.as_u64().expect("a number")
    }
}

/// What a push that arrived says.
pub(super) fn said(arrived: &Value) -> Value {
    serde_json::from_str(arrived["text"].as_str().expect("text")).expect("JSON")
}
