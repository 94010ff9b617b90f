//! Two servers, each of a region, with nothing in common: who has an account at one leaves no byte at the other.

use serde_json::json;
use social::objects::S3Config;

use crate::moto;
use crate::people::{Somebody, recording, write_config};
use crate::postgres;
use crate::serving::{Folder, Serve};
use crate::smtp::Sink;

/// A server of a region, with its own database, bucket and folder.
struct Region {
    serve: Serve,
    database: String,
    bucket: S3Config,
    folder: Folder,
}

impl Region {
    async fn start(region: &str, mails: &Sink) -> Self {
        let folder = Folder::new(&format!("region-{region}"));
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
    let (eu, us) = (Region::start("eu", &mails).await, Region::start("us", &mails).await);
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
