//! What a thief of the database, and a reader of the log, cannot find.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::StatusCode;
use serde_json::json;
use social::secret::{Purpose, Token};

use crate::world::{PASSWORD, World, contains, for_each_store};

#[tokio::test]
async fn promise_16_tokens_and_codes_cannot_be_read_in_a_dump() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let sign_up = ada.sign_up("ada@example.org", "ada", PASSWORD).await;
        // With everything on its way: the dump is taken before a mail is sent, and after.
        let before = world.dump().await;
        world.work().await;
        let after = world.dump().await;
        let code = world.smtp.take_one().code();
        let verify = format!("/sign-ups/{}/verify", sign_up.text("sign_up"));
        let verified = ada.post(&verify, json!({ "code": code })).await;
        assert_eq!(verified.status, StatusCode::CREATED);
        ada.token = Some(verified.text("token"));
        let reset = ada.post("/password-resets", json!({ "email": "ada@example.org" })).await;
        world.work().await;
        let reset_code = world.smtp.take_one().code();
        let last = world.dump().await;
        let device = ada.device.clone().expect("it has one");
        for secret in [&code, &code.replace(' ', ""), &reset_code, &reset_code.replace(' ', "")] {
            for dump in [&before, &after, &last] {
                assert!(!contains(dump, secret.as_bytes()), "a code");
            }
        }
        for secret in [ada.token.as_ref().expect("signed in"), &device] {
            let token = Token::parse(secret).expect("a token");
            for form in [secret.as_bytes().to_vec(), token.bytes().to_vec()] {
                assert!(!contains(&last, &form), "a token");
            }
            let unkeyed = token.hash();
            if secret == &device {
                assert!(!contains(&last, &unkeyed), "a device's hash needs the server's key");
            }
        }
        assert!(!contains(&last, PASSWORD.as_bytes()), "the password");
        // That something would be found: the id of the reset is no secret.
        let id: social::id::CodeId = reset.text("reset").parse().expect("an id");
        let found =
            contains(&last, id.uuid().as_bytes()) || contains(&last, id.to_string().as_bytes());
        assert!(found, "a dump holds what is kept");
    })
    .await;
}

#[tokio::test]
async fn promise_17_a_password_is_hashed_with_bcrypt_and_refused_beyond_72_bytes() {
    for_each_store(async |world: World| {
        let mut ada = world.device();
        let longest = "ü".repeat(36);
        let refused = ada.sign_up("ada@example.org", "ada", &format!("{longest}x")).await;
        refused.is(422, "invalid");
        assert!(refused.text("detail").contains("73 bytes"), "{refused:?}");
        assert!(refused.text("detail").contains("72"), "{refused:?}");
        assert_eq!(refused.body["field"], "password");
        let begun = ada.sign_up("ada@example.org", "ada", &longest).await;
        world.work().await;
        let code = world.smtp.take_one().code();
        let path = format!("/sign-ups/{}/verify", begun.text("sign_up"));
        assert_eq!(ada.post(&path, json!({ "code": code })).await.status, StatusCode::CREATED);
        let mut other = world.device();
        assert_eq!(other.sign_in("ada", &longest).await.status, StatusCode::CREATED);
        // Not what a library makes of it that cuts off, and not less.
        other.sign_in("ada", &format!("{longest}x")).await.is(422, "invalid");
        other.sign_in("ada", &"ü".repeat(35)).await.is(401, "wrong_credentials");
        assert!(world.holds("$2b$").await, "what is kept is bcrypt's");
    })
    .await;
}

#[tokio::test]
async fn promise_17_a_server_hashes_at_cost_twelve_and_strengthens_what_is_weaker() {
    for_each_store(async |world: World| {
        let mut config = world.config.clone();
        config.bcrypt_cost = 11;
        let refused = social::Social::start(config.clone(), world.clock.clone()).await;
        assert!(refused.err().expect("too low").to_string().contains("bcrypt_cost: 11"));
        config.bcrypt_cost = 12;
        world.account("ada").await;
        let started = social::Social::start(config, world.clock.clone()).await;
        let (social, _) = started.expect("it starts");
        let mut world = world;
        world.router = social::http::routes(social, |_| None::<u8>);
        assert_eq!(world.device().sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
        let account = world.db().read().await.expect("reads").account_by_username("ada").await;
        let account = account.expect("reads").expect("there");
        let hash = account.password_hash.expect("it has one");
        assert!(hash.starts_with("$2b$12$"), "{hash}");
        assert_eq!(world.device().sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
    })
    .await;
}

/// Everything that this process logs, at every level.
pub(crate) static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first");
    lines.0
});

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn promise_21_a_log_names_nobody_and_holds_no_secret() {
    LazyLock::force(&LOG);
    for_each_store(async |world: World| {
        let name = format!("canary-{:?}", world.engine).to_lowercase();
        let email = format!("{name}@example.org");
        let mut canary = world.account(&name).await;
        canary.address = Some("203.0.113.77".into());
        canary.sign_in(&name, "a wrong canary password").await;
        world.device().sign_in(&name, PASSWORD).await;
        world.smtp.refuse(Some("451 <canary@example.org> is full\r\n"));
        let begun = canary.post("/password-resets", json!({ "email": email })).await;
        world.work().await;
        world.smtp.refuse(None);
        world.clock.advance(std::time::Duration::from_secs(10));
        world.work().await;
        let mails = world.smtp.take();
        let code = mails.iter().find(|mail| mail.subject.contains("code")).expect("one").code();
        let body = json!({ "code": code, "password": "a third canary password" });
        let path = format!("/password-resets/{}/complete", begun.text("reset"));
        canary.post(&path, body).await.is_done();
        let log = LOG.lock().expect("not poisoned").clone();
        assert!(contains(&log, b"a password was reset"), "it is a log");
        let id = canary_id(&world, &name).await;
        let hashed = world.social.log_id(id);
        assert!(contains(&log, hashed.as_bytes()), "accounts have a keyed hash there");
        let token = canary.token.clone().expect("signed in");
        let device = canary.device.clone().expect("it has one");
        for secret in [
            name.as_str(),
            &email,
            "canary@example.org",
            PASSWORD,
            "canary password",
            &code,
            &code.replace(' ', ""),
            &token,
            &device,
            "203.0.113.77",
            &id.to_string(),
            "$2b$",
        ] {
            let at = log.windows(secret.len()).position(|window| window == secret.as_bytes());
            let around = at.map(|at| {
                String::from_utf8_lossy(&log[at.saturating_sub(200)..(at + 100).min(log.len())])
                    .into_owned()
            });
            assert_eq!(around, None, "{secret}");
        }
    })
    .await;
}

async fn canary_id(world: &World, name: &str) -> social::id::AccountId {
    let account = world.db().read().await.expect("reads").account_by_username(name).await;
    account.expect("reads").expect("there").id
}

#[test]
fn a_hash_of_one_purpose_is_none_of_another() {
    let key = social::secret::ServerKey::new([7; 32]);
    let purposes = [
        Purpose::Device,
        Purpose::Age,
        Purpose::Code,
        Purpose::Rate,
        Purpose::Log,
        Purpose::Key,
        Purpose::Link,
        Purpose::Erasure,
        Purpose::Backup,
    ];
    let hashes: std::collections::BTreeSet<_> =
        purposes.map(|purpose| key.keyed_hash(purpose, b"same")).into();
    assert_eq!(hashes.len(), purposes.len());
}
