//! What people are told in the app.

use std::time::Duration;

use serde_json::{Value, json};
use social::id::{AccountId, NoticeId};
use social::limits::NOTICES_MAX;
use social::people::NoticeKind;
use social::store::Notice;

use crate::world::{World, for_each_store};

#[tokio::test]
async fn a_notice_is_read_once_and_forgotten_after_ninety_days() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        bob.put("/friends/ada", json!({})).await;
        let told = ada.get("/account/notices").await.body["notices"].clone();
        assert_eq!((&told[0]["kind"], &told[1]), (&json!("friend_asked"), &Value::Null));
        assert_eq!(told[0]["read_at"], Value::Null);
        // Nobody reads for somebody else.
        bob.post("/account/notices/read", json!({ "up_to": told[0]["id"] })).await.is_done();
        assert_eq!(ada.get("/account/notices").await.body["notices"][0]["read_at"], Value::Null);
        let read = json!({ "up_to": told[0]["id"] });
        ada.post("/account/notices/read", read.clone()).await.is_done();
        let at = ada.get("/account/notices").await.body["notices"][0]["read_at"].clone();
        assert_eq!(at, json!(world.now()));
        world.clock.advance(Duration::from_secs(89 * 24 * 3600));
        world.work().await;
        ada.post("/account/notices/read", read).await.is_done();
        let told = ada.get("/account/notices").await.body["notices"].clone();
        assert_eq!(told[0]["read_at"], at, "when it was read first");
        world.clock.advance(Duration::from_secs(24 * 3600));
        world.work().await;
        assert_eq!(ada.get("/account/notices").await.body["notices"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn notices_come_in_pages_and_the_oldest_go() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let id: AccountId = ada.get("/account").await.text("id").parse().expect("an id");
        let mut tx = world.db().begin().await.expect("begins");
        let mut ids = Vec::new();
        for _ in 0..NOTICES_MAX + 3 {
            let notice = Notice {
                id: NoticeId::fresh(world.now()),
                account_id: id,
                kind: NoticeKind::ReportResolved,
                other_id: None,
                report_id: None,
                message_id: None,
                explanation: None,
                created_at: world.now(),
                read_at: None,
            };
            tx.add_notice(&notice, NOTICES_MAX).await.expect("added");
            ids.push(notice.id);
        }
        tx.commit().await.expect("committed");
        let mut seen = Vec::new();
        let mut path = "/account/notices".to_owned();
        loop {
            let page = ada.get(&path).await;
            let notices = page.body["notices"].as_array().expect("a list");
            assert!(notices.len() <= 50);
            seen.extend(notices.iter().map(|one| one["id"].clone()));
            match page.body["next"].as_str() {
                Some(next) => path = format!("/account/notices?after={next}"),
                None => break,
            }
        }
        ids.reverse();
        ids.truncate(usize::try_from(NOTICES_MAX).expect("small"));
        assert_eq!(json!(seen), json!(ids), "the latest first");
    })
    .await;
}
