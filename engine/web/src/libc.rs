//! The C library functions that libopus calls on wasm32-unknown-unknown, which has no C library.
//!
//! Only the heap is here. The rest are inline functions of `libc/include/`, and symbols that
//! Rust's own standard library for this target brings along for itself (`memcpy`, `cos`, `exp`).
//! Surprising: C's `free` does not say how large the block was, so each block carries its size in
//! front.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};

/// Bytes in front of each block, which is also the alignment that C expects of `malloc`.
const HEADER_BYTES: usize = 16;

/// The layout of a block with room for `bytes` behind its header.
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEADER_BYTES)?, HEADER_BYTES).ok()
}

/// Writes the size into the header of a fresh block and gives what lies behind it.
///
/// # Safety
/// `block` is null or a fresh allocation with `layout(bytes)`.
unsafe fn behind_header(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() {
        return block;
    }
    // SAFETY: the block is at least HEADER_BYTES long and aligned to it.
    unsafe {
        block.cast::<usize>().write(bytes);
        block.add(HEADER_BYTES)
    }
}

/// As in C.
#[unsafe(no_mangle)]
extern "C" fn malloc(bytes: usize) -> *mut u8 {
    let Some(layout) = layout(bytes) else { return core::ptr::null_mut() };
    // SAFETY: the layout has at least the header's size.
    unsafe { behind_header(alloc(layout), bytes) }
}

/// As in C.
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, bytes: usize) -> *mut u8 {
    let Some(bytes) = count.checked_mul(bytes) else { return core::ptr::null_mut() };
    let Some(layout) = layout(bytes) else { return core::ptr::null_mut() };
    // SAFETY: the layout has at least the header's size.
    unsafe { behind_header(alloc_zeroed(layout), bytes) }
}

/// As in C.
///
/// # Safety
/// `old` is null or came from one of these functions and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut u8, bytes: usize) -> *mut u8 {
    let new = malloc(bytes);
    if old.is_null() || new.is_null() {
        return new;
    }
    // SAFETY: the header of `old` holds its size; both blocks hold the bytes that are copied, and
    // they are distinct allocations.
    unsafe {
        let old_bytes = old.sub(HEADER_BYTES).cast::<usize>().read();
        core::ptr::copy_nonoverlapping(old, new, old_bytes.min(bytes));
        free(old);
    }
    new
}

/// As in C.
///
/// # Safety
/// `old` is null or came from one of these functions and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut u8) {
    if old.is_null() {
        return;
    }
    // SAFETY: the header lies in front of every block and holds the size it was allocated with.
    unsafe {
        let block = old.sub(HEADER_BYTES);
        let bytes = block.cast::<usize>().read();
        if let Some(layout) = layout(bytes) {
            dealloc(block, layout);
        }
    }
}
