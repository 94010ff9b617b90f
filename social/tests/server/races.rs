//! What was on its way while somebody who was robbed took their account back.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{Answer, PASSWORD, Person, World, for_each_store};

const OWNERS: &str = "the owner's password";

/// Lets somebody ask for something, and has the password reset before it is done: the reset is begun
/// before, and committed when the other had the time to look at the old password.
async fn overtaken(
    world: &World,
    person: &Person,
    ask: impl AsyncFnOnce(Person) -> Answer + 'static,
) -> Answer {
    let id = person.clone().get("/account").await.text("id").parse().expect("an id");
    let hash = world.social.passwords().hash(OWNERS.to_owned()).await.expect("hashed");
    let mut tx = world.db().begin().await.expect("begins");
    tx.set_password_hash(id, &hash, world.now()).await.expect("set");
    tx.end_sessions(id, None).await.expect("ended");
    tx.void_codes(id).await.expect("void");
    let person = person.clone();
    let local = tokio::task::LocalSet::new();
    let asking = local.spawn_local(async move { ask(person).await });
    local
        .run_until(async move {
            // Whatever it does before it wants to write: were that not done by then, the test would
            // ask for less, and not fail.
            tokio::time::sleep(Duration::from_millis(300)).await;
            tx.commit().await.expect("committed");
            asking.await.expect("no panic")
        })
        .await
}

async fn is_the_owners(world: &World) {
    let mut ada = world.device();
    ada.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
    ada.sign_in("ada", "the thief's own").await.is(401, "wrong_credentials");
    assert_eq!(ada.sign_in("ada", OWNERS).await.status, StatusCode::CREATED);
    assert_eq!(ada.get("/sessions").await.body.as_array().expect("a list").len(), 1);
    assert_eq!(ada.get("/account").await.text("email"), "ada@example.org");
}

#[tokio::test]
async fn a_sign_in_with_the_old_password_does_not_outlive_a_reset() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let answer = overtaken(&world, &ada, async |mut thief: Person| {
            thief.token = None;
            thief.sign_in("ada", PASSWORD).await
        });
        answer.await.is(401, "wrong_credentials");
        is_the_owners(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_password_does_not_outlive_a_reset() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let answer = overtaken(&world, &ada, async |mut thief: Person| {
            let body = json!({ "current_password": PASSWORD, "password": "the thief's own" });
            thief.put("/account/password", body).await
        });
        answer.await.is(403, "wrong_password");
        is_the_owners(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_address_does_not_outlive_a_reset() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let answer = overtaken(&world, &ada, async |mut thief: Person| {
            let body = json!({ "email": "thief@example.com", "password": PASSWORD });
            thief.post("/account/email", body).await
        });
        answer.await.is(403, "wrong_password");
        world.work().await;
        assert!(world.smtp.take().iter().all(|mail| mail.to != "thief@example.com"));
        is_the_owners(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_changes_no_password() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let account = ada.get("/account").await.text("id").parse().expect("an id");
        let mut tx = world.db().begin().await.expect("begins");
        tx.end_sessions(account, None).await.expect("ended");
        let mut thief = ada.clone();
        let local = tokio::task::LocalSet::new();
        let asking = local.spawn_local(async move {
            let body = json!({ "current_password": PASSWORD, "password": "the thief's own" });
            thief.put("/account/password", body).await
        });
        let answer = local
            .run_until(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                tx.commit().await.expect("committed");
                asking.await.expect("no panic")
            })
            .await;
        answer.is(401, "not_signed_in");
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
    })
    .await;
}
