//! Several servers of one database: what is done at one is seen at a socket, and in a room, of another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use protocol::id::RoomId;
use serde_json::json;
use social::Social;
use social::account::Role;
use social::rooms::{OnStage, RoomRole, StageNews, Visibility};

use crate::ear::{Ear, listen};
use crate::erasure::{ask, id_of};
use crate::rooms::PaperStage;
use crate::world::{Engine, PASSWORD, Person, World};

/// Somebody who was signed out hears it at once, where they are.
async fn is_signed_out(ear: &mut Ear, since: Instant) {
    assert_eq!(ear.closed().await, 4401);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

/// What those who play are told at once, and nothing else.
async fn is_told(stage: &PaperStage, room: &str, news: &[StageNews]) {
    let (since, mut told) = (Instant::now(), Vec::new());
    while told.len() < news.len() {
        assert!(since.elapsed() < SOON, "{told:?} of {news:?}");
        told.extend(stage.take());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let news: Vec<_> = news.iter().map(|news| (room.to_owned(), *news)).collect();
    assert_eq!(told, news);
}

async fn decide(moderator: &mut Person, reporter: &mut Person, name: &str, decision: &str) {
    let body = json!({ "kind": "person", "username": name, "reason": "spam", "text": "" });
    let report = reporter.post("/reports", body).await.text("id");
    let mut body = json!({ "resolution": decision, "note": "" });
    if decision == "suspended" {
        body["explanation"] = json!("Enough.");
    }
    moderator.post(&format!("/moderation/reports/{report}/resolve"), body).await.is_done();
}

#[tokio::test]
async fn a_session_that_ends_at_one_server_ends_at_the_sockets_of_another() {
    let world = World::new(Engine::Postgres).await;
    let mut moderator = world.account_with("molly", Role::Moderator).await;
    let mut bob = world.account("bob").await;
    let (_second, _, router) = world.restarted().await;
    let there = listen(router).await;
    let mut ada = world.account("ada").await;
    let mut kept = Ear::caught_up(there, &ada).await;
    let mut phone = world.device();
    let mut lost = async || {
        assert_eq!(phone.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        Ear::caught_up(there, &phone).await
    };
    // One device, all others, and by another password.
    let mut ear = lost().await;
    let sessions = ada.get("/sessions").await.body;
    let other = sessions.as_array().expect("sessions").iter().find(|one| one["current"] == false);
    let other = other.and_then(|one| one["id"].as_str()).expect("the phone").to_owned();
    let since = Instant::now();
    ada.delete(&format!("/sessions/{other}")).await.is_done();
    is_signed_out(&mut ear, since).await;
    let mut ear = lost().await;
    let since = Instant::now();
    ada.delete("/sessions").await.is_done();
    is_signed_out(&mut ear, since).await;
    let mut ear = lost().await;
    let body = json!({ "current_password": PASSWORD, "password": PASSWORD.to_uppercase() });
    let since = Instant::now();
    ada.put("/account/password", body).await.is_done();
    is_signed_out(&mut ear, since).await;
    // The device that did it stays, until the account is suspended.
    kept.say(json!({ "type": "resume", "chats": {} })).await;
    kept.next_of("resumed").await;
    let since = Instant::now();
    decide(&mut moderator, &mut bob, "ada", "suspended").await;
    is_signed_out(&mut kept, since).await;
    let young = world.account("young").await;
    let mut ear = Ear::caught_up(there, &young).await;
    let since = Instant::now();
    decide(&mut moderator, &mut bob, "young", "underage").await;
    is_signed_out(&mut ear, since).await;
    let mut ear = Ear::caught_up(there, &bob).await;
    let since = Instant::now();
    assert_eq!(ask(&mut bob).await.status, StatusCode::ACCEPTED);
    is_signed_out(&mut ear, since).await;
}

#[tokio::test]
async fn what_is_done_about_a_room_is_told_to_those_who_play_on_every_server() {
    let world = World::new(Engine::Postgres).await;
    let here = PaperStage::of(&world);
    let (second, ..) = world.restarted().await;
    let there = PaperStage::at(&second);
    let mut ada = world.account("ada").await;
    let (mo, grace) = (world.account("moe").await, world.account("grace").await);
    let (ada_id, mo_id, grace_id) = (id_of(&ada).await, id_of(&mo).await, id_of(&grace).await);
    let both = async |news: &[StageNews]| {
        is_told(&here, "attic", news).await;
        is_told(&there, "attic", news).await;
    };
    ada.make_room("attic", "unlisted").await;
    both(&[StageNews::Visibility(Visibility::Unlisted)]).await;
    ada.appoint("attic", "moe").await.is_done();
    both(&[StageNews::Role(mo_id, RoomRole::Moderator)]).await;
    ada.ban("attic", "grace").await.is_done();
    both(&[StageNews::Banned(grace_id)]).await;
    let change = json!({ "visibility": "private" });
    ada.ask(Method::PATCH, "/rooms/attic", Some(change)).await;
    both(&[StageNews::Visibility(Visibility::Private)]).await;
    // What was done in the room itself is known there already.
    let attic = || RoomId::parse("attic").expect("a name");
    let acts = [
        StageNews::Silenced(mo_id, true),
        StageNews::Silenced(mo_id, false),
        StageNews::Removed(mo_id),
    ];
    for news in acts {
        world.social.tell_stages_elsewhere(attic(), news);
    }
    is_told(&there, "attic", &acts).await;
    assert_eq!(here.take(), []);
    // And who has it when its owner is erased.
    ask(&mut ada).await;
    world.clock.advance(Duration::from_secs(30 * 24 * 3600));
    world.work().await;
    let handed =
        [StageNews::Role(mo_id, RoomRole::Owner), StageNews::Role(ada_id, RoomRole::Guest)];
    both(&handed).await;
}

#[tokio::test]
async fn a_server_that_was_told_nothing_finds_how_its_rooms_stand() {
    let world = World::new(Engine::Postgres).await;
    let mut ada = world.account("ada").await;
    let (mo, grace) = (world.account("moe").await, world.account("grace").await);
    let (ada_id, mo_id, grace_id) = (id_of(&ada).await, id_of(&mo).await, id_of(&grace).await);
    ada.make_room("attic", "private").await;
    ada.appoint("attic", "moe").await.is_done();
    ada.ban("attic", "grace").await.is_done();
    // One that comes after all of that.
    let (second, ..) = world.restarted().await;
    let stage = PaperStage::at(&second);
    let on_stage = |room: &str, accounts: &[_]| OnStage {
        room: RoomId::parse(room).expect("a name"),
        is_private: false,
        has_roles: true,
        lacks_roles: false,
        accounts: accounts.to_vec(),
    };
    let roles =
        [(ada_id, RoomRole::Owner), (mo_id, RoomRole::Guest), (grace_id, RoomRole::Moderator)];
    stage.let_stand(vec![on_stage("attic", &roles), on_stage("given-up", &[])]);
    second.live().look().await;
    let attic = |news| ("attic".to_owned(), news);
    let told = [
        attic(StageNews::Visibility(Visibility::Private)),
        attic(StageNews::Role(mo_id, RoomRole::Moderator)),
        attic(StageNews::Banned(grace_id)),
        ("given-up".to_owned(), StageNews::Disowned),
    ];
    assert_eq!(stage.take(), told);
    // What is as it should be is not told.
    let roles = [(ada_id, RoomRole::Owner), (mo_id, RoomRole::Moderator)];
    let right = OnStage { is_private: true, ..on_stage("attic", &roles) };
    let nobodys = OnStage { has_roles: false, lacks_roles: true, ..on_stage("nobodys", &[]) };
    stage.let_stand(vec![right, nobodys]);
    second.live().look().await;
    assert_eq!(stage.take(), []);
}

impl PaperStage {
    /// That of another server.
    fn at(social: &Social) -> Arc<Self> {
        let stage = Arc::new(Self::default());
        social.set_stage(stage.clone());
        stage
    }
}

/// What nobody told would be found after half a minute.
const SOON: Duration = Duration::from_secs(1);
