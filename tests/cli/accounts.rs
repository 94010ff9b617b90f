//! Accounts of `vjam serve` as a process: with nothing configured, across `kill -9`, and beside
//! `vjam admin`.

mod app;
mod serving;

use std::time::Duration;

use serde_json::{Value, json};

use app::App;
use serving::{Folder, Serve, vjam};

#[test]
fn an_account_outlives_kill_9_and_its_role_comes_from_the_command_line() {
    let folder = Folder::new("lasts");
    let data = &folder.0;
    let mut serve = Serve::start(data, &["--dev"]);
    let token = serve.sign_up("ada", || serve.code());
    assert_eq!(serve.account(&token).1["username"], "ada");
    // SIGKILL, right after the answer.
    serve.child.kill().expect("it runs");
    serve.child.wait().expect("it ends");
    let serve = Serve::start(data, &["--dev"]);
    let (status, account) = serve.account(&token);
    assert_eq!((status, account["role"].as_str()), (200, Some("user")), "{account}");
    // Beside the server that runs.
    let admin =
        |arguments: &[&str]| vjam(data).arg("admin").args(arguments).output().expect("runs");
    let granted = admin(&["grant", "Ada@Example.org"]);
    assert!(granted.status.success(), "{granted:?}");
    assert_eq!(serve.account(&token).1["role"], "admin");
    assert!(admin(&["grant", "ada@example.org", "--role", "moderator"]).status.success());
    assert_eq!(serve.account(&token).1["role"], "moderator");
    assert!(admin(&["revoke", "ada@example.org"]).status.success());
    assert_eq!(serve.account(&token).1["role"], "user");
    let refused = admin(&["grant", "nobody@example.org"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("has to sign up first"), "{said}");
}

#[test]
fn a_page_of_another_origin_cannot_ask_and_ours_can() {
    let folder = Folder::new("origins");
    let serve = Serve::start(&folder.0, &[]);
    let ask = |origin: &str| {
        let body = json!({ "born": "1990-05-17" });
        serve.ask("POST", "/api/v1/social/age", &[("origin", origin)], &body).0
    };
    assert_eq!(ask("https://evil.example"), 403);
    assert_eq!(ask(&serve.url), 200);
    let (status, description) = serve.ask("GET", "/openapi.json", &[], &Value::Null);
    assert_eq!(status, 200);
    assert!(description["paths"]["/api/v1/social/sessions"].is_object(), "{description}");
    // Without a mail server, and not while developing, no code leaves: it is said.
    let warned = serve.log.recv_timeout(Duration::from_secs(10));
    let warned = std::iter::once(warned.expect("a line")).chain(serve.log.try_iter());
    assert!(warned.into_iter().any(|line| line.contains("no mail server is set up")));
}

#[test]
fn a_server_can_be_without_accounts_and_rooms_do_not_care() {
    let folder = Folder::new("off");
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let file = folder.0.join("vjam.toml");
    std::fs::write(&file, "[social]\naccounts = \"off\"\n").expect("ours");
    let serve = Serve::start(&folder.0, &["--config", file.to_str().expect("plain ASCII")]);
    let (status, problem) = serve.account("00");
    assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")), "{problem}");
    assert_eq!(serve.ask("GET", "/readyz", &[], &Value::Null).0, 200);
    assert!(!folder.0.join("social.sqlite").exists());
}

/// The room `attic` of somebody who is signed in, private behind a password.
fn private_room(serve: &Serve, token: &str) -> String {
    let bearer = format!("Bearer {token}");
    let body = json!({
        "name": "attic", "title": "The attic", "visibility": "private", "password": "knock knock",
    });
    let auth = [("authorization", bearer.as_str())];
    let (status, made) = serve.ask("POST", "/api/v1/social/rooms", &auth, &body);
    assert_eq!(status, 201, "{made}");
    let (status, given) = serve.ask("POST", "/api/v1/social/rooms/attic/pass", &auth, &json!({}));
    assert_eq!((status, given["role"].as_str()), (200, Some("owner")), "{given}");
    given["pass"].as_str().expect("a pass").to_owned()
}

#[test]
fn a_private_room_lets_in_by_password_and_its_owner_silences_and_removes_a_guest() {
    let folder = Folder::new("rooms");
    let serve = Serve::start(&folder.0, &["--dev"]);
    let pass = private_room(&serve, &serve.sign_up("ada", || serve.code()));
    let mut owner = App::open(&serve);
    owner.join("Ada", Some(&pass));
    let joined = owner.find("joined");
    assert_eq!(joined["participants"][0]["role"], "owner", "{joined}");
    let mut guest = App::open(&serve);
    guest.say(&json!({ "type": "look", "room": "attic" }));
    assert_eq!(guest.find("error")["code"], "pass_wanted");
    guest.join("Gus", None);
    assert_eq!(guest.find("error")["code"], "pass_wanted");
    guest.join("Gus", Some(&format!("{pass}0")));
    assert_eq!(guest.find("error")["code"], "bad_pass");
    let pass_for = |password: &str| {
        let body = json!({ "password": password });
        serve.ask("POST", "/api/v1/social/rooms/attic/pass", &[], &body)
    };
    let (status, wrong) = pass_for("knock");
    assert_eq!((status, wrong["code"].as_str()), (403, Some("wrong_password")), "{wrong}");
    let (status, given) = pass_for("knock knock");
    assert_eq!(status, 200, "{given}");
    guest.join("Gus", given["pass"].as_str());
    let joined = guest.find("joined");
    let gus = joined["participant"].clone();
    let of_gus = |message: &Value| message["participant"]["id"] == gus;
    let told = std::iter::repeat_with(|| owner.find("participant")).find(of_gus);
    assert_eq!(told.expect("he came")["participant"]["role"], "guest");
    guest.say(
        &json!({ "type": "silence", "participant": joined["participants"][0]["id"], "on": true }),
    );
    assert_eq!(guest.find("error")["code"], "not_allowed");
    owner.say(&json!({ "type": "silence", "participant": gus, "on": true }));
    let silenced = std::iter::repeat_with(|| guest.find("participant"))
        .find(|message| of_gus(message) && message["participant"]["silenced"] == true);
    assert!(silenced.is_some());
    owner.say(&json!({ "type": "remove", "participant": gus }));
    assert_eq!(owner.find("participant_left")["reason"], "removed");
    let bye = guest.find("bye");
    assert_eq!(bye["reason"], "removed", "{bye}");
    // The pass that he came by is void, within its minute.
    let mut again = App::open(&serve);
    again.join("Gus", given["pass"].as_str());
    assert_eq!(again.find("error")["code"], "removed");
    // Nobody owns any other room, and nothing is asked there.
    let mut elsewhere = App::open(&serve);
    elsewhere.say(&json!({ "type": "join", "version": 1, "room": "cellar", "name": "Gus",
        "capabilities": { "engine": "native", "decodes": [] } }));
    let joined = elsewhere.find("joined");
    assert_eq!(joined["participants"][0]["role"], Value::Null, "{joined}");
}

/// Joins with the command, and what it says.
#[cfg(feature = "musician")]
fn vjam_join(
    serve: &Serve,
    data: &std::path::Path,
    behind: &str,
    arguments: &[&str],
) -> (bool, String) {
    let heard = data.join("heard.wav");
    let mut command = vjam(data);
    command.args([
        "join",
        &format!("{}/r/attic{behind}", serve.url),
        "--headless",
        "--name",
        "Gus",
    ]);
    command.args(["--audio", "file", "--duration", "1", "--no-record", "--output"]).arg(heard);
    let output = command.args(arguments).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[cfg(feature = "musician")]
#[test]
fn the_command_joins_a_private_room_by_password_or_by_the_invite_of_its_link() {
    let folder = Folder::new("key-of-room");
    let data = &folder.0;
    let serve = Serve::start(data, &["--dev"]);
    let token = serve.sign_up("ada", || serve.code());
    private_room(&serve, &token);
    let (well, said) = vjam_join(&serve, data, "", &[]);
    assert!(!well && said.contains("private") && said.contains("--password"), "{said}");
    let (well, said) = vjam_join(&serve, data, "", &["--password", "knock"]);
    assert!(!well && said.contains("not the room's password"), "{said}");
    let (well, said) = vjam_join(&serve, data, "", &["--password", "knock knock"]);
    assert!(well && said.contains("in room attic"), "{said}");
    let bearer = format!("Bearer {token}");
    let path = "/api/v1/social/rooms/attic/invites";
    let (_, made) = serve.ask("POST", path, &[("authorization", &bearer)], &json!({ "days": 1 }));
    let behind = format!("#invite={}", made["token"].as_str().expect("a token"));
    let (well, said) = vjam_join(&serve, data, &behind, &[]);
    assert!(well && said.contains("in room attic"), "{said}");
}

#[test]
fn a_database_that_was_named_and_does_not_open_keeps_the_server_from_starting() {
    let folder = Folder::new("named");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("bound").port();
    drop(closed);
    let url = format!("postgres://vjam:s3cret@127.0.0.1:{port}/vjam");
    let output = vjam(&folder.0)
        .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
        .env("VJAM_SOCIAL_DATABASE", url)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("accounts do not start"), "{said}");
    assert!(said.contains(&port.to_string()) && !said.contains("s3cret"), "{said}");
}

#[test]
fn a_server_with_another_key_than_its_database_does_not_start_and_names_the_file() {
    let folder = Folder::new("key");
    drop(Serve::start(&folder.0, &["--dev"]));
    let key = folder.0.join("social.key");
    let refused = || {
        let output = vjam(&folder.0)
            .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains(&key.display().to_string()) && said.contains("another key"),
            "{said}"
        );
    };
    let own = std::fs::read(&key).expect("there");
    // One that was made anew, as where only the database was restored from a backup.
    std::fs::remove_file(&key).expect("ours");
    refused();
    refused();
    std::fs::write(&key, own).expect("ours");
    drop(Serve::start(&folder.0, &["--dev"]));
}

#[test]
fn a_restore_brings_everybody_back_but_whoever_was_erased_since() {
    let folder = Folder::new("backup");
    let data = &folder.0;
    std::fs::create_dir_all(data).expect("a folder");
    let config = data.join("vjam.toml");
    std::fs::write(&config, "[social]\nerasure_days = 0\n").expect("ours");
    let config = config.to_str().expect("plain ASCII");
    let mut serve = Serve::start(data, &["--dev", "--config", config]);
    let token = serve.sign_up("ada", || serve.code());
    serve.sign_up("grace", || serve.code());
    let backup = data.join("a.vjam");
    let run = |arguments: &[&str]| {
        let mut command = vjam(data);
        let output = command.args(arguments).args(["--config", config]).output().expect("runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let backup_path = backup.to_str().expect("plain ASCII");
    // Beside the server that runs.
    let (done, said) = run(&["backup", backup_path]);
    assert!(done && said.contains("rows of"), "{said}");
    assert!(!run(&["backup", backup_path]).0, "what is there is not written over");
    let bearer = format!("Bearer {token}");
    let body = json!({ "current_password": "correct horse battery" });
    let path = "/api/v1/social/account/erasure";
    let (status, asked) = serve.ask("POST", path, &[("authorization", &bearer)], &body);
    assert_eq!(status, 202, "{asked}");
    let ledger = data.join("erasures.ledger");
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !std::fs::read(&ledger).is_ok_and(|text| text.ends_with(b"\n")) {
        assert!(std::time::Instant::now() < until, "it is not erased");
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL, as soon as it is written down: nothing else may be done yet.
    serve.child.kill().expect("it runs");
    serve.child.wait().expect("it ends");
    let (done, said) = run(&["restore", backup_path]);
    assert!(!done && said.contains("empty"), "it is not restored over what is there: {said}");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(data.join(format!("social.sqlite{suffix}")));
    }
    let (done, said) = run(&["restore", backup_path]);
    assert!(done && said.contains("1 accounts that were erased since"), "{said}");
    let serve = Serve::start(data, &["--dev", "--config", config]);
    let sign_in = |name: &str| {
        let body = json!({ "login": name, "password": "correct horse battery" });
        serve.post("/sessions", &"cd".repeat(32), &body).0
    };
    assert_eq!((sign_in("grace"), sign_in("ada")), (201, 401));
    let (done, said) = run(&["backup", "--prune", data.to_str().expect("plain ASCII")]);
    assert!(done && backup.exists(), "it is not old: {said}");
}
