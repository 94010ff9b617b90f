//! A JACK client that is called back, and may be ended while it is.
//!
//! What surprises: JACK 2 ends its threads with `pthread_cancel`, at whatever instruction they are
//! (`PTHREAD_CANCEL_ASYNCHRONOUS`, set in its `JackPosixThread`): the one that tells of connections in
//! the middle of telling, the audio thread of a machine that stalls in the middle of a callback. glibc
//! unwinds a cancelled thread, and the process is aborted where such an unwinding meets a Rust frame
//! that catches panics ("exception not rethrown"). So every callback here begins by putting cancellation
//! off and ends by allowing it again, and the frames around that have nothing to unwind. The callbacks
//! of the `jack` crate, which catch, are not used.

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int, c_void};
use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::jack::{Client, Error, Frames, ProcessScope};
use jack_sys as sys;

/// Called once a period, on JACK's audio thread.
pub type JackProcessFn = Box<dyn FnMut(&ProcessScope) + Send>;

/// Called with what JACK tells, on any of its threads, the audio thread among them.
pub type JackNoticeFn = Box<dyn Fn(JackNotice) + Send + Sync>;

/// What JACK tells a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum JackNotice {
    /// The period in frames, from the next callback on.
    Period(Frames),
    /// The rate in Hz.
    Rate(Frames),
    /// Ports were connected or disconnected, whosever they are.
    Connections,
    /// A period was lost.
    Xrun,
    /// The server is gone, or has thrown the client out: it is not called back any more.
    Shutdown,
    /// The callback has panicked, and is not called any more.
    Panicked,
}

/// A client in the server's graph. It leaves the graph and closes where it is dropped, which may be on
/// any thread but JACK's own.
pub struct JackClient {
    // In this order: its threads use the context until it is closed.
    client: Client,
    context: Shared,
}

/// The only owner of a context whose address JACK has. A box would say that nobody else has it.
struct Shared(*mut Context);

// SAFETY: a context may be shared and sent (below), and so may what owns it.
unsafe impl Send for Shared {}
// SAFETY: as above; nothing is done through a shared one.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(context: Context) -> Self {
        Self(Box::into_raw(Box::new(context)))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and whoever had its address is closed: see `JackClient`.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

struct Context {
    process: UnsafeCell<JackProcessFn>,
    notice: JackNoticeFn,
    client: *mut sys::jack_client_t,
}

// SAFETY: `process` is only touched by JACK's one audio thread, and may be sent there; `notice` may be
// shared; `client` is only given back to JACK, which takes it on any thread.
unsafe impl Sync for Context {}
// SAFETY: as above.
unsafe impl Send for Context {}

impl JackClient {
    /// Enters the server's graph. `process` may be called before this returns.
    pub fn start(
        client: Client,
        process: JackProcessFn,
        notice: JackNoticeFn,
    ) -> Result<Self, Error> {
        let raw = client.raw();
        let context = Context { process: UnsafeCell::new(process), notice, client: raw };
        let active = Self { client, context: Shared::new(context) };
        let context = active.context.0.cast::<c_void>();
        // SAFETY: the client is open and not active yet, which is when JACK lets callbacks be set. Each
        // has the shape that JACK documents, and the context lives until the client is closed. The two
        // ABIs of `transmute` differ in what an unwinding does, in nothing that a caller sees.
        let refused = unsafe {
            type Unwinding<T> = unsafe extern "C-unwind" fn(Frames, *mut c_void) -> T;
            type Plain<T> = unsafe extern "C" fn(Frames, *mut c_void) -> T;
            let of_frames = |callback| transmute::<Unwinding<c_int>, Plain<c_int>>(callback);
            sys::jack_set_process_callback(raw, Some(of_frames(on_process)), context)
                | sys::jack_set_buffer_size_callback(raw, Some(of_frames(on_period)), context)
                | sys::jack_set_sample_rate_callback(raw, Some(of_frames(on_rate)), context)
                | sys::jack_set_xrun_callback(
                    raw,
                    Some(transmute::<
                        unsafe extern "C-unwind" fn(*mut c_void) -> c_int,
                        unsafe extern "C" fn(*mut c_void) -> c_int,
                    >(on_xrun)),
                    context,
                )
                | sys::jack_set_port_connect_callback(
                    raw,
                    Some(transmute::<
                        unsafe extern "C-unwind" fn(u32, u32, c_int, *mut c_void),
                        unsafe extern "C" fn(u32, u32, c_int, *mut c_void),
                    >(on_connections)),
                    context,
                )
        };
        // SAFETY: as above; this one cannot be refused.
        unsafe {
            sys::jack_on_info_shutdown(
                raw,
                Some(transmute::<
                    unsafe extern "C-unwind" fn(sys::jack_status_t, *const c_char, *mut c_void),
                    unsafe extern "C" fn(sys::jack_status_t, *const c_char, *mut c_void),
                >(on_shutdown)),
                context,
            );
        }
        if refused != 0 {
            return Err(Error::CallbackRegistrationError);
        }
        // SAFETY: the client is open.
        match unsafe { sys::jack_activate(raw) } {
            0 => Ok(active),
            _ => Err(Error::ClientActivationError),
        }
    }

    /// For its ports and their connections.
    #[must_use]
    pub fn as_client(&self) -> &Client {
        &self.client
    }
}

// What JACK calls. Each of them may be cancelled before its first and after its last call, so none may
// own anything: then there is nothing to unwind, and glibc passes.

unsafe extern "C-unwind" fn on_process(frames: Frames, context: *mut c_void) -> c_int {
    let before = put_cancellation_off();
    let result = process(frames, context);
    allow_cancellation(before);
    result
}

unsafe extern "C-unwind" fn on_period(frames: Frames, context: *mut c_void) -> c_int {
    let before = put_cancellation_off();
    notify(context, JackNotice::Period(frames));
    allow_cancellation(before);
    0
}

unsafe extern "C-unwind" fn on_rate(rate_hz: Frames, context: *mut c_void) -> c_int {
    let before = put_cancellation_off();
    notify(context, JackNotice::Rate(rate_hz));
    allow_cancellation(before);
    0
}

unsafe extern "C-unwind" fn on_xrun(context: *mut c_void) -> c_int {
    let before = put_cancellation_off();
    notify(context, JackNotice::Xrun);
    allow_cancellation(before);
    0
}

unsafe extern "C-unwind" fn on_connections(_: u32, _: u32, _: c_int, context: *mut c_void) {
    let before = put_cancellation_off();
    notify(context, JackNotice::Connections);
    allow_cancellation(before);
}

unsafe extern "C-unwind" fn on_shutdown(
    _: sys::jack_status_t,
    _: *const c_char,
    context: *mut c_void,
) {
    let before = put_cancellation_off();
    notify(context, JackNotice::Shutdown);
    allow_cancellation(before);
}

/// Calls back for a period; other than 0 takes the client out of the graph.
#[inline(never)]
extern "C" fn process(frames: Frames, context: *mut c_void) -> c_int {
    // SAFETY: `start` has set this context, which outlives the client.
    let context = unsafe { &*context.cast::<Context>() };
    // SAFETY: JACK calls this on its audio thread only, one call after the other, with the number of
    // frames that the ports' buffers have.
    let (call, scope) =
        unsafe { (&mut *context.process.get(), ProcessScope::from_raw(frames, context.client)) };
    // Nothing of what a panic leaves behind is used again: the client has ended.
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| call(&scope))) else { return 0 };
    // What a panic carries may panic again where it is dropped.
    std::mem::forget(panic);
    (context.notice)(JackNotice::Panicked);
    1
}

#[inline(never)]
extern "C" fn notify(context: *mut c_void, notice: JackNotice) {
    // SAFETY: as in `process`.
    let context = unsafe { &*context.cast::<Context>() };
    (context.notice)(notice);
}

/// Until [`allow_cancellation`] gets what this gives, the calling thread is not cancelled. No system
/// call.
///
/// Both are needed: a cancellation that was on its way already is stopped by the type only (glibc 2.36's
/// handler of its signal looks at nothing else), and one of the deferred type waits for a function that
/// is a cancellation point, such as a write.
fn put_cancellation_off() -> [c_int; 2] {
    let mut before = [0; 2];
    #[cfg(unix)]
    // SAFETY: they write a number each to where they may.
    unsafe {
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &raw mut before[0]);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before[1]);
    }
    before
}

/// The end of what began with [`put_cancellation_off`]: a thread that was cancelled meanwhile ends here.
fn allow_cancellation(before: [c_int; 2]) {
    #[cfg(unix)]
    {
        let mut ignored = 0;
        let [kind, state] = before;
        // SAFETY: what was there before, and a place for what they replace.
        unsafe {
            pthread_setcancelstate(state, &raw mut ignored);
            pthread_setcanceltype(kind, &raw mut ignored);
        }
    }
}

/// What the server's clock shows, in µs; for callbacks, since the library is loaded where there is a client.
pub(super) fn time_us() -> u64 {
    // SAFETY: it takes nothing, reads a clock, and may be called on any thread.
    unsafe { sys::jack_get_time() }
}

// Not in the `libc` crate. They unwind the thread where they allow a cancellation that has come.
#[cfg(unix)]
unsafe extern "C-unwind" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
}

// `<pthread.h>` of Linux (glibc, musl) and FreeBSD; macOS has them the other way round.
#[cfg(unix)]
const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_os = "macos") { 0 } else { 1 };
#[cfg(unix)]
const PTHREAD_CANCEL_DEFERRED: c_int = if cfg!(target_os = "macos") { 2 } else { 0 };
