//! The live connection.

use axum::http::StatusCode;
use serde_json::json;

use crate::chat::at;
use crate::chat_words::block;
use crate::ear::{Ear, listen};
use crate::world::{PASSWORD, World, for_each_store};

#[tokio::test]
async fn what_is_said_comes_at_once_to_those_who_are_in_the_chat() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let other = world.account("other").await;
        let address = listen(world.router.clone()).await;
        let chat = ada.group(&["grace"]).await;
        let mut ears = [
            Ear::caught_up(address, &ada).await,
            Ear::caught_up(address, &grace).await,
            Ear::caught_up(address, &grace).await,
        ];
        let mut foreign = Ear::caught_up(address, &other).await;
        let sent = ada.send(&chat, "hi @grace").await;
        for (number, ear) in ears.iter_mut().enumerate() {
            let event = ear.next_of("message").await;
            assert_eq!((&event["chat"], &event["message"]["id"]), (&json!(chat), &sent["id"]));
            assert_eq!(event["message"]["mentioned"], number != 0);
        }
        ada.patch(&at(&sent), json!({ "body": "hello" })).await;
        ada.delete(&at(&sent)).await.is_done();
        for ear in &mut ears {
            // As it stands: two changes may come as one.
            let mut event = ear.next_of("message").await;
            if event["message"]["rev"] == 2 {
                assert_eq!(event["message"]["body"], "hello");
                event = ear.next_of("message").await;
            }
            assert_eq!(
                (&event["message"]["rev"], &event["message"]["body"]),
                (&json!(3), &json!(null))
            );
        }
        // Somebody else's first message is what comes next: nothing of this chat came to them.
        let own = ada.chat_with("other").await;
        ada.send(&own, "and you?").await;
        let event = foreign.next_of("message").await;
        assert_eq!(event["chat"], own.as_str(), "also of a chat that is new");
        // Who has left hears no more, and is told.
        grace.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        let left = json!({ "type": "chat", "chat": chat, "member": false });
        loop {
            let event = ears[1].next_of("chat").await;
            if event["chat"] == chat.as_str() && event["member"] == false {
                assert_eq!(event, left);
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_comes_before_a_client_has_said_what_it_knows() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let grace = world.account("grace").await;
        let address = listen(world.router.clone()).await;
        let chat = ada.chat_with("grace").await;
        for number in 0..3 {
            ada.send(&chat, &format!("m{number}")).await;
        }
        let mut ear = Ear::open(address, &grace).await;
        ada.send(&chat, "while it was opened").await;
        world.social.live().settled().await;
        ear.say(json!({ "type": "resume", "chats": { chat.as_str(): 1 } })).await;
        let mut revs = Vec::new();
        loop {
            let event = ear.next().await;
            if event["type"] == "resumed" {
                break;
            }
            revs.push(event["message"]["rev"].clone());
        }
        assert_eq!(revs, [2, 3, 4], "in order, each once");
        ada.send(&chat, "then").await;
        assert_eq!(ear.next_of("message").await["message"]["rev"], 5);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_keep_up_is_told_to_come_again_and_misses_nothing() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let grace = world.account("grace").await;
        let address = listen(world.router.clone()).await;
        let chat = ada.chat_with("grace").await;
        let mut ear = Ear::open(address, &grace).await;
        for number in 0..300 {
            world.clock.advance(std::time::Duration::from_secs(1));
            ada.send(&chat, &format!("m{number}")).await;
        }
        assert_eq!(ear.closed().await, 4408);
        let mut ear = Ear::resumed(address, &grace, json!({ chat.as_str(): 0 })).await;
        for number in 0..300 {
            assert_eq!(ear.next_of("message").await["message"]["body"], format!("m{number}"));
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_is_signed_out_elsewhere_hears_no_more_at_once() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut phone = world.device();
        phone.sign_in("ada", PASSWORD).await;
        let address = listen(world.router.clone()).await;
        let mut lost = Ear::caught_up(address, &phone).await;
        let mut kept = Ear::caught_up(address, &ada).await;
        ada.delete("/sessions").await.is_done();
        assert_eq!(lost.closed().await, 4401);
        let token = phone.token.clone().expect("it had one");
        let refused = Ear::with(address, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(refused.err(), Some(401));
        kept.say(json!({ "type": "resume", "chats": {} })).await;
        assert_eq!(kept.next_of("resumed").await, json!({ "type": "resumed" }));
        // With another password, and where the session only expires.
        phone.sign_in("ada", PASSWORD).await;
        let mut lost = Ear::caught_up(address, &phone).await;
        let body = json!({ "current_password": PASSWORD, "password": "another password" });
        ada.put("/account/password", body).await.is_done();
        assert_eq!(lost.closed().await, 4401);
        world.clock.advance(std::time::Duration::from_secs(91 * 24 * 3600));
        world.social.live().look().await;
        assert_eq!(kept.closed().await, 4401);
    })
    .await;
}

#[tokio::test]
async fn a_browser_says_where_its_page_is_from_and_an_app_who_it_is() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let address = listen(world.router.clone()).await;
        let token = ada.token.clone().expect("signed in");
        let cookie = format!("vjam_session={token}");
        assert_eq!(Ear::with(address, &[]).await.err(), Some(401));
        assert_eq!(Ear::with(address, &[("cookie", &cookie)]).await.err(), Some(403));
        let page = format!("http://{address}");
        Ear::with(address, &[("cookie", &cookie), ("origin", &page)])
            .await
            .map(drop)
            .expect("a page of ours");
        let protocols = format!("vjam, bearer.{token}");
        Ear::with(address, &[("sec-websocket-protocol", &protocols)])
            .await
            .map(drop)
            .expect("an app without headers");
        let wrong = format!("vjam, bearer.{}", "0".repeat(64));
        assert_eq!(
            Ear::with(address, &[("sec-websocket-protocol", &wrong)]).await.err(),
            Some(401)
        );
        ada.get("/live").await.is(400, "bad_request");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_says_too_much_or_nonsense_is_closed_and_there_are_twenty_at_most() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let grace = world.account("grace").await;
        let address = listen(world.router.clone()).await;
        let mut ear = Ear::caught_up(address, &ada).await;
        ear.say(json!({ "type": "shout" })).await;
        assert_eq!(ear.closed().await, 4400);
        let mut ear = Ear::caught_up(address, &grace).await;
        for _ in 0..60 {
            ear.say(json!({ "type": "presence", "state": "away" })).await;
        }
        assert_eq!(ear.closed().await, 4429);
        let other = world.account("other").await;
        let mut ears = Vec::new();
        for _ in 0..20 {
            ears.push(Ear::open(address, &other).await);
        }
        let bearer = format!("Bearer {}", other.token.clone().expect("signed in"));
        assert_eq!(Ear::with(address, &[("authorization", &bearer)]).await.err(), Some(429));
        // All are closed with the server.
        world.social.live().close().await;
        for ear in &mut ears {
            assert_eq!(ear.closed().await, 1001);
        }
        assert_eq!(world.social.live().sockets(), 0);
        assert_eq!(Ear::with(address, &[("authorization", &bearer)]).await.err(), Some(503));
    })
    .await;
}

#[tokio::test]
async fn that_somebody_writes_reads_and_is_there_is_told_and_kept_nowhere() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let address = listen(world.router.clone()).await;
        let chat = ada.chat_with("grace").await;
        let (ada_id, grace_id) = (
            ada.get("/account").await.text("id"),
            grace.get("/account").await.text("id"),
        );
        let sent = ada.send(&chat, "hi").await;
        let mut ear = Ear::caught_up(address, &ada).await;
        let mut other = Ear::caught_up(address, &grace).await;
        let presence = |account: &str, state: &str| {
            json!({ "type": "presence", "account": account, "state": state })
        };
        assert_eq!(ear.next().await, presence(&grace_id, "online"));
        assert_eq!(other.next().await, presence(&ada_id, "online"), "who was there already");
        other.say(json!({ "type": "presence", "state": "away" })).await;
        // How somebody is may be told twice: by what changed, and by whoever looks.
        let mut told = ear.next().await;
        while told == presence(&grace_id, "online") {
            told = ear.next().await;
        }
        assert_eq!(told, presence(&grace_id, "away"));
        other.say(json!({ "type": "typing", "chat": chat })).await;
        let typing = json!({ "type": "typing", "chat": chat, "account": grace_id });
        assert_eq!(ear.next().await, typing);
        // Too often is left out.
        other.say(json!({ "type": "typing", "chat": chat })).await;
        grace.put(&format!("/chats/{chat}/read"), json!({ "seq": sent["seq"] })).await.is_done();
        let read = json!({ "type": "read", "chat": chat, "account": grace_id, "seq": 1 });
        assert_eq!(ear.next().await, read);
        drop(other);
        assert_eq!(ear.next().await, presence(&grace_id, "offline"));
    })
    .await;
}

#[tokio::test]
async fn promise_23_a_blocked_person_reaches_nobody_on_a_connection_that_was_open_before() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut other = world.account("other").await;
        let address = listen(world.router.clone()).await;
        let (direct, group) = (ada.chat_with("grace").await, ada.group(&["grace", "other"]).await);
        let said = grace.send(&group, "before").await;
        world.social.live().settled().await;
        let mut blocked = Ear::caught_up(address, &ada).await;
        world.social.live().settled().await;
        let mut blocker = Ear::caught_up(address, &grace).await;
        let mut third = Ear::caught_up(address, &other).await;
        for ear in [&mut blocked, &mut blocker] {
            assert_eq!(ear.next().await["state"], "online", "until then they see each other");
        }
        block(&world, &mut grace, &mut ada).await;
        for chat in [&direct, &group] {
            for ear in [&mut blocked, &mut blocker] {
                ear.say(json!({ "type": "presence", "state": "away" })).await;
                ear.say(json!({ "type": "typing", "chat": chat })).await;
                // What was said before is heard by then.
                ear.say(json!({ "type": "resume", "chats": {} })).await;
                ear.next_of("resumed").await;
                world.clock.advance(std::time::Duration::from_secs(5));
            }
        }
        let read = json!({ "seq": said["seq"] });
        ada.put(&format!("/chats/{group}/read"), read.clone()).await.is_done();
        grace.put(&format!("/chats/{group}/read"), read).await.is_done();
        ada.try_send(&direct, "hello?").await.is(404, "not_found");
        world.social.live().settled().await;
        // Somebody else is told all of it.
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(third.next().await["type"].clone());
        }
        told.sort_by_key(|kind| kind.to_string());
        assert_eq!(told, ["read", "read", "typing", "typing"]);
        // What comes next to each is what is said in the group, which calls nobody.
        other.send(&group, "fence").await;
        ada.send(&group, "@grace @other").await;
        for ear in [&mut blocked, &mut blocker] {
            let mut kinds = Vec::new();
            loop {
                let event = ear.next().await;
                if event["message"]["body"] == "@grace @other" {
                    assert_eq!(event["message"]["mentioned"], false);
                    break;
                }
                kinds.push(event["type"].clone());
            }
            assert_eq!(kinds, ["read", "message"], "their own reading, and the fence");
        }
        third.next_of("message").await;
        assert_eq!(third.next_of("message").await["message"]["mentioned"], true);
    })
    .await;
}

#[tokio::test]
async fn sockets_of_another_server_hear_it_too() {
    let world = World::new(crate::world::Engine::Postgres).await;
    let mut ada = world.account("ada").await;
    let mut grace = world.account("grace").await;
    let (second, _, router) = world.restarted().await;
    let address = listen(router).await;
    let chat = ada.chat_with("grace").await;
    let mut ear = Ear::caught_up(address, &grace).await;
    let grace_id = grace.get("/account").await.text("id");
    for number in 0..20 {
        ada.send(&chat, &format!("m{number}")).await;
        let begun = std::time::Instant::now();
        assert_eq!(ear.next_of("message").await["message"]["seq"], number + 1);
        assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    }
    // What is not kept crosses too.
    let first = listen(world.router.clone()).await;
    let mut own = Ear::caught_up(first, &ada).await;
    ear.say(json!({ "type": "typing", "chat": chat })).await;
    assert_eq!(own.next_of("typing").await["account"], grace_id.as_str());
    ear.say(json!({ "type": "presence", "state": "away" })).await;
    loop {
        let event = own.next_of("presence").await;
        assert_eq!(event["account"], grace_id.as_str());
        if event["state"] == "away" {
            break;
        }
    }
    // What nobody told is found when somebody looks.
    let id: uuid::Uuid = chat.parse().expect("an id");
    let sql = "UPDATE chats SET last_rev = last_rev + 1 WHERE id = $1";
    let social::store::Db::Pg(pool) = world.db() else { unreachable!("it is PostgreSQL") };
    sqlx::query(sql).bind(id).execute(pool).await.expect("changed");
    let sql = "UPDATE messages SET rev = 21 WHERE chat_id = $1 AND seq = 1";
    sqlx::query(sql).bind(id).execute(pool).await.expect("changed");
    second.live().look().await;
    assert_eq!(ear.next_of("message").await["message"]["rev"], 21);
    // And who is signed out there is signed out here.
    let answer = grace.delete("/sessions/current").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(ear.closed().await, 4401);
}
