//! What somebody says of themselves, and who sees it.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Audience;
use super::text::{line, lines};
use crate::Social;
use crate::http::Actor;
use crate::http::extract::Json;
use crate::limits::{BIO_CHARS_MAX, INSTRUMENT_CHARS_MAX, INSTRUMENTS_MAX, STATUS_CHARS_MAX};
use crate::problem::Problem;
use crate::secret::hex;
use crate::store::Profile;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(profile, change_profile))
}

/// Who sees what.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeenBy {
    bio: Audience,
    status: Audience,
    instruments: Audience,
    photo: Audience,
}

/// A profile, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
struct ProfileBody {
    bio: String,
    status: String,
    instruments: Vec<String>,
    seen_by: SeenBy,
    /// What changes when the photo does, if there is one.
    photo: Option<String>,
}

/// Shows your profile.
#[utoipa::path(
    get, path = "/api/v1/social/account/profile", tag = "profile",
    responses((status = 200, description = "The profile", body = ProfileBody))
)]
async fn profile(State(social): State<Social>, actor: Actor) -> Result<Json<ProfileBody>, Problem> {
    let mut conn = social.db().read().await?;
    let profile = conn.profile(actor.account).await?;
    let photo = conn.photo_hash(actor.account).await?;
    Ok(Json(ProfileBody {
        seen_by: SeenBy {
            bio: profile.bio_for,
            status: profile.status_for,
            instruments: profile.instruments_for,
            photo: profile.photo_for,
        },
        bio: profile.bio,
        status: profile.status,
        instruments: profile.instruments,
        photo: photo.as_deref().map(hex),
    }))
}

/// Another profile.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfileChange {
    /// Who you are: 500 characters at most.
    bio: String,
    /// What you are up to: 100 characters at most, on one line.
    status: String,
    /// What you play: 10 at most, of 30 characters each.
    instruments: Vec<String>,
    seen_by: SeenBy,
}

/// Changes your profile.
#[utoipa::path(
    put, path = "/api/v1/social/account/profile", tag = "profile", request_body = ProfileChange,
    responses((status = 204, description = "It is changed"))
)]
async fn change_profile(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<ProfileChange>,
) -> Result<StatusCode, Problem> {
    social.people_rates().change(actor.account)?;
    let profile = Profile {
        bio: lines("bio", &given.bio, BIO_CHARS_MAX)?,
        status: line("status", &given.status, STATUS_CHARS_MAX)?,
        instruments: instruments(&given.instruments)?,
        bio_for: given.seen_by.bio,
        status_for: given.seen_by.status,
        instruments_for: given.seen_by.instruments,
        photo_for: given.seen_by.photo,
    };
    let mut tx = social.db().begin().await?;
    tx.set_profile(actor.account, &profile).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Each once, in the order in which they were given.
fn instruments(typed: &[String]) -> Result<Vec<String>, Problem> {
    if INSTRUMENTS_MAX < typed.len() {
        let text = format!("{INSTRUMENTS_MAX} instruments are the most; leave some out");
        return Err(Problem::invalid("instruments", text));
    }
    let mut words: Vec<String> = Vec::new();
    for word in typed {
        let word = line("instruments", word, INSTRUMENT_CHARS_MAX)?;
        if word.is_empty() {
            return Err(Problem::invalid("instruments", "an instrument has a name"));
        }
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}
