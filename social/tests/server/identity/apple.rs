//! Apple: how it is asked, and what it tells by itself.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use social::account::identity::{ClientSecret, Kind, ProviderConfig};
use social::store::Ending;

use super::app::{account, sign_in, sign_up};
use super::browser::{Browser, SITE, word};
use super::double::{Double, fresh_key, seconds};
use super::web::{back, somebody};
use super::{identity, world};
use crate::ear::{Ear, listen};
use crate::world::{Answer, Engine, PASSWORD, Person, World, send};

fn config(double: &Double) -> ProviderConfig {
    let key = BASE64_STANDARD.encode(fresh_key());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----");
    let secret = ClientSecret::Apple { team_id: "T".into(), key_id: "K".into(), key };
    let usual = ProviderConfig::new("double", Kind::Apple, "jam", secret);
    let app_client_ids = vec!["app".into()];
    ProviderConfig { issuer: double.issuer.clone(), app_client_ids, ..usual }
}

/// A test on each kind of database, with a double that does as Apple does.
async fn for_each_apple(test: impl AsyncFn(World, Double)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let double = Double::start().await;
        double.signs_with_rsa();
        let config = config(&double);
        test(world(engine, vec![config]).await, double).await;
    }
}

/// A token that tells of something that happens at this moment, of the app of this server.
fn told(world: &World, double: &Double, kind: &str, subject: &str, changes: &Value) -> String {
    let mut event = json!({ "type": kind, "sub": subject, "event_time": world.now().0 });
    for (name, value) in changes.as_object().expect("claims") {
        event[name] = value.clone();
    }
    let now = seconds(world.now());
    double.signed(&json!({
        "iss": double.issuer, "aud": "app", "iat": now, "exp": now + 24 * 3600, "jti": "j",
        "events": event.to_string(),
    }))
}

async fn deliver(world: &World, payload: &str) -> Answer {
    world.device().post("/identity/double/events", json!({ "payload": payload })).await
}

async fn tell(world: &World, double: &Double, kind: &str, subject: &str) {
    let answer = deliver(world, &told(world, double, kind, subject, &json!({}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

/// The subjects of what was written to somebody.
async fn mails(world: &World, to: &str) -> Vec<String> {
    world.work().await;
    let mails = world.smtp.take().into_iter().filter(|mail| mail.to == to);
    mails.map(|mail| mail.subject).collect()
}

/// Gives an account another password, with the code of a mail.
async fn resets_the_password(world: &World, person: &mut Person, email: &str) {
    mails(world, email).await;
    let begun = person.post("/password-resets", json!({ "email": email })).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    world.work().await;
    let mails = world.smtp.take();
    let code = mails.iter().find(|mail| mail.to == email).expect("a mail").code();
    let path = format!("/password-resets/{}/complete", begun.text("reset"));
    person.post(&path, json!({ "code": code, "password": PASSWORD })).await.is_done();
}

#[tokio::test]
async fn apple_gets_a_token_as_secret_and_leads_back_with_a_form() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let double = Double::start().await;
        let world = world(engine, vec![config(&double)]).await;
        let mut browser = Browser::new(&world);
        let url = browser.begins_to_sign_in("double").await;
        assert_eq!(word(&url, "response_mode"), "form_post");
        let way = back(&double, &url, "ada");
        let (path, form) = way.strip_prefix(SITE).expect("ours").split_once('?').expect("a query");
        // From Apple's page a browser sends the form without any cookie of ours.
        let request = Request::post(path)
            .header(header::ORIGIN, "https://appleid.apple.com")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let led = send(&world.router, request).await;
        assert_eq!(led.status, StatusCode::SEE_OTHER, "{led:?}");
        let to = led.headers[header::LOCATION].to_str().expect("text").to_owned();
        // Apple signs otherwise than the double does by itself, which is why that is not believed.
        let page = browser.comes_back(&to).await;
        assert_eq!(page, "/account/sign-in?problem=identity_refused&with=double");
        double.signs_with_rsa();
        world.clock.advance(Duration::from_secs(60));
        let url = browser.begins_to_sign_in("double").await;
        let page = browser.comes_back(&back(&double, &url, "ada")).await;
        assert_eq!(page, "/account/sign-up?with=double");
        let asked = double.asked("/token").pop().expect("it was asked");
        let secret = asked.field("client_secret").expect("in the form");
        assert_eq!(secret.split('.').count(), 3, "a token: {secret}");
        assert!(!asked.headers.contains_key(header::AUTHORIZATION));
    }
}

#[tokio::test]
async fn who_has_it_share_nothing_more_is_signed_out_told_and_gets_in_by_a_new_password() {
    for_each_apple(async |world, double| {
        let mut ada = account(&world, &double, "ada").await;
        let mut tablet = world.device();
        let shown = double.shows("double", "ada", json!({ "jti": "2" }));
        assert_eq!(sign_in(&mut tablet, shown).await.status, StatusCode::CREATED);
        let mut grace = account(&world, &double, "grace").await;
        mails(&world, "").await;
        let at = listen(world.router.clone()).await;
        let (mut hers, mut other) = (Ear::open(at, &ada).await, Ear::open(at, &grace).await);
        tell(&world, &double, "consent-revoked", "ada").await;
        // A server looks by itself every half minute, which is not what is meant.
        let closed = tokio::time::timeout(Duration::from_secs(10), hers.closed()).await;
        assert_eq!(closed, Ok(4401), "it is told, and does not wait until it looks");
        other.say(json!({ "type": "resume", "chats": {} })).await;
        assert_eq!(other.next().await["type"], "resumed", "nobody else's");
        for device in [&mut ada, &mut tablet] {
            device.get("/account").await.is(401, "not_signed_in");
        }
        assert_eq!(grace.get("/account").await.status, StatusCode::OK, "nobody else is");
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
        let written = mails(&world, "ada@example.org").await;
        assert_eq!(written, ["A sign-in of your account ended"]);
        assert!(double.asked("/revoke").is_empty(), "it knows");
        let shown = double.shows("double", "ada", json!({ "jti": "3" }));
        sign_in(&mut ada, shown).await.is(404, "identity_unknown");
        resets_the_password(&world, &mut ada, "ada@example.org").await;
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        assert_eq!(ada.get("/account").await.text("username"), "ada", "all is there");
    })
    .await;
}

#[tokio::test]
async fn a_device_that_was_signed_in_otherwise_stays_so() {
    for_each_apple(async |world, double| {
        let mut ada = world.account("ada").await;
        let body = json!({
            "identity": double.shows("double", "ada", json!({})), "current_password": PASSWORD,
        });
        ada.post("/account/identities", body).await.is_done();
        let mut tablet = Browser::new(&world);
        let url = tablet.begins_to_sign_in("double").await;
        assert_eq!(tablet.comes_back(&back(&double, &url, "ada")).await, "/account/signed-in");
        tell(&world, &double, "account-delete", "ada").await;
        tablet.get("/account").await.is(401, "not_signed_in");
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
        let ways = ada.get("/account/identities").await.body;
        assert_eq!((&ways["has_password"], &ways["identities"]), (&json!(true), &json!([])));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_apples_is_not_believed_and_who_is_not_known_is_not_told_from_who_is() {
    for_each_apple(async |world, double| {
        account(&world, &double, "ada").await;
        let now = seconds(world.now());
        let event = json!({ "type": "consent-revoked", "sub": "ada", "event_time": world.now().0 });
        let said = |name: &str, value: Value| {
            let mut said = json!({
                "iss": double.issuer, "aud": "jam", "iat": now, "events": event.to_string(),
            });
            said[name] = value;
            said
        };
        let good = double.signed(&said("aud", "jam".into()));
        let (signed, _) = good.rsplit_once('.').expect("three parts");
        let other_key = super::double::sign(&fresh_key(), "one", &said("aud", "jam".into()));
        for (why, wrong) in [
            ("issuer", double.signed(&said("iss", "https://id.example".into()))),
            ("audience", double.signed(&said("aud", "other".into()))),
            ("too old", double.signed(&said("iat", (now - 2 * 24 * 3600).into()))),
            ("no events", double.signed(&json!({ "iss": double.issuer, "aud": "jam" }))),
            ("an ID token", double.token("ada", json!({}))),
            ("another key", other_key),
            ("no signature", format!("{signed}.")),
            ("no token", "x".into()),
        ] {
            eprintln!("{why}");
            deliver(&world, &wrong).await.is(403, "identity_refused");
        }
        let unknown = told(&world, &double, "consent-revoked", "nobody", &json!({}));
        let unheard_of = told(&world, &double, "consent-given", "ada", &json!({}));
        for nothing in [unknown, unheard_of] {
            let answer = deliver(&world, &nothing).await;
            assert_eq!((answer.status, &answer.body), (StatusCode::OK, &json!("")));
        }
        let mut anybody = world.device();
        let path = "/identity/double/events";
        anybody.post("/identity/other/events", json!({})).await.is(404, "not_found");
        anybody.post(path, json!({})).await.is(422, "invalid");
        let request =
            |body: String| Request::post(format!("/api/v1/social{path}")).body(Body::from(body));
        let raw = async |body: String| send(&world.router, request(body).expect("one")).await;
        raw("payload".into()).await.is(400, "bad_json");
        raw(format!("\"{}\"", "x".repeat(200_000))).await.is(413, "too_large");
        assert!(identity(&world, &double.issuer, "ada").await.is_some(), "nothing of it counted");
        // Whatever kind of body it says it is.
        let answer = raw(json!({ "payload": good }).to_string()).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &json!("")));
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_is_told_again_or_late_does_nothing_to_who_came_back_since() {
    for_each_apple(async |world, double| {
        let mut ada = account(&world, &double, "ada").await;
        let later = |world: &World| {
            world.clock.advance(Duration::from_secs(60));
            json!({ "iat": seconds(world.now()) })
        };
        // It happened before she signed in once more, and is told afterwards.
        let late = told(&world, &double, "consent-revoked", "ada", &json!({}));
        let shown = double.shows("double", "ada", later(&world));
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED);
        assert_eq!(deliver(&world, &late).await.status, StatusCode::OK);
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
        // It is told, she links it anew, and somebody tells it once more.
        world.clock.advance(Duration::from_secs(60));
        let again = told(&world, &double, "consent-revoked", "ada", &json!({}));
        assert_eq!(deliver(&world, &again).await.status, StatusCode::OK);
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
        resets_the_password(&world, &mut ada, "ada@example.org").await;
        ada.sign_in("ada", PASSWORD).await;
        let shown = double.shows("double", "ada", later(&world));
        let body = json!({ "identity": shown, "current_password": PASSWORD });
        ada.post("/account/identities", body).await.is_done();
        mails(&world, "").await;
        for payload in [&again, &late, &again] {
            assert_eq!(deliver(&world, payload).await.status, StatusCode::OK);
        }
        assert!(identity(&world, &double.issuer, "ada").await.is_some());
        assert_eq!(mails(&world, "ada@example.org").await, [""; 0], "nor is she told");
    })
    .await;
}

#[tokio::test]
async fn promise_1_what_it_says_because_it_was_told_of_an_erasure_leaves_the_way_back_open() {
    for_each_apple(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        assert_eq!(double.asked("/revoke").len(), 1);
        let echo = told(&world, &double, "consent-revoked", "ada", &json!({}));
        assert_eq!(deliver(&world, &echo).await.status, StatusCode::OK);
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!(kept.ending, Some(Ending::Told));
        world.clock.advance(Duration::from_secs(60));
        let url = ada.begins_to_sign_in("double").await;
        let since = json!({ "iat": seconds(world.now()) });
        ada.comes_back(&super::web::back_with(&double, &url, "ada", since)).await;
        ada.post("/account/erasure/cancel-with-identity", json!({})).await.is_done();
        assert_eq!(deliver(&world, &echo).await.status, StatusCode::OK);
        assert!(identity(&world, &double.issuer, "ada").await.expect("hers").shown.token.is_some());
    })
    .await;
}

#[tokio::test]
async fn promise_8_what_it_ends_itself_while_an_erasure_waits_is_not_told_to_it() {
    for_each_apple(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        double.is_down(true);
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        double.is_down(false);
        double.asked("/revoke");
        tell(&world, &double, "consent-revoked", "ada").await;
        world.clock.advance(Duration::from_secs(24 * 3600));
        world.work().await;
        assert!(double.asked("/revoke").is_empty());
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!((kept.ending, kept.shown.token), (Some(Ending::Told), None));
        // Who is gone there takes it back with a password.
        tell(&world, &double, "account-deleted", "ada").await;
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
        let mut app = world.device();
        resets_the_password(&world, &mut app, "ada@example.org").await;
        let body = json!({ "login": "ada", "password": PASSWORD });
        app.post("/account/erasure/cancel", body).await.is_done();
    })
    .await;
}

#[tokio::test]
async fn mail_that_is_not_forwarded_any_more_is_noted_and_shown() {
    for_each_apple(async |world, double| {
        let address = json!({ "email": "x7@privaterelay.appleid.com" });
        let mut ada = world.device();
        let made = sign_up(&mut ada, "ada", double.shows("double", "ada", address)).await;
        ada.token = Some(made.text("token"));
        let mut grace = account(&world, &double, "grace").await;
        let stopped = async |of: &mut Person| {
            let ways = of.get("/account/identities").await.body;
            ways["identities"][0]["mail_stopped"].as_bool().expect("it is said")
        };
        assert!(!stopped(&mut ada).await);
        tell(&world, &double, "email-disabled", "ada").await;
        tell(&world, &double, "email-disabled", "grace").await;
        assert!(stopped(&mut ada).await);
        assert!(!stopped(&mut grace).await, "her address is her own");
        let before = json!({ "event_time": world.now().0 - 1 });
        let late = told(&world, &double, "email-enabled", "ada", &before);
        assert_eq!(deliver(&world, &late).await.status, StatusCode::OK);
        assert!(stopped(&mut ada).await, "what is older says nothing");
        assert_eq!(ada.get("/account").await.text("email"), "x7@privaterelay.appleid.com");
        world.clock.advance(Duration::from_secs(1));
        tell(&world, &double, "email-enabled", "ada").await;
        assert!(!stopped(&mut ada).await);
    })
    .await;
}

#[tokio::test]
async fn what_one_address_tells_has_a_limit() {
    for_each_apple(async |world, _double| {
        let burst = social::limits::IDENTITY_EVENT_RATE.burst.get();
        let mut chatty = world.device();
        chatty.address = Some("192.0.2.7".into());
        for _ in 0..burst {
            chatty.post("/identity/double/events", json!({})).await.is(422, "invalid");
        }
        chatty.post("/identity/double/events", json!({})).await.is(429, "too_many_requests");
        let mut other = world.device();
        other.address = Some("192.0.2.8".into());
        other.post("/identity/double/events", json!({})).await.is(422, "invalid");
    })
    .await;
}
