//! The engine in a browser: the exports that an AudioWorklet calls, nothing else.
//!
//! One session for each instance of the module, on one thread: the audio thread of the page's
//! AudioContext, which holds all the halves that a native shell spreads over several. Blocks and
//! packets are exchanged through buffers in the module's memory whose addresses the exports give;
//! everything else is a number. A call that cannot be carried out gives a number that is not zero.
//!
//! The room's clock (`clock`) lives in an instance of its own, on the thread that has the data channel.
//!
//! What surprises: opening a session, adding a remote and choosing encodings allocate on the audio
//! thread, because a worklet has no other. They happen when somebody joins, not in every period.

#[cfg(any(target_arch = "wasm32", test))]
mod clock;
#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod libc;
#[cfg(any(target_arch = "wasm32", test))]
mod shell;
