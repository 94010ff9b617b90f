//! Mail: alerts that nobody can turn off, and mail servers that fail.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;
use social::account::Passwords;
use social::limits::MAIL_WAIT_MAX;
use social::mail::MailConfig;
use social::{Config, Social};

use crate::postgres::wait_for;
use crate::world::{PASSWORD, World, for_each_store};

#[tokio::test]
async fn promise_18_a_new_device_a_changed_password_and_a_changed_address_are_told() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let subjects = async || {
            world.work().await;
            let mails = world.smtp.take();
            mails.into_iter().map(|mail| (mail.to, mail.subject)).collect::<Vec<_>>()
        };
        let told = |subject: &str| ("ada@example.org".to_owned(), subject.to_owned());
        // The device of the sign-up is known.
        ada.sign_in("ada", PASSWORD).await;
        assert_eq!(subjects().await, []);
        let mut new = world.device();
        new.sign_in("ada", PASSWORD).await;
        assert_eq!(subjects().await, [told("A new device signed in")]);
        new.sign_in("ada", PASSWORD).await;
        assert_eq!(subjects().await, [], "known by now");
        let body = json!({ "current_password": PASSWORD, "password": "another password" });
        ada.put("/account/password", body).await.is_done();
        assert_eq!(subjects().await, [told("Your password was changed")]);
        let begun = ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let body = json!({ "code": world.smtp.take_one().code(), "password": PASSWORD });
        let path = format!("/password-resets/{}/complete", begun.text("reset"));
        ada.post(&path, body).await.is_done();
        assert_eq!(subjects().await, [told("Your password was changed")]);
        ada.sign_in("ada", PASSWORD).await;
        let body = json!({ "email": "new@example.com", "password": PASSWORD });
        ada.post("/account/email", body).await;
        assert!(subjects().await.contains(&told("Somebody wants to change your e-mail address")));
    })
    .await;
}

#[tokio::test]
async fn promise_18_no_setting_mutes_an_alert() {
    // Whoever adds a setting to the account's description has to look at this.
    let description: serde_json::Value =
        serde_json::from_str(&social::http::description()).expect("JSON");
    let paths = description["paths"].as_object().expect("paths");
    let settings: Vec<_> =
        paths.iter().filter(|(_, item)| item.get("put").is_some()).map(|(path, _)| path).collect();
    let known = [
        "/account/language",
        "/account/password",
        "/account/usage",
        "/account/username",
        "/role",
        // What others see of somebody, and how they stand to others: no mail asks for any of it.
        "/account/gifs",
        "/account/preferences",
        "/account/profile",
        "/account/photo",
        "/account/blocks/{username}",
        "/friends/{username}",
        // Which browser is told, not of what.
        "/account/push",
    ];
    let of_chats = ["/chats/{chat}/read", "/reactions/{emoji}"];
    for path in settings {
        assert!(
            known.iter().chain(&of_chats).any(|end| path.ends_with(end)),
            "{path} might mute alerts"
        );
    }
}

#[tokio::test]
async fn a_mail_server_that_is_busy_gets_the_same_mail_later() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.smtp.refuse(Some("451 <ada@example.org> come back later\r\n"));
        ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        assert!(world.smtp.take().is_empty());
        let errors = world.db().read().await.expect("reads").job_errors("mail").await;
        assert_eq!(errors.expect("reads"), ["smtp_not_now"], "no word of the server's");
        world.smtp.refuse(None);
        world.work().await;
        assert!(world.smtp.take().is_empty(), "not yet");
        world.clock.advance(Duration::from_secs(5));
        world.work().await;
        let mail = world.smtp.take_one();
        assert!(mail.body.contains("14 minutes"), "what is left: {}", mail.body);
        assert!(mail.message_id.ends_with("@jam.example>"), "{}", mail.message_id);
        world.work().await;
        assert!(world.smtp.take().is_empty(), "once");
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_or_too_old_is_given_up() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.smtp.refuse(Some("550 no such user\r\n"));
        ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        world.smtp.refuse(Some("451 later\r\n"));
        ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        world.clock.advance(Duration::from_secs(15 * 60));
        world.smtp.refuse(None);
        world.work().await;
        assert!(world.smtp.take().is_empty());
        // Only the job that deletes is left.
        let left = world.db().read().await.expect("reads").jobs_waiting().await.expect("reads");
        assert_eq!(left, 1);
    })
    .await;
}

#[tokio::test]
async fn without_a_mail_server_nobody_can_sign_up_and_is_told_why() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let config = Config { mail: MailConfig::default(), ..world.config.clone() };
        let passwords = Passwords::at_any_cost(4);
        let started = Social::start_with(config, world.clock.clone(), passwords).await;
        let (social, _) = started.expect("it starts");
        let mut world = world;
        world.router = social::http::routes(social, |_| None::<u8>);
        let mut person = world.device();
        let refused = person.sign_up("new@example.org", "new", PASSWORD).await;
        refused.is(503, "mail_unavailable");
        let reset = json!({ "email": "ada@example.org" });
        person.post("/password-resets", reset).await.is(503, "mail_unavailable");
        // Whoever has an account signs in all the same, and nothing piles up: there is the job that
        // deletes, and the one that tells of another page about privacy.
        assert_eq!(person.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        let left = world.db().read().await.expect("reads").jobs_waiting().await.expect("reads");
        assert_eq!(left, 2);
        assert_eq!(person.ask(Method::GET, "/sessions", None).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_mail_server_that_falls_silent_holds_nothing_else_up() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.clock.advance(Duration::from_secs(600));
        world.smtp.fall_silent(true);
        let before = world.smtp.accepted();
        ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        let jobs = world.jobs.clone();
        let working = tokio::spawn(async move { jobs.run_due().await.expect("runs") });
        wait_for("the mail server", async || before < world.smtp.accepted()).await;
        // It says nothing for as long as it is waited for.
        tokio::time::pause();
        tokio::time::advance(MAIL_WAIT_MAX + Duration::from_secs(1)).await;
        tokio::time::resume();
        let done = tokio::time::timeout(Duration::from_secs(20), working).await;
        assert_eq!(done.expect("it ends").expect("no panic"), 2, "the mail, and what expired");
        let errors = world.db().read().await.expect("reads").job_errors("mail").await;
        assert_eq!(errors.expect("reads"), ["smtp_timeout"]);
        world.smtp.fall_silent(false);
        world.clock.advance(Duration::from_secs(5));
        world.work().await;
        assert!(world.smtp.take_one().subject.contains("code"));
    })
    .await;
}

#[tokio::test]
async fn a_mail_is_given_up_only_where_the_server_refused_that_mail() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let errors = async || {
            let mut conn = world.db().read().await.expect("reads");
            conn.job_errors("mail").await.expect("reads")
        };
        // As where the password for the mail server is wrong, or it takes no mail at all for a while.
        for (greeting, refusal) in [
            (None, Some("535 5.7.8 wrong credentials\r\n")),
            (None, Some("503 not in this order\r\n")),
            (Some("554 no mail today\r\n"), None),
        ] {
            world.clock.advance(Duration::from_secs(3600));
            world.smtp.greet(greeting);
            world.smtp.refuse(refusal);
            ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
            world.work().await;
            assert_eq!(errors().await, ["smtp_refused"], "{greeting:?} {refusal:?}");
            world.smtp.greet(None);
            world.smtp.refuse(None);
            world.clock.advance(Duration::from_secs(60));
            world.work().await;
            assert!(world.smtp.take_one().subject.contains("code"), "{greeting:?} {refusal:?}");
        }
        for refusal in ["550 no such user\r\n", "554 no\r\n"] {
            world.clock.advance(Duration::from_secs(3600));
            world.smtp.refuse(Some(refusal));
            ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
            world.work().await;
            assert_eq!(errors().await, Vec::<String>::new(), "given up");
        }
    })
    .await;
}
