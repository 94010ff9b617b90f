//! Two ends of a link against each other, in virtual time, over a network that loses, delays and
//! moves addresses; and an end made by hand that says what no library would.

#![expect(clippy::expect_used, reason = "a failure here fails the test, with the reason")]

mod channel;
mod connect;
mod handmade;
mod hostile;
mod pair;
mod paths;
