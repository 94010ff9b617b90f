//! People: what they say of themselves and who sees it, how they stand to each other, and what
//! becomes of those who make it hard for others.
//!
//! What surprises: whoever blocked somebody, or was blocked, is to them as if there were nobody of that
//! name. `look::find` is the one way from a name to an account here, so that no route forgets it.

mod blocks;
mod friends;
mod look;
mod moderation;
mod notices;
mod photo;
mod picture;
mod preferences;
mod profile;
mod rates;
mod report;
mod text;
mod words;

use utoipa_axum::router::OpenApiRouter;

use crate::Social;

pub(crate) use look::key as name_key;
pub(crate) use notices::{page, tell, tell_of_message};
pub(crate) use picture::Photos;
pub(crate) use rates::PeopleRates;
pub use words::{Audience, Friendship, NoticeKind, Reason, ReportKind, ReportState, Resolution};

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(preferences::routes())
        .merge(profile::routes())
        .merge(photo::routes())
        .merge(look::routes())
        .merge(friends::routes())
        .merge(blocks::routes())
        .merge(notices::routes())
        .merge(report::routes())
        .merge(moderation::routes())
}
