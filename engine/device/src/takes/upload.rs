//! Brings stems to the server, one after the other, on a thread of its own.
//!
//! Where a stem ends at the server is asked, never remembered, so that a connection that is cut, or a program that
//! is, costs nothing. What surprises: a refusal that will stay one (the take is gone, the stem too large) keeps the
//! file where it is and says where that is; it may be all that is left of an evening.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use ureq::Agent;
use ureq::http::{Method, Request, Response, StatusCode};

use super::pace::{PIECE_BYTES, Pace};
use super::shelf::{Shelf, Waiting};
use super::{Road, Tell, Unsent};
use crate::http::agent;
use crate::session::Notice;

/// The sending thread's handle; the thread ends with it, after the piece that is under way.
pub(super) struct Uploader {
    wake: mpsc::Sender<()>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The take that is being recorded, whose stems are not to be sent; `None` until the room has told.
    running: Mutex<Option<Option<String>>>,
    waiting: AtomicUsize,
    sent: AtomicU64,
    bytes: AtomicU64,
}

impl Uploader {
    /// Begins to send what waits.
    pub(super) fn start(shelf: Shelf, road: Road, tell: Tell) -> Self {
        let (wake, woken) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        shared.waiting.store(shelf.count(), Ordering::Relaxed);
        let mut work = Work {
            shelf,
            road,
            tell,
            woken,
            shared: Arc::clone(&shared),
            agent: None,
            given_up: BTreeMap::new(),
            warned: None,
        };
        // Without the thread stems wait for the next start.
        let _ = thread::Builder::new().name("vjam-stems".into()).spawn(move || work.run());
        Self { wake, shared }
    }

    /// Says which take is being recorded.
    pub(super) fn set_running(&self, take: Option<String>) {
        *self.shared.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(take);
        self.look();
    }

    /// There may be something to send.
    pub(super) fn look(&self) {
        // A thread that could not be started does not listen.
        let _ = self.wake.send(());
    }

    pub(super) fn unsent(&self) -> Unsent {
        // Relaxed: numbers to look at.
        Unsent {
            stems: self.shared.waiting.load(Ordering::Relaxed),
            sent_bytes: self.shared.sent.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
        }
    }
}

struct Work {
    shelf: Shelf,
    road: Road,
    tell: Tell,
    woken: mpsc::Receiver<()>,
    shared: Arc<Shared>,
    agent: Option<Agent>,
    /// Stems that are not tried again, or not before then.
    given_up: BTreeMap<PathBuf, Option<Instant>>,
    /// What was said last about waiting, so that it is said once.
    warned: Option<String>,
}

/// Why a stem is not at the server.
enum Failed {
    /// It may be later: the network, a full disk.
    Later(String),
    /// It never will be.
    Never(String),
    /// Nobody is interested any more.
    Over,
}

impl Work {
    fn run(&mut self) {
        let began = Instant::now();
        loop {
            match self.woken.recv_timeout(LOOK_EVERY) {
                Ok(()) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            // A stem that is gone on with must not be taken for one that is over.
            if self.running().is_none() && began.elapsed() < ROOM_TELLS_MAX {
                continue;
            }
            while let Some(waiting) = self.next() {
                if let Err(Failed::Over) = self.send(waiting) {
                    return;
                }
            }
            self.count();
        }
    }

    fn running(&self) -> Option<Option<String>> {
        self.shared.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next stem that is worth a try.
    fn next(&mut self) -> Option<Waiting> {
        let running = self.running().flatten();
        let now = Instant::now();
        self.given_up.retain(|_, until| until.is_none_or(|until| now < until));
        let mut skip: Vec<PathBuf> = self.given_up.keys().cloned().collect();
        loop {
            let waiting = self.shelf.waiting(&skip)?;
            if running.as_ref() != Some(&waiting.note.take) {
                return Some(waiting);
            }
            skip.push(waiting.path);
        }
    }

    fn send(&mut self, mut waiting: Waiting) -> Result<(), Failed> {
        self.count();
        let sent = self.send_all(&mut waiting);
        self.shared.bytes.store(0, Ordering::Relaxed);
        self.shared.sent.store(0, Ordering::Relaxed);
        let title = waiting.note.title.clone();
        match sent {
            Ok(()) => {
                self.warned = None;
                let path = waiting.path.clone();
                if let Err(error) = self.shelf.remove(waiting) {
                    self.given_up.insert(path, None);
                    tracing::warn!(%error, "a stem that was sent could not be removed");
                }
                self.count();
                (self.tell)(Notice::Fact(format!("your part of {title} is at the server")));
                Ok(())
            }
            Err(Failed::Later(reason)) => {
                self.given_up.insert(waiting.path, Some(Instant::now() + TRY_AGAIN));
                if self.warned.as_ref() != Some(&reason) {
                    let text = format!("your part of {title} waits: {reason}");
                    (self.tell)(Notice::Warning(text));
                    self.warned = Some(reason);
                }
                Ok(())
            }
            Err(Failed::Never(reason)) => {
                let text = format!(
                    "your part of {title} stays here ({}): {reason}",
                    waiting.path.display()
                );
                self.given_up.insert(waiting.path, None);
                self.count();
                (self.tell)(Notice::Warning(text));
                Ok(())
            }
            Err(Failed::Over) => Err(Failed::Over),
        }
    }

    fn send_all(&mut self, waiting: &mut Waiting) -> Result<(), Failed> {
        let disk = |error: io::Error| Failed::Later(format!("it cannot be read: {error}"));
        let length = waiting.file.metadata().map_err(disk)?.len();
        self.shared.bytes.store(length, Ordering::Relaxed);
        let mut pace = Pace::new(self.road.troubles());
        for _ in 0..CHECKSUMS_MAX {
            let mut offset = match self.offset(waiting)? {
                (end, true) if end == length => return Ok(()),
                (_, true) => {
                    let text = "the server took it for complete, and more was recorded after that";
                    return Err(Failed::Never(text.to_owned()));
                }
                (offset, false) => offset.min(length),
            };
            while offset < length {
                self.shared.sent.store(offset, Ordering::Relaxed);
                let end = self.send_piece(waiting, offset, length, &mut pace)?;
                if end == offset {
                    return Err(Failed::Later("the server takes no more of it".to_owned()));
                }
                offset = end;
                if matches!(self.woken.try_recv(), Err(mpsc::TryRecvError::Disconnected)) {
                    return Err(Failed::Over);
                }
            }
            if self.complete(waiting, length)? {
                return Ok(());
            }
        }
        Err(Failed::Never("what arrives at the server is not what was sent".to_owned()))
    }

    /// Where the stem ends at the server, and whether it is complete there.
    fn offset(&mut self, waiting: &Waiting) -> Result<(u64, bool), Failed> {
        let request = self.request(Method::HEAD, waiting, "").body(()).map_err(malformed)?;
        let response = self.agent().run(request).map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => Ok((
                header(&response, OFFSET).unwrap_or(0),
                response.headers().get(COMPLETE).is_some_and(|value| value == "?1"),
            )),
            // The first of it, if there is such a take; that is told when something is sent.
            StatusCode::NOT_FOUND => Ok((0, false)),
            _ => Err(refused(response)),
        }
    }

    /// Sends about half a second's worth; gives where the stem ends then.
    fn send_piece(
        &mut self,
        waiting: &mut Waiting,
        offset: u64,
        length: u64,
        pace: &mut Pace,
    ) -> Result<u64, Failed> {
        let disk = |error: io::Error| Failed::Later(format!("it cannot be read: {error}"));
        let bytes = pace.request_bytes(self.road.plays()).min(length - offset);
        waiting.file.seek(SeekFrom::Start(offset)).map_err(disk)?;
        let began = Instant::now();
        let response = {
            let request = self.request(Method::PATCH, waiting, "").header(OFFSET, offset);
            let request = request.header("Content-Length", bytes);
            let mut body = Paced {
                file: (&mut waiting.file).take(bytes),
                pace,
                road: &self.road,
                due: Instant::now(),
            };
            let body = ureq::SendBody::from_reader(&mut body);
            let request = request.body(body).map_err(malformed)?;
            match &self.agent {
                Some(agent) => agent.run(request).map_err(unreachable)?,
                None => return Err(Failed::Later("no connection could be made".to_owned())),
            }
        };
        pace.passed(began.elapsed(), self.road.troubles());
        match response.status() {
            StatusCode::NO_CONTENT => Ok(header(&response, OFFSET).unwrap_or(offset + bytes)),
            StatusCode::CONFLICT => {
                let end = header(&response, OFFSET).filter(|end| *end <= length);
                end.ok_or_else(|| {
                    Failed::Never("the server has more of it than there is".to_owned())
                })
            }
            _ => Err(refused(response)),
        }
    }

    /// Has the server look whether all is there; `false` where it is not, and has to be sent anew.
    fn complete(&mut self, waiting: &mut Waiting, length: u64) -> Result<bool, Failed> {
        let disk = |error: io::Error| Failed::Later(format!("it cannot be read: {error}"));
        let sha256 = sha256(&mut waiting.file).map_err(disk)?;
        let claim = serde_json::json!({ "length": length, "sha256": sha256 }).to_string();
        for _ in 0..CHECKS_MAX {
            let request = self.request(Method::POST, waiting, "/complete");
            let request = request.header("Content-Type", "application/json");
            let request = request.body(claim.clone()).map_err(malformed)?;
            let response = self.agent().run(request).map_err(unreachable)?;
            match response.status() {
                StatusCode::NO_CONTENT => return Ok(true),
                StatusCode::ACCEPTED => thread::sleep(CHECK_TAKES),
                StatusCode::CONFLICT => return Ok(false),
                _ => return Err(refused(response)),
            }
        }
        Err(Failed::Later("the server takes long to check it".to_owned()))
    }

    fn request(
        &self,
        method: Method,
        waiting: &Waiting,
        end: &str,
    ) -> ureq::http::request::Builder {
        let note = &waiting.note;
        let uri = format!("{}/api/v1/takes/{}/stems/{}{end}", note.server, note.take, note.stem);
        let bearer = format!("Bearer {}", note.key);
        Request::builder().method(method).uri(uri).header("Authorization", bearer)
    }

    /// What speaks HTTP; made at the first use, because certificates take a moment to be read.
    fn agent(&mut self) -> Agent {
        self.agent.get_or_insert_with(agent).clone()
    }

    fn count(&self) {
        let never = self.given_up.values().filter(|until| until.is_none()).count();
        let waiting = self.shelf.count().saturating_sub(never);
        self.shared.waiting.store(waiting, Ordering::Relaxed);
    }
}

/// A part of a file that is read no faster than it may be sent.
struct Paced<'a> {
    file: io::Take<&'a mut File>,
    pace: &'a Pace,
    road: &'a Road,
    /// When the next piece may leave.
    due: Instant,
}

impl Read for Paced<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let plays = self.road.plays();
        thread::sleep(self.due.saturating_duration_since(Instant::now()));
        let most = if plays { buffer.len().min(PIECE_BYTES) } else { buffer.len() };
        let read = self.file.read(&mut buffer[..most])?;
        self.due = Instant::now() + self.pace.time_of(read, plays);
        Ok(read)
    }
}

fn sha256(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => context.update(&buffer[..read]),
        }
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn header(response: &Response<ureq::Body>, name: &str) -> Option<u64> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

fn malformed(error: ureq::http::Error) -> Failed {
    Failed::Never(format!("the server's address cannot be used: {error}"))
}

fn unreachable(error: ureq::Error) -> Failed {
    Failed::Later(format!("the server cannot be reached ({error})"))
}

/// What an answer means that is none of those that were hoped for.
fn refused(mut response: Response<ureq::Body>) -> Failed {
    let status = response.status();
    let text = response.body_mut().with_config().limit(REASON_BYTES_MAX).read_to_string();
    let text = text.unwrap_or_default();
    let said: String = text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    let reason = if said.is_empty() { status.to_string() } else { said };
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Failed::Later(reason)
        }
        status if status.is_server_error() => Failed::Later(reason),
        _ => Failed::Never(reason),
    }
}

const OFFSET: &str = "upload-offset";
const COMPLETE: &str = "upload-complete";

/// Stems may also be left by another program.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// By then a room has told which take is being recorded, or there is no room.
const ROOM_TELLS_MAX: Duration = Duration::from_secs(10);

/// When something that may work later is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(20);

/// How often a whole stem is sent before it is given up, and how often it is asked whether it is checked.
const CHECKSUMS_MAX: usize = 3;
const CHECKS_MAX: usize = 60;
const CHECK_TAKES: Duration = Duration::from_secs(5);

const REASON_BYTES_MAX: u64 = 4096;
const REASON_CHARS_MAX: usize = 300;
