//! Two servers, each of a region, with nothing in common: who has an account at one leaves no byte at the other,
//! and who moves takes everything along.

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use social::objects::S3Config;

use crate::moto;
use crate::people::{Somebody, recording, write_config};
use crate::postgres;
use crate::serving::{Folder, Serve, vjam};
use crate::smtp::Sink;

/// A server of a region, with its own database, bucket and folder.
struct Region {
    serve: Serve,
    database: String,
    bucket: S3Config,
    folder: Folder,
}

impl Region {
    async fn start(region: &str, test: &str, mails: &Sink) -> Self {
        let folder = Folder::new(&format!("{test}-{region}"));
        let database = postgres::fresh().await;
        let bucket = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
        let text = format!(
            "[social]\nregion = \"{region}\"\ndatabase = \"{database}\"\nsmtp = \"{}\"\n\
             mail_from = \"vjam <noreply@jam.example>\"\nobjects = \"s3://{}\"\n\
             objects_endpoint = \"{}\"\nobjects_access_key = \"tests\"\n\
             objects_secret_key = \"tests\"\n",
            mails.url,
            bucket.bucket,
            bucket.endpoint.as_ref().expect("it has one"),
        );
        let config = write_config(&folder.0, &text);
        let arguments = ["--config", config.to_str().expect("plain ASCII")];
        let serve = Serve::start(&folder.0, &arguments);
        Self { serve, database, bucket, folder }
    }

    /// Moves an account from here, as whoever keeps both servers does; cut off after so long.
    fn moves(&self, email: &str, to: &Self, cut_off: Option<Duration>) -> Output {
        let config = |region: &Self| region.folder.0.join("vjam.toml");
        let mut command = vjam(&self.folder.0);
        command.args(["admin", "move", email, "--config"]).arg(config(self));
        command.arg("--to-data").arg(&to.folder.0).arg("--to-config").arg(config(to));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        if let Some(life) = cut_off {
            std::thread::sleep(life);
            // It may have come to its end by then.
            let _ = child.kill();
        }
        child.wait_with_output().expect("it ends")
    }

    /// Waits until a text stands nowhere; where it still does.
    async fn places_in_the_end(&self, text: &str) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let places = self.places_of(text).await;
            let log = places.contains(&"log".to_owned());
            if places.is_empty() || log || until < Instant::now() {
                return places;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Where a text stands of all that the server keeps and of all that it has said.
    async fn places_of(&self, text: &str) -> Vec<String> {
        let mut places = Vec::new();
        let mut look = |place: String, bytes: &[u8]| {
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                places.push(place);
            }
        };
        for (name, bytes) in database_files(&self.database).await {
            look(format!("database {name}"), &bytes);
        }
        for (name, bytes) in objects(&self.bucket) {
            look(format!("object {name}"), name.as_bytes());
            look(format!("object {name}"), &bytes);
        }
        for entry in std::fs::read_dir(&self.folder.0).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_file() {
                let bytes = std::fs::read(&path).expect("a file");
                look(format!("file {}", path.display()), &bytes);
            }
        }
        for line in self.serve.log.try_iter() {
            look("log".into(), line.as_bytes());
        }
        places
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_19_who_has_an_account_in_one_region_leaves_no_byte_in_the_other() {
    let mails = Sink::start().await;
    let eu = Region::start("eu", "region", &mails).await;
    let us = Region::start("us", "region", &mails).await;
    let ada = Somebody::sign_up(&eu.serve, "zzcanary", &mails);
    let seen_by = json!({
        "bio": "everybody", "status": "everybody", "instruments": "everybody", "photo": "everybody",
    });
    let profile = json!({
        "bio": "zzcanary of a profile", "status": "", "instruments": [], "seen_by": seen_by,
    });
    let (status, kept) = ada.ask("PUT", "/account/profile", &profile);
    assert_eq!(status, 204, "{kept}");
    ada.send_file("zzcanary.wav", &recording(b"zzcanary of a recording"));
    let group = json!({ "kind": "group", "title": "zzcanary of a title", "members": [] });
    let (status, chat) = ada.ask("POST", "/chats", &group);
    assert_eq!(status, 200, "{chat}");
    let said = json!({ "client_id": "0190163d-8694-739b-aea5-966c26f8ad91", "body": "zzcanary" });
    let path = format!("/chats/{}/messages", chat["id"].as_str().expect("an id"));
    assert_eq!(ada.ask("POST", &path, &said).0, 200);
    assert_eq!(ada.ask("GET", "/account", &json!(null)).1["region"], "eu");

    // At the other server she is nobody, and told what everybody is told.
    let refused = |name| {
        let Err((status, problem)) = Somebody::sign_in(&us.serve, name) else { panic!("nobody") };
        assert_eq!((status, problem["code"].as_str()), (401, Some("wrong_credentials")));
        problem["detail"].as_str().expect("a text").to_owned()
    };
    let told = refused("zzcanary");
    assert!(told.contains("another region than us"), "{told}");
    assert_eq!(told, refused("nobody-at-all"), "nothing of whether she has one elsewhere");
    refused("zzcanary@example.org");
    // Nor can she be made one of its own who says that she belongs elsewhere.
    let device = "ef".repeat(32);
    let (_, age) = us.serve.post("/age", &device, &json!({ "born": "1990-05-17" }));
    let body = json!({
        "age_token": age["age_token"],
        "email": "zzcanary@example.org",
        "username": "zzcanary",
        "password": "correct horse battery",
        "region": "eu",
    });
    let (status, problem) = us.serve.post("/sign-ups", &device, &body);
    assert_eq!((status, problem["code"].as_str()), (409, Some("wrong_region")), "{problem}");

    let there = eu.places_of("zzcanary").await;
    for kind in ["database", "object"] {
        assert!(
            there.iter().any(|place| place.starts_with(kind)),
            "what is there is found: {there:?}"
        );
    }
    assert!(!there.contains(&"log".to_owned()), "nor is it in any log");
    assert_eq!(us.places_of("zzcanary").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_19_who_moves_to_another_region_takes_everything_along_and_leaves_no_byte() {
    let mails = Sink::start().await;
    let eu = Region::start("eu", "move", &mails).await;
    let us = Region::start("us", "move", &mails).await;
    let grace = Somebody::sign_up(&eu.serve, "grace", &mails);
    let hers = grace.send_file("grace.wav", &recording(b"what grace plays"));
    let ada = Somebody::sign_up(&eu.serve, "zzcanary", &mails);
    let (sound, chat) = fill(&ada);
    assert_eq!(grace.ask("POST", &format!("/chats/{chat}/messages"), &said("hi")).0, 404);
    let direct = json!({ "kind": "direct", "with": "grace" });
    let (status, direct) = ada.ask("POST", "/chats", &direct);
    assert_eq!(status, 200, "{direct}");
    let path = format!("/chats/{}/messages", direct["id"].as_str().expect("an id"));
    assert_eq!(ada.ask("POST", &path, &said("zzcanary of a message")).0, 200);
    assert_eq!(grace.ask("POST", &path, &said("what grace said")).0, 200);

    // Nobody of that address, and the wrong way round.
    let refused = eu.moves("nobody@example.org", &us, None);
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("no account has this e-mail address"), "{text}");
    assert!(!eu.moves("zzcanary@example.org", &eu, None).status.success());

    // Killed at any moment, and begun again.
    for life in [100, 200, 300, 450, 600, 900] {
        eu.moves("zzcanary@example.org", &us, Some(Duration::from_millis(life)));
        let (here, there) = (signs_in(&eu, "zzcanary"), signs_in(&us, "zzcanary"));
        eprintln!("after {life} ms she is here: {here}, there: {there}");
        assert!(here || there, "never in neither");
        if there {
            break;
        }
    }
    let done = eu.moves("zzcanary@example.org", &us, None);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    let again = eu.moves("zzcanary@example.org", &us, None);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success() && text.contains("nothing is left of it"), "{text}");

    assert_eq!(eu.places_in_the_end("zzcanary").await, Vec::<String>::new());
    assert!(!signs_in(&eu, "zzcanary"));
    let ada = Somebody::sign_in(&us.serve, "zzcanary");
    let ada = ada.unwrap_or_else(|refused| panic!("with her old password: {refused:?}"));
    assert_eq!(ada.ask("GET", "/account", &json!(null)).1["region"], "us");
    let profile = ada.ask("GET", "/account/profile", &json!(null)).1;
    assert_eq!(profile["bio"], "zzcanary of a profile");
    assert!(ada.content(&sound) == recording(b"zzcanary of a recording"), "byte for byte");
    let comments = ada.ask("GET", &format!("/files/{sound}/comments"), &json!(null)).1;
    assert_eq!(comments[0]["text"], "zzcanary of a comment");
    let room = ada.ask("GET", "/rooms/zzcanary-room", &json!(null)).1;
    assert_eq!((&room["role"], &room["title"]), (&json!("owner"), &json!("zzcanary of a room")));
    let there = us.places_of("zzcanary").await;
    for kind in ["database", "object"] {
        assert!(there.iter().any(|place| place.starts_with(kind)), "{there:?}");
    }
    assert!(!there.contains(&"log".to_owned()), "nor is it in any log");

    // Everybody else has what they had.
    assert!(grace.content(&hers) == recording(b"what grace plays"));
    let history = grace.ask("GET", &path, &json!(null)).1;
    let bodies: Vec<_> = history["messages"].as_array().expect("a list").iter().collect();
    assert!(bodies.iter().any(|message| message["body"] == "what grace said"), "{history}");
}

/// Gives somebody something of every kind; a recording of theirs, and a group.
fn fill(ada: &Somebody<'_>) -> (String, String) {
    let seen_by = json!({
        "bio": "everybody", "status": "nobody", "instruments": "friends", "photo": "nobody",
    });
    let profile = json!({
        "bio": "zzcanary of a profile", "status": "zzcanary", "instruments": ["zzcanary"],
        "seen_by": seen_by,
    });
    assert_eq!(ada.ask("PUT", "/account/profile", &profile).0, 204);
    assert_eq!(ada.ask("PUT", "/account/usage", &json!({ "allowed": false })).0, 204);
    let sound = ada.send_file("zzcanary.wav", &recording(b"zzcanary of a recording"));
    let comment = json!({ "at_ms": 5, "text": "zzcanary of a comment" });
    assert_eq!(ada.ask("POST", &format!("/files/{sound}/comments"), &comment).0, 201);
    let room = json!({
        "name": "zzcanary-room", "title": "zzcanary of a room", "visibility": "unlisted",
    });
    assert_eq!(ada.ask("POST", "/rooms", &room).0, 201);
    let group = json!({ "kind": "group", "title": "zzcanary of a group", "members": [] });
    let chat = ada.ask("POST", "/chats", &group).1;
    (sound, chat["id"].as_str().expect("an id").to_owned())
}

fn said(body: &str) -> Value {
    let client_id = uuid_of(body);
    json!({ "client_id": client_id, "body": body })
}

/// A UUID that is another for each text.
fn uuid_of(text: &str) -> String {
    let sum = text.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    format!("0190163d-8694-739b-aea5-{:012x}", sum & 0xffff_ffff_ffff)
}

fn signs_in(at: &Region, name: &str) -> bool {
    Somebody::sign_in(&at.serve, name).is_ok()
}

/// Every file of a database: tables, indexes and catalogs.
async fn database_files(url: &str) -> Vec<(String, Vec<u8>)> {
    let mut conn = postgres::connect(url).await;
    sqlx::raw_sql("CHECKPOINT").execute(&mut conn).await.expect("written to the files");
    let sql = "SELECT name, pg_read_binary_file(folder || '/' || name, 0, 67108864, true)
               FROM (SELECT 'base/' || oid AS folder FROM pg_database
                     WHERE datname = current_database()) f, pg_ls_dir(folder) name";
    let files: Vec<(String, Option<Vec<u8>>)> =
        sqlx::query_as(sql).fetch_all(&mut conn).await.expect("files");
    files.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))).collect()
}

/// Every object of a bucket.
fn objects(bucket: &S3Config) -> Vec<(String, Vec<u8>)> {
    let endpoint = bucket.endpoint.as_ref().expect("it has one");
    let list = ureq::get(format!("{endpoint}/{}?list-type=2", bucket.bucket));
    let list = list.header("authorization", moto::WHOEVER).call();
    let list = list.expect("it lists").body_mut().read_to_string().expect("text");
    let names = list.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    names.map(|name| (name.to_owned(), moto::bytes(bucket, name))).collect()
}
