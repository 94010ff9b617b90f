//! Where pushes go: an address that comes from outside, so most are refused.
//!
//! A browser names its push service, and this server would ask whatever stands there. So only known
//! services may be named, by `https`, and what their names lead to is looked at when it is connected to.
//! What surprises: the same answer of the name servers is checked and used. One that is looked up twice
//! could lead elsewhere the second time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::PushConfig;
use crate::limits::PUSH_ENDPOINT_BYTES_MAX;

/// Something in the list of push services is none.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not of the form push.example.org, or *.example.org for all below it")]
pub struct WrongHost(String);

/// Which push services may be asked.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    hosts: Vec<String>,
    loopback: bool,
}

impl Allowed {
    pub(super) fn new(config: &PushConfig) -> Result<Self, WrongHost> {
        let added = config.hosts.iter().map(|host| check_host(host));
        let hosts = KNOWN.iter().map(|host| Ok((*host).to_owned())).chain(added);
        Ok(Self { hosts: hosts.collect::<Result<_, _>>()?, loopback: config.allows_loopback })
    }

    /// The address, if it is one of a push service that may be asked.
    pub(super) fn endpoint(&self, text: &str) -> Option<Url> {
        if PUSH_ENDPOINT_BYTES_MAX < text.len() {
            return None;
        }
        let url = Url::parse(text).ok()?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return None;
        }
        let is_allowed = match url.host()? {
            Host::Domain(host) => url.scheme() == "https" && self.is_known(host),
            // A number would never be looked up, and so not be looked at.
            Host::Ipv4(ip) => self.loopback && ip.is_loopback(),
            Host::Ipv6(_) => false,
        };
        is_allowed.then_some(url)
    }

    fn is_known(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| match known.strip_prefix('*') {
            Some(below) => below.len() < host.len() && host.ends_with(below),
            None => known == host,
        })
    }

    /// What looks names up, and gives nothing away that is not public.
    pub(super) fn resolver(&self) -> Public {
        Public { loopback: self.loopback }
    }
}

/// That somebody who runs a server named a host, and not half the internet.
fn check_host(text: &str) -> Result<String, WrongHost> {
    let wrong = || WrongHost(text.to_owned());
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_below = name.len() < text.len();
    // A `*` within a name would stand for itself, and alone for everybody.
    let is_good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b);
    match Host::parse(name).map_err(|_| wrong())? {
        Host::Domain(host) if name.bytes().all(is_good) && (host.contains('.') || !is_below) => {
            Ok(text.to_owned())
        }
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => Err(wrong()),
    }
}

/// The push services of the browsers that there are: Firefox, Chromium and its like, Safari, Edge.
const KNOWN: [&str; 5] = [
    "*.push.services.mozilla.com",
    "fcm.googleapis.com",
    "jmt17.google.com",
    "*.push.apple.com",
    "*.notify.windows.com",
];

/// Looks names up, and gives only addresses that anybody could be at.
#[derive(Debug, Clone)]
pub(super) struct Public {
    loopback: bool,
}

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback = self.loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let is_good = |at: &SocketAddr| is_public(at.ip()) || loopback && at.ip().is_loopback();
            let good: Vec<_> = found.filter(is_good).collect();
            if good.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the internet, and not of a network that this server may be in.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        // "This network"; shared by a provider's customers; protocols; benchmarks; multicast and beyond.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || 224 <= a;
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    if (a, b, c, d, e, f) == (0x64, 0xff9b, 0, 0, 0, 0) {
        // What a server without IPv4 is given for an address of IPv4 (RFC 6052).
        let [h, i] = high.to_be_bytes();
        let [j, k] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(h, i, j, k));
    }
    // Of what may be anybody's (2000::/3), some is not: protocols and tunnels (2001::/23), documentation
    // (2001:db8::/32, 3fff::/20), and 2002::/16, in which an address of IPv4 is hidden.
    let is_special =
        (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    a & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str], allows_loopback: bool) -> Allowed {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let config = PushConfig { hosts, allows_loopback, ..PushConfig::default() };
        Allowed::new(&config).expect("good")
    }

    #[test]
    fn push_services_that_are_known_may_be_asked_and_nobody_else() {
        let usual = allowed(&[], false);
        for good in [
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://fcm.googleapis.com/fcm/send/x:APA",
            "https://web.push.apple.com/QGu",
            "https://wns2-par02p.notify.windows.com/w/?token=Bg%3d",
        ] {
            assert!(usual.endpoint(good).is_some(), "{good}");
        }
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(PUSH_ENDPOINT_BYTES_MAX));
        for wrong in [
            "",
            "x",
            "http://fcm.googleapis.com/x",
            "ftp://fcm.googleapis.com/x",
            "file:///etc/passwd",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evilfcm.googleapis.com/x",
            "https://push.apple.com.evil.example/x",
            "https://evilpush.apple.com/x",
            "https://push.apple.com/x",
            "https://fcm.googleapis.com@evil.example/x",
            "https://u:p@fcm.googleapis.com/x",
            "https://fcm.googleapis.com/x#y",
            "https://127.0.0.1/x",
            "https://0x7f.1/x",
            "https://2130706433/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/x",
            "https://fcm.googleapis.com./x",
            long.as_str(),
        ] {
            assert!(usual.endpoint(wrong).is_none(), "{wrong}");
        }
        assert!(usual.endpoint("https://FCM.googleapis.com:443/x").is_some(), "the same host");
    }

    #[test]
    fn whoever_runs_a_server_adds_others_and_only_a_test_has_loopback() {
        let added = allowed(&["push.example.org", "*.up.example"], false);
        for good in ["https://push.example.org/x", "https://a.b.up.example:8443/x"] {
            assert!(added.endpoint(good).is_some(), "{good}");
        }
        for wrong in ["https://x.push.example.org/", "https://up.example/", "http://127.0.0.1:9/x"]
        {
            assert!(added.endpoint(wrong).is_none(), "{wrong}");
        }
        let test = allowed(&[], true);
        assert!(test.endpoint("http://127.0.0.1:9/x").is_some());
        assert!(test.endpoint("http://10.0.0.1:9/x").is_none());
        for wrong in
            ["", "*", "*.", "*.com", "https://x.example", "x.example/y", "1.2.3.4", "[::1]", "a b"]
        {
            let config = PushConfig { hosts: vec![wrong.into()], ..PushConfig::default() };
            assert!(Allowed::new(&config).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_addresses_of_the_internet_are_connected_to() {
        for public in [
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "2a00:1450::1",
            "2001:4860::8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(other.parse().expect("an address")), "{other}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_here_leads_nowhere() {
        let name = || "localhost".parse::<Name>().expect("a name");
        assert!(allowed(&[], false).resolver().resolve(name()).await.is_err());
        assert!(allowed(&[], true).resolver().resolve(name()).await.is_ok());
    }
}
