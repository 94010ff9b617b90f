//! GIFs, which a service elsewhere has: who may show them, and how.
//!
//! What surprises: this server never asks that service. Its terms forbid to pass on what it answers, so
//! the page of whoever agreed asks it by itself, and is given the key for that here. What is kept is when
//! somebody agreed, and the names of what they sent.

use std::str::FromStr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Social;
use crate::account::UnknownWord;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::Json;
use crate::id::AccountId;
use crate::problem::{Problem, ProblemCode};
use crate::store::Conn;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(gifs, agree))
}

/// How GIPHY is asked.
#[derive(Debug, Clone)]
pub struct Giphy {
    /// What it gave to whoever runs this server. It stands in what pages ask, so it is no secret.
    pub key: String,
    /// Nothing beyond this is shown.
    pub rating: GifRating,
    /// Where it is asked: [`GIPHY_API`], but in tests.
    pub api: String,
}

/// For whom something is, as GIPHY says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GifRating {
    /// For the young.
    Y,
    /// For everybody.
    G,
    /// For children whose parents look on.
    Pg,
    /// From 13 years.
    #[serde(rename = "pg-13")]
    Pg13,
    /// For adults.
    R,
}

impl GifRating {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Y, Self::G, Self::Pg, Self::Pg13, Self::R];

    /// As GIPHY and JSON have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Y => "y",
            Self::G => "g",
            Self::Pg => "pg",
            Self::Pg13 => "pg-13",
            Self::R => "r",
        }
    }
}

impl FromStr for GifRating {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|known| known.word() == text).ok_or(UnknownWord)
    }
}

/// Where GIPHY is asked.
pub const GIPHY_API: &str = "https://api.giphy.com";

/// Whether there are GIFs, and how.
#[derive(Debug, Serialize, ToSchema)]
struct GifsBody {
    /// Whether whoever runs this server set them up.
    available: bool,
    /// When you agreed that your browser asks GIPHY, which then sees your address and what you look for.
    agreed_at: Option<UnixMs>,
    /// How it is asked, if you did.
    giphy: Option<GiphyBody>,
}

/// How GIPHY is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Giphy)]
struct GiphyBody {
    key: String,
    /// Nothing beyond this is to be shown.
    rating: GifRating,
    /// What the addresses of its routes begin with.
    api: String,
}

/// Shows whether there are GIFs, whether you agreed, and how they are asked for.
#[utoipa::path(
    get, path = "/api/v1/social/account/gifs", tag = "account",
    responses((status = 200, description = "How it stands", body = GifsBody))
)]
async fn gifs(State(social): State<Social>, actor: Actor) -> Result<Json<GifsBody>, Problem> {
    let mut conn = social.db().read().await?;
    Ok(Json(stand(&social, &mut conn, actor.account).await?))
}

/// Whether somebody agrees.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GifsAgreement {
    /// That your browser asks GIPHY, which sees your address and what you look for.
    agreed: bool,
}

/// Agrees that your browser asks GIPHY, or takes that back.
#[utoipa::path(
    put, path = "/api/v1/social/account/gifs", tag = "account", request_body = GifsAgreement,
    responses(
        (status = 200, description = "How it stands", body = GifsBody),
        (status = 409, description = "There are no GIFs on this server",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn agree(
    State(social): State<Social>,
    actor: Actor,
    Json(GifsAgreement { agreed }): Json<GifsAgreement>,
) -> Result<Json<GifsBody>, Problem> {
    if agreed {
        check(&social)?;
    }
    let mut tx = social.db().begin().await?;
    tx.agree_to_gifs(actor.account, agreed.then(|| social.now())).await?;
    let body = stand(&social, &mut tx, actor.account).await?;
    tx.commit().await?;
    Ok(Json(body))
}

async fn stand(social: &Social, conn: &mut Conn, account: AccountId) -> Result<GifsBody, Problem> {
    let agreed_at = conn.gifs_agreed_at(account).await?;
    let giphy = social.giphy().filter(|_| agreed_at.is_some()).map(|giphy| GiphyBody {
        key: giphy.key.clone(),
        rating: giphy.rating,
        api: giphy.api.clone(),
    });
    Ok(GifsBody { available: social.giphy().is_some(), agreed_at, giphy })
}

/// That there are GIFs on this server.
pub(crate) fn check(social: &Social) -> Result<(), Problem> {
    if social.giphy().is_some() {
        return Ok(());
    }
    let text = "there are no GIFs on this server; whoever runs it can set them up";
    Err(Problem::new(ProblemCode::Conflict, text))
}
