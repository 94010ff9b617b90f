//! Chats and messages through the routes.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::store::Db;
use uuid::Uuid;

use crate::world::{Answer, Person, World, for_each_store};

impl Person {
    /// The id of the direct chat with somebody.
    pub(crate) async fn chat_with(&mut self, name: &str) -> String {
        let made = self.post("/chats", json!({ "kind": "direct", "with": name })).await;
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
        made.text("id")
    }

    /// The id of a fresh group.
    pub(crate) async fn group(&mut self, members: &[&str]) -> String {
        let body = json!({ "kind": "group", "title": "The band", "members": members });
        let made = self.post("/chats", body).await;
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
        made.text("id")
    }

    pub(crate) async fn try_send(&mut self, chat: &str, body: &str) -> Answer {
        let body = json!({ "client_id": Uuid::new_v4(), "body": body });
        self.post(&format!("/chats/{chat}/messages"), body).await
    }

    /// The message that was sent.
    pub(crate) async fn send(&mut self, chat: &str, body: &str) -> Value {
        let sent = self.try_send(chat, body).await;
        assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        sent.body
    }

    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    /// What the messages of a chat say, as somebody sees them.
    pub(crate) async fn history(&mut self, chat: &str) -> Vec<Value> {
        let answer = self.get(&format!("/chats/{chat}/messages?limit=100")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body["messages"].as_array().expect("messages").clone()
    }

    pub(crate) async fn search(&mut self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/search/messages?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        bodies(&answer.body["messages"])
    }

    pub(crate) async fn id(&mut self) -> String {
        self.get("/account").await.text("id")
    }
}

pub(crate) fn bodies(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().expect("messages").iter();
    messages.map(|message| message["body"].as_str().unwrap_or("(deleted)").to_owned()).collect()
}

/// The path of a message.
pub(crate) fn at(message: &Value) -> String {
    format!("/messages/{}", message["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn two_have_one_chat_and_read_each_other_in_order() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut other = world.account("other").await;
        let chat = ada.chat_with("GRACE").await;
        assert_eq!(grace.chat_with("ada").await, chat, "there is one");
        let nobody = json!({ "kind": "direct", "with": "nobody" });
        ada.post("/chats", nobody).await.is(404, "not_found");
        let own = json!({ "kind": "direct", "with": "ada" });
        ada.post("/chats", own).await.is(422, "invalid");
        for number in 0..3 {
            ada.send(&chat, &format!("a{number}")).await;
            grace.send(&chat, &format!("g{number}")).await;
        }
        let history = ada.history(&chat).await;
        assert_eq!(bodies(&json!(history)), ["a0", "g0", "a1", "g1", "a2", "g2"]);
        let seqs: Vec<_> = history.iter().map(|message| message["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
        assert_eq!(history[1]["author"]["username"], "grace");
        assert_eq!(grace.history(&chat).await, history);
        // By pages, in both directions.
        let page = ada.get(&format!("/chats/{chat}/messages?before=5&limit=3")).await.body;
        assert_eq!(
            (bodies(&page["messages"]), page["more"] == true),
            (vec!["g0".into(), "a1".into(), "g1".into()], true)
        );
        let page = ada.get(&format!("/chats/{chat}/messages?after=4&limit=3")).await.body;
        assert_eq!(
            (bodies(&page["messages"]), page["more"] == false),
            (vec!["a2".into(), "g2".into()], true)
        );
        for wrong in ["limit=0", "limit=101", "before=1&after=1", "limit=x", "page=1"] {
            let path = format!("/chats/{chat}/messages?{wrong}");
            ada.get(&path).await.is(400, "bad_request");
        }
        // Nobody else.
        other.get(&format!("/chats/{chat}")).await.is(404, "not_found");
        other.get(&format!("/chats/{chat}/messages")).await.is(404, "not_found");
        other.get(&format!("/chats/{chat}/changes?after=0")).await.is(404, "not_found");
        other.try_send(&chat, "hi").await.is(404, "not_found");
        other.put(&format!("/chats/{chat}/read"), json!({ "seq": 1 })).await.is(404, "not_found");
        other.delete(&at(&history[0])).await.is(404, "not_found");
        other.patch(&at(&history[0]), json!({ "body": "x" })).await.is(404, "not_found");
        let drum = format!("{}/reactions/%F0%9F%A5%81", at(&history[0]));
        other.ask(Method::PUT, &drum, None).await.is(404, "not_found");
        assert_eq!(ada.history(&chat).await, history, "nothing has changed");
    })
    .await;
}

#[tokio::test]
async fn a_message_is_sent_once_however_often_it_is_tried() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let chat = ada.group(&["grace"]).await;
        let path = format!("/chats/{chat}/messages");
        let first = ada.send(&chat, "first").await;
        let client_id = Uuid::new_v4();
        let body = json!({ "client_id": client_id, "body": "hi @grace", "reply_to": first["id"] });
        // At once, as an app does that was not answered.
        let tries: Vec<_> = (0..5)
            .map(|_| {
                let (mut ada, path, body) = (ada.clone(), path.clone(), body.clone());
                tokio::spawn(async move { ada.post(&path, body).await })
            })
            .collect();
        let mut answers = Vec::new();
        for tried in tries {
            answers.push(tried.await.expect("no panic"));
        }
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (StatusCode::OK, &answers[0].body));
        }
        assert_eq!(ada.history(&chat).await.len(), 2);
        let different = json!({ "client_id": client_id, "body": "other" });
        ada.post(&path, different.clone()).await.is(409, "conflict");
        // The name is the author's own: somebody else may have the same.
        assert_eq!(grace.post(&path, different).await.status, StatusCode::OK);
        // What it says by now does not matter to whoever was not answered.
        ada.patch(&at(&answers[0].body), json!({ "body": "edited" })).await;
        let again = ada.post(&path, body.clone()).await;
        assert_eq!((again.status, again.text("body")), (StatusCode::OK, "edited".into()));
        ada.delete(&at(&answers[0].body)).await.is_done();
        let again = ada.post(&path, body).await;
        assert_eq!((again.status, &again.body["body"]), (StatusCode::OK, &Value::Null));
        assert_eq!(ada.history(&chat).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn whoever_knows_a_rev_gets_each_message_once_as_it_stands() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let chat = ada.chat_with("grace").await;
        let mut sent = Vec::new();
        for number in 0..5 {
            sent.push(ada.send(&chat, &format!("m{number}")).await);
        }
        let changes = async |ada: &mut Person, after: i64, limit: i64| {
            ada.get(&format!("/chats/{chat}/changes?after={after}&limit={limit}")).await.body
        };
        let all = changes(&mut ada, 0, 100).await;
        assert_eq!((&all["rev"], &all["more"]), (&json!(5), &json!(false)));
        assert_eq!(bodies(&all["messages"]), ["m0", "m1", "m2", "m3", "m4"]);
        ada.patch(&at(&sent[1]), json!({ "body": "edited" })).await;
        let drum = format!("{}/reactions/%F0%9F%A5%81", at(&sent[3]));
        let reacted = grace.ask(Method::PUT, &drum, None).await;
        assert_eq!(reacted.body["reactions"][0]["emoji"], "🥁");
        ada.delete(&at(&sent[0])).await.is_done();
        ada.patch(&at(&sent[1]), json!({ "body": "edited again" })).await;
        let first = changes(&mut ada, 5, 2).await;
        assert_eq!((&first["rev"], &first["more"]), (&json!(8), &json!(true)));
        assert_eq!(bodies(&first["messages"]), ["m3", "(deleted)"]);
        let rest = changes(&mut ada, 8, 2).await;
        assert_eq!((&rest["rev"], &rest["more"]), (&json!(9), &json!(false)));
        assert_eq!(bodies(&rest["messages"]), ["edited again"]);
        let nothing = changes(&mut ada, 9, 2).await;
        assert_eq!(nothing, json!({ "messages": [], "rev": 9, "more": false }));
        // A reaction that is there already, or is not, changes nothing.
        grace.ask(Method::PUT, &drum, None).await;
        assert_eq!(changes(&mut ada, 9, 2).await["rev"], 9);
        let back = grace.delete(&drum).await;
        assert_eq!(back.body["reactions"], json!([]));
        grace.delete(&drum).await;
        assert_eq!(changes(&mut ada, 9, 2).await["rev"], 10);
    })
    .await;
}

#[tokio::test]
async fn only_the_author_edits_and_the_owner_of_a_group_deletes_too() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        world.account("other").await;
        let chat = ada.group(&["grace", "other"]).await;
        let (own, others) = (ada.send(&chat, "own").await, grace.send(&chat, "grace's").await);
        grace.patch(&at(&own), json!({ "body": "x" })).await.is(403, "forbidden");
        grace.delete(&at(&own)).await.is(403, "forbidden");
        ada.patch(&at(&others), json!({ "body": "x" })).await.is(403, "forbidden");
        world.clock.advance(Duration::from_secs(60));
        let edited = grace.patch(&at(&others), json!({ "body": "better" })).await;
        assert_eq!(
            (edited.text("body"), edited.body["edited_at"] == world.now().0),
            ("better".into(), true)
        );
        ada.delete(&at(&others)).await.is_done();
        ada.delete(&at(&others)).await.is_done();
        grace.patch(&at(&others), json!({ "body": "x" })).await.is(409, "conflict");
        let drum = format!("{}/reactions/%F0%9F%A5%81", at(&others));
        ada.ask(Method::PUT, &drum, None).await.is(409, "conflict");
        let history = ada.history(&chat).await;
        assert_eq!(bodies(&json!(history)), ["own", "(deleted)"]);
        assert_eq!(history[1]["author"]["username"], "grace", "whose it was stays");
        // In a chat of two, neither deletes what the other said.
        let direct = ada.chat_with("grace").await;
        let said = grace.send(&direct, "hi").await;
        ada.delete(&at(&said)).await.is(403, "forbidden");
        for (field, wrong) in
            [("body", json!({ "body": "" })), ("body", json!({ "body": "\u{1}" }))]
        {
            let refused = grace.patch(&at(&said), wrong).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], field);
        }
        ada.try_send(&direct, &"ü".repeat(4001)).await.is(422, "invalid");
        ada.send(&direct, &"ü".repeat(4000)).await;
        let reply = json!({ "client_id": Uuid::new_v4(), "body": "x", "reply_to": own["id"] });
        let foreign = ada.post(&format!("/chats/{direct}/messages"), reply).await;
        foreign.is(422, "invalid");
    })
    .await;
}

#[tokio::test]
async fn owners_say_who_is_in_a_group_and_it_always_has_one() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut late = world.account("late").await;
        let chat = ada.group(&["grace"]).await;
        ada.send(&chat, "before").await;
        let members = format!("/chats/{chat}/members");
        grace.post(&members, json!({ "username": "late" })).await.is(403, "forbidden");
        let title = json!({ "title": "Trio" });
        grace.patch(&format!("/chats/{chat}"), title.clone()).await.is(403, "forbidden");
        let added = ada.post(&members, json!({ "username": "late" })).await;
        assert_eq!(added.body["members"].as_array().expect("members").len(), 3);
        assert_eq!(ada.patch(&format!("/chats/{chat}"), title).await.text("title"), "Trio");
        // Whoever comes later sees what comes later.
        let reply_to = ada.history(&chat).await[0].clone();
        assert_eq!(late.history(&chat).await, Vec::<Value>::new());
        let reply = json!({ "client_id": Uuid::new_v4(), "body": "x", "reply_to": reply_to["id"] });
        late.post(&format!("/chats/{chat}/messages"), reply).await.is(422, "invalid");
        ada.patch(&at(&reply_to), json!({ "body": "edited" })).await;
        let changes = late.get(&format!("/chats/{chat}/changes?after=0")).await;
        assert_eq!(changes.body["messages"], json!([]));
        assert_eq!(late.search("q=edited").await, Vec::<String>::new());
        assert_eq!(grace.search("q=edited").await, ["edited"]);
        ada.send(&chat, "after").await;
        assert_eq!(bodies(&json!(late.history(&chat).await)), ["after"]);
        // A group is owned, whoever leaves.
        let (ada_id, late_id) = (ada.id().await, late.id().await);
        let role = format!("{members}/{ada_id}/role");
        ada.put(&role, json!({ "role": "member" })).await.is(409, "conflict");
        ada.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        ada.get(&format!("/chats/{chat}")).await.is(404, "not_found");
        assert_eq!(grace.get(&format!("/chats/{chat}")).await.text("role"), "owner");
        grace.delete(&format!("{members}/{late_id}")).await.is_done();
        late.try_send(&chat, "still here").await.is(404, "not_found");
        grace.delete(&format!("{members}/{late_id}")).await.is(404, "not_found");
        // Whoever comes again sees what comes from then on.
        grace.post(&members, json!({ "username": "late" })).await;
        assert_eq!(late.history(&chat).await, Vec::<Value>::new());
        late.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        grace.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        assert!(!rows_of(&world, "messages", &chat).await, "nobody could ever read them");
        let direct = ada.chat_with("grace").await;
        let leave = format!("/chats/{direct}/leave");
        ada.post(&leave, json!({})).await.is(409, "conflict");
    })
    .await;
}

/// Whether there is anything of a chat in a table.
async fn rows_of(world: &World, table: &str, chat: &str) -> bool {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE chat_id = $1"));
    let id: Uuid = chat.parse().expect("an id");
    let count: i64 = match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_scalar(sql).bind(id).fetch_one(r).await.expect("reads"),
        Db::Pg(pool) => sqlx::query_scalar(sql).bind(id).fetch_one(pool).await.expect("reads"),
    };
    count != 0
}

#[tokio::test]
async fn what_is_unread_is_counted_and_the_liveliest_chat_is_first() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let (group, direct) = (ada.group(&["grace"]).await, ada.chat_with("grace").await);
        world.clock.advance(Duration::from_secs(1));
        for number in 0..3 {
            ada.send(&group, &format!("m{number}")).await;
        }
        grace.send(&group, "own").await;
        let list = grace.get("/chats").await.body;
        assert_eq!((&list["chats"][0]["id"], &list["next"]), (&json!(group), &Value::Null));
        assert_eq!(
            (&list["chats"][1]["id"], &list["chats"][1]["unread"]),
            (&json!(direct), &json!(0))
        );
        assert_eq!(list["chats"][0]["unread"], 3);
        assert_eq!(list["chats"][0]["last_message"]["body"], "own");
        let read = format!("/chats/{group}/read");
        grace.put(&read, json!({ "seq": 2 })).await.is_done();
        grace.put(&read, json!({ "seq": 1 })).await.is_done();
        grace.put(&read, json!({ "seq": 5 })).await.is(422, "invalid");
        let chat = grace.get(&format!("/chats/{group}")).await.body;
        assert_eq!((&chat["unread"], &chat["read_seq"]), (&json!(1), &json!(2)));
        let seen = ada.get(&format!("/chats/{group}")).await.body;
        assert_eq!(seen["members"][1]["read_seq"], 2, "a receipt");
        let muted = grace.patch(&format!("/chats/{group}"), json!({ "muted": true })).await;
        assert_eq!(muted.body["muted"], true);
        // By pages.
        for number in 0..20 {
            world.clock.advance(Duration::from_secs(120));
            let body = json!({ "kind": "group", "title": format!("g{number}"), "members": [] });
            grace.post("/chats", body).await;
        }
        let first = grace.get("/chats").await.body;
        let next = first["next"].as_str().expect("there are more").to_owned();
        let second = grace.get(&format!("/chats?cursor={next}")).await.body;
        assert_eq!(first["chats"].as_array().expect("chats").len(), 20);
        let rest: Vec<_> =
            second["chats"].as_array().expect("chats").iter().map(|chat| &chat["id"]).collect();
        assert_eq!(rest, [&json!(group), &json!(direct)]);
        grace.get("/chats?cursor=x").await.is(400, "bad_request");
    })
    .await;
}

#[tokio::test]
async fn a_room_has_one_chat_and_those_who_join_it_write_in_it() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let id = ada.id().await.parse().expect("an id");
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mut tx = world.db().begin().await.expect("begins");
            let chat = tx.room_chat("garage", world.now()).await.expect("there");
            let role = social::chat::MemberRole::Member;
            tx.join_chat(chat, id, role, world.now()).await.expect("joined");
            tx.commit().await.expect("committed");
            ids.push(chat);
        }
        assert_eq!(ids[0], ids[1]);
        let chat = ids[0].to_string();
        ada.send(&chat, "one two").await;
        let shown = ada.get(&format!("/chats/{chat}")).await.body;
        assert_eq!((&shown["kind"], &shown["room"]), (&json!("room"), &json!("garage")));
        // It stays, whoever leaves.
        ada.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        assert!(rows_of(&world, "messages", &chat).await);
    })
    .await;
}
