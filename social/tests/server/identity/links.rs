//! The sign-ins of an account, and how whoever has no password shows who they are.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::limits::{IDENTITIES_MAX, PROOF_LIFE};

use super::app::{account, sign_in};
use super::double::seconds;
use super::web::{back, back_with, somebody};
use super::{for_each, identity};
use crate::world::PASSWORD;

#[tokio::test]
async fn a_sign_in_is_linked_and_unlinked_and_the_last_way_in_stays() {
    for_each(async |world, double| {
        let mut ada = account(&world, &double, "ada").await;
        world.work().await;
        world.smtp.take();
        let ways = ada.get("/account/identities").await.body;
        assert_eq!(ways["has_password"], false);
        assert_eq!(ways["identities"][0]["name"], "double");
        let path = |id: &serde_json::Value| {
            format!("/account/identities/{}/unlink", id.as_str().expect("an id"))
        };
        let first = path(&ways["identities"][0]["id"]);
        ada.post(&first, json!({})).await.is(409, "last_way_in");
        let body = json!({ "identity": double.shows("double", "second", json!({})) });
        ada.post("/account/identities", body.clone()).await.is_done();
        ada.post("/account/identities", body).await.is(403, "identity_refused");
        let mut grace = account(&world, &double, "grace").await;
        let taken = json!({ "identity": double.shows("double", "second", json!({ "jti": "2" })) });
        grace.post("/account/identities", taken).await.is(409, "identity_taken");
        grace.post(&first, json!({})).await.is(404, "not_found");
        ada.post(&first, json!({})).await.is_done();
        let mut device = world.device();
        let shown = double.shows("double", "ada", json!({ "jti": "3" }));
        sign_in(&mut device, shown).await.is(404, "identity_unknown");
        let shown = double.shows("double", "second", json!({ "jti": "4" }));
        assert_eq!(sign_in(&mut device, shown).await.body["account"]["username"], "ada");
        world.work().await;
        let subjects: Vec<_> = world.smtp.take().into_iter().map(|mail| mail.subject).collect();
        assert!(subjects.iter().any(|subject| subject.contains("was linked")), "{subjects:?}");
        assert!(subjects.iter().any(|subject| subject.contains("was unlinked")), "{subjects:?}");
        // Without a token nothing could be told, and nothing is kept of it.
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn an_account_has_as_many_sign_ins_as_it_may() {
    for_each(async |world, double| {
        let mut ada = account(&world, &double, "ada").await;
        for number in 1..IDENTITIES_MAX {
            let shown = double.shows("double", &format!("other-{number}"), json!({}));
            ada.post("/account/identities", json!({ "identity": shown })).await.is_done();
            world.clock.advance(Duration::from_secs(50));
        }
        let shown = double.shows("double", "one-more", json!({}));
        let answer = ada.post("/account/identities", json!({ "identity": shown })).await;
        answer.is(409, "limit_reached");
    })
    .await;
}

#[tokio::test]
async fn whoever_has_no_password_shows_who_they_are_by_signing_in_once_more() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        assert_eq!(ada.post("/account/exports", json!({})).await.status, StatusCode::ACCEPTED);
        world.clock.advance(Duration::from_secs(600));
        let asks = [
            ("/account/exports", json!({})),
            ("/account/erasure", json!({ "current_password": PASSWORD })),
            ("/account/email", json!({ "email": "new@example.org" })),
            ("/identity/double/begin", json!({ "purpose": "link" })),
        ];
        for (path, body) in asks.clone() {
            ada.post(path, body).await.is(403, "proof_needed");
        }
        let body = json!({ "purpose": "prove", "next": "/account/data" });
        // Somebody else's sign-in proves nothing, nor does one that was long ago.
        let url = ada.begins("double", body.clone()).await;
        assert!(url.query().expect("a query").contains("prompt=login"));
        let page = ada.comes_back(&back(&double, &url, "grace")).await;
        assert_eq!(page, "/account/data?problem=identity_refused&with=double");
        let url = ada.begins("double", body.clone()).await;
        let long_ago = json!({ "auth_time": seconds(world.now()) - 601 });
        let page = ada.comes_back(&back_with(&double, &url, "ada", long_ago)).await;
        assert_eq!(page, "/account/data?problem=identity_refused&with=double");
        // It was asked when, and a provider that does not say it may just remember them.
        let url = ada.begins("double", body.clone()).await;
        let unsaid = json!({ "auth_time": null });
        let page = ada.comes_back(&back_with(&double, &url, "ada", unsaid)).await;
        assert_eq!(page, "/account/data?problem=identity_refused&with=double");
        ada.post("/account/exports", json!({})).await.is(403, "proof_needed");
        let url = ada.begins("double", body).await;
        let just_so = json!({ "auth_time": seconds(world.now()) });
        let way = back_with(&double, &url, "ada", just_so);
        assert_eq!(ada.comes_back(&way).await, "/account/data");
        for (path, body) in asks.into_iter().rev() {
            let answer = ada.post(path, body).await;
            assert!(answer.status.is_success(), "{path}: {answer:?}");
            if path == "/account/erasure" {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_proves_who_somebody_is_only_where_the_provider_says_that_they_just_did() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        let mut app = world.device();
        let now = seconds(world.now());
        for (said, is_proven) in [
            (json!(null), false),
            (json!(now - 600), false),
            (json!(now - 599), true),
            (json!(now + 3600), true),
        ] {
            let url = ada.begins_to_sign_in("double").await;
            let way = back_with(&double, &url, "ada", json!({ "auth_time": said }));
            assert_eq!(ada.comes_back(&way).await, "/account/signed-in");
            let shown = double.shows("double", "ada", json!({ "auth_time": said }));
            assert_eq!(sign_in(&mut app, shown).await.status, StatusCode::CREATED);
            let link = json!({ "purpose": "link" });
            let linked = ada.post("/identity/double/begin", link).await;
            let until = app.get("/account/identities").await.body["proven_until"].as_i64();
            let until = until.expect("a time");
            if is_proven {
                assert_eq!(linked.status, StatusCode::OK, "{said}");
                let longest = world.now().after(PROOF_LIFE).0;
                assert!(world.now().0 < until && until <= longest, "{said}: {until}");
            } else {
                linked.is(403, "proof_needed");
                assert!(until <= world.now().0, "{said}: {until}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_links_another_sign_in_and_sets_a_password_by_mail() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        let url = ada.begins("double", json!({ "purpose": "link" })).await;
        assert_eq!(ada.comes_back(&back(&double, &url, "second")).await, "/account");
        let ways = ada.get("/account/identities").await.body;
        assert_eq!(ways["identities"].as_array().map(Vec::len), Some(2));
        world.work().await;
        world.smtp.take();
        let mut device = world.device();
        device.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        let reset = device.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let body = json!({ "code": world.smtp.take_one().code(), "password": PASSWORD });
        let path = format!("/password-resets/{}/complete", reset.text("reset"));
        device.post(&path, body).await.is_done();
        assert_eq!(device.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        assert_eq!(device.get("/account/identities").await.body["has_password"], true);
        // From then on the password is what is asked for.
        device.post("/account/exports", json!({})).await.is(403, "wrong_password");
    })
    .await;
}
