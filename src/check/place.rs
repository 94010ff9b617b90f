//! Where to: a room by its link, or only a server; and who is there.

use std::time::{Duration, Instant};

use anyhow::bail;
use protocol::signal::{ClientEnvelope, ClientMessage, SeenParticipant, ServerMessage};
use signalling_client::{MalformedLink, Received, RoomLink, Signalling};

/// A room, or any room of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    link: RoomLink,
    is_room: bool,
}

impl Place {
    /// Reads `http(s)://HOST[:PORT]` with or without `/r/ROOM`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match RoomLink::parse(text) {
            Ok(link) => Ok(Self { link, is_room: true }),
            Err(MalformedLink::Path(path)) if path.is_empty() || path == "/" => {
                let server = text.trim().trim_end_matches('/');
                let link = RoomLink::parse(&format!("{server}/r/check"));
                link.map(|link| Self { link, is_room: false }).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// A room on the same server that nobody else is in.
    pub(super) fn own_room(&self) -> anyhow::Result<RoomLink> {
        let Ok(number) = getrandom::u64() else { bail!("the system gives no randomness") };
        let server = self.link.to_string();
        let server = server.rsplit_once("/r/").map_or(server.as_str(), |(server, _)| server);
        Ok(RoomLink::parse(&format!("{server}/r/check-{number:016x}"))?)
    }

    /// Who is in the room, without joining it; nobody where only a server was named.
    pub(super) fn look(&self) -> anyhow::Result<Vec<SeenParticipant>> {
        if !self.is_room {
            return Ok(Vec::new());
        }
        let mut signalling = Signalling::connect(&self.link)?;
        let room = self.link.room.clone();
        let message = ClientMessage::Look { room };
        signalling.send(&ClientEnvelope { request: Some(1), message })?;
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            let Received::Message(envelope) = signalling.receive()? else { continue };
            match envelope.message {
                ServerMessage::Seen { participants, .. } => {
                    signalling.close();
                    return Ok(participants);
                }
                ServerMessage::Error { text, .. } | ServerMessage::Bye { text, .. } => {
                    bail!("the server does not tell: {text}")
                }
                ServerMessage::Joined { .. }
                | ServerMessage::Connected { .. }
                | ServerMessage::Published { .. }
                | ServerMessage::Ticket { .. }
                | ServerMessage::Participant { .. }
                | ServerMessage::ParticipantLeft { .. }
                | ServerMessage::Streams { .. }
                | ServerMessage::SlotsWanted { .. }
                | ServerMessage::EncodingsWanted { .. }
                | ServerMessage::Uplink { .. }
                | ServerMessage::Hearing { .. }
                | ServerMessage::Room { .. }
                | ServerMessage::Findings { .. }
                | ServerMessage::Chat { .. }
                | ServerMessage::Pong {} => {}
            }
        }
        bail!("the server does not answer")
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_or_a_server_is_named() {
        let of = |text| Place::parse(text).map(|place| (place.link.to_string(), place.is_room));
        let link = |text: &str, is_room| Ok((text.to_owned(), is_room));
        assert_eq!(of("http://jam:7880/r/Blue"), link("http://jam:7880/r/blue", true));
        assert_eq!(of("http://jam:7880"), link("http://jam:7880/r/check", false));
        assert_eq!(of(" https://jam/ "), link("https://jam:443/r/check", false));
        assert!(of("jam").is_err() && of("http://jam/x").is_err());
    }

    #[test]
    fn the_own_room_is_another_each_time() {
        let place = Place::parse("http://jam:7880/r/blue").expect("a link");
        let room = || place.own_room().expect("there is randomness").to_string();
        assert!(room().starts_with("http://jam:7880/r/check-") && room() != room());
    }
}
