//! What moderators see of what was reported, and what becomes of it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Role;

use crate::chat_words::block;
use crate::ear::{Ear, listen};
use crate::world::{Answer, Person, World, for_each_store};

async fn report_message(person: &mut Person, message: &Value) -> Answer {
    let body = json!({ "kind": "message", "item": message["id"], "reason": "harassment",
                       "text": "Look." });
    person.post("/reports", body).await
}

async fn made(answer: Answer) -> String {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.text("id")
}

async fn resolve(person: &mut Person, report: &str, resolution: &str) -> Answer {
    let mut body = json!({ "resolution": resolution, "note": "for us" });
    if resolution != "nothing" {
        body["explanation"] = json!("You shouted at bob.");
    }
    person.post(&format!("/moderation/reports/{report}/resolve"), body).await
}

fn said(detail: &Answer) -> Vec<String> {
    let messages = detail.body["messages"].as_array().expect("messages").iter();
    messages.map(|message| message["body"].as_str().unwrap_or("(deleted)").to_owned()).collect()
}

#[tokio::test]
async fn promise_15_of_a_chat_moderators_see_the_message_and_five_before_and_after_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut late = world.account("late").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let chat = ada.group(&["bob"]).await;
        let mut sent = Vec::new();
        for number in 1..=14 {
            if number == 5 {
                let body = json!({ "username": "late" });
                ada.post(&format!("/chats/{chat}/members"), body).await;
                world.clock.advance(std::time::Duration::from_secs(60));
            }
            sent.push(ada.send(&chat, &format!("m{number}")).await);
        }
        let id = made(report_message(&mut bob, &sent[6]).await).await;
        let path = format!("/moderation/reports/{id}");
        let seen = moderator.get(&path).await;
        let shown: Vec<_> = (2..=12).map(|number| format!("m{number}")).collect();
        assert_eq!(said(&seen), shown);
        assert_eq!(seen.body["messages"][5]["id"], sent[6]["id"]);
        assert_eq!(seen.body["messages"][5]["author"], "ada");
        let account = &seen.body["account"];
        assert_eq!(
            (&account["username"], &account["is_suspended"]),
            (&json!("ada"), &json!(false)),
            "the server knows whose it is"
        );
        assert_eq!((&seen.body["person"], &seen.body["file"]), (&Value::Null, &Value::Null));
        // Of whoever came later, not what was said before.
        let id = made(report_message(&mut late, &sent[5]).await).await;
        let seen = moderator.get(&format!("/moderation/reports/{id}")).await;
        assert_eq!(said(&seen).first().map(String::as_str), Some("m5"));
        // Of whoever has left, nothing but what they reported.
        late.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        let seen = moderator.get(&format!("/moderation/reports/{id}")).await;
        assert_eq!(said(&seen), ["m6"]);
        moderator.get(&format!("/chats/{chat}/messages")).await.is(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn only_what_one_sees_can_be_reported_and_nobody_is_reported_for_what_others_did() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut eve = world.account("eve").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let chat = ada.chat_with("bob").await;
        let theirs = ada.send(&chat, "mine").await;
        report_message(&mut eve, &theirs).await.is(404, "not_found");
        report_message(&mut ada, &theirs).await.is(422, "invalid");
        for wrong in ["7", "0190163d-8694-739b-aea5-966c26f8ad91"] {
            for kind in ["message", "file"] {
                let body = json!({ "kind": kind, "item": wrong, "reason": "spam", "text": "" });
                bob.post("/reports", body).await.is(404, "not_found");
            }
        }
        // Whoever blocks the other first is reported all the same, and the name given counts for nothing.
        block(&world, &mut ada, &mut bob).await;
        let body = json!({ "kind": "message", "item": theirs["id"], "username": "eve",
                           "reason": "spam", "text": "" });
        let id = made(bob.post("/reports", body).await).await;
        let seen = moderator.get(&format!("/moderation/reports/{id}")).await;
        assert_eq!(seen.body["report"]["subject"], "ada");
        // What its author deleted is gone for moderators too, and cannot be reported any more.
        ada.delete(&crate::chat::at(&theirs)).await.is_done();
        let seen = moderator.get(&format!("/moderation/reports/{id}")).await;
        assert_eq!(said(&seen), ["(deleted)"]);
        report_message(&mut bob, &theirs).await.is(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_message_that_moderators_remove_is_gone_for_everybody_at_once() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let address = listen(world.router.clone()).await;
        let chat = ada.group(&["bob"]).await;
        let sent = ada.send(&chat, "zzshout").await;
        let kept = ada.send(&chat, "fine").await;
        let id = made(report_message(&mut bob, &sent).await).await;
        let mut ear = Ear::caught_up(address, &bob).await;
        resolve(&mut moderator, &id, "content_removed").await.is_done();
        let event = ear.next_of("message").await;
        assert_eq!(
            (&event["message"]["id"], &event["message"]["body"]),
            (&sent["id"], &Value::Null)
        );
        assert_eq!(crate::chat::bodies(&json!(bob.history(&chat).await)), ["(deleted)", "fine"]);
        let told = ada.get("/account/notices").await.body["notices"][0].clone();
        assert_eq!(told["kind"], "content_removed");
        // Of whom it was, nothing else is: a warning leaves a message as it is.
        let id = made(report_message(&mut bob, &kept).await).await;
        resolve(&mut moderator, &id, "warned").await.is_done();
        assert_eq!(bob.history(&chat).await[1]["body"], "fine");
        // Nothing of it stays in the files.
        world.clock.advance(std::time::Duration::from_secs(7 * 86_400));
        world.work_until_clean().await;
        assert!(!world.files_hold("zzshout").await);
    })
    .await;
}

#[tokio::test]
async fn of_a_room_there_is_nothing_to_remove() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let body = json!({ "kind": "room", "item": "cellar", "username": "ada", "reason": "spam",
                           "text": "" });
        let id = made(bob.post("/reports", body).await).await;
        resolve(&mut moderator, &id, "content_removed").await.is(422, "invalid");
        resolve(&mut moderator, &id, "warned").await.is_done();
    })
    .await;
}

#[tokio::test]
async fn promise_15_a_report_tells_who_looked_at_it_and_who_decided() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut molly = world.account_with("molly", Role::Moderator).await;
        let mut mia = world.account_with("mia", Role::Moderator).await;
        let chat = ada.chat_with("bob").await;
        let sent = ada.send(&chat, "x").await;
        let id = made(report_message(&mut bob, &sent).await).await;
        let body = json!({ "kind": "person", "username": "ada", "reason": "spam", "text": "" });
        let other = made(bob.post("/reports", body).await).await;
        let path = format!("/moderation/reports/{id}");
        molly.get(&path).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        mia.get(&path).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        resolve(&mut mia, &id, "nothing").await.is_done();
        world.clock.advance(std::time::Duration::from_secs(1));
        let audit = molly.get(&path).await.body["audit"].clone();
        let lines: Vec<_> = audit
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| (line["by"].as_str().expect("a name"), line["action"].as_str()))
            .collect();
        let read = Some("report_read");
        assert_eq!(
            lines,
            [("molly", read), ("mia", Some("report_nothing")), ("mia", read), ("molly", read)]
        );
        // Of another report, nothing of this one.
        let audit = molly.get(&format!("/moderation/reports/{other}")).await.body["audit"].clone();
        assert_eq!(audit.as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test]
async fn promise_15_a_frozen_account_can_be_given_back_and_one_that_is_to_be_erased_is_not_shown() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let body = json!({ "kind": "person", "username": "ada", "reason": "underage", "text": "" });
        let id = made(bob.post("/reports", body).await).await;
        let decision = json!({ "resolution": "underage", "note": "" });
        let path = format!("/moderation/reports/{id}");
        moderator.post(&format!("{path}/resolve"), decision).await.is_done();
        let account = moderator.get(&path).await.body["account"].clone();
        assert_eq!(account["is_suspended"], true);
        assert!(account["erase_at"].is_i64(), "{account}");
        let account = account["id"].as_str().expect("an id");
        moderator.delete(&format!("/moderation/accounts/{account}/suspension")).await.is_done();
        let account = moderator.get(&path).await.body["account"].clone();
        assert_eq!((&account["is_suspended"], &account["erase_at"]), (&json!(false), &Value::Null));
        ada.token = None;
        ada.sign_in("ada", crate::world::PASSWORD).await;
        let erase = json!({ "current_password": crate::world::PASSWORD });
        ada.post("/account/erasure", erase).await;
        let seen = moderator.get(&path).await;
        assert_eq!(seen.body["account"], Value::Null, "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn promise_15_an_admin_finds_accounts_by_their_names_and_sees_who_has_a_role() {
    for_each_store(async |world: World| {
        let mut admin = world.account_with("root0", Role::Admin).await;
        let mut ada = world.account("ada").await;
        world.account("ada_b").await;
        world.account("adam").await;
        world.account_with("molly", Role::Moderator).await;
        // A block hides nobody from an admin.
        block(&world, &mut ada, &mut admin).await;
        let names = |answer: &Answer| {
            let accounts = answer.body["accounts"].as_array().expect("accounts").clone();
            let name = |account: &Value| account["username"].as_str().map(str::to_owned);
            accounts.iter().filter_map(name).collect::<Vec<_>>()
        };
        let found = admin.get("/admin/accounts?q=ADA").await;
        assert_eq!(names(&found), ["ada", "ada_b", "adam"]);
        let first = &found.body["accounts"][0];
        assert_eq!((&first["role"], &first["is_suspended"]), (&json!("user"), &json!(false)));
        assert_eq!(first["email"], Value::Null, "no address");
        assert_eq!(names(&admin.get("/admin/accounts?q=ada_").await), ["ada_b"]);
        assert!(names(&admin.get("/admin/accounts?q=a%25").await).is_empty());
        assert_eq!(names(&admin.get("/admin/accounts").await), ["molly", "root0"]);
        admin.get("/admin/accounts?name=ada").await.is(400, "bad_request");
        let sql = "SELECT count(*) FROM audit WHERE action = 'accounts_listed'";
        let listed: i64 = match world.db() {
            social::store::Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await,
            social::store::Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        }
        .expect("reads");
        assert_eq!(listed, 4, "every look");
    })
    .await;
}
