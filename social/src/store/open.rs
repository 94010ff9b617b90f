//! Which database, and how it is opened.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::time::{Instant, sleep};

use super::Db;
use super::migrations::{self, MigrationError};
use crate::clock::UnixMs;
use crate::limits::{CONNECTION_WAIT_MAX, PG_CONNECTIONS_MAX, SQLITE_BUSY_MAX, SQLITE_READERS_MAX};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/NAME`.
    Postgres(String),
}

/// The text is no database that this crate can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a database is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME, and this one begins \
     otherwise"
)]
pub struct WrongUrl;

impl FromStr for DatabaseUrl {
    type Err = WrongUrl;

    fn from_str(text: &str) -> Result<Self, WrongUrl> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").ok_or(WrongUrl)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') {
            Err(WrongUrl)
        } else {
            Ok(Self::Sqlite(path.into()))
        }
    }
}

// A URL may hold a password: neither a log nor an error shows it.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let shown = url.rsplit_once('@').map_or("postgres://..", |(_, host)| host);
                let shown = shown.split('?').next().unwrap_or_default();
                write!(f, "postgres at {shown}")
            }
        }
    }
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file of an SQLite database cannot be made or read.
    #[error("{} cannot be opened: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The URL of a PostgreSQL server is wrong.
    #[error("the URL of the PostgreSQL server is wrong: {0}")]
    Url(#[source] sqlx::Error),
    /// Nothing that answers like this kind of database is there.
    #[error("{url} does not open: {source}; does it run, and may this user log in?")]
    Connect {
        /// Which database.
        url: DatabaseUrl,
        /// What it says.
        source: sqlx::Error,
    },
    /// The server is older than what the queries need.
    #[error("the PostgreSQL server is of version {0}, and 15 or later is needed")]
    OldServer(i64),
    /// What is in it does not fit this version.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl Db {
    /// Opens a database, makes it where it is a file that is not there, and brings its tables up to
    /// date.
    ///
    /// # Errors
    /// When it cannot be reached, or its tables are not those of this version.
    pub async fn open(url: &DatabaseUrl, now: UnixMs) -> Result<Self, OpenError> {
        let connect = |source| OpenError::Connect { url: url.clone(), source };
        let db = match url {
            DatabaseUrl::Sqlite(path) => {
                make_file(path).map_err(|source| OpenError::File { path: path.clone(), source })?;
                open_sqlite(path).await.map_err(connect)?
            }
            DatabaseUrl::Postgres(url) => {
                let options = PgConnectOptions::from_str(url).map_err(OpenError::Url)?;
                open_postgres(options).await.map_err(connect)?
            }
        };
        if let Self::Pg(pool) = &db {
            let version = "SELECT current_setting('server_version_num')::bigint / 10000";
            let version = sqlx::query_scalar::<_, i64>(version).fetch_one(pool).await;
            let version = version.map_err(connect)?;
            if version < PG_VERSION_MIN {
                return Err(OpenError::OldServer(version));
            }
        }
        migrations::apply(&db, now).await?;
        Ok(db)
    }
}

/// Makes the file for its owner only; SQLite gives the files beside it the same permissions.
fn make_file(path: &Path) -> Result<(), std::io::Error> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map(|_| ())
}

async fn open_sqlite(path: &Path) -> Result<Db, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged is on the disk, also where the power goes.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_MAX)
        // What is deleted is overwritten, not only left out.
        .pragma("secure_delete", "ON");
    let pool = SqlitePoolOptions::new().acquire_timeout(CONNECTION_WAIT_MAX);
    // The writer first: it makes the files that readers need.
    let until = Instant::now() + SQLITE_BUSY_MAX;
    let w = loop {
        match pool.clone().max_connections(1).connect_with(options.clone()).await {
            // Another server makes the same file: SQLite does not wait where its log is begun.
            Err(error) if is_busy(&error) && Instant::now() < until => sleep(BUSY_POLL).await,
            opened => break opened?,
        }
    };
    let r: SqlitePool =
        pool.max_connections(SQLITE_READERS_MAX).connect_with(options.read_only(true)).await?;
    Ok(Db::Sqlite { r, w })
}

/// Whether somebody else has the file, by the lower byte of SQLite's code.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

async fn open_postgres(options: PgConnectOptions) -> Result<Db, sqlx::Error> {
    let options = options.application_name("vjam");
    let pool = PgPoolOptions::new()
        .acquire_timeout(CONNECTION_WAIT_MAX)
        .max_connections(PG_CONNECTIONS_MAX)
        .connect_with(options)
        .await?;
    Ok(Db::Pg(pool))
}

/// How often it is tried to open a file that somebody else is making.
const BUSY_POLL: Duration = Duration::from_millis(20);

/// The oldest version of PostgreSQL that is tested.
const PG_VERSION_MIN: i64 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_database_and_never_shows_its_password() {
        let url: DatabaseUrl =
            "postgres://vjam:s3cret@db.example:5432/vjam?sslmode=require".parse().expect("a URL");
        for shown in [url.to_string(), format!("{url:?}")] {
            assert_eq!(shown, "postgres at db.example:5432/vjam");
        }
        for path in ["sqlite:/var/lib/x.db", "sqlite:///var/lib/x.db"] {
            assert_eq!(path.parse(), Ok(DatabaseUrl::Sqlite("/var/lib/x.db".into())));
        }
        for wrong in ["", "mysql://x", "sqlite:", "sqlite::memory:", "/var/lib/x.db"] {
            assert_eq!(wrong.parse::<DatabaseUrl>(), Err(WrongUrl), "{wrong}");
        }
    }
}
