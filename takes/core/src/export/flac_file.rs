//! A FLAC file (RFC 9639): frames go to a scratch file until the length and the digest are known, which stand in
//! front of them.

use std::io::{self, Read, Seek, Write};

use md5::{Digest, Md5};

use super::archive::Archive;
use super::driver::Scratch;
use crate::flac::Encoder;
use crate::{SAMPLE_BITS, SAMPLE_RATE};

/// A file that is being encoded.
pub(super) struct FlacFile {
    channels: u8,
    encoder: Encoder,
    scratch: Box<dyn Scratch>,
    /// Samples that do not fill a frame yet, interleaved.
    gathered: Vec<i32>,
    encoded: Vec<u8>,
    frames: u64,
    number: u32,
    bytes: u64,
    frame_bytes: (usize, usize),
    crc: crc32fast::Hasher,
    md5: Md5,
}

/// A file that is encoded.
pub(super) struct Encoded {
    head: Vec<u8>,
    scratch: Box<dyn Scratch>,
    bytes: u64,
    crc: crc32fast::Hasher,
}

impl FlacFile {
    pub(super) fn new(channels: u8, scratch: Box<dyn Scratch>) -> Self {
        Self {
            channels,
            encoder: Encoder::new(channels),
            scratch,
            gathered: Vec::new(),
            encoded: Vec::new(),
            frames: 0,
            number: 0,
            bytes: 0,
            frame_bytes: (0, 0),
            crc: crc32fast::Hasher::new(),
            md5: Md5::new(),
        }
    }

    /// Appends samples of 24 bits, interleaved.
    pub(super) fn write(&mut self, interleaved: &[i32]) -> io::Result<()> {
        let per_frame = usize::from(BLOCK_FRAMES) * usize::from(self.channels);
        let mut rest = interleaved;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(per_frame - self.gathered.len()));
            self.gathered.extend_from_slice(now);
            rest = later;
            if self.gathered.len() == per_frame {
                self.encode()?;
            }
        }
        Ok(())
    }

    /// Encodes what is left.
    pub(super) fn finish(mut self, title: &str) -> io::Result<Encoded> {
        if !self.gathered.is_empty() {
            self.encode()?;
        }
        let mut head = Vec::new();
        head.extend(b"fLaC");
        let info = self.stream_info();
        put_block(0, false, &info, &mut head);
        put_block(4, true, &comment(title), &mut head);
        Ok(Encoded { head, scratch: self.scratch, bytes: self.bytes, crc: self.crc })
    }

    fn encode(&mut self) -> io::Result<()> {
        self.encoded.clear();
        self.encoder.encode(&self.gathered, self.number, &mut self.encoded);
        for sample in &self.gathered {
            let [a, b, c, _] = sample.to_le_bytes();
            self.md5.update([a, b, c]);
        }
        let bytes = self.encoded.len();
        let (least, most) = self.frame_bytes;
        let least = if self.number == 0 { bytes } else { least.min(bytes) };
        self.frame_bytes = (least, most.max(bytes));
        self.number += 1;
        self.frames += to_u64(self.gathered.len() / usize::from(self.channels));
        self.bytes += to_u64(bytes);
        self.crc.update(&self.encoded);
        self.gathered.clear();
        self.scratch.write_all(&self.encoded)
    }

    /// RFC 9639 §8.2.
    fn stream_info(&self) -> Vec<u8> {
        let mut info = Vec::new();
        info.extend([BLOCK_FRAMES.to_be_bytes(); 2].concat());
        for bytes in [self.frame_bytes.0, self.frame_bytes.1] {
            let bytes = u32::try_from(bytes).expect("a frame is short");
            info.extend(&bytes.to_be_bytes()[1..]);
        }
        let packed = u64::from(SAMPLE_RATE) << 44
            | u64::from(self.channels - 1) << 41
            | u64::from(SAMPLE_BITS - 1) << 36
            | self.frames;
        info.extend(packed.to_be_bytes());
        info.extend(self.md5.clone().finalize());
        info
    }
}

impl Encoded {
    /// Appends the file to an archive.
    pub(super) fn store<W: Write>(
        mut self,
        name: &str,
        archive: &mut Archive<W>,
        between: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.head);
        crc.combine(&self.crc);
        archive.begin(name, to_u64(self.head.len()) + self.bytes, crc.finalize())?;
        archive.write(&self.head)?;
        self.scratch.rewind()?;
        archive.copy(self.scratch.take(self.bytes), between)
    }
}

/// A metadata block with its header (RFC 9639 §8.1).
fn put_block(kind: u8, is_last: bool, content: &[u8], out: &mut Vec<u8>) {
    let bytes = u32::try_from(content.len()).expect("metadata is short").to_be_bytes();
    out.push(kind | if is_last { 0x80 } else { 0 });
    out.extend(&bytes[1..]);
    out.extend(content);
}

/// A Vorbis comment with a title (RFC 9639 §8.6).
fn comment(title: &str) -> Vec<u8> {
    let mut comment = Vec::new();
    put_text("vjam", &mut comment);
    comment.extend(1_u32.to_le_bytes());
    put_text(&format!("TITLE={title}"), &mut comment);
    comment
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let bytes = u32::try_from(text.len()).expect("titles are short");
    out.extend(bytes.to_le_bytes());
    out.extend(text.as_bytes());
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}

/// Frames of each FLAC frame but the last.
const BLOCK_FRAMES: u16 = 4096;
