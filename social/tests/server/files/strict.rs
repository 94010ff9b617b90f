//! A bucket that looks at every signature: `s3s-fs`, in this process. (moto lets in whoever says a name.)

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use social::id::ObjectId;
use social::objects::{Encryption, ObjectKey, ObjectKind, Objects, ObjectsConfig, S3Config};

use super::{file, get, objects, wav};
use crate::world::{Engine, NOW, World};

/// A server of one bucket, with its folder; gone with it.
struct Strict {
    folder: PathBuf,
    config: S3Config,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.serving.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn strict(name: &str) -> Strict {
    let folder = std::env::temp_dir().join(format!("vjam-s3s-{}-{name}", std::process::id()));
    std::fs::create_dir_all(folder.join("jam")).expect("a folder, and a bucket in it");
    let mut builder = S3ServiceBuilder::new(FileSystem::new(&folder).expect("a folder"));
    builder.set_auth(SimpleAuth::from_single("tests", "tests' own"));
    let service = builder.build();
    let router = Router::new().fallback(async move |request: Request| {
        let answer = service.call(request.map(s3s::Body::http_body_unsync)).await;
        answer
            .map_or_else(
                |_| {
                    Response::builder()
                        .status(StatusCode::INTERNAL_SERVER_ERROR)
                        .body(Body::empty())
                },
                |answer| Ok(answer.map(Body::new)),
            )
            .expect("a status and nothing else")
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it has one"));
    let serving =
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let config = S3Config {
        endpoint: Some(endpoint),
        bucket: "jam".into(),
        region: "us-east-1".into(),
        access_key: "tests".into(),
        secret_key: "tests' own".into(),
        encryption: Encryption::Aes256,
    };
    Strict { folder, config, serving }
}

/// The status of what a link leads to, and its bytes.
async fn follow(url: String) -> (u16, Vec<u8>) {
    let got = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut got = agent.get(&url).call().expect("it answers");
        (got.status().as_u16(), got.body_mut().read_to_vec().expect("bytes"))
    });
    got.await.expect("it does not panic")
}

#[tokio::test]
async fn a_bucket_that_checks_signatures_takes_gives_lists_and_deletes_files() {
    let strict = strict("files").await;
    let world = World::new(Engine::Postgres).await;
    let world = world.with_objects(ObjectsConfig::S3(strict.config.clone())).await;
    let mut ada = world.account("ada").await;
    let mut ids = Vec::new();
    // One that goes in one piece, and one that goes in several.
    for frames in [1000, 2_500_000] {
        let bytes = wav(frames);
        let id = file(&mut ada, "x.wav", &bytes).await;
        let there = get(&ada, &format!("/files/{id}/content")).await;
        assert!(there.status == StatusCode::OK && there.bytes == bytes, "{frames}");
        ids.push((id, bytes));
    }
    assert!(!objects(&world).await.is_empty());
    let (id, bytes) = &ids[0];
    let link = ada.post(&format!("/files/{id}/link"), serde_json::json!({})).await;
    let url = link.text("url");
    assert!(follow(url.clone()).await == (200, bytes.clone()));
    for changed in [
        url.replace("X-Amz-Expires=900", "X-Amz-Expires=901"),
        url.replace("/files/", "/parts/"),
        url.split_once('?').expect("it is signed").0.to_owned(),
    ] {
        assert_ne!(changed, url);
        let (status, said) = follow(changed.clone()).await;
        assert_eq!(status, 403, "{changed}: {}", String::from_utf8_lossy(&said));
    }
    for (id, _) in &ids {
        ada.delete(&format!("/files/{id}")).await.is_done();
    }
    world.work().await;
    assert_eq!(follow(url).await.0, 404, "nothing is left of it");
}

#[tokio::test]
async fn a_link_to_a_bucket_leads_nowhere_once_its_time_is_over() {
    let strict = strict("expiry").await;
    let objects = Objects::open(&ObjectsConfig::S3(strict.config.clone()), NOW).await;
    let objects = objects.expect("it is let in");
    let key = ObjectKey::new(ObjectKind::File, ObjectId::fresh(NOW));
    objects.put_bytes(key, "audio/wav", "sound".into()).await.expect("it is kept");
    let url = objects.signed_url(key, Duration::from_secs(1)).await.expect("it is signed");
    let url = url.expect("a bucket has links");
    let long = objects.signed_url(key, Duration::from_secs(60)).await.expect("it is signed");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(follow(url).await.0, 403);
    let long = long.expect("a bucket has links");
    assert!(follow(long).await == (200, b"sound".to_vec()), "only the other one's is over");
}

#[tokio::test]
async fn whoever_signs_with_another_key_is_told_so_at_the_start() {
    let strict = strict("key").await;
    let config = S3Config { secret_key: "another's".into(), ..strict.config.clone() };
    let error = Objects::open(&ObjectsConfig::S3(config), NOW).await.map(drop);
    let error = error.expect_err("it is refused").to_string();
    assert!(error.contains("keys must be right") || error.contains("and keys"), "{error}");
    assert!(error.contains("SignatureDoesNotMatch"), "{error}");
}
