//! How notes reach the other servers of a database.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::mpsc;

use super::hub::{Live, WeakLive};
use super::{Note, Presence};
use crate::limits::{LISTEN_AGAIN_AFTER, NOTES_AT_ONCE_MAX, NOTES_WAITING_MAX};

/// Passes notes on.
pub(super) trait Bus: Send + Sync + fmt::Debug {
    /// Passes one on, or loses it: the others look for themselves now and then.
    fn pass_on(&self, note: Note);
}

/// A server that is the only one of its database.
#[derive(Debug)]
pub(super) struct Alone;

impl Bus for Alone {
    fn pass_on(&self, _: Note) {}
}

/// A server whose database tells the others.
#[derive(Debug)]
pub(super) struct Postgres(mpsc::Sender<Note>);

impl Bus for Postgres {
    fn pass_on(&self, note: Note) {
        let _ = self.0.try_send(note);
    }
}

/// Which server it is.
pub(super) type ServerId = u64;

/// What is told at once: 8000 bytes are the most that PostgreSQL takes.
#[derive(Serialize, Deserialize)]
struct Bundle {
    from: ServerId,
    notes: VecDeque<Note>,
}

impl Postgres {
    /// Passes notes on in the background, until it is dropped. After the transaction and not in it, since
    /// PostgreSQL commits those that tell something one after the other.
    pub(super) fn new(pool: PgPool, from: ServerId) -> Self {
        let (sender, mut receiver) = mpsc::channel(NOTES_WAITING_MAX);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while receiver.recv_many(&mut waiting, NOTES_AT_ONCE_MAX).await != 0 {
                let bundle = Bundle { from, notes: waiting.drain(..).collect() };
                let Ok(payload) = serde_json::to_string(&bundle) else { continue };
                let told = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
                if told.execute(&pool).await.is_err() {
                    tracing::warn!("other servers were not told of changes; they look themselves");
                }
            }
        });
        Self(sender)
    }
}

/// Listens to the other servers.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    // A pool of its own: the one of the others is closed when all have given back what they took.
    let options = (*pool.connect_options()).clone();
    let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Hands on what the other servers tell, as long as somebody is there to hear it.
pub(super) async fn hear(mut listener: PgListener, live: WeakLive, own: ServerId) {
    loop {
        let heard = tokio::select! {
            heard = listener.try_recv() => heard,
            () = tokio::time::sleep(LOOK_AROUND) => {
                if live.upgrade().is_none() {
                    return;
                }
                continue;
            }
        };
        let Some(live) = live.upgrade() else { return };
        match heard {
            Ok(Some(told)) => hand_on(&live, told.payload(), own),
            // The connection was lost, and what was told meanwhile with it.
            Ok(None) => live.look().await,
            Err(error) => {
                tracing::warn!(%error, "other servers cannot be heard");
                tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
                live.look().await;
            }
        }
    }
}

fn hand_on(live: &Live, payload: &str, own: ServerId) {
    let Ok(bundle) = serde_json::from_str::<Bundle>(payload) else {
        tracing::warn!("another server tells what this version does not know");
        return;
    };
    if bundle.from == own {
        return;
    }
    for note in bundle.notes {
        if let Note::Presence { account, standing } = note {
            live.is_elsewhere(account, bundle.from, standing);
        } else {
            live.take(note);
        }
    }
}

impl Presence {
    /// Whether somebody is there at all.
    pub(super) fn is_there(self) -> bool {
        self != Self::Offline
    }
}

/// What the servers of a database listen to.
const CHANNEL: &str = "vjam_live";

/// How often whoever listens looks whether anybody is left.
const LOOK_AROUND: Duration = Duration::from_secs(5);
