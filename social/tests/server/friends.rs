//! Friends: asking, accepting, parting, and how many there may be.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Region;
use social::id::AccountId;
use social::limits::{BLOCKS_MAX, FRIEND_ASKED_MAX, FRIEND_ASKS_MAX, FRIENDS_MAX};
use social::store::{Db, NewAccount};

use crate::people::profile;
use crate::world::{Person, World, for_each_store};

async fn names(person: &mut Person, state: &str) -> Vec<String> {
    let list = person.get(&format!("/friends?state={state}")).await;
    let list = list.body["friends"].as_array().expect("a list").clone();
    let name = |one: &Value| one["person"]["username"].as_str().expect("text").to_owned();
    list.iter().map(name).collect()
}

#[tokio::test]
async fn somebody_asks_and_the_other_accepts() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let asked = ada.put("/friends/Bob", json!({})).await;
        assert_eq!((asked.status, asked.text("state")), (StatusCode::OK, "outgoing".into()));
        // Twice is once.
        assert_eq!(ada.put("/friends/bob", json!({})).await.text("state"), "outgoing");
        assert_eq!(names(&mut ada, "outgoing").await, ["bob"]);
        assert_eq!(names(&mut bob, "incoming").await, ["ada"]);
        assert_eq!(names(&mut bob, "friends").await, Vec::<String>::new());
        assert_eq!(bob.get("/people/ada").await.text("friendship"), "incoming");
        assert_eq!(bob.put("/friends/ada", json!({})).await.text("state"), "friends");
        for (person, other) in [(&mut ada, "bob"), (&mut bob, "ada")] {
            assert_eq!(names(person, "friends").await, [other]);
            assert_eq!(names(person, "incoming").await, Vec::<String>::new());
            assert_eq!(names(person, "outgoing").await, Vec::<String>::new());
        }
        let told = ada.get("/account/notices").await;
        assert_eq!(told.body["notices"][0]["kind"], "friend_accepted");
        assert_eq!(told.body["notices"][0]["person"]["username"], "bob");
        bob.delete("/friends/ada").await.is_done();
        bob.delete("/friends/ada").await.is(404, "not_found");
        assert_eq!(names(&mut ada, "friends").await, Vec::<String>::new(), "on both sides");
        ada.put("/friends/ada", json!({})).await.is(422, "invalid");
        ada.put("/friends/nobody-here", json!({})).await.is(404, "not_found");
        ada.get("/friends?state=enemies").await.is(400, "bad_request");
    })
    .await;
}

#[tokio::test]
async fn a_question_is_declined_and_taken_back_and_not_asked_for_ever() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        ada.put("/friends/bob", json!({})).await;
        bob.delete("/friends/ada").await.is_done();
        assert_eq!(names(&mut ada, "outgoing").await, Vec::<String>::new());
        assert_eq!(bob.get("/account/notices").await.body["notices"], json!([]));
        ada.put("/friends/bob", json!({})).await;
        ada.delete("/friends/bob").await.is_done();
        assert_eq!(names(&mut bob, "incoming").await, Vec::<String>::new());
        ada.put("/friends/bob", json!({})).await;
        bob.delete("/friends/ada").await.is_done();
        ada.put("/friends/bob", json!({})).await.is(429, "too_many_requests");
        // The other may, who was not asking all the time.
        assert_eq!(bob.put("/friends/ada", json!({})).await.text("state"), "outgoing");
    })
    .await;
}

/// Accounts that nobody signs in to, in the order of their ids.
async fn crowd(world: &World, number: i64) -> Vec<AccountId> {
    let mut tx = world.db().begin().await.expect("begins");
    let mut ids = Vec::new();
    for number in 0..number {
        let (name, email) = (format!("crowd{number}"), format!("crowd{number}@example.org"));
        let id = AccountId::fresh(world.now());
        let new = NewAccount {
            id,
            region: Region::Eu,
            email: &email,
            email_key: &email,
            username: &name,
            password_hash: None,
            language: "en",
        };
        tx.add_account(&new, world.now()).await.expect("added");
        ids.push(id);
    }
    tx.commit().await.expect("committed");
    ids
}

#[tokio::test]
async fn there_are_only_so_many_friends_questions_and_blocks() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut eve = world.account("eve").await;
        let id = async |person: &mut Person| {
            person.get("/account").await.text("id").parse::<AccountId>().expect("an id")
        };
        let (ada_id, bob_id) = (id(&mut ada).await, id(&mut bob).await);
        let crowd = crowd(&world, FRIENDS_MAX.max(FRIEND_ASKED_MAX).max(BLOCKS_MAX)).await;
        let now = world.now();
        let first = |number: i64| &crowd[..usize::try_from(number).expect("small")];
        let mut tx = world.db().begin().await.expect("begins");
        for other in first(FRIEND_ASKS_MAX) {
            tx.ask_friend(ada_id, *other, now).await.expect("asked");
        }
        for other in first(FRIEND_ASKED_MAX) {
            tx.ask_friend(*other, bob_id, now).await.expect("asked");
        }
        tx.commit().await.expect("committed");
        // Whoever asked as many as may be.
        ada.put("/friends/eve", json!({})).await.is(409, "limit_reached");
        // Whom as many asked as may be.
        eve.put("/friends/bob", json!({})).await.is(409, "limit_reached");
        let mut tx = world.db().begin().await.expect("begins");
        for other in first(FRIENDS_MAX) {
            tx.accept_friend(*other, bob_id, now).await.expect("accepted");
        }
        for other in first(BLOCKS_MAX) {
            tx.block(ada_id, *other, now).await.expect("blocked");
        }
        tx.commit().await.expect("committed");
        // Who has as many friends as may be, and whoever would be one more.
        assert_eq!(eve.put("/friends/bob", json!({})).await.text("state"), "outgoing");
        bob.put("/friends/eve", json!({})).await.is(409, "limit_reached");
        ada.put("/account/blocks/bob", json!({})).await.is(409, "limit_reached");
        // Each is on one page, and only there.
        let mut seen = Vec::new();
        let mut path = "/friends".to_owned();
        loop {
            let page = bob.get(&path).await;
            let friends = page.body["friends"].as_array().expect("a list");
            assert!(friends.len() <= 50);
            seen.extend(friends.iter().map(|one| one["person"]["id"].clone()));
            match page.body["next"].as_str() {
                Some(next) => path = format!("/friends?after={next}"),
                None => break,
            }
        }
        assert_eq!(json!(seen), json!(crowd));
    })
    .await;
}

#[tokio::test]
async fn two_who_ask_each_other_at_once_are_friends_or_one_asked() {
    for_each_store(async |world: World| {
        for round in 0..5 {
            let (left, right) = (format!("left{round}"), format!("right{round}"));
            let mut ada = world.account(&left).await;
            let mut bob = world.account(&right).await;
            let (to_bob, to_ada) = (format!("/friends/{right}"), format!("/friends/{left}"));
            let (one, other) =
                tokio::join!(ada.put(&to_bob, json!({})), bob.put(&to_ada, json!({})));
            assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
            assert_eq!(names(&mut ada, "friends").await, [right.as_str()]);
            assert_eq!(names(&mut bob, "friends").await, [left.as_str()]);
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_asks_everybody_and_nobody_changes_or_reports_without_end() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        for (number, id) in crowd(&world, 51).await.iter().enumerate() {
            let sql = "INSERT INTO usernames (name_key, account_id) VALUES ($1, $2)";
            let name = format!("crowd{number}");
            match world.db() {
                Db::Sqlite { w, .. } => {
                    sqlx::query(sql).bind(name).bind(id).execute(w).await.expect("named");
                }
                Db::Pg(pool) => {
                    sqlx::query(sql).bind(name).bind(id).execute(pool).await.expect("named");
                }
            }
        }
        for number in 0..50 {
            let asked = ada.put(&format!("/friends/crowd{number}"), json!({})).await;
            assert_eq!(asked.status, StatusCode::OK, "{number}: {asked:?}");
        }
        ada.put("/friends/crowd50", json!({})).await.is(429, "too_many_requests");
        let body = json!({ "kind": "room", "reason": "spam", "text": "" });
        for _ in 0..30 {
            ada.post("/reports", body.clone()).await.is(422, "invalid");
        }
        ada.post("/reports", body).await.is(429, "too_many_requests");
        for _ in 0..200 {
            ada.put("/account/profile", profile("nobody")).await.is_done();
        }
        let refused = ada.put("/account/profile", profile("everybody")).await;
        refused.is(429, "too_many_requests");
        ada.put("/account/blocks/crowd1", json!({})).await.is(429, "too_many_requests");
        let mut bob = world.account("bob").await;
        bob.put("/friends/crowd50", json!({})).await.text("state");
        bob.put("/account/profile", profile("nobody")).await.is_done();
    })
    .await;
}
