//! TypeScript from the description of the routes.
//!
//! It is made from the same document that `/openapi.json` answers, so that what the web app believes is
//! what everybody is told. What surprises: it knows only the forms that this crate's types have, and
//! a form that it does not know is an error, never `unknown`: whoever adds one adds it here.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use social::limits::{
    EMAIL_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, USERNAME_CHARS_MAX, USERNAME_CHARS_MIN,
};
use social::problem::ProblemCode;

/// What is not known, and where.
#[derive(Debug, thiserror::Error)]
#[error("{at}: {what}")]
pub(crate) struct UnknownForm {
    at: String,
    what: String,
}

/// The whole file.
pub(crate) fn file() -> Result<String, UnknownForm> {
    let description = social::http::description();
    let description: Value = serde_json::from_str(&description)
        .map_err(|error| unknown("the document", error.to_string()))?;
    let mut text = String::from(HEADER);
    write_limits(&mut text);
    write_codes(&mut text);
    for (name, schema) in fields(&description["components"]["schemas"]) {
        write_type(&mut text, name, schema)?;
    }
    write_routes(&mut text, &description["paths"])?;
    Ok(text)
}

fn write_limits(text: &mut String) {
    for (name, value, what) in [
        ("EMAIL_BYTES_MAX", EMAIL_BYTES_MAX, "Bytes of an e-mail address."),
        ("USERNAME_CHARS_MIN", USERNAME_CHARS_MIN, "Characters of a username at least."),
        ("USERNAME_CHARS_MAX", USERNAME_CHARS_MAX, "Characters of a username at most."),
        ("PASSWORD_CHARS_MIN", PASSWORD_CHARS_MIN, "Characters of a password at least."),
        ("PASSWORD_BYTES_MAX", PASSWORD_BYTES_MAX, "Bytes of a password at most."),
    ] {
        line(text, format_args!("/** {what} */\nexport const {name} = {value};\n"));
    }
}

fn write_codes(text: &mut String) {
    line(text, format_args!("/** Which problem it is. */\nexport type ProblemCode ="));
    for code in ProblemCode::ALL {
        line(text, format_args!("  /** {}. */\n  | \"{}\"", code.title(), code.word()));
    }
    text.truncate(text.trim_end().len());
    text.push_str(";\n\n");
}

fn write_type(text: &mut String, name: &str, schema: &Value) -> Result<(), UnknownForm> {
    write_doc(text, "", schema);
    if schema["properties"].is_object() && name != "Problem" {
        line(text, format_args!("export interface {name} {}\n", type_of(name, schema, "")?));
    } else if name == "Problem" {
        // A program may trust its code to be one of the known ones; the description has them as text.
        let body = type_of(name, schema, "")?.replace("code: string", "code: ProblemCode");
        line(text, format_args!("export interface {name} {body}\n"));
    } else {
        line(text, format_args!("export type {name} = {};\n", type_of(name, schema, "")?));
    }
    Ok(())
}

fn write_routes(text: &mut String, paths: &Value) -> Result<(), UnknownForm> {
    line(
        text,
        format_args!(
            "/** Every route: what goes into it, and what comes back. */\nexport interface Routes {{"
        ),
    );
    for (path, item) in fields(paths) {
        for (method, operation) in fields(item) {
            let at = format!("{} {path}", method.to_uppercase());
            write_doc(
                text,
                "  ",
                &Value::from_iter([("description", operation["summary"].clone())]),
            );
            line(text, format_args!("  \"{at}\": {{"));
            for (name, place) in [("path", "path"), ("query", "query"), ("headers", "header")] {
                line(text, format_args!("    {name}: {};", parameters(&at, operation, place)?));
            }
            let body = content(&at, &operation["requestBody"])?;
            line(text, format_args!("    body: {body};"));
            line(text, format_args!("    answer: {};\n  }};", answer(&at, operation)?));
        }
    }
    line(text, format_args!("}}"));
    Ok(())
}

/// What stands in the path, behind the question mark, or in headers.
fn parameters(at: &str, operation: &Value, place: &str) -> Result<String, UnknownForm> {
    let all = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let mut members = Vec::new();
    for parameter in all.iter().filter(|parameter| parameter["in"] == place) {
        let name = key(&word(at, &parameter["name"])?);
        let mark = if parameter["required"] == true { "" } else { "?" };
        members.push(format!("{name}{mark}: {}", type_of(at, &parameter["schema"], "    ")?));
    }
    Ok(if members.is_empty() {
        "undefined".into()
    } else {
        format!("{{ {} }}", members.join("; "))
    })
}

/// What comes back where it went well: several things, where there are several ways of that.
fn answer(at: &str, operation: &Value) -> Result<String, UnknownForm> {
    // A WebSocket answers that it is one, and a browser is led elsewhere.
    let is_good = |status: &str| status.starts_with(['2', '3']) || status == "101";
    let good = fields(&operation["responses"]).filter(|(status, _)| is_good(status));
    let types: Result<BTreeSet<_>, _> = good.map(|(_, response)| content(at, response)).collect();
    let types = Vec::from_iter(types?);
    if types.is_empty() {
        Err(unknown(at, "no answer is good".into()))
    } else {
        Ok(types.join(" | "))
    }
}

/// What a body is: JSON, or whatever else as bytes.
fn content(at: &str, body: &Value) -> Result<String, UnknownForm> {
    match &body["content"] {
        Value::Null => Ok("undefined".into()),
        content if content["application/json"].is_object() => {
            type_of(at, &content["application/json"]["schema"], "    ")
        }
        Value::Object(_) => Ok("Blob".into()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(unknown(at, body.to_string()))
        }
    }
}

fn type_of(at: &str, schema: &Value, indent: &str) -> Result<String, UnknownForm> {
    if let Some(reference) = schema["$ref"].as_str() {
        return Ok(reference.rsplit('/').next().unwrap_or_default().to_owned());
    }
    if let Some(values) = schema["enum"].as_array() {
        let words: Vec<String> = values.iter().map(Value::to_string).collect();
        return Ok(words.join(" | "));
    }
    for (combination, sign) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(all) = schema[combination].as_array() {
            let types: Result<Vec<_>, _> = all.iter().map(|one| type_of(at, one, indent)).collect();
            return Ok(format!("({})", types?.join(sign)));
        }
    }
    match &schema["type"] {
        Value::String(name) => named_type(at, name, schema, indent),
        Value::Array(names) => {
            let types: Result<Vec<_>, _> =
                names.iter().map(|name| named_type(at, &word(at, name)?, schema, indent)).collect();
            Ok(types?.join(" | "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(unknown(at, schema.to_string()))
        }
    }
}

fn named_type(at: &str, name: &str, schema: &Value, indent: &str) -> Result<String, UnknownForm> {
    match name {
        "string" | "boolean" | "null" => Ok(name.to_owned()),
        "integer" | "number" => Ok("number".into()),
        "array" => Ok(format!("Array<{}>", type_of(at, &schema["items"], indent)?)),
        "object" if schema["properties"].is_object() => object(at, schema, indent),
        _ => Err(unknown(at, schema.to_string())),
    }
}

fn object(at: &str, schema: &Value, indent: &str) -> Result<String, UnknownForm> {
    let inner = format!("{indent}  ");
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let mut text = String::from("{\n");
    for (name, member) in fields(&schema["properties"]) {
        write_doc(&mut text, &inner, member);
        let mark = if required.iter().any(|one| one == name) { "" } else { "?" };
        let kind = type_of(&format!("{at}.{name}"), member, &inner)?;
        line(&mut text, format_args!("{inner}{}{mark}: {kind};", key(name)));
    }
    text.push_str(indent);
    text.push('}');
    Ok(text)
}

fn write_doc(text: &mut String, indent: &str, schema: &Value) {
    let Some(doc) = schema["description"].as_str() else { return };
    let lines: Vec<&str> = doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let [one] = lines.as_slice() {
        return line(text, format_args!("{indent}/** {one} */"));
    }
    line(text, format_args!("{indent}/**"));
    for one in lines {
        line(text, format_args!("{indent} * {one}"));
    }
    line(text, format_args!("{indent} */"));
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// A name as a member has it.
fn key(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}

fn word(at: &str, value: &Value) -> Result<String, UnknownForm> {
    value.as_str().map(str::to_owned).ok_or_else(|| unknown(at, value.to_string()))
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(text, "{what}").expect("a text takes what is written to it");
}

fn unknown(at: &str, what: String) -> UnknownForm {
    UnknownForm { at: at.to_owned(), what }
}

const HEADER: &str =
    "// Written by `cargo xtask generate` from the routes of social/src. Never edited by hand.\n\n";
