//! What push services answer, where this server asks none, and what it never asks.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::push::PushSwitch;
use tokio::net::TcpListener;

use super::double::{Service, for_each_service, said};
use super::{SOON, kinds};
use crate::world::{Engine, Person, World, for_each_store};

async fn asks(ada: &mut Person) {
    ada.put("/friends/grace", json!({})).await;
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        for status in [404, 410] {
            service.switch_on(&mut grace).await;
            service.answers(json!([{ "status": status }])).await;
            asks(&mut ada).await;
            world.work().await;
            assert_eq!(grace.get("/account/push").await.body["browsers"], json!([]), "{status}");
            ada.delete("/friends/grace").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_down_is_asked_again_later_and_one_that_says_when_not_before() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        service.answers(json!([{ "status": 503 }, { "status": 500 }])).await;
        asks(&mut ada).await;
        for (wait, requests) in [(0, 1), (4, 1), (1, 2), (9, 2), (1, 3)] {
            world.clock.advance(Duration::from_secs(wait));
            world.work().await;
            assert_eq!(service.requests().await, requests, "after {wait} s more");
        }
        assert_eq!(service.arrived().await.len(), 1);
        // It is not asked for anybody else either.
        let mut other = world.account("other").await;
        service.switch_on(&mut other).await;
        service.answers(json!([{ "status": 429, "headers": { "Retry-After": "120" } }])).await;
        ada.delete("/friends/grace").await;
        asks(&mut ada).await;
        world.work().await;
        ada.put("/friends/other", json!({})).await;
        for (wait, requests) in [(0, 4), (119, 4), (1, 6)] {
            world.clock.advance(Duration::from_secs(wait));
            world.work().await;
            assert_eq!(service.requests().await, requests, "after {wait} s more");
        }
        assert_eq!(service.arrived().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_after_a_day_and_what_is_refused_at_once() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        service.answers(json!([{ "status": 403 }])).await;
        asks(&mut ada).await;
        world.work().await;
        world.clock.advance(Duration::from_secs(3600));
        world.work().await;
        assert_eq!((service.requests().await, service.arrived().await.len()), (1, 0));
        assert_eq!(
            grace.get("/account/push").await.body["browsers"].as_array().map(Vec::len),
            Some(1)
        );
        ada.delete("/friends/grace").await;
        let down: Vec<_> = (0..100).map(|_| json!({ "status": 500 })).collect();
        service.answers(json!(down)).await;
        asks(&mut ada).await;
        for _ in 0..24 {
            world.clock.advance(Duration::from_secs(3600));
            world.work().await;
        }
        let asked = service.requests().await;
        service.answers(json!([])).await;
        world.clock.advance(Duration::from_secs(24 * 3600));
        world.work().await;
        assert_eq!((service.requests().await, service.arrived().await.len()), (asked, 0));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_is_not_followed() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let browser = service.switch_on(&mut grace).await;
        let there = json!({ "Location": browser["endpoint"] });
        service.answers(json!([{ "status": 307, "headers": there }])).await;
        asks(&mut ada).await;
        world.work().await;
        assert_eq!((service.requests().await, service.arrived().await.len()), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn addresses_that_are_no_push_services_are_refused() {
    for_each_service(async |world: World, service: Service| {
        let mut grace = world.account("grace").await;
        let key = grace.get("/account/push").await.text("key");
        let good = service.browser(&key).await;
        for endpoint in [
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/x",
            "https://evil.example/x",
            "https://fcm.googleapis.com@evil.example/x",
            "gopher://127.0.0.1/x",
            "",
        ] {
            let mut given = good.clone();
            given["endpoint"] = json!(endpoint);
            let refused = grace.put("/account/push", given).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], "endpoint", "{endpoint}");
        }
        for (field, wrong) in
            [("p256dh", "BBBB"), ("p256dh", "\u{e9}"), ("auth", "AAAA"), ("auth", "")]
        {
            let mut given = good.clone();
            given[field] = json!(wrong);
            let refused = grace.put("/account/push", given).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], field);
        }
        // Of the right length, and no point of the curve.
        let mut given = good;
        given["p256dh"] = json!(format!("BA{}", "A".repeat(85)));
        grace.put("/account/push", given).await.is(422, "invalid");
        assert_eq!(grace.get("/account/push").await.body["browsers"], json!([]));
    })
    .await;
}

/// A name that is allowed, and leads to this machine: nobody is connected to.
#[tokio::test]
async fn a_name_that_leads_into_the_own_network_is_not_connected_to() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let allow = |config: &mut social::Config| config.push.hosts = vec!["localhost".into()];
        let world = World::with(engine, allow).await;
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let service = Service::start().await;
        let key = grace.get("/account/push").await.text("key");
        let mut browser = service.browser(&key).await;
        grace.put("/account/push", browser.clone()).await.is(422, "invalid");
        browser["endpoint"] = json!(format!("https://localhost:{port}/x"));
        grace.put("/account/push", browser).await.is_done();
        asks(&mut ada).await;
        world.work().await;
        let came = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
        assert!(came.is_err(), "somebody was connected to");
        let mut conn = world.db().read().await.expect("reads");
        let errors = conn.job_errors("push").await.expect("reads");
        assert_eq!(errors, ["push_unreachable"], "it was tried");
    }
}

#[tokio::test]
async fn where_push_is_off_or_nobody_can_be_named_browsers_are_not_remembered() {
    for_each_service(async |mut world: World, service: Service| {
        let (ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let key = grace.get("/account/push").await.text("key");
        let browser = service.switch_on(&mut grace).await;
        world.restart().await;
        let mut grace = grace.through(&world.router);
        assert_eq!(grace.get("/account/push").await.text("key"), key, "it is made once");
        assert_eq!(processors(&world).await, 2);
        world.config.push.switch = PushSwitch::Off;
        world.restart().await;
        let (mut ada, mut grace) = (ada.through(&world.router), grace.through(&world.router));
        let none = json!({ "key": null, "browsers": [] });
        assert_eq!(grace.get("/account/push").await.body, none);
        grace.put("/account/push", browser).await.is(503, "unavailable");
        asks(&mut ada).await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new());
        assert_eq!(processors(&world).await, 1);
    })
    .await;
}

async fn processors(world: &World) -> usize {
    world.device().get("/privacy").await.body["processors"].as_array().expect("a list").len()
}

#[tokio::test]
async fn promise_19_the_page_about_privacy_names_the_push_services() {
    for_each_store(async |world: World| {
        let page = world.device().get("/privacy").await;
        assert_eq!(page.status, StatusCode::OK);
        let names = page.body["processors"].to_string();
        for name in ["Mozilla", "Google", "Apple", "Microsoft"] {
            assert!(names.contains(name), "{names}");
        }
    })
    .await;
}

#[tokio::test]
async fn pushes_come_in_the_language_of_the_account() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        grace.put("/account/language", json!({ "language": "tr" })).await.is_done();
        asks(&mut ada).await;
        world.clock.advance(SOON);
        world.work().await;
        let arrived = service.arrived().await;
        assert_eq!(said(&arrived[0])["lang"], json!("tr"));
        assert_ne!(arrived[0]["topic"], Value::Null);
    })
    .await;
}
