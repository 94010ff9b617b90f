//! A zip archive that is written once from front to back (APPNOTE 6.3.10): nothing is compressed, as FLAC is, and
//! what is over 4 GB, a file or the whole, is written as ZIP64. Lengths and checksums are known beforehand, so that
//! any program can unpack it while it arrives.

use std::io::{self, Read, Write};

use super::date::Date;

/// Writes an archive.
pub(super) struct Archive<W> {
    out: W,
    written: u64,
    date: Date,
    entries: Vec<Entry>,
    /// From here on numbers are in extra fields: what 32 bits hold, but for tests.
    small_max: u64,
}

struct Entry {
    name: String,
    offset: u64,
    bytes: u64,
    crc: u32,
}

impl<W: Write> Archive<W> {
    /// Begins an archive whose files are all of one date.
    pub(super) fn new(out: W, date: Date) -> Self {
        Self { out, written: 0, date, entries: Vec::new(), small_max: u64::from(u32::MAX) }
    }

    /// Appends a file that is in memory.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.begin(name, to_u64(content.len()), crc32fast::hash(content))?;
        self.write(content)
    }

    /// Announces a file of a length and checksum, whose content [`Self::write`] and [`Self::copy`] bring.
    pub(super) fn begin(&mut self, name: &str, bytes: u64, crc: u32) -> io::Result<()> {
        let entry = Entry { name: name.to_owned(), offset: self.written, bytes, crc };
        let mut head = Vec::new();
        head.extend(0x0403_4b50_u32.to_le_bytes());
        let large = self.small_max <= bytes;
        self.put_common(&entry, large, &mut head);
        head.extend(name_bytes(&entry.name).to_le_bytes());
        head.extend((if large { 20_u16 } else { 0 }).to_le_bytes());
        head.extend(entry.name.as_bytes());
        if large {
            put_zip64(&[bytes, bytes], &mut head);
        }
        self.entries.push(entry);
        self.write(&head)
    }

    /// Appends to the file that was announced.
    pub(super) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.written += to_u64(content.len());
        self.out.write_all(content)
    }

    /// Appends all of an input to the file that was announced; `between` is asked between two pieces.
    pub(super) fn copy(
        &mut self,
        mut input: impl Read,
        mut between: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let read = match input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.write(&buffer[..read])?;
            between()?;
        }
    }

    /// Writes the directory, which ends the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let start = self.written;
        let mut directory = Vec::new();
        for entry in &self.entries {
            let large = self.small_max <= entry.bytes || self.small_max <= entry.offset;
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            // Made by version 4.5 on Unix, so that permissions count.
            directory.extend((3_u16 << 8 | 45).to_le_bytes());
            self.put_common(entry, large, &mut directory);
            directory.extend(name_bytes(&entry.name).to_le_bytes());
            directory.extend((if large { 28_u16 } else { 0 }).to_le_bytes());
            // Comment, disk, internal attributes.
            directory.extend([0; 6]);
            directory.extend((0o100_644_u32 << 16).to_le_bytes());
            directory.extend(small(entry.offset, large).to_le_bytes());
            directory.extend(entry.name.as_bytes());
            if large {
                put_zip64(&[entry.bytes, entry.bytes, entry.offset], &mut directory);
            }
        }
        let count = to_u64(self.entries.len());
        let bytes = to_u64(directory.len());
        self.write(&directory)?;
        let mut end = Vec::new();
        let large = self.small_max <= start + bytes;
        if large {
            let at = self.written;
            end.extend(0x0606_4b50_u32.to_le_bytes());
            end.extend(44_u64.to_le_bytes());
            end.extend((3_u16 << 8 | 45).to_le_bytes());
            end.extend(45_u16.to_le_bytes());
            end.extend([0; 8]);
            for value in [count, count, bytes, start] {
                end.extend(value.to_le_bytes());
            }
            end.extend(0x0706_4b50_u32.to_le_bytes());
            end.extend([0; 4]);
            end.extend(at.to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        end.extend(0x0605_4b50_u32.to_le_bytes());
        end.extend([0; 4]);
        let count = u16::try_from(count).expect("some seventy files").to_le_bytes();
        end.extend([count, count].concat());
        end.extend(small(bytes, false).to_le_bytes());
        end.extend(small(start, large).to_le_bytes());
        end.extend([0; 2]);
        self.write(&end)?;
        self.out.flush()
    }

    /// What a file's own header and the directory have in common. Where it is large, lengths are in an extra field.
    fn put_common(&self, entry: &Entry, large: bool, out: &mut Vec<u8>) {
        out.extend((if large { 45_u16 } else { 20 }).to_le_bytes());
        // Names are UTF-8; nothing is compressed.
        out.extend(0x0800_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        let (time, day) = self.date.dos();
        out.extend(time.to_le_bytes());
        out.extend(day.to_le_bytes());
        out.extend(entry.crc.to_le_bytes());
        out.extend([small(entry.bytes, large).to_le_bytes(); 2].concat());
    }
}

/// The extra field with numbers of 64 bits.
fn put_zip64(values: &[u64], out: &mut Vec<u8>) {
    out.extend(1_u16.to_le_bytes());
    let bytes = u16::try_from(values.len() * 8).expect("three numbers");
    out.extend(bytes.to_le_bytes());
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

/// A number of 32 bits, or all ones where the extra field has it.
fn small(value: u64, large: bool) -> u32 {
    if large { u32::MAX } else { u32::try_from(value).unwrap_or(u32::MAX) }
}

fn name_bytes(name: &str) -> u16 {
    u16::try_from(name.len()).expect("names have at most two hundred characters")
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}

const COPY_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::*;

    fn check(small_max: u64) {
        let date = Date::of(RoomTime::from_ns(1_790_000_000_000_000_000));
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes, date);
        archive.small_max = small_max;
        let contents = [vec![], vec![7; 100], b"Zo\xc3\xab".to_vec(), vec![1; 70_000]];
        let names = ["a/empty", "a/Zoë 🎸.flac", "b", "c"];
        for (name, content) in names.iter().zip(&contents) {
            archive.begin(name, to_u64(content.len()), crc32fast::hash(content)).expect("memory");
            archive.copy(&content[..], || Ok(())).expect("memory");
        }
        archive.finish().expect("memory");
        let mut read = zip::ZipArchive::new(io::Cursor::new(&bytes)).expect("an archive");
        assert_eq!(read.len(), 4);
        for (name, content) in names.iter().zip(&contents) {
            let mut file = read.by_name(name).expect("it is there");
            let mut back = Vec::new();
            file.read_to_end(&mut back).expect("its checksum holds");
            assert_eq!(&back, content, "{name}");
            assert_eq!(file.last_modified().map(|date| date.year()), Some(2026));
        }
        // From front to back, too.
        let mut stream = io::Cursor::new(&bytes);
        for content in &contents {
            let file = zip::read::read_zipfile_from_stream(&mut stream).expect("a file");
            assert_eq!(file.expect("a file").size(), to_u64(content.len()));
        }
    }

    #[test]
    fn archives_are_read_by_others() {
        check(u64::from(u32::MAX));
    }

    #[test]
    fn archives_of_more_than_four_gigabytes_are_read_by_others() {
        // Everything is large, then only what comes after the first hundred bytes.
        check(0);
        check(100);
    }
}
