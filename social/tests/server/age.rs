//! The first question, and what is kept of whoever is too young.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use std::time::Duration;

use crate::world::{PASSWORD, World, for_each_store, new_sign_up};

#[tokio::test]
async fn promise_14_too_young_is_refused_and_so_is_the_next_try_on_that_device() {
    for_each_store(async |world: World| {
        let mut child = world.device();
        let refused = child.post("/age", json!({ "born": "2020-03-04" })).await;
        refused.is(403, "sign_up_refused");
        assert!(child.device.is_some(), "the device carries a number from now on");
        // Another answer now would be a lie.
        let again = child.post("/age", json!({ "born": "1990-03-04" })).await;
        again.is(403, "sign_up_refused");
        assert_eq!(again.body, refused.body, "nothing tells the two apart");
        // Another device is somebody else's.
        let other = world.device().post("/age", json!({ "born": "1990-03-04" })).await;
        assert_eq!(other.status, StatusCode::OK);
        // After a restart too: it is in the database.
        let (_, _, router) = world.restarted().await;
        let mut same = world.device();
        same.device.clone_from(&child.device);
        let request = axum::http::Request::post("/api/v1/social/age")
            .header(header::CONTENT_TYPE, "application/json")
            .header("vjam-device", child.device.clone().expect("it has one"))
            .body(axum::body::Body::from("{\"born\":\"1990-03-04\"}"))
            .expect("a request");
        crate::world::send(&router, request).await.is(403, "sign_up_refused");
    })
    .await;
}

#[tokio::test]
async fn promise_14_a_browser_is_remembered_by_a_cookie_that_pages_cannot_read() {
    for_each_store(async |world: World| {
        let refused = world.device().post("/age", json!({ "born": "2020-03-04" })).await;
        let cookie = refused.headers[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let request = axum::http::Request::post("/api/v1/social/age")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, cookie)
            .body(axum::body::Body::from("{\"born\":\"1990-03-04\"}"))
            .expect("a request");
        crate::world::send(&world.router, request).await.is(403, "sign_up_refused");
    })
    .await;
}

#[tokio::test]
async fn promise_14_a_refusal_keeps_nothing_of_the_person_and_says_no_age() {
    for_each_store(async |world: World| {
        let refused = world.device().post("/age", json!({ "born": "2020-03-04" })).await;
        let told = refused.body.to_string();
        assert!(!told.contains("13") && !told.contains("age") && !told.contains("year"), "{told}");
        for kept in ["2020-03-04", "2020", "born"] {
            assert!(!world.holds(kept).await, "{kept}");
        }
        let rows = world.db().read().await.expect("reads").columns().await.expect("reads");
        let of_refusals: Vec<_> =
            rows.iter().filter(|(table, _)| table == "age_refusals").collect();
        assert_eq!(of_refusals.len(), 2, "a hash and a time: {of_refusals:?}");
    })
    .await;
}

#[tokio::test]
async fn promise_14_no_sign_up_goes_round_the_question() {
    for_each_store(async |world: World| {
        let mut person = world.device();
        let age = person.post("/age", json!({ "born": "1990-05-17" })).await;
        let token = age.text("age_token");
        let body = |token: &str| new_sign_up(token, "ada@example.org", "ada", PASSWORD);
        // None, a wrong one, and that of another device.
        person.post("/sign-ups", json!({ "email": "a@example.org" })).await.is(422, "invalid");
        person.post("/sign-ups", body("00")).await.is(422, "invalid");
        let mut other = world.device();
        other.post("/sign-ups", body(&token)).await.is(422, "invalid");
        // One whose device was refused meanwhile, in another tab.
        person.post("/age", json!({ "born": "2020-01-01" })).await.is(403, "sign_up_refused");
        person.post("/sign-ups", body(&token)).await.is(403, "sign_up_refused");
        world.work().await;
        assert!(world.smtp.take().is_empty(), "nobody was written to");
    })
    .await;
}

#[tokio::test]
async fn promise_14_a_refusal_between_sign_up_and_code_holds_too() {
    for_each_store(async |world: World| {
        let mut person = world.device();
        let sign_up = person.sign_up("ada@example.org", "ada", PASSWORD).await;
        world.work().await;
        let code = world.smtp.take_one().code();
        let mut other = world.device();
        let others = other.sign_up("grace@example.org", "grace", PASSWORD).await.text("sign_up");
        person.post("/age", json!({ "born": "2020-01-01" })).await.is(403, "sign_up_refused");
        // Nothing of them is left: neither code nor name.
        let path = format!("/sign-ups/{}", sign_up.text("sign_up"));
        let again = person.ask(Method::POST, &format!("{path}/code"), None).await;
        again.is(404, "not_found");
        person.post(&format!("{path}/verify"), json!({ "code": code })).await.is(422, "wrong_code");
        world.work().await;
        let mails = world.smtp.take();
        assert!(mails.iter().all(|mail| mail.to == "grace@example.org"), "{mails:#?}");
        let free = world.device().sign_up("other@example.org", "ada", PASSWORD).await;
        assert_eq!(free.status, StatusCode::ACCEPTED);
        // Somebody else's is as it was.
        let again = other.ask(Method::POST, &format!("/sign-ups/{others}/code"), None).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_for_half_an_hour_and_a_refusal_for_ninety_days() {
    for_each_store(async |world: World| {
        let mut person = world.device();
        let token = person.post("/age", json!({ "born": "1990-05-17" })).await.text("age_token");
        world.clock.advance(Duration::from_secs(30 * 60));
        let body = new_sign_up(&token, "ada@example.org", "ada", PASSWORD);
        person.post("/sign-ups", body).await.is(422, "invalid");
        person.post("/age", json!({ "born": "2020-05-17" })).await.is(403, "sign_up_refused");
        world.clock.advance(Duration::from_secs(90 * 24 * 3600 - 1));
        person.post("/age", json!({ "born": "1990-05-17" })).await.is(403, "sign_up_refused");
        world.clock.advance(Duration::from_secs(1));
        let passed = person.post("/age", json!({ "born": "1990-05-17" })).await;
        assert_eq!(passed.status, StatusCode::OK);
    })
    .await;
}
