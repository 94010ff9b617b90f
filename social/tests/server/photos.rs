//! Photos of people: what is kept of a file, who sees it, and what is refused.

use std::io::Cursor;

use axum::http::{HeaderMap, Method, StatusCode, header};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::people::profile;
use crate::world::{Person, World, contains, for_each_store};

/// Red on the left and blue on the right, twice as wide as high.
pub(crate) fn two_colors(format: ImageFormat) -> Vec<u8> {
    let photo =
        RgbImage::from_fn(
            600,
            300,
            |x, _| {
                if x < 300 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) }
            },
        );
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(photo).write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// A JPEG as a phone makes it: it says how the phone was held, where it was, and has a small picture
/// of its own inside.
fn from_a_phone() -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut bytes = [tag.to_le_bytes(), kind.to_le_bytes()].concat();
        bytes.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        bytes
    };
    let (ascii, short, long) = (2, 3, 4);
    let artist = b"CANARY-ARTIST\0";
    let datum = b"CANARY-GPS\0\0\0\0";
    // Two directories, the first of three entries at 8, the second of two after it.
    let gps_at = 8 + 2 + 3 * 12 + 4;
    let artist_at = gps_at + 2 + 2 * 12 + 4;
    let datum_at = artist_at + 14;
    tiff.extend(3_u16.to_le_bytes());
    tiff.extend(entry(0x0112, short, 1, 6));
    tiff.extend(entry(0x013b, ascii, 14, artist_at));
    tiff.extend(entry(0x8825, long, 1, gps_at));
    tiff.extend(0_u32.to_le_bytes());
    tiff.extend(2_u16.to_le_bytes());
    tiff.extend(entry(0x0001, ascii, 2, u32::from(b'N')));
    tiff.extend(entry(0x0012, ascii, 14, datum_at));
    tiff.extend(0_u32.to_le_bytes());
    tiff.extend(artist);
    tiff.extend(datum);
    tiff.extend(b"CANARY-THUMBNAIL");
    tiff.extend(two_colors(ImageFormat::Jpeg));
    let plain = two_colors(ImageFormat::Jpeg);
    let mut bytes = plain[..2].to_vec();
    for (marker, content) in
        [(0xe1, [&b"Exif\0\0"[..], &tiff].concat()), (0xfe, b"CANARY-COMMENT".to_vec())]
    {
        let length = u16::try_from(content.len() + 2).expect("short").to_be_bytes();
        bytes.extend([&[0xff, marker][..], &length, &content].concat());
    }
    bytes.extend(&plain[2..]);
    bytes
}

pub(crate) async fn send(person: &Person, kind: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
    let headers = [(header::CONTENT_TYPE, kind)];
    let (status, _, body) = person.raw(Method::PUT, "/account/photo", &headers, bytes).await;
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

pub(crate) async fn see(person: &Person, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    person.raw(Method::GET, path, &[], Vec::new()).await
}

#[tokio::test]
async fn promise_22_of_a_photo_nothing_is_kept_but_what_is_seen() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let photo = from_a_phone();
        assert!(contains(&photo, b"CANARY-GPS") && contains(&photo, b"Exif"), "it says much");
        assert_eq!(send(&ada, "image/jpeg", photo).await.0, StatusCode::NO_CONTENT);
        for size in [512, 128] {
            let (status, headers, bytes) =
                see(&ada, &format!("/people/ada/photo?size={size}")).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(headers[header::CONTENT_TYPE], "image/jpeg");
            for text in ["CANARY", "Exif", "GPS"] {
                assert!(!contains(&bytes, text.as_bytes()), "{text} in {size}");
            }
            assert!(bytes.len() < 100_000, "{}", bytes.len());
            let seen = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg);
            let seen = seen.expect("a JPEG").to_rgb8();
            assert_eq!(seen.dimensions(), (size, size));
            // Held sideways, so what is on the left of the file is seen at the top.
            let (top, bottom) =
                (seen.get_pixel(size / 4, 9).0, seen.get_pixel(size / 4, size - 9).0);
            assert!(top[0] > 200 && top[2] < 60, "red at the top: {top:?}");
            assert!(bottom[2] > 200 && bottom[0] < 60, "blue at the bottom: {bottom:?}");
        }
        let hex = social::secret::hex(b"CANARY");
        for text in ["CANARY", &hex] {
            assert!(!world.holds(text).await, "{text}");
        }
        // Also where it was a photo before: PostgreSQL writes bytes in hexadecimal.
        let kept = see(&ada, "/people/ada/photo?size=128").await.2;
        let found = contains(&world.dump().await, &kept[..200])
            || world.holds(&social::secret::hex(&kept[..200])).await;
        assert!(found, "what is kept is found");
    })
    .await;
}

#[tokio::test]
async fn a_photo_is_seen_by_whom_its_owner_lets_and_cannot_be_a_page() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut friend = world.account("friend").await;
        let stranger = world.account("stranger").await;
        friend.put("/friends/ada", json!({})).await;
        ada.put("/friends/friend", json!({})).await;
        let path = "/people/ada/photo";
        assert_eq!(see(&ada, path).await.0, StatusCode::NOT_FOUND);
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let kind = format.to_mime_type();
            let sent = send(&ada, kind, two_colors(format)).await;
            assert_eq!(sent.0, StatusCode::NO_CONTENT, "{kind}: {sent:?}");
        }
        for (seen_by, by_friend, by_stranger) in
            [("everybody", 200, 200), ("friends", 200, 404), ("nobody", 404, 404)]
        {
            ada.put("/account/profile", profile(seen_by)).await.is_done();
            for (person, status) in [(&ada, 200), (&friend, by_friend), (&stranger, by_stranger)] {
                assert_eq!(see(person, path).await.0.as_u16(), status, "{seen_by}");
                let looked = person.clone().get("/people/ada").await;
                assert_eq!(looked.body["photo"].is_string(), status == 200, "{looked:?}");
            }
        }
        let (_, headers, _) = see(&ada, path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cache-control", "private, no-cache"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value);
        }
        let tag = headers[header::ETAG].to_str().expect("text").to_owned();
        let known = [(header::IF_NONE_MATCH, tag.as_str())];
        let (status, _, body) = ada.raw(Method::GET, path, &known, Vec::new()).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        // It stays a secret from whoever may not see it, tag or not.
        let (status, _, _) = stranger.raw(Method::GET, path, &known, Vec::new()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(see(&ada, "/people/ada/photo?size=64").await.0, StatusCode::BAD_REQUEST);
        ada.delete("/account/photo").await.is_done();
        assert_eq!(see(&ada, path).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

/// A part of a PNG, with its checksum (PNG specification, 5.3).
fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let checked = [kind, content].concat();
    let mut crc = u32::MAX;
    for byte in &checked {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&length[..], &checked, &(!crc).to_be_bytes()].concat()
}

/// A PNG that says it is so wide and high.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = chunk(b"IHDR", &[&size[..], &[8, 6, 0, 0, 0]].concat());
    let data = chunk(b"IDAT", &[0x78, 0x9c, 0x63, 0, 0]);
    [&b"\x89PNG\r\n\x1a\n"[..], &header, &data, &chunk(b"IEND", b"")].concat()
}

#[tokio::test]
async fn what_is_no_photo_is_refused_with_a_reason() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let jpeg = two_colors(ImageFormat::Jpeg);
        let png = two_colors(ImageFormat::Png);
        let webp = two_colors(ImageFormat::WebP);
        let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
        let svg =
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
        let page = [b"<!doctype html><script>1</script>", &jpeg[..]].concat();
        for (what, kind, bytes, status, code) in [
            ("an SVG", "image/svg+xml", svg.clone(), 415, "wrong_type"),
            ("an SVG by another name", "image/png", svg, 415, "wrong_type"),
            ("a page that goes on as a photo", "image/jpeg", page, 415, "wrong_type"),
            ("a GIF", "image/jpeg", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), 415, "wrong_type"),
            ("another format than it says", "image/jpeg", png.clone(), 415, "wrong_type"),
            ("JSON", "application/json", b"{}".to_vec(), 415, "wrong_type"),
            ("nothing", "image/png", Vec::new(), 415, "wrong_type"),
            ("too wide and high", "image/png", bomb(20_000, 20_000), 413, "too_large"),
            ("too high", "image/png", bomb(1, u32::MAX >> 1), 413, "too_large"),
            ("nothing behind its size", "image/png", bomb(500, 500), 422, "invalid"),
            ("half a JPEG", "image/jpeg", half(&jpeg), 422, "invalid"),
            ("half a PNG", "image/png", half(&png), 422, "invalid"),
            ("half a WebP", "image/webp", half(&webp), 422, "invalid"),
            ("too many bytes", "image/jpeg", vec![0xff; 8 * 1024 * 1024 + 1], 413, "too_large"),
        ] {
            let (refused, body) = send(&ada, kind, bytes).await;
            assert_eq!((refused.as_u16(), &body["code"]), (status, &json!(code)), "{what}: {body}");
        }
        assert_eq!(see(&ada, "/people/ada/photo").await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn what_a_photo_is_besides_does_not_survive() {
    for_each_store(async |world: World| {
        let ada = world.account("ada").await;
        let behind = b"<script>CANARY</script>PK\x03\x04CANARY";
        let both = [&two_colors(ImageFormat::Jpeg)[..], behind].concat();
        assert_eq!(send(&ada, "image/jpeg", both).await.0, StatusCode::NO_CONTENT);
        for size in [512, 128] {
            let bytes = see(&ada, &format!("/people/ada/photo?size={size}")).await.2;
            assert!(!contains(&bytes, b"CANARY") && !contains(&bytes, b"script"));
            assert!(bytes.ends_with(&[0xff, 0xd9]), "nothing is behind it");
        }
        let mut last = StatusCode::NO_CONTENT;
        for _ in 0..20 {
            last = send(&ada, "image/jpeg", Vec::new()).await.0;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}
