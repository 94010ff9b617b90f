//! What apps say of how they are used, who objects to it, and what an admin sees of it.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Counted, LENGTHS_FROM, day_of};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Query};
use crate::limits::{USAGE_DAYS_SHOWN_MAX, USAGE_EVENTS_MAX, USAGE_MINUTES_MAX};
use crate::problem::{Problem, ProblemCode};

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(count))
        .routes(routes!(choice, choose))
        .routes(routes!(figures))
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Usage {
    /// One to 50 things.
    #[schema(min_items = 1, max_items = 50)]
    events: Vec<UsageEvent>,
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum UsageEvent {
    /// Somebody played in a room, and left it.
    Session {
        /// With what.
        with: Client,
        /// How long, a day at most.
        #[schema(maximum = 1440)]
        minutes: u16,
    },
    /// Somebody used something.
    Feature {
        /// What.
        feature: Feature,
    },
}

/// With what somebody plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Client {
    /// The page in a browser.
    Browser,
    /// The command.
    Native,
}

/// What can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Feature {
    /// The click.
    Click,
    /// A take.
    Take,
    /// A playing mode other than the usual one.
    PlayingMode,
    /// The check before joining.
    Soundcheck,
    /// A message.
    Chat,
    /// A file.
    File,
}

impl UsageEvent {
    fn counted(self) -> Result<Counted, Problem> {
        match self {
            Self::Session { minutes, .. } if USAGE_MINUTES_MAX < minutes => {
                let text = format!("a session has {USAGE_MINUTES_MAX} minutes at most, a day");
                Err(Problem::invalid("events", text))
            }
            Self::Session { with, minutes } => {
                let word = match with {
                    Client::Browser => "browser",
                    Client::Native => "native",
                };
                Ok(Counted { kind: "session", word, minutes: Some(minutes) })
            }
            Self::Feature { feature } => {
                let word = match feature {
                    Feature::Click => "click",
                    Feature::Take => "take",
                    Feature::PlayingMode => "playing_mode",
                    Feature::Soundcheck => "soundcheck",
                    Feature::Chat => "chat",
                    Feature::File => "file",
                };
                Ok(Counted { kind: "feature", word, minutes: None })
            }
        }
    }
}

/// Counts how the app was used.
///
/// Whoever objected is refused, by the server and whatever the app believes.
#[utoipa::path(
    post, path = "/api/v1/social/usage", tag = "usage", request_body = Usage,
    responses((status = 204, description = "It is counted"))
)]
async fn count(
    State(social): State<Social>,
    actor: Actor,
    Json(Usage { events }): Json<Usage>,
) -> Result<StatusCode, Problem> {
    social.rates().usage(actor.account)?;
    if events.is_empty() || USAGE_EVENTS_MAX < events.len() {
        let text = format!("send 1 to {USAGE_EVENTS_MAX} events at once");
        return Err(Problem::invalid("events", text));
    }
    let counted: Vec<_> = events.into_iter().map(UsageEvent::counted).collect::<Result<_, _>>()?;
    let mut tx = social.db().begin().await?;
    if !tx.count_usage(actor.account, social.key(), &counted, social.now()).await? {
        let text = "this account objected to being counted, so nothing was kept";
        return Err(Problem::new(ProblemCode::UsageRefused, text));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody is counted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UsageChoice {
    /// Whether how they use the app may be counted, and crashes of their programs be reported.
    allowed: bool,
}

/// Whether somebody is counted, and with what their programs report crashes.
#[derive(Debug, Serialize, ToSchema)]
struct UsageAnswer {
    /// Whether how they use the app may be counted, and crashes of their programs be reported.
    allowed: bool,
    /// What a program shows that reports a crash; none where this server takes no reports, or none of
    /// theirs.
    crash_key: Option<String>,
}

/// Tells whether how the app is used may be counted, and its crashes be reported.
#[utoipa::path(
    get, path = "/api/v1/social/account/usage", tag = "usage",
    responses((status = 200, description = "Whether it may", body = UsageAnswer))
)]
async fn choice(State(social): State<Social>, actor: Actor) -> Result<Json<UsageAnswer>, Problem> {
    let objected = social.db().read().await?.usage_objection(actor.account).await?;
    let allowed = objected.is_none();
    let crash_key = social.crash_key().filter(|_| allowed).map(str::to_owned);
    Ok(Json(UsageAnswer { allowed, crash_key }))
}

/// Objects to being counted, or takes that back. It holds at once; what is of the present day is deleted.
#[utoipa::path(
    put, path = "/api/v1/social/account/usage", tag = "usage", request_body = UsageChoice,
    responses((status = 204, description = "It holds"))
)]
async fn choose(
    State(social): State<Social>,
    actor: Actor,
    Json(UsageChoice { allowed }): Json<UsageChoice>,
) -> Result<StatusCode, Problem> {
    let now = social.now();
    let mut tx = social.db().begin().await?;
    if allowed {
        tx.allow_usage(actor.account).await?;
    } else {
        tx.object_to_usage(actor.account, social.key(), now).await?;
        crate::clean::Clean::schedule(&mut tx, &["usage_events"], now, std::time::Duration::ZERO)
            .await?;
    }
    tx.commit().await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}

/// From when on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// A moment of the first day.
    since: UnixMs,
}

/// What was counted on a day, of everybody together.
#[derive(Debug, Serialize, ToSchema)]
struct UsageDay {
    /// Its first moment, in UTC.
    day: UnixMs,
    /// How many people were counted.
    people: i64,
    /// What was counted.
    counts: Vec<UsageCount>,
    /// How long sessions took, from short to long.
    lengths: Vec<UsageLength>,
}

/// How many sessions were about as long.
#[derive(Debug, Serialize, ToSchema)]
struct UsageLength {
    /// At least so many minutes, and less than the next.
    from_minutes: u16,
    /// How many.
    count: i64,
}

/// How often something was counted.
#[derive(Debug, Serialize, ToSchema)]
struct UsageCount {
    /// `session` or `feature`.
    kind: String,
    /// With what somebody played, or what they used.
    word: String,
    /// How often.
    count: i64,
    /// The minutes of all together, where it takes time.
    minutes: i64,
}

/// Shows how the app is used, day by day, of everybody together.
#[utoipa::path(
    get, path = "/api/v1/social/admin/usage", tag = "admin", params(Since),
    responses((status = 200, description = "The latest day first", body = [UsageDay]))
)]
async fn figures(
    State(social): State<Social>,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Vec<UsageDay>>, Problem> {
    let mut conn = social.db().read().await?;
    let days = conn.usage_since(day_of(since), USAGE_DAYS_SHOWN_MAX).await?;
    let shown = days.into_iter().map(|day| UsageDay {
        day: UnixMs(day.day.saturating_mul(super::DAY_MS)),
        people: day.people,
        counts: day
            .words
            .into_iter()
            .map(|(kind, word, count, minutes)| UsageCount { kind, word, count, minutes })
            .collect(),
        lengths: LENGTHS_FROM
            .into_iter()
            .zip(day.lengths)
            .map(|(from_minutes, count)| UsageLength { from_minutes, count })
            .collect(),
    });
    Ok(Json(shown.collect()))
}
