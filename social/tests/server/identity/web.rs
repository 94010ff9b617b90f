//! The way of a browser, where something is not as it should be.

use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use super::browser::{Browser, word};
use super::double::{Double, SECRET};
use super::for_each;
use crate::world::World;

/// The way back that the double would lead to, with a token of somebody.
pub(super) fn back(double: &Double, url: &Url, subject: &str) -> String {
    back_with(double, url, subject, json!({}))
}

/// The same with a token that says something else.
pub(super) fn back_with(double: &Double, url: &Url, subject: &str, mut claims: Value) -> String {
    claims["nonce"] = word(url, "nonce").into();
    let token = double.token(subject, claims);
    double.gives(json!({ "id_token": token, "refresh_token": format!("refresh-{subject}") }));
    let return_to = word(url, "redirect_uri");
    format!("{return_to}?code=x&state={}", word(url, "state"))
}

/// Somebody who made an account with the double, in a browser.
pub(super) async fn somebody(world: &World, double: &Double, name: &str) -> Browser {
    let mut browser = Browser::new(world);
    let url = browser.begins_to_sign_in("double").await;
    let page = browser.comes_back(&back(double, &url, name)).await;
    assert_eq!(page, "/account/sign-up?with=double");
    assert_eq!(browser.signs_up(name, None).await.status, StatusCode::CREATED);
    browser
}

#[tokio::test]
async fn a_way_back_counts_once_in_time_and_for_the_browser_that_began() {
    for_each(async |world, double| {
        let refused = "/account/sign-in?problem=identity_refused";
        let mut ada = somebody(&world, &double, "ada").await;
        let url = ada.begins_to_sign_in("double").await;
        let way = back(&double, &url, "ada");
        let mut thief = Browser::new(&world);
        assert_eq!(thief.comes_back(&way).await, refused, "without its cookie");
        thief.begins_to_sign_in("double").await;
        assert_eq!(thief.comes_back(&way).await, refused, "with another one");
        assert_eq!(ada.comes_back(&way.replace("double", "other")).await, refused, "elsewhere");
        assert_eq!(ada.comes_back(&way).await, "/account/signed-in");
        ada.cookies.extend(thief.cookies.clone());
        assert_eq!(ada.comes_back(&way).await, refused, "a second time");
        let url = ada.begins_to_sign_in("double").await;
        world.clock.advance(Duration::from_secs(600));
        assert_eq!(ada.comes_back(&back(&double, &url, "ada")).await, refused, "too late");
        let url = ada.begins_to_sign_in("double").await;
        let way = back(&double, &url, "ada");
        let state = word(&url, "state");
        // The first, since all bits of it count.
        let first = if state.starts_with('A') { "B" } else { "A" };
        let changed = way.replace(&state, &format!("{first}{}", &state[1..]));
        for wrong in [changed, way.replace(&state, ""), way.replace("state", "x")] {
            assert_eq!(ada.comes_back(&wrong).await, refused, "{wrong}");
        }
        assert_eq!(
            ada.comes_back(&way).await,
            "/account/signed-in",
            "the way itself is as good as before"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_provider_says_instead_of_a_code_is_told_by_the_page() {
    for_each(async |world, double| {
        for (said, problem) in [
            ("error=access_denied", "identity_cancelled"),
            ("error=server_error", "identity_refused"),
            ("code=x&iss=https%3A%2F%2Fid.example", "identity_refused"),
        ] {
            let mut browser = Browser::new(&world);
            let url = browser.begins_to_sign_in("double").await;
            let way = back(&double, &url, "ada").replace("code=x", said);
            let page = browser.comes_back(&way).await;
            assert_eq!(page, format!("/account/sign-in?problem={problem}&with=double"));
        }
        let mut browser = Browser::new(&world);
        for nonce in ["another", ""] {
            let url = browser.begins_to_sign_in("double").await;
            let way = back(&double, &url, "ada");
            double.gives(json!({ "id_token": double.token("ada", json!({ "nonce": nonce })) }));
            let page = browser.comes_back(&way).await;
            assert_eq!(page, "/account/sign-in?problem=identity_refused&with=double");
        }
        browser
            .post("/identity/other/begin", json!({ "purpose": "sign_in" }))
            .await
            .is(404, "not_found");
        let link = json!({ "purpose": "link" });
        browser.post("/identity/double/begin", link).await.is(401, "not_signed_in");
        // Of a program, which has no page to come back to.
        let mut app = world.device();
        app.post("/identity/double/begin", json!({ "purpose": "sign_in" }))
            .await
            .is(400, "bad_request");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_led_to_another_site_and_the_code_is_shown_with_its_verifier() {
    for_each(async |world, double| {
        let mut ada = somebody(&world, &double, "ada").await;
        for (next, page) in [
            ("//evil.example", "/account/signed-in"),
            ("/r/duo", "/account/signed-in?next=%2Fr%2Fduo"),
        ] {
            let body = json!({ "purpose": "sign_in", "next": next });
            let url = ada.begins("double", body).await;
            assert_eq!(ada.comes_back(&back(&double, &url, "ada")).await, page);
        }
        let asked = double.asked("/token").pop().expect("it was asked");
        let verifier = asked.field("code_verifier").expect("sent");
        assert!((43..=128).contains(&verifier.len()));
        assert!(asked.headers[header::AUTHORIZATION].to_str().expect("text").starts_with("Basic "));
        assert_eq!(asked.field("client_secret"), None, "in one place only");
        assert!(!asked.body.contains(SECRET));
    })
    .await;
}
