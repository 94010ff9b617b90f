//! `vjam serve`: wires signalling, the SFU and the web app into one process.
//!
//! Media runs on the SFU's own thread; HTTP and WebSocket on a small tokio runtime, which may be
//! late without anybody hearing it. What surprises: the first line on stdout is for programs
//! (`vjam listening http=… media=…`), the rest of stdout for people, the log is on stderr.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use protocol::control::{Command, Event};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sfu_server::{CommandsRefused, Sfu, SfuConfig, SfuHandle, StartError};
use signalling::limits::Limits;
use signalling_server::limits::{HTTP_CONNECTIONS_SPARE, SFU_COMMANDS_MAX};
use signalling_server::{BindError, Config, Server, SfuLink};
use takes_server::{OnTrouble, Takes, TakesThreads};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::serve_social::Accounts;
use crate::serve_takes::Keeper;
use crate::settings::{Flags, Settings};
use crate::size::Switch;
use crate::{data, log_filter, metrics, trusted_proxies, web_app};

/// Serves until SIGTERM or Ctrl-C; then everybody is told.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    start_log(flags);
    let settings = Settings::read(flags)?;
    let connections_max = settings.connections_max.saturating_add(HTTP_CONNECTIONS_SPARE);
    allow_files(u64::try_from(connections_max).unwrap_or(u64::MAX).saturating_add(FILES_SPARE));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(HTTP_THREADS)
        .thread_name("http")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(serve(flags, settings))
}

/// Lets the process have so many files and sockets: what a shell gives is usually 1024, less than
/// the connections that are to be served.
fn allow_files(wanted: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| wanted <= current) {
        return;
    }
    let allowed = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum });
    if raised.is_err() || allowed < wanted {
        tracing::warn!(
            wanted,
            allowed = if raised.is_ok() { Some(allowed) } else { current },
            "this process may open too few files for connections_max; raise `ulimit -n`"
        );
    }
}

async fn serve(flags: &Flags, settings: Settings) -> anyhow::Result<()> {
    let (sfu, link) = start_sfu(&settings)?;
    let ticket_key = data::ticket_key(&settings.data)?;
    let (takes, _takes_threads) = start_takes(&settings);
    let accounts = Accounts::start(&settings, flags.dev).await?;
    let counts = sfu.counts();
    let metrics = move |census| metrics::write(&counts, census, env!("CARGO_PKG_VERSION"));
    let config = Config {
        http: settings.http,
        limits: Limits {
            connections_max: settings.connections_max,
            participants_max: settings.participants_max,
            rooms_max: settings.rooms_max,
            per_address_max: settings.per_address_max,
        },
        ticket_key,
        seed: data::random()?,
        assets: Arc::new(web_app::find),
        origins: settings.origins.clone(),
        asked_elsewhere: settings.social.asked_elsewhere(),
        trusted_proxies: trusted_proxies::read(&settings.trusted_proxies)?,
        api: takes_server::routes(takes.clone(), signalling_server::caller)
            .merge(accounts.routes()),
        open_api: accounts.open_routes(),
        open_to_pages: social::http::is_open_to_pages,
        metrics: Arc::new(metrics),
        takes: Some(Arc::new(Keeper::new(takes))),
        rooms: accounts.rooms(),
        version: env!("CARGO_PKG_VERSION"),
    };
    // Before the first line on stdout: whoever reads it may send a signal at once.
    let stop = stop_signal()?;
    let server = Server::bind(config).await.map_err(explain_http)?;
    if let Err(error) = announce(flags, &server, &sfu) {
        tracing::warn!(%error, "nobody reads stdout");
    }
    advise(server.http(), &sfu);
    let ended = server.run(link, stop).await;
    let counts = sfu.shutdown();
    tracing::debug!(?counts, "media stopped");
    accounts.stop().await;
    ended.context("the server stopped")
}

/// Takes, if they are wanted, and what must be kept while the server runs.
fn start_takes(settings: &Settings) -> (Takes, Option<TakesThreads>) {
    match settings.takes {
        Switch::On => {
            let refused: OnTrouble = Box::new(|take, text| {
                tracing::debug!(%take, text, "nobody in the room is told");
            });
            Takes::start(&settings.data, settings.takes_limits(), refused)
        }
        Switch::Off => (Takes::off("whoever runs it has turned them off".to_owned()), None),
    }
}

fn start_sfu(settings: &Settings) -> anyhow::Result<(SfuHandle, SfuLink)> {
    let (on_event, events) = event_queue();
    let config = SfuConfig {
        media: settings.media(),
        advertise: settings.advertise.clone(),
        workers: settings.workers(),
        packets_per_second_max: settings.worker_packets_max,
    };
    let sfu = Sfu::start(&config, on_event).map_err(explain_media)?;
    let (commands, waiting) = mpsc::channel(SFU_COMMANDS_MAX);
    tokio::spawn(forward(waiting, sfu.commands()));
    let link = SfuLink { description: sfu.description().clone(), commands, events };
    Ok((sfu, link))
}

/// What the media thread calls with events, and where they come out. It never waits: where
/// signalling lags that much, an uplink report is lost, no sound.
fn event_queue() -> (impl FnMut(Event) + Clone + Send + 'static, mpsc::Receiver<Event>) {
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let on_event = move |event| {
        let _ = sender.try_send(event);
    };
    (on_event, events)
}

/// Hands commands to the SFU in order, and again where its queue is full: a lost command would
/// leave a room wrong for good. Signalling waits meanwhile.
async fn forward(mut commands: mpsc::Receiver<Command>, sfu: sfu_server::Commands) {
    while let Some(command) = commands.recv().await {
        loop {
            match sfu.send(command.clone()) {
                Ok(()) => break,
                Err(CommandsRefused::Exhausted) => {
                    tracing::debug!("the SFU is busy");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(CommandsRefused::Stopped) => return,
                Err(error @ CommandsRefused::UnknownWorker(_)) => {
                    tracing::error!(%error, "a command is lost");
                    break;
                }
            }
        }
    }
}

/// SIGTERM or Ctrl-C, from now on.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; everybody is told");
    })
}

/// Says on stdout where everything is: a line for programs, one for people.
fn announce(flags: &Flags, server: &Server, sfu: &SfuHandle) -> anyhow::Result<()> {
    let (http, media) = (server.http(), sfu.local_address());
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "vjam listening http={http} media={media}")?;
    let reachable = match http.ip() {
        ip if !ip.is_unspecified() => http,
        _ => {
            let candidate = sfu.description().workers.first().and_then(|w| w.candidates.first());
            SocketAddr::new(candidate.map_or(http.ip(), SocketAddr::ip), http.port())
        }
    };
    if flags.dev {
        writeln!(stdout, "Play: http://{reachable}/r/{}", room_name(&data::random()?))?;
    } else {
        writeln!(stdout, "Open http://{reachable}/ in a browser, or a room: /r/NAME")?;
    }
    stdout.flush()?;
    Ok(())
}

/// What an operator should know, to the log.
fn advise(http: SocketAddr, sfu: &SfuHandle) {
    for (worker, description) in sfu.description().workers.iter().enumerate() {
        tracing::info!(worker, candidates = ?description.candidates, "participants send media to");
    }
    if !web_app::is_built() {
        tracing::warn!("this binary has no web app; `cargo xtask run` builds it");
    }
    if !is_loopback(http.ip()) {
        tracing::warn!(
            "browsers give the microphone to pages over https or from localhost only: \
             put a TLS proxy in front for others"
        );
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// A name that is easy to say on the phone.
fn room_name(random: &[u8; 32]) -> String {
    let word = |words: &[&'static str; 16], byte: u8| words[usize::from(byte % 16)];
    format!("{}-{}-{}", word(&MOODS, random[0]), word(&TUNES, random[1]), random[2])
}

fn explain_http(error: BindError) -> anyhow::Error {
    let hint = port_hint(&error.source, "--http");
    anyhow::Error::from(error).context(format!("HTTP does not start{hint}"))
}

fn explain_media(error: StartError) -> anyhow::Error {
    let hint = match &error {
        StartError::Socket { source, .. } => port_hint(source, "--media"),
        StartError::Ports { .. } => " (choose an earlier one with --media, or fewer --workers)",
        StartError::Interfaces(_)
        | StartError::NoAddress
        | StartError::Unreachable(_)
        | StartError::Certificate(_)
        | StartError::Thread(_) => "",
    };
    anyhow::Error::from(error).context(format!("media does not start{hint}"))
}

fn port_hint(error: &std::io::Error, flag: &'static str) -> &'static str {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    match (error.kind(), flag) {
        (AddrInUse, "--http") => " (does another vjam run? choose another port with --http)",
        (AddrInUse, _) => " (does another vjam run? choose another port with --media)",
        (AddrNotAvailable, _) => " (that is not an address of this machine)",
        (PermissionDenied, _) => " (ports below 1024 need permission)",
        _ => "",
    }
}

/// To stderr; `RUST_LOG` says more precisely what, within [`log_filter`].
fn start_log(flags: &Flags) {
    let default =
        if flags.dev { "info,vjam=debug,signalling_server=debug,sfu_server=debug" } else { "info" };
    tracing_subscriber::fmt()
        .with_env_filter(log_filter::chosen(default))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .finish()
        .with(log_filter::discreet())
        .init();
}

/// Threads for HTTP and WebSocket; media has its own.
const HTTP_THREADS: usize = 2;

/// Files beside connections: sockets, standard streams, the runtime's own, and those of an export,
/// which has 64 stems and as many scratch files open.
const FILES_SPARE: u64 = 256;

/// Events of the SFU that wait for signalling: a second of reports from 800 participants.
const EVENTS_MAX: usize = 2048;

const MOODS: [&str; 16] = [
    "blue", "bright", "calm", "dusky", "easy", "gentle", "golden", "happy", "late", "lazy",
    "mellow", "quiet", "restless", "silver", "slow", "warm",
];

const TUNES: [&str; 16] = [
    "ballad", "bossa", "chorus", "fugue", "groove", "jig", "march", "mazurka", "polka", "rag",
    "reel", "rondo", "samba", "serenade", "shuffle", "waltz",
];

#[cfg(test)]
mod tests {
    use protocol::id::{ParticipantId, RoomId};

    use super::*;

    #[test]
    fn events_beyond_what_may_wait_are_lost_and_nobody_waits() {
        let (mut on_event, mut events) = event_queue();
        for _ in 0..EVENTS_MAX + 10 {
            on_event(Event::LinkUp { participant: ParticipantId(1) });
        }
        let waiting = core::iter::from_fn(|| events.try_recv().ok()).count();
        assert_eq!(waiting, EVENTS_MAX);
        on_event(Event::LinkUp { participant: ParticipantId(2) });
        assert!(events.try_recv().is_ok(), "there is room again");
    }

    #[test]
    fn a_random_room_has_a_name_that_links_can_hold() {
        for byte in 0..=255 {
            let name = room_name(&[byte; 32]);
            assert!(RoomId::parse(&name).is_ok_and(|room| room.as_str() == name), "{name}");
        }
    }
}
