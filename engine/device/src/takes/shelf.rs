//! The stems on this machine: `TAKE-STEM.stem` and, beside each, a note of where it belongs.
//!
//! A stem that is in use is locked, so that two programs on one machine leave each other's alone. What
//! surprises: the note holds the take's key, which is why it is for its owner's eyes only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use protocol::room_state::Take;
use serde::{Deserialize, Serialize};
use takes::stem::{Header, Writer, inspect};
use takes::{StemId, TakeId};

use super::Whose;
use crate::random;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
}

/// A stem that is being recorded: locked, and open at its end.
#[derive(Debug)]
pub(super) struct OpenStem {
    pub(super) take: String,
    pub(super) title: String,
    pub(super) file: File,
    pub(super) channels: u8,
    /// What makes its writer: how far it is already, or whose it is.
    pub(super) begun: Begun,
}

/// Whether a stem goes on.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is new.
    New(Header),
    /// It was begun by another program, or by this one before.
    Before(Box<takes::stem::Summary>),
}

/// Where a stem belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) server: String,
    pub(super) take: String,
    pub(super) key: String,
    pub(super) title: String,
    pub(super) stem: String,
    pub(super) name: String,
    pub(super) label: String,
}

/// A stem that waits to be sent, locked for whoever sends it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) note: Note,
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Shelf {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins the stem of a musician in a take, or goes on with one that is there; an error is why not.
    pub(super) fn begin(&self, take: &Take, whose: &Whose) -> Result<OpenStem, String> {
        self.try_begin(take, whose).map_err(|error| format!("{}: {error}", self.folder.display()))
    }

    fn try_begin(&self, take: &Take, whose: &Whose) -> io::Result<OpenStem> {
        let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let take_id: TakeId =
            take.id.parse().map_err(|_| strange("the take has no proper name"))?;
        make_folder(&self.folder)?;
        let same = |note: &Note| {
            (&note.take, &note.name, &note.label, &note.server)
                == (&take.id, &whose.name, &whose.label, &whose.server)
        };
        for (path, note) in self.notes().filter(|(_, note)| same(note)) {
            let Some(mut file) = open_locked(&path)? else { continue };
            // One that cannot be read is left as it is, and another begun.
            let Ok(summary) = inspect(io::BufReader::new(&mut file)) else { continue };
            io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
            let channels = summary.header.channels;
            if channels != whose.channels {
                continue;
            }
            let begun = Begun::Before(Box::new(summary));
            let (take, title) = (note.take, note.title);
            return Ok(OpenStem { take, title, file, channels, begun });
        }
        let stem = StemId::from_bytes(random::bytes());
        let header = Header {
            take: take_id,
            stem,
            participant: whose.name.clone(),
            label: whose.label.clone(),
            channels: whose.channels,
        };
        let path = self.folder.join(format!("{}-{stem}.stem", take.id));
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        lock(&file)?;
        let note = Note {
            server: whose.server.clone(),
            take: take.id.clone(),
            key: take.key.clone(),
            title: take.title.clone(),
            stem: stem.to_string(),
            name: whose.name.clone(),
            label: whose.label.clone(),
        };
        write_note(&path.with_extension("json"), &note)?;
        let (take, title) = (take.id.clone(), take.title.clone());
        Ok(OpenStem { take, title, file, channels: 1, begun: Begun::New(header) })
    }

    /// A stem that nobody records or sends, if there is one that `skip` does not name.
    pub(super) fn waiting(&self, skip: &[PathBuf]) -> Option<Waiting> {
        self.notes().filter(|(path, _)| !skip.contains(path)).find_map(|(path, note)| {
            let file = open_locked(&path).ok().flatten()?;
            let waiting = Waiting { note, path, file };
            if waiting.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                // Nothing was ever recorded into it.
                let _ = self.remove(waiting);
                return None;
            }
            Some(waiting)
        })
    }

    /// How many stems there are, whoever has them.
    pub(super) fn count(&self) -> usize {
        self.notes().count()
    }

    /// Takes a stem away that is where it belongs.
    pub(super) fn remove(&self, waiting: Waiting) -> io::Result<()> {
        // The note last: a stem without one would be found by nobody.
        fs::remove_file(&waiting.path)?;
        fs::remove_file(waiting.path.with_extension("json"))
    }

    /// Every stem with a note that can be read, the oldest names first.
    fn notes(&self) -> impl Iterator<Item = (PathBuf, Note)> + use<> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut notes: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .take(STEMS_MAX)
            .collect();
        notes.sort();
        notes.into_iter().filter_map(|path| {
            let note = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            Some((path.with_extension("stem"), note))
        })
    }
}

impl OpenStem {
    /// What writes it, its first bytes appended to `out`; `channels` are those of what is recorded.
    pub(super) fn writer(&mut self, channels: u8, out: &mut Vec<u8>) -> Result<Writer, String> {
        match &mut self.begun {
            Begun::New(header) => {
                header.channels = channels;
                self.channels = channels;
                Writer::new(header, out).map_err(|error| error.to_string())
            }
            Begun::Before(summary) if summary.header.channels == channels => {
                Ok(Writer::resume(summary))
            }
            Begun::Before(summary) => Err(format!(
                "your part of {} has {} channel(s), and now there are {channels}",
                self.title, summary.header.channels
            )),
        }
    }
}

/// Opens a stem to read and append, if nobody else has it.
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        fs::TryLockError::Error(error) => error,
    })
}

fn write_note(path: &Path, note: &Note) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()
}

/// Stems that are looked through; what is beyond waits for a day with fewer.
const STEMS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn take() -> Take {
        let [id, key] = ["ab", "cd"].map(|pair| pair.repeat(16));
        let (title, started_by) = ("Take 1".into(), "Ann".into());
        Take { id, key, title, started_by, start_us: 0, stop_us: None }
    }

    fn whose(name: &str) -> Whose {
        Whose {
            server: "http://jam:7880".into(),
            name: name.into(),
            label: "mic".into(),
            channels: 2,
        }
    }

    #[test]
    fn a_stem_goes_on_after_a_crash_and_is_not_shared() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shelf = Shelf::new(folder.path().join("takes"));
        let mut stem = shelf.begin(&take(), &whose("Ann")).expect("begun");
        let mut out = Vec::new();
        let mut writer = stem.writer(2, &mut out).expect("its own channels");
        writer.audio(0, &[0.5; 2 * 10_000], &mut out);
        // Cut off within a record, as a crash does.
        stem.file.write_all(&out[..out.len() - 7]).expect("written");
        assert!(shelf.waiting(&[]).is_none(), "it is being recorded");
        let other = shelf.begin(&take(), &whose("Ann")).expect("another program's");
        assert!(matches!(other.begun, Begun::New(_)), "the first is in use");
        drop(other);
        let beside = shelf.begin(&take(), &whose("Ben")).expect("begun");
        assert!(matches!(beside.begun, Begun::New(_)));
        drop(stem);
        // The older name comes first or not: one of Ann's two has sound in it.
        let sounding = [(); 2].map(|()| shelf.begin(&take(), &whose("Ann")).expect("goes on"));
        let frames = sounding.iter().filter_map(|stem| match &stem.begun {
            Begun::Before(summary) => Some(summary.frames()),
            Begun::New(_) => None,
        });
        assert_eq!(frames.max(), Some(4096));
    }

    #[test]
    fn what_waits_is_found_once_and_can_be_taken_away() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shelf = Shelf::new(folder.path().into());
        drop(shelf.begin(&take(), &whose("Eve")).expect("begun"));
        let mut stem = shelf.begin(&take(), &whose("Ann")).expect("begun");
        stem.file.write_all(b"sound").expect("written");
        drop(stem);
        fs::write(folder.path().join("strange.json"), "{}").expect("written");
        let waiting = shelf.waiting(&[]).expect("it waits");
        assert_eq!((waiting.note.name.as_str(), waiting.note.key.len()), ("Ann", 32));
        assert!(shelf.waiting(&[]).is_none(), "somebody sends it");
        assert!(shelf.waiting(std::slice::from_ref(&waiting.path)).is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                fs::metadata(waiting.path.with_extension("json")).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "the key is in it");
        }
        shelf.remove(waiting).expect("taken away");
        assert_eq!(shelf.count(), 0);
        assert_eq!(Shelf::new(folder.path().join("none")).count(), 0);
    }
}
