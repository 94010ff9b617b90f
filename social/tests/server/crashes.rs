//! Reports of crashes, by the programs that make them, and what is left of whom they happened to.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use social::account::Role;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::world::{Answer, Engine, World, contains, for_each_store, send};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";
const CANARY: &str = "zzcanary";
const HOME: &str = concat!("/ho", "me");

async fn world(engine: Engine) -> World {
    World::with(engine, |config| config.crash_key = Some(KEY.into())).await
}

async fn for_each(test: impl AsyncFn(World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        test(world(engine).await).await;
    }
}

fn envelope(event: &Value) -> String {
    let event = event.to_string();
    let header = json!({ "event_id": ID });
    let item = json!({ "type": "event", "length": event.len() });
    format!("{header}\n{item}\n{event}\n")
}

async fn report(world: &World, key: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(format!("/api/1/envelope/?sentry_version=7&sentry_key={key}"))
        .header(header::CONTENT_TYPE, "application/x-sentry-envelope")
        .body(body.into())
        .expect("a request");
    send(&world.router, request).await
}

async fn causes(world: &World) -> Vec<Value> {
    let name = format!("admin{}", world.now().0 % 100_000_000);
    let mut admin = world.account_with(&name, Role::Admin).await;
    world.clock.advance(Duration::from_millis(7));
    admin.get("/admin/crashes").await.body.as_array().expect("a list").clone()
}

/// An event with a canary, an address of a machine and one of a person in every field of it.
fn full_of_canaries() -> Value {
    let said = format!("{CANARY} of {CANARY}@example.org at 203.0.113.77 in {HOME}/{CANARY}/x");
    json!({
        "event_id": ID, "platform": "native", "level": "fatal", "release": "vjam@0.1.0",
        "environment": format!("of {CANARY}@example.org"),
        "server_name": format!("{CANARY}-machine"),
        "user": { "id": format!("{CANARY}-id"), "username": CANARY, "ip_address": "203.0.113.77" },
        "message": said, "transaction": said, "logger": said, "dist": said,
        "tags": { "room": CANARY }, "extra": { "all": said }, "fingerprint": [said],
        "modules": { CANARY: "1" },
        "request": { "url": said, "cookies": said, "headers": { "user-agent": said },
            "env": { "REMOTE_ADDR": "203.0.113.77" }, "data": said, "query_string": said },
        "breadcrumbs": { "values": [{ "message": said, "data": { "x": said } }] },
        "contexts": {
            "device": { "name": CANARY, "arch": "x86_64", "model": said },
            "os": { "name": "Linux", "version": "6.1", "kernel_version": said },
            "app": { "device_app_hash": said }, "own": { "x": said },
        },
        "threads": { "values": [{ "name": CANARY }] },
        "exception": { "values": [{
            "type": "Overflow", "value": said, "module": said, "mechanism": { "data": said },
            "stacktrace": { "frames": [{
                "function": "play", "module": "engine", "lineno": 7, "in_app": true,
                "filename": format!("{HOME}/{CANARY}/engine.rs"), "abs_path": said,
                "context_line": said, "pre_context": [said], "vars": { "name": said },
            }] },
        }] },
    })
}

#[tokio::test]
async fn promise_13_a_crash_is_kept_without_anything_of_whom_it_happened_to() {
    for_each(async |world: World| {
        let answer = report(&world, KEY, envelope(&full_of_canaries())).await;
        assert_eq!((answer.status, answer.text("id")), (StatusCode::OK, ID.to_owned()));
        for canary in [CANARY, "203.0.113.77", "example.org"] {
            assert!(!world.holds(canary).await, "{canary}");
        }
        let causes = causes(&world).await;
        assert_eq!(
            causes[0]["title"],
            "Overflow: [removed] of [removed] at [removed] in [removed]"
        );
        let last = causes[0]["last"].as_str().expect("an id");
        let mut admin = world.account_with("second", Role::Admin).await;
        let shown = admin.get(&format!("/admin/crashes/{last}")).await.body;
        let frame = &shown["report"]["exceptions"][0]["frames"][0];
        assert_eq!((&frame["function"], &frame["line"]), (&json!("play"), &json!(7)));
        let os = json!({ "what": "os", "name": "Linux", "version": "6.1" });
        assert_eq!(shown["report"]["contexts"], json!([os]));
    })
    .await;
}

#[tokio::test]
async fn promise_13_crashes_are_deleted_after_90_days() {
    for_each(async |world: World| {
        report(&world, KEY, envelope(&json!({ "message": "zzpop" }))).await;
        world.clock.advance(Duration::from_secs(89 * 86_400));
        world.work().await;
        assert!(world.holds("zzpop").await);
        world.clock.advance(Duration::from_secs(2 * 86_400));
        world.work().await;
        assert!(!world.holds("zzpop").await);
    })
    .await;
}

#[tokio::test]
async fn promise_13_whoever_objected_to_being_counted_reports_no_crash() {
    for_each(async |world: World| {
        let mut ada = world.account("ada").await;
        ada.put("/account/usage", json!({ "allowed": false })).await.is_done();
        let token = ada.token.clone().expect("signed in");
        let request = Request::post(format!("/api/1/envelope/?sentry_key={KEY}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(envelope(&json!({ "message": "zzpop" }))))
            .expect("a request");
        assert_eq!(send(&world.router, request).await.status, StatusCode::OK, "and not again");
        assert!(!world.holds("zzpop").await);
    })
    .await;
}

#[tokio::test]
async fn a_report_needs_the_key_and_a_server_without_one_takes_none() {
    let with = world(Engine::Sqlite).await;
    let crash = envelope(&json!({ "message": "pop" }));
    for wrong in ["", "0", &KEY[1..]] {
        report(&with, wrong, crash.clone()).await.is(403, "forbidden");
    }
    let in_header = Request::post("/api/1/envelope/")
        .header("x-sentry-auth", format!("Sentry sentry_key={KEY}, sentry_version=7"))
        .body(Body::from(crash.clone()))
        .expect("a request");
    assert_eq!(send(&with.router, in_header).await.status, StatusCode::OK);
    assert_eq!(causes(&with).await.len(), 1);
    let without = World::new(Engine::Sqlite).await;
    report(&without, KEY, crash).await.is(404, "not_found");
}

#[tokio::test]
async fn what_makes_no_sense_is_dropped_and_not_asked_for_again() {
    let world = world(Engine::Sqlite).await;
    let large = envelope(&json!({ "message": "x".repeat(1 << 20) }));
    for body in [String::new(), "no envelope".into(), "{}\n{\"type\":\"event\"}\n{".into(), large] {
        let answer = report(&world, KEY, body).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({})));
    }
    assert!(causes(&world).await.is_empty());
}

#[tokio::test]
async fn many_reports_from_one_address_are_told_to_wait_in_the_words_of_the_sdks() {
    let world = world(Engine::Sqlite).await;
    let mut last = None;
    for _ in 0..61 {
        let mut request = Request::post(format!("/api/1/envelope/?sentry_key={KEY}"))
            .body(Body::from("{}"))
            .expect("a request");
        request.extensions_mut().insert(crate::world::Address("203.0.113.7".into()));
        last = Some(send(&world.router, request).await);
    }
    let last = last.expect("asked");
    last.is(429, "too_many_requests");
    assert!(last.headers["x-sentry-rate-limits"].to_str().expect("text").contains("error"));
}

#[tokio::test]
async fn crashes_of_one_cause_are_shown_as_one() {
    for_each_store(async |plain: World| {
        let world = world(plain.engine).await;
        for value in ["one", "two", "three"] {
            let event = json!({ "exception": { "values": [{ "type": "Oops", "value": value }] } });
            report(&world, KEY, envelope(&event)).await;
            world.clock.advance(Duration::from_secs(1));
        }
        report(&world, KEY, envelope(&json!({ "message": "other" }))).await;
        let causes = causes(&world).await;
        let shown: Vec<_> =
            causes.iter().map(|cause| (cause["title"].clone(), cause["count"].clone())).collect();
        assert_eq!(shown, [(json!("other"), json!(1)), (json!("Oops: three"), json!(3))]);
    })
    .await;
}

#[tokio::test]
async fn an_admin_sees_since_when_something_crashes_and_deletes_all_of_one_cause() {
    for_each_store(async |plain: World| {
        let world = world(plain.engine).await;
        let begun = world.now();
        for value in ["zzone", "zztwo"] {
            let event = json!({ "exception": { "values": [{ "type": "Oops", "value": value }] } });
            report(&world, KEY, envelope(&event)).await;
            world.clock.advance(Duration::from_secs(1));
        }
        report(&world, KEY, envelope(&json!({ "message": "other" }))).await;
        let causes = causes(&world).await;
        let oops = &causes[1];
        assert_eq!(
            (&oops["first_at"], &oops["last_at"]),
            (&json!(begun.0), &json!(begun.0 + 1000))
        );
        let path = format!("/admin/crashes/{}", oops["last"].as_str().expect("an id"));
        let mut admin = world.account_with("second", Role::Admin).await;
        world.account("ada").await.delete(&path).await.is(403, "forbidden");
        admin.delete(&path).await.is_done();
        admin.delete(&path).await.is(404, "not_found");
        admin.get(&path).await.is(404, "not_found");
        let left = admin.get("/admin/crashes").await.body;
        assert_eq!(left.as_array().map(Vec::len), Some(1), "the other cause");
        world.work_until_clean().await;
        for value in ["zzone", "zztwo"] {
            assert!(!world.files_hold(value).await, "of no crash of that cause");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_origin_reports_crashes_and_asks_for_nothing_else() {
    let world = world(Engine::Sqlite).await;
    let path = format!("/api/1/envelope/?sentry_key={KEY}");
    let page = "https://studio.example";
    let asked = Request::options(&path)
        .header(header::ORIGIN, page)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "x-sentry-auth")
        .body(Body::empty())
        .expect("a request");
    let answer = send(&world.router, asked).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "POST");
    let allowed = answer.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().expect("text");
    assert!(allowed.contains("x-sentry-auth"), "{allowed}");
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    // As a browser's SDK sends it, which asks nobody before.
    let crash = Request::post(&path)
        .header(header::ORIGIN, page)
        .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
        .body(Body::from(envelope(&json!({ "message": "pop" }))))
        .expect("a request");
    let answer = send(&world.router, crash).await;
    assert_eq!((answer.status, answer.text("id")), (StatusCode::OK, ID.to_owned()));
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let refused = report(&world, "0", "{}").await;
    refused.is(403, "forbidden");
    assert_eq!(refused.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "its page may read why");
    for other in ["/api/v1/social/account", "/api/v1/social/privacy", "/openapi.json"] {
        for method in [axum::http::Method::GET, axum::http::Method::OPTIONS] {
            let request = Request::builder()
                .method(method)
                .uri(other)
                .header(header::ORIGIN, page)
                .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
                .body(Body::empty())
                .expect("a request");
            let answer = send(&world.router, request).await;
            let allowed = answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(allowed, None, "{other}: {answer:?}");
        }
    }
}

/// What the page's own writer writes, which its test compares with the same file.
const OF_THE_PAGE: &str = include_str!("../crash/page.envelope");

#[tokio::test]
async fn what_the_page_reports_of_itself_is_kept() {
    let world = world(Engine::Sqlite).await;
    let answer = report(&world, KEY, OF_THE_PAGE).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(answer.body["id"].is_string(), "{answer:?}");
    let causes = causes(&world).await;
    assert_eq!(causes[0]["title"], "RangeError: cello of [removed]");
    assert_eq!(causes[0]["platform"], "javascript");
    let mut admin = world.account_with("second", Role::Admin).await;
    let last = causes[0]["last"].as_str().expect("an id");
    let shown = admin.get(&format!("/admin/crashes/{last}")).await.body;
    let frames = &shown["report"]["exceptions"][0]["frames"];
    assert_eq!(
        (&frames[1]["function"], &frames[1]["file"], &frames[1]["line"]),
        (&json!("pluck"), &json!("index-x.js"), &json!(7)),
        "the last is where it happened"
    );
}

#[tokio::test]
async fn whoever_may_report_is_told_with_what() {
    let with = world(Engine::Sqlite).await;
    let mut ada = with.account("ada").await;
    let answer = ada.get("/account/usage").await.body;
    assert_eq!(answer, json!({ "allowed": true, "crash_key": KEY }));
    ada.put("/account/usage", json!({ "allowed": false })).await.is_done();
    let answer = ada.get("/account/usage").await.body;
    assert_eq!(answer, json!({ "allowed": false, "crash_key": null }));
    with.device().get("/account/usage").await.is(401, "not_signed_in");
}

#[tokio::test]
async fn promise_13_the_sdks_of_python_and_node_report_and_nothing_of_their_user_is_kept() {
    let world = world(Engine::Sqlite).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let router = world.router.clone();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let dsn = format!("http://{KEY}@{address}/1");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash");
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", target().join("python-crash")).arg(here.join("report.py"));
    let mut node = Command::new("node");
    node.arg(here.join("report.mjs"));
    for (name, mut sdk) in [("Python", python), ("Node", node)] {
        let run = sdk.args([CANARY, &dsn]).stdin(Stdio::null()).output();
        let output = run.await.expect("it starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}; run `cargo xtask test` once: {text}");
    }
    server.abort();
    let dump = world.dump().await;
    let mut titles: Vec<_> =
        causes(&world).await.iter().map(|cause| cause["title"].to_string()).collect();
    titles.sort();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].contains("RangeError: cello of [removed]"), "{titles:?}");
    assert!(titles[1].contains("ValueError: cello of [removed]"), "{titles:?}");
    for canary in [CANARY, "203.0.113.77", "example.org"] {
        assert!(!contains(&dump, canary.as_bytes()), "{canary}");
    }
    assert!(contains(&dump, b"play"), "the function that failed");
}

/// Where cargo builds: the packages that `cargo xtask test` installs lie beside it.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let profile = test.parent().and_then(Path::parent).expect("target/debug/deps");
    profile.parent().expect("target").to_owned()
}
