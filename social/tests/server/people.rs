//! What people say of themselves, and who sees it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::store::{Compaction, Db};

use crate::world::{Answer, World, for_each_store};

pub(crate) fn profile(seen_by: &str) -> Value {
    json!({
        "bio": "I play the bass.\nSlowly.",
        "status": "on tour",
        "instruments": ["bass", "bandonéon", "bass"],
        "seen_by": {
            "bio": seen_by, "status": seen_by, "instruments": seen_by, "photo": seen_by,
        },
    })
}

#[tokio::test]
async fn each_part_of_a_profile_is_seen_by_whom_its_owner_lets() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut friend = world.account("friend").await;
        let mut stranger = world.account("stranger").await;
        friend.put("/friends/ada", json!({})).await;
        ada.put("/friends/friend", json!({})).await;
        // Whoever asked is no friend yet.
        stranger.put("/friends/ada", json!({})).await;
        for (seen_by, friend_sees, stranger_sees) in
            [("everybody", true, true), ("friends", true, false), ("nobody", false, false)]
        {
            ada.put("/account/profile", profile(seen_by)).await.is_done();
            for (person, sees) in
                [(&mut ada, true), (&mut friend, friend_sees), (&mut stranger, stranger_sees)]
            {
                let seen = person.get("/people/ADA").await;
                assert_eq!(seen.text("username"), "ada");
                let (bio, status) = (&seen.body["bio"], &seen.body["status"]);
                let instruments = &seen.body["instruments"];
                if sees {
                    assert_eq!(
                        (bio, status),
                        (&json!("I play the bass.\nSlowly."), &json!("on tour"))
                    );
                    assert_eq!(instruments, &json!(["bass", "bandonéon"]), "each once");
                } else {
                    assert_eq!(
                        (bio, status, instruments),
                        (&Value::Null, &Value::Null, &Value::Null)
                    );
                }
            }
        }
        // One part is not another.
        let mut mixed = profile("everybody");
        mixed["seen_by"]["bio"] = json!("nobody");
        ada.put("/account/profile", mixed).await.is_done();
        let seen = stranger.get("/people/ada").await;
        assert_eq!((&seen.body["bio"], &seen.body["status"]), (&Value::Null, &json!("on tour")));
        let own = ada.get("/account/profile").await;
        assert_eq!(own.body["seen_by"]["bio"], "nobody");
        assert_eq!(own.body["bio"], "I play the bass.\nSlowly.");
    })
    .await;
}

#[tokio::test]
async fn a_profile_has_its_bounds() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut change = async |field: &str, value: Value| {
            let mut body = profile("friends");
            body[field] = value;
            ada.put("/account/profile", body).await
        };
        let wrong = [
            ("bio", json!("ü".repeat(501))),
            ("bio", json!("a\u{0}b")),
            ("status", json!("x".repeat(101))),
            ("status", json!("two\nlines")),
            ("instruments", json!(["x".repeat(31)])),
            ("instruments", json!([" "])),
            ("instruments", json!(vec!["bass"; 11])),
        ];
        for (field, value) in wrong {
            let refused = change(field, value).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], field);
        }
        change("seen_by", json!({ "bio": "friends" })).await.is(422, "invalid");
        change("age", json!(7)).await.is(422, "invalid");
        change("bio", json!("ü".repeat(500))).await.is_done();
        let ten: Vec<String> = (0..10).map(|number| format!("{number:030}")).collect();
        change("instruments", json!(ten)).await.is_done();
        assert_eq!(ada.get("/account/profile").await.body["instruments"], json!(ten));
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_how_their_names_begin() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        for name in ["Anna_b", "anna.c", "annac", "bob"] {
            world.account(name).await;
        }
        let names = |answer: Answer| -> Vec<String> {
            let people = answer.body["people"].as_array().expect("a list").clone();
            people.iter().map(|one| one["username"].as_str().expect("text").to_owned()).collect()
        };
        for (q, found) in [
            ("ANN", vec!["Anna_b", "anna.c", "annac"]),
            ("anna_", vec!["Anna_b"]),
            ("bob", vec!["bob"]),
            ("bobb", vec![]),
            // Nobody is called so, whatever the database makes of it.
            ("%25", vec![]),
            ("a%25", vec![]),
            ("%00", vec![]),
            ("", vec![]),
            // Not themselves.
            ("ad", vec![]),
        ] {
            let answer = ada.get(&format!("/people?q={q}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{q}");
            let mut names = names(answer);
            names.sort();
            assert_eq!(names, found, "{q}");
        }
        ada.get("/people").await.is(400, "bad_request");
        let mut last = StatusCode::OK;
        for _ in 0..300 {
            last = ada.get("/people?q=bob").await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "nobody lists everybody");
    })
    .await;
}

#[tokio::test]
async fn promise_23_somebody_who_is_blocked_is_as_if_they_were_not_there() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        ada.put("/friends/bob", json!({})).await;
        bob.put("/friends/ada", json!({})).await;
        assert_eq!(ada.get("/friends").await.body["friends"][0]["person"]["username"], "bob");
        ada.put("/account/blocks/BOB", json!({})).await.is_done();
        ada.put("/account/blocks/bob", json!({})).await.is_done();
        let blocks = ada.get("/account/blocks").await;
        assert_eq!(blocks.body["blocks"].as_array().expect("a list").len(), 1, "{blocks:?}");
        for (person, other) in [(&mut ada, "bob"), (&mut bob, "ada")] {
            for path in ["/people/", "/friends/"] {
                let method = if path == "/friends/" { "PUT" } else { "GET" };
                let method = axum::http::Method::from_bytes(method.as_bytes()).expect("a method");
                let there = person.ask(method.clone(), &format!("{path}{other}"), None).await;
                let nobody = person.ask(method, &format!("{path}nobody-of-this"), None).await;
                there.is(404, "not_found");
                assert_eq!(there.body, nobody.body, "to the letter");
            }
            person.get(&format!("/people/{other}/photo")).await.is(404, "not_found");
            let found = person.get(&format!("/people?q={other}")).await;
            assert_eq!(found.body["people"], json!([]));
            for state in ["friends", "incoming", "outgoing"] {
                let list = person.get(&format!("/friends?state={state}")).await;
                assert_eq!(list.body["friends"], json!([]), "it ended: {state}");
            }
            let told = person.get("/account/notices").await;
            assert_eq!(told.body["notices"], json!([]), "nothing of each other is left");
        }
        // The other cannot block back, since there is nobody, nor see that they are blocked.
        bob.put("/account/blocks/ada", json!({})).await.is(404, "not_found");
        bob.delete("/account/blocks/ada").await.is(404, "not_found");
        assert_eq!(bob.get("/account/blocks").await.body["blocks"], json!([]));
        // But report they can.
        let body = json!({ "kind": "person", "username": "ada", "reason": "other", "text": "x" });
        assert_eq!(bob.post("/reports", body).await.status, StatusCode::CREATED);
        ada.delete("/account/blocks/bob").await.is_done();
        ada.delete("/account/blocks/bob").await.is(404, "not_found");
        assert_eq!(bob.get("/people/ada").await.body["friendship"], Value::Null, "ended it is");
        ada.put("/account/blocks/ada", json!({})).await.is(422, "invalid");
    })
    .await;
}

#[tokio::test]
async fn what_others_see_of_somebody_is_theirs_to_switch_off() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        // That they are there is told, and where they play is not, until they say so.
        let all = json!({
            "presence": true, "room": false, "read_receipts": true, "typing": true, "mentions": true
        });
        assert_eq!(ada.get("/account/preferences").await.body, all);
        let some = json!({
            "presence": false, "room": true, "read_receipts": true, "typing": false, "mentions": false
        });
        ada.put("/account/preferences", some.clone()).await.is_done();
        assert_eq!(ada.get("/account/preferences").await.body, some);
        let id = ada.get("/account").await.text("id").parse().expect("an id");
        let kept = world.db().read().await.expect("reads").preferences(id).await.expect("reads");
        assert_eq!((kept.presence, kept.room), (false, true));
        assert_eq!((kept.read_receipts, kept.typing), (true, false));
        ada.put("/account/preferences", json!({ "presence": true })).await.is(422, "invalid");
        let mut bob = world.account("bob").await;
        assert_eq!(bob.get("/account/preferences").await.body, all, "nobody else's");
    })
    .await;
}

/// Removes an account as its erasure does.
pub(crate) async fn erase(world: &World, id: &str) {
    let id: social::id::AccountId = id.parse().expect("an id");
    let mut tx = world.db().begin().await.expect("begins");
    tx.forget_people(id, world.now()).await.expect("forgotten");
    tx.commit().await.expect("committed");
    let sql = "DELETE FROM accounts WHERE id = $1";
    match world.db() {
        Db::Sqlite { w, .. } => {
            sqlx::query(sql).bind(id).execute(w).await.expect("deleted");
        }
        Db::Pg(pool) => {
            sqlx::query(sql).bind(id).execute(pool).await.expect("deleted");
        }
    }
    assert_eq!(world.db().compact().await.expect("cleaned"), Compaction::Done);
}

#[tokio::test]
async fn promise_2_nothing_is_left_of_what_somebody_said_of_themselves_and_others() {
    for_each_store(async |world: World| {
        let mut canary = world.account("canary").await;
        let mut other = world.account("other").await;
        let mut body = profile("everybody");
        for field in ["bio", "status"] {
            body[field] = json!(format!("canary {field}"));
        }
        body["instruments"] = json!(["canary horn"]);
        canary.put("/account/profile", body).await.is_done();
        let by =
            json!({ "kind": "room", "item": "room-7", "reason": "spam", "text": "canary says" });
        assert_eq!(canary.post("/reports", by).await.status, StatusCode::CREATED);
        let about = json!({ "kind": "room", "username": "canary", "item": "canary-room",
                            "reason": "hate", "text": "of the canary" });
        assert_eq!(other.post("/reports", about).await.status, StatusCode::CREATED);
        canary.put("/friends/other", json!({})).await;
        let id = canary.get("/account").await.text("id");
        assert!(world.holds("canary horn").await, "what is there is found");
        assert!(world.holds("canary says").await, "what is there is found");
        erase(&world, &id).await;
        for text in ["canary", &id] {
            assert!(!world.files_hold(text).await, "{text}");
        }
        assert!(world.holds("room-7").await, "that there was a report stays");
        assert_eq!(other.get("/friends?state=incoming").await.body["friends"], json!([]));
        assert_eq!(other.get("/account/notices").await.body["notices"], json!([]));
    })
    .await;
}
