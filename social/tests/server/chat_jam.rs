//! That somebody plays: told to friends, and in which room where they want that.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::chat_words::block;
use crate::ear::{Ear, listen};
use crate::world::{Engine, Person, World, for_each_store};

pub(crate) async fn befriend(one: &mut Person, other: &mut Person) {
    let (name, other_name) =
        (one.get("/account").await.text("username"), other.get("/account").await.text("username"));
    one.put(&format!("/friends/{other_name}"), json!({})).await;
    other.put(&format!("/friends/{name}"), json!({})).await;
}

async fn let_see(person: &mut Person, presence: bool, room: bool) {
    let body = json!({ "presence": presence, "room": room, "read_receipts": true, "typing": true });
    person.put("/account/preferences", body).await.is_done();
}

async fn jam(ear: &mut Ear, on: bool, room: Option<&str>) {
    ear.say(json!({ "type": "jamming", "on": on, "room": room })).await;
}

/// Makes a room that everybody may find.
async fn open_loft(person: &mut Person) {
    let loft = json!({ "name": "loft", "title": "The loft", "visibility": "public" });
    assert_eq!(person.post("/rooms", loft).await.status, StatusCode::CREATED);
}

async fn hide_loft(person: &mut Person) {
    let change = json!({ "visibility": "private" });
    let changed = person.ask(Method::PATCH, "/rooms/loft", Some(change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
}

/// What is told next of somebody that is not as before.
async fn next_of(ear: &mut Ear, account: &str, before: &Value) -> Value {
    loop {
        let event = ear.next_of("presence").await;
        if event["account"] == account && event != *before {
            return event;
        }
    }
}

/// Says what is answered after everything that was told before.
async fn hush(world: &World, ear: &mut Ear) -> Vec<Value> {
    world.social.live().settled().await;
    ear.say(json!({ "type": "resume", "chats": {} })).await;
    let mut told = Vec::new();
    loop {
        let event = ear.next().await;
        if event["type"] == "resumed" {
            return told;
        }
        told.push(event);
    }
}

#[tokio::test]
async fn friends_are_told_that_somebody_plays_and_where_only_once_they_may() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let other = world.account("other").await;
        let address = listen(world.router.clone()).await;
        let id = ada.id().await;
        befriend(&mut ada, &mut grace).await;
        // Somebody with whom she writes, and who is no friend.
        ada.chat_with("other").await;
        let mut ear = Ear::caught_up(address, &ada).await;
        let mut friend = Ear::caught_up(address, &grace).await;
        let mut writer = Ear::caught_up(address, &other).await;
        let is = |more: Value| {
            let mut event = json!({ "type": "presence", "account": id, "state": "online" });
            if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
                event.extend(more.clone());
            }
            event
        };
        let online = is(json!({}));
        assert_eq!(friend.next().await, online, "without any chat");
        jam(&mut ear, true, Some("Attic")).await;
        let plays = is(json!({ "jamming": true }));
        assert_eq!(next_of(&mut friend, &id, &online).await, plays, "not where, as it begins");
        // From the next room on, friends see which.
        let_see(&mut ada, true, true).await;
        jam(&mut ear, true, Some("Attic")).await;
        let where_ = is(json!({ "jamming": true, "room": "attic" }));
        assert_eq!(next_of(&mut friend, &id, &plays).await, where_);
        let mut late = Ear::resumed(address, &grace, json!({})).await;
        late.next_of("resumed").await;
        assert_eq!(next_of(&mut late, &id, &online).await, where_, "who was there already");
        // Of a private room, the app says no name.
        jam(&mut ear, true, None).await;
        assert_eq!(next_of(&mut friend, &id, &where_).await, plays);
        jam(&mut ear, true, Some("attic")).await;
        assert_eq!(next_of(&mut friend, &id, &plays).await, where_);
        // Nor does the server, where the app does not know that it is one.
        let cellar = json!({
            "name": "cellar", "title": "The cellar", "visibility": "private", "password": "knock knock"
        });
        assert_eq!(ada.post("/rooms", cellar).await.status, StatusCode::CREATED);
        jam(&mut ear, true, Some("cellar")).await;
        assert_eq!(next_of(&mut friend, &id, &where_).await, plays);
        jam(&mut ear, true, Some("attic")).await;
        assert_eq!(next_of(&mut friend, &id, &plays).await, where_);
        // A room that turns private while they play there is named to nobody any more.
        open_loft(&mut ada).await;
        jam(&mut ear, true, Some("loft")).await;
        let in_loft = is(json!({ "jamming": true, "room": "loft" }));
        assert_eq!(next_of(&mut friend, &id, &where_).await, in_loft);
        hide_loft(&mut ada).await;
        assert_eq!(next_of(&mut friend, &id, &in_loft).await, plays);
        jam(&mut ear, true, Some("attic")).await;
        assert_eq!(next_of(&mut friend, &id, &plays).await, where_);
        // It holds at once, in the room that they are in.
        let_see(&mut ada, true, false).await;
        assert_eq!(next_of(&mut friend, &id, &where_).await, plays);
        jam(&mut ear, false, None).await;
        assert_eq!(next_of(&mut friend, &id, &plays).await, online);
        for told in hush(&world, &mut writer).await {
            assert_eq!(told, online, "whoever is no friend learns nothing of it");
        }
        // Whoever hides looks like somebody who went, and what they do then is told to nobody.
        let_see(&mut ada, false, true).await;
        let gone = next_of(&mut friend, &id, &online).await;
        assert_eq!(gone["state"], "offline");
        hush(&world, &mut friend).await;
        jam(&mut ear, true, Some("attic")).await;
        hush(&world, &mut ear).await;
        assert!(hush(&world, &mut friend).await.is_empty());
        assert!(!world.holds("attic").await, "it is kept nowhere");
        // A name that no room has is nothing that an app says.
        jam(&mut ear, true, Some("no room")).await;
        assert_eq!(ear.closed().await, 4400);
    })
    .await;
}

#[tokio::test]
async fn somebody_whose_page_is_gone_plays_no_more() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let address = listen(world.router.clone()).await;
        let id = ada.id().await;
        befriend(&mut ada, &mut grace).await;
        let mut friend = Ear::caught_up(address, &grace).await;
        // One page is looked at, and she plays in another.
        let _page = Ear::caught_up(address, &ada).await;
        let mut room = Ear::caught_up(address, &ada).await;
        jam(&mut room, true, None).await;
        while friend.next_of("presence").await["jamming"] != true {}
        drop(room);
        let mut told = friend.next_of("presence").await;
        while told["jamming"] == true {
            told = friend.next_of("presence").await;
        }
        assert_eq!((&told["account"], &told["state"]), (&json!(id), &json!("online")));
    })
    .await;
}

#[tokio::test]
async fn promise_23_who_is_blocked_learns_nothing_of_where_somebody_plays() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut other = world.account("other").await;
        let address = listen(world.router.clone()).await;
        befriend(&mut ada, &mut grace).await;
        befriend(&mut ada, &mut other).await;
        let_see(&mut ada, true, true).await;
        let mut ear = Ear::caught_up(address, &ada).await;
        let mut blocked = Ear::caught_up(address, &grace).await;
        let mut friend = Ear::caught_up(address, &other).await;
        hush(&world, &mut blocked).await;
        hush(&world, &mut ear).await;
        // With the friendship that a block ends left in place, which is the worst that can be.
        block(&world, &mut ada, &mut grace).await;
        jam(&mut ear, true, Some("attic")).await;
        while friend.next_of("presence").await["room"] != "attic" {}
        assert!(hush(&world, &mut blocked).await.is_empty());
        // Nor does who comes later, or whoever was blocked the other way round.
        let mut late = Ear::resumed(address, &grace, json!({})).await;
        late.next_of("resumed").await;
        assert!(hush(&world, &mut late).await.is_empty());
        let mut hers = Ear::caught_up(address, &grace).await;
        jam(&mut hers, true, Some("cellar")).await;
        hush(&world, &mut hers).await;
        for told in hush(&world, &mut ear).await {
            assert_ne!(told["account"], json!(grace.id().await), "{told}");
        }
    })
    .await;
}

#[tokio::test]
async fn friends_on_another_server_are_told_too() {
    let world = World::new(Engine::Postgres).await;
    let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
    befriend(&mut ada, &mut grace).await;
    let_see(&mut ada, true, true).await;
    let (_second, _, router) = world.restarted().await;
    let (first, second) = (listen(world.router.clone()).await, listen(router).await);
    let mut friend = Ear::caught_up(second, &grace).await;
    let mut ear = Ear::caught_up(first, &ada).await;
    jam(&mut ear, true, Some("attic")).await;
    while friend.next_of("presence").await["room"] != "attic" {}
    // Nor is it named there where it turns private here.
    open_loft(&mut ada).await;
    jam(&mut ear, true, Some("loft")).await;
    while friend.next_of("presence").await["room"] != "loft" {}
    hide_loft(&mut ada).await;
    while !friend.next_of("presence").await["room"].is_null() {}
    jam(&mut ear, true, Some("attic")).await;
    while friend.next_of("presence").await["room"] != "attic" {}
    let_see(&mut ada, true, false).await;
    let mut told = friend.next_of("presence").await;
    while !told["room"].is_null() {
        told = friend.next_of("presence").await;
    }
    assert_eq!(told["jamming"], true);
}
