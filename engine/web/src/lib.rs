//! The engine in a browser: the exports that an AudioWorklet calls, nothing else.

#[cfg(target_arch = "wasm32")]
mod libc;
