//! Accounts: how somebody gets one, signs in, and changes what is kept of them.
//!
//! What surprises: an account comes to be only when its e-mail is verified. Until then there is a
//! sign-up, one for each attempt, whoever's address it names; so an address that has an account and
//! one that has none are answered alike, and nobody can keep an address from its owner.

mod admin;
mod age;
mod erasure;
pub mod identity;
mod password;
mod rates;
mod reset;
mod settings;
mod sign_in;
mod sign_up;
mod words;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Social;

pub use admin::NoSuchAccount;
pub use password::{CostNotAllowed, Passwords};
pub use rates::Rates;
pub(crate) use settings::still_holds;
pub use words::Email;
pub(crate) use words::username;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(age::routes())
        .merge(sign_up::routes())
        .merge(sign_in::routes())
        .merge(reset::routes())
        .merge(settings::routes())
        .merge(erasure::routes())
        .merge(identity::routes())
        .merge(admin::routes())
}

/// Where an account is kept. It is chosen at the sign-up; whoever runs both servers can move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// In the European Union.
    Eu,
    /// In the United States.
    Us,
}

impl Region {
    /// As it stands in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Us => "us",
        }
    }
}

impl FromStr for Region {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Eu, Self::Us].into_iter().find(|known| known.word() == text).ok_or(UnknownWord)
    }
}

/// What an account may do beside what is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    User,
    /// Looks at what was reported, and decides on it.
    Moderator,
    /// Gives roles.
    Admin,
}

impl Role {
    /// As it stands in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::User, Self::Moderator, Self::Admin];
        all.into_iter().find(|known| known.word() == text).ok_or(UnknownWord)
    }
}

/// The text is none of the words that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is none of the words that it may be")]
pub struct UnknownWord;
