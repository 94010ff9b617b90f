//! What is done later: once it is committed, after failures, and after a crash.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use social::clock::UnixMs;
use social::jobs::{Handler, Jobs, Outcome};
use social::limits::JOB_WAIT_MAX;
use social::store::{Job, NewJob};

use crate::postgres::wait_for;
use crate::world::{Engine, World, for_each_store};

/// Writes down what it did, and answers as it was told to.
#[derive(Default)]
struct Diary {
    done: Mutex<BTreeMap<String, Vec<i64>>>,
    answers: Mutex<Vec<Outcome>>,
}

impl Handler for Diary {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        let name = job.payload["name"].as_str().expect("a name").to_owned();
        self.done.lock().expect("not poisoned").entry(name).or_default().push(job.attempts);
        let answer = self.answers.lock().expect("not poisoned").pop();
        Box::pin(async move { answer.unwrap_or(Outcome::Done) })
    }
}

impl Diary {
    fn of(&self, name: &str) -> Vec<i64> {
        self.done.lock().expect("not poisoned").get(name).cloned().unwrap_or_default()
    }

    fn jobs(self: &Arc<Self>, world: &World) -> Jobs {
        Jobs::new(world.db().clone(), world.clock.clone())
            .with("diary", Arc::clone(self) as Arc<dyn Handler>)
            .with("purge", Arc::new(Idle))
    }
}

/// Has the job that deletes wait, so that only the test's are counted.
struct Idle;

impl Handler for Idle {
    fn run(&self, _: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async { Outcome::Again(UnixMs(i64::MAX)) })
    }
}

async fn enqueue(world: &World, name: &str, once_key: Option<&str>, due_at: UnixMs) -> bool {
    let mut tx = world.db().begin().await.expect("begins");
    let payload = json!({ "name": name });
    let job = NewJob { kind: "diary", payload, once_key, due_at };
    let added = tx.enqueue(&job, world.now()).await.expect("added");
    tx.commit().await.expect("committed");
    added
}

#[tokio::test]
async fn a_job_is_there_when_its_transaction_is_and_not_otherwise() {
    for_each_store(async |world: World| {
        let diary = Arc::new(Diary::default());
        let jobs = diary.jobs(&world);
        {
            let mut tx = world.db().begin().await.expect("begins");
            let payload = json!({ "name": "dropped" });
            let due_at = world.now();
            let job = NewJob { kind: "diary", payload, once_key: None, due_at };
            tx.enqueue(&job, due_at).await.expect("added");
        }
        enqueue(&world, "kept", None, world.now()).await;
        enqueue(&world, "later", None, world.now().after(Duration::from_secs(60))).await;
        jobs.run_due().await.expect("runs");
        assert_eq!(
            (diary.of("dropped"), diary.of("kept"), diary.of("later")),
            (vec![], vec![1], vec![])
        );
        world.clock.advance(Duration::from_secs(60));
        jobs.run_due().await.expect("runs");
        assert_eq!(diary.of("later"), [1]);
        assert_eq!(jobs.run_due().await.expect("runs"), 0);
    })
    .await;
}

#[tokio::test]
async fn of_jobs_with_one_key_one_waits() {
    for_each_store(async |world: World| {
        let diary = Arc::new(Diary::default());
        let jobs = diary.jobs(&world);
        assert!(enqueue(&world, "once", Some("key"), world.now()).await);
        assert!(!enqueue(&world, "twice", Some("key"), world.now()).await);
        jobs.run_due().await.expect("runs");
        assert_eq!((diary.of("once"), diary.of("twice")), (vec![1], vec![]));
        assert!(enqueue(&world, "again", Some("key"), world.now()).await, "it is done");
    })
    .await;
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_and_later() {
    for_each_store(async |world: World| {
        let diary = Arc::new(Diary::default());
        let jobs = diary.jobs(&world);
        *diary.answers.lock().expect("not poisoned") = vec![Outcome::Failed("no"); 2];
        enqueue(&world, "hard", None, world.now()).await;
        jobs.run_due().await.expect("runs");
        assert_eq!(diary.of("hard"), [1]);
        let errors = world.db().read().await.expect("reads").job_errors("diary").await;
        assert_eq!(errors.expect("reads"), ["no"]);
        for (wait, attempts) in [(4, 1), (1, 2), (9, 2), (1, 3)] {
            world.clock.advance(Duration::from_secs(wait));
            jobs.run_due().await.expect("runs");
            assert_eq!(diary.of("hard").len(), attempts, "after {wait} s more");
        }
        assert_eq!(diary.of("hard"), [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_job_of_a_server_that_died_is_done_by_another_when_its_lease_ends() {
    for_each_store(async |world: World| {
        enqueue(&world, "orphan", None, world.now()).await;
        // Taken by somebody who is never heard of again.
        let mut tx = world.db().begin().await.expect("begins");
        let taken = loop {
            let job = tx.claim_job(world.now()).await.expect("claims").expect("there is one");
            if job.kind == "diary" {
                break job;
            }
        };
        tx.commit().await.expect("committed");
        let diary = Arc::new(Diary::default());
        let jobs = diary.jobs(&world);
        jobs.run_due().await.expect("runs");
        assert_eq!(diary.of("orphan"), Vec::<i64>::new(), "it is somebody's");
        world.clock.advance(Duration::from_secs(119));
        jobs.run_due().await.expect("runs");
        assert_eq!(diary.of("orphan"), Vec::<i64>::new());
        world.clock.advance(Duration::from_secs(1));
        // The dead one is heard of again after all, too late: it may not touch it.
        jobs.run_due().await.expect("runs");
        assert_eq!(diary.of("orphan"), [2]);
        let mut tx = world.db().begin().await.expect("begins");
        assert!(!tx.finish_job(&taken).await.expect("asks"));
        assert!(!tx.extend_job(&taken, world.now()).await.expect("asks"));
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_is_extended_keeps_others_away() {
    for_each_store(async |world: World| {
        enqueue(&world, "long", None, world.now()).await;
        let diary = Arc::new(Diary::default());
        let jobs = diary.jobs(&world);
        let mut tx = world.db().begin().await.expect("begins");
        let taken = loop {
            let job = tx.claim_job(world.now()).await.expect("claims").expect("there is one");
            if job.kind == "diary" {
                break job;
            }
        };
        tx.commit().await.expect("committed");
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(100));
            let mut tx = world.db().begin().await.expect("begins");
            assert!(tx.extend_job(&taken, world.now()).await.expect("extends"));
            tx.commit().await.expect("committed");
            jobs.run_due().await.expect("runs");
        }
        assert_eq!(diary.of("long"), Vec::<i64>::new());
        let mut tx = world.db().begin().await.expect("begins");
        assert!(tx.finish_job(&taken).await.expect("finishes"));
    })
    .await;
}

#[tokio::test]
async fn many_workers_do_each_job_once() {
    for_each_store(async |world: World| {
        let count = 200;
        for number in 0..count {
            enqueue(&world, &format!("job {number}"), None, world.now()).await;
        }
        let diary = Arc::new(Diary::default());
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let jobs = diary.jobs(&world);
                tokio::spawn(async move { jobs.run_due().await.expect("runs") })
            })
            .collect();
        for worker in workers {
            worker.await.expect("no panic");
        }
        let done = diary.done.lock().expect("not poisoned").clone();
        assert_eq!(done.len(), count);
        assert!(done.values().all(|attempts| attempts == &[1]), "{done:?}");
    })
    .await;
}

#[tokio::test]
async fn a_running_server_does_what_is_committed_and_stops_when_it_is_told() {
    let world = World::new(Engine::Sqlite).await;
    let diary = Arc::new(Diary::default());
    let jobs = diary.jobs(&world);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let wake = jobs.waker();
    let running = tokio::spawn(async move {
        jobs.run(async {
            let _ = stopped.await;
        })
        .await;
    });
    for number in 0..20 {
        enqueue(&world, &format!("job {number}"), None, world.now()).await;
    }
    wake.notify_one();
    wait_for("the jobs", async || diary.done.lock().expect("not poisoned").len() == 20).await;
    stop.send(()).expect("it runs");
    running.await.expect("it stops");
}

#[tokio::test]
async fn a_job_of_a_kind_that_nobody_does_waits() {
    for_each_store(async |world: World| {
        enqueue(&world, "alien", None, world.now()).await;
        let nobody = Jobs::new(world.db().clone(), world.clock.clone());
        nobody.run_due().await.expect("runs");
        let diary = Arc::new(Diary::default());
        world.clock.advance(Duration::from_secs(5));
        diary.jobs(&world).run_due().await.expect("runs");
        assert_eq!(diary.of("alien"), [2]);
    })
    .await;
}

/// Never comes back.
struct Stuck {
    begun: tokio::sync::mpsc::UnboundedSender<Job>,
}

impl Handler for Stuck {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        self.begun.send(job).expect("the test listens");
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_job_that_never_comes_back_is_cut_before_its_lease_ends_unless_it_is_extended() {
    for_each_store(async |world: World| {
        enqueue(&world, "stuck", None, world.now()).await;
        let (begun, mut job) = tokio::sync::mpsc::unbounded_channel();
        let jobs = Jobs::new(world.db().clone(), world.clock.clone())
            .with("diary", Arc::new(Stuck { begun }))
            .with("purge", Arc::new(Idle));
        let working = tokio::spawn(async move { jobs.run_due().await.expect("runs") });
        let job = job.recv().await.expect("it begins");
        let wait = async || {
            tokio::time::pause();
            tokio::time::advance(JOB_WAIT_MAX + Duration::from_millis(1)).await;
            tokio::time::resume();
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        world.clock.advance(JOB_WAIT_MAX);
        let mut tx = world.db().begin().await.expect("begins");
        assert!(tx.extend_job(&job, world.now()).await.expect("extends"));
        tx.commit().await.expect("committed");
        wait().await;
        assert!(!working.is_finished(), "whoever extends it is at work");
        world.clock.advance(JOB_WAIT_MAX);
        wait().await;
        assert_eq!(working.await.expect("no panic"), 2);
        let errors = world.db().read().await.expect("reads").job_errors("diary").await;
        assert_eq!(errors.expect("reads"), ["too_long"], "still its own, so it says what happened");
    })
    .await;
}
