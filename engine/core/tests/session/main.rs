//! Whole sessions in virtual time: what one musician plays and another one hears.

mod arrivals;
mod clean;
mod clocks;
mod codecs;
mod loss;
mod mixing;
mod network;
mod pitch;
mod playing_modes;
mod properties;
mod rates;
mod reactions;
mod real_time;
mod rig;
mod starts;
