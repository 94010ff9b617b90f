//! Schemathesis, which reads the description and asks for everything in it, right and wrong: what it is answered is
//! what the description says.
//!
//! `SOCIAL_EXAMPLES=N` has it ask for more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Role;

use crate::ear::listen;
use crate::files::{begin, file, wav, world};
use crate::world::{Engine, PASSWORD, Person, World};

/// How often it asks each route on each store as each role, beside what it asks of every route.
const EXAMPLES: &str = "3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_on_sqlite_is_answered_as_the_description_says() {
    is_as_described(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_on_postgres_is_answered_as_the_description_says() {
    is_as_described(Engine::Postgres).await;
}

async fn is_as_described(engine: Engine) {
    let world = world(engine).await;
    let mut all = Vec::new();
    for role in [Role::User, Role::Moderator, Role::Admin] {
        all.push((role, Asked::prepare(&world, role).await));
    }
    let address = listen(world.router.clone()).await;
    let jobs = world.jobs.clone();
    let working = tokio::spawn(async move { jobs.run(std::future::pending()).await });
    for (role, asked) in all {
        // A clock that runs fast, or nearly every answer would be that it was too often.
        let clock = world.clock.clone();
        let running = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                clock.advance(Duration::from_secs(60));
            }
        });
        let said = asked.run(&format!("http://{address}"), &world.folder).await;
        running.abort();
        let mut asker = Person::signed_in(world.router.clone(), &asked.token);
        assert_eq!(
            asker.get("/account").await.status,
            StatusCode::OK,
            "they were asked as somebody"
        );
        eprintln!("{engine:?} as {role:?}:\n{said}");
    }
    working.abort();
}

/// As whom it asks, and what there is for them.
struct Asked {
    token: String,
    leaver: String,
    there: Value,
    /// Which routes, where not all.
    what: &'static [&'static str],
}

impl Asked {
    async fn prepare(world: &World, role: Role) -> Self {
        let word = role.word();
        let mut asker = world.account_with(&format!("{word}0"), role).await;
        let mut other = world.account(&format!("{word}1")).await;
        let leaver = world.account(&format!("{word}2")).await;
        let mut tablet = world.device();
        let tablet = tablet.sign_in(&format!("{word}2"), PASSWORD).await;
        let chat = asker.group(&[&format!("{word}1")]).await;
        let mut messages = Vec::new();
        for person in [&mut asker, &mut other] {
            let sent = person.send(&chat, "hello").await;
            messages.push(sent["id"].as_str().expect("an id").to_owned());
        }
        let sound = file(&mut asker, "x.wav", &wav(1000)).await;
        let comment = json!({ "at_ms": 1, "text": "here" });
        let comment = asker.post(&format!("/files/{sound}/comments"), comment).await.text("id");
        let upload = begin(&mut asker, "y.wav", 1000).await;
        let report = json!({
            "kind": "person", "username": format!("{word}1"), "reason": "spam", "text": "",
        });
        let report = leaver.clone().post("/reports", report).await.text("id");
        let there = json!({
            "account": [other.id().await],
            "chat": [chat],
            "message": messages,
            "file": [sound],
            "comment": [comment],
            "upload": [upload],
            "report": [report],
            "username": [format!("{word}0"), format!("{word}1")],
            "session": [tablet.body["session"]["id"]],
            "emoji": ["\u{1f941}", "x"],
        });
        let token = |person: Person| person.token.expect("signed in");
        // Of the others, everybody who is signed in may ask for the same.
        let what: &[&str] = match role {
            Role::User => &[],
            Role::Moderator | Role::Admin => &["--include-path-regex", "/(moderation|admin)/"],
        };
        Self { token: token(asker), leaver: token(leaver), there, what }
    }

    /// Has everything asked; what was said of it, which is that nothing was found.
    async fn run(&self, url: &str, folder: &Path) -> String {
        let examples = std::env::var("SOCIAL_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
        // It leaves files where it runs.
        for (name, text) in FILES {
            std::fs::write(folder.join(name), text).expect("written");
        }
        let output = tokio::process::Command::new("python3")
            .args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"])
            .arg(format!("{url}/openapi.json"))
            .args(["--max-examples", &examples])
            .args(self.what)
            .current_dir(folder)
            .env("PYTHONPATH", packages())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VJAM_TEST_THERE", self.there.to_string())
            .env("VJAM_TEST_TOKEN", &self.token)
            .env("VJAM_TEST_LEAVER", &self.leaver)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("python3");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !wrong.contains("No module named"),
            "schemathesis is needed for this test: `cargo xtask test` installs it\n{wrong}"
        );
        assert!(output.status.success(), "{said}\n{wrong}");
        said
    }
}

/// What it is told.
const FILES: [(&str, &str); 2] = [
    ("schemathesis.toml", include_str!("../schemathesis/schemathesis.toml")),
    ("hooks.py", include_str!("../schemathesis/hooks.py")),
];

/// Where `cargo xtask test` installs it.
fn packages() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it has one");
    target.join("schemathesis")
}
