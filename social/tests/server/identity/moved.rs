//! Sign-ins of an account that moves to another region: they lead in there, and their providers are told
//! of an end only where nobody needs them any more.

use axum::http::StatusCode;
use social::account::Region;
use social::account::identity::Kind;
use social::secret::ServerKey;
use social::store::{Identity, Relay};

use super::browser::Browser;
use super::double::Double;
use super::web::{back, somebody};
use super::{for_each, identity};
use crate::moving::{as_moved, kept, moved};
use crate::world::{Engine, World};

const ADA: (&str, Option<&str>) = ("ada@example.org", None);

/// A server of the other region and of the other kind, which knows the provider or does not.
async fn elsewhere(world: &World, double: Option<&Double>) -> World {
    let engine = match world.engine {
        Engine::Sqlite => Engine::Postgres,
        Engine::Postgres => Engine::Sqlite,
    };
    let known = double.map(|double| double.config("club", Kind::Oidc));
    let world = World::with(engine, |config| {
        config.region = Region::Us;
        config.key = ServerKey::new([8; 32]);
        config.identity = known.into_iter().collect();
    });
    world.await
}

#[tokio::test]
async fn a_sign_in_moves_where_its_provider_is_known_and_that_is_told_nothing() {
    for_each(async |from, double| {
        somebody(&from, &double, "ada").await;
        let here = identity(&from, &double.issuer, "ada").await.expect("here");
        let mut tx = from.db().begin().await.expect("a transaction");
        tx.note_relay(here.id, Relay::Off, from.now()).await.expect("noted");
        tx.commit().await.expect("kept");
        let before = of_identities(&from, &here).await;
        assert!(before.iter().all(|(_, values)| values.len() == 1), "{before:?}");
        let to = elsewhere(&from, Some(&double)).await;
        let done = as_moved(moved(&from, &to, ADA, |_| {}).await.expect("moved"));
        assert_eq!((done.sign_ins.len(), done.sign_ins_left.len()), (1, 0), "{done:?}");
        assert!(done.tokens_left.is_empty() && !done.needs_password, "{done:?}");
        from.work_until_clean().await;
        assert!(identity(&from, &double.issuer, "ada").await.is_none());
        assert!(double.asked("/revoke").is_empty(), "it is still wanted");
        let there = identity(&to, &double.issuer, "ada").await.expect("there");
        assert_eq!(there.shown.provider, "club", "as the other server calls it");
        assert_eq!(of_identities(&to, &there).await, before, "every column that moves");
        let mut browser = Browser::new(&to);
        let url = browser.begins_to_sign_in("club").await;
        assert_eq!(browser.comes_back(&back(&double, &url, "ada")).await, "/account/signed-in");
        // What came along is what the provider is told with when it is over at last.
        double.asked("/revoke");
        let asked = browser.post("/account/erasure", serde_json::json!({})).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
        to.work().await;
        let told = double.asked("/revoke").pop().expect("told");
        assert_eq!(told.field("token").as_deref(), Some("refresh-ada"));
    })
    .await;
}

/// What is the same of a sign-in, wherever it is kept.
async fn of_identities(world: &World, of: &Identity) -> Vec<(String, Vec<String>)> {
    let kept = kept(world, of.account_id).await;
    kept.into_iter().filter(|(place, _)| place.starts_with("identities.")).collect()
}

#[tokio::test]
async fn a_sign_in_that_nobody_knows_there_is_left_out_and_its_provider_told() {
    for_each(async |from, double| {
        somebody(&from, &double, "ada").await;
        let to = elsewhere(&from, None).await;
        let done = as_moved(moved(&from, &to, ADA, |_| {}).await.expect("moved"));
        assert_eq!((done.sign_ins.len(), done.sign_ins_left.len()), (0, 1), "{done:?}");
        assert!(done.needs_password, "{done:?}");
        from.work_until_clean().await;
        let told = double.asked("/revoke").pop().expect("told");
        assert_eq!(told.field("token").as_deref(), Some("refresh-ada"));
        assert!(identity(&from, &double.issuer, "ada").await.is_none(), "erased");
        assert!(identity(&to, &double.issuer, "ada").await.is_none());
    })
    .await;
}
