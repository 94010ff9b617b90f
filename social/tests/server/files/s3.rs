//! What a bucket is asked for: encryption with each object, and by whoever may.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use social::objects::{Encryption, Objects, ObjectsConfig, S3Config};
use social::secret::hex;

use super::{file, moto, objects, wav, world};
use crate::world::{Engine, NOW};

#[tokio::test]
async fn promise_16_each_object_of_a_bucket_is_encrypted_there() {
    let world = world(Engine::Postgres).await;
    let mut ada = world.account("ada").await;
    // One that goes in one piece, and one that goes in several.
    for frames in [1000, 2_500_000] {
        file(&mut ada, "x.wav", &wav(frames)).await;
    }
    let ObjectsConfig::S3(config) = world.config.objects.clone() else { unreachable!("a bucket") };
    let all = objects(&world).await;
    assert_eq!(all.len(), 2 + 1 + 10, "files and parts");
    for key in all {
        let said = moto::header(&config, &key.to_string(), "x-amz-server-side-encryption");
        assert_eq!(said.as_deref(), Some("AES256"), "{key}");
    }
    let kms = S3Config { encryption: Encryption::Kms("key-1".into()), ..config.clone() };
    let world = world.with_objects(ObjectsConfig::S3(kms)).await;
    let before = objects(&world).await;
    let mut ada = crate::world::Person { router: world.router.clone(), ..ada };
    file(&mut ada, "y.wav", &wav(1000)).await;
    for key in objects(&world).await.into_iter().filter(|key| !before.contains(key)) {
        let said = moto::header(&config, &key.to_string(), "x-amz-server-side-encryption");
        assert_eq!(said.as_deref(), Some("aws:kms"), "{key}");
    }
}

/// What a bucket was asked.
type Asked = Arc<Mutex<Vec<(Method, HeaderMap)>>>;

/// A bucket that says yes to everything and keeps nothing.
async fn yes(State(asked): State<Asked>, request: Request) -> StatusCode {
    let (parts, _) = request.into_parts();
    asked.lock().expect("not poisoned").push((parts.method, parts.headers));
    StatusCode::OK
}

#[tokio::test]
async fn promise_16_nothing_is_ever_put_without_asking_for_encryption() {
    let asked = Asked::default();
    let router = Router::new().fallback(yes).with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it has one"));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    for (encryption, said) in
        [(Encryption::Aes256, "AES256"), (Encryption::Kms("key-1".into()), "aws:kms")]
    {
        let config = S3Config {
            endpoint: Some(endpoint.clone()),
            bucket: "jam".into(),
            region: "us-east-1".into(),
            access_key: "tests".into(),
            secret_key: "tests' own".into(),
            encryption,
        };
        let error = Objects::open(&ObjectsConfig::S3(config), NOW).await.map(drop);
        let error = error.expect_err("it keeps nothing").to_string();
        assert!(error.contains("the bucket jam cannot keep files"), "{error}");
        let asked = std::mem::take(&mut *asked.lock().expect("not poisoned"));
        let puts: Vec<_> = asked.iter().filter(|(method, _)| *method == Method::PUT).collect();
        assert_eq!(puts.len(), 1);
        for (_, headers) in puts {
            assert_eq!(headers["x-amz-server-side-encryption"], said);
            assert!(headers.contains_key("authorization"), "and signed");
        }
    }
    serving.abort();
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named_at_the_start_and_no_key_is() {
    let there = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
    let config = S3Config { bucket: "no-such-bucket".into(), ..there };
    let error = Objects::open(&ObjectsConfig::S3(config), NOW).await.map(drop);
    let error = error.expect_err("no bucket").to_string();
    assert!(error.contains("the bucket no-such-bucket cannot keep files"), "{error}");
    assert!(error.contains("the bucket must be there"), "{error}");
    assert!(!error.contains("tests' own"), "{error}");
}

/// The signature that a link should have, by the rules of Amazon's fourth version of it.
fn signature(url: &str, secret: &str) -> String {
    let (host, rest) =
        url.split_once("://").and_then(|(_, all)| all.split_once('/')).expect("a URL");
    let (path, query) = rest.split_once('?').expect("it is signed");
    let all: BTreeMap<&str, &str> =
        query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let others = all.iter().filter(|(name, _)| **name != "X-Amz-Signature");
    let others: Vec<_> = others.map(|(name, value)| format!("{name}={value}")).collect();
    let asked =
        format!("GET\n/{path}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", others.join("&"));
    let moment = all["X-Amz-Date"];
    let day = &moment[..8];
    let scope = format!("{day}/us-east-1/s3/aws4_request");
    assert_eq!(all["X-Amz-Credential"].replace("%2F", "/"), format!("tests/{scope}"));
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(asked)));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, "us-east-1", "s3", "aws4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    hex(&key)
}

#[tokio::test]
async fn a_link_to_a_bucket_is_signed_with_its_key_for_15_minutes_and_this_file() {
    let world = world(Engine::Postgres).await;
    let mut ada = world.account("ada").await;
    let id = file(&mut ada, "x.wav", &wav(10)).await;
    let link = ada.post(&format!("/files/{id}/link"), serde_json::json!({})).await;
    let url = link.text("url");
    assert!(url.contains("X-Amz-Expires=900"), "{url}");
    let signed =
        |url: &str, secret| url.contains(&format!("X-Amz-Signature={}", signature(url, secret)));
    assert!(signed(&url, "tests' own"), "{url}");
    assert!(!signed(&url, "another's"), "with its key only");
    assert!(!signed(&url.replace("X-Amz-Expires=900", "X-Amz-Expires=901"), "tests' own"));
    assert!(!signed(&url.replace("/files/", "/parts/"), "tests' own"));
}
