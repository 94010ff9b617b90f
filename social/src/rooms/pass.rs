//! Passes: what lets into a room, for a minute, and who comes with it.
//!
//! A pass is text, `room.account.end.nonce.mac`, readable by whoever holds it: what counts is the MAC under the
//! server's key. Nothing is kept of it. What surprises: it does not say what an account may do, since that
//! may change before it is shown.

use axum::extract::State;
use protocol::id::RoomId;
use protocol::limits::PASS_LIFE_SECONDS;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{RoomRole, Visibility, named, no_room, role_of};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::extract::{Json, Path};
use crate::http::{Caller, MaybeActor};
use crate::id::AccountId;
use crate::limits::PASS_LIFE;
use crate::problem::{Problem, ProblemCode};
use crate::secret::{Purpose, ServerKey, Token, hex, random, unhex};
use crate::store::Room;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(pass))
}

/// Why somebody may come, where that is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PassWanted {
    /// The room's password.
    #[schema(format = "password")]
    password: Option<String>,
    /// What stands behind `#invite=` in the link.
    invite: Option<String>,
}

/// What lets in.
#[derive(Serialize, ToSchema)]
struct PassGiven {
    /// For the `join` of signalling.
    pass: String,
    /// What whoever asked may do in the room.
    role: RoomRole,
    /// How long it lets in.
    seconds: u32,
}

/// Gives a pass for a room that somebody owns: to its owner and its moderators, to whoever has password
/// or invite of a private one, and to everybody for others.
#[utoipa::path(
    post, path = "/api/v1/social/rooms/{room}/pass", tag = "rooms", request_body = PassWanted,
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "The pass", body = PassGiven))
)]
async fn pass(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Path(room): Path<String>,
    Json(wanted): Json<PassWanted>,
) -> Result<Json<PassGiven>, Problem> {
    social.room_rates().pass(&caller)?;
    let name = named(&room)?;
    let account = actor.map(|actor| actor.account);
    let (room, role) = {
        let mut conn = social.db().read().await?;
        let room = conn.room(name.as_str()).await?.ok_or_else(no_room)?;
        if let Some(account) = account
            && conn.is_room_banned(&room.name, account).await?
        {
            return Err(Problem::new(ProblemCode::Banned, BANNED));
        }
        let role = role_of(&mut conn, &room, account).await?;
        (room, role)
    };
    if room.visibility == Visibility::Private && role == RoomRole::Guest {
        social.prove_guest(&caller, &name, &room, wanted).await?;
    }
    let pass = Pass { room: name, account, end: social.now().after(PASS_LIFE) };
    Ok(Json(PassGiven { pass: pass.sign(social.key()), role, seconds: PASS_LIFE_SECONDS }))
}

impl Social {
    /// That a guest has the password of a private room, or an invite.
    async fn prove_guest(
        &self,
        caller: &Caller,
        name: &RoomId,
        room: &Room,
        wanted: PassWanted,
    ) -> Result<(), Problem> {
        let PassWanted { password, invite } = wanted;
        if let Some(invite) = invite {
            // Too long and random to be guessed: only passes are counted.
            let hash = Token::parse(invite.trim()).map(|token| token.hash());
            let lets_in = match hash {
                Some(hash) => {
                    let now = self.now();
                    self.db().read().await?.is_room_invite(&room.name, &hash, now).await?
                }
                None => false,
            };
            if lets_in {
                return Ok(());
            }
            let text = "this invite does not let in any more; ask whoever sent it for another";
            return Err(Problem::new(ProblemCode::WrongInvite, text));
        }
        let Some(hash) = &room.password_hash else {
            let text = "this room is private; ask its owner for an invite";
            return Err(Problem::new(ProblemCode::RoomPrivate, text));
        };
        let Some(password) = password else {
            let text = "this room is private; it wants its password, or an invite";
            return Err(Problem::new(ProblemCode::RoomPrivate, text));
        };
        self.room_rates().guess(caller, name)?;
        let verdict = self.passwords().verify(password, Some(hash.clone())).await;
        let is_wrong = verdict.as_ref().is_ok_and(|verdict| !verdict.is_right);
        if !is_wrong {
            self.room_rates().guess_was_not_wrong(caller, name);
        }
        if verdict?.is_right {
            return Ok(());
        }
        let text = "this is not the room's password; ask whoever told it to you";
        Err(Problem::new(ProblemCode::WrongPassword, text))
    }
}

/// Why an account does not come in that is banned.
pub(super) const BANNED: &str = "you are banned from this room";

/// What a pass says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) room: RoomId,
    /// Who comes, where they are signed in.
    pub(super) account: Option<AccountId>,
    /// From when on it lets nobody in.
    pub(super) end: UnixMs,
}

impl Pass {
    /// As it travels; no two are the same, so that one tells who came by it.
    fn sign(&self, key: &ServerKey) -> String {
        let account = self.account.map_or_else(|| GUEST.to_owned(), |account| account.to_string());
        let nonce = hex(&random()[..NONCE_BYTES]);
        // Neither a room's name nor an id has a dot.
        let said = format!("{}.{account}.{}.{nonce}", self.room, self.end.0);
        let mac = hex(&key.keyed_hash(Purpose::Pass, said.as_bytes()));
        format!("{said}.{mac}")
    }

    /// One that travelled; none where it is none of ours.
    pub(super) fn read(key: &ServerKey, text: &str) -> Option<Self> {
        let (said, mac) = text.rsplit_once('.')?;
        if !key.is_hash(Purpose::Pass, said.as_bytes(), &unhex(mac)?) {
            return None;
        }
        let mut parts = said.split('.');
        let room = RoomId::parse(parts.next()?).ok()?;
        let account = match parts.next()? {
            GUEST => None,
            account => Some(account.parse().ok()?),
        };
        Some(Self { room, account, end: UnixMs(parts.next()?.parse().ok()?) })
    }
}

/// What stands for somebody who is not signed in.
const GUEST: &str = "guest";

const NONCE_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_read_as_it_was_signed_and_only_so() {
        let key = ServerKey::new([1; 32]);
        for account in [None, Some(AccountId::fresh(UnixMs(5)))] {
            let room = RoomId::parse("blue-note").expect("a name");
            let pass = Pass { room, account, end: UnixMs(1_790_000_000_000) };
            let text = pass.sign(&key);
            assert_ne!(text, pass.sign(&key), "no two are the same");
            assert_eq!(Pass::read(&key, &text), Some(pass));
            assert_eq!(Pass::read(&ServerKey::new([2; 32]), &text), None);
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes).expect("ASCII with one bit flipped");
                assert_eq!(Pass::read(&key, &changed), None, "byte {at}");
            }
        }
        for text in ["", ".", "....", "blue-note.guest.9.00.zz"] {
            assert_eq!(Pass::read(&key, text), None, "{text:?}");
        }
    }
}
