//! What becomes of rooms when somebody is erased, and what is kept of them.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::rooms::{RoomRole, StageNews};

use super::PaperStage;
use crate::erasure::{ask, eraser, id_of};
use crate::world::{Person, World, for_each_store};

const THIRTY_DAYS: Duration = Duration::from_secs(30 * 24 * 3600);

async fn erase(world: &World, person: &mut Person) {
    assert_eq!(ask(person).await.status, StatusCode::ACCEPTED);
    world.clock.advance(THIRTY_DAYS);
    world.work().await;
}

#[tokio::test]
async fn a_room_whose_owner_is_erased_goes_to_the_oldest_moderator() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut names = Vec::new();
        for name in ["gone", "moe", "late"] {
            world.clock.advance(Duration::from_secs(1));
            names.push((name, world.account(name).await));
        }
        let made = ada.make_room("attic", "private").await;
        let chat = made.text("chat");
        for (name, _) in &names {
            world.clock.advance(Duration::from_secs(1));
            ada.appoint("attic", name).await.is_done();
        }
        ada.send(&chat, "the owner's words").await;
        // Whoever is to be erased themselves does not inherit.
        let [(_, gone), (_, mo), (_, late)] = &mut names[..] else { panic!("three") };
        ask(gone).await;
        let ada_id = id_of(&ada).await;
        ask(&mut ada).await;
        world.clock.advance(THIRTY_DAYS);
        eraser(&world).erase_due(ada_id).await.expect("erased");
        let sign_in = async |person: &mut Person, name| {
            assert_eq!(person.sign_in(name, crate::world::PASSWORD).await.status, 201);
        };
        sign_in(mo, "moe").await;
        sign_in(late, "late").await;
        let seen = mo.get("/rooms/attic").await.body;
        assert_eq!(seen["role"], "owner");
        assert_eq!(seen["chat"], chat.as_str(), "it keeps its chat");
        assert_eq!(late.get("/rooms/attic").await.body["role"], "moderator");
        world.work_until_clean().await;
        assert!(!world.holds("the owner's words").await, "what the owner said is gone");
    })
    .await;
}

#[tokio::test]
async fn whoever_plays_is_told_what_becomes_of_the_rooms_of_who_is_erased() {
    for_each_store(async |world: World| {
        let stage = PaperStage::of(&world);
        let mut ada = world.account("ada").await;
        let mo = world.account("moe").await;
        ada.make_room("attic", "private").await;
        ada.make_room("cellar", "public").await;
        ada.appoint("attic", "moe").await.is_done();
        let (ada_id, mo_id) = (id_of(&ada).await, id_of(&mo).await);
        stage.take();
        erase(&world, &mut ada).await;
        let told = [
            ("attic".to_owned(), StageNews::Role(mo_id, RoomRole::Owner)),
            ("attic".to_owned(), StageNews::Role(ada_id, RoomRole::Guest)),
            ("cellar".to_owned(), StageNews::Disowned),
        ];
        assert_eq!(stage.take(), told);
    })
    .await;
}

#[tokio::test]
async fn a_room_that_nobody_takes_over_goes_with_its_chat_and_nothing_of_them_is_left() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut mo = world.account("moe").await;
        let mut eve = world.account("eve").await;
        let chat = ada.make_room("attic", "public").await.text("chat");
        mo.make_room("cellar", "public").await;
        // Ada banned somebody elsewhere, made an invite there, and somebody banned her.
        mo.appoint("cellar", "ada").await.is_done();
        ada.ban("cellar", "eve").await.is_done();
        assert_eq!(
            ada.post("/rooms/cellar/invites", json!({ "days": 30 })).await.status,
            StatusCode::CREATED
        );
        eve.make_room("garden", "public").await;
        eve.ban("garden", "ada").await.is_done();
        ada.send(&chat, "canary of the attic").await;
        let id = id_of(&ada).await;
        erase(&world, &mut ada).await;
        world.work_until_clean().await;
        world.device().get("/rooms/attic").await.is(404, "not_found");
        assert!(!world.holds("canary of the attic").await);
        let mut conn = world.db().read().await.expect("reads");
        assert!(conn.chat(chat.parse().expect("an id")).await.expect("reads").is_none());
        assert_eq!(conn.room_bans("garden").await.expect("reads"), []);
        assert_eq!(conn.room_moderators("cellar").await.expect("reads"), []);
        assert_eq!(conn.room_bans("cellar").await.expect("reads").len(), 1, "the ban holds");
        drop(conn);
        assert!(!world.holds(&id.to_string()).await, "nothing names her");
        // A name is free again.
        let mut other = world.account("other").await;
        assert_eq!(other.make_room("attic", "public").await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn invites_that_expired_are_deleted() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        ada.make_room("attic", "private").await;
        ada.post("/rooms/attic/invites", json!({ "days": 1 })).await;
        ada.post("/rooms/attic/invites", json!({ "days": 30 })).await;
        let count = async || {
            let mut conn = world.db().read().await.expect("reads");
            let long_ago = social::clock::UnixMs(0);
            conn.room_invites("attic", long_ago).await.expect("reads").len()
        };
        assert_eq!(count().await, 2);
        world.clock.advance(Duration::from_secs(2 * 24 * 3600));
        world.work().await;
        assert_eq!(count().await, 1);
    })
    .await;
}
