//! `cargo xtask bench [sfu | arena | browser | callbacks | instructions | room-time] ...`: what a callback, a
//! codec frame, a packet costs; what a server carries; how much delay our playout needs beside others'; how well
//! a room's clock is known.

mod arena;
mod browser;
mod callbacks;
mod instructions;
mod room_time;
mod sfu;

use crate::program::Program;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    match arguments.split_first() {
        Some((what, options)) if what == "sfu" => sfu::run(options),
        Some((what, options)) if what == "arena" => arena::run(options),
        Some((what, options)) if what == "browser" => browser::run(options),
        Some((what, options)) if what == "callbacks" => callbacks::run(options),
        Some((what, options)) if what == "instructions" => instructions::run(options),
        Some((what, options)) if what == "room-time" => room_time::run(options),
        _ => Program::new("cargo", ["bench", "--locked", "--package", "benches", "--"])
            .args(arguments)
            .run(),
    }
}
