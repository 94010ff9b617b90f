//! Forwards packets to subscribers, in memory, for callgrind to count the instructions of it.
//!
//! `cargo xtask bench instructions` runs it under valgrind. Only what happens inside [`counted`] is
//! counted: neither the handshakes, which draw random numbers, nor the publisher's sealing.

use std::hint::black_box;

use anyhow::{Context, ensure};
use benches::room::Room;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |what| arguments.next().with_context(|| format!("how many {what}?"));
    let subscribers: u32 = number("subscribers")?.parse()?;
    let packets: u32 = number("packets")?.parse()?;
    let mut room = Room::connect(subscribers)?;
    let mut copy = [0; 1500];
    for packet in 0..WARM_UP_PACKETS + packets {
        let mut sealed = [0; 200];
        let len = room.seal(&PAYLOAD, &mut sealed).context("the link is not up")?;
        let copies = if packet < WARM_UP_PACKETS {
            room.forward(&mut sealed[..len], &mut copy)
        } else {
            counted(&mut room, &mut sealed[..len], &mut copy)
        };
        ensure!(copies == subscribers, "{copies} copies for {subscribers} subscribers");
    }
    Ok(())
}

/// What is counted; callgrind knows it by its name.
#[inline(never)]
fn counted(room: &mut Room, packet: &mut [u8], copy: &mut [u8]) -> u32 {
    black_box(room.forward(black_box(packet), copy))
}

/// As the criterion benchmark has it.
const PAYLOAD: [u8; 120] = [7; 120];

/// Streams make room for themselves with their first packets.
const WARM_UP_PACKETS: u32 = 200;
