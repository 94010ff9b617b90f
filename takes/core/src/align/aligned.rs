//! The second look at a stem: its sound at the frames of a grid.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::clock_map::{ClockMap, Cursor};
use super::edges::{fade_in, fade_out};
use super::grid::{Grid, ceil, to_f64};
use super::kernel::{HALF, Interpolator, TAPS, dot};
use super::timeline::Timeline;
use crate::SAMPLE_RATE;
use crate::flac::Decoder;
use crate::pcm::sample;
use crate::stem::{ReadError, Reader, Record};

/// Gives a stem's sound on a grid, block by block. Holds some ten thousand frames.
pub struct AlignedStem<R> {
    reader: Reader<R>,
    timeline: Timeline,
    grid: Grid,
    interpolator: Interpolator,
    decoder: Decoder,
    channels: usize,
    /// What was decoded and not yet used, as its end may be an edge.
    block: Option<Block>,
    /// What was decoded after it, of the same record.
    rest: Option<Block>,
    piece: Option<Piece>,
    made: Made,
    coverage: Coverage,
    /// Where on the grid the latest block ended, and in which run.
    ended: Option<(u32, f64)>,
}

/// What of a grid a stem covers. Together all parts but `guessed_s` are the grid's length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Coverage {
    /// Seconds with recorded sound.
    pub recorded_s: f64,
    /// Of them, those whose place is a guess, as the clock was not known.
    pub guessed_s: f64,
    /// Seconds before the first frame.
    pub late_s: f64,
    /// Seconds that are missing within runs: the device stalled, or the file is damaged.
    pub lost_s: f64,
    /// Seconds between runs: the program was away.
    pub away_s: f64,
    /// Seconds after the last frame.
    pub early_s: f64,
    /// Records that hold no sound, though their checksums hold.
    pub undecodable_records: u64,
}

/// What was made and not given yet. Silence is only counted, as there may be hours of it.
#[derive(Default)]
struct Made {
    chunks: VecDeque<Chunk>,
    /// Frames in the chunks.
    waiting: u64,
    /// Frames that were made, given or not.
    frames: u64,
}

enum Chunk {
    Silence(u64),
    /// Interleaved.
    Sound(VecDeque<f32>),
}

/// Frames of one run and one map without a break.
struct Block {
    run: u32,
    map: usize,
    first_frame: u64,
    /// Channel by channel, all equally long.
    samples: Vec<Vec<f32>>,
    begins: bool,
}

/// Blocks that are near enough to each other to be worked on as one.
struct Piece {
    map: ClockMap,
    cursor: Cursor,
    /// The frame at the front of the window; negative where silence before frame 0 is.
    window_first: i64,
    window: Vec<Vec<f32>>,
    /// Frames at the back of the window that are silent in all channels.
    silent: usize,
}

impl<R: Read> AlignedStem<R> {
    /// Opens a stem again that [`Timeline::read`] has read.
    ///
    /// # Errors
    /// When the header cannot be read, or the input cannot.
    pub fn open(
        input: R,
        timeline: Timeline,
        grid: Grid,
        interpolator: &Interpolator,
    ) -> Result<Self, ReadError> {
        let reader = Reader::new(input)?;
        let channels = reader.header().channels;
        Ok(Self {
            reader,
            timeline,
            grid,
            interpolator: interpolator.clone(),
            decoder: Decoder::new(channels),
            channels: channels.into(),
            block: None,
            rest: None,
            piece: None,
            made: Made::default(),
            coverage: Coverage::default(),
            ended: None,
        })
    }

    /// One, or two.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Fills `out` with the next frames, interleaved; silence after the last.
    ///
    /// # Errors
    /// Those of the input.
    pub fn read(&mut self, out: &mut [f32]) -> io::Result<()> {
        let wanted = to_u64(out.len() / self.channels);
        while self.made.waiting < wanted && self.made.frames < self.grid.frames {
            self.advance()?;
        }
        self.made.give(self.channels, out);
        Ok(())
    }

    /// What of the grid was covered, once all of it was read.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Uses up the block that waits, as it is known what follows it.
    fn advance(&mut self) -> io::Result<()> {
        let mut next = self.next_block()?;
        let Some(mut block) = self.block.take() else {
            match next {
                Some(next) => self.begin(next),
                None => self.finish(),
            }
            return Ok(());
        };
        let gap = next.as_ref().and_then(|next| block.gap_before(next));
        if gap != Some(0) {
            block.samples.iter_mut().for_each(|channel| fade_out(channel));
            if let Some(next) = &mut next {
                next.begins = true;
            }
        }
        if block.begins {
            block.samples.iter_mut().for_each(|channel| fade_in(channel));
        }
        self.push(&block.samples);
        match (gap.filter(|gap| *gap <= GAP_FRAMES_MAX), next) {
            (Some(gap), next) => {
                let gap = usize::try_from(gap).expect("half a second");
                self.push(&vec![vec![0.0; gap]; self.channels]);
                self.block = next;
            }
            (None, Some(next)) => {
                self.end_piece();
                self.begin(next);
            }
            (None, None) => self.end_piece(),
        }
        Ok(())
    }

    /// The first block of a piece.
    fn begin(&mut self, mut block: Block) {
        block.begins = true;
        let Some(map) = self.timeline.run(block.run).and_then(|run| run.maps.get(block.map)) else {
            return;
        };
        let before = i64::try_from(TAPS).expect("small");
        let first = i64::try_from(block.first_frame).expect("at most a day");
        let map = map.clone();
        let starts = ceil(map.on_grid(block.first_frame, &self.grid) - to_f64(to_u64(HALF)));
        self.keep_silent_until(starts);
        self.piece = Some(Piece {
            cursor: map.cursor(&self.grid),
            map,
            window_first: first - before,
            window: vec![vec![0.0; TAPS]; self.channels],
            silent: TAPS,
        });
        self.block = Some(block);
    }

    /// Lets the last sound of a piece ring out.
    fn end_piece(&mut self) {
        self.push(&vec![vec![0.0; TAPS]; self.channels]);
        self.piece = None;
    }

    /// There is nothing more in the stem.
    fn finish(&mut self) {
        let length = to_f64(self.grid.frames);
        match self.ended {
            Some((_, ended)) => {
                self.coverage.early_s += seconds(length - ended.clamp(0.0, length));
            }
            None => self.coverage.late_s += seconds(length),
        }
        self.keep_silent_until(self.grid.frames);
    }

    fn keep_silent_until(&mut self, frame: u64) {
        self.made.silence(frame.min(self.grid.frames).saturating_sub(self.made.frames));
    }

    /// Appends frames to the window and makes what can be made of it.
    fn push(&mut self, samples: &[Vec<f32>]) {
        let Some(piece) = &mut self.piece else { return };
        for (window, samples) in piece.window.iter_mut().zip(samples) {
            window.extend_from_slice(samples);
        }
        let given = samples.first().map_or(0, Vec::len);
        let silent = samples
            .iter()
            .map(|channel| channel.iter().rev().take_while(|sample| **sample == 0.0).count());
        let silent = silent.min().unwrap_or(given);
        piece.silent = if silent == given { piece.silent + given } else { silent };
        let mut weights = [0.0; TAPS];
        let length = piece.window.first().map_or(0, Vec::len);
        let mut first = 0;
        let mut made = Vec::new();
        let mut next = self.made.frames;
        while next < self.grid.frames {
            let frame = piece.map.frame_at(next, &mut piece.cursor);
            let whole = frame.floor();
            // Where the first of the frames around it is in the window.
            let at =
                whole - super::grid::signed_to_f64(piece.window_first) - to_f64(to_u64(HALF - 1));
            first = usize::try_from(super::grid::floor(at)).unwrap_or(length).min(length);
            if length < first + TAPS {
                break;
            }
            next += 1;
            // A muted microphone costs next to nothing.
            if length - piece.silent <= first {
                made.resize(made.len() + self.channels, 0.0);
                continue;
            }
            self.interpolator.weights(frame - whole, &mut weights);
            for window in &piece.window {
                made.push(dot(&weights, &window[first..first + TAPS]));
            }
        }
        piece.window.iter_mut().for_each(|window| drop(window.drain(..first)));
        piece.silent = piece.silent.min(length - first);
        piece.window_first += i64::try_from(first).expect("a window is short");
        self.made.sound(self.channels, made);
    }

    /// The next block that can be decoded, cut where another map begins.
    fn next_block(&mut self) -> io::Result<Option<Block>> {
        let block = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.decode()?,
        };
        let Some(mut block) = block else { return Ok(None) };
        let Some(run) = self.timeline.run(block.run) else { return Ok(None) };
        block.map = run.map_of(block.first_frame);
        if let Some(map) = run.maps.get(block.map + 1)
            && map.from_frame < block.end_frame()
        {
            self.rest = Some(block.split_off(map.from_frame));
        }
        self.count(&block);
        Ok(Some(block))
    }

    fn decode(&mut self) -> io::Result<Option<Block>> {
        while let Some(record) = self.reader.next_record()? {
            let Record::Audio(audio) = record else { continue };
            let frames = usize::from(audio.frames);
            let decoded = self.decoder.decode(&audio.flac).ok();
            let Some(decoded) = decoded.filter(|decoded| frames <= decoded.len()) else {
                self.coverage.undecodable_records += 1;
                continue;
            };
            let channel = |channel| decoded.channel(channel)[..frames].iter().copied().map(sample);
            let samples = (0..self.channels).map(|at| channel(at).collect()).collect();
            let (run, first_frame) = (audio.run, audio.first_frame);
            return Ok(Some(Block { run, map: 0, first_frame, samples, begins: false }));
        }
        Ok(None)
    }

    /// Counts what a block covers of the grid, and what is missing before it.
    fn count(&mut self, block: &Block) {
        let Some(map) = self.timeline.run(block.run).and_then(|run| run.maps.get(block.map)) else {
            return;
        };
        let length = to_f64(self.grid.frames);
        let [from, to] = [block.first_frame, block.end_frame()]
            .map(|frame| map.on_grid(frame, &self.grid).clamp(0.0, length));
        let before = self.ended.map_or(0.0, |(_, ended)| ended);
        let missing = seconds((from - before).max(0.0));
        match self.ended {
            None => self.coverage.late_s += missing,
            Some((run, _)) if run == block.run => self.coverage.lost_s += missing,
            Some(_) => self.coverage.away_s += missing,
        }
        let covered = seconds((to - from.max(before)).max(0.0));
        self.coverage.recorded_s += covered;
        if map.readings == 0 {
            self.coverage.guessed_s += covered;
        }
        self.ended = Some((block.run, to.max(before)));
    }
}

impl Made {
    fn silence(&mut self, frames: u64) {
        if frames != 0 {
            self.chunks.push_back(Chunk::Silence(frames));
            self.waiting += frames;
            self.frames += frames;
        }
    }

    fn sound(&mut self, channels: usize, samples: Vec<f32>) {
        if !samples.is_empty() {
            let frames = to_u64(samples.len() / channels);
            self.chunks.push_back(Chunk::Sound(samples.into()));
            self.waiting += frames;
            self.frames += frames;
        }
    }

    /// Fills `out` with what comes first, and with silence where nothing is left.
    fn give(&mut self, channels: usize, out: &mut [f32]) {
        let mut out = out;
        while !out.is_empty() {
            let frames = out.len() / channels;
            let (taken, is_used_up) = match self.chunks.front_mut() {
                None => return out.fill(0.0),
                Some(Chunk::Silence(left)) => {
                    let taken = usize::try_from(*left).unwrap_or(frames).min(frames);
                    *left -= to_u64(taken);
                    out[..taken * channels].fill(0.0);
                    (taken, *left == 0)
                }
                Some(Chunk::Sound(samples)) => {
                    let taken = (samples.len() / channels).min(frames);
                    let given = samples.drain(..taken * channels);
                    out.iter_mut().zip(given).for_each(|(out, sample)| *out = sample);
                    (taken, samples.is_empty())
                }
            };
            if is_used_up {
                self.chunks.pop_front();
            }
            self.waiting -= to_u64(taken);
            out = &mut out[taken * channels..];
        }
    }
}

impl Block {
    fn end_frame(&self) -> u64 {
        self.first_frame + to_u64(self.samples.first().map_or(0, Vec::len))
    }

    /// Frames between this block and the next, where one map is for both.
    fn gap_before(&self, next: &Self) -> Option<u64> {
        let alike = self.run == next.run && self.map == next.map;
        alike.then(|| next.first_frame.saturating_sub(self.end_frame()))
    }

    /// Cuts off what begins at a frame within.
    fn split_off(&mut self, frame: u64) -> Self {
        let at = usize::try_from(frame - self.first_frame).expect("within one record");
        let samples = self.samples.iter_mut().map(|channel| channel.split_off(at)).collect();
        Self { run: self.run, map: self.map, first_frame: frame, samples, begins: true }
    }
}

fn seconds(frames: f64) -> f64 {
    frames / f64::from(SAMPLE_RATE)
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}

/// Frames that may be missing within a piece: half a second of silence is worked through.
const GAP_FRAMES_MAX: u64 = 24_000;
