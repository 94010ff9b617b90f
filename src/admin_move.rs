//! `vjam admin move`: an account goes from the server of one region to that of another.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use social::clock::SystemClock;
use social::moving::{Moved, Mover, Outcome, Place, Progress};

use crate::admin::Flags;
use crate::backup::{block_on, key_of};
use crate::settings::{Flags as ServeFlags, Settings};

/// Which account, and where to.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Move {
    /// The account's e-mail address
    email: String,

    #[command(flatten)]
    from: Flags,

    /// Where the server of the other region keeps its data
    #[arg(long, value_name = "DIR")]
    to_data: PathBuf,

    /// The TOML file of the server of the other region
    #[arg(long, value_name = "FILE")]
    to_config: PathBuf,

    /// What the account will be called, where its name is taken there
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
}

/// What is said below the flags.
pub(crate) const HELP: &str = "\
Both servers may run meanwhile; each has had its first start. What moves: address, password, language, profile
and photo, preferences and objections, files with their owner's own comments, sign-ins with providers that
are set up there too, and rooms whose name nobody there has. What does not, and is erased: chats and all that
was said in them, friends, blocks, what was given to others, reports, sessions and devices, roles. The server
that the account leaves erases the rest by itself, as soon as it runs.

Broken off at any moment, the same command again finishes it. Variables like VJAM_SOCIAL_DATABASE would hold
for both servers, so say what differs in the two files.

  vjam admin move ada@example.org --data /eu --config /eu.toml --to-data /us --to-config /us.toml";

impl Move {
    /// Does it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        let from = self.from.settings()?;
        let to = Settings::read(&ServeFlags {
            data: Some(self.to_data.clone()),
            config: Some(self.to_config.clone()),
            ..ServeFlags::default()
        });
        let to = to.with_context(|| format!("{}", self.to_config.display()))?;
        block_on(async {
            let (from, to) = (open(&from).await?, open(&to).await?);
            let done = self.run_between(&from, &to, &mut out).await;
            from.db.close().await;
            to.db.close().await;
            done
        })
    }

    async fn run_between(
        &self,
        from: &Place,
        to: &Place,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let username = self.username.as_deref();
        let mover = Mover { from, to, email: &self.email, username };
        let told = |progress| {
            // Whoever does not listen any more has it moved all the same.
            let _ = match progress {
                Progress::Begun { files, bytes } => {
                    writeln!(out, "It has {files} files of {bytes} bytes together.")
                }
                Progress::Copied(count) if count % COUNT_BY == 0 => {
                    writeln!(out, "{count} files are copied.")
                }
                Progress::Copied(_) | Progress::Written | Progress::Arrived | Progress::Left => {
                    Ok(())
                }
            };
        };
        match mover.run(told).await.with_context(|| self.email.clone())? {
            Outcome::Moved(moved) => self.say(&moved, out)?,
            Outcome::Finished => writeln!(out, "{} had moved; that is finished now.", self.email)?,
            Outcome::Before => {
                writeln!(out, "{} has moved, and nothing is left of it.", self.email)?;
                return Ok(());
            }
        }
        let said = if self.is_erased(from).await? {
            "Where it was, it is erased. What that leaves in files is cleaned by the server there."
        } else {
            "Where it was, nobody sees it, and the server there erases it as soon as it runs."
        };
        Ok(writeln!(out, "{said}")?)
    }

    fn say(&self, moved: &Moved, out: &mut impl Write) -> anyhow::Result<()> {
        let Moved { username, files, .. } = moved;
        writeln!(out, "{} is there from now on, as {username}, with {files} files.", self.email)?;
        for (what, which) in [
            ("Rooms that moved", &moved.rooms),
            ("Rooms that somebody there has, and that did not move", &moved.rooms_taken),
            ("Sign-ins that moved", &moved.sign_ins),
            ("Sign-ins that nobody there knows, or another account has", &moved.sign_ins_left),
            (
                "Sign-ins that moved, and whose provider cannot be told when they end",
                &moved.tokens_left,
            ),
        ] {
            if !which.is_empty() {
                writeln!(out, "{what}: {}.", which.join(", "))?;
            }
        }
        if moved.files_lost != 0 {
            writeln!(out, "{} files had lost their bytes before.", moved.files_lost)?;
        }
        if moved.needs_password {
            writeln!(out, "It has no password and no sign-in: a reset by mail gives it one.")?;
        }
        if let Some(role) = moved.role_left {
            let word = role.word();
            writeln!(out, "It was {word}; `vjam admin grant` makes it that there, too.")?;
        }
        Ok(writeln!(
            out,
            "Left behind, to be erased: chats and what was said in them, friends, blocks, what was given to \
             others, sessions and devices. Each device signs in anew."
        )?)
    }

    /// Waits for the server that the account leaves to erase it; whether it did.
    async fn is_erased(&self, from: &Place) -> anyhow::Result<bool> {
        let key = self.email.trim().to_lowercase();
        for _ in 0..ERASED_TRIES {
            if from.db.read().await?.account_by_email_or_hidden(&key).await?.is_none() {
                return Ok(true);
            }
            tokio::time::sleep(ERASED_WAIT).await;
        }
        Ok(false)
    }
}

/// Opens what a server keeps.
async fn open(settings: &Settings) -> anyhow::Result<Place> {
    let key = key_of(settings)?;
    let config = settings.social.config(&settings.data, key, false)?;
    let place = Place::open(&config, Arc::new(SystemClock)).await;
    place.with_context(|| format!("what is kept in {}", settings.data.display()))
}

/// After how many files it is said how many are copied.
const COUNT_BY: usize = 100;

/// How often it is looked whether an account is erased: for as long as a server needs that runs.
const ERASED_TRIES: u32 = 40;

/// How long that waits in between.
const ERASED_WAIT: Duration = Duration::from_millis(250);
