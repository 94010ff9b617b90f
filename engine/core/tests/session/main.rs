//! Whole sessions in virtual time: what one musician plays and another one hears.

mod clean;
mod clocks;
mod codecs;
mod mixing;
mod network;
mod properties;
mod real_time;
mod rig;
