//! Reads an object as decoders want it: from anywhere, by a thread that may wait.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use symphonia::core::io::MediaSource;
use tokio::runtime::Handle;

use crate::objects::{ObjectKey, Objects};

/// An object that is read block by block, of which one is kept.
#[derive(Debug)]
pub(super) struct Reader {
    objects: Objects,
    key: ObjectKey,
    size: u64,
    at: u64,
    /// What is kept, and where in the object it begins.
    block: Vec<u8>,
    block_at: u64,
    runtime: Handle,
    broken: Arc<AtomicBool>,
}

impl Reader {
    /// Reads an object of so many bytes, on a thread that does not belong to `runtime`.
    pub(super) fn new(objects: Objects, key: ObjectKey, size: u64, runtime: Handle) -> Self {
        let (block, broken) = (Vec::new(), Arc::default());
        Self { objects, key, size, at: 0, block, block_at: 0, runtime, broken }
    }

    /// Whether it could not be read, by then: a decoder does not tell that from a file that breaks off.
    pub(super) fn broken(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.broken)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.size <= self.at {
            return Ok(0);
        }
        let end = self.block_at + self.block.len() as u64;
        if self.at < self.block_at || end <= self.at {
            let range = self.at..self.size.min(self.at + BLOCK_BYTES);
            let read = self.runtime.block_on(self.objects.read_all(self.key, range));
            self.block = read.map_err(|error| {
                // Relaxed: whoever asks does so after this thread has told what it found.
                self.broken.store(true, Ordering::Relaxed);
                Error::other(error.to_string())
            })?;
            self.block_at = self.at;
        }
        let from = usize::try_from(self.at - self.block_at).unwrap_or(usize::MAX);
        let rest = self.block.get(from..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

impl MediaSource for Reader {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size)
    }
}

/// Bytes that are read at once.
const BLOCK_BYTES: u64 = 1024 * 1024;
