//! What somebody changes of their account.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::store::Db;

use crate::world::{PASSWORD, World, for_each_store};

const OTHER: &str = "another password";

#[tokio::test]
async fn promise_10_a_changed_address_replaces_the_old_one_everywhere() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let body = json!({ "email": "Lovelace@example.com", "password": PASSWORD });
        let change = ada.post("/account/email", body).await.text("change");
        world.work().await;
        let mails = world.smtp.take();
        let code = mails.iter().find(|mail| mail.to == "Lovelace@example.com").expect("one").code();
        // Until the code comes back, nothing has changed.
        assert_eq!(ada.get("/account").await.text("email"), "ada@example.org");
        let path = format!("/account/email/{change}/verify");
        ada.post(&path, json!({ "code": code })).await.is_done();
        assert_eq!(ada.get("/account").await.text("email"), "Lovelace@example.com");
        let mut again = world.device();
        again.sign_in("ada@example.org", PASSWORD).await.is(401, "wrong_credentials");
        let signed_in = again.sign_in("lovelace@example.com", PASSWORD).await;
        assert_eq!(signed_in.status, StatusCode::CREATED);
        // The last mail to the old address tells it so, and then it is gone.
        world.work().await;
        assert!(
            world.smtp.take().iter().any(|mail| {
                mail.to == "ada@example.org" && mail.subject.contains("was changed")
            })
        );
        world.work_until_clean().await;
        assert!(!world.holds("ada@example.org").await, "the old address is nowhere");
        assert!(!world.any_file_holds("ada@example.org").await, "nor in a file");
        assert!(world.any_file_holds("Lovelace@example.com").await, "what is there is found");
        assert!(world.holds("Lovelace@example.com").await, "what is there is found");
        // Its code is used up, and the address is free for somebody else.
        ada.post(&path, json!({ "code": code })).await.is(422, "wrong_code");
        let mut other = world.device();
        other.sign_up("ada@example.org", "other", PASSWORD).await;
        world.work().await;
        assert!(world.smtp.take_one().subject.contains("code"));
    })
    .await;
}

#[tokio::test]
async fn promise_10_what_somebody_is_in_the_way_of_is_cleaned_later() {
    for_each_store(async |world: World| {
        let mut person = world.device();
        person.sign_up("waiting@example.org", "waiting", PASSWORD).await;
        world.work().await;
        world.clock.advance(Duration::from_secs(3600));
        // Somebody who reads sees the database as it was, so it has to stay in the files.
        let sql = "SELECT count(*) FROM sign_ups";
        match world.db() {
            Db::Sqlite { r, .. } => {
                let mut reading = r.begin().await.expect("begins");
                sqlx::query(sql).execute(&mut *reading).await.expect("reads");
                world.work().await;
                reading.rollback().await.expect("ends");
            }
            Db::Pg(pool) => {
                let mut reading = pool.begin().await.expect("begins");
                sqlx::query(sql).execute(&mut *reading).await.expect("reads");
                world.work().await;
                reading.rollback().await.expect("ends");
            }
        }
        assert!(world.files_hold("waiting@example.org").await, "deleted, and still in a file");
        world.clock.advance(Duration::from_secs(60));
        world.work().await;
        assert!(!world.files_hold("waiting@example.org").await);
    })
    .await;
}

#[tokio::test]
async fn promise_10_a_changed_name_is_found_and_the_old_one_is_free() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.account("grace").await;
        ada.put("/account/username", json!({ "username": "GRACE" }))
            .await
            .is(409, "username_taken");
        ada.put("/account/username", json!({ "username": "Countess" })).await.is_done();
        ada.put("/account/username", json!({ "username": "countess" })).await.is_done();
        assert_eq!(ada.get("/account").await.text("username"), "countess");
        let mut again = world.device();
        again.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        assert_eq!(again.sign_in("countess", PASSWORD).await.status, StatusCode::CREATED);
        let free = again.sign_up("new@example.org", "ada", PASSWORD).await;
        assert_eq!(free.status, StatusCode::ACCEPTED);
        for number in 0..2 {
            let body = json!({ "username": format!("name{number}") });
            ada.put("/account/username", body).await.is_done();
        }
        let refused = ada.put("/account/username", json!({ "username": "name9" })).await;
        refused.is(429, "too_many_requests");
    })
    .await;
}

#[tokio::test]
async fn nobody_uses_the_code_of_somebody_elses_change() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        let body = json!({ "email": "new@example.com", "password": PASSWORD });
        let change = ada.post("/account/email", body).await.text("change");
        world.work().await;
        let mails = world.smtp.take();
        let code = mails.iter().find(|mail| mail.to == "new@example.com").expect("one").code();
        let path = format!("/account/email/{change}/verify");
        for _ in 0..6 {
            grace.post(&path, json!({ "code": code })).await.is(422, "wrong_code");
        }
        // Nor as a code of another kind.
        let reset = format!("/password-resets/{change}/complete");
        let body = json!({ "code": code, "password": OTHER });
        world.device().post(&reset, body).await.is(422, "wrong_code");
        ada.post(&path, json!({ "code": code })).await.is_done();
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_signs_every_other_device_out() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut other = world.device();
        other.sign_in("ada", PASSWORD).await;
        let change =
            |current: &str, new: &str| json!({ "current_password": current, "password": new });
        let wrong = ada.put("/account/password", change("wrong password", OTHER)).await;
        wrong.is(403, "wrong_password");
        let short = ada.put("/account/password", change(PASSWORD, "short")).await;
        short.is(422, "invalid");
        ada.put("/account/password", change(PASSWORD, OTHER)).await.is_done();
        other.get("/account").await.is(401, "not_signed_in");
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
        other.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        assert_eq!(other.sign_in("ada", OTHER).await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_code_once() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut person = world.device();
        let mut begin = async || {
            let begun =
                person.post("/password-resets", json!({ "email": "ADA@example.org" })).await;
            world.work().await;
            (begun.text("reset"), world.smtp.take_one().code())
        };
        let (first, first_code) = begin().await;
        let (late, late_code) = begin().await;
        world.clock.advance(Duration::from_secs(15 * 60));
        let (second, second_code) = begin().await;
        let (last, last_code) = begin().await;
        let mut complete = async |reset: &str, code: &str| {
            let body = json!({ "code": code, "password": OTHER });
            person.post(&format!("/password-resets/{reset}/complete"), body).await
        };
        // An old one is void, and one of another reset is wrong.
        complete(&first, &first_code).await.is(422, "wrong_code");
        complete(&late, &late_code).await.is(422, "wrong_code");
        complete(&last, &second_code).await.is(422, "wrong_code");
        // An earlier one counts until one is used; then none does.
        complete(&second, &second_code).await.is_done();
        complete(&second, &second_code).await.is(422, "wrong_code");
        complete(&last, &last_code).await.is(422, "wrong_code");
        ada.get("/account").await.is(401, "not_signed_in");
        ada.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        assert_eq!(ada.sign_in("ada", OTHER).await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn mails_come_in_the_language_of_the_account() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let refused = ada.put("/account/language", json!({ "language": "xx" })).await;
        refused.is(422, "invalid");
        assert!(refused.text("detail").contains("de, en, tr"), "{refused:?}");
        for (language, subject) in [
            ("de", "Dein Code für ein neues Passwort"),
            ("tr", "Yeni parola için kodun"),
            ("en", "Your code for a new password"),
        ] {
            ada.put("/account/language", json!({ "language": language })).await.is_done();
            ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
            world.work().await;
            let mail = world.smtp.take_one();
            assert_eq!(mail.subject, subject);
            assert_eq!(mail.code().len(), 9);
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_keeps_somebody_else_from_a_reset() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.clock.advance(Duration::from_secs(3600));
        ada.address = Some("203.0.113.5".into());
        let reset = json!({ "email": "ada@example.org" });
        let own = ada.post("/password-resets", reset.clone()).await.text("reset");
        world.work().await;
        let code = world.smtp.take_one().code();
        // Somebody elsewhere asks until they may not any more.
        let mut other = world.device();
        other.address = Some("203.0.113.6".into());
        for _ in 0..4 {
            let begun = other.post("/password-resets", reset.clone()).await;
            assert_eq!(begun.status, StatusCode::ACCEPTED);
        }
        other.post("/password-resets", reset.clone()).await.is(429, "too_many_requests");
        let again = ada.post("/password-resets", reset.clone()).await;
        assert_eq!(again.status, StatusCode::ACCEPTED, "the owner still can");
        // The code that they have is worth what it was.
        let body = json!({ "code": code, "password": OTHER });
        ada.post(&format!("/password-resets/{own}/complete"), body).await.is_done();
        // From many addresses, there is an end too.
        let mut refused = 0;
        for number in 10..20 {
            other.address = Some(format!("203.0.113.{number}"));
            for _ in 0..4 {
                let answer = other.post("/password-resets", reset.clone()).await;
                refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
            }
        }
        assert_eq!(refused, 40 - 14, "six were sent before");
    })
    .await;
}

#[tokio::test]
async fn nobody_keeps_somebody_else_from_signing_up() {
    for_each_store(async |world: World| {
        let mut other = world.device();
        other.address = Some("203.0.113.6".into());
        for number in 0..4 {
            let name = format!("name{number}");
            let begun = other.sign_up("ada@example.org", &name, PASSWORD).await;
            assert_eq!(begun.status, StatusCode::ACCEPTED);
        }
        other.sign_up("ada@example.org", "name9", PASSWORD).await.is(429, "too_many_requests");
        let mut ada = world.device();
        ada.address = Some("203.0.113.5".into());
        let begun = ada.sign_up("ada@example.org", "ada", PASSWORD).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED);
        let path = format!("/sign-ups/{}/code", begun.text("sign_up"));
        let again = ada.ask(axum::http::Method::POST, &path, None).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test]
async fn promise_10_a_reset_code_in_the_old_mailbox_ends_with_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let reset = ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let old = world.smtp.take_one().code();
        let body = json!({ "email": "new@example.com", "password": PASSWORD });
        let change = ada.post("/account/email", body).await.text("change");
        world.work().await;
        let mails = world.smtp.take();
        let code = mails.iter().find(|mail| mail.to == "new@example.com").expect("one").code();
        let path = format!("/account/email/{change}/verify");
        ada.post(&path, json!({ "code": code })).await.is_done();
        let path = format!("/password-resets/{}/complete", reset.text("reset"));
        let body = json!({ "code": old, "password": OTHER });
        world.device().post(&path, body).await.is(422, "wrong_code");
    })
    .await;
}
