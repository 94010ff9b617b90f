//! `vjam admin`: gives accounts their roles, and moves them, on the machine that keeps them.
//!
//! The first admin cannot be made by another one. Whoever may read the server's settings may do this;
//! it works beside a server that runs.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use social::account::Role;
use social::clock::{Clock as _, SystemClock};
use social::store::Db;

use crate::admin_move;
use crate::settings::{Flags as ServeFlags, Settings};

/// What can be done.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Action {
    /// Gives an account a role.
    Grant {
        /// The account's e-mail address.
        email: String,
        /// moderator looks at reports; admin gives roles.
        #[arg(long, value_enum, default_value = "admin")]
        role: RoleName,
        #[command(flatten)]
        flags: Flags,
    },
    /// Takes an account's role away: it is like everybody's.
    Revoke {
        /// The account's e-mail address.
        email: String,
        #[command(flatten)]
        flags: Flags,
    },
    /// Moves an account to the server of another region, and erases it where it was.
    #[command(after_help = admin_move::HELP)]
    Move(admin_move::Move),
}

/// Which server's accounts.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Flags {
    /// Where the server keeps its data [default: as for `serve`]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The server's TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Flags {
    /// What that server is told.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        Settings::read(&ServeFlags {
            data: self.data.clone(),
            config: self.config.clone(),
            ..ServeFlags::default()
        })
    }
}

/// A role that can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RoleName {
    /// Looks at what was reported, and decides on it.
    Moderator,
    /// Gives roles.
    Admin,
}

/// Does it.
pub(crate) fn run(action: &Action) -> anyhow::Result<()> {
    let (email, role, flags) = match action {
        Action::Grant { email, role: RoleName::Admin, flags } => (email, Role::Admin, flags),
        Action::Grant { email, role: RoleName::Moderator, flags } => {
            (email, Role::Moderator, flags)
        }
        Action::Revoke { email, flags } => (email, Role::User, flags),
        Action::Move(asked) => return asked.run(),
    };
    let settings = flags.settings()?;
    let url = settings.social.database(&settings.data)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")?.block_on(async {
        let now = SystemClock.now();
        let db = Db::open(&url, now).await?;
        let done = db.grant(email, role, now).await;
        db.close().await;
        done.with_context(|| format!("{email} in {url}"))
    })?;
    writeln!(std::io::stdout(), "{email} is {} from now on.", role.word())?;
    Ok(())
}
