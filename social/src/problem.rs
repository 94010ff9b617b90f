//! What a route answers where it does not do what was asked: `application/problem+json` (RFC 9457).
//!
//! Programs look at `code`, which never changes its meaning; people read `detail`, a sentence that
//! says what was wrong and what to do. What surprises: an error inside the server is written to its log
//! and answered without any of its words, since they may hold what somebody else typed.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// A refusal, or a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: ProblemCode,
    detail: String,
    retry_after: Option<Duration>,
    pointer: Option<&'static str>,
}

/// Makes the codes: the word for programs, the status, and the title for people.
macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// Which problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemCode {
            $($(#[$meta])* $name,)*
        }

        impl ProblemCode {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for programs: it never changes.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is no JSON.
    BadJson = "bad_json", BAD_REQUEST, "The body is not JSON";
    /// The path, the query or a header is wrong.
    BadRequest = "bad_request", BAD_REQUEST, "The request is malformed";
    /// Nobody is signed in.
    NotSignedIn = "not_signed_in", UNAUTHORIZED, "Nobody is signed in";
    /// The name or the password is wrong.
    WrongCredentials = "wrong_credentials", UNAUTHORIZED, "Name or password is wrong";
    /// This account may not do that.
    Forbidden = "forbidden", FORBIDDEN, "This is not allowed";
    /// Nobody signs in to the account, for a while or for good.
    Suspended = "suspended", FORBIDDEN, "The account is suspended";
    /// There are as many of them as there may be.
    LimitReached = "limit_reached", CONFLICT, "There are too many already";
    /// A page that is not ours made a browser send this.
    ForeignPage = "foreign_page", FORBIDDEN, "The request does not come from a page of this server";
    /// They objected to being counted.
    UsageRefused = "usage_refused", FORBIDDEN, "This account is not counted";
    /// Nobody signs up there.
    SignUpRefused = "sign_up_refused", FORBIDDEN, "An account cannot be made here";
    /// The password is wrong, of somebody who is signed in.
    WrongPassword = "wrong_password", FORBIDDEN, "The password is wrong";
    /// Whoever is signed in has to show once more who they are.
    ProofNeeded = "proof_needed", FORBIDDEN, "Show once more who you are";
    /// What a provider sent does not count.
    IdentityRefused = "identity_refused", FORBIDDEN, "The sign-in does not count";
    /// Whoever was asked by a provider said no.
    IdentityCancelled = "identity_cancelled", FORBIDDEN, "The sign-in was cancelled";
    /// Nobody has an account with this sign-in.
    IdentityUnknown = "identity_unknown", NOT_FOUND, "The sign-in has no account yet";
    /// The sign-in belongs to an account.
    IdentityTaken = "identity_taken", CONFLICT, "The sign-in belongs to an account";
    /// Nobody could sign in any more.
    LastWayIn = "last_way_in", CONFLICT, "It is the only way in";
    /// A provider cannot be reached.
    ProviderUnavailable = "provider_unavailable", SERVICE_UNAVAILABLE, "The provider does not answer";
    /// The room is private, and nothing was given that lets in.
    RoomPrivate = "room_private", FORBIDDEN, "The room is private";
    /// The invite is none, or lets in no more.
    WrongInvite = "wrong_invite", FORBIDDEN, "The invite is not valid";
    /// The account may not come into the room.
    Banned = "banned", FORBIDDEN, "The account is banned from the room";
    /// The account is to be erased.
    ErasurePending = "erasure_pending", FORBIDDEN, "The account is to be erased";
    /// There is no such thing, or it is not theirs.
    NotFound = "not_found", NOT_FOUND, "There is nothing here";
    /// Another method is needed.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Not with this method";
    /// Somebody has that username.
    UsernameTaken = "username_taken", CONFLICT, "The username is taken";
    /// Somebody has that address.
    EmailTaken = "email_taken", CONFLICT, "The e-mail address has an account";
    /// Somebody owns a room of that name.
    RoomTaken = "room_taken", CONFLICT, "The name of the room is taken";
    /// People play in a room that nobody owns.
    RoomInUse = "room_in_use", CONFLICT, "People play in the room";
    /// Another server keeps accounts of that region.
    WrongRegion = "wrong_region", CONFLICT, "Accounts of this region are kept elsewhere";
    /// It was changed meanwhile.
    Conflict = "conflict", CONFLICT, "It is not as it was";
    /// There is no more room for another.
    Full = "full", CONFLICT, "There is no more room";
    /// The body has too many bytes.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is of another type.
    WrongType = "wrong_type", UNSUPPORTED_MEDIA_TYPE, "The body is of another type";
    /// A value is not one that this takes.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "A value is wrong";
    /// The code is wrong, used, expired or was tried too often.
    WrongCode = "wrong_code", UNPROCESSABLE_ENTITY, "The code is not valid";
    /// There is no room for a file.
    QuotaExceeded = "quota_exceeded", PAYLOAD_TOO_LARGE, "There is no room left";
    /// The part of a file does not come next.
    WrongOffset = "wrong_offset", CONFLICT, "Another part comes next";
    /// Files of that kind are not kept.
    KindNotAllowed = "kind_not_allowed", UNSUPPORTED_MEDIA_TYPE, "No file of this kind is kept";
    /// A file has no such bytes.
    NoSuchRange = "no_such_range", RANGE_NOT_SATISFIABLE, "The file has no such bytes";
    /// Too many files are on their way.
    TooManyUploads = "too_many_uploads", TOO_MANY_REQUESTS, "Too many files are on their way";
    /// What is in a file is lost.
    Gone = "gone", GONE, "What is in it is no longer here";
    /// Files cannot be reached.
    ObjectsUnavailable = "objects_unavailable", SERVICE_UNAVAILABLE, "Files cannot be reached";
    /// Too many requests.
    TooMany = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests";
    /// The server failed.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server failed";
    /// The server has more to do than it can.
    Busy = "busy", SERVICE_UNAVAILABLE, "The server is busy";
    /// The server cannot send mail.
    MailUnavailable = "mail_unavailable", SERVICE_UNAVAILABLE, "This server sends no mail";
    /// There are no accounts on this server.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "There are no accounts on this server";
}

impl Problem {
    /// A problem, and the sentence that helps.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, pointer: None }
    }

    /// A value that is not one that this takes: which field of the body, and why.
    #[must_use]
    pub fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(field), ..Self::new(ProblemCode::Invalid, detail) }
    }

    /// Too many requests: again after so long, which is told in whole seconds, at least one.
    #[must_use]
    pub fn too_many(wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let text = format!("too many requests of this kind; try again in {seconds} s");
        Self { retry_after: Some(wait), ..Self::new(ProblemCode::TooMany, text) }
    }

    /// Nothing is there, or nothing of theirs.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemCode::NotFound, format!("there is no such {what}, or it is not yours"))
    }

    /// The server failed; why stands in its log.
    #[must_use]
    pub fn internal() -> Self {
        let text = "the server failed, and its log says why; try again, and tell whoever runs it";
        Self::new(ProblemCode::Internal, text)
    }

    /// Which problem it is.
    #[must_use]
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// The sentence that helps.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::new(ProblemCode::Busy, "the server is busy; try again in a moment")
            },
            // Whoever can meet this looks for it; the others lost a race.
            StoreError::Taken => {
                Self::new(ProblemCode::Conflict, "somebody else changed this at the same time")
            }
            StoreError::Failed(error) => {
                tracing::error!(error = %in_short(&error), "the database failed");
                Self::internal()
            }
        }
    }
}

/// What a database says without the values that it says it of: PostgreSQL quotes rows.
fn in_short(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => {
            let code = error.code().unwrap_or_default();
            format!("database error {code}")
        }
        None => error.to_string(),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ProblemBody {
            r#type: format!("urn:vjam:problem:{}", self.code.word()),
            title: self.code.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code.word().to_owned(),
            field: self.pointer.map(str::to_owned),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Rounded up, since whoever comes a moment too early is refused again; at least one.
fn whole_seconds(wait: Duration) -> u64 {
    let more = u64::from(wait.subsec_nanos() != 0);
    (wait.as_secs() + more).max(1)
}

/// A problem as it travels.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The same as `code`, as a URI.
    pub r#type: String,
    /// What it is, in a few words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What was wrong, and what to do.
    pub detail: String,
    /// What it is, for programs.
    pub code: String,
    /// Which field of the body it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The type of the body.
pub const CONTENT_TYPE: &str = "application/problem+json";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_a_word_of_its_own() {
        let words: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), ProblemCode::ALL.len());
        for word in words {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
        }
    }

    #[test]
    fn nobody_is_told_to_come_back_at_once() {
        for (wait, seconds) in [(0, "1"), (1, "1"), (999, "1"), (1000, "1"), (1001, "2")] {
            let response = Problem::too_many(Duration::from_millis(wait)).into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "{wait}");
        }
    }
}
