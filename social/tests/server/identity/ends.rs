//! What providers are told where it is over.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::account::identity::{ClientSecret, Kind};
use social::store::{Ending, Identity};

use super::app::{sign_in, sign_up};
use super::double::Double;
use super::web::{back, somebody};
use super::{for_each, identity};
use crate::erasure::row;
use crate::world::{Engine, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn promise_8_providers_are_told_of_an_erasure_until_they_answer_and_so_is_its_owner() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        world.work().await;
        world.smtp.take();
        double.is_down(true);
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        let mails = world.smtp.take();
        let mail = mails.iter().find(|mail| mail.subject.contains("Whom we told")).expect("a mail");
        assert!(mail.body.contains("30 days at most: double"), "{}", mail.body);
        assert_eq!(double.asked("/revoke").len(), 1);
        double.is_down(false);
        world.clock.advance(Duration::from_secs(60));
        world.work().await;
        let told = double.asked("/revoke").pop().expect("told");
        assert_eq!(told.field("token").as_deref(), Some("refresh-ada"));
        assert_eq!(told.field("token_type_hint").as_deref(), Some("refresh_token"));
        let mail = world.smtp.take_one();
        assert!(mail.body.contains("to this server: double"), "{}", mail.body);
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!(kept.ending, Some(Ending::Told));
        // On the day all is gone, and nobody is told again.
        world.clock.advance(30 * DAY);
        world.work_until_clean().await;
        assert!(double.asked("/revoke").is_empty());
        assert!(identity(&world, &double.issuer, "ada").await.is_none());
        assert!(!world.files_hold("double").await, "nor in the files");
    })
    .await;
}

#[tokio::test]
async fn promise_8_an_erasure_waits_for_a_provider_that_is_silent_for_thirty_days_and_no_longer() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let double = Double::start().await;
        let config = double.config("double", Kind::Oidc);
        let world = World::with(engine, |to| {
            to.identity = vec![config];
            to.erasure_delay = Duration::ZERO;
        });
        let world = world.await;
        let mut ada = somebody(&world, &double, "ada").await;
        let id = ada.get("/account").await.text("id").parse().expect("an id");
        double.is_down(true);
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        world.clock.advance(29 * DAY);
        world.work().await;
        assert!(row(&world, id).await.is_some(), "it may answer yet");
        assert!(!double.asked("/revoke").is_empty());
        world.clock.advance(DAY);
        double.asked("/revoke");
        world.work().await;
        assert!(row(&world, id).await.is_none(), "what is promised is kept all the same");
        assert!(double.asked("/revoke").len() <= 1, "whoever erases does not ask again by then");
    }
}

#[tokio::test]
async fn what_was_told_with_an_older_token_ends_nothing_where_a_newer_one_came_meanwhile() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        let told = identity(&world, &double.issuer, "ada").await.expect("there");
        let url = ada.begins_to_sign_in("double").await;
        assert_eq!(ada.comes_back(&back(&double, &url, "ada")).await, "/account/signed-in");
        let note = async |told: &Identity| {
            let mut tx = world.db().begin().await.expect("begins");
            let noted = tx.note_ending(told, Ending::Told, world.now()).await.expect("writes");
            tx.commit().await.expect("commits");
            noted
        };
        assert!(!note(&told).await);
        let kept = identity(&world, &double.issuer, "ada").await.expect("there");
        assert!(kept.shown.token.is_some() && kept.ending.is_none(), "{kept:?}");
        assert!(note(&kept).await);
        let kept = identity(&world, &double.issuer, "ada").await.expect("there");
        assert_eq!((&kept.shown.token, kept.ending), (&None, Some(Ending::Told)));
        assert!(note(&kept).await, "where there is none, that is what was told");
    })
    .await;
}

#[tokio::test]
async fn promise_8_what_was_unlinked_and_is_not_told_yet_holds_an_erasure_back_too() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let double = Double::start().await;
        let config = double.config("double", Kind::Oidc);
        let world = World::with(engine, |to| {
            to.identity = vec![config];
            to.erasure_delay = Duration::ZERO;
        });
        let world = world.await;
        let mut ada = somebody(&world, &double, "ada").await;
        let account = ada.get("/account").await.text("id").parse().expect("an id");
        let url = ada.begins("double", json!({ "purpose": "link" })).await;
        ada.comes_back(&back(&double, &url, "second")).await;
        let ways = ada.get("/account/identities").await.body;
        let id = ways["identities"][1]["id"].as_str().expect("an id");
        double.is_down(true);
        ada.post(&format!("/account/identities/{id}/unlink"), json!({})).await.is_done();
        world.work().await;
        double.is_down(false);
        double.asked("/revoke");
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        let told = double.asked("/revoke").into_iter().filter_map(|asked| asked.field("token"));
        let mut told: Vec<_> = told.collect();
        told.sort();
        assert_eq!(told, ["refresh-ada", "refresh-second"]);
        assert!(row(&world, account).await.is_none(), "all were told, so nothing is in the way");
    }
}

#[tokio::test]
async fn promise_8_a_provider_to_which_the_token_is_worth_nothing_any_more_is_not_asked_again() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        world.work().await;
        world.smtp.take();
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        let no_client = json!({ "error": "invalid_client" });
        for (status, said) in
            [(400, no_client), (401, json!({})), (429, json!({})), (500, json!("x"))]
        {
            double.refuses(status, said);
            world.work().await;
            assert_eq!(double.asked("/revoke").len(), 1);
            let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
            assert_eq!(kept.ending, None, "that may pass");
            world.clock.advance(DAY);
        }
        world.smtp.take();
        double.refuses(400, json!({ "error": "invalid_token" }));
        world.work().await;
        let mails = world.smtp.take();
        let mail = mails.iter().find(|mail| mail.subject.contains("Whom we told")).expect("a mail");
        assert!(mail.body.contains("could tell them: double"), "{}", mail.body);
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!((kept.ending, kept.shown.token), (Some(Ending::Theirs), None));
        assert_eq!(double.asked("/revoke").len(), 1);
        world.clock.advance(DAY);
        world.work().await;
        assert!(double.asked("/revoke").is_empty(), "nobody is asked again");
    })
    .await;
}

#[tokio::test]
async fn promise_8_a_pool_of_cognito_deletes_its_user_on_the_day_and_no_sooner() {
    for (engine, has_secret) in [(Engine::Sqlite, false), (Engine::Postgres, true)] {
        let double = Double::start().await;
        // Signed as no pool does, which the double cannot: so its sign-in is any provider's.
        let mut config = double.config("double", Kind::Oidc);
        let world = World::with(engine, |to| to.identity = vec![config.clone()]).await;
        let mut ada = world.device();
        // Of an app, which has no secret whatever this server has.
        let mut shown = double.shows("double", "ada", json!({ "aud": "app" }));
        shown["refresh_token"] = "refresh".into();
        let made = sign_up(&mut ada, "ada", shown).await;
        ada.token = Some(made.text("token"));
        config.kind = Kind::Cognito;
        if !has_secret {
            config.secret = ClientSecret::None;
        }
        let mut world = world;
        world.config.identity = vec![config];
        world.restart().await;
        let mut ada = ada.through(&world.router);
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.smtp.take();
        world.work().await;
        let mails = world.smtp.take();
        let mail = mails.iter().find(|mail| mail.subject.contains("Whom we told")).expect("a mail");
        assert!(mail.body.contains("30 days at most: double"), "{}", mail.body);
        world.clock.advance(29 * DAY);
        world.work().await;
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert!(kept.ending.is_none() && kept.shown.token.is_some(), "it may be taken back");
        assert!(double.asked("InitiateAuth").is_empty() && double.asked("DeleteUser").is_empty());
        world.clock.advance(DAY);
        world.work().await;
        let access = double.asked("InitiateAuth").pop().expect("asked");
        assert!(access.body.contains("REFRESH_TOKEN_AUTH") && access.body.contains("refresh"));
        assert!(access.body.contains("\"ClientId\":\"app\""), "{}", access.body);
        assert!(double.asked("/token").is_empty());
        let deleted = double.asked("DeleteUser").pop().expect("deleted");
        assert_eq!(deleted.body, json!({ "AccessToken": "access" }).to_string());
        assert!(identity(&world, &double.issuer, "ada").await.is_none(), "nor is the account");
    }
}

#[tokio::test]
async fn promise_8_what_is_unlinked_is_told_too_and_forgotten_then() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        let url = ada.begins("double", json!({ "purpose": "link" })).await;
        ada.comes_back(&back(&double, &url, "second")).await;
        let ways = ada.get("/account/identities").await.body;
        let id = ways["identities"][1]["id"].as_str().expect("an id");
        let unlinked = ada.post(&format!("/account/identities/{id}/unlink"), json!({})).await;
        unlinked.is_done();
        assert!(
            identity(&world, &double.issuer, "second")
                .await
                .expect("until then")
                .ended_at
                .is_some()
        );
        world.work().await;
        let told = double.asked("/revoke").pop().expect("told");
        assert_eq!(told.field("token").as_deref(), Some("refresh-second"));
        assert!(identity(&world, &double.issuer, "second").await.is_none());
        assert!(identity(&world, &double.issuer, "ada").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn promise_1_an_erasure_is_taken_back_by_signing_in_with_the_provider() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        let back_again = json!({});
        let cancel = "/account/erasure/cancel-with-identity";
        ada.post(cancel, back_again.clone()).await.is(403, "identity_refused");
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        ada.get("/account").await.is(401, "not_signed_in");
        let mut app = world.device();
        let shown = double.shows("double", "ada", json!({}));
        sign_in(&mut app, shown).await.is(403, "erasure_pending");
        let url = ada.begins_to_sign_in("double").await;
        let page = ada.comes_back(&back(&double, &url, "ada")).await;
        assert_eq!(page, "/account/sign-in?with=double&problem=erasure_pending");
        ada.post(cancel, back_again.clone()).await.is_done();
        ada.post(cancel, back_again).await.is(403, "identity_refused");
        let url = ada.begins_to_sign_in("double").await;
        let page = ada.comes_back(&back(&double, &url, "ada")).await;
        assert_eq!(page, "/account/signed-in");
        assert_eq!(ada.get("/account").await.text("username"), "ada");
        // Another one that the app shows does it as well.
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        let shown = double.shows("double", "ada", json!({ "jti": "2" }));
        app.post(cancel, json!({ "identity": shown })).await.is_done();
    })
    .await;
}

#[tokio::test]
async fn promise_8_a_provider_is_told_of_a_second_erasure_after_the_first_was_taken_back() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        let told = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!((told.ending, &told.shown.token), (Some(Ending::Told), &None));
        let url = ada.begins_to_sign_in("double").await;
        ada.comes_back(&back(&double, &url, "ada")).await;
        let cancel = "/account/erasure/cancel-with-identity";
        ada.post(cancel, json!({})).await.is_done();
        let kept = identity(&world, &double.issuer, "ada").await.expect("it stays");
        assert!(kept.shown.token.is_some() && kept.ending.is_none(), "{kept:?}");
        // By a sign-in that gives no other token.
        let shown = double.shows("double", "ada", json!({}));
        let mut app = world.device();
        assert_eq!(sign_in(&mut app, shown).await.status, StatusCode::CREATED);
        double.asked("/revoke");
        assert_eq!(app.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        assert_eq!(double.asked("/revoke").len(), 1);
    })
    .await;
}
