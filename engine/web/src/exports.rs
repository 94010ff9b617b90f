//! What JavaScript sees: one function for each thing a worklet asks of the [`Shell`].
//!
//! `web/src/audio/engine_module.ts` is the other side and has the same names. Pointers are
//! addresses in the module's memory and stay where they are until the next `open`.

use std::cell::RefCell;

use engine::{Encoding, Mute, Solo};
use protocol::codec::Codec;
use protocol::room_state::PlayingMode;
use protocol::rtp::Ssrc;

use crate::clock::ClockShell;
use crate::shell::{ClickNumbers, Mix, Shell, ShellError, mode_of_numbers};

thread_local! {
    /// The one session of this instance of the module.
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
    /// The room's clock, in an instance that has no session.
    static CLOCK: RefCell<ClockShell> = RefCell::new(ClockShell::default());
}

/// What every call answers before `open`.
const NOT_OPEN: i32 = 1;
/// What a call answers that the engine refused.
const REFUSED: i32 = 2;

/// Runs `call` on the open session; `otherwise` where there is none.
fn with_shell<T>(otherwise: T, call: impl FnOnce(&mut Shell) -> T) -> T {
    SHELL.with_borrow_mut(|shell| shell.as_mut().map_or(otherwise, call))
}

/// Turns a result into the number that JavaScript sees.
fn code(result: Result<(), ShellError>) -> i32 {
    if result.is_ok() { 0 } else { REFUSED }
}

/// Opens the session, closing the one before. The seed comes in two halves.
#[unsafe(no_mangle)]
extern "C" fn open(
    period_frames_max: u32,
    channels: u32,
    bitrate: u32,
    seed_high: u32,
    seed_low: u32,
) -> i32 {
    let seed = u64::from(seed_high) << 32 | u64::from(seed_low);
    let opened = Shell::open(period_frames_max as usize, channels, bitrate, seed);
    code(opened.map(|shell| SHELL.set(Some(shell))))
}

/// Where the samples of an input channel go (f32).
#[unsafe(no_mangle)]
extern "C" fn input(channel: u32) -> *mut f32 {
    with_shell(core::ptr::null_mut(), |shell| shell.input_mut(channel as usize).as_mut_ptr())
}

/// Where the samples of an output channel lie (f32).
#[unsafe(no_mangle)]
extern "C" fn output(channel: u32) -> *const f32 {
    with_shell(core::ptr::null(), |shell| shell.output(channel as usize).as_ptr())
}

/// Where packets go and come from, one at a time.
#[unsafe(no_mangle)]
extern "C" fn packet() -> *mut u8 {
    with_shell(core::ptr::null_mut(), |shell| shell.packet_mut().as_mut_ptr())
}

/// Where `update_statistics` writes (f64).
#[unsafe(no_mangle)]
extern "C" fn statistics() -> *const f64 {
    with_shell(core::ptr::null(), |shell| shell.statistics().as_ptr())
}

/// Takes the received packet of that length in `packet`.
#[unsafe(no_mangle)]
extern "C" fn handle_packet(now_ns: f64, bytes: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.handle_packet(now_ns, bytes as usize)))
}

/// Takes a period of input, which came at that time of the context; gives how many packets it made.
#[unsafe(no_mangle)]
extern "C" fn capture(now_ns: f64, channels: u32, frames: u32) -> u32 {
    with_shell(0, |shell| shell.capture(now_ns, channels as usize, frames as usize))
}

/// Says where a moment of the context lies on the room's clock, at the microphone and at the loudspeaker.
#[unsafe(no_mangle)]
extern "C" fn set_room_clock(context_ns: f64, captured_ns: f64, heard_ns: f64) {
    with_shell((), |shell| shell.set_room_clock(context_ns, captured_ns, heard_ns));
}

/// Puts the next packet to send into `packet`; gives its length, 0 when there is none.
#[unsafe(no_mangle)]
extern "C" fn poll_packet() -> u32 {
    with_shell(0, Shell::poll_packet)
}

/// Writes a period of output.
#[unsafe(no_mangle)]
extern "C" fn render(now_ns: f64, frames: u32) {
    with_shell((), |shell| shell.render(now_ns, frames as usize));
}

/// How many milliseconds the quanta since the last call took to compute.
#[unsafe(no_mangle)]
extern "C" fn note_load(busy_ms: f64) {
    with_shell((), |shell| shell.note_load(busy_ms));
}

/// Names the encoding at `index` for the next `apply_encodings`. Each packet repeats that many
/// earlier codec frames.
#[unsafe(no_mangle)]
extern "C" fn set_encoding(index: u32, codec: u32, ssrc: u32, redundant_frames: u32) -> i32 {
    let codec = match codec {
        0 => Codec::Opus,
        1 => Codec::Opus64,
        2 => Codec::Pcm,
        _ => return REFUSED,
    };
    let (index, redundant_frames) = (index as usize, redundant_frames as usize);
    let encoding = Encoding { redundant_frames, ..Encoding::new(codec, Ssrc(ssrc)) };
    with_shell(NOT_OPEN, |shell| code(shell.set_encoding(index, encoding)))
}

/// Sends the first `count` of the named encodings from now on.
#[unsafe(no_mangle)]
extern "C" fn apply_encodings(count: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.apply_encodings(count as usize)))
}

/// Lays out the stretch of the click at `index` for the next `apply_click`: a bit for each beat says whether it is
/// accented, and whether it is silent.
#[unsafe(no_mangle)]
extern "C" fn click_segment(
    index: u32,
    start_us: f64,
    bar: i32,
    tempo_millibpm: u32,
    beats: u32,
    accents: u32,
    silent: u32,
) -> i32 {
    let segment = ClickNumbers { start_us, bar, tempo_millibpm, beats, accents, silent };
    with_shell(NOT_OPEN, |shell| code(shell.click_segment(index as usize, segment)))
}

/// Plays the first `count` stretches of the click that were laid out.
#[unsafe(no_mangle)]
extern "C" fn apply_click(count: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.apply_click(count as usize)))
}

/// How loud the click is, in decibels; minus infinity is silence.
#[unsafe(no_mangle)]
extern "C" fn set_click_gain(gain_db: f32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.set_click_gain(gain_db)))
}

/// Silences what is published, or not.
#[unsafe(no_mangle)]
extern "C" fn set_input_muted(muted: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.set_input_mute(mute(muted))))
}

/// Plays a received stream from now on.
#[unsafe(no_mangle)]
extern "C" fn add_remote(ssrc: u32, channels: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.add_remote(Ssrc(ssrc), channels)))
}

/// Plays it no more.
#[unsafe(no_mangle)]
extern "C" fn remove_remote(ssrc: u32) -> i32 {
    with_shell(NOT_OPEN, |shell| code(shell.remove_remote(Ssrc(ssrc))))
}

/// How a remote is mixed.
#[unsafe(no_mangle)]
extern "C" fn set_mix(ssrc: u32, gain_db: f32, pan: f32, muted: u32, soloed: u32) -> i32 {
    let solo = if soloed == 0 { Solo::Together } else { Solo::Soloed };
    let mix = Mix { gain_db, pan, mute: mute(muted), solo };
    with_shell(NOT_OPEN, |shell| code(shell.set_mix(Ssrc(ssrc), mix)))
}

/// What a remote's playout delay is steered by: 0 automatic, 1 lower, 2 safer, 3 fixed at so many
/// frames; 4 for what holds for all.
#[unsafe(no_mangle)]
extern "C" fn set_playout(ssrc: u32, mode: u32, fixed_frames: u32) -> i32 {
    let mode = match mode {
        FOLLOW => None,
        mode => match mode_of_numbers(mode, fixed_frames) {
            None => return REFUSED,
            known => known,
        },
    };
    with_shell(NOT_OPEN, |shell| code(shell.set_playout(Ssrc(ssrc), mode)))
}

/// The same for every remote without a mode of its own.
#[unsafe(no_mangle)]
extern "C" fn set_default_playout(mode: u32, fixed_frames: u32) -> i32 {
    let Some(mode) = mode_of_numbers(mode, fixed_frames) else { return REFUSED };
    with_shell(NOT_OPEN, |shell| code(shell.set_default_playout(mode)))
}

/// How late everybody is heard: 0 as early as holds, 1 everybody equally, 2 by the beat.
#[unsafe(no_mangle)]
extern "C" fn set_playing_mode(mode: u32) -> i32 {
    let mode = match mode {
        0 => PlayingMode::Tight,
        1 => PlayingMode::Aligned,
        2 => PlayingMode::Beat,
        _ => return REFUSED,
    };
    with_shell(NOT_OPEN, |shell| {
        shell.set_playing_mode(mode);
        0
    })
}

/// How late somebody else in the room hears somebody at least.
#[unsafe(no_mangle)]
extern "C" fn set_room_least(ms: f64) {
    with_shell((), |shell| shell.set_room_least(ms));
}

/// The mode that is no mode of a remote's own.
const FOLLOW: u32 = 4;

/// 0 is open, anything else muted.
fn mute(muted: u32) -> Mute {
    if muted == 0 { Mute::Open } else { Mute::Muted }
}

/// Writes the statistics; gives the number of remotes in them.
#[unsafe(no_mangle)]
extern "C" fn update_statistics() -> u32 {
    with_shell(0, Shell::update_statistics)
}

/// Where messages of the room's clock go and come from, one at a time.
#[unsafe(no_mangle)]
extern "C" fn clock_message() -> *mut u8 {
    CLOCK.with_borrow_mut(|clock| clock.message_mut().as_mut_ptr())
}

/// Where `clock_update` writes (f64).
#[unsafe(no_mangle)]
extern "C" fn clock_numbers() -> *const f64 {
    CLOCK.with_borrow(|clock| clock.numbers().as_ptr())
}

/// The way to the server opened (not 0) or closed.
#[unsafe(no_mangle)]
extern "C" fn clock_set_link(now_ns: f64, up: u32) {
    CLOCK.with_borrow_mut(|clock| clock.set_link(now_ns, up != 0));
}

/// When the next question is due, NaN for never.
#[unsafe(no_mangle)]
extern "C" fn clock_timeout() -> f64 {
    CLOCK.with_borrow(ClockShell::timeout_ns)
}

/// Puts the question that is due into `clock_message`; gives its length, 0 when there is none.
#[unsafe(no_mangle)]
extern "C" fn clock_question(now_ns: f64) -> u32 {
    CLOCK.with_borrow_mut(|clock| u32::try_from(clock.question(now_ns)).unwrap_or(0))
}

/// Takes the message of that length in `clock_message`; gives 1 for an answer.
#[unsafe(no_mangle)]
extern "C" fn clock_answered(now_ns: f64, bytes: u32) -> u32 {
    CLOCK.with_borrow_mut(|clock| u32::from(clock.answered(now_ns, bytes as usize)))
}

/// Writes what is known of the room's clock; gives 0 where nothing is.
#[unsafe(no_mangle)]
extern "C" fn clock_update(now_ns: f64) -> u32 {
    CLOCK.with_borrow_mut(|clock| u32::from(clock.update_numbers(now_ns)))
}
