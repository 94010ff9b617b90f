//! With a real provider, and with moto's Cognito.

use std::process::Stdio;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::identity::{ClientSecret, Kind, ProviderConfig};
use social::clock::{Clock as _, SystemClock};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::browser::{Browser, SITE, word};
use super::{identity, world};
use crate::files::moto;
use crate::world::{Engine, NOW, World};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc");

/// The provider, until it is dropped.
struct Running {
    issuer: String,
    _child: Child,
}

async fn start() -> Running {
    let return_to = format!("{SITE}/api/v1/social/identity/real/callback");
    let mut child = Command::new("node")
        .current_dir(FOLDER)
        .args(["op.mjs", &return_to, &NOW.0.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let issuer = lines.next_line().await.expect("reads");
    let issuer = issuer.expect("it starts; run `cargo xtask test` once, which installs it");
    Running { issuer, _child: child }
}

/// Signs in with it as somebody; where it leads back to.
async fn visit(url: &str, name: &str) -> String {
    let run = Command::new("node").current_dir(FOLDER).args(["visit.mjs", url, name]).output();
    let output = run.await.expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

async fn for_each_real(test: impl AsyncFn(World, Running)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let running = start().await;
        let secret = ClientSecret::Text("s3cret of the tests".into());
        let mut config = ProviderConfig::new("real", Kind::Oidc, "jam", secret);
        config.issuer.clone_from(&running.issuer);
        config.scopes.push("offline_access".into());
        test(world(engine, vec![config]).await, running).await;
    }
}

#[tokio::test]
async fn somebody_new_comes_from_a_real_provider_and_comes_again() {
    for_each_real(async |world, real| {
        let mut browser = Browser::new(&world);
        let listed = browser.get("/identity/providers").await.body;
        assert_eq!(listed, json!([{ "id": "real", "name": "real" }]));
        let body = json!({ "purpose": "sign_in", "next": "/account/chats" });
        let url = browser.begins("real", body.clone()).await;
        assert_eq!(word(&url, "code_challenge_method"), "S256");
        let back = visit(url.as_str(), "ada").await;
        let page = browser.comes_back(&back).await;
        assert_eq!(page, "/account/sign-up?with=real&next=%2Faccount%2Fchats");
        // (Three letters alone would be found in many an id.)
        assert!(!world.holds("ada@example.org").await, "nothing is kept before the birth date");
        assert!(identity(&world, &real.issuer, "ada").await.is_none(), "of whom, neither");
        let made = browser.signs_up("ada", None).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let account = browser.get("/account").await;
        assert_eq!(account.text("email"), "ada@example.org");
        let kept = identity(&world, &real.issuer, "ada").await.expect("linked");
        assert!(kept.shown.token.is_some(), "it can be told when it is over");
        let ticket = browser.cookies.get("vjam_ticket");
        assert!(ticket.is_none(), "it is spent");
        // On another device: known by the provider, and told of it.
        world.work().await;
        world.smtp.take();
        let mut other = Browser::new(&world);
        let url = other.begins("real", body).await;
        let back = visit(url.as_str(), "ada").await;
        let page = other.comes_back(&back).await;
        assert_eq!(page, "/account/signed-in?next=%2Faccount%2Fchats");
        assert_eq!(other.get("/account").await.text("id"), account.text("id"));
        world.work().await;
        assert!(world.smtp.take_one().subject.contains("new device"));
        // The same way back once more, and with another browser.
        let page = other.comes_back(&back).await;
        assert_eq!(page, "/account/sign-in?problem=identity_refused");
    })
    .await;
}

#[tokio::test]
async fn promise_8_a_real_provider_takes_what_it_is_told() {
    for_each_real(async |world, real| {
        let mut browser = Browser::new(&world);
        let url = browser.begins_to_sign_in("real").await;
        let back = visit(url.as_str(), "ada").await;
        browser.comes_back(&back).await;
        assert_eq!(browser.signs_up("ada", None).await.status, StatusCode::CREATED);
        let asked = browser.post("/account/erasure", json!({})).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
        assert_eq!(asked.body["providers"], json!([{ "name": "real", "can_be_told": true }]));
        world.work().await;
        let told = identity(&world, &real.issuer, "ada").await.expect("until it is erased");
        assert_eq!(told.ending, Some(social::store::Ending::Told));
        assert_eq!(told.shown.token, None, "it is not kept any longer");
        let mails = world.smtp.take();
        let mail = mails.iter().find(|mail| mail.subject.contains("Whom we told")).expect("a mail");
        assert!(mail.body.contains("to this server: real"), "{}", mail.body);
    })
    .await;
}

/// A user of a pool of moto's, who signed in twice: its issuer, its keys, the client, and what it gave each time.
fn cognito() -> (String, String, String, [Value; 2]) {
    let endpoint = moto::fresh().endpoint.expect("it has one");
    let ask = |action: &str, body: Value| -> Value {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        let who = "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/cognito-idp/aws4_request";
        let answer = ureq::post(&endpoint)
            .header("x-amz-target", &target)
            .header("authorization", who)
            .header("content-type", "application/x-amz-json-1.1")
            .send(body.to_string());
        let mut answer = answer.unwrap_or_else(|error| panic!("{action}: {error}"));
        let text = answer.body_mut().read_to_string().expect("text");
        serde_json::from_str(&text).unwrap_or_default()
    };
    let pool = ask("CreateUserPool", json!({ "PoolName": "jam" }))["UserPool"]["Id"].clone();
    let flows = json!(["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]);
    let body = json!({ "UserPoolId": pool, "ClientName": "jam", "ExplicitAuthFlows": flows });
    let client = ask("CreateUserPoolClient", body)["UserPoolClient"]["ClientId"].clone();
    let user = json!({ "UserPoolId": pool, "Username": "ada", "MessageAction": "SUPPRESS" });
    ask("AdminCreateUser", user);
    let password = json!({
        "UserPoolId": pool, "Username": "ada", "Password": "P4ssword!", "Permanent": true,
    });
    ask("AdminSetUserPassword", password);
    let auth = json!({
        "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client,
        "AuthParameters": { "USERNAME": "ada", "PASSWORD": "P4ssword!" },
    });
    let given = [(); 2].map(|()| ask("InitiateAuth", auth.clone())["AuthenticationResult"].clone());
    let pool = pool.as_str().expect("an id");
    let keys = format!("{endpoint}/{pool}/.well-known/jwks.json");
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{pool}");
    let client = client.as_str().expect("an id").to_owned();
    (issuer, keys, client, given)
}

#[tokio::test]
async fn an_app_signs_in_with_an_id_token_of_cognito_and_not_with_an_access_token() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (issuer, keys, client, [given, again]) =
            tokio::task::spawn_blocking(cognito).await.expect("it answers");
        let again = again["IdToken"].clone();
        let mut config = ProviderConfig::new("pool", Kind::Cognito, &client, ClientSecret::None);
        config.issuer = issuer;
        config.jwks_uri = Some(keys);
        let now = SystemClock.now();
        let world = World::at(engine, now, |to| to.identity = vec![config]).await;
        let mut ada = world.device();
        let shows = |token: &str| json!({ "provider": "pool", "id_token": given[token], "nonce": "0123456789abcdef" });
        let access = json!({ "identity": shows("AccessToken") });
        ada.post("/sessions/identity", access).await.is(403, "identity_refused");
        let id = json!({ "identity": shows("IdToken") });
        ada.post("/sessions/identity", id.clone()).await.is(404, "identity_unknown");
        let age = ada.post("/age", json!({ "born": "1990-05-17" })).await.text("age_token");
        let mut body = json!({
            "age_token": age, "username": "ada", "region": "eu", "identity": shows("IdToken"),
        });
        ada.post("/sign-ups/identity", body.clone()).await.is(422, "invalid");
        body["email"] = "ada@example.org".into();
        let begun = ada.post("/sign-ups/identity", body).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
        world.work().await;
        let code = json!({ "code": world.smtp.take_one().code() });
        let made = ada.post(&format!("/sign-ups/{}/verify", begun.text("sign_up")), code).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        ada.post("/sessions/identity", id).await.is(403, "identity_refused");
        let fresh = json!({ "provider": "pool", "id_token": again, "nonce": "0123456789abcdef" });
        let in_again = ada.post("/sessions/identity", json!({ "identity": fresh })).await;
        assert_eq!(in_again.status, StatusCode::CREATED, "{in_again:?}");
        assert_eq!(in_again.body["account"]["username"], "ada");
    }
}
