//! Somebody who uses a server as a process, and where it is set up to keep them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serving::Serve;
use crate::smtp::{Received, Sink};

/// Somebody who is signed in.
pub(crate) struct Somebody<'a> {
    serve: &'a Serve,
    pub(crate) bearer: String,
}

impl<'a> Somebody<'a> {
    /// Makes an account with the code that comes by mail.
    pub(crate) fn sign_up(serve: &'a Serve, name: &str, mails: &Sink) -> Self {
        let token = serve.sign_up(name, || code(mails, &format!("{name}@example.org")));
        Self { serve, bearer: format!("Bearer {token}") }
    }

    /// Signs in; the answer where that is refused.
    pub(crate) fn sign_in(serve: &'a Serve, name: &str) -> Result<Self, (u16, Value)> {
        let body = json!({ "login": name, "password": "correct horse battery" });
        match serve.post("/sessions", &"cd".repeat(32), &body) {
            (201, there) => {
                let token = there["token"].as_str().expect("a token");
                Ok(Self { serve, bearer: format!("Bearer {token}") })
            }
            refused => Err(refused),
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/v1/social{path}");
        self.serve.ask(method, &path, &[("authorization", &self.bearer)], body)
    }

    /// Sends a file; its id.
    pub(crate) fn send_file(&self, name: &str, bytes: &[u8]) -> String {
        let (status, begun) =
            self.ask("POST", "/uploads", &json!({ "name": name, "size": bytes.len() }));
        assert_eq!(status, 201, "{begun}");
        let id = begun["id"].as_str().expect("an id");
        let path = format!("/api/v1/social/uploads/{id}");
        let headers = [("authorization", self.bearer.as_str()), ("upload-offset", "0")];
        let (status, said) = self.serve.raw("PATCH", &path, &headers, bytes);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
        let (status, done) = self.ask("POST", &format!("/uploads/{id}/complete"), &json!({}));
        assert_eq!(status, 201, "{done}");
        id.to_owned()
    }

    pub(crate) fn content(&self, id: &str) -> Vec<u8> {
        let path = format!("/api/v1/social/files/{id}/content");
        let (status, bytes) = self.serve.raw("GET", &path, &[("authorization", &self.bearer)], b"");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
        bytes
    }
}

/// The code in a mail to somebody, which is on its way.
fn code(mails: &Sink, to: &str) -> String {
    mail(mails, |mail| mail.to == to).code()
}

/// The first of the mails that are on their way which is the one that is meant; those before it are gone.
pub(crate) fn mail(mails: &Sink, is_meant: impl Fn(&Received) -> bool) -> Received {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(mail) = mails.take().into_iter().find(&is_meant) {
            return mail;
        }
        assert!(Instant::now() < until, "no mail came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Writes what a server is told, beside its data.
pub(crate) fn write_config(folder: &Path, text: &str) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join("vjam.toml");
    std::fs::write(&path, text).expect("ours");
    path
}

/// A recording of silence, and some bytes behind it.
pub(crate) fn recording(behind: &[u8]) -> Vec<u8> {
    let samples = 4000_u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples * 2).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1_u16, 1].into_iter().flat_map(u16::to_le_bytes));
    wav.extend([8000_u32, 16_000].into_iter().flat_map(u32::to_le_bytes));
    wav.extend([2_u16, 16].into_iter().flat_map(u16::to_le_bytes));
    wav.extend(b"data");
    wav.extend((samples * 2).to_le_bytes());
    wav.resize(wav.len() + 8000, 0);
    wav.extend(behind);
    wav
}
