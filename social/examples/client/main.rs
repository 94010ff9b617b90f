//! Writes what the web app knows of the routes; `--check` only says whether it is what would be written.
//!
//! `cargo run -p social --example client [-- --check]`

mod typescript;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/protocol/social.ts");
    let is_check = std::env::args().skip(1).any(|argument| argument == "--check");
    let text = match typescript::file() {
        Ok(text) => text,
        Err(error) => {
            eprintln!("the description of the routes: {error}");
            return ExitCode::FAILURE;
        }
    };
    if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return ExitCode::SUCCESS;
    }
    if is_check {
        eprintln!("{}: stale, run `cargo xtask generate`", path.display());
        return ExitCode::FAILURE;
    }
    match std::fs::write(&path, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
