//! The terminal view: who is here, levels, delay, loss, and keys to mix.
//!
//! Ten times a second at most, drawn from a snapshot; nothing here touches audio. The terminal is
//! put back as it was whenever the value is dropped, and by a panic hook before a panic's message.

mod details;
mod draw;
mod findings;
mod keys;
mod quiet;
mod together;

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use engine_device::audio::AudioStatus;
use engine_device::durations::DurationSummary;
use engine_device::session::{Notice, Request, SessionOptions, View};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;

use self::keys::Selection;
use self::quiet::Quiet;
use self::together::Together;

/// The view.
pub(super) struct Terminal {
    terminal: DefaultTerminal,
    screen: Screen,
    draw_at: Instant,
    /// Dropped last, when the terminal is as it was.
    _quiet: Option<Quiet>,
}

/// Everything on screen that is not in the [`View`].
pub(super) struct Screen {
    title: String,
    notices: VecDeque<Notice>,
    selection: Selection,
    help: Help,
    callbacks: DurationSummary,
    together: Together,
}

/// Whether the keys are explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Help {
    Shown,
    Hidden,
}

/// What a key asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Something of the session.
    Request(Request),
    /// To leave.
    Leave,
}

impl Terminal {
    /// Takes the terminal over.
    pub(super) fn open(options: &SessionOptions) -> anyhow::Result<Self> {
        anyhow::ensure!(std::io::stdout().is_terminal(), "standard output is not a terminal");
        let quiet = Quiet::start()?;
        let terminal = ratatui::try_init()?;
        let screen = Screen {
            title: format!("{} · {}", options.link, options.name),
            notices: VecDeque::new(),
            selection: Selection::default(),
            help: Help::Hidden,
            callbacks: DurationSummary::default(),
            together: Together::default(),
        };
        Ok(Self { terminal, screen, draw_at: Instant::now(), _quiet: quiet })
    }

    /// Keeps a notice on screen until newer ones push it out.
    pub(super) fn tell(&mut self, notice: &Notice) {
        if self.screen.notices.len() == NOTICES_MAX {
            self.screen.notices.pop_front();
        }
        self.screen.notices.push_back(notice.clone());
    }

    /// Keeps the last second's callback times.
    pub(super) fn note_callbacks(&mut self, summary: DurationSummary) {
        self.screen.callbacks = summary;
    }

    /// Draws if it is time to, and takes at most one key, without waiting for one.
    pub(super) fn turn(
        &mut self,
        view: &View,
        audio: &AudioStatus,
    ) -> anyhow::Result<Option<Action>> {
        let now = Instant::now();
        if self.draw_at <= now {
            self.draw_at = now + DRAW_EVERY;
            self.terminal.draw(|frame| draw::draw(frame, &self.screen, view, audio))?;
        }
        if event::poll(Duration::ZERO)?
            && let event::Event::Key(key) = event::read()?
        {
            self.draw_at = now;
            return Ok(keys::handle(&mut self.screen, view, key));
        }
        Ok(None)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Lines of notices that are kept.
const NOTICES_MAX: usize = 100;

const DRAW_EVERY: Duration = Duration::from_millis(100);
