//! How a backup is encrypted: in pieces, each of which is whole or refused.
//!
//! The key is made from the server's key and a random salt, so no two backups have the same and a count
//! of the pieces is enough to tell them apart. What surprises: the last piece is marked, since a file
//! that was cut off between two pieces would be taken for whole otherwise.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::Header;
use crate::limits::{BACKUP_PIECE_BYTES, BACKUP_SEALED_BYTES_MAX};
use crate::secret::{Purpose, ServerKey};

struct Key {
    key: LessSafeKey,
    header: Vec<u8>,
    pieces: u64,
}

impl Key {
    fn new(key: &ServerKey, header: &Header) -> Self {
        let key = key.keyed_hash(Purpose::Backup, &header.salt);
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("a key of 32 bytes");
        Self { key: LessSafeKey::new(key), header: header.bytes(), pieces: 0 }
    }

    /// What is used once: the number of the piece, and whether it is the last.
    fn next(&mut self, is_last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = u8::from(is_last);
        nonce[NONCE_LEN - 8..].copy_from_slice(&self.pieces.to_be_bytes());
        self.pieces += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Encrypts what is written to it.
pub(super) struct Sealer<W> {
    key: Key,
    gathered: Vec<u8>,
    to: W,
}

impl<W: Write> Sealer<W> {
    /// Begins a backup with its header, which everybody can read and nobody change.
    pub(super) fn new(key: &ServerKey, header: &Header, mut to: W) -> io::Result<Self> {
        to.write_all(&header.bytes())?;
        Ok(Self { key: Key::new(key, header), gathered: Vec::new(), to })
    }

    /// Ends it; nothing of it counts without this.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let mut piece = std::mem::take(&mut self.gathered);
        let nonce = self.key.next(is_last);
        let header = Aad::from(&self.key.header);
        let sealed = self.key.key.seal_in_place_append_tag(nonce, header, &mut piece);
        sealed.map_err(|_| io::Error::other("a piece is too long"))?;
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(&piece)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if BACKUP_PIECE_BYTES <= self.gathered.len() {
            self.seal(false)?;
        }
        let room = BACKUP_PIECE_BYTES - self.gathered.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.gathered.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decrypts what is read through it.
pub(super) struct Opener<R> {
    key: Key,
    piece: Vec<u8>,
    read: usize,
    is_last: bool,
    from: R,
}

impl<R: Read> Opener<R> {
    /// Goes on behind the header.
    pub(super) fn new(key: &ServerKey, header: &Header, from: R) -> Self {
        Self { key: Key::new(key, header), piece: Vec::new(), read: 0, is_last: false, from }
    }

    fn open(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(|_| cut_off())?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if BACKUP_SEALED_BYTES_MAX < length {
            return Err(forged());
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed).map_err(|_| cut_off())?;
        // Whether it is the last says its own seal: one of the two fits.
        let number = self.key.pieces;
        for is_last in [false, true] {
            let mut piece = sealed.clone();
            self.key.pieces = number;
            let nonce = self.key.next(is_last);
            let header = Aad::from(&self.key.header);
            if let Ok(opened) = self.key.key.open_in_place(nonce, header, &mut piece) {
                let length = opened.len();
                piece.truncate(length);
                (self.piece, self.read, self.is_last) = (piece, 0, is_last);
                return Ok(());
            }
        }
        Err(forged())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.read == self.piece.len() {
            if self.is_last {
                return Ok(0);
            }
            self.open()?;
        }
        let rest = &self.piece[self.read..];
        let length = rest.len().min(to.len());
        to[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Ok(length)
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the backup is cut off")
}

fn forged() -> io::Error {
    let text = "the backup was made with another social.key than the one of this server, or was \
                changed since";
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;

    const KEY: ServerKey = ServerKey::new([1; 32]);

    fn open(key: &ServerKey, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut from = sealed;
        let header = Header::read(&mut from)?;
        let mut text = Vec::new();
        Opener::new(key, &header, from).read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_was_sealed_comes_back_whole_or_not_at_all() {
        let header = Header { created_at: UnixMs(7), salt: [9; 32] };
        for length in [0, 1, BACKUP_PIECE_BYTES, 3 * BACKUP_PIECE_BYTES + 5] {
            let text: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
            let mut sealer = Sealer::new(&KEY, &header, Vec::new()).expect("begun");
            sealer.write_all(&text).expect("written");
            let sealed = sealer.finish().expect("finished");
            assert_eq!(open(&KEY, &sealed).expect("ours"), text);
            assert!(open(&ServerKey::new([2; 32]), &sealed).is_err(), "another key");
            for cut in [1, 17, 20, BACKUP_PIECE_BYTES + 20] {
                let Some(rest) = sealed.len().checked_sub(cut) else { continue };
                assert!(open(&KEY, &sealed[..rest]).is_err(), "{length} without {cut}");
            }
            // The time in the header, the length of a piece, and what it holds.
            for at in [14, 21, 58, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(open(&KEY, &changed).is_err(), "{length} changed at {at}");
            }
        }
    }
}
