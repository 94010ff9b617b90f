//! Rooms that an account owns: made and kept, opened and closed, and what becomes of them with their owners.

mod door;
mod ends;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use protocol::id::RoomId;
use serde_json::{Value, json};
use social::limits::{ROOM_BANS_MAX, ROOM_INVITES_MAX, ROOM_MODERATORS_MAX, ROOMS_MAX};
use social::rooms::{Coming, OnStage, RoomRole, Stage, StageNews, Visibility};

use crate::erasure::id_of;
use crate::world::{Answer, Person, World, for_each_store};

/// Where nobody really plays: it says what it is told to, and remembers what it was told.
#[derive(Default)]
pub(crate) struct PaperStage {
    playing: Mutex<usize>,
    told: Mutex<Vec<(String, StageNews)>>,
    standings: Mutex<Vec<OnStage>>,
}

impl PaperStage {
    pub(crate) fn of(world: &World) -> Arc<Self> {
        let stage = Arc::new(Self::default());
        world.social.set_stage(stage.clone());
        stage
    }

    pub(crate) fn take(&self) -> Vec<(String, StageNews)> {
        std::mem::take(&mut self.told.lock().expect("nobody panics"))
    }

    pub(crate) fn let_stand(&self, standings: Vec<OnStage>) {
        *self.standings.lock().expect("nobody panics") = standings;
    }

    fn let_play(&self, people: usize) {
        *self.playing.lock().expect("nobody panics") = people;
    }
}

impl Stage for PaperStage {
    fn tell(&self, room: RoomId, news: StageNews) -> Coming<'_, ()> {
        self.told.lock().expect("nobody panics").push((room.into(), news));
        Box::pin(async {})
    }

    fn playing(&self, rooms: Vec<RoomId>) -> Coming<'_, Vec<usize>> {
        let people = *self.playing.lock().expect("nobody panics");
        Box::pin(async move { vec![people; rooms.len()] })
    }

    fn standings(&self) -> Coming<'_, Vec<OnStage>> {
        let rooms = self.standings.lock().expect("nobody panics").clone();
        Box::pin(async { rooms })
    }
}

impl Person {
    pub(crate) async fn make_room(&mut self, name: &str, visibility: &str) -> Answer {
        let body = json!({ "name": name, "title": "The attic", "visibility": visibility });
        self.post("/rooms", body).await
    }

    async fn change_room(&mut self, name: &str, change: Value) -> Answer {
        self.ask(Method::PATCH, &format!("/rooms/{name}"), Some(change)).await
    }

    pub(crate) async fn pass(&mut self, name: &str, shown: Value) -> Answer {
        self.post(&format!("/rooms/{name}/pass"), shown).await
    }

    pub(crate) async fn appoint(&mut self, room: &str, name: &str) -> Answer {
        self.post(&format!("/rooms/{room}/moderators"), json!({ "username": name })).await
    }

    pub(crate) async fn ban(&mut self, room: &str, name: &str) -> Answer {
        self.post(&format!("/rooms/{room}/bans"), json!({ "username": name })).await
    }
}

#[tokio::test]
async fn a_room_is_made_shown_changed_and_given_up() {
    for_each_store(async |world: World| {
        let stage = PaperStage::of(&world);
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        let made = ada.make_room(" Blue-Note ", "unlisted").await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(
            (made.text("name").as_str(), made.text("role").as_str()),
            ("blue-note", "owner")
        );
        assert_eq!(made.body["has_password"], false);
        grace.make_room("blue-note", "public").await.is(409, "room_taken");
        for (field, body) in [
            ("name", json!({ "name": "a b", "title": "t", "visibility": "public" })),
            ("title", json!({ "name": "ab", "title": " ", "visibility": "public" })),
            (
                "password",
                json!({ "name": "ab", "title": "t", "visibility": "private", "password": "abcde" }),
            ),
        ] {
            let refused = ada.post("/rooms", body).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], field);
        }
        // Whoever owned it could take them out.
        stage.let_play(2);
        ada.make_room("busy", "public").await.is(409, "room_in_use");
        stage.let_play(0);
        // Anybody may look, and sees what it is called unless it is private.
        let mut passer_by = world.device();
        let seen = passer_by.get("/rooms/Blue-Note").await.body;
        assert_eq!((&seen["title"], &seen["role"]), (&json!("The attic"), &json!("guest")));
        assert_eq!(seen["chat"], Value::Null);
        passer_by.get("/rooms/nobodys").await.is(404, "not_found");
        passer_by.get("/rooms/no%00name").await.is(404, "not_found");
        grace.change_room("blue-note", json!({ "title": "Mine" })).await.is(403, "forbidden");
        grace.delete("/rooms/blue-note").await.is(403, "forbidden");
        stage.take();
        let change =
            json!({ "title": "The cellar", "visibility": "private", "password": "knock knock" });
        let changed = ada.change_room("blue-note", change).await.body;
        assert_eq!(changed["title"], "The cellar");
        assert_eq!(changed["has_password"], true);
        let private = StageNews::Visibility(Visibility::Private);
        assert_eq!(stage.take(), [("blue-note".to_owned(), private)]);
        assert_eq!(passer_by.get("/rooms/blue-note").await.body["title"], "");
        assert!(!world.holds("knock").await, "the password is not kept");
        let changed = ada.change_room("blue-note", json!({ "title": "Attic" })).await.body;
        assert_eq!(changed["has_password"], true, "what is left out stays");
        let changed = ada.change_room("blue-note", json!({ "password": null })).await.body;
        assert_eq!(changed["has_password"], false);
        assert_eq!(ada.get("/rooms").await.body["rooms"][0]["name"], "blue-note");
        stage.take();
        ada.delete("/rooms/blue-note").await.is_done();
        assert_eq!(stage.take(), [("blue-note".to_owned(), StageNews::Disowned)]);
        passer_by.get("/rooms/blue-note").await.is(404, "not_found");
        assert_eq!(grace.make_room("blue-note", "public").await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn an_account_owns_twenty_rooms_and_no_more() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        for number in 0..ROOMS_MAX {
            let made = ada.make_room(&format!("room-{number}"), "unlisted").await;
            assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        }
        ada.make_room("one-more", "unlisted").await.is(409, "limit_reached");
        ada.delete("/rooms/room-0").await.is_done();
        assert_eq!(ada.make_room("one-more", "unlisted").await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn everybody_finds_public_rooms_except_those_of_whom_they_blocked() {
    for_each_store(async |world: World| {
        let stage = PaperStage::of(&world);
        let mut ada = world.account("ada").await;
        let mut grace = world.account("grace").await;
        for (name, visibility) in [("b", "public"), ("a", "public"), ("c", "unlisted")] {
            ada.make_room(name, visibility).await;
        }
        stage.let_play(3);
        let names = async |person: &mut Person, path: &str| {
            let rooms = person.get(path).await.body["rooms"].clone();
            let rooms = rooms.as_array().expect("a list").clone();
            rooms.iter().map(|room| room["name"].as_str().expect("text").to_owned()).collect()
        };
        let found: Vec<String> = names(&mut world.device(), "/public-rooms").await;
        assert_eq!(found, ["a", "b"]);
        let first = world.device().get("/public-rooms").await.body["rooms"][0].clone();
        assert_eq!(first, json!({ "name": "a", "title": "The attic", "playing": 3 }));
        let found: Vec<String> = names(&mut world.device(), "/public-rooms?after=a").await;
        assert_eq!(found, ["b"]);
        grace.put("/account/blocks/ada", json!({})).await.is_done();
        let found: Vec<String> = names(&mut grace, "/public-rooms").await;
        assert_eq!(found, Vec::<String>::new());
        grace.delete("/account/blocks/ada").await.is_done();
        ada.put("/account/blocks/grace", json!({})).await.is_done();
        let found: Vec<String> = names(&mut grace, "/public-rooms").await;
        assert_eq!(found, Vec::<String>::new(), "either way");
        // Whoever is to be erased is not there.
        crate::erasure::ask(&mut ada).await;
        let found: Vec<String> = names(&mut world.device(), "/public-rooms").await;
        assert_eq!(found, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn the_owner_says_who_moderates_and_whoever_moderates_bans_and_invites() {
    for_each_store(async |world: World| {
        let stage = PaperStage::of(&world);
        let mut ada = world.account("ada").await;
        let mut mo = world.account("moe").await;
        let mut grace = world.account("grace").await;
        let (mo_id, grace_id) = (id_of(&mo).await, id_of(&grace).await);
        ada.make_room("attic", "private").await;
        mo.appoint("attic", "moe").await.is(403, "forbidden");
        ada.appoint("attic", "nobody").await.is(404, "not_found");
        ada.appoint("attic", "ada").await.is(422, "invalid");
        ada.post("/rooms/attic/moderators", json!({})).await.is(422, "invalid");
        stage.take();
        ada.appoint("attic", "MOE").await.is_done();
        let news = StageNews::Role(mo_id, RoomRole::Moderator);
        assert_eq!(stage.take(), [("attic".to_owned(), news)]);
        let seen = mo.get("/rooms/attic").await.body;
        assert_eq!(seen["role"], "moderator");
        assert_eq!(seen["moderators"], json!([{ "account": mo_id, "username": "moe" }]));
        assert_eq!(mo.get("/rooms").await.body["rooms"][0]["name"], "attic");
        // A moderator changes neither the room nor who moderates it.
        mo.change_room("attic", json!({ "title": "Mine" })).await.is(403, "forbidden");
        mo.appoint("attic", "grace").await.is(403, "forbidden");
        mo.ban("attic", "ada").await.is(403, "forbidden");
        mo.ban("attic", "moe").await.is(403, "forbidden");
        grace.ban("attic", "moe").await.is(403, "forbidden");
        for path in ["/rooms/attic/bans", "/rooms/attic/invites"] {
            grace.get(path).await.is(403, "forbidden");
            assert_eq!(mo.get(path).await.status, StatusCode::OK);
        }
        stage.take();
        mo.post("/rooms/attic/bans", json!({ "account": grace_id })).await.is_done();
        assert_eq!(stage.take(), [("attic".to_owned(), StageNews::Banned(grace_id))]);
        let bans = mo.get("/rooms/attic/bans").await.body;
        assert_eq!(bans["bans"][0]["username"], "grace");
        assert_eq!(bans["bans"].as_array().map(Vec::len), Some(1));
        ada.appoint("attic", "grace").await.is(409, "conflict");
        mo.delete(&format!("/rooms/attic/bans/{grace_id}")).await.is_done();
        mo.delete(&format!("/rooms/attic/bans/{grace_id}")).await.is(404, "not_found");
        // Moderators go by themselves, are dismissed, or banned by the owner.
        ada.appoint("attic", "grace").await.is_done();
        mo.delete(&format!("/rooms/attic/moderators/{grace_id}")).await.is(403, "forbidden");
        grace.delete(&format!("/rooms/attic/moderators/{grace_id}")).await.is_done();
        assert_eq!(grace.get("/rooms/attic").await.body["role"], "guest");
        ada.ban("attic", "moe").await.is_done();
        assert_eq!(mo.get("/rooms/attic").await.body["role"], "guest");
        mo.get("/rooms/attic/bans").await.is(403, "forbidden");
        // Whoever blocked the owner is not there for them.
        grace.put("/account/blocks/ada", json!({})).await.is_done();
        ada.appoint("attic", "grace").await.is(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn moderators_bans_and_invites_have_limits() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.account("one").await;
        ada.make_room("attic", "private").await;
        let made: Vec<_> = {
            let mut tx = world.db().begin().await.expect("begins");
            let mut made = Vec::new();
            for _ in 0..ROOM_BANS_MAX.max(ROOM_MODERATORS_MAX) {
                made.push(some_account(&mut tx, &world).await);
            }
            for account in &made[..ROOM_MODERATORS_MAX] {
                tx.add_room_moderator("attic", *account, world.now()).await.expect("added");
            }
            tx.commit().await.expect("committed");
            made
        };
        ada.appoint("attic", "one").await.is(409, "limit_reached");
        let mut tx = world.db().begin().await.expect("begins");
        for account in &made {
            let by = made[0];
            tx.ban_from_room("attic", *account, by, world.now()).await.expect("banned");
        }
        tx.commit().await.expect("committed");
        ada.ban("attic", "one").await.is(409, "limit_reached");
        for days in [0, 31] {
            let refused = ada.post("/rooms/attic/invites", json!({ "days": days })).await;
            refused.is(422, "invalid");
        }
        for _ in 0..ROOM_INVITES_MAX {
            let made = ada.post("/rooms/attic/invites", json!({ "days": 1 })).await;
            assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        }
        let refused = ada.post("/rooms/attic/invites", json!({ "days": 1 })).await;
        refused.is(409, "limit_reached");
        world.clock.advance(Duration::from_secs(24 * 3600));
        let made = ada.post("/rooms/attic/invites", json!({ "days": 1 })).await;
        assert_eq!(made.status, StatusCode::CREATED, "those that expired do not count");
    })
    .await;
}

/// An account that nobody signs in to.
async fn some_account(tx: &mut social::store::Tx, world: &World) -> social::id::AccountId {
    let id = social::id::AccountId::fresh(world.now());
    let (email, username) = (format!("{id}@example.org"), format!("u{}", &id.to_string()[24..]));
    let new = social::store::NewAccount {
        id,
        region: social::account::Region::Eu,
        email: &email,
        email_key: &email,
        username: &username,
        password_hash: None,
        language: "en",
    };
    tx.add_account(&new, world.now()).await.expect("added");
    id
}
