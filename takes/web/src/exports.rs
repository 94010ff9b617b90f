//! What JavaScript sees: one function for each thing that a worker asks of the [`Shell`].
//!
//! `web/src/audio/stems/stem_module.ts` is the other side and has the same names.

use std::cell::RefCell;

use crate::shell::{Shell, ShellError};

thread_local! {
    /// The one stem of this instance of the module.
    static SHELL: RefCell<Shell> = RefCell::new(Shell::default());
}

fn code(result: Result<(), ShellError>) -> i32 {
    i32::from(result.is_err())
}

/// Where samples, texts and pieces of files go.
#[unsafe(no_mangle)]
extern "C" fn input() -> *mut u8 {
    SHELL.with_borrow_mut(|shell| shell.input_mut().as_mut_ptr())
}

/// Where the bytes lie that are to be appended to the file; moves with every call.
#[unsafe(no_mangle)]
extern "C" fn output() -> *const u8 {
    SHELL.with_borrow(|shell| shell.output().as_ptr())
}

/// How many they are.
#[unsafe(no_mangle)]
extern "C" fn output_bytes() -> u32 {
    SHELL.with_borrow(|shell| u32::try_from(shell.output().len()).unwrap_or(u32::MAX))
}

/// They are in the file.
#[unsafe(no_mangle)]
extern "C" fn clear_output() {
    SHELL.with_borrow_mut(Shell::clear_output);
}

/// Opens the stem that so many bytes of `input` describe: new, or after so many runs.
#[unsafe(no_mangle)]
extern "C" fn open(bytes: u32, runs_begun: u32) -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.open(bytes as usize, runs_begun)))
}

/// Begins a run, whose frames count anew.
#[unsafe(no_mangle)]
extern "C" fn begin_run() -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.begin_run()))
}

/// Takes so many frames from that byte of `input` on.
#[unsafe(no_mangle)]
extern "C" fn audio(first_frame: f64, at: u32, frames: u32) -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.audio(first_frame, at as usize, frames as usize)))
}

/// Says when a frame of this run was at the microphone.
#[unsafe(no_mangle)]
extern "C" fn clock(frame: f64, room_ns: f64, precision_ns: u32, bound_ns: u32, steps: u32) -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.clock(frame, room_ns, precision_ns, bound_ns, steps)))
}

/// Puts what was gathered into `output`.
#[unsafe(no_mangle)]
extern "C" fn flush() -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.flush()))
}

/// The recording ended on purpose.
#[unsafe(no_mangle)]
extern "C" fn end() -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.end()))
}

/// Samples that were too loud so far.
#[unsafe(no_mangle)]
extern "C" fn clipped_samples() -> u32 {
    SHELL.with_borrow(|shell| u32::try_from(shell.clipped_samples()).unwrap_or(u32::MAX))
}

/// Adds so many bytes of `input` to a checksum.
#[unsafe(no_mangle)]
extern "C" fn hash(bytes: u32) -> i32 {
    SHELL.with_borrow_mut(|shell| code(shell.hash(bytes as usize)))
}

/// Where the checksum (32 bytes) of everything since the last one lies.
#[unsafe(no_mangle)]
extern "C" fn finish_hash() -> *const u8 {
    SHELL.with_borrow_mut(|shell| shell.finish_hash().as_ptr())
}
