//! Builds the parts in their order: what browsers run as WebAssembly, the web app that carries it, `vjam`.

use std::path::Path;

use anyhow::Context;

use crate::console;
use crate::program::Program;
use crate::setup;
use crate::tree;

/// Builds what browsers run of ours, the engine and the writer of stems, and lays it where the web app takes it from.
pub(crate) fn wasm_modules() -> anyhow::Result<()> {
    for module in WASM_MODULES {
        Program::new("cargo", ["build", "--package", module.package])
            .args(["--target", "wasm32-unknown-unknown", "--profile", "web", "--locked"])
            .run()?;
        let folder = target_folder().join("wasm32-unknown-unknown/web");
        let built = std::fs::read(folder.join(module.built)).with_context(|| {
            format!("{} was built, but is not where it was expected", module.package)
        })?;
        let place = module.place;
        // Written only when it differs, so that a watching Vite does not reload for nothing.
        if std::fs::read(place).is_ok_and(|there| there == built) {
            continue;
        }
        console::say(&format!("{place}: {} kB", built.len() / 1_000));
        std::fs::write(place, built).with_context(|| format!("cannot write {place}"))?;
    }
    Ok(())
}

/// Installs the web app's packages and builds it into `web/dist`, from where it goes into `vjam`.
///
/// Left alone when nothing changed: new files there would have `vjam` linked again each time.
pub(crate) fn web_app() -> anyhow::Result<()> {
    setup::node_packages("web")?;
    if web_app_is_fresh()? {
        console::say("web/dist is up to date");
        return Ok(());
    }
    Program::new("npm", ["run", "build"]).within("web").run()
}

/// Whether the built page is newer than every file it was made from, and than every folder they lie
/// in, which change when a file goes.
fn web_app_is_fresh() -> anyhow::Result<bool> {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let Ok(built) = changed(Path::new("web/dist/index.html")) else {
        return Ok(false);
    };
    let sources = tree::paths("web")?;
    let mut fixed = vec!["web/node_modules/.installed-package-lock.json".to_owned()];
    fixed.extend(WASM_MODULES.map(|module| module.place.to_owned()));
    let newer = |path: &Path| changed(path).is_ok_and(|source| built < source);
    let folders = sources.iter().filter_map(|path| Path::new(path).parent());
    let stale = sources.iter().chain(&fixed).map(Path::new).any(newer)
        || folders.filter(|folder| *folder != Path::new("web")).any(newer);
    Ok(!stale)
}

/// Builds all programs, tests, examples and benches, in the one profile that tests run in.
///
/// As one command, so that every crate is built once, with one set of features.
pub(crate) fn workspace() -> anyhow::Result<()> {
    Program::new("cargo", ["build", "--workspace", "--all-targets", "--locked"]).run()
}

/// The absolute path of the `vjam` that [`workspace`] built. Tests take it from `VJAM`, rather than
/// build one with other features.
pub(crate) fn vjam() -> anyhow::Result<String> {
    let programs =
        std::fs::canonicalize(target_folder().join("debug")).context("nothing was built yet")?;
    Ok(programs.join("vjam").to_string_lossy().into_owned())
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new("target").to_path_buf(), std::path::PathBuf::from)
}

/// A package that browsers run.
struct WasmModule {
    package: &'static str,
    built: &'static str,
    place: &'static str,
}

const WASM_MODULES: [WasmModule; 2] = [
    WasmModule {
        package: "engine-web",
        built: "engine_web.wasm",
        place: "web/src/audio/engine.wasm",
    },
    WasmModule {
        package: "takes-web",
        built: "takes_web.wasm",
        place: "web/src/audio/stems/stem.wasm",
    },
];
