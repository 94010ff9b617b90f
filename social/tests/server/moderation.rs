//! Reports: who makes them, who decides, and what becomes of whoever they are about.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::account::Role;

use crate::people::{erase, profile};
use crate::world::{PASSWORD, Person, World, for_each_store};

async fn report(person: &mut Person, about: &str) -> String {
    let body =
        json!({ "kind": "person", "username": about, "reason": "harassment", "text": "Look." });
    let made = person.post("/reports", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.text("id")
}

fn decision(resolution: &str) -> Value {
    let mut body = json!({ "resolution": resolution, "note": "for us" });
    if !["nothing", "underage"].contains(&resolution) {
        body["explanation"] = json!("You shouted at bob.");
    }
    body
}

async fn resolve(person: &mut Person, report: &str, body: Value) -> crate::world::Answer {
    person.post(&format!("/moderation/reports/{report}/resolve"), body).await
}

async fn audit(world: &World, person: &mut Person) -> Vec<String> {
    let id = person.get("/account").await.text("id").parse().expect("an id");
    let lines = world.db().read().await.expect("reads").audit_of(id).await.expect("reads");
    lines.into_iter().map(|(_, action, _)| action).collect()
}

#[tokio::test]
async fn promise_15_a_moderator_sees_what_was_reported_and_every_look_is_written_down() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        ada.put("/account/profile", profile("nobody")).await.is_done();
        let id = report(&mut bob, "ada").await;
        let queue = moderator.get("/moderation/reports?state=open").await;
        assert_eq!(queue.body["reports"][0]["id"], id.as_str());
        assert_eq!(queue.body["reports"][0]["subject"], "ada");
        let path = format!("/moderation/reports/{id}");
        let seen = moderator.get(&path).await;
        assert_eq!(seen.body["report"]["text"], "Look.");
        assert_eq!(seen.body["report"]["reporter"], "bob");
        assert_eq!(seen.body["person"]["status"], "on tour");
        moderator.get(&format!("{path}/photo")).await.is(404, "not_found");
        assert_eq!(audit(&world, &mut ada).await, ["report_read", "report_photo_read"]);
        // Beside what was reported they see what everybody does.
        assert_eq!(moderator.get("/people/ada").await.body["status"], Value::Null);
        // Of a message, not what its author says of themselves.
        let chat = ada.chat_with("bob").await;
        let sent = ada.send(&chat, "hi").await;
        let body = json!({ "kind": "message", "item": sent["id"], "reason": "spam", "text": "" });
        let message = bob.post("/reports", body).await.text("id");
        let seen = moderator.get(&format!("/moderation/reports/{message}")).await;
        assert_eq!(
            (&seen.body["person"], &seen.body["report"]["item"]),
            (&Value::Null, &sent["id"])
        );
        for person in [&mut ada, &mut bob] {
            person.get(&path).await.is(403, "forbidden");
            person.get("/moderation/reports").await.is(403, "forbidden");
            resolve(person, &id, decision("nothing")).await.is(403, "forbidden");
        }
        resolve(&mut moderator, &id, decision("nothing")).await.is_done();
        resolve(&mut moderator, &id, decision("warned")).await.is(409, "conflict");
        assert_eq!(audit(&world, &mut ada).await.last().expect("one"), "report_nothing");
        let resolved = moderator.get("/moderation/reports?state=resolved").await;
        let resolved = &resolved.body["reports"][0]["resolved"];
        assert_eq!((&resolved["by"], &resolved["note"]), (&json!("molly"), &json!("for us")));
        let listed = {
            let sql = "SELECT count(*) FROM audit WHERE action = 'reports_listed'
                       AND actor_id IS NOT NULL";
            count(&world, sql).await
        };
        assert_eq!(listed, 2, "refused looks are none");
    })
    .await;
}

async fn count(world: &World, sql: &'static str) -> i64 {
    match world.db() {
        social::store::Db::Sqlite { r, .. } => {
            sqlx::query_scalar(sql).fetch_one(r).await.expect("reads")
        }
        social::store::Db::Pg(pool) => {
            sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads")
        }
    }
}

#[tokio::test]
async fn whoever_reported_is_told_that_it_was_decided_and_not_how() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        ada.put("/account/profile", profile("everybody")).await.is_done();
        for resolution in ["warned", "content_removed"] {
            let id = report(&mut bob, "ada").await;
            resolve(&mut moderator, &id, decision(resolution)).await.is_done();
            let told = bob.get("/account/notices").await.body["notices"][0].clone();
            assert_eq!((&told["kind"], &told["report"]), (&json!("report_resolved"), &json!(id)));
            assert_eq!((&told["explanation"], &told["person"]), (&Value::Null, &Value::Null));
            assert!(!told.to_string().contains("shouted"), "{told}");
            let told = ada.get("/account/notices").await.body["notices"][0].clone();
            assert_eq!(told["kind"], resolution);
            assert_eq!(told["explanation"], "You shouted at bob.");
            assert!(!told.to_string().contains("for us"), "{told}");
            let status = ada.get("/account/profile").await.text("status");
            assert_eq!(status.is_empty(), resolution == "content_removed");
        }
        // A report that is about nobody can only be closed.
        let body = json!({ "kind": "room", "item": "cellar", "reason": "other", "text": "Loud." });
        let id = bob.post("/reports", body).await.text("id");
        resolve(&mut moderator, &id, decision("warned")).await.is(422, "invalid");
        resolve(&mut moderator, &id, decision("nothing")).await.is_done();
    })
    .await;
}

#[tokio::test]
async fn whoever_is_suspended_is_signed_out_and_told_why_until_it_ends() {
    for_each_store(async |world: World| {
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        for (language, subject) in [
            ("en", "Your account is suspended"),
            ("de", "Dein Konto ist gesperrt"),
            ("tr", "Hesabın askıya alındı"),
        ] {
            let name = format!("ada-{language}");
            let mut ada = world.account(&name).await;
            ada.put("/account/language", json!({ "language": language })).await.is_done();
            let id = report(&mut bob, &name).await;
            let mut body = decision("suspended");
            body["days"] = json!(7);
            resolve(&mut moderator, &id, body).await.is_done();
            ada.get("/account").await.is(401, "not_signed_in");
            ada.token = None;
            let refused = ada.sign_in(&name, PASSWORD).await;
            refused.is(403, "suspended");
            assert!(refused.text("detail").contains("You shouted at bob."), "{refused:?}");
            // Nobody else learns of it.
            ada.sign_in(&name, "a wrong password").await.is(401, "wrong_credentials");
            world.work().await;
            let mail = world.smtp.take_one();
            assert_eq!((mail.subject.as_str(), mail.to), (subject, format!("{name}@example.org")));
            let (year, month, day) = world.now().after(Duration::from_secs(7 * 86_400)).date();
            assert!(mail.body.contains(&format!("{year}-{month:02}-{day:02}")), "{}", mail.body);
            assert!(mail.body.contains("You shouted at bob."), "{}", mail.body);
            world.clock.advance(Duration::from_secs(7 * 86_400));
            assert_eq!(ada.sign_in(&name, PASSWORD).await.status, StatusCode::CREATED);
            world.work().await;
            world.smtp.take();
        }
    })
    .await;
}

#[tokio::test]
async fn a_suspension_for_good_ends_only_where_a_moderator_ends_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let account = ada.get("/account").await.text("id");
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let id = report(&mut bob, "ada").await;
        resolve(&mut moderator, &id, decision("suspended")).await.is_done();
        world.work().await;
        assert!(world.smtp.take_one().body.contains("You shouted at bob."));
        world.clock.advance(Duration::from_secs(80 * 86_400));
        ada.token = None;
        ada.sign_in("ada", PASSWORD).await.is(403, "suspended");
        let path = format!("/moderation/accounts/{account}/suspension");
        bob.delete(&path).await.is(403, "forbidden");
        moderator.delete(&path).await.is_done();
        moderator.delete(&path).await.is(404, "not_found");
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        let written = audit(&world, &mut ada).await;
        assert_eq!(written, ["report_suspended", "suspension_ended"]);
    })
    .await;
}

#[tokio::test]
async fn promise_14_an_account_that_is_reported_as_underage_is_frozen_at_once() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let body = json!({ "kind": "person", "username": "ada", "reason": "underage", "text": "" });
        let id = bob.post("/reports", body).await.text("id");
        // On its way: a code that would let them in again.
        world.device().post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        world.smtp.take();
        resolve(&mut moderator, &id, decision("underage")).await.is_done();
        ada.get("/account").await.is(401, "not_signed_in");
        world.work().await;
        assert_eq!(world.smtp.take_one().subject, "Your account is frozen");
        ada.token = None;
        ada.sign_in("ada", PASSWORD).await.is(403, "suspended");
        let cancel = json!({ "login": "ada", "password": PASSWORD });
        ada.post("/account/erasure/cancel", cancel).await.is(403, "forbidden");
        assert_eq!(count(&world, "SELECT count(*) FROM codes").await, 0);
        // Nobody sees it meanwhile, and after the month it is gone.
        bob.get("/people/ada").await.is(404, "not_found");
        world.clock.advance(Duration::from_secs(31 * 86_400));
        world.work().await;
        ada.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        assert_eq!(count(&world, "SELECT count(*) FROM accounts").await, 2);
    })
    .await;
}

#[tokio::test]
async fn nobody_decides_on_themselves_or_on_those_above_them() {
    for_each_store(async |world: World| {
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        world.account_with("mia", Role::Moderator).await;
        let mut admin = world.account_with("root0", Role::Admin).await;
        let own = report(&mut bob, "molly").await;
        resolve(&mut moderator, &own, decision("nothing")).await.is(403, "forbidden");
        let others = report(&mut bob, "mia").await;
        resolve(&mut moderator, &others, decision("suspended")).await.is(403, "forbidden");
        resolve(&mut admin, &others, decision("suspended")).await.is_done();
        let mut mia = world.device();
        mia.sign_in("mia", PASSWORD).await.is(403, "suspended");
        let mia = world.db().read().await.expect("reads").account_by_username("mia").await;
        let mia = mia.expect("reads").expect("there").id;
        let path = format!("/moderation/accounts/{mia}/suspension");
        moderator.delete(&path).await.is(403, "forbidden");
        admin.delete(&path).await.is_done();
        resolve(&mut admin, &own, decision("nothing")).await.is_done();
    })
    .await;
}

#[tokio::test]
async fn a_report_and_a_decision_have_their_bounds() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let new = |kind: &str, username: Option<&str>, item: Option<&str>| {
            json!({ "kind": kind, "username": username, "item": item, "reason": "spam",
                    "text": "x" })
        };
        for (body, status, code) in [
            (new("person", None, None), 422, "invalid"),
            (new("person", Some("ada"), Some("7")), 422, "invalid"),
            (new("person", Some("bob"), None), 422, "invalid"),
            (new("person", Some("nobody-here"), None), 404, "not_found"),
            (new("room", None, None), 422, "invalid"),
            (new("file", Some("ada"), Some(&"7".repeat(129))), 422, "invalid"),
            (new("song", None, Some("7")), 422, "invalid"),
        ] {
            bob.post("/reports", body.clone()).await.is(status, code);
        }
        let mut long = new("person", Some("ada"), None);
        long["text"] = json!("x".repeat(1001));
        bob.post("/reports", long).await.is(422, "invalid");
        let id = report(&mut bob, "ada").await;
        let with = |resolution: &str, field: &str, value: Value| {
            let mut body = decision(resolution);
            body[field] = value;
            body
        };
        for body in [
            with("suspended", "days", json!(0)),
            with("suspended", "days", json!(366)),
            with("warned", "days", json!(7)),
            with("warned", "explanation", json!(" ")),
            with("nothing", "explanation", json!("nobody reads it")),
            with("warned", "explanation", json!("x".repeat(501))),
            with("nothing", "note", json!("x".repeat(1001))),
        ] {
            resolve(&mut moderator, &id, body).await.is(422, "invalid");
        }
        for _ in 1..20 {
            report(&mut bob, "ada").await;
        }
        let one_more = new("person", Some("ada"), None);
        bob.post("/reports", one_more).await.is(409, "limit_reached");
        resolve(&mut moderator, &id, decision("nothing")).await.is_done();
        report(&mut bob, "ada").await;
        // A resolved report is kept for a year, one that waits until somebody decides.
        world.clock.advance(Duration::from_secs(365 * 86_400));
        world.work().await;
        assert_eq!(count(&world, "SELECT count(*) FROM reports").await, 20);
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        ada.ask(Method::GET, "/account", None).await;
    })
    .await;
}

#[tokio::test]
async fn a_moderator_whose_account_is_gone_is_not_named_any_more() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let mut admin = world.account_with("root0", Role::Admin).await;
        let id = report(&mut bob, "ada").await;
        resolve(&mut moderator, &id, decision("nothing")).await.is_done();
        for person in [&mut moderator, &mut bob] {
            let account = person.get("/account").await.text("id");
            erase(&world, &account).await;
        }
        let seen = admin.get(&format!("/moderation/reports/{id}")).await;
        assert_eq!(seen.body["report"]["resolved"]["by"], Value::Null);
        assert_eq!(seen.body["report"]["reporter"], Value::Null);
        assert_eq!(seen.body["report"]["text"], "", "what they said goes with them");
    })
    .await;
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_does() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut one = world.account_with("molly", Role::Moderator).await;
        let mut other = world.account_with("mia", Role::Moderator).await;
        for _ in 0..5 {
            let id = report(&mut bob, "ada").await;
            let (left, right) = tokio::join!(
                resolve(&mut one, &id, decision("warned")),
                resolve(&mut other, &id, decision("nothing")),
            );
            let mut statuses = [left.status.as_u16(), right.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "{left:?} {right:?}");
        }
        let told = bob.get("/account/notices").await.body["notices"].as_array().map(Vec::len);
        assert_eq!(told, Some(5), "once for each");
        let decided = audit(&world, &mut ada).await;
        assert_eq!(decided.len(), 5, "{decided:?}");
    })
    .await;
}
