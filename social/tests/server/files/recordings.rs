//! What is found out of recordings.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{file, for_each_file_store, get, sent, wav};
use crate::world::World;

#[tokio::test]
async fn a_recording_has_its_length_and_its_view_once_it_was_looked_through() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        // Of three megabytes: it is read block by block.
        let id = file(&mut ada, "x.wav", &wav(700_000)).await;
        let path = format!("/files/{id}");
        let before = ada.get(&path).await;
        assert_eq!(
            (&before.body["analysis"], &before.body["duration_ms"]),
            (&json!("waiting"), &Value::Null)
        );
        get(&ada, &format!("{path}/peaks")).await.is(404, "not_found");
        world.work().await;
        let after = ada.get(&path).await;
        assert_eq!(
            (&after.body["analysis"], &after.body["duration_ms"]),
            (&json!("done"), &json!(87_500))
        );
        let peaks = get(&ada, &format!("{path}/peaks")).await.json();
        assert_eq!(peaks["duration_ms"], 87_500);
        let list = |name: &str| -> Vec<i64> {
            let all = peaks[name].as_array().expect("a list").iter();
            all.map(|value| value.as_i64().expect("a number")).collect()
        };
        let (min, max) = (list("min"), list("max"));
        assert_eq!((min.len(), max.len()), (1000, 1000));
        assert!(max[..498].iter().chain(&min[..498]).all(|value| *value == 0), "silent at first");
        assert!(max[502..].iter().all(|value| *value == 127), "then as loud as can be");
        assert!(min[502..].iter().all(|value| *value == -127), "in both channels");
    })
    .await;
}

#[tokio::test]
async fn what_only_begins_like_a_recording_is_kept_without_a_length() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut random = Vec::new();
        for _ in 0..999 {
            random.extend(social::secret::random());
        }
        for (name, head) in [
            ("x.wav", b"RIFF\xff\xff\xff\x7fWAVEfmt ".as_slice()),
            ("x.flac", b"fLaC"),
            ("x.mp3", b"ID3\x04\0\0\0\0\0\0"),
            ("x.ogg", b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead"),
            ("x.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0"),
            ("x.webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"),
        ] {
            let bytes = [head, &random].concat();
            let done = sent(&mut ada, name, &bytes, 1 << 20).await;
            assert_eq!(done.status, StatusCode::CREATED, "{name}: {done:?}");
            world.work().await;
            let path = format!("/files/{}", done.json()["id"].as_str().expect("an id"));
            let shown = ada.get(&path).await;
            assert_ne!(shown.body["analysis"], "waiting", "{name} is done with");
            assert!(get(&ada, &format!("{path}/content")).await.bytes == bytes, "{name} is kept");
        }
    })
    .await;
}

/// A page of Ogg with packets of fewer than 255 bytes.
fn ogg_page(flags: u8, frames: u64, number: u32, packets: &[&[u8]]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(frames.to_le_bytes());
    page.extend(7_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(u8::try_from(packets.len()).expect("few"));
    page.extend(packets.iter().map(|packet| u8::try_from(packet.len()).expect("short")));
    page.extend(packets.concat());
    let mut crc = 0_u32;
    for byte in &page {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = if crc >> 31 == 1 { (crc << 1) ^ 0x04c1_1db7 } else { crc << 1 };
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

#[tokio::test]
async fn of_opus_the_length_is_known_and_no_view() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
        let tags = b"OpusTags\x04\0\0\0test\0\0\0\0";
        // A second and a half of silence, 20 ms a packet.
        let packets = [b"\xf8\xff\xfe".as_slice(); 75];
        let bytes = [
            ogg_page(2, 0, 0, &[head.as_slice()]),
            ogg_page(0, 0, 1, &[tags.as_slice()]),
            ogg_page(4, 75 * 960, 2, &packets),
        ];
        let id = file(&mut ada, "x.opus", &bytes.concat()).await;
        world.work().await;
        let shown = ada.get(&format!("/files/{id}")).await;
        assert_eq!(shown.body["media_type"], "audio/ogg");
        assert_eq!(
            (&shown.body["analysis"], &shown.body["duration_ms"]),
            (&json!("done"), &json!(1500))
        );
        get(&ada, &format!("/files/{id}/peaks")).await.is(404, "not_found");
    })
    .await;
}
