//! Why something is not done, in words for whoever asked.

use std::io;

use takes::export::ExportError;
use thiserror::Error;

use takes::TakeId;

/// Why a take does not begin.
#[derive(Debug, Error)]
pub enum BeginError {
    /// The server keeps no takes; the text says why.
    #[error("this server keeps no takes: {0}")]
    Unavailable(String),
    /// The room has as many as it may.
    #[error(
        "this room has {0} takes, as many as a room may; delete one, or wait until one is too old"
    )]
    RoomFull(usize),
    /// The server has as many as it may.
    #[error("this server has {0} takes, as many as it may; whoever runs it can delete some")]
    ServerFull(usize),
    /// There is no room for its stems.
    #[error(transparent)]
    NoSpace(#[from] NoSpace),
    /// Another take has the name already.
    #[error("there is a take {0} already")]
    Exists(TakeId),
    /// The disk failed.
    #[error("the server cannot write to its disk: {0}")]
    Disk(#[from] io::Error),
}

/// There is no room for more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoSpace {
    /// The operator's bound for takes.
    #[error(
        "the server's space for takes is full ({quota} bytes); delete takes, or let whoever runs it \
         raise --takes-quota"
    )]
    Quota {
        /// The bound.
        quota: u64,
    },
    /// The disk itself.
    #[error(
        "the server's disk is nearly full ({free} bytes are free); whoever runs it must make room"
    )]
    Disk {
        /// What is left.
        free: u64,
    },
}

/// Why a request about a take is refused.
#[derive(Debug, Error)]
pub enum TakeError {
    /// The server keeps no takes; the text says why.
    #[error("this server keeps no takes: {0}")]
    Unavailable(String),
    /// Never there, too old, or deleted.
    #[error("there is no such take here; it may have been deleted, or be too old")]
    NoTake,
    /// Another take's key, or none of any.
    #[error("this key does not open this take; use the link as the room showed it")]
    WrongKey,
    /// Nothing of the stem has come.
    #[error("nothing of this stem is here; send it from its beginning")]
    NoStem,
    /// The bytes belong elsewhere.
    #[error("this stem ends at byte {offset} here; go on from there")]
    WrongOffset {
        /// Where the next byte belongs.
        offset: u64,
    },
    /// The stem is complete, or being checked.
    #[error("this stem is complete with {offset} bytes and takes no more")]
    Complete {
        /// Where it ends.
        offset: u64,
    },
    /// Not all bytes are here that there should be.
    #[error("this stem has {offset} bytes here and not {claimed}; send the rest first")]
    Incomplete {
        /// What is here.
        offset: u64,
        /// What should be.
        claimed: u64,
    },
    /// The bytes are not those that the app has.
    #[error(
        "the checksum is another than that of the {length} bytes that came; they are dropped: \
             send the stem again from its beginning"
    )]
    Mismatch {
        /// What had come.
        length: u64,
    },
    /// The stem is longer than any may be.
    #[error("a stem may have {0} bytes and no more; what came until here is kept")]
    StemTooLong(u64),
    /// The take has as many stems as it may.
    #[error("this take has {0} stems, as many as a take may")]
    TooManyStems(usize),
    /// There is no room.
    #[error("{0}; the rest of the take is good, and this stem can go on once there is room")]
    NoSpace(#[from] NoSpace),
    /// The download could not be made, and why.
    #[error("the download could not be made: {0}; ask again to have it tried again")]
    ExportFailed(String),
    /// The disk failed.
    #[error("the server's disk fails: {0}")]
    Disk(#[from] io::Error),
}

impl From<ExportError> for TakeError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Scratch(error) | ExportError::Output(error) => {
                let short = error.get_ref().and_then(|error| error.downcast_ref::<NoSpace>());
                short.copied().map_or_else(|| Self::Disk(error), Self::NoSpace)
            }
            error @ (ExportError::Cancelled | ExportError::Refused(_)) => {
                Self::ExportFailed(error.to_string())
            }
        }
    }
}
