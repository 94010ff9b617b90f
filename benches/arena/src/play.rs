//! Plays a trace to an algorithm, and writes down what comes out of it.
//!
//! There are two kinds. The others are asked what they play. Ours is listened to
//! ([`crate::timecode`]), so that what it does to sound counts and not what it says of it. What it
//! invents is taken from its own count, and silence is added; [`concealed_by_timing`] checks both.

use crate::timecode::{HOP_FRAMES, Reader, TURN_FRAMES};
use crate::trace::{FRAMES, PERIOD, Trace};

/// Says what it plays.
pub(crate) trait Buffer {
    fn put(&mut self, now: f64, packet: usize);

    /// What is played in the period that begins.
    fn get(&mut self, now: f64) -> Played;
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Played {
    /// Music from that frame on, counted by the publisher.
    Music(f64),
    Concealed,
    /// Nothing has come yet.
    Silence,
}

impl Played {
    pub(crate) fn packet(packet: usize) -> Self {
        Self::Music((packet * FRAMES) as f64)
    }
}

/// Plays sound.
pub(crate) trait SoundBuffer {
    fn put(&mut self, now: f64, packet: usize);

    /// Fills a period; gives how many of its frames were invented.
    fn get(&mut self, now: f64, left: &mut [f32], right: &mut [f32]) -> usize;
}

/// What was heard in a few milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    /// When they were heard.
    pub(crate) at: f64,
    /// How many of them.
    pub(crate) length: f64,
    /// From capture to here, less the trace's least delay; `None` where it is not music.
    pub(crate) delay: Option<f64>,
    /// Milliseconds that were invented.
    pub(crate) concealed: f64,
    /// Whether the playhead moved by anything else than the time that passed, give or take 2.5 %.
    pub(crate) broken: bool,
}

/// Plays a trace to a buffer that says what it plays.
pub(crate) fn said(trace: &Trace, buffer: &mut impl Buffer) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut arrivals = trace.order.iter().peekable();
    let mut next: Option<f64> = None;
    for now in trace.callbacks() {
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            buffer.put(*at, *packet);
        }
        let played = buffer.get(now);
        let (delay, concealed, broken) = match played {
            Played::Music(frame) => {
                let delay = now - trace.captured_frame(frame) - trace.least;
                let moved = next.is_some_and(|next| SMOOTH * FRAMES as f64 <= (next - frame).abs());
                (Some(delay), 0.0, moved)
            }
            Played::Concealed => (None, PERIOD, true),
            Played::Silence => (None, 0.0, true),
        };
        next = match played {
            Played::Music(frame) => Some(frame),
            Played::Concealed | Played::Silence => next,
        };
        next = next.map(|next| next + FRAMES as f64);
        pieces.push(Piece { at: now, length: PERIOD, delay, concealed, broken });
    }
    pieces
}

/// Plays a trace to a buffer that makes sound.
pub(crate) fn sound(trace: &Trace, buffer: &mut impl SoundBuffer) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut arrivals = trace.order.iter().peekable();
    let mut reader = Reader::new();
    let (mut left, mut right) = ([0.0; FRAMES], [0.0; FRAMES]);
    let mut concealed = 0;
    let mut before = None;
    for now in trace.callbacks() {
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            buffer.put(*at, *packet);
        }
        concealed += buffer.get(now, &mut left, &mut right);
        reader.take(&left, &right, |reading| {
            let at = trace.phase + reading.heard / 48.0;
            let advance = before.zip(reading.place).map(|(before, place): (f64, f64)| {
                let turn = TURN_FRAMES as f64;
                (place - before + turn / 2.0).rem_euclid(turn) - turn / 2.0
            });
            before = reading.place;
            let hop = HOP_FRAMES as f64;
            let smooth = advance.is_some_and(|advance| (advance - hop).abs() <= SMOOTH * hop);
            pieces.push(Piece {
                at,
                length: hop / 48.0,
                delay: reading.place.map(|place| delay(trace, at, place)),
                // Silence is not always counted by who makes it.
                concealed: match reading.place {
                    Some(_) => concealed as f64 / 48.0,
                    None => (concealed as f64 / 48.0).max(hop / 48.0),
                },
                broken: !smooth || 0 < concealed,
            });
            concealed = 0;
        });
    }
    // A reading near an invented stretch is of both.
    let invented: Vec<bool> = pieces.iter().map(|piece| 0.0 < piece.concealed).collect();
    for (index, piece) in pieces.iter_mut().enumerate() {
        let near = index.saturating_sub(NEAR)..(index + NEAR + 1).min(invented.len());
        if invented[near].contains(&true) {
            piece.delay = None;
        }
    }
    pieces
}

/// The delay of what is heard at a moment, from its place in the turn.
fn delay(trace: &Trace, at: f64, place: f64) -> f64 {
    let now = trace.frame_at(at - trace.least);
    let behind = (now - place + EARLY_FRAMES).rem_euclid(TURN_FRAMES as f64) - EARLY_FRAMES;
    trace.captured_frame(behind)
}

/// How much must have been invented, going by when packets came and how far behind the playhead was:
/// what a buffer says of itself can be held against this.
pub(crate) fn concealed_by_timing(trace: &Trace, pieces: &[Piece]) -> f64 {
    let mut missing = 0.0;
    let mut known = pieces.iter().filter_map(|piece| Some((piece.at, piece.delay?))).peekable();
    let Some(mut latest) = known.peek().copied() else { return 0.0 };
    for (packet, arrival) in trace.arrivals.iter().enumerate() {
        let captured = trace.captured(packet);
        let due = captured + trace.least + latest.1;
        while let Some(piece) = known.next_if(|piece| piece.0 <= due) {
            latest = piece;
        }
        if trace.from <= due && due < trace.to {
            missing += arrival.map_or(PERIOD, |at| {
                let callback = ((at - trace.phase) / PERIOD).ceil() * PERIOD + trace.phase;
                (callback - due).clamp(0.0, PERIOD)
            });
        }
    }
    missing
}

/// Resampling by a percent cannot be told from music.
const SMOOTH: f64 = 0.025;

/// Readings on either side of an invented one that are not believed.
const NEAR: usize = 2;

/// The playhead is never so far ahead of the quickest packet.
const EARLY_FRAMES: f64 = 4800.0;
