//! Finds out how long a recording sounds and how it looks.
//!
//! It is decoded once, from end to end, by a thread of the lowest priority, one recording at a time,
//! and as much of it in memory as a block. Who plays at the same time on the same machine does not
//! notice. What surprises: Opus is not decoded here, so of it only the length is known, as far as its
//! container says.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::json;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::peaks::Peaks;
use super::reader::Reader;
use crate::clock::UnixMs;
use crate::id::FileId;
use crate::jobs::{Handler, Outcome};
use crate::limits::ANALYSIS_WAIT_MAX;
use crate::live::{Live, Note};
use crate::objects::{Objects, ObjectsError};
use crate::problem::Problem;
use crate::store::{Analysis, Db, Job, NewJob, StoreError, StoredFile, Tx};

/// The kind of its jobs.
pub const KIND: &str = "audio";

/// Does it.
#[derive(Debug)]
pub struct Audio {
    db: Db,
    objects: Objects,
    /// Who has a message open that carries it.
    live: Live,
    /// For one at a time.
    place: Semaphore,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    duration_ms: Option<i64>,
    peaks: Option<Vec<u8>>,
}

impl Audio {
    /// Looks at the objects that rows of this database name.
    #[must_use]
    pub fn new(db: Db, objects: Objects, live: Live) -> Self {
        Self { db, objects, live, place: Semaphore::new(1) }
    }

    /// Has a file looked through, once this transaction is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(tx: &mut Tx, id: FileId, now: UnixMs) -> Result<(), StoreError> {
        let payload = json!({ "file": id });
        let job = NewJob { kind: KIND, payload, once_key: None, due_at: now };
        tx.enqueue(&job, now).await.map(drop)
    }

    async fn look(&self, job: &Job) -> Result<(), Problem> {
        let id = job.payload["file"].as_str().and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(()) };
        let Some(file) = self.db.read().await?.file(id).await? else { return Ok(()) };
        // A second one gives up its turn when its time is over, and comes again.
        let Ok(_place) = self.place.acquire().await else { return Ok(()) };
        let found = self.found(file).await?;
        let analysis = if found.is_some() { Analysis::Done } else { Analysis::Failed };
        let Found { duration_ms, peaks } = found.unwrap_or_default();
        let mut tx = self.db.begin().await?;
        let chats = tx.set_analysis(id, analysis, duration_ms, peaks.as_deref()).await?;
        let revs = tx.last_revs(&chats).await?;
        tx.commit().await?;
        for (chat, rev) in revs {
            self.live.tell(Note::Changed { chat, rev });
        }
        Ok(())
    }

    /// What is in a file; nothing where it is no sound after all.
    async fn found(&self, file: StoredFile) -> Result<Option<Found>, Problem> {
        let size = u64::try_from(file.size_bytes).unwrap_or(0);
        let reader = Reader::new(self.objects.clone(), file.key(), size, Handle::current());
        let broken = reader.broken();
        let (tell, told) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("recording".into()).spawn(move || {
            give_way();
            let _ = tell.send(decode(reader));
        });
        // A decoder that panics tells nothing.
        thread.map_err(|_| Problem::internal())?;
        let found = told.await.ok().flatten();
        if broken.load(Ordering::Relaxed) {
            let why = "its object cannot be read".to_owned();
            return Err(ObjectsError::Failed { doing: "looking through a recording", why }.into());
        }
        Ok(found)
    }
}

impl Handler for Audio {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            match self.look(&job).await {
                Ok(()) => Outcome::Done,
                // Its words are in the log already.
                Err(_) => Outcome::Failed("database_or_objects"),
            }
        })
    }
}

fn decode(reader: Reader) -> Option<Found> {
    let until = Instant::now() + ANALYSIS_WAIT_MAX;
    let stream = MediaSourceStream::new(Box::new(reader), Default::default());
    let probe = symphonia::default::get_probe();
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let mut format = probe.probe(&Hint::new(), stream, format, metadata).ok()?;
    let track = format.default_track(TrackType::Audio)?;
    let id = track.id;
    let said = said_duration(format.as_ref(), id);
    let parameters = track.codec_params.as_ref().and_then(|codec| codec.audio()).cloned();
    let decoder = parameters.as_ref().and_then(|parameters| {
        let options = AudioDecoderOptions::default();
        symphonia::default::get_codecs().make_audio_decoder(parameters, &options).ok()
    });
    let Some(mut decoder) = decoder else {
        return Some(Found { duration_ms: said, peaks: None });
    };
    let mut peaks = Peaks::new();
    let (mut frames, mut rate) = (0, 0);
    let mut samples: Vec<f32> = Vec::new();
    loop {
        // What takes longer than anybody would wait is no recording of people.
        if until < Instant::now() {
            return Some(Found { duration_ms: said, peaks: None });
        }
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == id => packet,
            Ok(Some(_)) => continue,
            // A file that breaks off is as long as it is.
            Ok(None) | Err(_) => break,
        };
        match decoder.decode(&packet) {
            Ok(buffer) => {
                let channels = buffer.spec().channels().count();
                rate = u64::from(buffer.spec().rate());
                buffer.copy_to_vec_interleaved(&mut samples);
                for frame in samples.chunks_exact(channels.max(1)) {
                    peaks.add(frame);
                }
                frames += buffer.frames() as u64;
            }
            Err(Error::DecodeError(_)) => {}
            Err(_) => break,
        }
    }
    if frames == 0 {
        return None;
    }
    let duration_ms = i64::try_from(frames.saturating_mul(1000) / rate.max(1)).ok();
    Some(Found { duration_ms, peaks: Some(peaks.finish()) })
}

/// How long the container says that a track is.
fn said_duration(format: &dyn FormatReader, id: u32) -> Option<i64> {
    let track = format.tracks().iter().find(|track| track.id == id)?;
    let of_track = track.time_base.zip(track.duration);
    let media = format.media_info();
    let (base, duration) = of_track.or_else(|| media.time_base.zip(media.duration))?;
    i64::try_from(base.calc_duration(duration)?.as_millis()).ok()
}

/// Everybody else runs first, where the system can tell threads apart.
#[cfg(target_os = "linux")]
fn give_way() {
    const NICEST: i32 = 19;
    // On Linux "the process" is the calling thread.
    if let Err(error) = rustix::process::setpriority_process(None, NICEST) {
        tracing::debug!(%error, "recordings are looked through at ordinary priority");
    }
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}
