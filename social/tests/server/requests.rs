//! Requests that are wrong in themselves: each is answered with a sentence.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use social::http::routes_of_none;
use social::limits::JSON_BYTES_MAX;

use crate::world::{Answer, Engine, World, send};

async fn post(world: &World, path: &str, kind: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::post(path);
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    send(&world.router, request.body(body.into()).expect("a request")).await
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn a_body_that_cannot_be_read_is_named() {
    let world = World::new(Engine::Sqlite).await;
    let age = "/api/v1/social/age";
    post(&world, age, JSON, "{").await.is(400, "bad_json");
    post(&world, age, JSON, "").await.is(400, "bad_json");
    post(&world, age, None, "{}").await.is(415, "wrong_type");
    post(&world, age, Some("text/plain"), "{}").await.is(415, "wrong_type");
    let missing = post(&world, age, JSON, "{}").await;
    missing.is(422, "invalid");
    assert!(missing.text("detail").contains("born"), "{missing:?}");
    post(&world, age, JSON, "{\"born\":7}").await.is(422, "invalid");
    post(&world, age, JSON, "[\"1990-05-17\"]").await.is(422, "invalid");
    let large = format!("{{\"born\":\"{}\"}}", "x".repeat(JSON_BYTES_MAX));
    let large = post(&world, age, JSON, large).await;
    large.is(413, "too_large");
    assert!(large.text("detail").contains(&JSON_BYTES_MAX.to_string()), "{large:?}");
    post(&world, age, JSON, vec![b'"', 0xff, b'"']).await.is(400, "bad_json");
}

#[tokio::test]
async fn a_path_or_a_method_that_is_not_there_is_named() {
    let world = World::new(Engine::Sqlite).await;
    for path in
        ["/api/v1/social", "/api/v1/social/", "/api/v1/social/nothing", "/api/v1/social/a/b"]
    {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        send(&world.router, request).await.is(404, "not_found");
    }
    let request = Request::delete("/api/v1/social/age").body(Body::empty()).expect("a request");
    send(&world.router, request).await.is(405, "method_not_allowed");
    for id in ["7", "00000000-0000-0000-0000-00000000000", "%ff"] {
        let path = format!("/api/v1/social/sign-ups/{id}/verify");
        post(&world, &path, JSON, "{\"code\":\"1\"}").await.is(400, "bad_request");
    }
    let request = Request::get("/elsewhere").body(Body::empty()).expect("a request");
    assert_eq!(send(&world.router, request).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_everywhere() {
    let world = World::new(Engine::Sqlite).await;
    for value in ["Bearer", "Bearer x", "Basic eDp5", "bearer 00"] {
        for path in ["/api/v1/social/account", "/openapi.json"] {
            let request = Request::get(path).header(header::AUTHORIZATION, value);
            let answer = send(&world.router, request.body(Body::empty()).expect("a request")).await;
            answer.is(401, "not_signed_in");
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        }
    }
}

#[tokio::test]
async fn a_server_without_accounts_says_so_and_is_described_all_the_same() {
    let router = routes_of_none("whoever runs it has turned them off");
    for path in ["/api/v1/social", "/api/v1/social/", "/api/v1/social/account"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = send(&router, request).await;
        answer.is(503, "unavailable");
        assert!(answer.text("detail").contains("turned them off"));
    }
    let request = Request::get("/openapi.json").body(Body::empty()).expect("a request");
    assert_eq!(send(&router, request).await.status, StatusCode::OK);
}
