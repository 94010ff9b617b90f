//! What whoever runs a server says of a provider that people sign in with.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::{Host, Url};

/// What kind of provider it is, as far as they differ from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any that follows OpenID Connect.
    Oidc,
    /// Google.
    Google,
    /// Apple.
    Apple,
    /// A user pool of Amazon Cognito, which is the operator's own.
    Cognito,
}

/// A provider.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// What it is called in paths: up to 32 of a-z, 0-9 and '-'.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// Who its tokens say that it is; its discovery document lies below.
    pub issuer: String,
    /// Who this server is to it.
    pub client_id: String,
    /// Who the apps of this server are to it, which show its tokens themselves.
    pub app_client_ids: Vec<String>,
    /// How this server proves who it is.
    pub secret: ClientSecret,
    /// What is asked for; `openid` among it.
    pub scopes: Vec<String>,
    /// Where its keys are, if not where its discovery document says.
    pub jwks_uri: Option<String>,
    /// Where users of a pool of Cognito are deleted, if not at Amazon's, where the issuer is.
    pub api: Option<String>,
}

/// How this server proves to a provider who it is.
#[derive(Clone)]
pub enum ClientSecret {
    /// It does not.
    None,
    /// With a text.
    Text(String),
    /// With a token that it signs itself, as Apple wants it.
    Apple {
        /// Who pays for the app.
        team_id: String,
        /// Which key it is.
        key_id: String,
        /// The key, as the file of Apple's holds it (PEM, PKCS #8).
        key: String,
    },
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// What is said of a provider cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("social.identity `{id}`: {reason}")]
pub struct WrongProvider {
    /// Of which one.
    pub id: String,
    /// What is wrong.
    pub reason: String,
}

impl ProviderConfig {
    /// A provider as most are of its kind. Apple's needs another secret.
    #[must_use]
    pub fn new(id: &str, kind: Kind, client_id: &str, secret: ClientSecret) -> Self {
        let (name, issuer, scopes): (_, _, &[&str]) = match kind {
            Kind::Oidc => (id, "", &["openid", "email"]),
            Kind::Google => ("Google", "https://accounts.google.com", &["openid", "email"]),
            Kind::Apple => ("Apple", "https://appleid.apple.com", &["openid", "email"]),
            // The last lets its owner, or this server for them, delete the user.
            Kind::Cognito => (id, "", &["openid", "email", "aws.cognito.signin.user.admin"]),
        };
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            app_client_ids: Vec::new(),
            secret,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            jwks_uri: None,
            api: None,
        }
    }

    /// What can be said without asking it.
    ///
    /// # Errors
    /// When it cannot be so.
    pub fn check(&self) -> Result<(), WrongProvider> {
        let wrong = |reason: &str| {
            let (id, reason) = (self.id.chars().take(ID_CHARS_MAX).collect(), reason.to_owned());
            Err(WrongProvider { id, reason })
        };
        let is_id_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.id.is_empty() || ID_CHARS_MAX < self.id.len() || !self.id.bytes().all(is_id_byte) {
            return wrong("`id` has 1 to 32 characters of a-z, 0-9 and '-'");
        }
        if self.name.trim().is_empty() || NAME_CHARS_MAX < self.name.chars().count() {
            return wrong("`name` has 1 to 40 characters");
        }
        if self.issuer.is_empty() {
            return wrong("`issuer` is needed: the URL that the provider calls itself by");
        }
        for (name, url) in [
            ("issuer", Some(&self.issuer)),
            ("jwks_uri", self.jwks_uri.as_ref()),
            ("api", self.api.as_ref()),
        ] {
            if url.is_some_and(|url| askable(url).is_none()) {
                let text =
                    "is not https://, and only a server on this machine is asked over http://";
                return wrong(&format!("`{name}` {text}"));
            }
        }
        if self.client_id.is_empty() {
            return wrong("`client_id` is needed: the provider gives it");
        }
        if self.scopes.iter().all(|scope| scope != "openid") {
            return wrong("`scopes` must hold \"openid\"");
        }
        match (&self.secret, self.kind) {
            (ClientSecret::Apple { key, team_id, key_id }, Kind::Apple) => {
                if team_id.is_empty() || key_id.is_empty() {
                    return wrong("`team_id` and `key_id` are needed for Apple");
                }
                let key = pkcs8(key).filter(|key| signs(key));
                if key.is_none() {
                    let text = "`private_key` is not what the .p8 file of Apple holds: PEM, with \
                                the lines BEGIN and END PRIVATE KEY";
                    return wrong(text);
                }
            }
            (ClientSecret::Text(_) | ClientSecret::None, Kind::Apple) => {
                return wrong("Apple needs `team_id`, `key_id` and `private_key`");
            }
            (ClientSecret::Apple { .. }, Kind::Oidc | Kind::Google | Kind::Cognito) => {
                return wrong("only Apple takes `team_id`, `key_id` and `private_key`");
            }
            (ClientSecret::Text(_) | ClientSecret::None, _) => {}
        }
        Ok(())
    }
}

/// A URL that this server may ask: over https, unless it is this machine.
pub(super) fn askable(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_here = is_here(&url)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let may = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    (may && !has_user).then_some(url)
}

/// The same where a provider names it: one that is elsewhere has nothing to show on this machine.
pub(super) fn askable_for(issuer: &str, url: &str) -> Option<Url> {
    let url = askable(url)?;
    let may = !is_here(&url)? || is_here(&askable(issuer)?)?;
    may.then_some(url)
}

/// Whether a URL leads to this machine; none where it leads to no machine.
fn is_here(url: &Url) -> Option<bool> {
    Some(match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

/// What a file in the form of PEM holds.
pub(super) fn pkcs8(pem: &str) -> Option<Vec<u8>> {
    let mut lines = pem.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_framed = lines.next() == Some("-----BEGIN PRIVATE KEY-----");
    let inside: String = lines.take_while(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(inside).ok().filter(|_| is_framed)
}

fn signs(key: &[u8]) -> bool {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).is_ok()
}

/// Characters of the id of a provider.
const ID_CHARS_MAX: usize = 32;

/// Characters of what people call it.
const NAME_CHARS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut ProviderConfig)) -> String {
        let secret = ClientSecret::Text("s3cret".into());
        let mut config = ProviderConfig::new("google", Kind::Google, "client", secret);
        config.check().expect("good as it is");
        change(&mut config);
        let wrong = config.check().expect_err("it is wrong").to_string();
        assert!(!wrong.contains("s3cret"), "{wrong}");
        wrong
    }

    #[test]
    fn what_is_wrong_with_a_provider_is_named() {
        assert!(refused(|c| c.id = "Go ogle".into()).contains("`id`"));
        assert!(refused(|c| c.name = " ".into()).contains("`name`"));
        assert!(refused(|c| c.issuer = String::new()).contains("`issuer`"));
        assert!(refused(|c| c.issuer = "http://id.example".into()).contains("https://"));
        assert!(refused(|c| c.jwks_uri = Some("ftp://127.0.0.1/".into())).contains("`jwks_uri`"));
        assert!(refused(|c| c.client_id = String::new()).contains("`client_id`"));
        assert!(refused(|c| c.scopes = vec!["email".into()]).contains("openid"));
        assert!(refused(|c| c.kind = Kind::Apple).contains("`private_key`"));
        let apple = |key: &str| ClientSecret::Apple {
            team_id: "T".into(),
            key_id: "K".into(),
            key: key.into(),
        };
        assert!(refused(|c| c.secret = apple("x")).contains("only Apple"));
        let wrong = refused(|c| (c.kind, c.secret) = (Kind::Apple, apple("s3cret")));
        assert!(wrong.contains(".p8"), "{wrong}");
    }

    #[test]
    fn only_this_machine_is_asked_over_http() {
        for good in
            ["https://id.example/x", "http://127.0.0.1:5000", "http://[::1]/", "http://localhost"]
        {
            assert!(askable(good).is_some(), "{good}");
        }
        for wrong in [
            "http://id.example",
            "http://127.0.0.1.example",
            "file:///x",
            "x",
            "https://u:p@id.example",
        ] {
            assert!(askable(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_provider_elsewhere_names_nothing_on_this_machine() {
        let (there, here) = ("https://id.example/club", "http://127.0.0.1:5000");
        let elsewhere = "https://keys.example/x";
        for (issuer, url) in [(there, elsewhere), (here, elsewhere), (here, "http://[::1]:1/x")] {
            assert!(askable_for(issuer, url).is_some(), "{url} of {issuer}");
        }
        for url in ["http://127.0.0.1:9000/x", "http://localhost/x", "https://[::1]/x", "x"] {
            assert!(askable_for(there, url).is_none(), "{url}");
        }
    }
}
