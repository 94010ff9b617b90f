//! The web app as it was built into the binary.

use signalling_server::{Asset, Caching};

include!(concat!(env!("OUT_DIR"), "/web_app.rs"));

/// A file of the web app, or the page that says how to build it.
pub(crate) fn find(path: &str) -> Option<Asset> {
    let file = FILES.iter().find(|(name, _)| *name == path);
    let bytes = match file {
        Some((_, bytes)) => *bytes,
        None if path == "index.html" => NOT_BUILT.as_bytes(),
        None => return None,
    };
    // The bundler puts a hash of the content into the names of what it puts there.
    let is_hashed = path.starts_with("assets/");
    let caching = if is_hashed { Caching::Immutable } else { Caching::AskEachTime };
    Some(Asset { bytes: bytes.into(), caching })
}

/// Whether there is a web app in this binary.
pub(crate) fn is_built() -> bool {
    FILES.iter().any(|(name, _)| *name == "index.html")
}

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>vjam</title><h1>This vjam was built without its web app</h1>\
    <p>In the source folder, <code>cargo xtask run</code> builds everything and starts it.</p>\
    <p><code>vjam join LINK</code> works with this server as it is.</p>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_first_page_and_only_hashed_names_are_kept() {
        let index = find("index.html").expect("a page");
        assert!(index.bytes.starts_with(b"<!") || is_built());
        assert_eq!(index.caching, Caching::AskEachTime);
        assert!(find("no/such/file").is_none());
        for (name, _) in FILES.iter().filter(|(name, _)| name.starts_with("assets/")) {
            assert_eq!(find(name).map(|file| file.caching), Some(Caching::Immutable));
        }
    }
}
