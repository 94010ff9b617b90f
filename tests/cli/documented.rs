//! docs/self-hosting.md, done as it is written: its settings with other hosts and passwords, and its commands.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::moto;
use crate::people::{Somebody, mail, recording, write_config};
use crate::postgres;
use crate::provider::{Browser, Provider, SITE, fresh_key};
use crate::serving::{Folder, Serve};
use crate::smtp::Sink;

const PAGE: &str = include_str!("../../docs/self-hosting.md");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_about_running_a_server_works_as_it_is_written() {
    let folder = Folder::new("documented");
    let (data, backups) = (folder.0.join("data"), folder.0.join("backups"));
    std::fs::create_dir_all(&backups).expect("a folder");
    let mails = Sink::start().await;
    let bucket = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
    let provider = Provider::start(&return_to("home"), "vjam", SECRET);
    let key = fresh_key();
    let settings = |database: &str| {
        let bucket_url = format!("s3://{}", bucket.bucket);
        let endpoint = bucket.endpoint.clone().expect("it has one");
        settings(&[
            ("smtps://USER:PASSWORD@mail.example.org", &mails.url),
            ("postgres://USER:PASSWORD@db.example.org/vjam", database),
            ("s3://jam-files", &bucket_url),
            ("https://s3.example.org", &endpoint),
            ("https://id.example.org/realms/club", &provider.issuer),
            ("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n", &key),
            ("\"...\"", &format!("\"{SECRET}\"")),
        ])
    };
    let config = write_config(&data, &settings(&postgres::fresh().await));
    let arguments = ["--config", config.to_str().expect("plain ASCII")];
    let serve = Serve::start(&data, &arguments);
    let ada = Somebody::sign_up(&serve, "ada", &mails);
    let sound = recording(b"");
    let file = ada.send_file("take one.wav", &sound);
    assert!(ada.content(&file) == sound);
    people_sign_in_with_the_provider(&serve, &provider, &mails);

    // Once a day, beside the server that runs.
    let save = block("sh").find(|text| text.contains("vjam backup")).expect("the page says how");
    run(&save.replace("/backups", backups.to_str().expect("plain ASCII")), &data, &config);
    let mut made = std::fs::read_dir(&backups).expect("a folder").flatten();
    let backup = made.next().expect("a backup").path();
    assert!(made.next().is_none(), "one of it");
    assert!(backup.extension().is_some_and(|end| end == "vjam"), "{}", backup.display());

    // Stop the server, make an empty database, restore, start the server.
    drop(serve);
    std::fs::write(&config, settings(&postgres::fresh().await)).expect("ours");
    let step = "`vjam restore /backups/2026-11-28.vjam`";
    assert!(PAGE.contains(step), "the page says how");
    let bring_back =
        step.trim_matches('`').replace("/backups/2026-11-28.vjam", &backup.display().to_string());
    run(&bring_back, &data, &config);
    let serve = Serve::start(&data, &arguments);
    let Ok(ada) = Somebody::sign_in(&serve, "ada") else { panic!("she is back") };
    assert!(ada.content(&file) == sound);
}

/// Each provider of the page is a button; an account is made with the real one, used, and erased.
fn people_sign_in_with_the_provider(serve: &Serve, provider: &Provider, mails: &Sink) {
    let mut grace = Browser::new(serve);
    let buttons = grace.get("/identity/providers");
    let names: Vec<_> =
        buttons.as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Our club", "Google", "Apple", "Our sign-in"]);
    assert_eq!(grace.goes_to("home", "grace"), "/account/sign-up?with=home");
    let (status, made) = grace.signs_up("grace");
    assert_eq!(status, 201, "{made}");
    let mut again = Browser::new(serve);
    assert_eq!(again.goes_to("home", "grace"), "/account/signed-in");
    assert_eq!(again.get("/account")["email"], "grace@example.org");
    let (status, asked) = grace.post("/account/erasure", &json!({}));
    assert_eq!(status, 202, "{asked}");
    assert_eq!(asked["providers"], json!([{ "name": "Our club", "can_be_told": true }]));
    provider.is_told();
    let told = mail(mails, |mail| mail.subject.contains("Whom we told"));
    assert!(told.body.contains("to this server: Our club"), "{}", told.body);
    assert_eq!(again.get("/account")["code"], "not_signed_in");
}

/// Where a provider leads back to, as the page has it registered there.
fn return_to(id: &str) -> String {
    let registered = format!("{SITE}/api/v1/social/identity/ID/callback");
    assert!(PAGE.contains(&format!("`{registered}`")), "the page says it");
    registered.replace("ID", id)
}

/// The page's settings, all in one file, with some texts instead of others.
fn settings(changes: &[(&str, &str)]) -> String {
    let is_meant = |text: &&str| text.contains("smtp =") || text.contains("objects =");
    let parts: Vec<_> = block("toml").filter(is_meant).collect();
    assert_eq!(parts.len(), 2, "mail and PostgreSQL, and a bucket");
    let mut all = String::from("[social]\n");
    for part in parts {
        all += part.strip_prefix("[social]\n").expect("of this section");
    }
    // A list of this section, so behind all else of it.
    let providers = block("toml").filter(|text| text.contains("[[social.identity]]"));
    all.extend(providers);
    for (from, to) in changes {
        assert!(all.contains(from), "{from} stands on the page: {all}");
        all = all.replace(from, to);
    }
    all
}

/// What every secret of the page is.
const SECRET: &str = "of-the-tests";

/// The page's examples of a kind.
fn block(kind: &str) -> impl Iterator<Item = &'static str> {
    let begin = format!("```{kind}\n");
    let mut rest = PAGE;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(&begin)?;
        let (text, behind) = behind.split_once("```")?;
        rest = behind;
        Some(text)
    })
}

/// Runs a command of the page in a shell, which finds `vjam` and knows of which server it is.
fn run(command: &str, data: &Path, config: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_vjam")).parent().expect("it has one");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("text"));
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", path)
        .env("VJAM_DATA", data)
        .env("VJAM_CONFIG", config)
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
}
