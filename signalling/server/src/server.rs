//! A server from its socket to its end.

use core::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::http::Method;
use signalling::TicketKey;
use signalling::limits::Limits;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::assets::Assets;
use crate::census::{Census, SharedCensus};
use crate::core_task::{self, CoreConfig, CoreEnd, Queues};
use crate::http::{self, Shared};
use crate::limits::{CLOSE_PATIENCE, HTTP_CONNECTIONS_SPARE, INCOMING_MESSAGES_MAX};
use crate::listener::{BoundedListener, From};
use crate::origin::Origins;
use crate::proxies::{Network, Proxies};
use crate::rooms::{Doorkeeper, Errands};
use crate::sfu_link::SfuLink;
use crate::take_keeper::TakeKeeper;

/// What a server must know.
pub struct Config {
    /// Where HTTP and WebSocket are served; port 0 lets the system choose.
    pub http: SocketAddr,
    /// Bounds that depend on the machine.
    pub limits: Limits,
    /// Signs tickets.
    pub ticket_key: TicketKey,
    /// 32 bytes from the operating system's randomness.
    pub seed: [u8; 32],
    /// The web app.
    pub assets: Assets,
    /// Pages that may open a WebSocket, as browsers name them (`https://jam.example`), beside those
    /// that this server itself served under the name that they have for it.
    pub origins: Vec<String>,
    /// Origins of others that the page may ask, and show pictures from.
    pub asked_elsewhere: Vec<String>,
    /// Proxies that are believed when they say, in `X-Forwarded-For`, whom a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// More routes, below `/api`. They are refused to pages that are not this server's, as the
    /// WebSocket is, and [`caller`](crate::caller) tells them whom a request comes from.
    pub api: axum::Router,
    /// The same that any page may ask, of any origin.
    pub open_api: axum::Router,
    /// Which of those a page of another site may lead a browser to all the same, by method and path: they
    /// ask for something that only this server's own pages have.
    pub open_to_pages: fn(&Method, &str) -> bool,
    /// Writes what `/metrics` serves, in the text format of Prometheus; nothing personal may be in it.
    pub metrics: Arc<dyn Fn(Census) -> String + Send + Sync>,
    /// Who keeps takes; without one none can be begun.
    pub takes: Option<Arc<dyn TakeKeeper>>,
    /// Who knows who may come into which room, and what rooms are told; without them everybody may come
    /// into any.
    pub rooms: Option<(Arc<dyn Doorkeeper>, Errands)>,
    /// The version of the program, for `/api/v1/version`.
    pub version: &'static str,
}

/// The HTTP address cannot be had.
#[derive(Debug, Error)]
#[error("cannot serve HTTP on {address}: {source}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

/// Why a server ended that nobody stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The media server ended, so that nobody would hear anything.
    #[error("the media server stopped")]
    SfuGone,
    /// Signalling panicked.
    #[error("signalling stopped: {0}")]
    Signalling(tokio::task::JoinError),
    /// The HTTP socket failed.
    #[error("HTTP stopped: {0}")]
    Http(#[from] std::io::Error),
}

/// A server whose address is bound and which accepts connections once it runs.
pub struct Server {
    config: Config,
    listener: TcpListener,
    http: SocketAddr,
}

impl Server {
    /// Binds the address.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let address = config.http;
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let http = listener.local_addr()?;
            Ok((listener, http))
        };
        let (listener, http) =
            bound.await.map_err(|source: std::io::Error| BindError { address, source })?;
        Ok(Self { config, listener, http })
    }

    /// Where HTTP is served, the port chosen.
    #[must_use]
    pub const fn http(&self) -> SocketAddr {
        self.http
    }

    /// Serves until `stop`; then every participant is told, and given
    /// [`CLOSE_PATIENCE`] to hear it.
    pub async fn run(
        self,
        sfu: SfuLink,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Config {
            limits,
            ticket_key,
            seed,
            assets,
            origins,
            asked_elsewhere,
            trusted_proxies,
            api,
            open_api,
            open_to_pages,
            metrics,
            takes,
            rooms,
            version,
            http: _,
        } = self.config;
        let (inputs, incoming) = mpsc::channel(INCOMING_MESSAGES_MAX);
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let (stop_core, core_stopped) = oneshot::channel();
        let census = SharedCensus::default();
        let (doorkeeper, errands) = rooms.unzip();
        let census_kept = census.clone();
        let core_config =
            CoreConfig { limits, ticket_key, seed, census: census_kept, takes, doorkeeper };
        let queues = Queues { incoming, answers: inputs.clone(), errands };
        let mut core = tokio::spawn(core_task::run(core_config, sfu, queues, core_stopped));

        let next_connection = Arc::new(AtomicU64::new(1));
        let (alive, origins) = (Arc::new(alive), Origins::new(origins));
        let shared = Shared {
            inputs,
            alive,
            next_connection,
            assets,
            origins,
            open_to_pages,
            census,
            metrics,
            version,
        };
        let (stop_http, http_stopped) = oneshot::channel::<()>();
        let connections_max = limits.connections_max.saturating_add(HTTP_CONNECTIONS_SPARE);
        let proxies = Proxies::new(trusted_proxies);
        let per_address_max = limits.per_address_max;
        let listener =
            BoundedListener::new(self.listener, connections_max, per_address_max, proxies.clone());
        let page_policy = http::page_policy(&asked_elsewhere);
        let service = http::router(shared, (api, open_api), proxies, page_policy)
            .into_make_service_with_connect_info::<From>();
        let serving = axum::serve(listener, service)
            .with_graceful_shutdown(async {
                // Whether it was sent or dropped: HTTP stops.
                let _ = http_stopped.await;
            })
            .into_future();
        let mut serving = tokio::spawn(serving);

        let ended = tokio::select! {
            () = stop => {
                let _ = stop_core.send(());
                let _ = (&mut core).await;
                Ok(())
            }
            end = &mut core => match end {
                Ok(CoreEnd::Stopped) => Ok(()),
                Ok(CoreEnd::SfuGone) => Err(ServeError::SfuGone),
                Err(panicked) => Err(ServeError::Signalling(panicked)),
            },
            end = &mut serving => Err(ServeError::Http(match end {
                Ok(Ok(())) => std::io::Error::other("it stopped by itself"),
                Ok(Err(error)) => error,
                Err(error) => std::io::Error::other(error),
            })),
        };
        drop(stop_http);
        let farewells = async {
            if !serving.is_finished() {
                let _ = (&mut serving).await;
            }
            // Every connection holds a sender until its last frame is written.
            let _ = all_gone.recv().await;
        };
        if timeout(CLOSE_PATIENCE, farewells).await.is_err() {
            tracing::info!("some connections did not close in time");
        }
        serving.abort();
        ended
    }
}
