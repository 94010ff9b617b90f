//! Tickets: short-lived, signed proof that signalling let a participant open a media link.
//!
//! A ticket is text, `kind.room.participant.end.mac`, readable by whoever holds it: what counts is
//! the MAC (HMAC-SHA256). Nothing is stored here, so that another node with the same key can check
//! a ticket. The end is in Unix time for the same reason.

use core::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::id::{ParticipantId, RoomId};
use sha2::Sha256;

use crate::hex;

/// What tickets are signed with. Its owner keeps it between runs.
#[derive(Clone)]
pub struct TicketKey([u8; 32]);

impl TicketKey {
    /// A key; 32 bytes that nobody else knows.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl core::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TicketKey(..)")
    }
}

/// What a ticket allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TicketKind {
    /// To open the media link of a participant.
    Media,
}

impl TicketKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Media => "media",
        }
    }
}

/// Whom a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bearer<'a> {
    pub(crate) kind: TicketKind,
    pub(crate) room: &'a RoomId,
    pub(crate) participant: ParticipantId,
}

/// Why a ticket does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedTicket {
    /// Not a ticket of ours, or not this bearer's.
    Forged,
    /// It was one, some time ago.
    TooOld,
}

/// Writes a ticket that holds for `life` from now.
pub(crate) fn sign(
    key: &TicketKey,
    bearer: Bearer<'_>,
    now_unix_ms: u64,
    life: Duration,
) -> String {
    let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let body = body(bearer, now_unix_ms.saturating_add(life_ms));
    let mac = hex::encode(&mac(key, &body).finalize().into_bytes());
    format!("{body}.{mac}")
}

/// Whether a ticket is ours, `bearer`'s, and still holds.
pub(crate) fn check(
    key: &TicketKey,
    bearer: Bearer<'_>,
    now_unix_ms: u64,
    ticket: &str,
) -> Result<(), RefusedTicket> {
    let (signed, mac_hex) = ticket.rsplit_once('.').ok_or(RefusedTicket::Forged)?;
    let mac_bytes = hex::decode::<32>(mac_hex).ok_or(RefusedTicket::Forged)?;
    // Compares in constant time.
    mac(key, signed).verify_slice(&mac_bytes).map_err(|_| RefusedTicket::Forged)?;
    let end = signed.rsplit_once('.').and_then(|(_, end)| end.parse::<u64>().ok());
    let end_unix_ms = end.ok_or(RefusedTicket::Forged)?;
    if body(bearer, end_unix_ms) != signed {
        return Err(RefusedTicket::Forged);
    }
    if end_unix_ms <= now_unix_ms { Err(RefusedTicket::TooOld) } else { Ok(()) }
}

fn body(bearer: Bearer<'_>, end_unix_ms: u64) -> String {
    // A room's name has no dot, so that the parts cannot run into each other.
    let Bearer { kind, room, participant } = bearer;
    format!("{}.{room}.{}.{end_unix_ms}", kind.name(), participant.0)
}

fn mac(key: &TicketKey, body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(body.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;
    const LIFE: Duration = Duration::from_secs(30);

    fn check_as(room: &str, participant: u32, now: u64, ticket: &str) -> Result<(), RefusedTicket> {
        let room = RoomId::parse(room).expect("a room's name");
        let participant = ParticipantId(participant);
        let bearer = Bearer { kind: TicketKind::Media, room: &room, participant };
        check(&TicketKey::new([1; 32]), bearer, now, ticket)
    }

    fn ticket(key: u8) -> String {
        let room = RoomId::parse("blue-note").expect("a room's name");
        let participant = ParticipantId(17);
        let bearer = Bearer { kind: TicketKind::Media, room: &room, participant };
        sign(&TicketKey::new([key; 32]), bearer, NOW, LIFE)
    }

    #[test]
    fn a_ticket_holds_for_its_bearer_and_for_its_time() {
        let ticket = ticket(1);
        assert_eq!(check_as("blue-note", 17, NOW, &ticket), Ok(()));
        assert_eq!(check_as("blue-note", 17, NOW + 29_999, &ticket), Ok(()));
        assert_eq!(check_as("blue-note", 17, NOW + 30_000, &ticket), Err(RefusedTicket::TooOld));
        assert_eq!(check_as("blue-note", 18, NOW, &ticket), Err(RefusedTicket::Forged));
        assert_eq!(check_as("red-note", 17, NOW, &ticket), Err(RefusedTicket::Forged));
    }

    #[test]
    fn a_changed_ticket_is_forged() {
        let forged = Err(RefusedTicket::Forged);
        let good = ticket(1);
        assert_eq!(check_as("blue-note", 17, NOW, &ticket(2)), forged);
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).expect("ASCII with one bit flipped");
            assert_eq!(check_as("blue-note", 17, NOW, &changed), forged, "byte {at}");
        }
        for text in ["", ".", "....", "media.blue-note.17.99999999999999999999.00"] {
            assert_eq!(check_as("blue-note", 17, NOW, text), forged);
        }
    }
}
