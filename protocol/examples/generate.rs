//! Writes the web client's types; `--check` only says whether they are what would be written.
//!
//! `cargo run -p protocol --features typescript --example generate [-- --check]`

#![expect(
    clippy::disallowed_methods,
    reason = "the crate makes the text; this is the shell that writes the files"
)]

use std::path::Path;
use std::process::ExitCode;

use protocol::typescript::files;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/protocol");
    let check = std::env::args().skip(1).any(|argument| argument == "--check");
    let mut failed = false;
    for file in files() {
        let path = folder.join(file.name);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if check {
            eprintln!("{}: stale, run `cargo xtask generate`", path.display());
            failed = true;
            continue;
        }
        let written =
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, file.text));
        if let Err(error) = written {
            eprintln!("{}: {error}", path.display());
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
