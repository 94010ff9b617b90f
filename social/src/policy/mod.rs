//! What the page about privacy says, and who is told when it says something else.
//!
//! The page is made from the data map and from what the operator configured, so it cannot promise what
//! the code does not do. Each version is remembered by its hash: a server that starts with another one
//! announces it, to each active account once, two weeks before it takes effect. What surprises: nobody
//! writes versions down. Whoever adds a column, or configures another mail server, has made one.

mod announce;
mod routes;
mod store;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::account::Region;
use crate::data_map::{Entry, Export, Owner, Retention, columns, prefixes};
use crate::secret::Hash;

pub use announce::{Announce, KIND};
pub(crate) use routes::routes;
pub use store::Announced;

/// Somebody else who gets something of what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Processor {
    /// Who, as the operator configured it: the name of a machine.
    pub name: String,
    /// What for.
    pub purpose: String,
    /// What they get.
    pub gets: String,
}

/// What the page says.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Policy {
    /// Where accounts are kept.
    region: Region,
    /// Whom to write to about what is kept; none where the operator said nobody.
    contact: Option<String>,
    /// Who else gets something.
    processors: Vec<Processor>,
    /// Everything that is kept.
    kept: Vec<Kept>,
}

/// Something that is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Kept {
    /// Its place: a table and a column, or what the names of objects begin with.
    place: &'static str,
    /// Whose it is.
    whose: Whose,
    /// What it is for.
    purpose: &'static str,
    /// How long it is kept.
    until: Until,
    /// Days, where it is kept for a time.
    days: Option<u64>,
    /// Whether it is in the export of an account.
    exported: bool,
    /// Why it is in none.
    reason: Option<&'static str>,
}

/// Whose something is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Whose {
    /// Of somebody with an account.
    Account,
    /// Of somebody who signs up.
    SignUp,
    /// Of a device.
    Device,
    /// Of nobody.
    Nobody,
}

/// Until when something is kept.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Until {
    /// As long as the account.
    AccountErased,
    /// A number of days.
    Days,
    /// Until it is done, and that number of days at most.
    Done,
    /// As long as the server.
    ServerGone,
}

impl Policy {
    /// What it says on a server of this region, with these processors.
    #[must_use]
    pub fn new(region: Region, contact: Option<String>, processors: Vec<Processor>) -> Self {
        Self { region, contact, processors, kept: columns().chain(prefixes()).map(kept).collect() }
    }

    /// What tells this version from others.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(text).into()
    }
}

fn kept(entry: &'static Entry) -> Kept {
    let whose = match entry.owner {
        Owner::Account(_) => Whose::Account,
        Owner::SignUp => Whose::SignUp,
        Owner::Device => Whose::Device,
        Owner::Nobody => Whose::Nobody,
    };
    let (until, time) = match entry.retention {
        Retention::Account => (Until::AccountErased, None),
        Retention::For(time) => (Until::Days, Some(time)),
        Retention::UntilDone(time) => (Until::Done, Some(time)),
        Retention::Server => (Until::ServerGone, None),
    };
    let days = time.map(|time| time.as_secs().div_ceil(SECONDS_OF_A_DAY));
    let reason = match entry.export {
        Export::As(_) => None,
        Export::No(reason) => Some(reason),
    };
    let Entry { place, purpose, .. } = *entry;
    Kept { place, whose, purpose, until, days, exported: reason.is_none(), reason }
}

const SECONDS_OF_A_DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn processor(name: &str) -> Processor {
        Processor { name: name.into(), purpose: "mail".into(), gets: "addresses".into() }
    }

    #[test]
    fn a_version_is_another_where_it_says_something_else() {
        let policy = Policy::new(Region::Eu, None, vec![processor("a")]);
        assert_eq!(policy.hash(), Policy::new(Region::Eu, None, vec![processor("a")]).hash());
        for other in [
            Policy::new(Region::Us, None, vec![processor("a")]),
            Policy::new(Region::Eu, Some("x@y.example".into()), vec![processor("a")]),
            Policy::new(Region::Eu, None, vec![processor("b")]),
            Policy { kept: policy.kept[1..].to_vec(), ..policy.clone() },
        ] {
            assert_ne!(policy.hash(), other.hash());
        }
    }

    #[test]
    fn it_says_of_every_column_how_long_it_is_kept() {
        let policy = Policy::new(Region::Eu, None, Vec::new());
        assert_eq!(policy.kept.len(), columns().chain(prefixes()).count());
        let find = |place| policy.kept.iter().find(|kept| kept.place == place).expect("kept");
        assert_eq!(find("crashes.report").days, Some(90));
        assert_eq!(find("accounts.email").days, None);
        assert!(!find("accounts.password_hash").exported);
    }
}
