//! Which proxies are believed when they say whom a request comes from, as the settings name them.

use anyhow::Context as _;
use signalling_server::Network;

/// Those that stand on this machine.
pub(crate) fn on_this_machine() -> Vec<String> {
    Network::LOOPBACK.map(|network| network.to_string()).into()
}

/// What the names mean.
pub(crate) fn read(named: &[String]) -> anyhow::Result<Vec<Network>> {
    let read = |text: &String| text.parse().with_context(|| format!("trusted_proxies: {text:?}"));
    named.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_is_named() {
        assert_eq!(read(&on_this_machine()).expect("good"), Network::LOOPBACK);
        let refused = read(&["10.0.0.7".to_owned(), "proxy.example".to_owned()]);
        let refused = format!("{:#}", refused.expect_err("a name"));
        assert!(refused.contains("proxy.example") && refused.contains("10.0.0.0/8"), "{refused}");
    }
}
