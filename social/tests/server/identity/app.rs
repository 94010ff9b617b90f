//! Tokens that apps show: which are believed, and how often.

use std::time::Duration;

use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use social::secret::hex;

use super::double::{Double, NONCE, fresh_key, seconds, sign};
use super::{for_each, identity};
use crate::world::{Answer, NOW, Person, World};

/// Makes an account of somebody, as an app does.
pub(super) async fn account(world: &World, double: &Double, name: &str) -> Person {
    let mut person = world.device();
    let made = sign_up(&mut person, name, double.shows("double", name, json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    person.token = Some(made.text("token"));
    person
}

pub(super) async fn sign_up(person: &mut Person, name: &str, identity: Value) -> Answer {
    let age = person.post("/age", json!({ "born": "1990-05-17" })).await.text("age_token");
    let body = json!({
        "age_token": age, "username": name, "region": "eu", "identity": identity,
    });
    person.post("/sign-ups/identity", body).await
}

pub(super) async fn sign_in(person: &mut Person, identity: Value) -> Answer {
    let answer = person.post("/sessions/identity", json!({ "identity": identity })).await;
    if answer.status == StatusCode::CREATED {
        person.token = Some(answer.text("token"));
    }
    answer
}

#[tokio::test]
async fn a_token_that_is_wrong_in_anything_lets_nobody_in() {
    for_each(async |world, double| {
        account(&world, &double, "ada").await;
        let mut thief = world.device();
        let claims = |changes| double.claims("ada", changes);
        let good = claims(json!({}));
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let none = format!("{}.{}.", part(&json!({ "alg": "none", "kid": "one" })), part(&good));
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("one".into());
        // The public key is no secret: whoever takes it for one believes anybody.
        let keys = ureq::get(format!("{}/keys", double.issuer));
        let keys = tokio::task::spawn_blocking(move || {
            keys.call().expect("there").body_mut().read_to_string().expect("text")
        });
        let keys = keys.await.expect("done");
        let hmac =
            encode(&header, &good, &EncodingKey::from_secret(keys.as_bytes())).expect("signed");
        let real = double.token("ada", json!({}));
        let (said, _) = real.rsplit_once('.').expect("three parts");
        let (head, signature) = (said.split('.').next().expect("one"), real.rsplit('.').next());
        let swapped = format!("{head}.{}.{}", part(&good), signature.expect("one"));
        let yesterday = seconds(NOW) - 24 * 3600;
        let wrong = [
            ("alg none", none),
            ("alg of a shared secret", hmac),
            ("another key under the same name", sign(&fresh_key(), "one", &good)),
            ("another key under another name", sign(&fresh_key(), "two", &good)),
            ("no signature", format!("{said}.")),
            ("claims of somebody else", swapped.replace(head, "e30")),
            ("no token", "x".into()),
            ("audience", double.token("ada", json!({ "aud": "other" }))),
            ("issuer", double.token("ada", json!({ "iss": "https://id.example" }))),
            ("nonce", double.token("ada", json!({ "nonce": "another nonce, of others" }))),
            ("expired", double.token("ada", json!({ "exp": yesterday }))),
            ("no subject", double.token("", json!({}))),
            ("given to others", double.token("ada", json!({ "azp": "other" }))),
        ];
        for (why, token) in wrong {
            let shown = json!({ "provider": "double", "id_token": token, "nonce": NONCE });
            let answer = sign_in(&mut thief, shown).await;
            eprintln!("{why}");
            answer.is(403, "identity_refused");
        }
        let nobody = json!({ "provider": "other", "id_token": real, "nonce": NONCE });
        sign_in(&mut thief, nobody).await.is(404, "not_found");
        let short = json!({ "provider": "double", "id_token": real, "nonce": "short" });
        sign_in(&mut thief, short).await.is(422, "invalid");
        // As Apple's devices do, and of an app of ours: each counts once.
        let hashed = hex(&Sha256::digest(NONCE));
        let token = double.token("ada", json!({ "nonce": hashed, "aud": "app" }));
        let shown = json!({ "provider": "double", "id_token": token, "nonce": NONCE });
        assert_eq!(sign_in(&mut thief, shown.clone()).await.status, StatusCode::CREATED);
        sign_in(&mut thief, shown).await.is(403, "identity_refused");
    })
    .await;
}

/// The same token with the other signature that ES256 takes for it: `s` and the order of the curve less `s`
/// are as good as each other, and whoever has one can reckon the other.
fn signed_otherwise(token: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (said, signature) = token.rsplit_once('.').expect("three parts");
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let mut borrowed = 0;
    for (byte, of) in bytes[32..].iter_mut().zip(ORDER).rev() {
        let less = i32::from(of) - i32::from(*byte) - borrowed;
        borrowed = i32::from(less < 0);
        *byte = u8::try_from(less.rem_euclid(256)).expect("a byte");
    }
    format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[tokio::test]
async fn a_token_counts_once_however_it_is_signed() {
    for_each(async |world, double| {
        account(&world, &double, "ada").await;
        let token = double.token("ada", json!({ "jti": "2" }));
        let other = signed_otherwise(&token);
        assert_eq!(signed_otherwise(&other), token);
        let shows =
            |token: &str| json!({ "provider": "double", "id_token": token, "nonce": NONCE });
        let mut device = world.device();
        assert_eq!(sign_in(&mut device, shows(&other)).await.status, StatusCode::CREATED);
        sign_in(&mut device, shows(&token)).await.is(403, "identity_refused");
        sign_in(&mut device, shows(&other)).await.is(403, "identity_refused");
    })
    .await;
}

#[tokio::test]
async fn another_key_is_looked_for_once_a_minute_and_no_more_often() {
    for_each(async |world, double| {
        let mut ada = account(&world, &double, "ada").await;
        double.asked("/keys");
        double.takes_another_key("two");
        let shown = double.shows("double", "ada", json!({}));
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED, "it is found");
        assert_eq!(double.asked("/keys").len(), 1);
        double.takes_another_key("three");
        for number in 0..5 {
            let made_up =
                sign(&fresh_key(), &format!("made-up-{number}"), &double.claims("ada", json!({})));
            let shown = json!({ "provider": "double", "id_token": made_up, "nonce": NONCE });
            sign_in(&mut ada, shown).await.is(403, "identity_refused");
        }
        assert_eq!(double.asked("/keys").len(), 0, "whoever makes tokens up has it do nothing");
        world.clock.advance(Duration::from_secs(60));
        let shown = double.shows("double", "ada", json!({}));
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED);
        assert_eq!(double.asked("/keys").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_to_and_asked_again_later() {
    for_each(async |world, double| {
        double.is_down(true);
        let mut ada = world.device();
        let shown = double.shows("double", "ada", json!({}));
        sign_in(&mut ada, shown.clone()).await.is(503, "provider_unavailable");
        double.is_down(false);
        double.asked("/.well-known/openid-configuration");
        sign_in(&mut ada, shown.clone()).await.is(503, "provider_unavailable");
        assert!(double.asked("/.well-known/openid-configuration").is_empty(), "not at once");
        world.clock.advance(Duration::from_secs(5));
        sign_in(&mut ada, shown).await.is(404, "identity_unknown");
    })
    .await;
}

#[tokio::test]
async fn promise_14_nothing_is_kept_of_who_is_too_young_and_another_answer_changes_nothing() {
    for_each(async |world, double| {
        let mut child = world.device();
        let shown = double.shows("double", "zzchild", json!({}));
        sign_in(&mut child, shown.clone()).await.is(404, "identity_unknown");
        child.post("/age", json!({ "born": "2020-01-01" })).await.is(403, "sign_up_refused");
        child.post("/age", json!({ "born": "1990-01-01" })).await.is(403, "sign_up_refused");
        // With the answer of somebody else.
        let other = world.device().post("/age", json!({ "born": "1990-01-01" })).await;
        for age in [other.text("age_token"), "00".into()] {
            let body = json!({
                "age_token": age, "username": "zzchild", "region": "eu", "identity": shown,
            });
            child.post("/sign-ups/identity", body).await.is(422, "invalid");
        }
        assert!(!world.holds("zzchild").await);
        assert!(identity(&world, &double.issuer, "zzchild").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn promise_16_what_a_provider_is_shown_cannot_be_read_in_a_dump() {
    for_each(async |world, double| {
        let mut ada = world.device();
        let mut shown = double.shows("double", "ada", json!({}));
        shown["refresh_token"] = "zz-refresh-token-zz".into();
        let token = shown["id_token"].as_str().expect("text").to_owned();
        assert_eq!(sign_up(&mut ada, "ada", shown).await.status, StatusCode::CREATED);
        let kept = identity(&world, &double.issuer, "ada").await.expect("there");
        assert!(kept.shown.token.is_some());
        for secret in ["zz-refresh-token-zz", &token, NONCE] {
            assert!(!world.holds(secret).await, "{secret}");
        }
        // That something would be found.
        assert!(world.holds(&double.issuer).await);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_an_app_sends_along_is_not_used_up_where_there_is_no_account_yet() {
    for_each(async |world, double| {
        world.account("grace").await;
        let given = |number: u32| {
            double.gives(json!({ "refresh_token": format!("zz-refresh-{number}") }));
        };
        let held = async || {
            let kept = identity(&world, &double.issuer, "ada").await.expect("linked");
            kept.shown.token
        };
        given(1);
        let mut ada = world.device();
        let mut shown = double.shows("double", "ada", json!({}));
        shown["authorization_code"] = "code-1".into();
        sign_in(&mut ada, shown.clone()).await.is(404, "identity_unknown");
        sign_up(&mut ada, "grace", shown.clone()).await.is(409, "username_taken");
        assert!(double.asked("/token").is_empty(), "it counts once");
        assert_eq!(sign_up(&mut ada, "ada", shown).await.status, StatusCode::CREATED);
        let asked = double.asked("/token").pop().expect("shown");
        assert_eq!(asked.field("code").as_deref(), Some("code-1"));
        assert!(asked.headers.contains_key(header::AUTHORIZATION), "to this server itself");
        let first = held().await.expect("what came for it is kept");
        // Another sign-in brings another, and one whose code is worth nothing lets in all the same.
        given(2);
        let mut shown = double.shows("double", "ada", json!({ "jti": "2" }));
        shown["authorization_code"] = "code-2".into();
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED);
        let second = held().await.expect("kept");
        assert_ne!(first, second);
        // One that was given to an app is shown without the secret, which is this server's.
        given(3);
        double.asked("/token");
        let mut shown = double.shows("double", "ada", json!({ "jti": "4", "aud": "app" }));
        shown["authorization_code"] = "code-4".into();
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED);
        let asked = double.asked("/token").pop().expect("shown");
        assert_eq!(asked.field("client_id").as_deref(), Some("app"));
        assert_eq!(asked.field("client_secret"), None);
        assert!(!asked.headers.contains_key(header::AUTHORIZATION));
        let third = held().await.expect("kept");
        double.gives(json!("nothing"));
        let mut shown = double.shows("double", "ada", json!({ "jti": "3" }));
        shown["authorization_code"] = "code-3".into();
        assert_eq!(sign_in(&mut ada, shown).await.status, StatusCode::CREATED);
        assert_eq!(held().await, Some(third));
        assert!(!world.holds("zz-refresh").await, "it is sealed");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_has_an_account_is_never_taken_as_theirs() {
    for_each(async |world, double| {
        let mut owner = world.account("ada").await;
        let mut other = world.device();
        let email = json!({ "email": "Ada@Example.org" });
        let shown = double.shows("double", "stranger", email.clone());
        sign_in(&mut other, shown.clone()).await.is(404, "identity_unknown");
        let answer = sign_up(&mut other, "stranger", shown).await;
        answer.is(409, "email_taken");
        assert!(answer.text("detail").contains("link"), "{answer:?}");
        assert!(identity(&world, &double.issuer, "stranger").await.is_none());
        // Its owner links it, with their password.
        let mut body = json!({ "identity": double.shows("double", "stranger", email) });
        owner.post("/account/identities", body.clone()).await.is(403, "wrong_password");
        body["current_password"] = crate::world::PASSWORD.into();
        owner.post("/account/identities", body).await.is_done();
        let shown = double.shows("double", "stranger", json!({ "jti": "2" }));
        assert_eq!(sign_in(&mut other, shown).await.body["account"]["username"], "ada");
    })
    .await;
}

#[tokio::test]
async fn promise_20_an_address_that_nobody_verified_is_verified_here_as_any_other() {
    for_each(async |world, double| {
        world.account("grace").await;
        let unverified = json!({ "email": "grace@example.org", "email_verified": false });
        let mut ada = world.device();
        let shown = double.shows("double", "s", unverified.clone());
        sign_up(&mut ada, "ada", shown.clone()).await.is(422, "invalid");
        let with = async |person: &mut Person, name: &str, email: &str, shown: Value| {
            let age = person.post("/age", json!({ "born": "1990-05-17" })).await.text("age_token");
            let body = json!({
                "age_token": age, "username": name, "region": "eu", "identity": shown,
                "email": email,
            });
            person.post("/sign-ups/identity", body).await
        };
        let known = with(&mut ada, "one", "grace@example.org", shown).await;
        let mut shown =
            double.shows("double", "s", json!({ "email_verified": "false", "jti": "2" }));
        double.gives(json!({ "refresh_token": "zz-refresh" }));
        shown["authorization_code"] = "code".into();
        let unknown = with(&mut ada, "other", "new@example.org", shown).await;
        let keys = |answer: &Answer| {
            answer.body.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!((known.status, keys(&known)), (StatusCode::ACCEPTED, keys(&unknown)));
        assert!(identity(&world, &double.issuer, "s").await.is_none(), "not before the code");
        world.work().await;
        let mails = world.smtp.take();
        let to = |address: &str| mails.iter().find(|mail| mail.to == address).expect("a mail");
        assert!(to("grace@example.org").subject.contains("already"));
        let code = json!({ "code": to("new@example.org").code() });
        let path = format!("/sign-ups/{}/verify", unknown.text("sign_up"));
        assert_eq!(ada.post(&path, code).await.status, StatusCode::CREATED);
        let kept = identity(&world, &double.issuer, "s").await.expect("linked");
        assert!(kept.shown.token.is_some(), "the code was shown when the sign-up was there");
        let shown = double.shows("double", "s", json!({ "jti": "3" }));
        assert_eq!(sign_in(&mut ada, shown).await.body["account"]["email"], "new@example.org");
    })
    .await;
}
