//! An account that moves to the server of another region: all that is its own is there, nothing is left of
//! it where it was, and everybody else keeps everything.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use image::ImageFormat;
use serde_json::json;
use social::account::{Region, Role};
use social::gifs::{GIPHY_API, GifRating, Giphy};
use social::id::AccountId;
use social::moving::{Becomes, CHOSEN, MOVED, MoveError, Moved, Mover, Outcome, Place, Progress};
use social::objects::ObjectsConfig;
use social::secret::ServerKey;

use crate::chat_jam::befriend;
use crate::erasure::{ask, id_of, row};
use crate::export::values;
use crate::files::{self, file, get, moto, objects, raw_objects, wav};
use crate::photos::{see, send, two_colors};
use crate::world::{Engine, PASSWORD, Person, World, contains};

/// A server of each of two regions, which keep what they keep differently, in both orders.
pub(crate) async fn for_each_pair(test: impl AsyncFn(World, World)) {
    for (from, to) in [(Engine::Sqlite, Engine::Postgres), (Engine::Postgres, Engine::Sqlite)] {
        eprintln!("from {from:?} to {to:?}");
        let mut here = files::world(from).await;
        here.config.giphy =
            Some(Giphy { key: "x".into(), rating: GifRating::G, api: GIPHY_API.into() });
        here.restart().await;
        test(here, elsewhere(to).await).await;
    }
}

/// A server of the other region.
async fn elsewhere(engine: Engine) -> World {
    let world = World::with(engine, |config| {
        config.region = Region::Us;
        config.key = ServerKey::new([8; 32]);
    });
    let world = world.await;
    match engine {
        Engine::Sqlite => world,
        Engine::Postgres => {
            let bucket = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
            world.with_objects(ObjectsConfig::S3(bucket)).await
        }
    }
}

pub(crate) async fn place(world: &World) -> Place {
    Place::open(&world.config, world.clock.clone()).await.expect("it opens")
}

/// Moves whoever has an address.
pub(crate) async fn moved(
    from: &World,
    to: &World,
    (email, username): (&str, Option<&str>),
    told: impl FnMut(Progress),
) -> Result<Outcome, MoveError> {
    let (from, to) = (place(from).await, place(to).await);
    let done = Mover { from: &from, to: &to, email, username }.run(told).await;
    from.db.close().await;
    to.db.close().await;
    done
}

pub(crate) fn as_moved(outcome: Outcome) -> Moved {
    let Outcome::Moved(moved) = outcome else { panic!("{outcome:?}") };
    *moved
}

/// The address of whoever moves.
pub(crate) const EMAIL: &str = "zzcanary@example.org";

/// Somebody with something in every place that moves, and in some that do not.
pub(crate) async fn canary(world: &World, bob: &mut Person) -> (Person, Vec<String>) {
    let mut ada = world.account("zzcanary").await;
    let seen_by = json!({
        "bio": "everybody", "status": "nobody", "instruments": "friends", "photo": "everybody",
    });
    let profile = json!({
        "bio": "zzcanary bio", "status": "zzcanary status", "instruments": ["zzcanary"],
        "seen_by": seen_by,
    });
    ada.put("/account/profile", profile).await.is_done();
    let preferences = json!({
        "presence": false, "room": true, "read_receipts": false, "typing": true, "mentions": false,
    });
    ada.put("/account/preferences", preferences).await.is_done();
    assert_eq!(ada.put("/account/gifs", json!({ "agreed": true })).await.status, StatusCode::OK);
    ada.put("/account/usage", json!({ "allowed": false })).await.is_done();
    let photo = send(&ada, "image/jpeg", two_colors(ImageFormat::Jpeg)).await;
    assert_eq!(photo.0, StatusCode::NO_CONTENT);
    let sound = [wav(500), b"zzcanary recording".to_vec()].concat();
    let picture = two_colors(ImageFormat::Png);
    let ids = vec![
        file(&mut ada, "zzcanary.wav", &sound).await,
        file(&mut ada, "zzcanary.png", &picture).await,
    ];
    let comments = format!("/files/{}/comments", ids[0]);
    ada.post(&comments, json!({ "at_ms": 7, "text": "zzcanary comment" })).await.text("id");
    assert_eq!(ada.make_room("zzcanary-attic", "unlisted").await.status, StatusCode::CREATED);
    let cellar = json!({
        "name": "zzcanary-cellar", "title": "zzcanary cellar", "visibility": "private",
        "password": "zzcanary password",
    });
    assert_eq!(ada.post("/rooms", cellar).await.status, StatusCode::CREATED);
    befriend(&mut ada, bob).await;
    let chat = ada.chat_with("bob").await;
    ada.send(&chat, "zzcanary message").await;
    bob.send(&chat, "what bob said").await;
    world.work().await;
    (ada, ids)
}

/// What a column holds of somebody, in whichever database.
async fn column(
    world: &World,
    table: &str,
    column: &str,
    owner: &str,
    id: AccountId,
) -> Vec<String> {
    let all = values(world, table, column, owner, id).await;
    let plain = |value: String| value.trim_start_matches("\\x").replace('-', "");
    let mut all: Vec<_> = all.into_iter().map(plain).collect();
    all.sort();
    all
}

/// Everything that is to be the same there.
pub(crate) async fn kept(world: &World, id: AccountId) -> BTreeMap<String, Vec<String>> {
    let mut kept = BTreeMap::new();
    for table in MOVED.iter().chain(CHOSEN) {
        for (name, becomes) in table.columns {
            if matches!(becomes, Becomes::Same | Becomes::File) {
                let place = format!("{}.{name}", table.name);
                kept.insert(place, column(world, table.name, name, table.owner, id).await);
            }
        }
    }
    kept
}

/// Whether anything is left of whoever moved.
pub(crate) async fn holds_canary(world: &World) -> bool {
    let objects = raw_objects(world).await;
    let in_objects = objects.iter().any(|(_, bytes)| contains(bytes, b"zzcanary"));
    in_objects || world.any_file_holds("zzcanary").await
}

/// That she is there with all that she has, and gone from where she was.
pub(crate) async fn is_there_only(from: &World, to: &World, ids: &[String], objects_left: usize) {
    from.work_until_clean().await;
    to.work().await;
    assert!(!holds_canary(from).await, "nothing is left where she was");
    assert_eq!(objects(from).await.len(), objects_left, "no object either");
    let mut ada = to.device();
    let signed_in = ada.sign_in("zzcanary", PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::CREATED, "{signed_in:?}");
    let account = ada.get("/account").await.body;
    assert_eq!((&account["email"], &account["region"]), (&json!(EMAIL), &json!("us")));
    let sound = get(&ada, &format!("/files/{}/content", ids[0])).await.bytes;
    assert!(sound == [wav(500), b"zzcanary recording".to_vec()].concat(), "byte for byte");
    for small in [format!("/files/{}/thumbnail", ids[1]), "/people/zzcanary/photo".into()] {
        assert_eq!(see(&ada, &small).await.0, StatusCode::OK, "{small}");
    }
    let comments = ada.get(&format!("/files/{}/comments", ids[0])).await.body;
    assert_eq!(comments[0]["text"], "zzcanary comment", "{comments}");
    let rooms = ada.get("/rooms").await.body;
    assert_eq!(rooms["rooms"].as_array().map(Vec::len), Some(2), "{rooms}");
    assert_eq!(
        ada.get("/chats").await.body["chats"].as_array().expect("a list").len(),
        2,
        "rooms'"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_19_who_moves_has_everything_there_and_nothing_where_they_were() {
    for_each_pair(async |from: World, to: World| {
        let mut bob = from.account("bob").await;
        let recording = file(&mut bob, "bob.wav", &wav(1000)).await;
        let (ada, ids) = canary(&from, &mut bob).await;
        let id = id_of(&ada).await;
        let before = kept(&from, id).await;
        for (place, values) in &before {
            assert!(!values.is_empty() || place.starts_with("identities."), "{place}");
        }
        assert!(holds_canary(&from).await, "what is there is found");
        to.smtp.take();
        let mut said = Vec::new();
        let outcome = moved(&from, &to, (EMAIL, None), |progress| said.push(progress)).await;
        let done = as_moved(outcome.expect("it moves"));
        assert_eq!((done.files, done.files_lost), (2, 0));
        assert_eq!(done.rooms, ["zzcanary-attic", "zzcanary-cellar"]);
        assert_eq!(said.last(), Some(&Progress::Left));
        // At once, where she was, before anything is erased.
        let mut old = from.device();
        old.sign_in("zzcanary", PASSWORD).await.is(403, "erasure_pending");
        let back = json!({ "login": "zzcanary", "password": PASSWORD });
        old.post("/account/erasure/cancel", back).await.is(409, "conflict");
        ada.clone().get("/account").await.is(401, "not_signed_in");
        let conn = to.db().read().await;
        let there = conn.expect("reads").account_by_email(EMAIL).await.expect("reads");
        let there = there.expect("she is there").id;
        assert_ne!(there, id);
        assert_eq!(kept(&to, there).await, before, "every column that moves");
        to.work().await;
        let mail = to.smtp.take_one();
        assert!(mail.to == EMAIL && mail.subject.contains("US"), "{mail:?}");
        from.smtp.take();
        is_there_only(&from, &to, &ids, 1).await;
        assert!(from.smtp.take().is_empty(), "the old server writes nobody");
        // Written down on both sides, and done twice does nothing.
        assert_eq!(audits(&from).await, ["moved_away"]);
        assert!(audits(&to).await.contains(&"moved_here".to_owned()));
        let again = moved(&from, &to, (EMAIL, None), |_| {}).await;
        assert_eq!(again.expect("nothing to do"), Outcome::Before);
        // Bob has all that is his.
        assert!(get(&bob, &format!("/files/{recording}/content")).await.bytes == wav(1000));
        let chat = bob.get("/chats").await.body["chats"][0]["id"].as_str().expect("one").to_owned();
        let bodies: Vec<_> = bob.history(&chat).await.iter().map(|m| m["body"].clone()).collect();
        assert_eq!(bodies, [json!(null), json!("what bob said")]);
    })
    .await;
}

async fn audits(world: &World) -> Vec<String> {
    let sql = "SELECT action FROM audit WHERE action LIKE 'moved%'";
    match world.db() {
        social::store::Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_all(r).await,
        social::store::Db::Pg(pool) => sqlx::query_scalar(sql).fetch_all(pool).await,
    }
    .expect("reads")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_stays_though_they_were_erased_there_before() {
    for_each_pair(async |mut from: World, to: World| {
        let mut bob = from.account("bob").await;
        let (ada, ids) = canary(&from, &mut bob).await;
        let first = id_of(&ada).await;
        moved(&from, &to, (EMAIL, None), |_| {}).await.expect("there");
        is_there_only(&from, &to, &ids, 0).await;
        let back = as_moved(moved(&to, &from, (EMAIL, None), |_| {}).await.expect("and back"));
        assert_eq!((back.files, back.rooms.len()), (2, 2));
        to.work_until_clean().await;
        assert!(!holds_canary(&to).await);
        // A start erases again whoever was erased before, and she is somebody else to it.
        from.restart().await;
        let mut ada = from.device();
        assert_eq!(ada.sign_in("zzcanary", PASSWORD).await.status, StatusCode::CREATED);
        assert_ne!(id_of(&ada).await, first);
        let sound = get(&ada, &format!("/files/{}/content", ids[0])).await.bytes;
        assert!(contains(&sound, b"zzcanary recording"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_move_is_refused_before_anything_changes() {
    for_each_pair(async |from: World, mut to: World| {
        let mut bob = from.account("bob").await;
        let (mut ada, ids) = canary(&from, &mut bob).await;
        let id = id_of(&ada).await;
        let refused = async |from: &World, to: &World, whom: (&str, Option<&str>)| {
            let untouched = objects(to).await;
            let error = moved(from, to, whom, |_| {}).await.expect_err("refused");
            assert_eq!(objects(to).await, untouched, "{error}");
            assert!(row(from, id).await.is_some_and(|row| row.erase_at.is_none()), "{error}");
            error
        };
        let error = refused(&from, &from, (EMAIL, None)).await;
        assert!(matches!(error, MoveError::SameRegion("eu")), "{error}");
        let error = refused(&from, &to, ("nobody@example.org", None)).await;
        assert!(matches!(error, MoveError::NoAccount("eu")), "{error}");
        let error = refused(&from, &to, (EMAIL, Some("a b"))).await;
        assert!(matches!(error, MoveError::Username(_)), "{error}");
        to.config.quota_bytes = 100;
        let error = refused(&from, &to, (EMAIL, None)).await;
        assert!(matches!(error, MoveError::Quota { quota: 100, .. }), "{error}");
        to.config.quota_bytes = 1 << 30;
        // Somebody there has the name, and then the address.
        let mut other = Newcomer::sign_up(&to, "other@example.org", "ZZcanary").await;
        let error = refused(&from, &to, (EMAIL, None)).await;
        assert!(matches!(error, MoveError::UsernameTaken(_)), "{error}");
        Newcomer::sign_up(&to, EMAIL, "another").await;
        let error = refused(&from, &to, (EMAIL, Some("ada"))).await;
        assert!(matches!(error, MoveError::EmailTaken("us")), "{error}");
        to.execute("DELETE FROM accounts WHERE username = 'another'").await;
        // Suspended, and to be erased.
        from.execute("UPDATE accounts SET suspension_reason = 'x' WHERE username = 'zzcanary'")
            .await;
        let error = refused(&from, &to, (EMAIL, Some("ada"))).await;
        assert!(matches!(error, MoveError::Suspended), "{error}");
        from.execute("UPDATE accounts SET suspension_reason = NULL").await;
        assert_eq!(ask(&mut ada).await.status, StatusCode::ACCEPTED);
        let error = moved(&from, &to, (EMAIL, Some("ada")), |_| {}).await.expect_err("refused");
        assert!(matches!(error, MoveError::Hidden), "{error}");
        let back = json!({ "login": "zzcanary", "password": PASSWORD });
        from.device().post("/account/erasure/cancel", back).await.is_done();
        // With another name, without the room that somebody has, and like everybody.
        assert_eq!(other.make_room("zzcanary-attic", "public").await.status, StatusCode::CREATED);
        from.db().grant(EMAIL, Role::Moderator, from.now()).await.expect("there");
        // One that lost its bytes keeps nothing else from moving.
        let lost = objects(&from).await;
        let lost = lost.iter().find(|key| key.to_string().starts_with("thumbnails")).expect("one");
        from.social.objects().remove(*lost).await.expect("lost");
        let done = as_moved(moved(&from, &to, (EMAIL, Some("ada")), |_| {}).await.expect("moved"));
        assert_eq!(done.username, "ada");
        assert_eq!(done.rooms, ["zzcanary-cellar"]);
        assert_eq!(done.rooms_taken, ["zzcanary-attic"]);
        assert_eq!(done.role_left, Some(Role::Moderator));
        let mut ada = to.device();
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        let account = ada.get("/account").await.body;
        assert_eq!((&account["username"], &account["role"]), (&json!("ada"), &json!("user")));
        assert_eq!(see(&ada, &format!("/files/{}/content", ids[1])).await.0, StatusCode::OK);
        let attic = other.get("/rooms/zzcanary-attic").await.body;
        assert_eq!((&attic["role"], &attic["visibility"]), (&json!("owner"), &json!("public")));
    })
    .await;
}

/// Somebody who makes an account in the other region.
struct Newcomer;

impl Newcomer {
    async fn sign_up(world: &World, email: &str, name: &str) -> Person {
        let mut person = world.device();
        let age = person.post("/age", json!({ "born": "1990-05-17" })).await;
        let body = json!({
            "age_token": age.text("age_token"), "email": email, "username": name,
            "password": PASSWORD, "region": "us",
        });
        let begun = person.post("/sign-ups", body).await;
        world.work().await;
        let mails = world.smtp.take();
        let code = mails.iter().find(|mail| mail.to == email).expect("a mail").code();
        let path = format!("/sign-ups/{}/verify", begun.text("sign_up"));
        person.token = Some(person.post(&path, json!({ "code": code })).await.text("token"));
        person
    }
}
