//! A sign-in whose account moves to another server, which knows its provider too or does not.

use super::Providers;
use super::provider::Provider;
use super::vouched::{held, sealed};
use crate::secret::ServerKey;
use crate::store::Shown;

/// What becomes of a sign-in at another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rehomed {
    /// It lets its owner in there.
    There {
        /// As it is kept there.
        shown: Shown,
        /// Whether what its provider is shown when it is over did not come along: it was given to a client
        /// that the other server is not.
        lost_token: bool,
    },
    /// Nobody there knows the provider.
    Unknown,
}

/// What becomes of a sign-in of one server at another, each with its key. What surprises: providers are
/// found by what they call themselves, since two servers may call them differently.
pub(crate) fn rehomed(
    shown: &Shown,
    from: &ServerKey,
    to: &ServerKey,
    providers: &Providers,
) -> Rehomed {
    let is_same = |provider: &&Provider| calls_itself(provider, &shown.issuer);
    let by_name = providers.known(&shown.provider).filter(is_same);
    let Some(provider) = by_name.or_else(|| providers.0.iter().find(is_same)) else {
        return Rehomed::Unknown;
    };
    let kept = shown.token.as_deref().and_then(|token| held(from, token));
    let kept = kept.filter(|held| {
        let config = &provider.config;
        held.client_id == config.client_id || config.app_client_ids.contains(&held.client_id)
    });
    let token = kept.as_ref().map(|held| sealed(to, held));
    let lost_token = shown.token.is_some() && token.is_none();
    let shown = Shown { provider: provider.config.id.clone(), token, ..shown.clone() };
    Rehomed::There { shown, lost_token }
}

/// Google calls itself with and without `https://`.
fn calls_itself(provider: &Provider, issuer: &str) -> bool {
    let known = &provider.config.issuer;
    known == issuer || known.strip_prefix("https://") == Some(issuer)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::account::identity::{ClientSecret, Kind, ProviderConfig};
    use crate::clock::{Clock, ManualClock, UnixMs};

    fn providers(id: &str, client_id: &str) -> Providers {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(UnixMs(1)));
        let secret = ClientSecret::Text("x".into());
        let config = ProviderConfig::new(id, Kind::Google, client_id, secret);
        Providers::new(&[config], &clock).expect("good")
    }

    #[test]
    fn a_token_is_sealed_anew_where_the_client_is_the_same_and_lost_where_not() {
        let (from, to) = (ServerKey::new([1; 32]), ServerKey::new([2; 32]));
        let kept = super::super::provider::Held { token: "1//x".into(), client_id: "us".into() };
        for issuer in ["https://accounts.google.com", "accounts.google.com"] {
            let shown = Shown {
                provider: "google".into(),
                issuer: issuer.into(),
                subject: "7".into(),
                token: Some(sealed(&from, &kept)),
                vouched_at: None,
            };
            let Rehomed::There { shown: there, lost_token } =
                rehomed(&shown, &from, &to, &providers("g", "us"))
            else {
                panic!("known")
            };
            assert_eq!((there.provider.as_str(), lost_token), ("g", false));
            assert_eq!(held(&to, &there.token.expect("kept")), Some(kept.clone()));
            let other = rehomed(&shown, &from, &to, &providers("google", "them"));
            let Rehomed::There { shown: there, lost_token: true } = other else { panic!("lost") };
            assert_eq!(there.token, None);
            let nobody = rehomed(&shown, &from, &to, &Providers::default());
            assert_eq!(nobody, Rehomed::Unknown);
        }
    }
}
