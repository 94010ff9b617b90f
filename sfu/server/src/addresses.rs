//! Which addresses participants are told.
//!
//! What surprises: loopback is told only where nothing else is there or media is bound to it: a
//! browser on another machine would try its own.

use std::net::{IpAddr, SocketAddr};

use protocol::id::WorkerId;

use crate::config::{SfuConfig, StartError, of_worker};

/// The candidates of a worker whose socket is bound to `local`.
pub(crate) fn candidates(
    config: &SfuConfig,
    worker: WorkerId,
    local: SocketAddr,
) -> Result<Vec<SocketAddr>, StartError> {
    if !config.advertise.is_empty() {
        let unreachable = |at: &&SocketAddr| at.ip().is_unspecified() || at.port() == 0;
        return match config.advertise.iter().find(unreachable) {
            Some(address) => Err(StartError::Unreachable(*address)),
            None => config.advertise.iter().map(|at| of_worker(*at, worker)).collect(),
        };
    }
    if !local.ip().is_unspecified() {
        return Ok(vec![local]);
    }
    let interfaces = if_addrs::get_if_addrs().map_err(StartError::Interfaces)?;
    let addresses = interfaces.iter().map(if_addrs::Interface::ip);
    let chosen = choose(addresses, local);
    if chosen.is_empty() { Err(StartError::NoAddress) } else { Ok(chosen) }
}

/// The addresses of interfaces at which an unspecified `local` is reached, loopback last resort.
fn choose(addresses: impl Iterator<Item = IpAddr>, local: SocketAddr) -> Vec<SocketAddr> {
    // An IPv6 socket takes IPv4 as well.
    let reached = |ip: &IpAddr| local.is_ipv6() || ip.is_ipv4();
    let (loopback, mut chosen): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.filter(reached).filter(|ip| !is_link_local(ip)).partition(IpAddr::is_loopback);
    if chosen.is_empty() {
        chosen = loopback;
    }
    // IPv4 first: fewer paths lose it.
    chosen.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    chosen.dedup();
    chosen.into_iter().map(|ip| SocketAddr::new(ip, local.port())).collect()
}

/// Link-local addresses mean nothing without naming an interface of the participant's.
const fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(addresses: &[&str], local: &str) -> Vec<String> {
        let addresses = addresses.iter().map(|ip| ip.parse().expect("an address"));
        let local = local.parse().expect("an address");
        choose(addresses, local).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn interfaces_are_told_and_loopback_only_alone() {
        let all = ["127.0.0.1", "::1", "fe80::1", "2001:db8::5", "192.0.2.5", "169.254.1.1"];
        assert_eq!(chosen(&all, "0.0.0.0:7882"), ["192.0.2.5:7882"]);
        assert_eq!(chosen(&all, "[::]:7882"), ["192.0.2.5:7882", "[2001:db8::5]:7882"]);
        assert_eq!(chosen(&["127.0.0.1", "::1"], "0.0.0.0:1"), ["127.0.0.1:1"]);
        assert!(chosen(&["::1"], "0.0.0.0:1").is_empty());
    }

    #[test]
    fn what_is_advertised_wins_unless_nobody_could_reach_it() {
        let local = SocketAddr::from(([0, 0, 0, 0], 7882));
        let advertise = vec![SocketAddr::from(([203, 0, 113, 9], 4000))];
        let mut config = SfuConfig { media: local, advertise, ..SfuConfig::default() };
        let told = |config: &SfuConfig, worker| candidates(config, WorkerId(worker), local);
        assert_eq!(told(&config, 0).expect("reachable"), config.advertise);
        let third = SocketAddr::from(([203, 0, 113, 9], 4002));
        assert_eq!(told(&config, 2).expect("reachable"), [third]);
        assert!(matches!(told(&config, 62_000), Err(StartError::Ports { .. })));
        config.advertise.push(SocketAddr::from(([0, 0, 0, 0], 4000)));
        assert!(matches!(told(&config, 0), Err(StartError::Unreachable(_))));
    }
}
