//! Files on both kinds of stores: SQLite with the disk, PostgreSQL with S3.

mod aftermath;
mod attached;
mod comments;
mod content;
mod crash;
mod erase;
mod exported;
mod links;
mod lost;
mod moderation;
pub(crate) mod moto;
mod pictures;
mod recordings;
mod s3;
mod strict;
mod sweep;
mod uploads;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use social::objects::{ObjectKey, ObjectsConfig};
use tower::ServiceExt as _;

use crate::world::{Engine, Person, World};

/// Runs a test on SQLite with the disk, and on PostgreSQL with S3.
pub(crate) async fn for_each_file_store(test: impl AsyncFn(World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        test(world(engine).await).await;
    }
}

pub(crate) async fn world(engine: Engine) -> World {
    let world = World::new(engine).await;
    match engine {
        Engine::Sqlite => world,
        Engine::Postgres => {
            let bucket = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
            world.with_objects(ObjectsConfig::S3(bucket)).await
        }
    }
}

/// What came back, whatever it is.
#[derive(Debug)]
pub(crate) struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Raw {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("JSON: {self:?}"))
    }

    #[track_caller]
    fn is(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.json()["code"]),
            (status, &json!(code)),
            "{self:?}"
        );
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// Asks as somebody for what is no JSON.
async fn raw(
    person: &Person,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    bytes: Vec<u8>,
) -> Raw {
    ask(person, method, path, headers, Body::from(bytes)).await
}

async fn ask(
    person: &Person,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Raw {
    let path = match path.strip_prefix("/api/") {
        Some(_) => path.to_owned(),
        None => format!("/api/v1/social{path}"),
    };
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = &person.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).expect("a request");
    let response = person.router.clone().oneshot(request).await.expect("it always answers");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    Raw { status: parts.status, headers: parts.headers, bytes }
}

pub(crate) async fn get(person: &Person, path: &str) -> Raw {
    raw(person, Method::GET, path, &[], Vec::new()).await
}

/// Begins a file; its id.
pub(crate) async fn begin(person: &mut Person, name: &str, size: usize) -> String {
    let begun = person.post("/uploads", json!({ "name": name, "size": size })).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    assert_eq!(begun.body["offset"], 0);
    begun.text("id")
}

async fn send(person: &Person, id: &str, offset: usize, bytes: &[u8]) -> Raw {
    let offset = offset.to_string();
    let path = format!("/uploads/{id}");
    raw(person, Method::PATCH, &path, &[("upload-offset", &offset)], bytes.to_vec()).await
}

/// Sends a file in parts of so many bytes; what came back when it was complete.
async fn sent(person: &mut Person, name: &str, bytes: &[u8], part: usize) -> Raw {
    let id = begin(person, name, bytes.len()).await;
    for (number, piece) in bytes.chunks(part).enumerate() {
        let answer = send(person, &id, number * part, piece).await;
        if answer.status != StatusCode::OK {
            return answer;
        }
        assert_eq!(answer.json()["offset"], number * part + piece.len());
    }
    complete(person, &id).await
}

async fn complete(person: &Person, id: &str) -> Raw {
    let path = format!("/uploads/{id}/complete");
    let headers = [("content-type", "application/json")];
    raw(person, Method::POST, &path, &headers, b"{}".to_vec()).await
}

/// Has a file; its id.
pub(crate) async fn file(person: &mut Person, name: &str, bytes: &[u8]) -> String {
    let done = sent(person, name, bytes, 1024 * 1024).await;
    assert_eq!(done.status, StatusCode::CREATED, "{done:?}");
    done.json()["id"].as_str().expect("an id").to_owned()
}

/// The names of all objects.
pub(crate) async fn objects(world: &World) -> Vec<ObjectKey> {
    let mut all: Vec<_> =
        world.social.objects().list().try_collect().await.expect("they are listed");
    all.sort();
    all
}

/// Every object with all its bytes, not by our own hand.
pub(crate) async fn raw_objects(world: &World) -> Vec<(String, Vec<u8>)> {
    match world.config.objects.clone() {
        ObjectsConfig::Disk(folder) => {
            let (mut folders, mut all) = (vec![folder], Vec::new());
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).expect("a folder") {
                    let path = entry.expect("an entry").path();
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        let bytes = std::fs::read(&path).expect("a file");
                        all.push((path.display().to_string(), bytes));
                    }
                }
            }
            all
        }
        ObjectsConfig::S3(config) => {
            let mut all = Vec::new();
            for key in objects(world).await {
                let bytes = moto::bytes(&config, &key.to_string());
                all.push((key.to_string(), bytes));
            }
            all
        }
    }
}

/// A recording of so many frames at 8 kHz, in two channels: silent at first, then as loud as can be.
pub(crate) fn wav(frames: u32) -> Vec<u8> {
    let bytes = frames * 4;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    for half in [1_u16, 2] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    for half in [4_u16, 16] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    for frame in 0..frames {
        let sample = if frame < frames / 2 { 0 } else { i16::MAX };
        wav.extend(sample.to_le_bytes());
        wav.extend((-sample).to_le_bytes());
    }
    wav
}
