//! `vjam serve` as somebody sets it up who has users: with PostgreSQL, a bucket and a mail server, all of them
//! real programs.

mod app;
mod documented;
mod people;
mod provider;
mod regions;
mod servers;
#[expect(dead_code, reason = "the tests of accounts use all of it")]
mod serving;

#[expect(dead_code, reason = "the tests of the accounts themselves use all of it")]
#[path = "../../social/tests/server/files/moto.rs"]
mod moto;
#[expect(dead_code, reason = "the tests of the accounts themselves use all of it")]
#[path = "../../social/tests/server/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "the tests of the accounts themselves use all of it")]
#[path = "../../social/tests/server/smtp.rs"]
mod smtp;
