//! The door of a room: what a pass wants, whom it lets in, and for how long.

use std::time::Duration;

use axum::http::StatusCode;
use protocol::id::RoomId;
use serde_json::{Value, json};
use social::limits::{PASS_LIFE, ROOM_WRONG_RATE};
use social::rooms::{Entry, NoEntry, RoomRole, Visibility};

use crate::erasure::id_of;
use crate::world::{Person, World, for_each_store};

async fn admit(world: &World, room: &str, pass: Option<&str>) -> Entry {
    let room = RoomId::parse(room).expect("a name");
    world.social.admit(&room, pass).await.expect("the database works")
}

fn refused(entry: Entry) -> Option<NoEntry> {
    match entry {
        Entry::Refused(why, _) => Some(why),
        Entry::Owned { .. } | Entry::Unowned => None,
    }
}

async fn private(ada: &mut Person, password: Option<&str>) {
    let body = json!({
        "name": "attic", "title": "The attic", "visibility": "private", "password": password,
    });
    assert_eq!(ada.post("/rooms", body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_room_that_nobody_owns_wants_nothing_and_gives_no_role() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        ada.pass("blue-note", json!({})).await.is(404, "not_found");
        assert_eq!(admit(&world, "blue-note", None).await, Entry::Unowned);
        assert_eq!(admit(&world, "blue-note", Some("any text")).await, Entry::Unowned);
    })
    .await;
}

#[tokio::test]
async fn a_private_room_opens_for_its_password_and_nothing_else() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        private(&mut ada, Some("knock knock")).await;
        assert_eq!(refused(admit(&world, "attic", None).await), Some(NoEntry::PassWanted));
        let mut guest = world.device();
        guest.pass("attic", json!({})).await.is(403, "room_private");
        guest.pass("attic", json!({ "password": "knock" })).await.is(403, "wrong_password");
        let given = guest.pass("Attic", json!({ "password": "knock knock" })).await;
        assert_eq!(given.status, StatusCode::OK, "{given:?}");
        assert_eq!((given.text("role").as_str(), &given.body["seconds"]), ("guest", &json!(60)));
        let pass = given.text("pass");
        let visibility = Visibility::Private;
        let entry = Entry::Owned { role: RoomRole::Guest, account: None, visibility };
        assert_eq!(admit(&world, "attic", Some(&pass)).await, entry);
        // Of this room only, and for a minute.
        ada.make_room("cellar", "private").await;
        let bad = Some(NoEntry::BadPass);
        assert_eq!(refused(admit(&world, "cellar", Some(&pass)).await), bad);
        assert_eq!(refused(admit(&world, "attic", Some(&pass[1..])).await), bad);
        world.clock.advance(PASS_LIFE - Duration::from_millis(1));
        assert_eq!(admit(&world, "attic", Some(&pass)).await, entry);
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(refused(admit(&world, "attic", Some(&pass)).await), bad);
    })
    .await;
}

#[tokio::test]
async fn an_invite_lets_in_as_often_as_wanted_until_it_expires_or_is_taken_back() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        private(&mut ada, None).await;
        let mut guest = world.device();
        let told = guest.pass("attic", json!({ "password": "guess" })).await;
        told.is(403, "room_private");
        assert!(told.text("detail").contains("invite"), "no password would do: {told:?}");
        let made = ada.post("/rooms/attic/invites", json!({ "days": 2 })).await;
        let token = made.text("token");
        assert!(!world.holds(&token).await, "the token is not kept");
        for _ in 0..2 {
            let given = guest.pass("attic", json!({ "invite": token })).await;
            assert_eq!(given.status, StatusCode::OK, "{given:?}");
            let entry = admit(&world, "attic", Some(&given.text("pass"))).await;
            assert_eq!(refused(entry), None);
        }
        ada.make_room("cellar", "private").await;
        guest.pass("cellar", json!({ "invite": token })).await.is(403, "wrong_invite");
        guest.pass("attic", json!({ "invite": "ü" })).await.is(403, "wrong_invite");
        let list = ada.get("/rooms/attic/invites").await.body;
        assert_eq!(list["invites"][0]["id"], made.body["id"]);
        assert_eq!(list["invites"][0]["made_by"], "ada");
        ada.delete(&format!("/rooms/attic/invites/{}", made.text("id"))).await.is_done();
        guest.pass("attic", json!({ "invite": token })).await.is(403, "wrong_invite");
        let made = ada.post("/rooms/attic/invites", json!({ "days": 2 })).await;
        world.clock.advance(Duration::from_secs(2 * 24 * 3600));
        let invite = json!({ "invite": made.text("token") });
        guest.pass("attic", invite).await.is(403, "wrong_invite");
        assert_eq!(ada.get("/rooms/attic/invites").await.body["invites"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_are_counted_for_each_room_and_address() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        private(&mut ada, Some("knock knock")).await;
        let from = |address: &str| Person { address: Some(address.into()), ..world.device() };
        let (mut eve, wrong) = (from("198.51.100.1"), json!({ "password": "guess" }));
        let mut tries = 0;
        let hurried = loop {
            let answer = eve.pass("attic", wrong.clone()).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            answer.is(403, "wrong_password");
            tries += 1;
            assert!(tries < 100, "there is a limit");
        };
        hurried.is(429, "too_many_requests");
        assert!(hurried.headers.contains_key("retry-after"));
        let right = json!({ "password": "knock knock" });
        eve.pass("attic", right.clone()).await.is(429, "too_many_requests");
        let given = from("198.51.100.2").pass("attic", right).await;
        assert_eq!(given.status, StatusCode::OK, "others are not kept out: {given:?}");
    })
    .await;
}

#[tokio::test]
async fn a_class_behind_one_address_comes_in_and_invites_are_not_counted_as_guesses() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        private(&mut ada, Some("knock knock")).await;
        let mut school = Person { address: Some("198.51.100.1".into()), ..world.device() };
        for _ in 0..50 {
            let right = json!({ "password": "knock knock" });
            let given = school.pass("attic", right).await;
            assert_eq!(given.status, StatusCode::OK, "{given:?}");
        }
        for _ in 0..50 {
            school.pass("attic", json!({ "invite": "x" })).await.is(403, "wrong_invite");
        }
        school.pass("attic", json!({ "password": "guess" })).await.is(403, "wrong_password");
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_are_counted_for_a_room_from_however_many_addresses() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        private(&mut ada, Some("knock knock")).await;
        let from = |number: u32| Person {
            address: Some(format!("198.51.100.{number}")),
            ..world.device()
        };
        let all = ROOM_WRONG_RATE.burst.get();
        for number in 0..all {
            let wrong = json!({ "password": "guess" });
            from(number).pass("attic", wrong).await.is(403, "wrong_password");
        }
        let right = json!({ "password": "knock knock" });
        let mut late = from(all);
        late.pass("attic", right.clone()).await.is(429, "too_many_requests");
        assert_eq!(ada.pass("attic", json!({})).await.status, StatusCode::OK, "its owner comes in");
        world.clock.advance(ROOM_WRONG_RATE.period / all);
        assert_eq!(late.pass("attic", right).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn what_an_account_may_do_is_read_when_it_comes_in_and_banned_ones_stay_out() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut mo = world.account("moe").await;
        let mo_id = id_of(&mo).await;
        private(&mut ada, None).await;
        let given = ada.pass("attic", json!({})).await;
        assert_eq!(given.text("role"), "owner", "the owner shows nothing");
        let entry = admit(&world, "attic", Some(&given.text("pass"))).await;
        let Entry::Owned { role: RoomRole::Owner, account: Some(account), .. } = entry else {
            panic!("{entry:?}");
        };
        assert_eq!(account, id_of(&ada).await);
        mo.pass("attic", json!({})).await.is(403, "room_private");
        ada.appoint("attic", "moe").await.is_done();
        let given = mo.pass("attic", json!({})).await;
        assert_eq!(given.text("role"), "moderator");
        let pass = given.text("pass");
        // What is taken away before the pass is shown is not in it.
        ada.delete(&format!("/rooms/attic/moderators/{mo_id}")).await.is_done();
        let entry = admit(&world, "attic", Some(&pass)).await;
        assert!(matches!(entry, Entry::Owned { role: RoomRole::Guest, .. }), "{entry:?}");
        ada.ban("attic", "moe").await.is_done();
        assert_eq!(refused(admit(&world, "attic", Some(&pass)).await), Some(NoEntry::Banned));
        mo.pass("attic", json!({})).await.is(403, "banned");
        // An account that is gone does not come in.
        ada.delete(&format!("/rooms/attic/bans/{mo_id}")).await.is_done();
        ada.appoint("attic", "moe").await.is_done();
        let pass = mo.pass("attic", json!({})).await.text("pass");
        crate::erasure::ask(&mut mo).await;
        assert_eq!(refused(admit(&world, "attic", Some(&pass)).await), Some(NoEntry::BadPass));
    })
    .await;
}

#[tokio::test]
async fn whoever_plays_with_an_account_is_in_the_chat_and_leaves_it_or_is_banned_from_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut mo = world.account("moe").await;
        let made = ada.make_room("attic", "public").await;
        let chat = made.text("chat");
        let path = format!("/chats/{chat}");
        assert_eq!(ada.get(&path).await.body["room"], "attic");
        ada.send(&chat, "before mo came").await;
        mo.get(&path).await.is(404, "not_found");
        let come = async |mo: &mut Person| {
            let pass = mo.pass("attic", json!({})).await.text("pass");
            let entry = admit(&world, "attic", Some(&pass)).await;
            assert!(matches!(entry, Entry::Owned { role: RoomRole::Guest, .. }), "{entry:?}");
            // The door does not wait until they are in the chat.
            for _ in 0..1000 {
                if mo.get(&path).await.status == StatusCode::OK {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("they are not in the chat");
        };
        come(&mut mo).await;
        come(&mut mo).await;
        let members = mo.get(&path).await.body["members"].clone();
        assert_eq!(members.as_array().map(Vec::len), Some(2), "once, however often they come");
        mo.send(&chat, "hello").await;
        assert_eq!(ada.history(&chat).await.len(), 2);
        assert_eq!(mo.history(&chat).await.len(), 1, "what came since");
        mo.post(&format!("{path}/leave"), json!({})).await.is_done();
        mo.get(&path).await.is(404, "not_found");
        come(&mut mo).await;
        assert_eq!(mo.get(&path).await.status, StatusCode::OK);
        ada.ban("attic", "moe").await.is_done();
        mo.get(&path).await.is(404, "not_found");
        ada.delete("/rooms/attic").await.is_done();
        ada.get(&path).await.is(404, "not_found");
        assert_eq!(ada.get("/chats").await.body["chats"], Value::Array(Vec::new()));
    })
    .await;
}
