//! A browser: it keeps cookies, says which page asks, and is led from page to page.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use crate::world::{Answer, World, send};

/// The site whose pages ask.
pub(super) const SITE: &str = "https://jam.example";

#[derive(Clone)]
pub(super) struct Browser {
    router: Router,
    pub(super) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(super) fn new(world: &World) -> Self {
        Self { router: world.router.clone(), cookies: BTreeMap::new() }
    }

    pub(super) async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("/api/v1/social{path}"))
            .header(header::COOKIE, cookies.join("; "));
        if method != Method::GET {
            request = request
                .header(header::ORIGIN, SITE)
                .header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = send(&self.router, request.body(body).expect("a request")).await;
        self.keep(&answer.headers);
        answer
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("text");
            assert!(line.contains("HttpOnly; SameSite=Lax; Secure"), "{line}");
            let (name, rest) = line.split_once('=').expect("a cookie");
            let value = rest.split(';').next().expect("a value");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                assert!(line.len() < 4096, "a browser drops it");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Where the page of a provider is.
    pub(super) async fn begins(&mut self, provider: &str, body: Value) -> Url {
        let answer = self.post(&format!("/identity/{provider}/begin"), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.text("url").parse().expect("a URL")
    }

    pub(super) async fn begins_to_sign_in(&mut self, provider: &str) -> Url {
        self.begins(provider, json!({ "purpose": "sign_in" })).await
    }

    /// Follows a way back, and says to which page it leads.
    pub(super) async fn comes_back(&mut self, url: &str) -> String {
        let path = url.strip_prefix(SITE).unwrap_or(url).strip_prefix("/api/v1/social");
        let answer = self.get(path.expect("a path of ours")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        answer.headers[header::LOCATION].to_str().expect("text").to_owned()
    }

    /// The answer to the question for the birth date.
    pub(super) async fn born(&mut self, date: &str) -> Answer {
        self.post("/age", json!({ "born": date })).await
    }

    /// Makes an account of whom a provider vouches for.
    pub(super) async fn signs_up(&mut self, name: &str, email: Option<&str>) -> Answer {
        let age = self.born("1990-05-17").await.text("age_token");
        let mut body = json!({
            "age_token": age, "username": name, "region": "eu", "carrier": "cookie",
        });
        if let Some(email) = email {
            body["email"] = email.into();
        }
        self.post("/sign-ups/identity", body).await
    }
}

/// A word of the query of a URL.
pub(super) fn word(url: &Url, name: &str) -> String {
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{name} in {url}")).1.into_owned()
}
