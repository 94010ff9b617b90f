//! Which files an archive has, and what stands in them: read from the data map.
//!
//! The files that somebody has are beside them (`contents`).
//!
//! A column that is called `sessions.device_name` in the export stands in `sessions.json`, which is a
//! list of entries, one for each row; the entry has it as `device_name`. Where several tables have
//! something for the same file, the list has entries of each. What is not known of a row is left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::contents;
use crate::data_map::{self, Entry, Export, Owner};
use crate::secret::hex;
use crate::store::{Cell, Db, StoreError};

/// What one table has for one file.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) table: &'static str,
    /// The column by which its owner is found.
    pub(super) owner: &'static str,
    pub(super) columns: Vec<&'static str>,
    pub(super) fields: Vec<&'static str>,
}

/// Every file, by its name without `.json`, with what the tables have for it.
pub(super) fn files() -> BTreeMap<&'static str, Vec<Part>> {
    let mut files: BTreeMap<_, Vec<Part>> = BTreeMap::new();
    for [file, field, table, column, owner] in exported().filter_map(split) {
        let parts = files.entry(file).or_default();
        let known = parts.iter().position(|part| part.table == table && part.owner == owner);
        let at = known.unwrap_or_else(|| {
            parts.push(Part { table, owner, columns: Vec::new(), fields: Vec::new() });
            parts.len() - 1
        });
        parts[at].columns.push(column);
        parts[at].fields.push(field);
    }
    files
}

fn exported() -> impl Iterator<Item = &'static Entry> {
    data_map::columns().filter(|entry| matches!(entry.export, Export::As(_)))
}

/// File, field, table, column, and the column of the owner.
fn split(entry: &'static Entry) -> Option<[&'static str; 5]> {
    let (Export::As(name), Owner::Account(owner)) = (entry.export, entry.owner) else {
        return None;
    };
    let (file, field) = name.split_once('.')?;
    let (table, column) = entry.place.split_once('.')?;
    Some([file, field, table, column, owner])
}

/// A row as an entry of a file; none where nothing of it is known.
pub(super) fn entry_of(part: &Part, row: Vec<Cell>) -> Option<Value> {
    let named = part.fields.iter().zip(row);
    let entry: Map<_, _> =
        named.filter_map(|(field, cell)| Some(((*field).to_owned(), value(cell)?))).collect();
    if entry.is_empty() { None } else { Some(Value::Object(entry)) }
}

fn value(cell: Cell) -> Option<Value> {
    match cell {
        Cell::Null => None,
        Cell::Int(number) => Some(number.into()),
        Cell::Text(text) => Some(text.into()),
        Cell::Bytes(bytes) => Some(match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(uuid) => Uuid::from_bytes(uuid).hyphenated().to_string().into(),
            Err(_) => hex(&bytes).into(),
        }),
    }
}

/// The JSON Schema of all files of an archive together, each by its name.
///
/// # Errors
/// When the database fails: which columns hold numbers is asked of it.
pub async fn schema(db: &Db) -> Result<Value, StoreError> {
    let numbers = db.read().await?.columns_of_numbers().await?;
    let is_number = |table: &str, column: &str| {
        numbers.iter().any(|(in_table, number)| in_table == table && number == column)
    };
    let mut properties: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for entry in exported() {
        let Some([file, field, table, column, _]) = split(entry) else { continue };
        let kind = if is_number(table, column) { "integer" } else { "string" };
        let field_schema = json!({ "type": kind, "description": entry.purpose });
        properties.entry(file).or_default().insert(field.to_owned(), field_schema);
    }
    let list = |fields: Map<String, Value>| {
        json!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": fields,
                "additionalProperties": false,
                "minProperties": 1,
            },
        })
    };
    let mut names: Vec<_> = properties.keys().copied().collect();
    names.push(contents::LIST);
    let mut lists: Map<_, _> = properties
        .iter()
        .map(|(file, fields)| ((*file).to_owned(), list(fields.clone())))
        .collect();
    lists.insert(contents::LIST.to_owned(), contents::schema());
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What a vjam server keeps of somebody",
        "description": "Each property is a file of the archive, NAME.json. Times are milliseconds \
                        since 1970, UTC.",
        "type": "object",
        "properties": lists,
        "required": names,
        "additionalProperties": false,
    }))
}

/// What the archive says of itself.
pub(super) fn readme() -> String {
    let mut text = String::from(README);
    for entry in exported() {
        if let Some([file, field, ..]) = split(entry) {
            writeln!(text, "  {file}.json, {field}: {}", entry.purpose)
                .expect("a text takes what is written to it");
        }
    }
    for (field, _, purpose) in contents::FIELDS {
        writeln!(text, "  {}.json, {field}: {purpose}", contents::LIST)
            .expect("a text takes what is written to it");
    }
    text.push_str("\nWhat is kept and not in here, and why:\n\n");
    for entry in data_map::columns() {
        if let (Export::No(reason), Owner::Account(_)) = (entry.export, entry.owner) {
            writeln!(text, "  {} Not here: {reason}.", entry.purpose)
                .expect("a text takes what is written to it");
        }
    }
    text
}

const README: &str = "Everything that this vjam server keeps of you.

Each file NAME.json is a list of entries. What is not known is left out of an entry. Times are
milliseconds since 1970, UTC. The files follow schema.json, a JSON Schema (2020-12) of all of them
together, each by its name. Your files themselves are in the folder files, as the server keeps them;
contents.json says which is which.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_has_a_name_for_the_export_is_in_a_file_of_its_owners() {
        let all: usize = files().values().flatten().map(|part| part.columns.len()).sum();
        assert_eq!(all, exported().count(), "one without an account that owns it is in nobody's");
    }

    #[test]
    fn an_entry_has_what_is_known_only() {
        let fields = vec!["id", "name", "at", "hash"];
        let part = Part { table: "t", owner: "id", columns: fields.clone(), fields };
        let row = |name| vec![Cell::Bytes(vec![1; 16]), name, Cell::Int(7), Cell::Bytes(vec![255])];
        let id = "01010101-0101-0101-0101-010101010101";
        let whole = entry_of(&part, row(Cell::Text("x".into())));
        assert_eq!(whole, Some(json!({ "id": id, "name": "x", "at": 7, "hash": "ff" })));
        let less = entry_of(&part, row(Cell::Null));
        assert_eq!(less, Some(json!({ "id": id, "at": 7, "hash": "ff" })));
        assert_eq!(entry_of(&part, vec![Cell::Null; 4]), None);
    }
}
