//! What is left of messages that are deleted, and of people who are gone: nothing that they said.

use axum::http::Method;
use serde_json::{Value, json};
use social::id::AccountId;
use social::store::{Compaction, Db};
use uuid::Uuid;

use crate::chat::at;
use crate::ear::{Ear, listen};
use crate::world::{Person, World, for_each_store};

const CANARY: &str = "canarywordofnobody";

#[tokio::test]
async fn promise_2_a_deleted_message_is_nowhere_in_the_files_nor_in_the_index_of_words() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.account("grace").await;
        let chat = ada.chat_with("grace").await;
        let mut sent = Vec::new();
        for number in 0..20 {
            world.clock.advance(std::time::Duration::from_secs(1));
            sent.push(ada.send(&chat, &format!("the {CANARY} of {number} words")).await);
        }
        assert!(world.files_hold(CANARY).await, "what is there is found");
        for (number, message) in sent.iter().enumerate() {
            world.clock.advance(std::time::Duration::from_secs(1));
            if number % 2 == 0 {
                ada.delete(&at(message)).await.is_done();
            } else {
                ada.patch(&at(message), json!({ "body": "something else" })).await;
            }
        }
        assert_eq!(world.db().compact().await.expect("compacts"), Compaction::Done);
        assert!(!world.files_hold(CANARY).await, "not a byte");
        assert!(!index_holds(&world, CANARY).await);
        assert!(index_holds(&world, "something").await, "what is there is found");
    })
    .await;
}

#[tokio::test]
async fn promise_2_the_files_are_cleaned_of_deleted_messages_within_a_week() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.account("grace").await;
        let chat = ada.chat_with("grace").await;
        let sent = ada.send(&chat, CANARY).await;
        ada.delete(&at(&sent)).await.is_done();
        world.work().await;
        world.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600));
        world.work().await;
        assert!(!world.files_hold(CANARY).await);
        assert!(!index_holds(&world, CANARY).await);
    })
    .await;
}

/// Whether a word stands in the files of the index of words, on PostgreSQL; on SQLite they are the same
/// files as those of the tables, where words are kept without what they begin with in common.
async fn index_holds(world: &World, word: &str) -> bool {
    match world.db() {
        Db::Sqlite { r, .. } => {
            let sql = "SELECT block FROM message_index_data";
            let blocks: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(r).await.expect("reads");
            let tail = &word.as_bytes()[2..];
            blocks.iter().any(|block| crate::world::contains(block, tail))
        }
        Db::Pg(pool) => {
            sqlx::raw_sql("CHECKPOINT").execute(pool).await.expect("written to the files");
            let sql = "SELECT pg_read_binary_file(pg_relation_filepath('message_index'))";
            let file: Vec<u8> = sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads");
            crate::world::contains(&file, word.as_bytes())
        }
    }
}

async fn id_of(person: &mut Person) -> AccountId {
    person.get("/account").await.text("id").parse().expect("an id")
}

async fn forget(world: &World, account: AccountId) {
    let mut tx = world.db().begin().await.expect("begins");
    tx.forget_chats(account, world.now()).await.expect("forgets");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn promise_5_of_somebody_who_is_gone_a_place_without_author_or_text_is_left_in_others_chats()
{
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let (mut grace, mut other) = (world.account("grace").await, world.account("other").await);
        let address = listen(world.router.clone()).await;
        let (direct, group) = (ada.chat_with("grace").await, ada.group(&["grace", "other"]).await);
        let said = ada.send(&group, &format!("{CANARY} @grace")).await;
        let reply =
            json!({ "client_id": Uuid::new_v4(), "body": "@ada yes", "reply_to": said["id"] });
        grace.post(&format!("/chats/{group}/messages"), reply).await;
        let kept = grace.send(&group, "kept").await;
        ada.send(&direct, CANARY).await;
        let drum = |message: &Value| format!("{}/reactions/%F0%9F%A5%81", at(message));
        ada.ask(Method::PUT, &drum(&kept), None).await;
        grace.ask(Method::PUT, &drum(&said), None).await;
        let before = grace.get(&format!("/chats/{group}")).await.body["rev"].clone();
        let mut ear = Ear::caught_up(address, &grace).await;
        let id = id_of(&mut ada).await;
        forget(&world, id).await;
        let history = grace.history(&group).await;
        assert_eq!((&history[0]["body"], &history[0]["author"]), (&Value::Null, &Value::Null));
        assert_eq!(
            (&history[0]["client_id"], &history[0]["reactions"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(history[0]["deleted_at"], world.now().0);
        // The answer answers to that place; who was named in it has no name.
        assert_eq!((&history[1]["body"], &history[1]["reply_to"]), (&json!("@? yes"), &said["id"]));
        assert_eq!((&history[1]["mentions"], &history[2]["reactions"]), (&json!([]), &json!([])));
        assert_eq!(history[2]["body"], "kept");
        // Whoever has it open is shown each change once, at the latest when the server looks.
        let path = format!("/chats/{group}/changes?after={before}");
        let changes = grace.get(&path).await.body["messages"].as_array().expect("some").clone();
        assert_eq!(changes, history);
        world.social.live().look().await;
        let mut heard: Vec<Value> = Vec::new();
        while heard.len() < 4 {
            heard.push(ear.next_of("message").await["message"].clone());
        }
        heard.retain(|message| message["chat"] == group.as_str());
        assert_eq!(heard, history);
        // The group is somebody else's, and the other of the two still has the chat.
        assert_eq!(grace.get(&format!("/chats/{group}")).await.text("role"), "owner");
        assert_eq!(grace.history(&direct).await.len(), 1);
        grace.try_send(&direct, "hello?").await.is(404, "not_found");
        // Done again, nothing changes.
        let rev = grace.get(&format!("/chats/{group}")).await.body["rev"].clone();
        forget(&world, id).await;
        assert_eq!(grace.get(&format!("/chats/{group}")).await.body["rev"], rev);
        assert_eq!(world.db().compact().await.expect("compacts"), Compaction::Done);
        assert!(!world.files_hold(CANARY).await);
        assert!(!index_holds(&world, CANARY).await);
        assert_eq!(tables_with(&world, id).await, Vec::<String>::new());
        // When the other is gone too, so is the chat; and the group with the last one.
        let ids = [id_of(&mut grace).await, id_of(&mut other).await];
        for id in ids {
            forget(&world, id).await;
        }
        assert_eq!(count(&world, "chats").await, 0);
        assert_eq!(count(&world, "messages").await, 0);
    })
    .await;
}

/// The columns of chats in which an id stands.
async fn tables_with(world: &World, id: AccountId) -> Vec<String> {
    let mut found = Vec::new();
    for (table, column) in [
        ("chat_members", "account_id"),
        ("messages", "author_id"),
        ("reactions", "account_id"),
        ("mentions", "account_id"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = $1");
        let sql = sqlx::AssertSqlSafe(sql);
        let count: i64 = match world.db() {
            Db::Sqlite { r, .. } => {
                sqlx::query_scalar(sql).bind(id).fetch_one(r).await.expect("reads")
            }
            Db::Pg(pool) => sqlx::query_scalar(sql).bind(id).fetch_one(pool).await.expect("reads"),
        };
        if count != 0 {
            found.push(table.to_owned());
        }
    }
    let keys = "SELECT direct_key FROM chats WHERE direct_key IS NOT NULL";
    let keys: Vec<Vec<u8>> = match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_scalar(keys).fetch_all(r).await.expect("reads"),
        Db::Pg(pool) => sqlx::query_scalar(keys).fetch_all(pool).await.expect("reads"),
    };
    if keys.iter().any(|key| crate::world::contains(key, id.uuid().as_bytes())) {
        found.push("chats".to_owned());
    }
    found
}

async fn count(world: &World, table: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await.expect("reads"),
        Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads"),
    }
}
