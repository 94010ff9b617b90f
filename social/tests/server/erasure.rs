//! An account that its owner wants erased: hidden at once, gone in time, and not before.

use std::future::{Future, poll_fn};
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::account::Role;
use social::erasure::{Eraser, Ledger};
use social::export::Folder;
use social::id::AccountId;
use social::limits::ERASURE_DELAY_MAX;
use social::store::Account;
use social::{Social, StartError};

use crate::world::{Answer, Engine, PASSWORD, Person, World, for_each_store};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) async fn ask(person: &mut Person) -> Answer {
    person.post("/account/erasure", json!({ "current_password": PASSWORD })).await
}

async fn cancel(world: &World, login: &str, password: &str) -> Answer {
    let body = json!({ "login": login, "password": password });
    world.device().post("/account/erasure/cancel", body).await
}

pub(crate) async fn id_of(person: &Person) -> AccountId {
    person.clone().get("/account").await.text("id").parse().expect("an id")
}

pub(crate) async fn row(world: &World, id: AccountId) -> Option<Account> {
    world.db().read().await.expect("reads").account_or_hidden(id).await.expect("reads")
}

/// What erases, of the server of this world.
pub(crate) fn eraser(world: &World) -> Eraser {
    Eraser {
        db: world.db().clone(),
        clock: world.clock.clone(),
        key: world.config.key.clone(),
        ledger: Ledger::of(world.folder.clone()),
        archives: Arc::new(Folder::below(&world.folder)),
    }
}

#[tokio::test]
async fn promise_1_an_account_is_hidden_at_once_and_gone_after_thirty_days() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut tablet = world.device();
        tablet.sign_in("ada", PASSWORD).await;
        let mut admin = world.account_with("admin0", Role::Admin).await;
        let id = id_of(&ada).await;
        world.work().await;
        world.smtp.take();
        let wrong = json!({ "current_password": "wrong password" });
        ada.post("/account/erasure", wrong).await.is(403, "wrong_password");
        assert_eq!(ada.get("/account").await.status, StatusCode::OK, "nothing has happened");
        let asked = ask(&mut ada).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
        let in_thirty_days = world.now().after(30 * DAY);
        assert_eq!(asked.body["erase_at"], in_thirty_days.0);
        // Every device, and whoever else looks.
        ada.get("/account").await.is(401, "not_signed_in");
        tablet.get("/account").await.is(401, "not_signed_in");
        let role = format!("/admin/accounts/{id}/role");
        admin.put(&role, json!({ "role": "user" })).await.is(404, "not_found");
        let found = async || {
            let mut conn = world.db().read().await.expect("reads");
            let by_id = conn.account(id).await.expect("reads").is_some();
            let by_email = conn.account_by_email("ada@example.org").await.expect("reads");
            let by_name = conn.account_by_username("ada").await.expect("reads");
            by_id || by_email.is_some() || by_name.is_some()
        };
        assert!(!found().await);
        // The right password says what is the matter, and a wrong one does not.
        tablet.sign_in("ada", PASSWORD).await.is(403, "erasure_pending");
        tablet.sign_in("ada", "wrong password").await.is(401, "wrong_credentials");
        world.work().await;
        let mail = world.smtp.take_one();
        assert_eq!(mail.to, "ada@example.org");
        assert!(mail.subject.contains("2026-12-28"), "the day: {mail:?}");
        world.clock.advance(30 * DAY - Duration::from_secs(1));
        world.work().await;
        assert!(row(&world, id).await.is_some(), "not before");
        world.clock.advance(Duration::from_secs(1));
        world.work().await;
        assert!(row(&world, id).await.is_none(), "on the day");
        // Name and address are free, and nobody is told that they were somebody's.
        tablet.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
        assert_ne!(id_of(&world.account("ada").await).await, id);
    })
    .await;
}

#[tokio::test]
async fn promise_1_an_erasure_can_be_taken_back_until_its_day() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let id = id_of(&ada).await;
        cancel(&world, "ada", PASSWORD).await.is(404, "not_found");
        ask(&mut ada).await;
        world.clock.advance(29 * DAY);
        world.work().await;
        world.smtp.take();
        cancel(&world, "ada", "wrong password").await.is(401, "wrong_credentials");
        cancel(&world, "nobody", PASSWORD).await.is(401, "wrong_credentials");
        cancel(&world, "Ada@Example.org", PASSWORD).await.is_done();
        assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        world.work().await;
        let mails = world.smtp.take();
        assert!(mails.iter().any(|mail| mail.subject.contains("account stays")), "{mails:?}");
        world.clock.advance(2 * DAY);
        world.work().await;
        assert_eq!(id_of(&ada).await, id, "it stays");
        // Asked for again, it counts from then.
        ask(&mut ada).await;
        world.clock.advance(30 * DAY);
        cancel(&world, "ada", PASSWORD).await.is(409, "conflict");
        world.work().await;
        assert!(row(&world, id).await.is_none());
        cancel(&world, "ada", PASSWORD).await.is(401, "wrong_credentials");
    })
    .await;
}

#[tokio::test]
async fn promise_1_whoever_forgot_the_password_gets_a_hidden_account_back_too() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        ask(&mut ada).await;
        world.work().await;
        world.smtp.take();
        let reset = ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let body = json!({ "code": world.smtp.take_one().code(), "password": "another password" });
        let path = format!("/password-resets/{}/complete", reset.text("reset"));
        ada.token = None;
        ada.post(&path, body).await.is_done();
        ada.sign_in("ada", "another password").await.is(403, "erasure_pending");
        cancel(&world, "ada", "another password").await.is_done();
        assert_eq!(ada.sign_in("ada", "another password").await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn promise_20_nobody_learns_that_an_address_has_an_account_that_is_to_be_erased() {
    for_each_store(async |world: World| {
        ask(&mut world.account("ada").await).await;
        world.work().await;
        world.smtp.take();
        let known = world.device().sign_up("ada@example.org", "one", PASSWORD).await;
        let unknown = world.device().sign_up("new@example.org", "other", PASSWORD).await;
        assert_eq!(known.status, unknown.status);
        let keys = |answer: &Answer| {
            answer.body.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&known), keys(&unknown));
        world.work().await;
        let mails = world.smtp.take();
        let to_ada = mails.iter().find(|mail| mail.to == "ada@example.org").expect("a mail");
        assert!(to_ada.subject.contains("already"), "{to_ada:?}");
    })
    .await;
}

#[tokio::test]
async fn promise_1_no_server_waits_longer_than_thirty_days() {
    for_each_store(async |world: World| {
        let mut config = world.config.clone();
        config.erasure_delay = ERASURE_DELAY_MAX + Duration::from_millis(1);
        let refused = Social::start(config, world.clock.clone()).await.map(drop);
        let refused = refused.expect_err("longer than is promised");
        assert!(matches!(refused, StartError::ErasureDelay), "{refused}");
    })
    .await;
}

/// Polls something so often, and then drops it as it is, as a crash would.
async fn cut_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = Box::pin(work);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// The same world where an account that is to be erased is due at once.
async fn without_delay(mut world: World) -> World {
    world.config.erasure_delay = Duration::ZERO;
    (world.social, world.jobs, world.router) = world.restarted().await;
    world
}

#[tokio::test]
async fn promise_1_an_erasure_that_is_cut_off_anywhere_is_finished_by_whoever_comes_next() {
    for_each_store(async |world: World| {
        let world = without_delay(world).await;
        let mut witness = world.account("witness").await;
        let mut ends = 0;
        for polls in 0.. {
            let name = format!("ada{polls}");
            let mut ada = world.account(&name).await;
            let id = id_of(&ada).await;
            ada.post("/account/exports", json!({ "current_password": PASSWORD })).await;
            world.work().await;
            world.smtp.take();
            assert_eq!(ask(&mut ada).await.status, StatusCode::ACCEPTED);
            let eraser = eraser(&world);
            let done = cut_after(polls, eraser.erase_due(id)).await;
            assert!(matches!(done, None | Some(Ok(true))), "after {polls}: {done:?}");
            // Half-way, nobody sees it, and it does not come back.
            let mut conn = world.db().read().await.expect("reads");
            assert!(conn.account(id).await.expect("reads").is_none(), "after {polls}");
            let written = eraser.ledger.read().await.expect("reads");
            let is_written = written.iter().any(|line| line.hash == eraser.hash(id));
            let is_there = conn.account_or_hidden(id).await.expect("reads").is_some();
            drop(conn);
            assert!(is_there || is_written, "gone, and not written down, after {polls}");
            // A crash: either a fresh start finds what is left, or the job is taken again.
            if polls % 2 == 0 {
                world.clock.advance(Duration::from_secs(600));
            } else {
                let (social, jobs, _) = world.restarted().await;
                jobs.run_due().await.expect("the database works");
                social.db().close().await;
            }
            world.work_until_clean().await;
            assert!(row(&world, id).await.is_none(), "after {polls}");
            assert!(!world.any_file_holds(&format!("{name}@")).await, "after {polls}");
            assert_eq!(archives(&world.folder), 0, "after {polls}");
            if done.is_some() {
                assert!(!eraser.erase_due(id).await.expect("works"), "once more is nothing");
                ends += 1;
            }
            if ends == 3 {
                // PostgreSQL often answers before it is waited for, so less can be cut there.
                let enough = if world.engine == Engine::Sqlite { 10 } else { 2 };
                assert!(enough < polls, "it was cut where it matters: {polls}");
                break;
            }
        }
        assert_eq!(witness.get("/account").await.status, StatusCode::OK, "nobody else's is");
    })
    .await;
}

/// How many archives lie in a world's folder, finished or not.
fn archives(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("exports")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn promise_7_an_account_that_comes_back_is_erased_before_anybody_sees_it() {
    for_each_store(async |world: World| {
        let world = without_delay(world).await;
        let mut ada = world.account("ada").await;
        let id = id_of(&ada).await;
        let account = row(&world, id).await.expect("there");
        ask(&mut ada).await;
        world.work().await;
        assert!(row(&world, id).await.is_none());
        // As a backup from before has it: the account is there, and the table does not know better.
        let mut tx = world.db().begin().await.expect("begins");
        let new = social::store::NewAccount {
            id,
            region: account.region,
            email: &account.email,
            email_key: &account.email,
            username: &account.username,
            password_hash: account.password_hash.as_deref(),
            language: &account.language,
        };
        tx.add_account(&new, world.now()).await.expect("added");
        tx.purge_erasures(world.now()).await.expect("forgotten");
        tx.commit().await.expect("committed");
        let mut grace = world.account("grace").await;
        let (social, jobs, _) = world.restarted().await;
        let mut conn = social.db().read().await.expect("reads");
        assert!(conn.account_or_hidden(id).await.expect("reads").is_none(), "at the start");
        assert_eq!(conn.erasures().await.expect("reads").len(), 1, "the table has it again");
        drop(conn);
        jobs.run_due().await.expect("works");
        world.work_until_clean().await;
        assert!(!world.any_file_holds("ada@example.org").await);
        assert_eq!(grace.get("/account").await.status, StatusCode::OK);
        // The other way round: a server whose file was lost has it from the table.
        std::fs::remove_file(world.folder.join("erasures.ledger")).expect("there");
        drop(world.restarted().await);
        assert_eq!(eraser(&world).ledger.read().await.expect("reads").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn promise_6_who_was_erased_is_forgotten_when_no_backup_can_hold_them() {
    for_each_store(async |world: World| {
        let world = without_delay(world).await;
        ask(&mut world.account("ada").await).await;
        world.work().await;
        let lines = async || {
            let noted = world.db().read().await.expect("reads").erasures().await.expect("reads");
            let written = eraser(&world).ledger.read().await.expect("reads");
            assert_eq!(noted.len(), written.len());
            written.len()
        };
        world.clock.advance(119 * DAY);
        world.work().await;
        assert_eq!(lines().await, 1);
        world.clock.advance(DAY);
        world.work().await;
        assert_eq!(lines().await, 0);
    })
    .await;
}
