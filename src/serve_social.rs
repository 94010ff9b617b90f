//! Accounts in `vjam serve`: opened before the first connection, closed after the last.
//!
//! What surprises: nobody needs them to play. Where nothing is configured and the data folder cannot be
//! written, the server runs without accounts, and says so; where somebody configured a database and
//! it does not open, it does not start.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use signalling_server::{Doorkeeper, Errands};
use social::clock::SystemClock;
use social::secret::ServerKey;
use social::{Social, StartError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::data;
use crate::serve_rooms::{Door, Playing};
use crate::settings::Settings;
use crate::size::Switch;

/// The accounts of a server, if it has any.
pub(crate) enum Accounts {
    /// It has.
    On {
        /// What the routes share.
        social: Social,
        /// Ends what is done later.
        stop: oneshot::Sender<()>,
        /// What is done later.
        jobs: JoinHandle<()>,
    },
    /// It has none, for this reason.
    Off(&'static str),
}

impl Accounts {
    /// Opens the database, and begins with what is due.
    pub(crate) async fn start(settings: &Settings, dev: bool) -> anyhow::Result<Self> {
        let social = &settings.social;
        if social.accounts == Switch::Off {
            return Ok(Self::Off("whoever runs it has turned them off"));
        }
        let Some(key) = data::key(&settings.data, KEY)? else {
            anyhow::ensure!(
                social.is_embedded(),
                "accounts need a key that lasts, and {} cannot be written; choose another folder \
                 with --data, or say `accounts = \"off\"` below [social]",
                settings.data.join(KEY).display()
            );
            return Ok(Self::Off("its data folder cannot be written"));
        };
        let config = social.config(&settings.data, ServerKey::new(key), dev)?;
        if config.mail.smtp.is_none() {
            warn_of_no_mail(dev);
        }
        let started = Social::start(config, Arc::new(SystemClock)).await;
        let (social, jobs) = started.map_err(|error| explain(error, &settings.data.join(KEY)))?;
        let (stop, stopped) = oneshot::channel();
        let jobs = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            jobs.run(stopped).await;
        });
        Ok(Self::On { social, stop, jobs })
    }

    /// Their routes.
    pub(crate) fn routes(&self) -> Router {
        match self {
            Self::On { social, .. } => {
                social::http::routes(social.clone(), signalling_server::caller)
            }
            Self::Off(reason) => social::http::routes_of_none(reason),
        }
    }

    /// Those that pages of anybody may ask.
    pub(crate) fn open_routes(&self) -> Router {
        match self {
            Self::On { social, .. } => {
                social::http::open_routes(social.clone(), signalling_server::caller)
            }
            Self::Off(_) => Router::new(),
        }
    }

    /// Who is asked about rooms that accounts own, and what those are told.
    pub(crate) fn rooms(&self) -> Option<(Arc<dyn Doorkeeper>, Errands)> {
        match self {
            Self::On { social, .. } => {
                let (rooms, errands) = signalling_server::rooms();
                social.set_stage(Arc::new(Playing(rooms)));
                Some((Arc::new(Door(social.clone())), errands))
            }
            Self::Off(_) => None,
        }
    }

    /// Lets what is being done come to its end, and closes the database. What does not come to its end
    /// in time is done again at the next start.
    pub(crate) async fn stop(self) {
        if let Self::On { social, stop, jobs } = self {
            // Whoever is connected is told to come again.
            let _ = tokio::time::timeout(STOP_MAX, social.live().close()).await;
            let _ = stop.send(());
            let _ = tokio::time::timeout(STOP_MAX, jobs).await;
            let _ = tokio::time::timeout(STOP_MAX, social.db().close()).await;
        }
    }
}

/// Names the file of the key where that is what is wrong.
fn explain(error: StartError, key: &Path) -> anyhow::Error {
    let text = if matches!(error, StartError::OtherKey { .. }) {
        format!("accounts do not start with the key in {}", key.display())
    } else {
        "accounts do not start".to_owned()
    };
    anyhow::Error::from(error).context(text)
}

fn warn_of_no_mail(dev: bool) {
    if dev {
        tracing::warn!("no mail server is set up: mails are written here, codes and all");
    } else {
        tracing::warn!(
            "no mail server is set up, so nobody can make an account or reset a password; set smtp \
             and mail_from below [social]"
        );
    }
}

/// The key of the accounts, in the data folder: not in the database, which is useless without it.
pub(crate) const KEY: &str = "social.key";

/// How long the end waits for what is being done.
const STOP_MAX: Duration = Duration::from_secs(3);
