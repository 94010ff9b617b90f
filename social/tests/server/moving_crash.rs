//! A move that is broken off at every step: its account is in one of the two places or in both, never in
//! neither, and the same command again finishes it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::FutureExt as _;
use social::moving::{MoveError, Outcome, Progress};

use crate::files::file;
use crate::files::wav;
use crate::moving::{EMAIL, as_moved, canary, for_each_pair, is_there_only, moved};
use crate::world::{PASSWORD, World};

/// Moves, and is gone in the moment in which it gets that far.
async fn broken_off(from: &World, to: &World, at: Progress) {
    let run = moved(from, to, (EMAIL, None), |progress| {
        assert!(progress != at, "killed at {progress:?}");
    });
    let killed = AssertUnwindSafe(run).catch_unwind().await;
    assert!(killed.is_err(), "{at:?} is a step: {killed:?}");
}

async fn signs_in(world: &World) -> bool {
    world.device().sign_in("zzcanary", PASSWORD).await.status == StatusCode::CREATED
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_19_a_move_that_is_broken_off_at_any_step_is_finished_by_the_same_command() {
    let steps = [
        Progress::Copied(1),
        Progress::Copied(2),
        Progress::Written,
        Progress::Arrived,
        Progress::Left,
    ];
    for at in steps {
        eprintln!("at {at:?}");
        for_each_pair(async |from: World, to: World| {
            let mut bob = from.account("bob").await;
            let (mut ada, ids) = canary(&from, &mut bob).await;
            broken_off(&from, &to, at).await;
            let has_left = at == Progress::Left;
            let is_there = has_left || at == Progress::Arrived;
            let mut conn = to.db().read().await.expect("reads");
            let there = conn.account_by_email(EMAIL).await.expect("reads");
            drop(conn);
            assert_eq!(there.is_some(), is_there);
            let still_here = ada.get("/account").await.status == StatusCode::OK;
            assert_eq!(still_here, !has_left);
            assert!(still_here || there.is_some(), "never in neither");
            if !has_left {
                // What she does meanwhile moves as well.
                file(&mut ada, "zzcanary too.wav", &wav(10)).await;
            }
            let again = moved(&from, &to, (EMAIL, None), |_| {}).await.expect("it is finished");
            if has_left {
                assert_eq!(again, Outcome::Finished);
            } else {
                assert_eq!(as_moved(again).files, 3);
            }
            is_there_only(&from, &to, &ids, 0).await;
            let third = moved(&from, &to, (EMAIL, None), |_| {}).await.expect("nothing to do");
            assert_eq!(third, Outcome::Before);
            // What the first try left is swept.
            to.clock.advance(Duration::from_secs(25 * 3600));
            to.work().await;
            let left = crate::files::objects(&to).await.len();
            assert_eq!(left, if has_left { 3 } else { 4 }, "no copy is left over");
            assert!(signs_in(&to).await && !signs_in(&from).await);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_in_there_after_a_move_was_broken_off_loses_nothing_by_finishing_it() {
    for_each_pair(async |from: World, to: World| {
        let mut bob = from.account("bob").await;
        let (mut ada, ids) = canary(&from, &mut bob).await;
        broken_off(&from, &to, Progress::Arrived).await;
        let mut there = to.device();
        assert_eq!(there.sign_in("zzcanary", PASSWORD).await.status, StatusCode::CREATED);
        let newer = file(&mut there, "zzcanary there.wav", &wav(20)).await;
        from.clock.advance(Duration::from_secs(1));
        let here = file(&mut ada, "zzcanary here.wav", &wav(10)).await;
        let refused = moved(&from, &to, (EMAIL, None), |_| {}).await.expect_err("in both");
        assert!(matches!(refused, MoveError::UsedInBoth(1)), "{refused}");
        ada.delete(&format!("/files/{here}")).await.is_done();
        let done = moved(&from, &to, (EMAIL, None), |_| {}).await.expect("finished");
        assert_eq!(done, Outcome::Finished);
        is_there_only(&from, &to, &ids, 0).await;
        assert_eq!(there.get(&format!("/files/{newer}")).await.status, StatusCode::OK);
        // Who wants it erased there is not brought back by a move that finds the old account.
    })
    .await;
}
