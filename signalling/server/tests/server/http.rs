//! What a browser gets.

use signalling::limits::Limits;
use signalling_server::Config;
use signalling_server::limits::HTTP_CONNECTIONS_SPARE;
use tokio::net::TcpStream;

use crate::app::{TestServer, config};

#[tokio::test]
async fn the_app_is_served_isolated_wherever_its_links_point() {
    let server = TestServer::start().await;
    for path in
        ["/", "/r/blue-note", "/account", "/account/sign-up", "/account/people/ada", "/privacy"]
    {
        let answer = server.request(&format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        for header in [
            "content-type: text/html; charset=utf-8",
            "cache-control: no-cache",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-embedder-policy: require-corp",
            "cross-origin-resource-policy: same-origin",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "script-src 'self' 'wasm-unsafe-eval'",
        ] {
            assert!(answer.contains(header), "{path}: no {header} in {answer}");
        }
        assert!(answer.ends_with("the app"));
    }
}

#[tokio::test]
async fn files_with_a_hash_are_kept_and_others_are_not_there() {
    let server = TestServer::start().await;
    let answer = server.request("GET /assets/engine-abc.wasm HTTP/1.1").await;
    assert!(answer.contains("content-type: application/wasm"), "{answer}");
    assert!(answer.contains("immutable"));
    for path in ["/nothing", "/assets/../index.html", "/r/", "/account/a/b/c", "/api/v1/nothing"] {
        let answer = server.request(&format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("cross-origin-embedder-policy"), "errors are isolated too");
    }
}

#[tokio::test]
async fn a_route_may_be_stricter_than_the_page() {
    let server = TestServer::start().await;
    let answer = server.request("GET /api/v1/strict HTTP/1.1").await;
    assert!(answer.contains("content-security-policy: sandbox\r\n"), "{answer}");
    assert!(!answer.contains("default-src"), "the page's is not beside it: {answer}");
    assert!(answer.contains("cross-origin-opener-policy: same-origin"), "{answer}");
}

#[tokio::test]
async fn the_page_asks_others_only_where_they_are_named() {
    let server = TestServer::start().await;
    let answer = server.request("GET / HTTP/1.1").await;
    assert!(
        answer.contains("connect-src 'self' ws: wss:; img-src 'self' data: blob:;"),
        "{answer}"
    );
    let gifs = "https://api.gifs.example".to_owned();
    // What would end the list and begin another is left out.
    let asked_elsewhere = vec![gifs, "x; script-src *".to_owned()];
    let server = TestServer::with_config(Config { asked_elsewhere, ..config() }, 64).await;
    let answer = server.request("GET / HTTP/1.1").await;
    for part in [
        "connect-src 'self' ws: wss: https://api.gifs.example;",
        "img-src 'self' data: blob: https://api.gifs.example;",
        "script-src 'self' 'wasm-unsafe-eval';",
    ] {
        assert!(answer.contains(part), "{answer}");
    }
    assert!(!answer.contains("script-src *"), "{answer}");
}

#[tokio::test]
async fn programs_ask_for_version_and_health() {
    let server = TestServer::start().await;
    let answer = server.request("GET /api/v1/version HTTP/1.1").await;
    assert!(answer.ends_with(r#"{"protocol":1,"server":"vjam","version":"1.2.3"}"#), "{answer}");
    let answer = server.request("GET /healthz HTTP/1.1").await;
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(answer.contains("cache-control: no-store"));
}

#[tokio::test]
async fn other_routes_are_served_to_own_pages_and_to_programs() {
    let server = TestServer::start().await;
    let own = format!("GET /api/v1/other HTTP/1.1\r\nOrigin: http://{}", server.http);
    for welcome in ["GET /api/v1/other HTTP/1.1", &own] {
        let answer = server.request(welcome).await;
        assert!(answer.ends_with("from None"), "this machine's own do not count: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
    let foreign = "GET /api/v1/other HTTP/1.1\r\nOrigin: https://elsewhere.example";
    let answer = server.request(foreign).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(!answer.contains("from None"), "{answer}");
    // But for what any page may ask.
    let foreign = "GET /api/v1/any HTTP/1.1\r\nOrigin: https://elsewhere.example";
    let answer = server.request(foreign).await;
    assert!(answer.ends_with("open"), "{answer}");
    // And what a page elsewhere may lead a browser to, by its method only.
    let origin = "Origin: https://elsewhere.example\r\nContent-Length: 0";
    let answer = server.request(&format!("POST /api/v1/open HTTP/1.1\r\n{origin}")).await;
    assert!(answer.ends_with("open"), "{answer}");
    let answer = server.request(&format!("GET /api/v1/open HTTP/1.1\r\n{origin}")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_proxy_is_believed_where_it_is_trusted_and_a_stranger_never() {
    let said = "GET /api/v1/other HTTP/1.1\r\nX-Forwarded-For: 198.51.100.9, 203.0.113.5";
    let server = TestServer::start().await;
    let answer = server.request(said).await;
    assert!(answer.ends_with("from Some(V4([203, 0, 113, 5]))"), "{answer}");
    let trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let server = TestServer::with_config(Config { trusted_proxies, ..config() }, 64).await;
    let answer = server.request(said).await;
    assert!(answer.ends_with("from None"), "what a stranger says: {answer}");
}

#[tokio::test]
async fn those_who_watch_are_told_how_many_there_are_and_whether_more_may_come() {
    let limits = Limits { rooms_max: 1, ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let ready = server.request("GET /readyz HTTP/1.1").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with("ready"), "{ready}");
    let _ana = server.join("blue", "Ana").await;
    let metrics = server.request("GET /metrics HTTP/1.1").await;
    assert!(metrics.contains("content-type: application/openmetrics-text"), "{metrics}");
    let census = "Census { connections: 1, rooms: 1, participants: 1, takes_rooms: false }";
    assert!(metrics.ends_with(census), "{metrics}");
    let full = server.request("GET /readyz HTTP/1.1").await;
    assert!(full.starts_with("HTTP/1.1 503"), "{full}");
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_ends() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut idle = Vec::new();
    for _ in 0..=HTTP_CONNECTIONS_SPARE {
        idle.push(TcpStream::connect(server.http).await.expect("it listens"));
    }
    let waiting = server.request("GET /healthz HTTP/1.1");
    tokio::pin!(waiting);
    let other = tokio::time::timeout(std::time::Duration::from_millis(300), &mut waiting).await;
    assert!(other.is_err(), "there is no place for it yet");
    idle.pop();
    assert!(waiting.await.ends_with("ok"));
}
