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
use protocol::control::Command;
use sfu_server::{CommandsRefused, Sfu, SfuConfig, SfuHandle, StartError};
use signalling::limits::Limits;
use signalling_server::{BindError, Config, Server, SfuLink};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

use crate::settings::{Flags, Settings};
use crate::{data, web_app};

/// Serves until SIGTERM or Ctrl-C; then everybody is told.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    start_log(flags);
    let settings = Settings::read(flags)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(HTTP_THREADS)
        .thread_name("http")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(serve(flags, settings))
}

async fn serve(flags: &Flags, settings: Settings) -> anyhow::Result<()> {
    let config = Config {
        http: settings.http,
        limits: Limits {
            connections_max: settings.connections_max,
            participants_max: settings.participants_max,
            rooms_max: settings.rooms_max,
        },
        ticket_key: data::ticket_key(&settings.data)?,
        seed: data::random()?,
        assets: Arc::new(web_app::find),
        version: env!("CARGO_PKG_VERSION"),
    };
    // Before the first line on stdout: whoever reads it may send a signal at once.
    let stop = stop_signal()?;
    let server = Server::bind(config).await.map_err(explain_http)?;
    let (sfu, link) = start_sfu(&settings)?;
    if let Err(error) = announce(flags, &server, &sfu) {
        tracing::warn!(%error, "nobody reads stdout");
    }
    advise(server.http(), &sfu);
    let ended = server.run(link, stop).await;
    let counts = sfu.shutdown();
    tracing::debug!(?counts, "media stopped");
    ended.context("the server stopped")
}

fn start_sfu(settings: &Settings) -> anyhow::Result<(SfuHandle, SfuLink)> {
    let (event, events) = mpsc::channel(EVENTS_MAX);
    let config = SfuConfig { media: settings.media(), advertise: settings.advertise.clone() };
    let sfu = Sfu::start(&config, move |it| {
        // On the media thread: where signalling lags, an uplink report is lost, no sound.
        let _ = event.try_send(it);
    });
    let sfu = sfu.map_err(explain_media)?;
    let (command, commands) = mpsc::unbounded_channel();
    tokio::spawn(forward(commands, sfu.commands()));
    let link = SfuLink {
        description: sfu.description().clone(),
        // Fails only once the media thread is gone, of which the events tell.
        commands: Box::new(move |it| drop(command.send(it))),
        events,
    };
    Ok((sfu, link))
}

/// Hands commands to the SFU in order, and again where its queue is full: a lost command would
/// leave a room wrong for good. What can wait here is bounded by what people can do.
async fn forward(mut commands: mpsc::UnboundedReceiver<Command>, sfu: sfu_server::Commands) {
    while let Some(command) = commands.recv().await {
        loop {
            match sfu.send(command.clone()) {
                Ok(()) => break,
                Err(CommandsRefused::Exhausted) => {
                    tracing::debug!("the SFU is busy");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(CommandsRefused::Stopped) => return,
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
            let candidates = sfu.description().candidates.first();
            SocketAddr::new(candidates.map_or(http.ip(), SocketAddr::ip), http.port())
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
    tracing::info!(candidates = ?sfu.description().candidates, "participants send media to");
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
    let hint = if let StartError::Socket { source, .. } = &error {
        port_hint(source, "--media")
    } else {
        ""
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

/// To stderr; `RUST_LOG` says more precisely what, except that nobody's messages are logged.
fn start_log(flags: &Flags) {
    let default =
        if flags.dev { "info,vjam=debug,signalling_server=debug,sfu_server=debug" } else { "info" };
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // At `trace` these write out every WebSocket frame: chat, names, seats, tickets.
    for frames in ["tungstenite=info", "tokio_tungstenite=info"] {
        filter = filter.add_directive(frames.parse().expect("a level for a module"));
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// Threads for HTTP and WebSocket; media has its own.
const HTTP_THREADS: usize = 2;

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
    use protocol::id::RoomId;

    use super::*;

    #[test]
    fn a_random_room_has_a_name_that_links_can_hold() {
        for byte in 0..=255 {
            let name = room_name(&[byte; 32]);
            assert!(RoomId::parse(&name).is_ok_and(|room| room.as_str() == name), "{name}");
        }
    }
}
