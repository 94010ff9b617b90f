//! A ZIP file, written on a thread that may wait for the disk.
//!
//! What surprises: nothing in it is compressed. Who fetches it once, mostly fetches recordings and
//! pictures, which do not get smaller.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::limits::{EXPORT_PIECE_BYTES, EXPORT_PIECES_MAX};

/// A ZIP file that is being written. Dropped before [`Archive::finish`], it is removed.
#[derive(Debug)]
pub struct Archive {
    pieces: Sender<Piece>,
    gathered: Vec<u8>,
    writer: JoinHandle<io::Result<u64>>,
}

enum Piece {
    Begin(String),
    Bytes(Vec<u8>),
    End,
}

impl Archive {
    /// Begins one. The folder is made if it is not there, for its owner only, as is the file.
    #[must_use]
    pub fn create(path: PathBuf) -> Self {
        let (pieces, taken) = mpsc::channel(EXPORT_PIECES_MAX);
        let writer = tokio::task::spawn_blocking(move || {
            let written = write(&path, taken);
            if written.is_err() {
                // What is left of it is somebody's.
                let _ = fs::remove_file(&path);
            }
            written
        });
        Self { pieces, gathered: Vec::new(), writer }
    }

    /// Begins a file in it.
    ///
    /// # Errors
    /// When what came before could not be written.
    pub async fn begin(&mut self, name: &str) -> io::Result<()> {
        self.flush().await?;
        self.send(Piece::Begin(name.to_owned())).await
    }

    /// Adds to the file that was begun last.
    ///
    /// # Errors
    /// When what came before could not be written.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gathered.extend_from_slice(bytes);
        if EXPORT_PIECE_BYTES <= self.gathered.len() { self.flush().await } else { Ok(()) }
    }

    /// Ends it; how many bytes it has. All of it is on the disk then.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn finish(mut self) -> io::Result<u64> {
        // What was wrong says the writer, better than that it takes nothing any more.
        let _ = self.flush().await;
        let _ = self.send(Piece::End).await;
        self.writer.await.map_err(io::Error::other)?
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered);
        self.send(Piece::Bytes(gathered)).await
    }

    async fn send(&self, piece: Piece) -> io::Result<()> {
        self.pieces.send(piece).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn write(path: &Path, mut pieces: Receiver<Piece>) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Begin(name) => zip.start_file(name, options)?,
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
            Piece::End => {
                let file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.sync_all()?;
                return Ok(file.metadata()?.len());
            }
        }
    }
    Err(io::ErrorKind::Interrupted.into())
}
