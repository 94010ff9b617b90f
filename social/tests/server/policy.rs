//! The page about privacy: that it says what is kept, and that everybody hears of another version.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::data_map::{columns, prefixes};

use crate::world::{PASSWORD, World, for_each_store};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn the_page_says_of_everything_that_is_kept_what_it_is_for() {
    for_each_store(async |world: World| {
        let answer = world.device().get("/privacy").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let kept = answer.body["kept"].as_array().expect("a list");
        let places: Vec<_> = kept.iter().map(|kept| kept["place"].clone()).collect();
        let named: Vec<_> = columns().chain(prefixes()).map(|entry| json!(entry.place)).collect();
        assert_eq!(places, named);
        assert_eq!(answer.body["takes_effect_at"], json!(world.now()));
        // Whoever delivers the mails, whoever keeps the files where they are elsewhere, and whoever
        // tells browsers that something happened.
        let processors = answer.body["processors"].as_array().expect("a list");
        assert_eq!(processors.len(), 2, "{processors:?}");
        assert_eq!(processors[0]["name"], "127.0.0.1");
    })
    .await;
}

#[tokio::test]
async fn promise_18_another_version_is_told_to_each_active_account_once_before_it_takes_effect() {
    for_each_store(async |mut world: World| {
        let mut gone = world.account("gone").await;
        gone.delete("/sessions/current").await.is_done();
        world.clock.advance(370 * DAY);
        let mut ada = world.account("ada").await;
        world.account("grace").await;
        world.smtp.take();
        world.config.contact = Some("privacy@jam.example".into());
        let start = world.now();
        world.restart().await;
        world.work().await;
        let mut told: Vec<_> = world.smtp.take().into_iter().map(|mail| mail.to).collect();
        told.sort();
        assert_eq!(told, ["ada@example.org", "grace@example.org"], "each active one, once");
        let notices = ada.get("/account/notices").await.body["notices"].clone();
        assert_eq!(notices[0]["kind"], "policy_changed", "in the app too: {notices}");
        assert_eq!(notices.as_array().map(Vec::len), Some(1));
        let page = world.device().get("/privacy").await.body;
        assert_eq!(page["announced_at"], json!(start));
        assert_eq!(page["takes_effect_at"], json!(start.after(14 * DAY)));
        assert_eq!(page["contact"], "privacy@jam.example");
        // Not again: not later, and not by a server that starts again; nor who came after it.
        world.account("newcomer").await;
        world.clock.advance(DAY);
        world.restart().await;
        world.work().await;
        let mut grace = world.device();
        grace.sign_in("grace", PASSWORD).await;
        world.work().await;
        let again = world.smtp.take();
        assert!(again.iter().all(|mail| !mail.subject.contains("privacy")), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn promise_18_the_mail_says_from_when_on_and_a_crash_half_way_tells_the_rest() {
    for_each_store(async |mut world: World| {
        for name in ["ada", "grace", "linus"] {
            world.account(name).await;
        }
        world.smtp.take();
        world.config.contact = Some("privacy@jam.example".into());
        world.restart().await;
        // As if the server were killed after it told one: the others are told at the next start.
        let sql = "INSERT INTO policy_notices (account_id, hash, told_at)
                   SELECT id, (SELECT hash FROM policies ORDER BY announced_at DESC,
                               takes_effect_at DESC LIMIT 1), 0
                   FROM accounts WHERE username = 'grace'";
        world.execute(sql).await;
        world.restart().await;
        world.work().await;
        let mails = world.smtp.take();
        let mut told: Vec<_> = mails.iter().map(|mail| mail.to.clone()).collect();
        told.sort();
        assert_eq!(told, ["ada@example.org", "linus@example.org"]);
        let date = world.now().after(14 * DAY).iso_date();
        assert!(mails[0].body.contains(&date), "{:?}", mails[0].body);
    })
    .await;
}
