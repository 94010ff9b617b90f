//! The zip over HTTP.

use crate::export::unpack;
use crate::http::{Answer, Server, stem_path, take_path};
use crate::stem::{START, record, stem_id, take_id};
use crate::store::{KEY, begin, folder};

fn get(server: &Server, headers: &[(&str, &str)]) -> Answer {
    let path = format!("{}/take.zip?key={KEY}", take_path(take_id(1)));
    server.ask("GET", &path, headers, b"")
}

/// A server with a take of one stem, whose zip is there.
fn ready(data: &std::path::Path) -> (Server, Answer) {
    let server = Server::with_takes(data, &[begin(1, "r")]);
    assert_eq!(get(&server, &[]).status, 404, "nothing has come");
    server.takes.stopped(take_id(1), START.plus_ns(2_000_000_000));
    let bytes = record(take_id(1), stem_id(1), "Ana", 2);
    assert_eq!(server.upload(&stem_path(take_id(1), stem_id(1)), &bytes).status, 204);
    server.until(|| {
        let answer = get(&server, &[]);
        if answer.status == 202 {
            assert!(answer.json()["percent"].is_number(), "{}", answer.text());
            assert!(answer.header("retry-after").is_some());
        }
        answer.status == 200
    });
    let whole = get(&server, &[]);
    (server, whole)
}

#[test]
fn a_take_is_downloaded_by_its_link_once_it_is_made() {
    let data = folder();
    let (_server, whole) = ready(data.path());
    let (names, _) = unpack(&whole.body);
    assert!(names.iter().any(|name| name.contains("Ana")), "{names:?}");
    let length = whole.body.len().to_string();
    for (name, value) in [
        ("content-length", length.as_str()),
        ("content-type", "application/zip"),
        ("cache-control", "private, no-store"),
        ("referrer-policy", "no-referrer"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    let name = whole.header("content-disposition").expect("a name");
    assert!(name.starts_with("attachment; filename=\"Take-1.zip\""), "{name}");
}

#[test]
fn a_download_that_broke_off_goes_on() {
    let data = folder();
    let (server, whole) = ready(data.path());
    let tag = whole.header("etag").expect("a tag").to_owned();
    let rest = get(&server, &[("range", "bytes=1000-"), ("if-range", &tag)]);
    assert_eq!(rest.status, 206);
    assert!(rest.body == whole.body[1000..], "the rest");
    let length = whole.body.len();
    let range = format!("bytes 1000-{}/{length}", length - 1);
    assert_eq!(rest.header("content-range"), Some(range.as_str()));
    let other = get(&server, &[("range", "bytes=1000-"), ("if-range", "\"another\"")]);
    assert_eq!((other.status, other.body.len()), (200, length), "another file from its beginning");
    let beyond = get(&server, &[("range", &format!("bytes={length}-"))]);
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{length}").as_str()));
}
