//! What lets into a room that is private: a password or an invite, for which the server gives a pass.

use signalling_client::RoomLink;
use ureq::http::StatusCode;

use crate::http::agent;

/// What somebody has who may come into a private room.
#[derive(Clone, PartialEq, Eq)]
pub enum RoomKey {
    /// The room's password.
    Password(String),
    /// What stands behind `#invite=` in the link.
    Invite(String),
}

impl core::fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RoomKey(..)")
    }
}

/// Why there is no pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPass {
    /// The server could not be asked, or has no time: another try may help.
    Lost(String),
    /// It says no.
    Refused(String),
}

impl RoomKey {
    /// Asks the server for a pass, which lets in for a minute; none where the room wants none. Waits for
    /// the network.
    ///
    /// # Errors
    /// When the server says no, or nothing.
    pub(super) fn pass(&self, link: &RoomLink) -> Result<Option<String>, NoPass> {
        let url = format!("{}/api/v1/social/rooms/{}/pass", link.http_url(), link.room);
        let body = match self {
            Self::Password(password) => serde_json::json!({ "password": password }),
            Self::Invite(invite) => serde_json::json!({ "invite": invite }),
        };
        let request = agent().post(&url).header("content-type", "application/json");
        let lost = |error: ureq::Error| NoPass::Lost(format!("no pass into the room: {error}"));
        let mut response = request.send(body.to_string()).map_err(lost)?;
        let status = response.status();
        let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let answer = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        read(status, &answer)
    }
}

fn read(status: StatusCode, answer: &serde_json::Value) -> Result<Option<String>, NoPass> {
    let word = |field: &str| answer[field].as_str().map(str::to_owned);
    let detail = |otherwise: &str| word("detail").unwrap_or_else(|| otherwise.to_owned());
    match status {
        StatusCode::OK => Ok(word("pass")),
        StatusCode::FORBIDDEN => Err(NoPass::Refused(detail("the server refuses to let you in"))),
        // The server has no accounts, so that everybody may come.
        StatusCode::SERVICE_UNAVAILABLE if answer["code"] == "unavailable" => Ok(None),
        StatusCode::TOO_MANY_REQUESTS => Err(NoPass::Lost(detail("too many tries to get a pass"))),
        status if status.is_server_error() => {
            Err(NoPass::Lost(detail("the server gives no pass at the moment")))
        }
        // Nobody owns the room.
        _ => Ok(None),
    }
}

/// Of an answer; a pass has some 150.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_a_pass_a_refusal_or_that_none_is_needed() {
        let pass = json!({ "pass": "p", "role": "guest", "seconds": 60 });
        assert_eq!(read(StatusCode::OK, &pass), Ok(Some("p".to_owned())));
        let wrong = json!({ "code": "wrong_password", "detail": "this is not it" });
        let refused = Err(NoPass::Refused("this is not it".to_owned()));
        assert_eq!(read(StatusCode::FORBIDDEN, &wrong), refused);
        for none in [StatusCode::NOT_FOUND, StatusCode::OK] {
            assert_eq!(read(none, &json!({})), Ok(None), "{none}");
        }
        let off = json!({ "code": "unavailable", "detail": "accounts are off" });
        assert_eq!(read(StatusCode::SERVICE_UNAVAILABLE, &off), Ok(None));
        assert!(read(StatusCode::FORBIDDEN, &json!("<html>")).is_err());
        for soon in [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
        ] {
            let busy = json!({ "code": "busy", "detail": "later" });
            assert_eq!(read(soon, &busy), Err(NoPass::Lost("later".to_owned())), "{soon}");
            assert!(matches!(read(soon, &json!("<html>")), Err(NoPass::Lost(_))), "{soon}");
        }
        assert_eq!(format!("{:?}", RoomKey::Password("secret".into())), "RoomKey(..)");
    }
}
