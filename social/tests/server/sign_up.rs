//! From a sign-up to an account.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{PASSWORD, World, for_each_store, new_sign_up};

#[tokio::test]
async fn a_code_by_mail_makes_an_account_that_is_signed_in() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let sign_up = ada.sign_up("Ada@Example.org", "Ada", PASSWORD).await;
        assert_eq!(sign_up.status, StatusCode::ACCEPTED);
        ada.sign_in("ada@example.org", PASSWORD).await.is(401, "wrong_credentials");
        world.work().await;
        let mail = world.smtp.take_one();
        assert_eq!(mail.to, "Ada@Example.org");
        assert_eq!(mail.subject, "Your code for vjam");
        let path = format!("/sign-ups/{}/verify", sign_up.text("sign_up"));
        let verified =
            ada.post(&path, json!({ "code": mail.code(), "device_name": "Phone" })).await;
        assert_eq!(verified.status, StatusCode::CREATED, "{verified:?}");
        assert_eq!(verified.body["account"]["username"], "Ada");
        assert_eq!(verified.body["account"]["email"], "Ada@Example.org");
        assert_eq!(verified.body["account"]["role"], "user");
        assert_eq!(verified.body["account"]["region"], "eu");
        ada.token = Some(verified.text("token"));
        assert_eq!(ada.get("/account").await.body, verified.body["account"]);
        // Used up, with its mail and its sign-up.
        ada.post(&path, json!({ "code": mail.code() })).await.is(422, "wrong_code");
        // By the address and by the name, however they are written.
        for login in ["ada@example.ORG", "ADA", " Ada "] {
            let signed_in = ada.sign_in(login, PASSWORD).await;
            assert_eq!(signed_in.status, StatusCode::CREATED, "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_can_be_tried_five_times_and_for_fifteen_minutes() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let sign_up = ada.sign_up("ada@example.org", "ada", PASSWORD).await.text("sign_up");
        world.work().await;
        let code = world.smtp.take_one().code();
        let path = format!("/sign-ups/{sign_up}/verify");
        let send_again = format!("/sign-ups/{sign_up}/code");
        for _ in 0..5 {
            ada.post(&path, json!({ "code": "00000000" })).await.is(422, "wrong_code");
        }
        ada.post(&path, json!({ "code": code })).await.is(422, "wrong_code");
        // Another one, until it is too old.
        let again = ada.ask(axum::http::Method::POST, &send_again, None).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
        world.work().await;
        let other = world.smtp.take_one().code();
        assert_ne!(other, code);
        ada.post(&path, json!({ "code": code })).await.is(422, "wrong_code");
        world.clock.advance(Duration::from_secs(15 * 60));
        ada.post(&path, json!({ "code": other })).await.is(422, "wrong_code");
        let again = ada.ask(axum::http::Method::POST, &send_again, None).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
        world.work().await;
        let last = world.smtp.take_one().code();
        let verified = ada.post(&path, json!({ "code": last })).await;
        assert_eq!(verified.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn guesses_at_once_are_all_counted() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let sign_up = ada.sign_up("ada@example.org", "ada", PASSWORD).await.text("sign_up");
        world.work().await;
        let code = world.smtp.take_one().code();
        let path = format!("/sign-ups/{sign_up}/verify");
        let guesses: Vec<_> = (0..20)
            .map(|guess| {
                let (mut person, path) = (ada.clone(), path.clone());
                tokio::spawn(async move {
                    person.post(&path, json!({ "code": format!("{guess:08}") })).await
                })
            })
            .collect();
        for guess in guesses {
            guess.await.expect("it answers").is(422, "wrong_code");
        }
        ada.post(&path, json!({ "code": code })).await.is(422, "wrong_code");
    })
    .await;
}

#[tokio::test]
async fn a_username_is_one_persons_however_it_is_written() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut other = world.device();
        other.sign_up("other@example.org", "ADA", PASSWORD).await.is(409, "username_taken");
        // A sign-up holds a name as well, until it expires.
        let waiting = other.sign_up("other@example.org", "Grace", PASSWORD).await;
        assert_eq!(waiting.status, StatusCode::ACCEPTED);
        let mut third = world.device();
        third.sign_up("third@example.org", "grace", PASSWORD).await.is(409, "username_taken");
        world.clock.advance(Duration::from_secs(60 * 60));
        world.work().await;
        let free = third.sign_up("third@example.org", "grace", PASSWORD).await;
        assert_eq!(free.status, StatusCode::ACCEPTED, "{free:?}");
    })
    .await;
}

#[tokio::test]
async fn of_two_sign_ups_for_one_address_the_first_code_wins() {
    for_each_store(async |world: World| {
        let (mut thief, mut owner) = (world.device(), world.device());
        let theirs = thief.sign_up("ada@example.org", "thief", PASSWORD).await.text("sign_up");
        world.work().await;
        let their_code = world.smtp.take_one().code();
        let own = owner.sign_up("ada@example.org", "ada", PASSWORD).await.text("sign_up");
        world.work().await;
        let code = world.smtp.take_one().code();
        let verify = |id: &str| format!("/sign-ups/{id}/verify");
        owner.post(&verify(&own), json!({ "code": their_code })).await.is(422, "wrong_code");
        let verified = owner.post(&verify(&own), json!({ "code": code })).await;
        assert_eq!(verified.status, StatusCode::CREATED, "{verified:?}");
        thief.post(&verify(&theirs), json!({ "code": their_code })).await.is(409, "email_taken");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let token = ada.post("/age", json!({ "born": "1990-05-17" })).await.text("age_token");
        let good = new_sign_up(&token, "ada@example.org", "ada", PASSWORD);
        for (field, value, word) in [
            ("email", json!("ada"), "e-mail"),
            ("username", json!("a"), "username"),
            ("username", json!("admin"), "name"),
            ("password", json!("short"), "8 characters"),
            ("region", json!("mars"), "`eu` or `us`"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            let refused = ada.post("/sign-ups", body).await;
            refused.is(422, "invalid");
            assert!(refused.text("detail").contains(word), "{refused:?}");
        }
        let mut other_region = good.clone();
        other_region["region"] = json!("us");
        ada.post("/sign-ups", other_region).await.is(409, "wrong_region");
        let mut unknown = good.clone();
        unknown["shoe_size"] = json!(42);
        let refused = ada.post("/sign-ups", unknown).await;
        refused.is(422, "invalid");
        assert!(refused.text("detail").contains("shoe_size"), "{refused:?}");
        assert_eq!(ada.post("/sign-ups", good).await.status, StatusCode::ACCEPTED);
    })
    .await;
}
