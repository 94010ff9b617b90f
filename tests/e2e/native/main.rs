//! End to end: `vjam serve` and `vjam join --audio file` as real processes on loopback, playing
//! real music to each other. What the simulator cannot show is shown here: sockets, threads,
//! encryption, the command line, and a server that dies.
//!
//! One scenario at a time: they are real time, and a machine that plays three of them at once is
//! a test of the machine.

mod ears;
mod findings;
mod hostile;
mod outage;
mod play;
mod reconnect;
mod soak;
mod soundcheck;
mod weather;
