//! Who may ask for what: the one place that decides.
//!
//! Each route stands in the table with the least that somebody must be to use it. What is not in it
//! is refused to everybody, so a route that somebody adds and forgets here does nothing, which its
//! first test shows. Whose a thing is, is not asked here: a route looks for it among the things of
//! whoever asks, and what is not theirs is not found.

use axum::http::Method;

use crate::account::Role;
use crate::problem::{Problem, ProblemCode};

/// The least that somebody must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Anybody,
    /// Whoever is signed in, for what is theirs.
    User,
    /// A moderator or an admin.
    Moderator,
    /// An admin.
    Admin,
}

impl Access {
    /// Whether somebody of this role, or of none, is enough.
    #[must_use]
    pub const fn allows(self, role: Option<Role>) -> bool {
        match (self, role) {
            (Self::Anybody, _)
            | (Self::User, Some(Role::User | Role::Moderator | Role::Admin))
            | (Self::Moderator, Some(Role::Moderator | Role::Admin))
            | (Self::Admin, Some(Role::Admin)) => true,
            (Self::User | Self::Moderator | Self::Admin, _) => false,
        }
    }
}

/// Decides whether somebody of this role, or of none, may use a route.
///
/// # Errors
/// When they may not, or when nobody said who may.
pub fn authorize(method: &Method, path: &str, role: Option<Role>) -> Result<(), Problem> {
    match (of(method, path), role) {
        (Some(access), role) if access.allows(role) => Ok(()),
        (Some(_), None) => {
            let text = "sign in first, and send the session's token or cookie along";
            Err(Problem::new(ProblemCode::NotSignedIn, text))
        }
        (Some(_), Some(_)) => {
            let text = "your account's role does not allow this; an admin can change it";
            Err(Problem::new(ProblemCode::Forbidden, text))
        }
        (None, _) => {
            tracing::error!(%method, path, "nobody said who may use this route");
            Err(Problem::new(ProblemCode::Forbidden, "nobody may use this route"))
        }
    }
}

/// What the table says of a route.
#[must_use]
pub fn of(method: &Method, path: &str) -> Option<Access> {
    // The server answers HEAD where it answers GET, so whoever may ask for one may for the other.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let rule = TABLE.iter().find(|(known, at, _)| *known == method.as_str() && *at == path);
    rule.map(|(_, _, access)| *access)
}

/// Every route: its method, its path, and who may use it.
pub const TABLE: &[(&str, &str, Access)] = &[
    ("GET", "/openapi.json", Access::Anybody),
    ("POST", "/api/v1/social/age", Access::Anybody),
    ("POST", "/api/v1/social/sign-ups", Access::Anybody),
    ("POST", "/api/v1/social/sign-ups/{sign_up}/code", Access::Anybody),
    ("POST", "/api/v1/social/sign-ups/{sign_up}/verify", Access::Anybody),
    ("POST", "/api/v1/social/sessions", Access::Anybody),
    ("GET", "/api/v1/social/sessions", Access::User),
    ("DELETE", "/api/v1/social/sessions", Access::User),
    ("DELETE", "/api/v1/social/sessions/current", Access::User),
    ("DELETE", "/api/v1/social/sessions/{session}", Access::User),
    ("GET", "/api/v1/social/identity/providers", Access::Anybody),
    ("POST", "/api/v1/social/identity/{provider}/begin", Access::Anybody),
    // Whoever comes back from a provider shows what only they have.
    ("GET", "/api/v1/social/identity/{provider}/callback", Access::Anybody),
    ("POST", "/api/v1/social/identity/{provider}/callback", Access::Anybody),
    // A provider that tells of something has signed it.
    ("POST", "/api/v1/social/identity/{provider}/events", Access::Anybody),
    ("POST", "/api/v1/social/sessions/identity", Access::Anybody),
    ("POST", "/api/v1/social/sign-ups/identity", Access::Anybody),
    ("GET", "/api/v1/social/account/identities", Access::User),
    ("POST", "/api/v1/social/account/identities", Access::User),
    ("POST", "/api/v1/social/account/identities/{identity}/unlink", Access::User),
    ("POST", "/api/v1/social/password-resets", Access::Anybody),
    ("POST", "/api/v1/social/password-resets/{reset}/complete", Access::Anybody),
    ("GET", "/api/v1/social/account", Access::User),
    ("PUT", "/api/v1/social/account/password", Access::User),
    ("PUT", "/api/v1/social/account/username", Access::User),
    ("PUT", "/api/v1/social/account/language", Access::User),
    ("POST", "/api/v1/social/account/email", Access::User),
    ("POST", "/api/v1/social/account/email/{change}/verify", Access::User),
    ("GET", "/api/v1/social/admin/accounts", Access::Admin),
    ("PUT", "/api/v1/social/admin/accounts/{account}/role", Access::Admin),
    ("POST", "/api/v1/social/usage", Access::User),
    ("GET", "/api/v1/social/account/usage", Access::User),
    ("PUT", "/api/v1/social/account/usage", Access::User),
    ("GET", "/api/v1/social/admin/usage", Access::Admin),
    ("POST", "/api/{project}/envelope/", Access::Anybody),
    ("GET", "/api/v1/social/privacy", Access::Anybody),
    ("GET", "/api/v1/social/admin/crashes", Access::Admin),
    ("GET", "/api/v1/social/admin/crashes/{crash}", Access::Admin),
    ("DELETE", "/api/v1/social/admin/crashes/{crash}", Access::Admin),
    // People.
    ("GET", "/api/v1/social/account/preferences", Access::User),
    ("PUT", "/api/v1/social/account/preferences", Access::User),
    ("GET", "/api/v1/social/account/gifs", Access::User),
    ("PUT", "/api/v1/social/account/gifs", Access::User),
    ("GET", "/api/v1/social/account/profile", Access::User),
    ("PUT", "/api/v1/social/account/profile", Access::User),
    ("PUT", "/api/v1/social/account/photo", Access::User),
    ("DELETE", "/api/v1/social/account/photo", Access::User),
    ("GET", "/api/v1/social/account/blocks", Access::User),
    ("PUT", "/api/v1/social/account/blocks/{username}", Access::User),
    ("DELETE", "/api/v1/social/account/blocks/{username}", Access::User),
    ("GET", "/api/v1/social/account/notices", Access::User),
    ("POST", "/api/v1/social/account/notices/read", Access::User),
    ("GET", "/api/v1/social/account/push", Access::User),
    ("PUT", "/api/v1/social/account/push", Access::User),
    ("DELETE", "/api/v1/social/account/push/{browser}", Access::User),
    ("GET", "/api/v1/social/people", Access::User),
    ("GET", "/api/v1/social/people/{username}", Access::User),
    ("GET", "/api/v1/social/people/{username}/photo", Access::User),
    ("GET", "/api/v1/social/friends", Access::User),
    ("PUT", "/api/v1/social/friends/{username}", Access::User),
    ("DELETE", "/api/v1/social/friends/{username}", Access::User),
    ("POST", "/api/v1/social/reports", Access::User),
    ("GET", "/api/v1/social/moderation/reports", Access::Moderator),
    ("GET", "/api/v1/social/moderation/reports/{report}", Access::Moderator),
    ("GET", "/api/v1/social/moderation/reports/{report}/photo", Access::Moderator),
    ("GET", "/api/v1/social/moderation/reports/{report}/file", Access::Moderator),
    ("GET", "/api/v1/social/moderation/reports/{report}/files/{file}", Access::Moderator),
    ("POST", "/api/v1/social/moderation/reports/{report}/files/{file}/remove", Access::Moderator),
    ("POST", "/api/v1/social/moderation/reports/{report}/resolve", Access::Moderator),
    ("DELETE", "/api/v1/social/moderation/accounts/{account}/suspension", Access::Moderator),
    ("POST", "/api/v1/social/chats", Access::User),
    ("GET", "/api/v1/social/chats", Access::User),
    ("GET", "/api/v1/social/chats/{chat}", Access::User),
    ("PATCH", "/api/v1/social/chats/{chat}", Access::User),
    ("POST", "/api/v1/social/chats/{chat}/leave", Access::User),
    ("POST", "/api/v1/social/chats/{chat}/members", Access::User),
    ("DELETE", "/api/v1/social/chats/{chat}/members/{account}", Access::User),
    ("PUT", "/api/v1/social/chats/{chat}/members/{account}/role", Access::User),
    ("GET", "/api/v1/social/chats/{chat}/messages", Access::User),
    ("POST", "/api/v1/social/chats/{chat}/messages", Access::User),
    ("GET", "/api/v1/social/chats/{chat}/changes", Access::User),
    ("PUT", "/api/v1/social/chats/{chat}/read", Access::User),
    ("PATCH", "/api/v1/social/messages/{message}", Access::User),
    ("DELETE", "/api/v1/social/messages/{message}", Access::User),
    ("PUT", "/api/v1/social/messages/{message}/reactions/{emoji}", Access::User),
    ("DELETE", "/api/v1/social/messages/{message}/reactions/{emoji}", Access::User),
    ("GET", "/api/v1/social/search/messages", Access::User),
    ("GET", "/api/v1/social/live", Access::User),
    ("POST", "/api/v1/social/uploads", Access::User),
    ("GET", "/api/v1/social/uploads/{upload}", Access::User),
    ("PATCH", "/api/v1/social/uploads/{upload}", Access::User),
    ("DELETE", "/api/v1/social/uploads/{upload}", Access::User),
    ("POST", "/api/v1/social/uploads/{upload}/complete", Access::User),
    ("GET", "/api/v1/social/files", Access::User),
    ("GET", "/api/v1/social/files/{file}", Access::User),
    ("DELETE", "/api/v1/social/files/{file}", Access::User),
    ("GET", "/api/v1/social/files/{file}/content", Access::User),
    ("GET", "/api/v1/social/files/{file}/thumbnail", Access::User),
    ("GET", "/api/v1/social/files/{file}/peaks", Access::User),
    ("POST", "/api/v1/social/files/{file}/link", Access::User),
    ("POST", "/api/v1/social/files/{file}/comments", Access::User),
    ("GET", "/api/v1/social/files/{file}/comments", Access::User),
    ("DELETE", "/api/v1/social/files/{file}/comments/{comment}", Access::User),
    // Whoever has the link may follow it.
    ("GET", "/api/v1/social/content/{token}", Access::Anybody),
    // Rooms that accounts own; whoever is not signed in may look at them and come in.
    ("POST", "/api/v1/social/rooms", Access::User),
    ("GET", "/api/v1/social/rooms", Access::User),
    ("GET", "/api/v1/social/public-rooms", Access::Anybody),
    ("GET", "/api/v1/social/rooms/{room}", Access::Anybody),
    ("PATCH", "/api/v1/social/rooms/{room}", Access::User),
    ("DELETE", "/api/v1/social/rooms/{room}", Access::User),
    ("POST", "/api/v1/social/rooms/{room}/pass", Access::Anybody),
    ("POST", "/api/v1/social/rooms/{room}/moderators", Access::User),
    ("DELETE", "/api/v1/social/rooms/{room}/moderators/{account}", Access::User),
    ("GET", "/api/v1/social/rooms/{room}/bans", Access::User),
    ("POST", "/api/v1/social/rooms/{room}/bans", Access::User),
    ("DELETE", "/api/v1/social/rooms/{room}/bans/{account}", Access::User),
    ("GET", "/api/v1/social/rooms/{room}/invites", Access::User),
    ("POST", "/api/v1/social/rooms/{room}/invites", Access::User),
    ("DELETE", "/api/v1/social/rooms/{room}/invites/{invite}", Access::User),
    // The rights that people have over what is kept of them.
    ("POST", "/api/v1/social/account/erasure", Access::User),
    ("POST", "/api/v1/social/account/erasure/cancel", Access::Anybody),
    ("POST", "/api/v1/social/account/erasure/cancel-with-identity", Access::Anybody),
    ("GET", "/api/v1/social/account/exports", Access::User),
    ("POST", "/api/v1/social/account/exports", Access::User),
    ("POST", "/api/v1/social/account/exports/{export}/link", Access::User),
    // Whoever has the link has proven who they are.
    ("GET", "/api/v1/social/exports/{token}", Access::Anybody),
    ("GET", "/api/v1/social/export-schema.json", Access::Anybody),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_allows_what_those_below_it_may_and_nothing_above() {
        let roles = [None, Some(Role::User), Some(Role::Moderator), Some(Role::Admin)];
        let levels = [Access::Anybody, Access::User, Access::Moderator, Access::Admin];
        for (level, access) in levels.into_iter().enumerate() {
            for (rank, role) in roles.into_iter().enumerate() {
                assert_eq!(access.allows(role), level <= rank, "{access:?} for {role:?}");
            }
        }
    }

    #[test]
    fn head_is_asked_for_what_get_is() {
        for (method, path, access) in TABLE {
            if *method == "GET" {
                assert_eq!(of(&Method::HEAD, path), Some(*access), "{path}");
            }
        }
        assert_eq!(of(&Method::HEAD, "/api/v1/social/age"), None, "no GET, no HEAD");
    }

    #[test]
    fn what_nobody_named_is_refused_even_to_admins() {
        for (method, path) in [
            (Method::GET, "/api/v1/social/new"),
            (Method::PATCH, "/api/v1/social/account"),
            (Method::GET, "/api/v1/social/account/"),
        ] {
            let refused = authorize(&method, path, Some(Role::Admin)).expect_err("refused");
            assert_eq!(refused.code(), ProblemCode::Forbidden);
        }
    }
}
