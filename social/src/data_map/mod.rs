//! Everything that is kept, as code: whose it is, what for, how long, and whether it is in their export.
//!
//! A test compares this with the tables of both databases: a column that is not here fails it, and so
//! does one that is here and not there. The page about privacy is made from it, so its sentences are
//! for everybody to read. What surprises: it also says what is kept of nobody, because only the
//! whole list shows that nothing is missing.

mod accounts;
mod chats;
mod files;
mod identities;
mod moderation;
mod people;
mod policy;
mod push;
mod rights;
mod rooms;
mod server;
mod usage;

use std::time::Duration;

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The account that the row belongs to, found by this column.
    Account(&'static str),
    /// Somebody who signs up, and has no account yet.
    SignUp,
    /// A device, of which nothing else is known.
    Device,
    /// Nobody: it says nothing of a person.
    Nobody,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// As long as the account.
    Account,
    /// As long as this after it was made or last used.
    For(Duration),
    /// Until what it is for is done, and this long at most.
    UntilDone(Duration),
    /// As long as the server.
    Server,
}

/// Whether something is in the export of what is kept of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// In its owner's, under this name.
    As(&'static str),
    /// In nobody's, for this reason.
    No(&'static str),
}

/// What is kept, of what kind, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The column, as `table.column`.
    pub place: &'static str,
    /// Whose it is.
    pub owner: Owner,
    /// What it is for: a sentence for everybody.
    pub purpose: &'static str,
    /// How long it is kept.
    pub retention: Retention,
    /// Whether it is in the export.
    pub export: Export,
}

/// An entry on few lines.
const fn entry(
    place: &'static str,
    owner: Owner,
    retention: Retention,
    export: Export,
    purpose: &'static str,
) -> Entry {
    Entry { place, owner, purpose, retention, export }
}

/// Every column of the database, by what it belongs to.
const PARTS: &[&[Entry]] = &[
    accounts::ENTRIES,
    chats::ENTRIES,
    files::ENTRIES,
    identities::ENTRIES,
    moderation::ENTRIES,
    people::ENTRIES,
    policy::ENTRIES,
    push::ENTRIES,
    rights::ENTRIES,
    rooms::ENTRIES,
    server::ENTRIES,
    usage::ENTRIES,
];

/// Every column of the database.
pub fn columns() -> impl Iterator<Item = &'static Entry> {
    PARTS.iter().copied().flatten()
}

/// Every kind of object, by what its name begins with.
pub fn prefixes() -> impl Iterator<Item = &'static Entry> {
    files::PREFIXES.iter()
}

/// What is not in the map and in the database, and the other way round.
#[must_use]
pub fn differences(found: &[(String, String)]) -> Vec<String> {
    let there: Vec<String> =
        found.iter().map(|(table, column)| format!("{table}.{column}")).collect();
    let unnamed = there.iter().filter(|place| columns().all(|entry| entry.place != **place));
    let gone = columns().filter(|entry| there.iter().all(|place| place != entry.place));
    let unnamed =
        unnamed.map(|place| format!("{place} is in the database and not in the data map"));
    let gone =
        gone.map(|entry| format!("{} is in the data map and not in the database", entry.place));
    unnamed.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::objects::ObjectKind;

    #[test]
    fn a_difference_is_named_in_either_direction() {
        let split = |entry: &Entry| entry.place.split_once('.').expect("table.column");
        let owned = |(table, column): (&str, &str)| (table.to_owned(), column.to_owned());
        let all: Vec<_> = columns().map(split).map(owned).collect();
        assert_eq!(differences(&all), Vec::<String>::new());
        let mut more = all.clone();
        more.push(("accounts".into(), "shoe_size".into()));
        assert_eq!(
            differences(&more),
            ["accounts.shoe_size is in the database and not in the data map"]
        );
        let lacking =
            format!("{}.{} is in the data map and not in the database", all[0].0, all[0].1);
        assert_eq!(differences(&all[1..]), [lacking]);
    }

    #[test]
    fn every_kind_of_object_is_named() {
        let kinds: BTreeSet<_> = ObjectKind::ALL.map(|kind| format!("{}/", kind.prefix())).into();
        let named: BTreeSet<_> = prefixes().map(|entry| entry.place.to_owned()).collect();
        assert_eq!(named, kinds);
    }

    #[test]
    fn every_place_is_named_once_with_a_sentence() {
        let places: BTreeSet<_> = columns().map(|entry| entry.place).collect();
        assert_eq!(places.len(), columns().count());
        for entry in columns() {
            let first = entry.purpose.chars().next().expect("a sentence");
            assert!(first.is_uppercase() && entry.purpose.ends_with('.'), "{}", entry.place);
        }
        let names: Vec<_> = columns()
            .filter_map(|entry| match entry.export {
                Export::As(name) => Some(name),
                Export::No(_) => None,
            })
            .collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
