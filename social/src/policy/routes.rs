//! The page about privacy, as data.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Policy;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::extract::Json;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(privacy))
}

/// The page about privacy.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyBody {
    /// When this version was announced.
    announced_at: UnixMs,
    /// From when on it holds.
    takes_effect_at: UnixMs,
    #[serde(flatten)]
    policy: Policy,
}

/// Says what is kept, of whom, what for and how long, and who else gets it.
#[utoipa::path(
    get, path = "/api/v1/social/privacy", tag = "privacy",
    responses((status = 200, description = "What this server keeps", body = PolicyBody))
)]
async fn privacy(State(social): State<Social>) -> Result<Json<PolicyBody>, Problem> {
    let policy = social.policy();
    let announced = social.db().read().await?.policy(&policy.hash()).await?;
    let announced = announced.ok_or_else(Problem::internal)?;
    Ok(Json(PolicyBody {
        announced_at: announced.announced_at,
        takes_effect_at: announced.takes_effect_at,
        policy: policy.clone(),
    }))
}
