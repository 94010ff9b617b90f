//! Links that hold for a while.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::{file, for_each_file_store, get, moto, raw, wav};
use crate::world::{Engine, World};
use social::objects::ObjectsConfig;

#[tokio::test]
async fn whoever_has_a_link_reads_the_file_until_it_expires() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let eve = world.account("eve").await;
        let bytes = wav(1000);
        let id = file(&mut ada, "x.wav", &bytes).await;
        let path = format!("/files/{id}/link");
        raw(&eve, Method::POST, &path, &[], Vec::new()).await.is(404, "not_found");
        let link = raw(&ada, Method::POST, &path, &[], Vec::new()).await;
        assert_eq!(link.status, StatusCode::CREATED, "{link:?}");
        let link = link.json();
        let minutes = world.now().after(Duration::from_secs(15 * 60));
        assert_eq!(link["expires_at"], minutes.0);
        let url = link["url"].as_str().expect("a link").to_owned();
        let nobody = world.device();
        if world.engine == Engine::Postgres {
            let ObjectsConfig::S3(config) = &world.config.objects else { unreachable!("a bucket") };
            assert!(url.starts_with(config.endpoint.as_ref().expect("it has one")), "{url}");
            assert!(url.contains("X-Amz-Expires=900") && url.contains("X-Amz-Signature="), "{url}");
            let got = moto::follow(&url);
            assert_eq!((got.0.as_str(), got.1.as_str()), ("audio/wav", "attachment"));
            assert!(got.2 == bytes);
            return;
        }
        let there = get(&nobody, &url).await;
        assert_eq!(there.status, StatusCode::OK);
        assert!(there.bytes == bytes);
        assert_eq!(there.header("content-security-policy"), "sandbox; default-src 'none'");
        let part = raw(&nobody, Method::GET, &url, &[("range", "bytes=0-3")], Vec::new()).await;
        assert_eq!(
            (part.status, part.bytes.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &b"RIFF"[..])
        );
        let (longer, shorter) = (format!("{url}0"), &url[..url.len() - 2]);
        for wrong in [longer.as_str(), shorter, "/content/x"] {
            get(&nobody, wrong).await.is(404, "not_found");
        }
        world.clock.advance(Duration::from_secs(15 * 60) - Duration::from_millis(1));
        assert_eq!(get(&nobody, &url).await.status, StatusCode::OK);
        world.clock.advance(Duration::from_millis(1));
        get(&nobody, &url).await.is(404, "not_found");
        // A link to what is gone leads nowhere.
        let url = raw(&ada, Method::POST, &path, &[], Vec::new()).await.json();
        let url = url["url"].as_str().expect("a link");
        assert_eq!(get(&nobody, url).await.status, StatusCode::OK);
        ada.delete(&format!("/files/{id}")).await.is_done();
        get(&nobody, url).await.is(404, "not_found");
    })
    .await;
}
