//! What `vjam serve` can be told of those with whom people sign in: the list `[[social.identity]]`.

use std::fmt;

use serde::{Deserialize, Serialize};
use social::account::identity::{ClientSecret, Kind, ProviderConfig};

/// A provider that people can sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentitySettings {
    /// What it is called in paths.
    id: String,
    /// What kind it is.
    kind: IdentityKind,
    /// What people call it, if not as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Who its tokens say that it is, if not who they always do.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// Who this server is to it.
    client_id: String,
    /// What it gave this server to prove that.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Secret>,
    /// Who the apps of this server are to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    app_client_ids: Vec<String>,
    /// Of Apple's: who pays for the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<String>,
    /// Of Apple's: which key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    /// Of Apple's: the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<Secret>,
    /// What is asked for, if not as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    /// Where its keys are, if not where it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    /// Of Cognito's: where its users are deleted, if not where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
}

/// What kind of provider it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IdentityKind {
    Oidc,
    Google,
    Apple,
    Cognito,
}

impl IdentitySettings {
    pub(crate) fn config(&self) -> ProviderConfig {
        let kind = match self.kind {
            IdentityKind::Oidc => Kind::Oidc,
            IdentityKind::Google => Kind::Google,
            IdentityKind::Apple => Kind::Apple,
            IdentityKind::Cognito => Kind::Cognito,
        };
        let secret = match (&self.client_secret, &self.private_key) {
            (_, Some(Secret(key))) => ClientSecret::Apple {
                team_id: self.team_id.clone().unwrap_or_default(),
                key_id: self.key_id.clone().unwrap_or_default(),
                key: key.clone(),
            },
            (Some(Secret(text)), None) => ClientSecret::Text(text.clone()),
            (None, None) => ClientSecret::None,
        };
        let usual = ProviderConfig::new(&self.id, kind, &self.client_id, secret);
        ProviderConfig {
            name: self.name.clone().unwrap_or(usual.name),
            issuer: self.issuer.clone().unwrap_or(usual.issuer),
            scopes: self.scopes.clone().unwrap_or(usual.scopes),
            app_client_ids: self.app_client_ids.clone(),
            jwks_uri: self.jwks_uri.clone(),
            api: self.api.clone(),
            ..usual
        }
    }
}

/// A value that may hold a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
