//! The folder where a server keeps what must survive it: the keys that sign tickets and that make the
//! hashes of accounts useless to whoever has only these.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use signalling::TicketKey;

/// The key that signs tickets. Where the folder cannot be written, it is one that ends with the
/// process: that costs nobody but those who join at the moment of a restart, and a full disk must not
/// keep a band from playing.
pub(crate) fn ticket_key(folder: &Path) -> anyhow::Result<TicketKey> {
    let key = key(folder, "ticket.key")?;
    Ok(TicketKey::new(key.map_or_else(random, Ok)?))
}

/// A key of this data folder; both are made if they are not there, for their owner only. None where
/// they cannot be.
pub(crate) fn key(folder: &Path, name: &str) -> anyhow::Result<Option<[u8; 32]>> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    if let Err(error) = made {
        return Ok(no_key(folder, &error));
    }
    let path = folder.join(name);
    let making = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match making {
        Ok(mut file) => {
            let key = random()?;
            if let Err(error) = file.write_all(&key).and_then(|()| file.sync_all()) {
                // Half a key would be refused at the next start.
                let _ = fs::remove_file(&path);
                return Ok(no_key(folder, &error));
            }
            Ok(Some(key))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_key(&path).map(Some),
        Err(error) => Ok(no_key(folder, &error)),
    }
}

fn no_key(folder: &Path, error: &std::io::Error) -> Option<[u8; 32]> {
    let folder = folder.display();
    tracing::warn!(%folder, %error, "the data folder cannot be written; choose another with --data");
    None
}

/// 32 bytes from the operating system.
pub(crate) fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => bail!("the system gives no randomness: {error}"),
    }
}

fn read_key(path: &Path) -> anyhow::Result<[u8; 32]> {
    let name = path.display();
    let mode = fs::metadata(path).with_context(|| format!("cannot read {name}"))?.permissions();
    ensure!(
        mode.mode() & 0o077 == 0,
        "{name} can be read by others; make it yours again with: chmod 600 {name}"
    );
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let key = bytes.as_slice().try_into();
    key.with_context(|| {
        format!("{name} has {} bytes and not 32; delete it to get a fresh one", bytes.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, gone with the test.
    fn with_folder(test: impl FnOnce(&Path)) {
        let name =
            format!("vjam-data-test-{}-{:?}", std::process::id(), std::thread::current().id());
        let folder = std::env::temp_dir().join(name);
        test(&folder);
        fs::remove_dir_all(&folder).expect("the folder is there and ours");
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        with_folder(|folder| {
            ticket_key(&folder.join("deeper")).expect("made");
            let path = folder.join("deeper/ticket.key");
            let made = fs::read(&path).expect("there");
            assert_eq!(made.len(), 32);
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            ticket_key(&folder.join("deeper")).expect("read");
            assert_eq!(fs::read(&path).expect("there"), made);
        });
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_no_music() {
        with_folder(|folder| {
            ticket_key(folder).expect("made");
            ticket_key(&folder.join("ticket.key/deeper"))
                .expect("a key that ends with the process");
        });
    }

    #[test]
    fn a_key_that_others_read_or_that_is_cut_off_is_refused() {
        with_folder(|folder| {
            ticket_key(folder).expect("made");
            let path = folder.join("ticket.key");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
            let error = ticket_key(folder).expect_err("readable by others").to_string();
            assert!(error.contains("chmod 600"), "{error}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
            fs::write(&path, b"short").expect("ours");
            let error = ticket_key(folder).expect_err("cut off").to_string();
            assert!(error.contains("5 bytes"), "{error}");
        });
    }
}
