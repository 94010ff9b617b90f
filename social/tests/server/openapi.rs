//! The description of the routes, which clients are made from.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;

use crate::world::{Engine, World, send};

#[tokio::test]
async fn the_description_is_served_and_of_version_3_1() {
    let world = World::new(Engine::Sqlite).await;
    let request = Request::get("/openapi.json").body(Body::empty()).expect("a request");
    let answer = send(&world.router, request).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert!(answer.body["openapi"].as_str().expect("a version").starts_with("3.1"));
    let served: Value = serde_json::from_str(&social::http::description()).expect("JSON");
    assert_eq!(answer.body, served);
}

#[tokio::test]
async fn every_route_lists_the_problems_that_it_may_answer() {
    let description: Value = serde_json::from_str(&social::http::description()).expect("JSON");
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let responses = operation["responses"].as_object().expect("responses");
            let mut wanted = vec!["401", "403", "429", "500", "503"];
            if operation.get("requestBody").is_some() {
                wanted.extend(["400", "413", "415", "422"]);
            }
            let asks = operation["parameters"].as_array();
            if asks.is_some_and(|all| all.iter().any(|one| one["in"] == "query")) {
                wanted.push("400");
            }
            if path.contains('{') {
                wanted.extend(["400", "404"]);
            }
            for status in wanted {
                let content = &responses[status]["content"]["application/problem+json"];
                let schema = content["schema"]["$ref"].as_str();
                assert_eq!(
                    schema,
                    Some("#/components/schemas/Problem"),
                    "{method} {path} {status}"
                );
            }
            let is_done = |status: &String| status.starts_with(['2', '3']) || status == "101";
            assert!(responses.keys().any(is_done), "{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
        }
    }
}

/// Every schema of a UUID in the description has a pattern: its format alone permits an empty text.
#[tokio::test]
async fn every_id_has_a_pattern_and_every_reference_leads_somewhere() {
    let description: Value = serde_json::from_str(&social::http::description()).expect("JSON");
    let mut ids = 0;
    walk(&description, &mut |value| {
        if value["format"] == "uuid" {
            ids += 1;
            assert!(value["pattern"].as_str().is_some_and(|text| text.starts_with('^')), "{value}");
        }
        if let Some(name) = value["$ref"].as_str() {
            let pointer = name.strip_prefix('#').expect("of this document");
            assert!(description.pointer(pointer).is_some(), "{name}");
        }
    });
    assert!(0 < ids, "there are ids");
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
        Value::Object(fields) => fields.values().for_each(|value| walk(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
