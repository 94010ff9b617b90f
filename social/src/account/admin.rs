//! Roles: who gives them, and how the first admin gets theirs.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Role;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::AccountId;
use crate::limits::{SEARCH_MAX, STAFF_SHOWN_MAX};
use crate::people::name_key;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Db, StoreError};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(accounts)).routes(routes!(give_role))
}

/// Whom to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// What the username begins with; those who have a role if not said.
    q: Option<String>,
}

/// An account as admins see it.
#[derive(Debug, Serialize, ToSchema)]
struct AdminAccount {
    id: AccountId,
    username: String,
    role: Role,
    /// Whether nobody can sign in to the account.
    is_suspended: bool,
    created_at: UnixMs,
}

/// Accounts that were found.
#[derive(Debug, Serialize, ToSchema)]
struct AdminAccounts {
    accounts: Vec<AdminAccount>,
}

/// Looks for accounts by how their names begin, 20 at most; or lists those that have a role.
#[utoipa::path(
    get, path = "/api/v1/social/admin/accounts", tag = "admin", params(Search),
    responses(
        (status = 200, description = "In the order of their names", body = AdminAccounts),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn accounts(
    State(social): State<Social>,
    actor: Actor,
    Query(Search { q }): Query<Search>,
) -> Result<Json<AdminAccounts>, Problem> {
    social.people_rates().look(actor.account)?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let ids = match q.as_deref().map(name_key) {
        None => tx.staff(STAFF_SHOWN_MAX).await?,
        Some(Some(prefix)) => tx.accounts_named(&prefix, SEARCH_MAX).await?,
        Some(None) => Vec::new(),
    };
    let mut accounts = Vec::new();
    for id in ids {
        let Some(account) = tx.account(id).await? else { continue };
        accounts.push(AdminAccount {
            id,
            username: account.username,
            role: account.role,
            is_suspended: tx.suspension(id, now).await?.is_some(),
            created_at: account.created_at,
        });
    }
    tx.audit(Some(actor.account), None, "accounts_listed", now).await?;
    tx.commit().await?;
    Ok(Json(AdminAccounts { accounts }))
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleChange {
    role: Role,
}

/// Gives somebody else's account a role.
#[utoipa::path(
    put, path = "/api/v1/social/admin/accounts/{account}/role", tag = "admin",
    request_body = RoleChange,
    params(("account" = AccountId, Path, description = "The account")),
    responses((status = 204, description = "The account has the role"))
)]
async fn give_role(
    State(social): State<Social>,
    actor: Actor,
    Path(account): Path<AccountId>,
    Json(RoleChange { role }): Json<RoleChange>,
) -> Result<StatusCode, Problem> {
    if account == actor.account {
        let text = "nobody changes their own role: a server would be left without an admin";
        return Err(Problem::new(ProblemCode::Forbidden, text));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    if !tx.set_role(account, role).await? {
        return Err(Problem::not_found("account"));
    }
    tx.audit(Some(actor.account), account, action(role), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

const fn action(role: Role) -> &'static str {
    match role {
        Role::User => "role_user",
        Role::Moderator => "role_moderator",
        Role::Admin => "role_admin",
    }
}

/// Nobody has an account with this address.
#[derive(Debug, thiserror::Error)]
pub enum NoSuchAccount {
    /// There is none.
    #[error("no account has this e-mail address; its owner has to sign up first")]
    None,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Db {
    /// Gives the account of an address a role, by whoever runs the server.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn grant(&self, email: &str, role: Role, now: UnixMs) -> Result<(), NoSuchAccount> {
        let mut tx = self.begin().await?;
        let account = tx.account_by_email(&email.trim().to_lowercase()).await?;
        let account = account.ok_or(NoSuchAccount::None)?;
        tx.set_role(account.id, role).await?;
        tx.audit(None, account.id, action(role), now).await?;
        tx.commit().await?;
        Ok(())
    }
}
