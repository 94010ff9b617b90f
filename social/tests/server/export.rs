//! The archive of what is kept of somebody: whole, theirs alone, and fetched once.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use social::account::Role;
use social::data_map::{Export, Owner, columns};
use social::id::{ExportId, IdentityId};
use social::store::{Db, Shown};
use tower::ServiceExt as _;

use crate::erasure::{ask, id_of};
use crate::world::{PASSWORD, Person, World, contains, for_each_store};

pub(crate) fn proof() -> Value {
    json!({ "current_password": PASSWORD })
}

/// Has an archive made; its id.
pub(crate) async fn made(world: &World, person: &mut Person) -> String {
    let asked = person.post("/account/exports", proof()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
    assert_eq!(asked.body["state"], "waiting");
    world.work().await;
    let list = person.get("/account/exports").await.body;
    let id = asked.text("id");
    let of_id = |export: &&Value| export["id"] == id.as_str();
    let ready = list.as_array().expect("a list").iter().find(of_id).expect("it is there");
    assert_eq!(ready["state"], "ready");
    id
}

pub(crate) async fn link(person: &mut Person, id: &str) -> String {
    let made = person.post(&format!("/account/exports/{id}/link"), proof()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.text("url")
}

/// Follows a link, as whoever has it.
pub(crate) async fn follow(
    world: &World,
    method: Method,
    url: &str,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::builder().method(method).uri(url).body(Body::empty()).expect("one");
    let answer = world.router.clone().oneshot(request).await.expect("it always answers");
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, parts.headers, body.to_vec())
}

/// The files of an archive, by their names.
pub(crate) fn unpacked(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("a ZIP");
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("there");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("whole");
        files.insert(file.name().expect("a name").into_owned(), bytes);
    }
    files
}

/// An archive of somebody, fetched.
pub(crate) async fn fetched(world: &World, person: &mut Person) -> BTreeMap<String, Vec<u8>> {
    let id = made(world, person).await;
    let url = link(person, &id).await;
    let (status, _, archive) = follow(world, Method::GET, &url).await;
    assert_eq!(status, StatusCode::OK);
    unpacked(&archive)
}

/// Somebody of whom there is something in every table that tests here can fill.
async fn somebody(world: &World, name: &str) -> Person {
    let mut person = world.account(name).await;
    let mut laptop = world.device();
    let device = format!("{name}-device");
    let body = json!({ "login": name, "password": PASSWORD, "device_name": device });
    assert_eq!(laptop.post("/sessions", body).await.status, StatusCode::CREATED);
    world.db().grant(&format!("{name}@example.org"), Role::User, world.now()).await.expect("there");
    let change = json!({ "email": format!("{name}-new@example.com"), "password": PASSWORD });
    assert_eq!(person.post("/account/email", change).await.status, StatusCode::ACCEPTED);
    person
}

/// Tables that are filled for somebody here: every column of theirs that is to be exported has data.
const FILLED: [&str; 7] =
    ["accounts", "audit", "blocks", "codes", "devices", "exports", "sessions"];

/// Columns of those that are empty as long as somebody can ask: whoever is suspended cannot sign in.
const EMPTY: [&str; 2] = ["accounts.suspension_reason", "accounts.suspended_until"];

#[tokio::test]
async fn promise_9_every_column_that_is_to_be_exported_is_in_the_archive_of_its_owner() {
    for_each_store(async |world: World| {
        let mut ada = somebody(&world, "ada").await;
        let grace = somebody(&world, "grace").await;
        let (id, other) = (id_of(&ada).await, id_of(&grace).await);
        let mut tx = world.db().begin().await.expect("begins");
        tx.block(id, other, world.now()).await.expect("blocked");
        let shown = Shown {
            provider: "club".into(),
            issuer: "https://id.example".into(),
            subject: "ada".into(),
            token: None,
            vouched_at: Some(world.now()),
        };
        let identity = IdentityId::fresh(world.now());
        tx.link_identity(identity, id, &shown, world.now()).await.expect("linked");
        tx.commit().await.expect("committed");
        // As if she had signed in with it.
        let hers = "UPDATE sessions SET identity_id = (SELECT id FROM identities)
                    WHERE account_id = (SELECT account_id FROM identities)";
        world.execute(hers).await;
        // One that has a link, so that this is known of an archive.
        let first = made(&world, &mut ada).await;
        link(&mut ada, &first).await;
        let files = fetched(&world, &mut ada).await;
        let mut compared = 0;
        for entry in columns() {
            let (Export::As(name), Owner::Account(owner)) = (entry.export, entry.owner) else {
                continue;
            };
            let (table, column) = entry.place.split_once('.').expect("table.column");
            let (file, field) = name.split_once('.').expect("file.field");
            let list = &files[&format!("{file}.json")];
            let list: Vec<Value> = serde_json::from_slice(list).expect("a list");
            let mut exported: Vec<String> = list
                .iter()
                .filter_map(|entry| entry.get(field))
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            let mut kept = values(&world, table, column, owner, id).await;
            let is_filled = FILLED.contains(&table) && !EMPTY.contains(&entry.place);
            assert!(!is_filled || !kept.is_empty(), "{name} has no data here");
            // What was written down when the archive was made, and the list of archives as it was.
            if table == "exports" {
                kept.retain(|value| exported.contains(value));
                assert!(!kept.is_empty(), "{name}");
            }
            exported.sort();
            kept.sort();
            assert_eq!(exported, kept, "{name}");
            compared += kept.len();
        }
        assert!(20 < compared, "{compared}");
    })
    .await;
}

/// What stands in a column for an account, as text.
pub(crate) async fn values(
    world: &World,
    table: &str,
    column: &str,
    owner: &str,
    account: social::id::AccountId,
) -> Vec<String> {
    // UUIDs as SQLite has them are bytes.
    let text = |cast: &str| {
        format!("SELECT {cast} FROM {table} WHERE {owner} = $1 AND {column} IS NOT NULL")
    };
    match world.db() {
        Db::Sqlite { r, .. } => {
            let hyphenated = format!(
                "CASE WHEN typeof({column}) <> 'blob' THEN CAST({column} AS TEXT) ELSE
                 lower(substr(hex({column}), 1, 8) || '-' || substr(hex({column}), 9, 4) || '-' ||
                 substr(hex({column}), 13, 4) || '-' || substr(hex({column}), 17, 4) || '-' ||
                 substr(hex({column}), 21)) END"
            );
            let sql = sqlx::AssertSqlSafe(text(&hyphenated));
            sqlx::query_scalar(sql).bind(account).fetch_all(r).await.expect("reads")
        }
        Db::Pg(pool) => {
            let sql = sqlx::AssertSqlSafe(text(&format!("{column}::text")));
            sqlx::query_scalar(sql).bind(account).fetch_all(pool).await.expect("reads")
        }
    }
}

#[tokio::test]
async fn promise_9_nothing_private_of_somebody_else_is_in_an_archive() {
    for_each_store(async |world: World| {
        let mut ada = somebody(&world, "ada").await;
        let grace = somebody(&world, "canary").await;
        let (id, other) = (id_of(&ada).await, id_of(&grace).await);
        let mut tx = world.db().begin().await.expect("begins");
        tx.block(id, other, world.now()).await.expect("blocked");
        tx.block(other, id, world.now()).await.expect("blocked");
        tx.commit().await.expect("committed");
        let files = fetched(&world, &mut ada).await;
        for (name, bytes) in &files {
            assert!(!contains(bytes, b"canary"), "{name}");
        }
        // That they blocked back is theirs alone, and whom somebody blocked they know.
        let blocks: Vec<Value> = serde_json::from_slice(&files["blocks.json"]).expect("a list");
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0]["account"], other.to_string());
        assert!(contains(&files["account.json"], b"ada@example.org"));
    })
    .await;
}

#[tokio::test]
async fn promise_9_an_archive_follows_the_schema_that_is_published() {
    for_each_store(async |world: World| {
        let mut ada = somebody(&world, "ada").await;
        let files = fetched(&world, &mut ada).await;
        let path = "/export-schema.json";
        let published = world.device().get(path).await;
        assert_eq!(published.headers[header::CONTENT_TYPE], "application/schema+json");
        let own: Value = serde_json::from_slice(&files["schema.json"]).expect("JSON");
        assert_eq!(own, published.body);
        let named = files.iter().filter_map(|(name, bytes)| {
            let name = name.strip_suffix(".json").filter(|name| *name != "schema")?;
            Some((name.to_owned(), serde_json::from_slice(bytes).expect("JSON")))
        });
        let mut all = Value::Object(named.collect());
        follows(&own, &all, "archive").expect("it does");
        // That it can fail.
        all["sessions"][0]["shoe_size"] = json!("42");
        let wrong = follows(&own, &all, "archive").expect_err("unknown");
        assert!(wrong.contains("shoe_size"), "{wrong}");
        all["sessions"][0] = json!({ "created_at": "yesterday" });
        assert!(follows(&own, &all, "archive").is_err(), "a number is none");
        all["sessions"] = json!([{}]);
        assert!(follows(&own, &all, "archive").is_err(), "an entry says something");
    })
    .await;
}

/// Whether a value follows a schema, of which every word must be known here.
fn follows(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at}: {what}"));
    for (word, said) in schema.as_object().expect("a schema") {
        match word.as_str() {
            "$schema" | "title" | "description" => {}
            "type" => {
                let is = match said.as_str().expect("a word") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64(),
                    other => panic!("{other} is not known here"),
                };
                if !is {
                    return wrong("another type");
                }
            }
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = said.get(name) {
                        follows(schema, member, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(said, &json!(false));
                let known = &schema["properties"];
                for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
                    if known.get(name).is_none() {
                        return wrong(name);
                    }
                }
            }
            "required" => {
                for name in said.as_array().expect("names") {
                    if value.get(name.as_str().expect("a name")).is_none() {
                        return wrong(&name.to_string());
                    }
                }
            }
            "minProperties" => {
                let count = value.as_object().map_or(0, serde_json::Map::len);
                if u64::try_from(count).expect("few") < said.as_u64().expect("a number") {
                    return wrong("empty");
                }
            }
            "items" => {
                for member in value.as_array().into_iter().flatten() {
                    follows(said, member, &format!("{at}[]"))?;
                }
            }
            other => panic!("{other} is not known here"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn promise_9_a_link_is_made_after_a_fresh_proof_and_followed_once() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        let wrong = json!({ "current_password": "wrong password" });
        ada.post("/account/exports", wrong.clone()).await.is(403, "wrong_password");
        let waiting = ada.post("/account/exports", proof()).await.text("id");
        let path = format!("/account/exports/{waiting}/link");
        ada.post(&path, proof()).await.is(404, "not_found");
        world.work().await;
        assert!(world.smtp.take().iter().any(|mail| mail.subject.contains("is ready")));
        ada.post(&path, wrong).await.is(403, "wrong_password");
        grace.post(&path, proof()).await.is(404, "not_found");
        assert_eq!(grace.get("/account/exports").await.body, json!([]));
        // Of two links the later one counts; to look is not to follow.
        let (earlier, url) = (link(&mut ada, &waiting).await, link(&mut ada, &waiting).await);
        assert_eq!(follow(&world, Method::GET, &earlier).await.0, StatusCode::NOT_FOUND);
        let looked = follow(&world, Method::HEAD, &url).await.0;
        assert_eq!(looked, StatusCode::METHOD_NOT_ALLOWED);
        let token = url.rsplit('/').next().expect("a token");
        assert!(!world.holds(token).await, "not the link itself");
        let (status, headers, archive) = follow(&world, Method::GET, &url).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CONTENT_TYPE], "application/zip");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::CONTENT_LENGTH], archive.len().to_string());
        let disposition = headers[header::CONTENT_DISPOSITION].to_str().expect("text");
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert!(unpacked(&archive).contains_key("README.txt"));
        assert_eq!(follow(&world, Method::GET, &url).await.0, StatusCode::NOT_FOUND, "once");
        // Of an account that is to be erased, nothing is seen.
        let hers = made(&world, &mut grace).await;
        let url = link(&mut grace, &hers).await;
        ask(&mut grace).await;
        assert_eq!(follow(&world, Method::GET, &url).await.0, StatusCode::NOT_FOUND);
        let late = link(&mut ada, &waiting).await;
        world.clock.advance(Duration::from_secs(15 * 60));
        assert_eq!(follow(&world, Method::GET, &late).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn promise_9_many_who_follow_one_link_at_once_get_one_archive() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let id = made(&world, &mut ada).await;
        let url = link(&mut ada, &id).await;
        let asked: Vec<_> = (0..8)
            .map(|_| {
                let (router, url) = (world.router.clone(), url.clone());
                tokio::spawn(async move {
                    let request = Request::get(url).body(Body::empty()).expect("a request");
                    router.oneshot(request).await.expect("it always answers").status()
                })
            })
            .collect();
        let mut good = 0;
        for one in asked {
            good += usize::from(one.await.expect("no panic") == StatusCode::OK);
        }
        assert_eq!(good, 1);
    })
    .await;
}

#[tokio::test]
async fn promise_9_an_archive_is_gone_after_a_week_and_so_is_what_nobody_knows_of() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let id = made(&world, &mut ada).await;
        let folder = world.folder.join("exports");
        let names = || {
            let entries = std::fs::read_dir(&folder).expect("there");
            entries.map(|entry| entry.expect("reads").file_name()).collect::<Vec<_>>()
        };
        assert_eq!(names(), [format!("{id}.zip").as_str()]);
        // As a crash leaves them, of an account that is gone.
        for end in ["zip", "part"] {
            let stray = folder.join(format!("{}.{end}", ExportId::fresh(world.now())));
            std::fs::write(stray, "of somebody").expect("ours");
        }
        world.clock.advance(Duration::from_secs(600));
        world.work().await;
        assert_eq!(names(), [format!("{id}.zip").as_str()], "what is known stays");
        world.clock.advance(Duration::from_secs(7 * 24 * 3600));
        assert_eq!(ada.get("/account/exports").await.body, json!([]));
        world.work().await;
        assert!(names().is_empty());
        // Not without end.
        for _ in 0..3 {
            made(&world, &mut ada).await;
        }
        ada.post("/account/exports", proof()).await.is(429, "too_many_requests");
    })
    .await;
}
