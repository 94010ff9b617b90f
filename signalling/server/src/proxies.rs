//! Proxies that stand before this server, and whom a request comes from that came through one.
//!
//! A proxy has one address for everybody, so whatever is counted by address would be counted for all
//! together. It says in `X-Forwarded-For` whom it was asked by, behind what it was told itself: the
//! last address there that is no proxy's is the one that a proxy of ours has seen. What surprises:
//! everything before it, and all of it where the peer is no proxy of ours, is what a stranger says.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use signalling::AddressBlock;
use thiserror::Error;

use crate::limits::FORWARDED_MAX;
use crate::listener::From;

/// An address, or those that begin alike: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a proxy is an address, or those that begin alike: 10.0.0.7, 10.0.0.0/8, 2001:db8::/32")]
pub struct NotANetwork;

impl Network {
    /// This machine's own addresses.
    pub const LOOPBACK: [Self; 2] = [
        Self { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let ignored = width - u32::from(self.bits);
        (own ^ other).checked_shr(ignored).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| NotANetwork)?;
        if bits <= width { Ok(Self { address, bits }) } else { Err(NotANetwork) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The proxies that are believed.
#[derive(Debug, Clone)]
pub(crate) struct Proxies(Arc<[Network]>);

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Self {
        Self(trusted.into())
    }

    /// Whether an address is one of theirs.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whom a request comes from that this peer sent.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer;
        let said = headers.get_all("x-forwarded-for").iter().rev();
        let said = said.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        for said in said.take(FORWARDED_MAX) {
            if !self.contain(origin) {
                break;
            }
            // Whoever it was that a proxy did not name: the proxy is all that is known.
            let Some(address) = address(said.trim()) else { break };
            origin = address;
        }
        origin
    }
}

/// Some proxies add the port.
fn address(said: &str) -> Option<IpAddr> {
    let with_port = || said.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = said.parse().ok().or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

/// Puts whom a request comes from in the place of the proxy that sent it, for all that follows.
pub(crate) async fn look_behind(
    State(proxies): State<Proxies>,
    ConnectInfo(From { peer, .. }): ConnectInfo<From>,
    mut request: Request,
    next: Next,
) -> Response {
    let block = AddressBlock::of(proxies.origin(peer, request.headers()));
    request.extensions_mut().insert(ConnectInfo(From { peer, block }));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let network = |text: &str| text.parse::<Network>().expect("a network");
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
        ] {
            assert!(network(text).contains(ip(inside)), "{text}");
            assert!(!network(text).contains(ip(outside)), "{text}");
        }
        assert!(network("0.0.0.0/0").contains(ip("203.0.113.5")));
        assert!(!network("0.0.0.0/0").contains(ip("2001:db8::1")), "of the other kind");
        assert!(network("127.0.0.0/8").contains(ip("::ffff:127.0.0.1")), "as IPv6 writes it");
        for wrong in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.1:80"]
        {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
    }

    #[test]
    fn only_proxies_are_believed_and_only_what_they_saw_themselves() {
        let proxies = Proxies::new(vec![
            "127.0.0.0/8".parse().expect("good"),
            "10.0.0.0/8".parse().expect("good"),
        ]);
        let origin = |peer: &str, said: &[&str]| {
            let mut headers = HeaderMap::new();
            for said in said {
                headers.append("x-forwarded-for", said.parse().expect("a header"));
            }
            proxies.origin(ip(peer), &headers).to_string()
        };
        // A stranger says what they like.
        assert_eq!(origin("198.51.100.9", &["203.0.113.5"]), "198.51.100.9");
        assert_eq!(origin("198.51.100.9", &["127.0.0.1"]), "198.51.100.9");
        // The last that is no proxy's: what stands before it, they said themselves.
        assert_eq!(origin("127.0.0.1", &["203.0.113.5"]), "203.0.113.5");
        assert_eq!(origin("127.0.0.1", &["1.2.3.4, 203.0.113.5"]), "203.0.113.5");
        assert_eq!(origin("127.0.0.1", &["1.2.3.4", "203.0.113.5, 10.0.0.7"]), "203.0.113.5");
        assert_eq!(origin("10.0.0.7", &["203.0.113.5:4711"]), "203.0.113.5");
        assert_eq!(origin("10.0.0.7", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(origin("127.0.0.1", &["::ffff:203.0.113.5"]), "203.0.113.5");
        // Nobody else is named.
        assert_eq!(origin("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(origin("127.0.0.1", &["203.0.113.5, unknown"]), "127.0.0.1");
        assert_eq!(origin("127.0.0.1", &["10.0.0.9, 10.0.0.7"]), "10.0.0.9");
        let long = vec!["10.0.0.7"; 1000].join(",");
        assert_eq!(origin("127.0.0.1", &["203.0.113.5", &long]), "10.0.0.7", "there is an end");
    }
}
