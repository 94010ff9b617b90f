//! How the app is used: what is counted, of whom not, and what is left of it.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Role;
use social::clock::UnixMs;
use social::store::Db;
use social::usage::day_of;

use crate::world::{Engine, Person, World, for_each_store};

const DAY: Duration = Duration::from_secs(86_400);

fn session(minutes: u16) -> Value {
    json!({ "kind": "session", "with": "browser", "minutes": minutes })
}

fn feature(feature: &str) -> Value {
    json!({ "kind": "feature", "feature": feature })
}

async fn say(person: &mut Person, events: &[Value]) {
    person.post("/usage", json!({ "events": events })).await.is_done();
}

/// What an admin sees from a moment on.
async fn figures(admin: &mut Person, since: UnixMs) -> Value {
    let answer = admin.get(&format!("/admin/usage?since={}", since.0)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

/// Every name that somebody is counted under, with its day.
async fn names(world: &World) -> Vec<(i64, Vec<u8>)> {
    let sql = "SELECT DISTINCT day, pseudonym FROM usage_events ORDER BY day";
    match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_as(sql).fetch_all(r).await.expect("reads"),
        Db::Pg(pool) => sqlx::query_as(sql).fetch_all(pool).await.expect("reads"),
    }
}

#[tokio::test]
async fn promise_12_what_is_counted_is_a_fixed_list_and_anything_else_is_refused() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        for wrong in [
            json!({ "kind": "feature", "feature": "typing" }),
            json!({ "kind": "feature", "feature": "click", "room": "attic" }),
            json!({ "kind": "session", "with": "browser", "minutes": 5, "address": "203.0.113.7" }),
            json!({ "kind": "session", "with": "browser", "minutes": 1441 }),
            json!({ "kind": "session", "with": "browser", "minutes": -1 }),
            json!({ "kind": "session", "with": "Mozilla/5.0", "minutes": 5 }),
            json!({ "kind": "session", "minutes": 5 }),
            json!({ "kind": "keystroke" }),
        ] {
            ada.post("/usage", json!({ "events": [feature("click"), wrong] }))
                .await
                .is(422, "invalid");
        }
        let extra = json!({ "events": [feature("click")], "agent": "Mozilla/5.0" });
        ada.post("/usage", extra).await.is(422, "invalid");
        ada.post("/usage", json!({ "events": [] })).await.is(422, "invalid");
        let many = vec![feature("click"); 51];
        ada.post("/usage", json!({ "events": many })).await.is(422, "invalid");
        assert!(names(&world).await.is_empty(), "of what is refused, no part is kept");
        world
            .device()
            .post("/usage", json!({ "events": [session(5)] }))
            .await
            .is(401, "not_signed_in");
    })
    .await;
}

#[tokio::test]
async fn promise_12_neither_address_nor_agent_nor_account_is_kept_with_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        ada.address = Some("203.0.113.77".into());
        say(&mut ada, &[session(42), feature("take")]).await;
        assert!(!world.holds("203.0.113.77").await);
        let id: social::id::AccountId =
            ada.get("/account").await.text("id").parse().expect("an id");
        let names = names(&world).await;
        assert_eq!(names.len(), 1, "two things of one person");
        assert_ne!(&names[0].1[..], &id.uuid().as_bytes()[..]);
    })
    .await;
}

/// How many sessions were about as long, from short to long.
fn lengths(counts: [i64; 6]) -> Vec<Value> {
    let from = [0, 5, 15, 30, 60, 120].into_iter();
    from.zip(counts).map(|(from, count)| json!({ "from_minutes": from, "count": count })).collect()
}

#[tokio::test]
async fn an_admin_sees_the_sum_of_each_day() {
    for_each_store(async |world: World| {
        let mut admin = world.account_with("admina", Role::Admin).await;
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        let start = world.now();
        say(&mut ada, &[session(40), session(20), feature("click")]).await;
        say(&mut grace, &[session(30), session(1440), session(4)]).await;
        world.clock.advance(DAY);
        say(&mut grace, &[feature("chat")]).await;
        let shown = figures(&mut admin, start).await;
        let first = UnixMs(day_of(start) * 86_400_000);
        assert_eq!(
            shown,
            json!([
                { "day": first.after(DAY), "people": 1, "counts": [
                    { "kind": "feature", "word": "chat", "count": 1, "minutes": 0 },
                ], "lengths": lengths([0; 6]) },
                { "day": first, "people": 2, "counts": [
                    { "kind": "feature", "word": "click", "count": 1, "minutes": 0 },
                    { "kind": "session", "word": "browser", "count": 5, "minutes": 1534 },
                ], "lengths": lengths([1, 0, 1, 2, 0, 1]) },
            ])
        );
        let later = figures(&mut admin, start.after(DAY)).await;
        assert_eq!(later.as_array().map(Vec::len), Some(1), "from a day on");
    })
    .await;
}

#[tokio::test]
async fn promise_12_two_days_of_one_person_cannot_be_joined() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        say(&mut ada, &[session(5)]).await;
        let keys = async || -> Vec<Vec<u8>> {
            let sql = "SELECT key FROM usage_keys ORDER BY day";
            match world.db() {
                Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_all(r).await,
                Db::Pg(pool) => sqlx::query_scalar(sql).fetch_all(pool).await,
            }
            .expect("reads")
        };
        let first = keys().await;
        world.clock.advance(DAY);
        say(&mut ada, &[session(5)]).await;
        world.work().await;
        let names = names(&world).await;
        assert_eq!(names.len(), 2);
        assert_ne!(names[0].1, names[1].1, "another name each day");
        let second = keys().await;
        assert_eq!((first.len(), second.len()), (1, 1), "only the day's own key is there");
        assert_ne!(first, second);
        // Nor in the files: with it, the names of that day could be made again.
        if world.engine == Engine::Sqlite {
            assert!(!crate::world::contains(&world.dump().await, &first[0]), "the key is gone");
        }
    })
    .await;
}

#[tokio::test]
async fn promise_11_an_objection_holds_at_once_and_takes_what_can_be_told_to_be_theirs() {
    for_each_store(async |world: World| {
        let mut admin = world.account_with("admina", Role::Admin).await;
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        let start = world.now();
        say(&mut ada, &[session(40)]).await;
        world.clock.advance(DAY);
        world.work().await;
        say(&mut ada, &[session(20)]).await;
        say(&mut grace, &[session(5)]).await;
        assert_eq!(
            ada.get("/account/usage").await.body,
            json!({ "allowed": true, "crash_key": null })
        );
        ada.put("/account/usage", json!({ "allowed": false })).await.is_done();
        assert_eq!(
            ada.get("/account/usage").await.body,
            json!({ "allowed": false, "crash_key": null })
        );
        let refused = ada.post("/usage", json!({ "events": [session(1)] })).await;
        refused.is(403, "usage_refused");
        // Another server of the same database refuses too, though nobody told it.
        let (_, _, router) = world.restarted().await;
        let mut elsewhere = ada.through(&router);
        elsewhere.post("/usage", json!({ "events": [session(1)] })).await.is(403, "usage_refused");
        let shown = figures(&mut admin, start).await;
        let minutes: Vec<_> =
            (0..2).map(|day| shown[day]["counts"][0]["minutes"].clone()).collect();
        assert_eq!(minutes, [5, 40], "of the present day hers are gone, and nobody else's");
        ada.put("/account/usage", json!({ "allowed": true })).await.is_done();
        say(&mut ada, &[session(1)]).await;
    })
    .await;
}

#[tokio::test]
async fn promise_12_what_was_counted_is_deleted_after_half_a_year() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        say(&mut ada, &[session(5)]).await;
        world.clock.advance(179 * DAY);
        world.work().await;
        assert_eq!(names(&world).await.len(), 1);
        world.clock.advance(2 * DAY);
        world.work().await;
        assert!(names(&world).await.is_empty());
    })
    .await;
}
