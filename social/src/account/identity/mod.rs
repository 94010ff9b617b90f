//! Signing in with a provider: Google, Apple, Amazon Cognito, or any that follows OpenID Connect.
//!
//! A browser is sent there (`depart`) and comes back with a code (`web`); an app shows the token that the provider
//! gave it (`app`). Either way somebody is vouched for (`vouched`): by the provider's name of itself and its name
//! of them, never by an e-mail address, which may be somebody else's by tomorrow. What surprises: nothing
//! is kept of somebody without an account until they said when they were born. What their provider said
//! travels meanwhile in a cookie of theirs, which only this server reads. Providers are told when it is over (`end`),
//! and may tell this server (`events`).

mod app;
mod apple;
mod config;
mod consent;
mod depart;
mod end;
mod enter;
mod events;
mod fetch;
mod lead;
mod links;
mod moved;
mod provider;
mod sign_up;
mod state;
mod token;
mod vouched;
mod web;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::clock::Clock;
use crate::policy::Processor;
use crate::problem::Problem;

pub use config::{ClientSecret, Kind, ProviderConfig, WrongProvider};
pub use end::{End, KIND};
pub use fetch::NoAnswer;

pub(crate) use moved::{Rehomed, rehomed};
pub(super) use vouched::taken as identity_taken;

use fetch::Fetch;
use provider::Provider;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(depart::routes())
        .merge(web::routes())
        .merge(app::routes())
        .merge(sign_up::routes())
        .merge(links::routes())
        .merge(events::routes())
}

/// The providers of a server. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<Vec<Provider>>);

impl Providers {
    /// These, none of which is asked before somebody comes.
    ///
    /// # Errors
    /// When something that is said of one cannot be.
    pub fn new(configs: &[ProviderConfig], clock: &Arc<dyn Clock>) -> Result<Self, WrongProvider> {
        check(configs)?;
        let mut all = Vec::new();
        if let Some(first) = configs.first() {
            let fetch = Fetch::new()
                .map_err(|why| WrongProvider { id: first.id.clone(), reason: why.to_string() })?;
            let provider = |config: &ProviderConfig| {
                Provider::new(config.clone(), fetch.clone(), Arc::clone(clock))
            };
            all.extend(configs.iter().map(provider));
        }
        Ok(Self(Arc::new(all)))
    }

    fn find(&self, id: &str) -> Result<&Provider, Problem> {
        self.known(id).ok_or_else(|| Problem::not_found("sign-in provider"))
    }

    fn known(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.config.id == id)
    }

    /// What people call one, or called it when it was set up.
    #[must_use]
    pub fn name(&self, id: &str) -> String {
        self.known(id).map_or(id, |provider| &provider.config.name).to_owned()
    }
}

/// What can be said of them without asking anybody.
///
/// # Errors
/// When something cannot be so.
pub fn check(configs: &[ProviderConfig]) -> Result<(), WrongProvider> {
    for (at, config) in configs.iter().enumerate() {
        config.check()?;
        if configs[..at].iter().any(|before| before.id == config.id) {
            let reason = "two have this `id`".to_owned();
            return Err(WrongProvider { id: config.id.clone(), reason });
        }
    }
    Ok(())
}

/// What the page about privacy says of them.
pub(crate) fn processors(configs: &[ProviderConfig]) -> impl Iterator<Item = Processor> {
    configs.iter().map(|config| Processor {
        name: config.name.clone(),
        purpose: "Says who you are, if you choose to sign in with it".into(),
        gets: "That you sign in here, and when; your e-mail address comes from there".into(),
    })
}
