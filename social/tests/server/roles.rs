//! Who may do what: every route, for every role, for what is theirs and what is not.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::account::Role;
use social::http::access::{Access, TABLE};

use crate::world::{Answer, PASSWORD, Person, World, for_each_store};

#[tokio::test]
async fn promise_15_every_route_lets_in_the_roles_that_it_names_and_nobody_else() {
    for_each_store(async |world: World| {
        let other = world.account("other").await;
        let other_id = other.clone().get("/account").await.text("id");
        let other_session = other.clone().get("/sessions").await.body[0]["id"].clone();
        let other_session = other_session.as_str().expect("an id").to_owned();
        let mut third = world.account("third").await;
        let body = json!({ "kind": "person", "username": "other", "reason": "spam", "text": "" });
        let report = third.post("/reports", body).await.text("id");
        third.put("/friends/other", json!({})).await;
        other.clone().put("/account/blocks/third", json!({})).await.is_done();
        world.smtp.take();
        for role in [None, Some(Role::User), Some(Role::Moderator), Some(Role::Admin)] {
            for (method, path, access) in TABLE {
                let Some(path) = path.strip_prefix("/api/v1/social") else { continue };
                // Somebody fresh each time: some routes sign out.
                let mut person = match role {
                    Some(role) => fresh(&world, role).await,
                    None => world.device(),
                };
                let path = path
                    .replace("{session}", &other_session)
                    .replace("{account}", &other_id)
                    .replace("{username}", "other")
                    .replace("{report}", &report)
                    .replace("{sign_up}", &other_id)
                    .replace("{reset}", &other_id)
                    .replace("{change}", &other_id)
                    .replace("{crash}", &other_id)
                    .replace("{chat}", &other_id)
                    .replace("{message}", &other_id)
                    .replace("{emoji}", "%F0%9F%A5%81")
                    .replace("{upload}", &other_id)
                    .replace("{file}", &other_id)
                    .replace("{comment}", &other_id)
                    .replace("{export}", &other_id)
                    .replace("{identity}", &other_id)
                    .replace("{provider}", "other")
                    .replace("{room}", "blue-note")
                    .replace("{invite}", &other_id)
                    .replace("{browser}", &other_id)
                    .replace("{token}", &"0".repeat(64));
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                if method == Method::GET {
                    let head = person.ask(Method::HEAD, &path, None).await.status;
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&head);
                    assert_eq!(!refused, allows(*access, role), "HEAD {path} as {role:?}: {head}");
                }
                let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
                let answer = person.ask(method.clone(), &path, body).await;
                let let_in = is_let_in(&answer);
                assert_eq!(
                    let_in,
                    allows(*access, role),
                    "{method} {path} as {role:?}: {answer:?}"
                );
            }
        }
        // Whatever was tried, what is somebody else's is as it was.
        let mut other = other;
        assert_eq!(other.get("/account").await.text("role"), "user");
        assert_eq!(other.get("/sessions").await.body[0]["id"], other_session);
        assert_eq!(other.get("/account/blocks").await.body["blocks"][0]["username"], "third");
        let mut moderator = fresh(&world, Role::Moderator).await;
        let path = format!("/moderation/reports/{report}");
        assert_eq!(moderator.get(&path).await.body["report"]["state"], "open");
    })
    .await;
}

/// What the table should mean, said once more by hand.
fn allows(access: Access, role: Option<Role>) -> bool {
    match access {
        Access::Anybody => true,
        Access::User => role.is_some(),
        Access::Moderator => role >= Some(Role::Moderator),
        Access::Admin => role == Some(Role::Admin),
    }
}

/// Whether it got as far as the route itself, which may refuse what it is asked.
fn is_let_in(answer: &Answer) -> bool {
    let by_access = ["not_signed_in", "forbidden"];
    !answer.body["code"].as_str().is_some_and(|code| by_access.contains(&code))
}

/// Somebody of a role, signed in anew.
async fn fresh(world: &World, role: Role) -> Person {
    let mut person = world.device();
    let name = format!("{}0", role.word());
    world.clock.advance(std::time::Duration::from_secs(120));
    if person.sign_in(&name, PASSWORD).await.status == StatusCode::CREATED {
        return person;
    }
    let person = world.account_with(&name, role).await;
    world.smtp.take();
    person
}

#[tokio::test]
async fn promise_15_a_route_of_the_table_is_a_route_of_the_description_and_the_other_way_round() {
    let description: Value = serde_json::from_str(&social::http::description()).expect("JSON");
    let mut described = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            described.push((method.to_uppercase(), path.clone()));
            let asks = operation["security"].as_array().expect("it says whom it lets in");
            let access = social::http::access::of(
                &Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"),
                path,
            );
            assert_eq!(asks[0] == json!({}), access == Some(Access::Anybody), "{method} {path}");
        }
    }
    let mut named: Vec<_> = TABLE
        .iter()
        .filter(|(_, path, _)| *path != "/openapi.json")
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    described.sort();
    named.sort();
    assert_eq!(described, named);
}

#[tokio::test]
async fn promise_15_an_admin_gives_roles_and_it_is_written_down() {
    for_each_store(async |world: World| {
        let mut ada = world.account_with("ada", Role::Admin).await;
        let mut grace = world.account("grace").await;
        let id = grace.get("/account").await.text("id");
        let path = format!("/admin/accounts/{id}/role");
        grace.put(&path, json!({ "role": "admin" })).await.is(403, "forbidden");
        ada.put(&path, json!({ "role": "moderator" })).await.is_done();
        assert_eq!(grace.get("/account").await.text("role"), "moderator", "at once");
        grace.put(&path, json!({ "role": "admin" })).await.is(403, "forbidden");
        ada.put(&path, json!({ "role": "king" })).await.is(422, "invalid");
        let own = ada.get("/account").await.text("id");
        let own = format!("/admin/accounts/{own}/role");
        ada.put(&own, json!({ "role": "user" })).await.is(403, "forbidden");
        let nobody = "/admin/accounts/0190163d-8694-739b-aea5-966c26f8ad91/role";
        ada.put(nobody, json!({ "role": "user" })).await.is(404, "not_found");
        let id = id.parse().expect("an id");
        let audit = world.db().read().await.expect("reads").audit_of(id).await.expect("reads");
        assert_eq!(audit.len(), 1, "what was refused was not done");
        assert_eq!((audit[0].0.is_some(), audit[0].1.as_str()), (true, "role_moderator"));
    })
    .await;
}
