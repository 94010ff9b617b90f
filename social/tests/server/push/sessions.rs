//! A browser is told for as long as its session lasts, and for whoever is signed in.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::store::Db;

use super::double::{Service, for_each_service};
use super::kinds;
use crate::erasure::ask;
use crate::export::fetched;
use crate::world::{PASSWORD, Person, World, contains};

async fn listed(person: &mut Person) -> Vec<Value> {
    person.get("/account/push").await.body["browsers"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_browser_is_listed_and_switched_off_by_its_owner_alone() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        assert_eq!(listed(&mut grace).await, Vec::<Value>::new());
        service.switch_on(&mut grace).await;
        let mut laptop = world.device();
        laptop.sign_in("grace", PASSWORD).await;
        let (here, there) = (listed(&mut grace).await, listed(&mut laptop).await);
        assert_eq!((&here[0]["host"], here.len()), (&json!("127.0.0.1"), 1));
        assert_eq!(here[0]["created_at"], json!(world.now()));
        assert_eq!((&here[0]["current"], &there[0]["current"]), (&json!(true), &json!(false)));
        let path = format!("/account/push/{}", here[0]["id"].as_str().expect("an id"));
        ada.delete(&path).await.is(404, "not_found");
        // Switched on again, it is still one.
        service.switch_on(&mut grace).await;
        assert_eq!(listed(&mut grace).await.len(), 1);
        laptop.delete(&path).await.is(404, "not_found");
        let path = listed(&mut grace).await[0]["id"].clone();
        laptop.delete(&format!("/account/push/{}", path.as_str().expect("an id"))).await.is_done();
        ada.put("/friends/grace", json!({})).await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_browser_goes_with_its_session_however_that_ends() {
    for_each_service(async |world: World, service: Service| {
        let mut grace = world.account("grace").await;
        let signed_in = async || {
            let mut device = world.device();
            assert_eq!(device.sign_in("grace", PASSWORD).await.status, StatusCode::CREATED);
            service.switch_on(&mut device).await;
            device
        };
        let mut out = signed_in().await;
        assert_eq!(listed(&mut grace).await.len(), 1);
        out.delete("/sessions/current").await.is_done();
        assert_eq!(listed(&mut grace).await, Vec::<Value>::new(), "signed out");
        signed_in().await;
        grace.delete("/sessions").await.is_done();
        assert_eq!(listed(&mut grace).await, Vec::<Value>::new(), "signed out from elsewhere");
        signed_in().await;
        service.switch_on(&mut grace).await;
        let change = json!({ "current_password": PASSWORD, "password": "over the rainbow" });
        grace.put("/account/password", change).await.is_done();
        let left = listed(&mut grace).await;
        assert_eq!((left.len(), &left[0]["current"]), (1, &json!(true)), "a new password");
        service.arrived().await;
        // By itself: nothing is pushed from that moment, though its row may still be there.
        world.clock.advance(Duration::from_secs(91 * 24 * 3600));
        let mut other = world.device();
        other.sign_in("grace", "over the rainbow").await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "expired");
        assert_eq!(listed(&mut other).await, Vec::<Value>::new());
    })
    .await;
}

#[tokio::test]
async fn one_browser_is_told_for_one_account_whoever_signed_in_last() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let browser = service.switch_on(&mut ada).await;
        grace.put("/account/push", browser).await.is_done();
        assert_eq!(listed(&mut ada).await, Vec::<Value>::new());
        assert_eq!(listed(&mut grace).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_an_account_with_many_browsers_the_oldest_go() {
    for_each_service(async |world: World, service: Service| {
        let mut grace = world.account("grace").await;
        let mut first = Value::Null;
        for _ in 0..11 {
            world.clock.advance(Duration::from_secs(600));
            let mut device = world.device();
            device.sign_in("grace", PASSWORD).await;
            service.switch_on(&mut device).await;
            if first.is_null() {
                first = listed(&mut grace).await[0]["id"].clone();
            }
        }
        let left = listed(&mut grace).await;
        assert_eq!(left.len(), 10);
        assert!(left.iter().all(|one| one["id"] != first));
    })
    .await;
}

#[tokio::test]
async fn promise_8_a_browser_is_forgotten_when_its_account_is_to_be_erased() {
    for_each_service(async |world: World, service: Service| {
        let mut grace = world.account("grace").await;
        let mut ada = world.account("ada").await;
        let browser = service.switch_on(&mut grace).await;
        let endpoint = browser["endpoint"].as_str().expect("text").to_owned();
        ada.put("/friends/grace", json!({})).await;
        assert_eq!(ask(&mut grace).await.status, StatusCode::ACCEPTED);
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "at once");
        for secret in [&endpoint, browser["auth"].as_str().expect("text")] {
            assert!(!world.holds(secret).await, "not even in the clear before");
        }
        let left = count(&world, "SELECT count(*) FROM push_subscriptions").await;
        assert_eq!(left, 0, "no row is left");
        world.clock.advance(Duration::from_secs(30 * 24 * 3600));
        world.work_until_clean().await;
        let waits = count(&world, "SELECT count(*) FROM jobs WHERE kind = 'push'").await;
        assert_eq!(waits, 0, "no job is left");
    })
    .await;
}

async fn count(world: &World, sql: &'static str) -> i64 {
    let count = match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await,
        Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
    };
    count.expect("reads")
}

#[tokio::test]
async fn promise_9_and_16_the_archive_names_the_service_and_no_dump_what_writes_to_a_browser() {
    for_each_service(async |world: World, service: Service| {
        let mut grace = world.account("grace").await;
        let browser = service.switch_on(&mut grace).await;
        let files = fetched(&world, &mut grace).await;
        let list: Value = serde_json::from_slice(&files["push_subscriptions.json"]).expect("JSON");
        assert_eq!(list[0]["host"], "127.0.0.1");
        assert_eq!(list[0]["created_at"], json!(world.now()));
        let all: Vec<u8> = files.values().flatten().copied().collect();
        let dump = world.dump().await;
        for secret in ["endpoint", "p256dh", "auth"] {
            let secret = browser[secret].as_str().expect("text").as_bytes();
            assert!(!contains(&all, secret), "in the archive");
            assert!(!contains(&dump, secret), "in the database");
        }
        assert!(contains(&dump, b"127.0.0.1"), "what is kept is found");
    })
    .await;
}
