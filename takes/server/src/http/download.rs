//! The download of a take: a zip, whole or in part, once it is made.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::{KeyQuery, Refusal, json as answer, on_disk, take_id};
use crate::export::ReadyExport;
use crate::handle::Takes;
use crate::limits::READ_BYTES;
use crate::store::ExportAnswer;

pub(super) async fn download(
    State(takes): State<Takes>,
    Path(take): Path<String>,
    Query(query): Query<KeyQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (take, key) = (take_id(&take)?, query.key(&headers)?);
    let is_rest = headers.contains_key(header::RANGE);
    let asked = on_disk(&takes, move |store| {
        let now = SystemTime::now();
        let found = match store.ask_export(take, &key, is_rest, now)? {
            ExportAnswer::Ready(ready) => match File::open(&ready.path) {
                Ok(file) => Ok((ready, file, store.status(take, &key, now)?.title)),
                // It made way for a stem a moment ago.
                Err(_) => Err(ExportAnswer::Preparing { percent: None }),
            },
            other @ (ExportAnswer::Preparing { .. } | ExportAnswer::Empty) => Err(other),
        };
        Ok(found)
    });
    match asked.await? {
        Ok((ready, file, title)) => Ok(send(ready, file, &title, &headers)),
        Err(ExportAnswer::Preparing { percent }) => {
            let state = if percent.is_some() { "preparing" } else { "waiting" };
            let text = "the download is being prepared; ask again in a few seconds";
            let body = json!({ "state": state, "percent": percent.unwrap_or(0), "text": text });
            let mut response = answer(StatusCode::ACCEPTED, &body);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            Ok(private(response))
        }
        Err(ExportAnswer::Ready(_) | ExportAnswer::Empty) => {
            let text = "no stem of this take has come yet; they are sent while and after you play";
            Err(Refusal::new(StatusCode::NOT_FOUND, text))
        }
    }
}

fn send(ready: ReadyExport, file: File, title: &str, headers: &HeaderMap) -> Response {
    let length = ready.bytes;
    let tag = format!("\"{}\"", ready.fingerprint);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let wanted = text(header::RANGE).filter(|_| is_same).map(|range| read_range(range, length));
    let (status, range) = match wanted {
        None | Some(Wanted::Whole) => (StatusCode::OK, 0..length),
        Some(Wanted::Part(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Wanted::Nothing) => {
            let mut refusal = Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "it is not so long");
            let value = HeaderValue::try_from(format!("bytes */{length}"));
            refusal.header = value.ok().map(|value| (header::CONTENT_RANGE, value));
            return private(refusal.into_response());
        }
    };
    let bytes = range.end - range.start;
    let part = (status == StatusCode::PARTIAL_CONTENT)
        .then(|| format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1)));
    let mut response = Response::new(pieces(file, range));
    *response.status_mut() = status;
    let mut set = |name, value: Result<HeaderValue, _>| {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, HeaderValue::try_from("application/zip"));
    set(header::CONTENT_LENGTH, Ok(HeaderValue::from(bytes)));
    set(header::ACCEPT_RANGES, HeaderValue::try_from("bytes"));
    set(header::ETAG, HeaderValue::try_from(tag));
    set(header::CONTENT_DISPOSITION, HeaderValue::try_from(disposition(title)));
    if let Some(part) = part {
        set(header::CONTENT_RANGE, HeaderValue::try_from(part));
    }
    private(response)
}

/// The link holds the key: neither what it leads to nor where it led from is for others.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Part of a file, read piece by piece as it is sent.
fn pieces(file: File, range: Range<u64>) -> Body {
    let start = (file, range.start, range.end - range.start);
    Body::from_stream(stream::try_unfold(start, |(mut file, at, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = move || {
            let wanted = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
            let mut piece = vec![0; wanted];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut piece)?;
            io::Result::Ok((Bytes::from(piece), file))
        };
        let (piece, file) = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
        let length = u64::try_from(piece.len()).unwrap_or(left);
        io::Result::Ok(Some((piece, (file, at + length, left - length))))
    }))
}

/// What a `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Everything: several parts, or another unit, may be answered so.
    Whole,
    Part(Range<u64>),
    /// What is beyond the end.
    Nothing,
}

fn read_range(text: &str, length: u64) -> Wanted {
    let parts = text.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'));
    let Some((first, last)) = parts else { return Wanted::Whole };
    let range = match (first, last.parse::<u64>()) {
        ("", Ok(0)) => return Wanted::Nothing,
        ("", Ok(bytes)) => length.saturating_sub(bytes)..length,
        (_, read) => match (first.parse::<u64>(), read, last) {
            (Ok(first), Ok(last), _) if first <= last => first..last.saturating_add(1).min(length),
            (Ok(first), Err(_), "") => first..length,
            _ => return Wanted::Whole,
        },
    };
    if range.start < range.end { Wanted::Part(range) } else { Wanted::Nothing }
}

/// The name of the file, for programs that know ASCII and for the others.
fn disposition(title: &str) -> String {
    let plain: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let plain = if plain.is_empty() { "take" } else { plain };
    let title = if title.is_empty() { "take" } else { title };
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let encoded: String = title.bytes().map(encode).collect();
    format!("attachment; filename=\"{plain}.zip\"; filename*=UTF-8''{encoded}.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_http_has_it() {
        for (text, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=4-99", Wanted::Part(4..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("frames=0-1", Wanted::Whole),
            ("bytes=0-18446744073709551615", Wanted::Part(0..10)),
        ] {
            assert_eq!(read_range(text, 10), expected, "{text}");
        }
        assert_eq!(read_range("bytes=0-", 0), Wanted::Nothing);
    }

    #[test]
    fn a_title_cannot_break_out_of_its_header() {
        let header = disposition("Blue\"; x=\r\n Ã…");
        assert!(header.is_ascii() && !header.contains(['\r', '\n']), "{header}");
        assert_eq!(header.matches('"').count(), 2, "{header}");
        assert!(disposition("").contains("\"take.zip\""));
    }
}
