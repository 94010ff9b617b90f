//! Nobody learns from an answer, or its time, whether an address has an account.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Passwords;
use social::http::routes;

use crate::world::{Answer, Engine, PASSWORD, World, for_each_store};

/// An answer with what is different each time left out.
fn shape(answer: &Answer, id: &str) -> (StatusCode, Vec<String>, Value) {
    let mut body = answer.body.clone();
    assert!(body[id].is_string(), "{answer:?}");
    body[id] = json!("id");
    let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (answer.status, headers, body)
}

#[tokio::test]
async fn promise_20_a_sign_up_answers_alike_for_known_and_unknown_addresses() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let (mut one, mut other) = (world.device(), world.device());
        let known = one.sign_up("ADA@example.org", "known", PASSWORD).await;
        let unknown = other.sign_up("new@example.org", "unknown", PASSWORD).await;
        assert_eq!(shape(&known, "sign_up"), shape(&unknown, "sign_up"));
        world.work().await;
        // The owner is told, and only they.
        let mails = world.smtp.take();
        let to = |address: &str| mails.iter().find(|mail| mail.to == address).expect("a mail");
        assert!(to("ada@example.org").subject.contains("already"));
        assert!(to("new@example.org").subject.contains("code"));
        // What follows is alike too: codes are wrong, sent again, and the name is held.
        for (person, answer) in [(&mut one, &known), (&mut other, &unknown)] {
            let path = format!("/sign-ups/{}", answer.text("sign_up"));
            for _ in 0..7 {
                let wrong = person.post(&format!("{path}/verify"), json!({ "code": "1" })).await;
                wrong.is(422, "wrong_code");
            }
            let again = person.ask(axum::http::Method::POST, &format!("{path}/code"), None).await;
            assert_eq!(again.status, StatusCode::ACCEPTED);
        }
        for name in ["known", "unknown"] {
            let mut third = world.device();
            third.sign_up("third@example.org", name, PASSWORD).await.is(409, "username_taken");
        }
    })
    .await;
}

#[tokio::test]
async fn promise_20_a_reset_answers_alike_for_known_and_unknown_addresses() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut person = world.device();
        let mut ask = async |email: &str| {
            let begun = person.post("/password-resets", json!({ "email": email })).await;
            let path = format!("/password-resets/{}/complete", begun.text("reset"));
            let body = json!({ "code": "12345678", "password": "another password" });
            let mut wrong = Vec::new();
            for _ in 0..7 {
                wrong.push(person.post(&path, body.clone()).await.body);
            }
            (shape(&begun, "reset"), wrong)
        };
        let known = ask("ada@example.org").await;
        let unknown = ask("nobody@example.org").await;
        assert_eq!(known, unknown);
        world.work().await;
        assert_eq!(world.smtp.take_one().to, "ada@example.org");
    })
    .await;
}

#[tokio::test]
async fn promise_20_a_change_of_address_answers_alike_for_known_and_unknown_addresses() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut grace = world.account("grace").await;
        let mut ask = async |email: &str| {
            let body = json!({ "email": email, "password": PASSWORD });
            shape(&grace.post("/account/email", body).await, "change")
        };
        assert_eq!(ask("ada@example.org").await, ask("new@example.org").await);
        world.work().await;
        let mails = world.smtp.take();
        assert!(
            mails.iter().any(|mail| mail.to == "ada@example.org" && mail.body.contains("already"))
        );
        // Nobody was mailed a code for an address that is somebody else's.
        let coded: Vec<_> = mails.iter().filter(|mail| mail.subject.contains("code")).collect();
        assert!(coded.iter().all(|mail| mail.to == "new@example.org"), "{coded:#?}");
    })
    .await;
}

#[tokio::test]
async fn promise_20_too_many_mails_to_one_address_are_refused_alike() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        world.clock.advance(Duration::from_secs(3600));
        let mut person = world.device();
        for email in ["ada@example.org", "nobody@example.org"] {
            for _ in 0..4 {
                let begun = person.post("/password-resets", json!({ "email": email })).await;
                assert_eq!(begun.status, StatusCode::ACCEPTED);
            }
            let refused = person.post("/password-resets", json!({ "email": email })).await;
            refused.is(429, "too_many_requests");
            let wait: u64 =
                refused.headers["retry-after"].to_str().expect("text").parse().expect("s");
            assert!((1..=900).contains(&wait), "{wait}");
        }
    })
    .await;
}

/// The least of what something takes: others that are at work on this machine only add to it.
async fn least(mut work: impl AsyncFnMut()) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..7 {
        let start = Instant::now();
        work().await;
        least = least.min(start.elapsed());
    }
    least
}

#[tokio::test]
async fn promise_17_signing_in_takes_as_long_for_a_name_that_nobody_has() {
    let mut world = World::new(Engine::Sqlite).await;
    // A cost at which a hash takes long enough to be told from all the rest.
    let passwords = Passwords::at_any_cost(10);
    let started =
        social::Social::start_with(world.config.clone(), world.clock.clone(), passwords).await;
    let (social, jobs) = started.expect("it starts");
    world.router = routes(social.clone(), |_| None::<u8>);
    (world.social, world.jobs) = (social, jobs);
    let ada = world.account("ada").await;
    let hash = least(async || {
        world.social.passwords().hash("x".into()).await.expect("hashed");
    })
    .await;
    let sign_in = async |login: &str| {
        let mut person = ada.clone();
        person.token = None;
        world.clock.advance(Duration::from_secs(3600));
        person.sign_in(login, "wrong password").await.is(401, "wrong_credentials");
    };
    let known = least(async || sign_in("ada").await).await;
    let unknown = least(async || sign_in("nobody").await).await;
    // Without the hash of nobody's password, it would be near nothing.
    assert!(hash / 2 < unknown, "{unknown:?} for nobody, and a hash takes {hash:?}");
    assert!(hash / 2 < known, "{known:?} for somebody, and a hash takes {hash:?}");
}

#[tokio::test]
async fn promise_20_the_answer_to_a_reset_comes_no_earlier_than_for_either() {
    let mut world = World::new(Engine::Sqlite).await;
    world.account("ada").await;
    world.config.answer_floor = Duration::from_millis(150);
    let (_, _, router) = world.restarted().await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let request = axum::http::Request::post("/api/v1/social/password-resets")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(json!({ "email": email }).to_string()))
            .expect("a request");
        let start = Instant::now();
        let answer = crate::world::send(&router, request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert!(Duration::from_millis(150) <= start.elapsed(), "{email}");
    }
}

#[tokio::test]
async fn promise_20_the_ids_of_two_resets_do_not_tell_what_was_made_between_them() {
    for_each_store(async |world: World| {
        world.account("ada").await;
        let mut person = world.device();
        let mut last = None;
        let mut steps = Vec::new();
        for email in ["ada@example.org", "a@b.example", "ada@example.org", "b@b.example"] {
            let begun = person.post("/password-resets", json!({ "email": email })).await;
            let id: social::id::CodeId = begun.text("reset").parse().expect("an id");
            let bits = id.uuid().as_u128();
            // Those below the time, around those that say the version and the variant.
            let number = ((bits >> 64) & 0xfff) << 14 | (bits >> 48) & 0x3fff;
            steps.extend(last.map(|last: u128| number.abs_diff(last)));
            last = Some(number);
        }
        assert!(steps.iter().any(|step| 10_000 < *step), "they are counted: {steps:?}");
    })
    .await;
}
