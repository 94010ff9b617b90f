//! `vjam join`: plays in a room, with a terminal view or with log lines.
//!
//! Ties a session, an audio backend and a screen together on the main thread. Whatever ends it
//! (a key, a signal, the duration, the server) goes the same way out: audio stops and files are
//! complete, the room is told, the terminal is as it was.

mod flags;
mod log;
mod stats_file;
mod terminal;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use engine_device::audio::{AudioChange, Keeper};
use engine_device::priority;
use engine_device::session::{End, Event, Notice, PreparedSession, RoomSession};
use engine_device::takes::{Stems, Unsent};
use engine_device::{clock, session};

pub(crate) use self::flags::Flags;
use self::stats_file::StatsFile;
use self::terminal::Terminal;
use crate::device::Store;

/// Plays until something ends it. An error is why it could not go on.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let options = flags.session_options()?;
    let signalled = watch_signals()?;
    let stats = flags.stats.as_deref().map(StatsFile::create).transpose()?;
    let mut screen = Screen::open(flags, &options)?;
    say_what_limits_us(&mut screen);
    let prepared = PreparedSession::new(options)?;
    let callbacks = prepared.callbacks();
    let backend = flags.audio_backend(prepared.gate());
    let (mut keeper, format) = Keeper::start(backend, callbacks.clone())?;
    screen.tell(&Notice::Fact(format!("audio: {format}")));
    if !flags.no_calibration {
        calibrate(&mut keeper, &mut screen);
    }
    let session = prepared.join()?;
    session.request(session::Request::SetClickGain(flags.click.0));
    if let Some(monitor) = flags.monitor {
        session.request(session::Request::SetMonitor(monitor.0));
        session.request(session::Request::SetMonitorAligned(flags.monitor_aligned));
    }
    let mut stay = Stay {
        session,
        keeper,
        callbacks,
        screen,
        stats,
        signalled,
        leave_at: flags.duration.map(|duration| Instant::now() + duration),
    };
    let end = stay.play();
    stay.finish(end)
}

/// Believes what `vjam calibrate` has measured of the device, and says so. A file that cannot be read is no
/// reason not to play.
fn calibrate(keeper: &mut Keeper, screen: &mut Screen) {
    match Store::of_user().and_then(|store| store.read()) {
        Ok(calibrations) => keeper.set_calibrations(calibrations),
        Err(error) => screen.tell(&Notice::Warning(format!("not calibrated: {error:#}"))),
    }
    if keeper.status().calibrated {
        let text = "delays include what `vjam calibrate` measured of this device".to_owned();
        screen.tell(&Notice::Fact(text));
    }
}

/// A stay in a room, from the main thread's side.
struct Stay {
    session: RoomSession,
    keeper: Keeper,
    callbacks: engine_device::audio::Callbacks,
    screen: Screen,
    stats: Option<StatsFile>,
    signalled: Arc<AtomicBool>,
    leave_at: Option<Instant>,
}

/// Why the main loop came to its end.
enum Done {
    /// The musician wants to go.
    Leave,
    /// The session has ended by itself.
    Ended(End),
    /// There is no sound and will be none; the keeper has the reason.
    Silent,
    /// The terminal cannot be drawn on or read from any more.
    Blind(anyhow::Error),
}

impl Stay {
    fn play(&mut self) -> Done {
        let mut stats_at = Instant::now() + STATS_EVERY;
        loop {
            match self.session.next_event(TURN) {
                Some(Event::Notice(notice)) => self.screen.tell(&notice),
                Some(Event::Ended(end)) => return Done::Ended(end),
                None => {}
            }
            let now = Instant::now();
            if self.signalled.load(Ordering::Relaxed)
                || self.leave_at.is_some_and(|leave_at| leave_at <= now)
            {
                return Done::Leave;
            }
            if let Some(change) = self.keeper.poll(clock::now()) {
                self.screen.tell(&audio_notice(&change));
                if matches!(change, AudioChange::Failed(_)) {
                    return Done::Silent;
                }
            }
            if stats_at <= now {
                stats_at += STATS_EVERY;
                self.write_stats();
            }
            if let Screen::Terminal(terminal) = &mut self.screen {
                let view = self.session.view();
                match terminal.turn(&view, &self.keeper.status()) {
                    Ok(Some(terminal::Action::Leave)) => return Done::Leave,
                    Ok(Some(terminal::Action::Request(request))) => self.session.request(request),
                    Ok(None) => {}
                    Err(error) => return Done::Blind(error),
                }
            }
        }
    }

    /// Sums up the last second. A file that cannot be written is given up: music goes before.
    fn write_stats(&mut self) {
        let summary = self.callbacks.times().take();
        self.session.request(session::Request::NoteAudio(self.keeper.status()));
        self.screen.note_callbacks(summary);
        let Some(stats) = &mut self.stats else { return };
        if let Err(error) = stats.write(&self.session.view(), &self.keeper.status(), summary) {
            self.stats = None;
            self.screen.tell(&Notice::Warning(format!("{error:#}: no more of them")));
        }
    }

    /// The way out: the last line of statistics, audio stopped, the room told.
    fn finish(mut self, done: Done) -> anyhow::Result<()> {
        self.write_stats();
        let stopped = self.keeper.stop().context("audio");
        let stems = self.session.stems();
        let ended = match done {
            Done::Leave | Done::Silent => {
                self.session.leave(LEAVE_TIME);
                Ok(())
            }
            Done::Blind(error) => {
                self.session.leave(LEAVE_TIME);
                Err(error.context("terminal"))
            }
            Done::Ended(End::Left) => Ok(()),
            Done::Ended(End::Refused(text)) => Err(anyhow::anyhow!(text)),
        };
        // The terminal is restored before the error is printed.
        drop(self.screen);
        if let Some(stems) = stems {
            send_stems(&stems, &self.signalled);
        }
        ended.and(stopped)
    }
}

/// Waits until what was recorded is at the server, and says how far it is; a signal ends it.
fn send_stems(stems: &Stems, signalled: &AtomicBool) {
    stems.hurry();
    signalled.store(false, Ordering::Relaxed);
    let (began, mut progress, mut said) = (Instant::now(), (Instant::now(), stems.unsent()), None);
    loop {
        let unsent = stems.unsent();
        let Unsent { stems: waiting, sent_bytes, bytes } = unsent;
        if waiting == 0 {
            return;
        }
        if unsent != progress.1 {
            progress = (Instant::now(), unsent);
        }
        if signalled.load(Ordering::Relaxed) || STEMS_IDLE_MAX < progress.0.elapsed() {
            eprintln!(
                "{waiting} part(s) of what was recorded are not at the server yet; the next `vjam join` goes on \
                 with them"
            );
            return;
        }
        let percent = (sent_bytes * 100).checked_div(bytes).unwrap_or(0);
        if STEMS_QUIET < began.elapsed() && said != Some((waiting, percent)) {
            eprintln!("sending what was recorded: {percent} % of {waiting} part(s); Ctrl-C stops");
            said = Some((waiting, percent));
        }
        std::thread::sleep(STEMS_LOOK);
    }
}

/// How long a stem that nothing is sent of is waited for, and how often that is looked at and said.
const STEMS_IDLE_MAX: Duration = Duration::from_secs(30);
const STEMS_LOOK: Duration = Duration::from_millis(500);
const STEMS_QUIET: Duration = Duration::from_secs(1);

/// Where the musician looks.
enum Screen {
    Log,
    Terminal(Box<Terminal>),
}

impl Screen {
    fn open(flags: &Flags, options: &session::SessionOptions) -> anyhow::Result<Self> {
        if flags.headless {
            log::start();
            Ok(Self::Log)
        } else {
            let terminal = Terminal::open(options)
                .context("no terminal view; `--headless` needs no terminal")?;
            Ok(Self::Terminal(Box::new(terminal)))
        }
    }

    fn tell(&mut self, notice: &Notice) {
        match (self, notice) {
            (Self::Log, Notice::Fact(text)) => tracing::info!("{text}"),
            (Self::Log, Notice::Warning(text)) => tracing::warn!("{text}"),
            // What people say to each other stays out of logs.
            (Self::Log, Notice::Chat { .. }) => tracing::info!("a chat message came"),
            (Self::Terminal(terminal), notice) => terminal.tell(notice),
        }
    }

    fn note_callbacks(&mut self, summary: engine_device::durations::DurationSummary) {
        if let Self::Terminal(terminal) = self {
            terminal.note_callbacks(summary);
        }
    }
}

fn audio_notice(change: &AudioChange) -> Notice {
    match change {
        AudioChange::Ended(reason) => {
            Notice::Warning(format!("no sound: {reason}; trying again every 2 s"))
        }
        AudioChange::Started(format) => Notice::Fact(format!("sound again: {format}")),
        AudioChange::Failed(reason) => Notice::Warning(format!("no sound: {reason}")),
        AudioChange::Trouble(reason) => Notice::Warning(reason.clone()),
        AudioChange::Period(frames) => Notice::Fact(format!("audio: {frames} frames in a period")),
    }
}

/// Says once whether threads get the priority that glitch-free sound needs.
fn say_what_limits_us(screen: &mut Screen) {
    let asked = std::thread::spawn(|| priority::raise(priority::Role::Network)).join();
    screen.tell(&match asked {
        Ok(Ok(())) => Notice::Fact("threads run with real-time priority".to_owned()),
        Ok(Err(refused)) => Notice::Warning(refused.to_string()),
        Err(_) => Notice::Warning("real-time priority could not be asked for".to_owned()),
    });
    if let Err(error) = priority::lock_memory() {
        tracing::debug!(%error, "memory is not locked");
    }
}

/// A flag that SIGINT, SIGTERM and SIGHUP set. A second one ends the process at once.
fn watch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: on the second signal the flag is set already.
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

/// How long the main thread waits for an event before it looks after everything else.
const TURN: Duration = Duration::from_millis(50);

const STATS_EVERY: Duration = Duration::from_secs(1);

/// A server that does not say goodbye in this time is not waited for.
const LEAVE_TIME: Duration = Duration::from_secs(1);
