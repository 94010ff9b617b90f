//! Signing in with providers: a real one, as strict as it comes, moto's Cognito, and a double that says what
//! no real one would.

mod app;
mod apple;
mod browser;
mod double;
mod ends;
mod google;
mod links;
mod moved;
mod real;
mod web;

use social::account::identity::{Kind, ProviderConfig};
use social::store::Identity;

use double::Double;

use crate::world::{Engine, World};

/// A test on each kind of database, with a double that is called `double`.
async fn for_each(test: impl AsyncFn(World, Double)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let double = Double::start().await;
        let config = double.config("double", Kind::Oidc);
        test(world(engine, vec![config]).await, double).await;
    }
}

async fn world(engine: Engine, providers: Vec<ProviderConfig>) -> World {
    World::with(engine, |config| config.identity = providers).await
}

async fn identity(world: &World, issuer: &str, subject: &str) -> Option<Identity> {
    world.db().read().await.expect("reads").identity_of(issuer, subject).await.expect("reads")
}
