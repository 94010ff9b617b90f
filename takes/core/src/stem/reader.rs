//! Reads a stem, whoever wrote it: a file cut off anywhere, damaged, or made to do harm.

use std::io::{self, Read};

use thiserror::Error;

use super::MAGIC;
use super::header::{Header, HeaderRefused};
use super::record::{CHECKSUM_BYTES, HEAD_BYTES, HEADER, MARK, Record};
use crate::limits::{DAMAGES_MAX, RECORD_BYTES_MAX};

/// Gives the records of a stem, one after another, of those that are good. Holds one record at a time.
///
/// Runs and the frames in them only rise: what a broken or hostile writer put in another order is passed over.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    header: Header,
    run: u32,
    next_frame: u64,
    is_ended: bool,
    ending: Option<Ending>,
    damages: usize,
    damaged_bytes: u64,
    first_damage: Option<u64>,
    passed_over: u64,
}

/// Where a stem's bytes end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The recording was ended on purpose.
    Complete,
    /// After a whole record: it is being recorded still, or the program crashed, or not everything has been
    /// uploaded.
    Open,
    /// Within a record. What is before this byte is good.
    Cut {
        /// Where that record begins.
        at_byte: u64,
    },
    /// There was so much damage that the rest was not read.
    GivenUp {
        /// What is before this byte was read.
        at_byte: u64,
    },
}

/// Why nothing can be read of a stem.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Not the right file.
    #[error("this is no stem of a take: it does not begin as one")]
    NoStem,
    /// The header's checksum fails, or it is cut off.
    #[error("the stem's header is damaged or cut off, so nothing can be made of the rest")]
    Damaged,
    /// The header says what cannot be.
    #[error(transparent)]
    Refused(#[from] HeaderRefused),
    /// From the caller's input.
    #[error("the stem cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Where that is not possible, nothing of the stem is of use.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let mut input = Input { input, buffer: Vec::new(), start: 0, position: 0, at_end: false };
        if input.peek(MAGIC.len())? != Some(&MAGIC) {
            return Err(ReadError::NoStem);
        }
        input.skip(MAGIC.len());
        let (kind, payload) = match input.peek_record()? {
            Peeked::Record { kind, payload } => (kind, payload),
            Peeked::Nothing | Peeked::Short | Peeked::Bad => return Err(ReadError::Damaged),
        };
        if kind != HEADER {
            return Err(ReadError::Damaged);
        }
        let header = Header::read(payload)?;
        let bytes = HEAD_BYTES + payload.len() + CHECKSUM_BYTES;
        input.skip(bytes);
        Ok(Self {
            input,
            header,
            run: 0,
            next_frame: 0,
            is_ended: false,
            ending: None,
            damages: 0,
            damaged_bytes: 0,
            first_damage: None,
            passed_over: 0,
        })
    }

    /// The next record that is good; `None` where there are no more, and from then on.
    ///
    /// # Errors
    /// Those of the input. Damage is none: see [`Self::ending`] and [`Self::damaged_bytes`].
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        while self.ending.is_none() {
            let record = match self.input.peek_record()? {
                Peeked::Record { kind, payload } => {
                    let record = Record::read(kind, payload);
                    let bytes = HEAD_BYTES + payload.len() + CHECKSUM_BYTES;
                    self.input.skip(bytes);
                    record
                }
                Peeked::Nothing => {
                    self.ending = Some(if self.is_ended { Ending::Complete } else { Ending::Open });
                    continue;
                }
                Peeked::Short | Peeked::Bad => {
                    self.find_next()?;
                    continue;
                }
            };
            match record.filter(|record| self.follows(record)) {
                Some(record) => return Ok(Some(record)),
                None => self.passed_over += 1,
            }
        }
        Ok(None)
    }

    /// Whether a record may come here; if so, what comes after it is known.
    fn follows(&mut self, record: &Record) -> bool {
        let run = match record {
            Record::Run { run } | Record::End { run, .. } => *run,
            Record::Clock(reading) => reading.run,
            Record::Audio(audio) => audio.run,
        };
        // Readings date earlier frames too, those of an earlier run included.
        let is_clock = matches!(record, Record::Clock(_));
        if run < self.run && !is_clock {
            return false;
        }
        if self.run < run {
            (self.run, self.next_frame) = (run, 0);
        }
        match record {
            Record::Audio(audio) if audio.first_frame < self.next_frame => return false,
            Record::Audio(audio) => {
                self.next_frame = audio.first_frame + u64::from(audio.frames);
                self.is_ended = false;
            }
            Record::Run { .. } => self.is_ended = false,
            Record::End { .. } => self.is_ended = true,
            Record::Clock(_) => {}
        }
        true
    }

    /// Passes over what is no record, to where the next one is or the end.
    fn find_next(&mut self) -> io::Result<()> {
        let bad = self.input.position;
        loop {
            if DAMAGES_MAX <= self.damages {
                self.ending = Some(Ending::GivenUp { at_byte: bad });
                return Ok(());
            }
            self.damages += 1;
            self.input.skip(1);
            if !self.input.find_mark()? {
                // Nothing good follows: the last record is half there, or something else is.
                self.ending = Some(Ending::Cut { at_byte: bad });
                return Ok(());
            }
            match self.input.peek_record()? {
                Peeked::Record { .. } => break,
                Peeked::Nothing | Peeked::Short | Peeked::Bad => {}
            }
        }
        self.first_damage.get_or_insert(bad);
        self.damaged_bytes += self.input.position - bad;
        Ok(())
    }
}

impl<R> Reader<R> {
    /// Whose stem this is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the stem ends; `None` until [`Self::next_record`] has given `None`.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Where the first bytes lie that are no record and are followed by good ones. A program that crashed and came
    /// back leaves such bytes.
    pub fn first_damage(&self) -> Option<u64> {
        self.first_damage
    }

    /// How many such bytes there are.
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// Records that are whole and yet of no use: of a kind that is not known, or out of order.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }
}

/// Bytes that were read ahead.
#[derive(Debug)]
struct Input<R> {
    input: R,
    buffer: Vec<u8>,
    /// Of the buffer's bytes, those before this one are used up.
    start: usize,
    /// The first byte that is not used up, counted from the beginning of the stem.
    position: u64,
    at_end: bool,
}

/// What there is to see at the position.
enum Peeked<'a> {
    /// A record whose checksum holds.
    Record { kind: u8, payload: &'a [u8] },
    /// The end.
    Nothing,
    /// The beginning of what may be a record, up to the end.
    Short,
    /// No record.
    Bad,
}

impl<R: Read> Input<R> {
    /// So many bytes without using them up, or `None` where the input ends before.
    fn peek(&mut self, bytes: usize) -> io::Result<Option<&[u8]>> {
        while self.ahead().len() < bytes && !self.at_end {
            self.read_more()?;
        }
        Ok(self.ahead().get(..bytes))
    }

    fn read_more(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + READ_BYTES, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        self.at_end = read? == 0;
        Ok(())
    }

    fn peek_record(&mut self) -> io::Result<Peeked<'_>> {
        let Some(head) = self.peek(HEAD_BYTES)? else {
            return Ok(if self.ahead().is_empty() { Peeked::Nothing } else { Peeked::Short });
        };
        let &[a, b, c, kind, l0, l1, l2, l3] = head else { return Ok(Peeked::Bad) };
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if [a, b, c] != MARK || RECORD_BYTES_MAX < length {
            return Ok(Peeked::Bad);
        }
        let length = usize::try_from(length).expect("it has at most 16 bits");
        let Some(record) = self.peek(HEAD_BYTES + length + CHECKSUM_BYTES)? else {
            return Ok(Peeked::Short);
        };
        let (bytes, checksum) = record.split_at(HEAD_BYTES + length);
        if crc32fast::hash(bytes).to_le_bytes() != checksum {
            return Ok(Peeked::Bad);
        }
        Ok(Peeked::Record { kind, payload: &bytes[HEAD_BYTES..] })
    }

    /// Uses up what is before the next mark; `false` where there is none.
    fn find_mark(&mut self) -> io::Result<bool> {
        loop {
            let found = self.ahead().windows(MARK.len()).position(|bytes| bytes == MARK);
            if let Some(found) = found {
                self.skip(found);
                return Ok(true);
            }
            // A mark may be half there.
            self.skip(self.ahead().len().saturating_sub(MARK.len() - 1));
            if self.at_end {
                return Ok(false);
            }
            self.read_more()?;
        }
    }
}

impl<R> Input<R> {
    fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Uses up bytes that were peeked at.
    fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.ahead().len());
        self.start += bytes;
        self.position += u64::try_from(bytes).expect("usize has at most 64 bits");
    }
}

/// How much is asked for at once.
const READ_BYTES: usize = 16 * 1024;
