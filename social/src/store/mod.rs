//! The database: the one place that knows SQL.
//!
//! SQLite for whoever wants nothing to install, PostgreSQL for whoever runs several servers. A query is
//! written once: `on!` compiles its body against both drivers, so that both are checked by the
//! compiler, and each store test runs on both. What surprises: whatever changes something is a method
//! of [`Tx`] and takes part in the caller's transaction, together with the jobs that follow from it;
//! whatever only reads is a method of [`Conn`], which a [`Tx`] is too.

mod account;
mod audit;
mod backup;
mod block;
mod chat;
mod code;
mod compact;
mod erasure;
mod export;
mod file;
mod file_comment;
mod friend;
mod identity;
mod identity_event;
mod job;
mod mail;
mod migrations;
mod moving;
mod notice;
mod open;
mod preferences;
mod profile;
mod push;
mod report;
mod room;
mod rows;
mod samples;
mod schema;
mod server_key;
mod session;
mod sign_up;
mod staff;
mod suspension;
mod upload;

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

pub use account::{Account, NewAccount};
pub use backup::Insert;
pub use chat::{Chat, Gif, Member, Message, NewMessage, Reaction, Search, Span};
pub use code::{Code, CodePurpose};
pub use compact::Compaction;
pub use export::Export;
pub use file::{Analysis, StoredFile};
pub use file_comment::FileComment;
pub use friend::Friend;
pub use identity::{Ending, Identity, Shown};
pub use identity_event::Relay;
pub use job::{Job, NewJob};
pub use mail::Mail;
pub use migrations::{MigrationError, NUMBER_OF_MIGRATIONS};
pub use notice::Notice;
pub use open::{DatabaseUrl, OpenError, WrongUrl};
pub use preferences::Preferences;
pub use profile::{Photo, Profile};
pub use push::PushSubscription;
pub use report::{Report, Resolved};
pub use room::{Invite, Room};
pub use rows::Cell;
pub use session::Session;
pub use sign_up::SignUp;
pub use suspension::Suspension;
pub use upload::{NewPart, Upload};

/// A database of either kind.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file: many readers, one writer.
    Sqlite {
        /// Connections that only read.
        r: SqlitePool,
        /// The one connection that writes.
        w: SqlitePool,
    },
    /// A PostgreSQL server.
    Pg(PgPool),
}

/// A connection for reading.
#[derive(Debug)]
pub struct Conn(Inner);

/// A transaction. Dropped without [`Tx::commit`], nothing of it has happened.
#[derive(Debug)]
pub struct Tx(Conn);

#[derive(Debug)]
enum Inner {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
    PgRead(PoolConnection<Postgres>),
    PgWrite(Transaction<'static, Postgres>),
}

/// The driver's connection: what `on!` tells apart.
pub(crate) enum Driver<'a> {
    Sqlite(&'a mut SqliteConnection),
    Pg(&'a mut PgConnection),
}

/// Compiles one body against both drivers: `on!(self, c => query("...").execute(c).await)`.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn.driver() {
            $crate::store::Driver::Sqlite($c) => $body,
            $crate::store::Driver::Pg($c) => $body,
        }
    };
}
pub(crate) use on;

impl Db {
    /// A connection for reading.
    ///
    /// # Errors
    /// When there is none.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(Conn(match self {
            Self::Sqlite { r, .. } => Inner::SqliteRead(r.acquire().await?),
            Self::Pg(pool) => Inner::PgRead(pool.acquire().await?),
        }))
    }

    /// A transaction.
    ///
    /// # Errors
    /// When there is no connection for it.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx(Conn(match self {
            // At once a writer: a reader that becomes one later is refused where somebody else wrote
            // meanwhile, however long it would wait.
            Self::Sqlite { w, .. } => Inner::SqliteWrite(w.begin_with("BEGIN IMMEDIATE").await?),
            Self::Pg(pool) => Inner::PgWrite(pool.begin().await?),
        })))
    }

    /// A connection that sees the database as it stood at one moment, however long it is read.
    ///
    /// # Errors
    /// When there is no connection for it.
    pub async fn snapshot(&self) -> Result<Conn, StoreError> {
        Ok(Conn(match self {
            Self::Sqlite { r, .. } => Inner::SqliteWrite(r.begin().await?),
            Self::Pg(pool) => {
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Inner::PgWrite(pool.begin_with(sql).await?)
            }
        }))
    }

    /// Ends all connections, after what they are at.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { r, w } => {
                r.close().await;
                w.close().await;
            }
            Self::Pg(pool) => pool.close().await,
        }
    }
}

impl Conn {
    pub(crate) fn driver(&mut self) -> Driver<'_> {
        match &mut self.0 {
            Inner::SqliteRead(conn) => Driver::Sqlite(conn),
            Inner::SqliteWrite(tx) => Driver::Sqlite(tx),
            Inner::PgRead(conn) => Driver::Pg(conn),
            Inner::PgWrite(tx) => Driver::Pg(tx),
        }
    }
}

impl Tx {
    /// Makes everything since [`Db::begin`] hold, also after a crash of the server.
    ///
    /// # Errors
    /// When it does not: then nothing of it holds.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0.0 {
            Inner::SqliteWrite(tx) => tx.commit().await?,
            Inner::PgWrite(tx) => tx.commit().await?,
            Inner::SqliteRead(_) | Inner::PgRead(_) => {}
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

/// The database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something of which there is one at most is there already.
    #[error("the database has that already")]
    Taken,
    /// Nobody got a connection in time.
    #[error("the database is busy")]
    Busy,
    /// The database failed, or what stands in it makes no sense.
    #[error("the database failed: {0}")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        if database.is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
            Self::Taken
        } else if matches!(error, sqlx::Error::PoolTimedOut) {
            Self::Busy
        } else {
            Self::Failed(error)
        }
    }
}

/// What stands in a column is none of the words that may stand there.
pub(crate) fn unknown_word(column: &'static str, word: &str) -> StoreError {
    let text = format!("{column} holds {word:?}, which this version does not know");
    StoreError::Failed(sqlx::Error::Decode(text.into()))
}
