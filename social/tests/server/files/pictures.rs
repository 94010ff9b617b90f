//! What becomes of pictures: everything that is not to be seen is gone.

use std::io::Cursor;

use axum::http::StatusCode;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::{file, for_each_file_store, get, objects, raw_objects, sent};
use crate::world::{World, contains};

/// Left half red, right half blue.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    let half = |x| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| half(x)))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// What a camera says of a photo: that it is to be turned by a quarter to the right, and where it was.
fn exif() -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    tiff.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    tiff.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26");
    tiff.extend(b"\0\0\0\0");
    // One entry: the reference of the latitude, in so many letters, behind it.
    tiff.extend(b"\0\x01\0\x01\0\x02\0\0\0\x10\0\0\0\x38\0\0\0\0");
    tiff.extend(b"canary-N52.52000");
    tiff
}

fn with_exif_jpeg(jpeg: &[u8]) -> Vec<u8> {
    let data = [b"Exif\0\0".as_slice(), &exif()].concat();
    let length = u16::try_from(data.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &data, &jpeg[2..]].concat()
}

/// A chunk of text before the data.
fn with_text_png(png: &[u8]) -> Vec<u8> {
    let body = b"tEXtComment\0canary-N52.52000";
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(body.len() - 4).expect("short").to_be_bytes();
    let head = 8 + 25;
    [&png[..head], &length, body, &(!crc).to_be_bytes(), &png[head..]].concat()
}

/// A chunk of EXIF behind the data, which the head of the file has to announce.
fn with_exif_webp(webp: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    body.extend(&(width - 1).to_le_bytes()[..3]);
    body.extend(&(height - 1).to_le_bytes()[..3]);
    body.extend(&webp[12..]);
    let exif = exif();
    body.extend(b"EXIF");
    body.extend(u32::try_from(exif.len()).expect("short").to_le_bytes());
    body.extend(&exif);
    [b"RIFF".as_slice(), &u32::try_from(body.len()).expect("short").to_le_bytes(), &body].concat()
}

fn with_remark_gif(gif: &[u8]) -> Vec<u8> {
    let end = gif.len() - 1;
    [&gif[..end], b"\x21\xfe\x10canary-N52.52000\0", &gif[end..]].concat()
}

#[tokio::test]
async fn promise_22_where_a_picture_was_taken_is_nowhere_once_it_is_here() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let image = two_halves(64, 32);
        let jpeg = with_exif_jpeg(&encoded(&image, ImageFormat::Jpeg));
        let png = with_text_png(&encoded(&image, ImageFormat::Png));
        let webp = with_exif_webp(&encoded(&image, ImageFormat::WebP), 64, 32);
        let gif = with_remark_gif(&encoded(&image, ImageFormat::Gif));
        for (name, bytes) in [("a.jpg", jpeg), ("a.png", png), ("a.webp", webp), ("a.gif", gif)] {
            assert!(contains(&bytes, b"canary-N52"), "{name} holds it before");
            let id = file(&mut ada, name, &bytes).await;
            for path in ["content", "thumbnail"] {
                let there = get(&ada, &format!("/files/{id}/{path}")).await;
                assert_eq!(there.status, StatusCode::OK, "{name} {path}");
                assert!(!contains(&there.bytes, b"canary"), "{name} {path}");
                let seen = image::load_from_memory(&there.bytes).expect("a picture").to_rgb8();
                // A photo that a camera wants turned is turned: what was on the left is on top.
                let turned = name == "a.jpg" || name == "a.webp";
                let size = if turned { (32, 64) } else { (64, 32) };
                assert_eq!(there.header("content-security-policy"), "sandbox; default-src 'none'");
                assert_eq!(seen.width() * size.1, seen.height() * size.0, "{name} {path}");
                let (first, last) =
                    (seen.get_pixel(2, 2), seen.get_pixel(seen.width() - 3, seen.height() - 3));
                assert!(200 < first[0] && first[2] < 60, "{name} {path}: {first:?} is red");
                assert!(200 < last[2] && last[0] < 60, "{name} {path}: {last:?} is blue");
            }
        }
        world.work().await;
        // Not in any object either, whatever came in parts.
        let all = raw_objects(&world).await;
        assert_eq!(all.len(), 8, "four pictures, each with a small one");
        for (name, bytes) in all {
            assert!(64 < bytes.len() && !contains(&bytes, b"canary"), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_small_picture_has_320_pixels_at_most_and_white_where_nothing_is() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let clear = RgbaImage::from_pixel(1000, 500, Rgba([9, 9, 9, 0]));
        let bytes = encoded(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
        let id = file(&mut ada, "clear.png", &bytes).await;
        let there = get(&ada, &format!("/files/{id}/thumbnail")).await;
        assert_eq!(there.header("content-type"), "image/jpeg");
        let small = image::load_from_memory(&there.bytes).expect("a picture").to_rgb8();
        assert_eq!(small.dimensions(), (320, 160));
        assert!(small.get_pixel(7, 7).0.iter().all(|value| 250 < *value));
        let shown = ada.get(&format!("/files/{id}")).await;
        assert_eq!(
            (&shown.body["width_px"], &shown.body["height_px"]),
            (&1000.into(), &500.into())
        );
        let kept = get(&ada, &format!("/files/{id}/content")).await;
        assert_eq!(
            image::load_from_memory(&kept.bytes).expect("a picture").to_rgba8()[(7, 7)][3],
            0
        );
        assert!(kept.header("content-disposition").starts_with("attachment"));
        get(&ada, &format!("/files/{id}/peaks")).await.is(404, "not_found");
    })
    .await;
}

/// A PNG that says that it is so large, of nothing.
fn bomb(side: u32) -> Vec<u8> {
    let mut png = encoded(&two_halves(64, 64), ImageFormat::Png);
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let mut crc = u32::MAX;
    for byte in &png[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[tokio::test]
async fn a_picture_that_is_a_bomb_or_broken_is_refused_and_leaves_nothing() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        for side in [10_000, 20_000, u32::MAX / 2] {
            let refused = sent(&mut ada, "bomb.png", &bomb(side), 1 << 20).await;
            let status = refused.status.as_u16();
            assert!(status == 413 || status == 415, "{side}: {refused:?}");
        }
        sent(&mut ada, "bomb.png", &bomb(20_000), 1 << 20).await.is(413, "too_large");
        let broken = [encoded(&two_halves(64, 64), ImageFormat::Jpeg)[..40].to_vec(), vec![0; 99]];
        sent(&mut ada, "x.jpg", &broken.concat(), 1 << 20).await.is(415, "kind_not_allowed");
        let gif = [b"GIF89a".as_slice(), &[0; 99]].concat();
        sent(&mut ada, "x.gif", &gif, 1 << 20).await.is(415, "kind_not_allowed");
        assert_eq!(ada.get("/files").await.body["files"].as_array().map(Vec::len), Some(0));
        world.clock.advance(std::time::Duration::from_secs(25 * 3600));
        world.work().await;
        assert!(objects(&world).await.is_empty());
    })
    .await;
}
