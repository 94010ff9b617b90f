//! What somebody may do in a room that an account owns. In other rooms nobody has a role.

use serde::{Deserialize, Serialize};

/// What somebody may do in a room that an account owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum RoomRole {
    /// Plays.
    Guest,
    /// Silences guests, and takes them out.
    Moderator,
    /// Does so with everybody, and says who is a moderator.
    Owner,
}

impl RoomRole {
    /// Whether somebody of this role may silence or take out somebody of the other. Nobody is over
    /// their like, so nobody is over themselves.
    #[must_use]
    pub const fn is_over(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Owner, Self::Moderator | Self::Guest) | (Self::Moderator, Self::Guest)
        )
    }

    /// As it stands in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_over_their_like_or_over_the_owner() {
        let all = [RoomRole::Guest, RoomRole::Moderator, RoomRole::Owner];
        for one in all {
            for other in all {
                assert_eq!(one.is_over(other), other < one, "{one:?} over {other:?}");
            }
            let json = serde_json::to_string(&one).expect("JSON");
            assert_eq!(json, format!("\"{}\"", one.word()));
        }
    }
}
