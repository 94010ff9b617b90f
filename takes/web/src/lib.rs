//! A stem as a browser records it: the exports that a worker calls, nothing else.
//!
//! One stem for each instance of the module. Samples and texts come through one buffer in the module's memory, what
//! is to be appended to the file leaves through another; everything else is a number. A call that cannot be carried
//! out gives a number that is not zero. The worker owns the file: nothing here reads or writes one.

#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(any(target_arch = "wasm32", test))]
mod shell;
