//! The file in which `vjam calibrate` remembers what it measured: `calibration.toml` in the user's configuration.
//!
//! It is made to be read and edited by people. What surprises: a file that cannot be read is an error for whoever
//! wants to change it, for it would be lost; whoever only wants to play is told and plays.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine_device::calibration::Calibrations;
use etcetera::BaseStrategy as _;

/// Where it is.
pub(crate) struct Store(PathBuf);

impl Store {
    /// The user's: `$XDG_CONFIG_HOME/vjam/calibration.toml`, or under `~/.config`.
    pub(crate) fn of_user() -> anyhow::Result<Self> {
        let folders = etcetera::choose_base_strategy().context("where is your home folder?")?;
        Ok(Self(folders.config_dir().join("vjam").join("calibration.toml")))
    }

    /// What it has; nothing where there is no file.
    pub(crate) fn read(&self) -> anyhow::Result<Calibrations> {
        let name = self.0.display();
        match fs::read_to_string(&self.0) {
            Ok(text) => toml::from_str(&text).with_context(|| {
                format!("{name} cannot be understood: correct it, or delete it and calibrate again")
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Calibrations::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {name}")),
        }
    }

    /// Replaces it, whole or not at all.
    pub(crate) fn write(&self, calibrations: &Calibrations) -> anyhow::Result<()> {
        let text = format!("{HEADER}{}", toml::to_string_pretty(calibrations)?);
        replace(&self.0, &text).with_context(|| format!("cannot write {}", self.0.display()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().expect("it lies in a folder of ours");
    fs::create_dir_all(folder)?;
    // Beside it, because only within a file system does a name change at once.
    let fresh = folder.join(format!(".calibration-{}.toml", std::process::id()));
    let mut file = fs::File::create(&fresh)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| fs::rename(&fresh, path));
    if replaced.is_err() {
        // What is left over would only be in the way.
        let _ = fs::remove_file(&fresh);
    }
    replaced
}

const HEADER: &str = "\
# What `vjam calibrate` measured of this computer's devices. `vjam join` adds the two last numbers of a device to
# what its driver says of its delay, while it runs with the same rate and period. Delete what does not hold.

";

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use engine_device::audio::{DeviceNames, Rates};
    use engine_device::calibration::{Calibration, DeviceKey, Said};

    use super::*;

    fn with_store(test: impl FnOnce(&Store)) {
        let name = format!("vjam-store-{}-{:?}", std::process::id(), std::thread::current().id());
        let folder = std::env::temp_dir().join(name);
        test(&Store(folder.join("vjam/calibration.toml")));
        // A folder that is left behind harms nobody.
        let _ = fs::remove_dir_all(&folder);
    }

    fn one() -> Calibrations {
        let names = DeviceNames { backend: "jack", input: "in \"1\"".into(), output: "ö".into() };
        let key = DeviceKey::new(&names, Rates::default(), 64);
        let said = Said { input: None, output: Some(Duration::from_millis(2)) };
        let mut all = Calibrations::default();
        all.put(Calibration::new(key, Duration::from_micros(12_345), said));
        all
    }

    #[test]
    fn what_was_measured_is_read_as_it_was_written_and_by_people() {
        with_store(|store| {
            assert_eq!(store.read().expect("no file is none"), Calibrations::default());
            store.write(&one()).expect("the folder is made");
            store.write(&one()).expect("and replaced");
            assert_eq!(store.read().expect("it is there"), one());
            let text = fs::read_to_string(store.path()).expect("there");
            assert!(
                text.contains("\n[[device]]\n") && text.contains("round_trip_ms = 12.345\n"),
                "{text}"
            );
            let folder = store.path().parent().expect("a folder");
            assert_eq!(fs::read_dir(folder).expect("there").count(), 1, "nothing is left over");
        });
    }

    #[test]
    fn a_file_that_is_not_understood_is_named_and_kept() {
        with_store(|store| {
            fs::create_dir_all(store.path().parent().expect("a folder")).expect("ours");
            fs::write(store.path(), "[[device]]\nbackend = 3\n").expect("ours");
            let error = format!("{:#}", store.read().expect_err("no text"));
            assert!(error.contains("calibration.toml cannot be understood"), "{error}");
        });
    }
}
