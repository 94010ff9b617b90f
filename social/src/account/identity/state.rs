//! What a browser carries for this server while somebody signs in with a provider: where they went for
//! what, and, once they are back, whom the provider vouches for.
//!
//! Both are sealed, so nothing is kept here of sign-ins that are never finished. What surprises: the
//! provider sees the first of them, as `state`, and cannot read it; what makes the answer theirs alone
//! (the verifier, the nonce) is made from it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::provider::Held;
use super::vouched::Vouched;
use crate::clock::UnixMs;
use crate::id::{AccountId, SessionId};
use crate::limits::IDENTITY_COOKIE_CHARS_MAX;
use crate::seal::{open, seal};
use crate::secret::{Hash, ServerKey, Token, hex};

/// Where somebody went, and what for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) provider: String,
    pub(super) act: Act,
    /// What the page that began it belongs to: `https://jam.example`.
    pub(super) origin: String,
    /// Where they go afterwards: a path of ours.
    pub(super) next: Option<String>,
    /// Whether they go there once more, to be asked for the consent that comes with what is shown when it is
    /// over.
    pub(super) is_again: bool,
    /// Where they go where nothing comes of that, if they may go on all the same: a page, with its query.
    pub(super) otherwise: Option<String>,
    pub(super) expires_at: UnixMs,
    /// The hash of what the browser has in a cookie.
    browser: String,
    seed: String,
}

/// What somebody signs in with a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    /// To be signed in here.
    SignIn,
    /// To sign in with it from now on.
    Link { account: AccountId, session: SessionId },
    /// To show once more who they are.
    Prove { account: AccountId, session: SessionId },
    /// Signed in already, to have the provider give what it is shown when it is over.
    Consent { account: AccountId, session: SessionId },
}

impl Flow {
    pub(super) fn new(
        provider: &str,
        act: Act,
        origin: &str,
        next: Option<String>,
        browser: &Token,
        expires_at: UnixMs,
    ) -> Self {
        Self {
            provider: provider.to_owned(),
            act,
            origin: origin.to_owned(),
            next,
            is_again: false,
            otherwise: None,
            expires_at,
            browser: hex(&browser.hash()),
            seed: Token::fresh().text(),
        }
    }

    /// As it travels.
    pub(super) fn text(&self, key: &ServerKey) -> String {
        write(key, FLOW, self)
    }

    /// One that came back, in time and with the browser that went.
    pub(super) fn read(
        key: &ServerKey,
        text: &str,
        browser: Option<&Token>,
        now: UnixMs,
    ) -> Option<Self> {
        let flow: Self = read(key, FLOW, text)?;
        let is_same = browser.is_some_and(|browser| hex(&browser.hash()) == flow.browser);
        (is_same && now < flow.expires_at).then_some(flow)
    }

    /// What the token must hold.
    pub(super) fn nonce(&self) -> String {
        hex(&self.derived("nonce"))
    }

    /// What only this server can show for the code.
    pub(super) fn verifier(&self) -> String {
        hex(&self.derived("verifier"))
    }

    /// What the provider is told of that.
    pub(super) fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    fn derived(&self, label: &str) -> Hash {
        Sha256::digest(format!("{label}:{}", self.seed)).into()
    }
}

/// Whom a provider vouches for, as their browser carries it to the next step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    provider: String,
    issuer: String,
    subject: String,
    email: Option<String>,
    is_verified: bool,
    /// The client and the token.
    held: Option<(String, String)>,
    said_at: UnixMs,
    expires_at: UnixMs,
}

impl Ticket {
    /// As it travels.
    pub(super) fn write(key: &ServerKey, of: &Vouched, expires_at: UnixMs) -> String {
        let mut ticket = Self {
            provider: of.provider.clone(),
            issuer: of.issuer.clone(),
            subject: of.subject.clone(),
            email: of.email.clone(),
            is_verified: of.is_verified,
            held: of.held.clone().map(|held| (held.client_id, held.token)),
            said_at: of.said_at,
            expires_at,
        };
        let text = write(key, TICKET, &ticket);
        if text.len() <= IDENTITY_COOKIE_CHARS_MAX {
            return text;
        }
        // Browsers drop a cookie that is too long.
        ticket.held = None;
        write(key, TICKET, &ticket)
    }

    /// Whom one is of, in time.
    pub(super) fn read(key: &ServerKey, text: &str, now: UnixMs) -> Option<Vouched> {
        let ticket: Self = read(key, TICKET, text)?;
        if ticket.expires_at <= now {
            return None;
        }
        let Self { provider, issuer, subject, email, is_verified, held, .. } = ticket;
        let Self { said_at, expires_at, .. } = ticket;
        Some(Vouched {
            provider,
            issuer,
            subject,
            email,
            is_verified,
            held: held.map(|(client_id, token)| Held { token, client_id }),
            code: None,
            proven_at: None,
            said_at,
            once: Sha256::digest(text).into(),
            until: expires_at,
        })
    }
}

fn write(key: &ServerKey, purpose: &str, what: &impl Serialize) -> String {
    let text = serde_json::to_vec(what).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(seal(key, purpose, &text))
}

fn read<T: DeserializeOwned>(key: &ServerKey, purpose: &str, text: &str) -> Option<T> {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice(&open(key, purpose, &sealed)?).ok()
}

const FLOW: &str = "identity flow";
const TICKET: &str = "identity ticket";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ServerKey = ServerKey::new([1; 32]);

    #[test]
    fn a_flow_comes_back_in_time_and_with_its_browser() {
        let browser = Token::fresh();
        let flow = Flow::new("x", Act::SignIn, "https://jam.example", None, &browser, UnixMs(10));
        let text = flow.text(&KEY);
        let back = Flow::read(&KEY, &text, Some(&browser), UnixMs(9)).expect("in time");
        assert_eq!((back.nonce(), back.verifier()), (flow.nonce(), flow.verifier()));
        assert_ne!(back.nonce(), back.verifier());
        assert!(Flow::read(&KEY, &text, Some(&browser), UnixMs(10)).is_none(), "too late");
        assert!(Flow::read(&KEY, &text, Some(&Token::fresh()), UnixMs(9)).is_none(), "elsewhere");
        assert!(Flow::read(&KEY, &text, None, UnixMs(9)).is_none(), "without a cookie");
        let other = ServerKey::new([2; 32]);
        assert!(Flow::read(&other, &text, Some(&browser), UnixMs(9)).is_none(), "made up");
        assert!(Ticket::read(&KEY, &text, UnixMs(9)).is_none(), "it is for something else");
    }

    #[test]
    fn a_token_that_makes_a_cookie_too_long_is_left_out() {
        let mut vouched = Vouched {
            provider: "x".into(),
            issuer: "https://id.example".into(),
            subject: "s".repeat(255),
            email: Some("e".repeat(254)),
            is_verified: true,
            held: Some(Held { token: "t".repeat(2000), client_id: "c".into() }),
            code: None,
            proven_at: None,
            said_at: UnixMs(1),
            once: [0; 32],
            until: UnixMs(0),
        };
        let back = |vouched: &Vouched| {
            let text = Ticket::write(&KEY, vouched, UnixMs(10));
            assert!(text.len() <= IDENTITY_COOKIE_CHARS_MAX, "{}", text.len());
            assert!(Ticket::read(&KEY, &text, UnixMs(10)).is_none(), "too late");
            Ticket::read(&KEY, &text, UnixMs(9)).expect("in time")
        };
        let read = back(&vouched);
        assert_eq!((read.held, read.said_at), (vouched.held.clone(), vouched.said_at));
        vouched.held = Some(Held { token: "t".repeat(4000), client_id: "c".into() });
        let read = back(&vouched);
        assert_eq!((read.held, read.subject), (None, vouched.subject));
    }
}
