//! A process that is killed: this test binary, started once more to do one thing only.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use social::objects::{Encryption, ObjectsConfig, S3Config};
use social::store::DatabaseUrl;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::world::World;

/// What it says before it begins.
pub(crate) const BEGINS: &str = "begins";

/// What a server says when it answers.
pub(crate) const SERVES: &str = "serves";

/// A process on its way.
pub(crate) struct Killed {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Killed {
    /// Starts this binary with one test of it, which finds what it is told in a variable.
    pub(crate) fn start(test: &str, variable: &str, told: &Value) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", test, "--nocapture"])
            .env(variable, told.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// Lets it run for so long from where it says that, and kills it; all that it said. It may end before.
    pub(crate) async fn kill_after(mut self, mark: &str, life: Duration) -> Vec<String> {
        let mut said = Vec::new();
        let begins = |line: &String| line == mark;
        while let Some(line) = self.lines.next_line().await.expect("text") {
            said.push(line);
            if said.last().is_some_and(begins) {
                break;
            }
        }
        assert!(said.last().is_some_and(begins), "{mark} is not said: {said:?}");
        let lines = &mut self.lines;
        let hear = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                said.push(line);
            }
        };
        let _ = tokio::time::timeout(life, hear).await;
        // SIGKILL, unless it has ended; what it wrote before is still read.
        self.child.start_kill().expect("it can be killed");
        while let Some(line) = self.lines.next_line().await.expect("text") {
            said.push(line);
        }
        self.child.wait().await.expect("it is dead");
        said
    }
}

/// How often something is killed on each store: `SOCIAL_CRASH_ROUNDS=N` kills more often.
pub(crate) fn rounds(few: u64) -> u64 {
    let asked = std::env::var("SOCIAL_CRASH_ROUNDS").ok();
    asked.map_or(few, |asked| asked.parse().expect("a number of rounds"))
}

/// Where a world keeps what it keeps, for another process.
pub(crate) fn told(world: &World) -> Value {
    let database = match &world.config.database {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let objects = match &world.config.objects {
        ObjectsConfig::Disk(folder) => json!({ "folder": folder }),
        ObjectsConfig::S3(config) => {
            json!({ "endpoint": config.endpoint, "bucket": config.bucket })
        }
    };
    json!({
        "database": database,
        "folder": world.folder,
        "objects": objects,
        "now": world.now().0,
    })
}

/// The same, as the other process makes it of what it was told.
pub(crate) fn objects(told: &Value) -> ObjectsConfig {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    match told["objects"]["folder"].as_str() {
        Some(folder) => ObjectsConfig::Disk(folder.into()),
        None => ObjectsConfig::S3(S3Config {
            endpoint: Some(text(&told["objects"]["endpoint"])),
            bucket: text(&told["objects"]["bucket"]),
            region: "us-east-1".into(),
            access_key: "tests".into(),
            secret_key: "tests' own".into(),
            encryption: Encryption::Aes256,
        }),
    }
}
