//! Signing in and out, and cookies.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::world::{Answer, PASSWORD, Person, World, for_each_store, send};

#[tokio::test]
async fn each_device_is_listed_and_can_be_signed_out() {
    for_each_store(async |world: World| {
        let mut phone = world.account("ada").await;
        let mut laptop = world.device();
        let body = json!({ "login": "ada", "password": PASSWORD, "device_name": "Laptop" });
        let signed_in = laptop.post("/sessions", body).await;
        laptop.token = Some(signed_in.text("token"));
        let list = phone.get("/sessions").await.body;
        let list = list.as_array().expect("a list");
        assert_eq!(list.len(), 2);
        assert_eq!(list.iter().map(|s| s["current"].clone()).collect::<Vec<_>>(), [true, false]);
        assert_eq!(list[1]["device_name"], "Laptop");
        let id = list[1]["id"].as_str().expect("an id").to_owned();
        // Not by somebody else.
        let mut grace = world.account("grace").await;
        grace.delete(&format!("/sessions/{id}")).await.is(404, "not_found");
        laptop.get("/account").await;
        phone.delete(&format!("/sessions/{id}")).await.is_done();
        laptop.get("/account").await.is(401, "not_signed_in");
        phone.delete(&format!("/sessions/{id}")).await.is(404, "not_found");
        phone.delete("/sessions/current").await.is_done();
        phone.get("/account").await.is(401, "not_signed_in");
    })
    .await;
}

#[tokio::test]
async fn all_others_are_signed_out_at_once() {
    for_each_store(async |world: World| {
        let mut phone = world.account("ada").await;
        let mut others: Vec<Person> = (0..3).map(|_| world.device()).collect();
        for other in &mut others {
            other.sign_in("ada", PASSWORD).await;
        }
        phone.delete("/sessions").await.is_done();
        for other in &mut others {
            other.get("/account").await.is(401, "not_signed_in");
        }
        assert_eq!(phone.get("/account").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_ninety_days_after_its_last_use_and_after_a_year() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut idle = world.device();
        idle.sign_in("ada", PASSWORD).await;
        for _ in 0..6 {
            world.clock.advance(59 * DAY);
            let answer = ada.get("/account").await;
            assert_eq!(answer.status, StatusCode::OK, "used often enough");
        }
        idle.get("/account").await.is(401, "not_signed_in");
        world.clock.advance(12 * DAY);
        ada.get("/account").await.is(401, "not_signed_in");
        world.work().await;
    })
    .await;
}

#[tokio::test]
async fn the_fifty_first_session_ends_the_one_used_least() {
    for_each_store(async |world: World| {
        let mut first = world.account("ada").await;
        for _ in 0..50 {
            world.clock.advance(Duration::from_secs(3600));
            let signed_in = world.device().sign_in("ada", PASSWORD).await;
            assert_eq!(signed_in.status, StatusCode::CREATED);
        }
        first.get("/account").await.is(401, "not_signed_in");
        let mut last = world.device();
        last.sign_in("ada", PASSWORD).await;
        assert_eq!(last.get("/sessions").await.body.as_array().expect("a list").len(), 50);
    })
    .await;
}

/// A browser's request with its cookie.
async fn ask(world: &World, method: Method, cookie: &str, headers: &[(&str, &str)]) -> Answer {
    let path = if method == Method::GET { "account" } else { "sessions/current" };
    let mut request = Request::builder().method(method).uri(format!("/api/v1/social/{path}"));
    request = request.header(header::COOKIE, cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(&world.router, request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_browser_is_signed_in_by_a_cookie_that_only_our_pages_can_use() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let body = json!({ "login": "ada", "password": PASSWORD, "carrier": "cookie" });
        let request = Request::post("/api/v1/social/sessions")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, "https://jam.example")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let signed_in = send(&world.router, request).await;
        assert_eq!(signed_in.status, StatusCode::CREATED);
        assert!(signed_in.body.get("token").is_none(), "no page can read it");
        let cookies = signed_in.headers.get_all(header::SET_COOKIE).iter();
        let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().expect("text")).collect();
        let session =
            cookies.iter().find(|cookie| cookie.starts_with("vjam_session=")).expect("one");
        for word in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(session.contains(word), "{session}");
        }
        let cookie = session.split(';').next().expect("a pair");
        assert_eq!(ask(&world, Method::GET, cookie, &[]).await.status, StatusCode::OK);
        // What changes something must come from a page of ours.
        ask(&world, Method::DELETE, cookie, &[]).await.is(403, "foreign_page");
        let cross = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
        ask(&world, Method::DELETE, cookie, &cross).await.is(403, "foreign_page");
        let same_site = [("sec-fetch-site", "same-site")];
        ask(&world, Method::DELETE, cookie, &same_site).await.is(403, "foreign_page");
        let own = [("sec-fetch-site", "same-origin"), ("origin", "https://jam.example")];
        let signed_out = ask(&world, Method::DELETE, cookie, &own).await;
        signed_out.is_done();
        let removed = signed_out.headers[header::SET_COOKIE].to_str().expect("text");
        assert!(
            removed.starts_with("vjam_session=;") && removed.contains("Max-Age=0"),
            "{removed}"
        );
        ask(&world, Method::GET, cookie, &[]).await.is(401, "not_signed_in");
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account_and_never_for_the_owners_device() {
    for_each_store(async |world: World| {
        let mut owner = world.account("ada").await;
        let mut guesser = world.device();
        for _ in 0..10 {
            guesser.sign_in("ada", "wrong password").await.is(401, "wrong_credentials");
        }
        let refused = guesser.sign_in("ada", PASSWORD).await;
        refused.is(429, "too_many_requests");
        assert_ne!(refused.headers["retry-after"], "0");
        assert_eq!(owner.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        // Somebody else's account is not touched, and time heals.
        guesser.sign_in("grace", "wrong password").await.is(401, "wrong_credentials");
        world.clock.advance(Duration::from_secs(90));
        assert_eq!(guesser.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down_by_address_whatever_the_account() {
    for_each_store(async |world: World| {
        let mut guesser = world.device();
        guesser.address = Some("203.0.113.5".into());
        for number in 0..60 {
            let login = format!("name{number}");
            guesser.sign_in(&login, "wrong password").await.is(401, "wrong_credentials");
        }
        guesser.sign_in("another", "wrong password").await.is(429, "too_many_requests");
        let mut other = world.device();
        other.address = Some("203.0.113.6".into());
        other.sign_in("another", "wrong password").await.is(401, "wrong_credentials");
        assert!(!world.holds("203.0.113").await, "no address is kept");
    })
    .await;
}

#[tokio::test]
async fn a_guesser_keeps_the_owner_out_of_no_other_device() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let mut guesser = world.device();
        guesser.address = Some("203.0.113.6".into());
        for _ in 0..10 {
            guesser.sign_in("ada", "wrong password").await.is(401, "wrong_credentials");
        }
        guesser.sign_in("ada", PASSWORD).await.is(429, "too_many_requests");
        let mut tablet = world.device();
        tablet.address = Some("203.0.113.5".into());
        let signed_in = tablet.sign_in("ada", PASSWORD).await;
        assert_eq!(signed_in.status, StatusCode::CREATED, "a new device elsewhere");
        // From many addresses, there is an end for devices that are not known.
        for number in 0..8 {
            guesser.address = Some(format!("198.51.100.{number}"));
            for _ in 0..10 {
                guesser.sign_in("ada", "wrong password").await.is(401, "wrong_credentials");
            }
        }
        for _ in 0..9 {
            guesser.address = Some("198.51.100.99".into());
            guesser.sign_in("ada", "wrong password").await.is(401, "wrong_credentials");
        }
        let mut laptop = world.device();
        laptop.address = Some("203.0.113.7".into());
        laptop.sign_in("ada", PASSWORD).await.is(429, "too_many_requests");
        // The way out: whoever reads the account's mail is its owner, and so is their device.
        world.work().await;
        world.smtp.take();
        let reset = laptop.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let body = json!({ "code": world.smtp.take_one().code(), "password": "another password" });
        let path = format!("/password-resets/{}/complete", reset.text("reset"));
        laptop.post(&path, body).await.is_done();
        let signed_in = laptop.sign_in("ada", "another password").await;
        assert_eq!(signed_in.status, StatusCode::CREATED);
        drop(ada);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_anybodys_login_is_nobodys() {
    for_each_store(async |world: World| {
        let mut person = world.device();
        let long = "a".repeat(5000);
        for login in ["a\0b", "a\0b@example.org", "\u{7}", "", &long] {
            person.sign_in(login, PASSWORD).await.is(401, "wrong_credentials");
        }
    })
    .await;
}
