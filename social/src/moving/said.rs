//! What is said of a move: how far it is, what came of it, and why it is refused.

use crate::account::Role;
use crate::objects::ObjectsError;
use crate::store::StoreError;

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It can be done.
    Begun {
        /// How many files there are.
        files: usize,
        /// How large they are.
        bytes: i64,
    },
    /// So many files are copied.
    Copied(usize),
    /// Everything is written there, and not committed.
    Written,
    /// It is there, and still where it was.
    Arrived,
    /// It is hidden where it was, and its erasure is due.
    Left,
}

/// What moved, and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// What it is called there.
    pub username: String,
    /// Files that moved.
    pub files: usize,
    /// Files whose bytes were lost before: they are left out.
    pub files_lost: usize,
    /// Rooms that moved.
    pub rooms: Vec<String>,
    /// Rooms whose name somebody there has: they are left out.
    pub rooms_taken: Vec<String>,
    /// Sign-ins that moved, as they are called where they were.
    pub sign_ins: Vec<String>,
    /// Sign-ins that are another account's there, or whose provider nobody there knows.
    pub sign_ins_left: Vec<String>,
    /// Sign-ins that moved without what their provider is shown when they are over.
    pub tokens_left: Vec<String>,
    /// Whether nobody signs in there before they reset their password by mail.
    pub needs_password: bool,
    /// What it was allowed to do where it was, if more than everybody.
    pub role_left: Option<Role>,
}

/// What a move came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It moved now.
    Moved(Box<Moved>),
    /// It had moved, and was still to be hidden where it was, or to be erased.
    Finished,
    /// It had moved, and nothing of it is left where it was.
    Before,
}

/// An account does not move. Nothing has changed, unless the last move was broken off half-way.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// It would stay where it is.
    #[error(
        "both servers are of the region {0:?}, or are one: say with --to-data and --to-config where the \
         account goes, and let the environment say nothing of [social], which would hold for both"
    )]
    SameRegion(&'static str),
    /// There is none.
    #[error("no account has this e-mail address at the server of {0:?}")]
    NoAccount(&'static str),
    /// The settings are not those of the server.
    #[error(
        "the account is of the region {is:?}, and the settings say {said:?}: name its own file"
    )]
    OtherRegion {
        /// Of which it is.
        is: &'static str,
        /// Of which the settings say that they are.
        said: &'static str,
    },
    /// Its owner wants it erased, or it must be.
    #[error("the account is to be erased; it moves only once that was taken back")]
    Hidden,
    /// Nobody may sign in to it.
    #[error("the account is suspended or frozen; moderators of its region decide on that first")]
    Suspended,
    /// The address is taken.
    #[error("somebody has an account with this e-mail address at the server of {0:?} already")]
    EmailTaken(&'static str),
    /// The name is taken.
    #[error("the username {0} is taken there; choose another with --username")]
    UsernameTaken(String),
    /// The name cannot be.
    #[error("--username: {0}")]
    Username(String),
    /// There is too little room.
    #[error(
        "its files have {bytes} bytes, and an account there may have {quota}: raise `quota` below \
         [social] there, or have some deleted"
    )]
    Quota {
        /// What it has.
        bytes: i64,
        /// What it may have.
        quota: i64,
    },
    /// It moved before, and has come to an end there.
    #[error(
        "the account moved before, and was erased there since, or is to be: its owner says what becomes of \
         what is left here"
    )]
    EndedThere,
    /// It moved before and was used there, and also here.
    #[error(
        "an earlier move was broken off, and its owner has signed in there since; {0} files came here \
         after that: have them deleted or sent there by their owner, and run this again"
    )]
    UsedInBoth(usize),
    /// It changed each time.
    #[error("its files change all the time; try again when its owner does not send any")]
    Unsettled,
    /// A copy is not what was copied.
    #[error("a file is not the same there as it was here; the disk or the bucket is at fault")]
    Differs,
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A disk or a bucket failed.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}
