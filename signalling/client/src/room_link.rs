//! The link that musicians pass around: `http(s)://HOST[:PORT]/r/ROOM`.
//!
//! It names a server and a room, nothing secret; an invite to a private room stands behind it, and is
//! read apart, so that it is not shown where the link is. No look-up happens here.

use protocol::id::{MalformedRoomId, RoomId};
use thiserror::Error;

/// A room on a server, as its link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// Whether the server is spoken to in clear or through TLS.
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// TCP port of the server's web page.
    pub port: u16,
    /// The room, in its canonical spelling.
    pub room: RoomId,
}

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear: only for servers on this machine or the local network.
    Http,
    /// Through TLS.
    Https,
}

/// Why a text is not a link to a room.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MalformedLink {
    /// Neither `http://` nor `https://` in front.
    #[error("a link starts with http:// or https://, not like {0:?}")]
    Scheme(String),
    /// The part between `//` and the next `/` is no host and port.
    #[error("{0:?} is not HOST or HOST:PORT")]
    Authority(String),
    /// The path is not `/r/ROOM`.
    #[error("a link to a room ends in /r/ROOM, this one in {0:?}")]
    Path(String),
    /// What stands for the room cannot be one.
    #[error(transparent)]
    Room(#[from] MalformedRoomId),
}

impl RoomLink {
    /// Reads a link as the web page shows it; a query or fragment behind the room is ignored.
    pub fn parse(text: &str) -> Result<Self, MalformedLink> {
        let text = text.trim();
        let (scheme, rest) = split_scheme(text)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority, scheme)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let room = path
            .strip_prefix("/r/")
            .map(|room| room.strip_suffix('/').unwrap_or(room))
            .ok_or_else(|| MalformedLink::Path(path.to_owned()))?;
        Ok(Self { scheme, host, port, room: RoomId::parse(room)? })
    }

    /// The invite to a private room that stands behind a link, as `#invite=TOKEN`.
    #[must_use]
    pub fn invite(text: &str) -> Option<&str> {
        let (_, fragment) = text.trim().split_once('#')?;
        let mut parts = fragment.split('&');
        parts.find_map(|part| part.strip_prefix("invite=")).filter(|token| !token.is_empty())
    }

    /// Where signalling's WebSocket is.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "ws",
            Scheme::Https => "wss",
        };
        format!("{scheme}://{}/api/v1/ws", self.authority())
    }

    /// Where the server's HTTP is, without a path.
    #[must_use]
    pub fn http_url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}", self.authority())
    }

    /// Host and port as they stand in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl core::fmt::Display for RoomLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/r/{}", self.http_url(), self.room)
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), MalformedLink> {
    let unknown = || MalformedLink::Scheme(text.chars().take(24).collect());
    let (scheme, rest) = text.split_once("://").ok_or_else(unknown)?;
    if scheme.eq_ignore_ascii_case("http") {
        Ok((Scheme::Http, rest))
    } else if scheme.eq_ignore_ascii_case("https") {
        Ok((Scheme::Https, rest))
    } else {
        Err(unknown())
    }
}

fn split_authority(authority: &str, scheme: Scheme) -> Result<(String, u16), MalformedLink> {
    let malformed = || MalformedLink::Authority(authority.to_owned());
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(malformed)?;
            host.parse::<core::net::Ipv6Addr>().map_err(|_| malformed())?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(allowed) {
        return Err(malformed());
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or_else(malformed)?,
        None if port.is_empty() => match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        },
        None => return Err(malformed()),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, &str), MalformedLink>) {
        let read = RoomLink::parse(text).map(|link| (link.to_string(), link.websocket_url()));
        let expected = expected.map(|(link, websocket)| (link.to_owned(), websocket.to_owned()));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn a_link_names_server_and_room() {
        check(
            "http://127.0.0.1:7880/r/Blue-Note",
            Ok(("http://127.0.0.1:7880/r/blue-note", "ws://127.0.0.1:7880/api/v1/ws")),
        );
        check(
            " HTTPS://jam.example/r/x/?lang=de#a ",
            Ok(("https://jam.example:443/r/x", "wss://jam.example:443/api/v1/ws")),
        );
        check("http://[::1]:80/r/x", Ok(("http://[::1]:80/r/x", "ws://[::1]:80/api/v1/ws")));
    }

    #[test]
    fn an_invite_stands_behind_the_link_and_is_not_shown_with_it() {
        let text = "https://jam.example/r/x#a=b&invite=0f1e";
        assert_eq!(RoomLink::invite(text), Some("0f1e"));
        let link = RoomLink::parse(text).expect("a link");
        assert!(!format!("{link} {link:?}").contains("0f1e"));
        for none in ["https://jam.example/r/x", "http://j/r/x#", "http://j/r/x#invite="] {
            assert_eq!(RoomLink::invite(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_link_says_what_is_wrong() {
        check("jam.example/r/x", Err(MalformedLink::Scheme("jam.example/r/x".into())));
        check("ws://jam/r/x", Err(MalformedLink::Scheme("ws://jam/r/x".into())));
        check("http:///r/x", Err(MalformedLink::Authority(String::new())));
        check("http://jam:0/r/x", Err(MalformedLink::Authority("jam:0".into())));
        check("http://jam:99999/r/x", Err(MalformedLink::Authority("jam:99999".into())));
        check("http://a@jam/r/x", Err(MalformedLink::Authority("a@jam".into())));
        check("http://[::zz]/r/x", Err(MalformedLink::Authority("[::zz]".into())));
        check("http://[::1]80/r/x", Err(MalformedLink::Authority("[::1]80".into())));
        check("http://jam", Err(MalformedLink::Path(String::new())));
        check("http://jam/room", Err(MalformedLink::Path("/room".into())));
        check("http://jam/r/", Err(MalformedLink::Room(MalformedRoomId::Length(0))));
        check("http://jam/r/a/b", Err(MalformedLink::Room(MalformedRoomId::Character('/'))));
    }
}
