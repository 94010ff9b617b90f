//! Google, which gives what it can be told with together with a consent only, and asks for one once.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::identity::Kind;
use social::store::Ending;
use url::Url;

use super::app::account;
use super::browser::{Browser, word};
use super::double::Double;
use super::web::somebody;
use super::{identity, world};
use crate::world::{Engine, World};

/// A test on each kind of database, with a double that does as Google does.
async fn for_each_google(test: impl AsyncFn(World, Double)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let double = Double::start().await;
        double.signs_with_rsa();
        let config = double.config("double", Kind::Google);
        test(world(engine, vec![config]).await, double).await;
    }
}

fn prompt(url: &Url) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs.find(|(name, _)| name == "prompt").map(|(_, value)| value.into_owned())
}

/// The way back for somebody who gave their consent long ago.
fn back(double: &Double, url: &Url, subject: &str) -> String {
    let token = double.token(subject, json!({ "nonce": word(url, "nonce") }));
    let mut tokens = json!({ "id_token": token });
    if prompt(url).as_deref() == Some("consent") {
        tokens["refresh_token"] = format!("refresh-{subject}").into();
    }
    double.gives(tokens);
    declined(url).replace("error=access_denied", "code=x")
}

/// The way back for somebody who does not agree.
fn declined(url: &Url) -> String {
    let return_to = word(url, "redirect_uri");
    format!("{return_to}?error=access_denied&state={}", word(url, "state"))
}

/// Where a browser is led to that is to be asked for consent.
async fn asked(browser: &mut Browser, way: &str) -> Url {
    let to = browser.comes_back(way).await;
    let url: Url = to.parse().unwrap_or_else(|_| panic!("it stays here: {to}"));
    assert_eq!(url.path(), "/authorize");
    assert_eq!(prompt(&url).as_deref(), Some("consent"));
    assert_eq!(word(&url, "access_type"), "offline");
    url
}

/// What is kept to tell it.
async fn held(world: &World, double: &Double) -> Option<Vec<u8>> {
    identity(world, &double.issuer, "ada").await.expect("linked").shown.token
}

#[tokio::test]
async fn google_is_asked_for_consent_where_a_sign_in_is_linked_and_not_each_time() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let double = Double::start().await;
        let google = double.config("google", Kind::Google);
        let world = world(engine, vec![double.config("double", Kind::Oidc), google]).await;
        let mut ada = somebody(&world, &double, "ada").await;
        for (purpose, prompt) in
            [("sign_in", None), ("link", Some("consent")), ("prove", Some("select_account"))]
        {
            let url = ada.begins("google", json!({ "purpose": purpose })).await;
            assert_eq!(word(&url, "access_type"), "offline");
            let mut pairs = url.query_pairs();
            let asked = pairs.find(|(key, _)| key == "prompt").map(|(_, value)| value);
            assert_eq!(asked.as_deref(), prompt, "{purpose}");
        }
    }
}

#[tokio::test]
async fn promise_8_somebody_new_who_agreed_long_ago_is_asked_once_more_and_google_can_be_told() {
    for_each_google(async |world, double| {
        let mut ada = Browser::new(&world);
        let body = json!({ "purpose": "sign_in", "next": "/account/chats" });
        let url = ada.begins("double", body).await;
        assert_eq!(prompt(&url), None);
        let url = asked(&mut ada, &back(&double, &url, "ada")).await;
        assert_eq!(word(&url, "login_hint"), "ada", "nobody chooses once more who they are");
        // (Three letters alone would be found in many an id.)
        assert!(!world.holds("ada@example.org").await, "nothing is kept before the birth date");
        assert!(identity(&world, &double.issuer, "ada").await.is_none(), "of whom, neither");
        let page = ada.comes_back(&back(&double, &url, "ada")).await;
        assert_eq!(page, "/account/sign-up?with=double&next=%2Faccount%2Fchats");
        assert_eq!(ada.signs_up("ada", None).await.status, StatusCode::CREATED);
        assert!(held(&world, &double).await.is_some());
        let url = ada.begins_to_sign_in("double").await;
        let page = ada.comes_back(&back(&double, &url, "ada")).await;
        assert_eq!(page, "/account/signed-in", "and never again");
        assert_eq!(ada.post("/account/erasure", json!({})).await.status, StatusCode::ACCEPTED);
        world.work().await;
        let told = double.asked("/revoke").pop().expect("told");
        assert_eq!(told.field("token").as_deref(), Some("refresh-ada"));
        let kept = identity(&world, &double.issuer, "ada").await.expect("until the day");
        assert_eq!(kept.ending, Some(Ending::Told));
    })
    .await;
}

#[tokio::test]
async fn somebody_new_who_does_not_agree_shares_nothing() {
    for_each_google(async |world, double| {
        let mut ada = Browser::new(&world);
        let url = ada.begins_to_sign_in("double").await;
        let url = asked(&mut ada, &back(&double, &url, "ada")).await;
        assert!(!ada.cookies.contains_key("vjam_ticket"), "not yet");
        let page = ada.comes_back(&declined(&url)).await;
        assert_eq!(page, "/account/sign-in?problem=identity_cancelled&with=double");
        ada.signs_up("ada", None).await.is(403, "identity_refused");
    })
    .await;
}

#[tokio::test]
async fn whoever_signs_in_and_of_whom_nothing_is_held_is_asked_and_signed_in_whatever_they_say() {
    for_each_google(async |world, double| {
        account(&world, &double, "ada").await;
        assert_eq!(held(&world, &double).await, None, "an app may give nothing");
        let body = json!({ "purpose": "sign_in", "next": "/account/chats" });
        let signed_in = "/account/signed-in?next=%2Faccount%2Fchats";
        let mut ada = Browser::new(&world);
        for answer in ["declines", "is down", "is somebody else"] {
            let url = ada.begins("double", body.clone()).await;
            let url = asked(&mut ada, &back(&double, &url, "ada")).await;
            assert_eq!(ada.get("/account").await.text("username"), "ada", "already");
            double.is_down(answer == "is down");
            let way = match answer {
                "declines" => declined(&url),
                "is down" => back(&double, &url, "ada"),
                _ => back(&double, &url, "grace"),
            };
            assert_eq!(ada.comes_back(&way).await, signed_in, "{answer}");
            double.is_down(false);
            assert_eq!(held(&world, &double).await, None, "{answer}");
            assert!(identity(&world, &double.issuer, "grace").await.is_none());
            world.clock.advance(std::time::Duration::from_secs(5));
        }
        let ways = ada.get("/account/identities").await.body;
        assert_eq!(ways["identities"][0]["can_be_told"], false, "{ways}");
        let url = ada.begins("double", body.clone()).await;
        let url = asked(&mut ada, &back(&double, &url, "ada")).await;
        let way = back(&double, &url, "ada");
        // A browser that is not the one that was signed in keeps nothing.
        let mut thief = Browser::new(&world);
        let page = thief.comes_back(&way).await;
        assert_eq!(page, "/account/sign-in?problem=identity_refused");
        assert_eq!(ada.comes_back(&way).await, signed_in);
        assert!(held(&world, &double).await.is_some());
        let ways = ada.get("/account/identities").await.body;
        assert_eq!(ways["identities"][0]["can_be_told"], true, "{ways}");
        let url = ada.begins("double", body).await;
        assert_eq!(ada.comes_back(&back(&double, &url, "ada")).await, signed_in, "not again");
    })
    .await;
}

#[tokio::test]
async fn whoever_shows_who_they_are_is_asked_too() {
    for_each_google(async |world, double| {
        account(&world, &double, "ada").await;
        let mut ada = Browser::new(&world);
        let url = ada.begins_to_sign_in("double").await;
        let url = asked(&mut ada, &back(&double, &url, "ada")).await;
        ada.comes_back(&declined(&url)).await;
        let body = json!({ "purpose": "prove", "next": "/account/data" });
        let url = ada.begins("double", body).await;
        let url = asked(&mut ada, &back(&double, &url, "ada")).await;
        assert_eq!(ada.comes_back(&back(&double, &url, "ada")).await, "/account/data");
        assert!(held(&world, &double).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn promise_1_whoever_takes_an_erasure_back_is_asked_and_need_not_agree() {
    for_each_google(async |world, double| {
        let mut app = account(&world, &double, "ada").await;
        let cancel = "/account/erasure/cancel-with-identity";
        let pending = "/account/sign-in?with=double&problem=erasure_pending";
        for agrees in [false, true] {
            let asked_for: Value = json!({});
            let erasure = app.post("/account/erasure", asked_for).await;
            assert_eq!(erasure.status, StatusCode::ACCEPTED, "{erasure:?}");
            world.work().await;
            let mut ada = Browser::new(&world);
            let url = ada.begins_to_sign_in("double").await;
            let url = asked(&mut ada, &back(&double, &url, "ada")).await;
            let way = if agrees { back(&double, &url, "ada") } else { declined(&url) };
            assert_eq!(ada.comes_back(&way).await, pending);
            ada.post(cancel, json!({})).await.is_done();
            assert_eq!(held(&world, &double).await.is_some(), agrees);
            let shown = double.shows("double", "ada", json!({ "jti": agrees.to_string() }));
            let signed_in = super::app::sign_in(&mut app, shown).await;
            assert_eq!(signed_in.status, StatusCode::CREATED, "{signed_in:?}");
        }
    })
    .await;
}
