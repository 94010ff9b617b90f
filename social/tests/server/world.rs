//! A server in a test: a real database, a real mail server, a clock that is turned by hand, and people
//! who ask for things.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use social::account::{Passwords, Role};
use social::clock::{Clock as _, ManualClock, UnixMs};
use social::http::{open_routes, routes};
use social::jobs::Jobs;
use social::mail::MailConfig;
use social::objects::ObjectsConfig;
use social::secret::ServerKey;
use social::store::{DatabaseUrl, Db};
use social::{Config, Social};
use tower::ServiceExt as _;

use crate::postgres;
use crate::smtp::Sink;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Runs a test on each kind of database.
pub(crate) async fn for_each_store(test: impl AsyncFn(World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        test(World::new(engine).await).await;
    }
}

/// A server and what is around it.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) config: Config,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) social: Social,
    pub(crate) jobs: Jobs,
    pub(crate) smtp: Sink,
    pub(crate) router: Router,
    pub(crate) folder: PathBuf,
}

/// 28 November 2026.
pub(crate) const NOW: UnixMs = UnixMs(1_795_867_200_000);

/// How often it is tried to clean.
const CLEAN_TRIES: usize = 20;

/// What a password of a test costs: next to nothing.
const COST: u32 = 4;

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    /// One that is configured otherwise.
    pub(crate) async fn with(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        Self::at(engine, NOW, change).await
    }

    /// The same at another time, where somebody else's clock counts too.
    pub(crate) async fn at(engine: Engine, now: UnixMs, change: impl FnOnce(&mut Config)) -> Self {
        let folder = fresh_folder();
        let database = match engine {
            Engine::Sqlite => DatabaseUrl::Sqlite(folder.join("social.sqlite")),
            Engine::Postgres => postgres::fresh().await.parse().expect("a URL"),
        };
        let smtp = Sink::start().await;
        let mut config = Config::embedded(PathBuf::new(), ServerKey::new([7; 32]));
        config.database = database;
        config.answer_floor = Duration::ZERO;
        config.objects = ObjectsConfig::Disk(folder.join("objects"));
        config.folder.clone_from(&folder);
        config.mail = MailConfig {
            smtp: Some(smtp.url.clone()),
            from: Some("vjam <noreply@jam.example>".into()),
            to_log: false,
        };
        change(&mut config);
        Self::of(engine, now, config, smtp, folder).await
    }

    async fn of(engine: Engine, now: UnixMs, config: Config, smtp: Sink, folder: PathBuf) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let started =
            Social::start_with(config.clone(), clock.clone(), Passwords::at_any_cost(COST)).await;
        let (social, jobs) = started.expect("it starts");
        let router = all_routes(&social);
        Self { engine, config, clock, social, jobs, smtp, router, folder }
    }

    /// Another server of the same database, which knows nothing of the first.
    pub(crate) async fn restarted(&self) -> (Social, Jobs, Router) {
        let passwords = Passwords::at_any_cost(COST);
        let started = Social::start_with(self.config.clone(), self.clock.clone(), passwords).await;
        let (social, jobs) = started.expect("it starts");
        let router = all_routes(&social);
        (social, jobs, router)
    }

    /// Starts the server again, as it is configured by then.
    pub(crate) async fn restart(&mut self) {
        (self.social, self.jobs, self.router) = self.restarted().await;
    }

    /// Has the database do something that no route does.
    pub(crate) async fn execute(&self, sql: &'static str) {
        match self.db() {
            Db::Sqlite { w, .. } => drop(sqlx::raw_sql(sql).execute(w).await.expect("done")),
            Db::Pg(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.expect("done")),
        }
    }

    /// The same with its objects elsewhere.
    pub(crate) async fn with_objects(mut self, objects: ObjectsConfig) -> Self {
        self.config.objects = objects;
        let (social, jobs, router) = self.restarted().await;
        (self.social, self.jobs, self.router) = (social, jobs, router);
        self
    }

    pub(crate) fn db(&self) -> &Db {
        self.social.db()
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Does what is due.
    pub(crate) async fn work(&self) {
        self.jobs.run_due().await.expect("the database works");
    }

    /// The same, until whatever was in the way of those who clean is out of it: on a machine that is
    /// busy, somebody may still be reading.
    pub(crate) async fn work_until_clean(&self) {
        self.work().await;
        for _ in 0..CLEAN_TRIES {
            let mut conn = self.db().read().await.expect("reads");
            if conn.job_errors(social::clean::KIND).await.expect("reads").is_empty() {
                return;
            }
            drop(conn);
            self.clock.advance(Duration::from_secs(60 * 60));
            self.work().await;
        }
        panic!("it is never clean");
    }

    /// A device that nobody has used.
    pub(crate) fn device(&self) -> Person {
        Person { router: self.router.clone(), ..Person::default() }
    }

    /// Somebody whose account is there and who is signed in, with an app.
    pub(crate) async fn account(&self, name: &str) -> Person {
        let mut person = self.device();
        let email = format!("{name}@example.org");
        let sign_up = person.sign_up(&email, name, PASSWORD).await;
        assert_eq!(sign_up.status, StatusCode::ACCEPTED, "{sign_up:?}");
        self.work().await;
        let mails = self.smtp.take();
        let code = mails.iter().find(|mail| mail.to == email).expect("a mail").code();
        let path = format!("/sign-ups/{}/verify", sign_up.text("sign_up"));
        let verified = person.post(&path, json!({ "code": code })).await;
        assert_eq!(verified.status, StatusCode::CREATED, "{verified:?}");
        person.token = Some(verified.text("token"));
        person
    }

    /// The same with a role.
    pub(crate) async fn account_with(&self, name: &str, role: Role) -> Person {
        let person = self.account(name).await;
        let email = format!("{name}@example.org");
        self.db().grant(&email, role, self.now()).await.expect("there");
        person
    }

    /// Every byte that the database keeps on disk.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        match &self.config.database {
            DatabaseUrl::Sqlite(path) => {
                let mut all = Vec::new();
                for suffix in ["", "-wal"] {
                    let file = format!("{}{suffix}", path.display());
                    all.extend(std::fs::read(file).unwrap_or_default());
                }
                all
            }
            DatabaseUrl::Postgres(url) => dump_postgres(url).await,
        }
    }

    /// Whether a text stands anywhere in the files of the tables, deleted or not.
    pub(crate) async fn files_hold(&self, text: &str) -> bool {
        let DatabaseUrl::Postgres(url) = &self.config.database else {
            return self.holds(text).await;
        };
        let mut conn = postgres::connect(url).await;
        sqlx::raw_sql("CHECKPOINT").execute(&mut conn).await.expect("written to the files");
        let sql = "SELECT pg_read_binary_file(pg_relation_filepath(c.oid)) FROM pg_class c
                   WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace";
        let files: Vec<Vec<u8>> =
            sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("files");
        files.iter().any(|file| contains(file, text.as_bytes()))
    }

    /// Whether a text stands anywhere in any file of the database: indexes, catalogs and statistics too.
    /// The log that PostgreSQL keeps of what it writes counts as a backup.
    pub(crate) async fn any_file_holds(&self, text: &str) -> bool {
        let DatabaseUrl::Postgres(url) = &self.config.database else {
            return self.holds(text).await;
        };
        let mut conn = postgres::connect(url).await;
        sqlx::raw_sql("CHECKPOINT").execute(&mut conn).await.expect("written to the files");
        let sql = "SELECT name, pg_read_binary_file(folder || '/' || name, 0, 67108864, true)
                   FROM (SELECT 'base/' || oid AS folder FROM pg_database
                         WHERE datname = current_database()) f, pg_ls_dir(folder) name";
        let files: Vec<(String, Option<Vec<u8>>)> =
            sqlx::query_as(sql).fetch_all(&mut conn).await.expect("files");
        let mut found = false;
        for (name, file) in files {
            if file.is_none_or(|file| !contains(&file, text.as_bytes())) {
                continue;
            }
            let sql = "SELECT relname::text, pg_stat_get_dead_tuples(oid), relfilenode::text,                        (SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL)
                       FROM pg_class WHERE relfilenode::text = $1";
            let of: Vec<(String, i64, String, i64)> = sqlx::query_as(sql)
                .bind(name.split(['.', '_']).next().unwrap_or_default())
                .fetch_all(&mut conn)
                .await
                .expect("names");
            eprintln!("{text} is in {name}: {of:?}");
            found = true;
        }
        found
    }

    /// Whether a text stands anywhere in the database.
    pub(crate) async fn holds(&self, text: &str) -> bool {
        contains(&self.dump().await, text.as_bytes())
    }
}

/// All rows of all tables, as PostgreSQL writes them.
async fn dump_postgres(url: &str) -> Vec<u8> {
    let mut conn = postgres::connect(url).await;
    let sql = "SELECT table_name::text FROM information_schema.tables
               WHERE table_schema = current_schema()";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("tables");
    let mut all = Vec::new();
    for table in tables {
        let sql = sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("rows");
        for row in rows {
            all.extend(row.into_bytes());
        }
    }
    all
}

pub(crate) fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a server serves.
fn all_routes(social: &Social) -> Router {
    routes(social.clone(), address).merge(open_routes(social.clone(), address))
}

fn fresh_folder() -> PathBuf {
    let name = social::secret::hex(&social::secret::random()[..8]);
    let folder = std::env::temp_dir().join(format!("vjam-social-test-{name}"));
    std::fs::create_dir(&folder).expect("a folder of its own");
    folder
}

/// The address of a test's request: what its header says.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Address(pub(crate) String);

fn address(extensions: &Extensions) -> Option<Address> {
    extensions.get::<Address>().cloned()
}

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody with a device: an app that keeps its tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    pub(crate) router: Router,
    pub(crate) device: Option<String>,
    pub(crate) token: Option<String>,
    /// Where they ask from; nobody counts it where it is this machine.
    pub(crate) address: Option<String>,
}

impl Person {
    /// The same, who asks another server.
    pub(crate) fn through(&self, router: &Router) -> Self {
        Self { router: router.clone(), ..self.clone() }
    }

    /// Somebody who has a token already.
    pub(crate) fn signed_in(router: Router, token: &str) -> Self {
        Self { router, token: Some(token.to_owned()), ..Self::default() }
    }

    pub(crate) async fn sign_up(&mut self, email: &str, name: &str, password: &str) -> Answer {
        let age = self.post("/age", json!({ "born": "1990-05-17" })).await;
        assert_eq!(age.status, StatusCode::OK, "{age:?}");
        let body = new_sign_up(&age.text("age_token"), email, name, password);
        self.post("/sign-ups", body).await
    }

    pub(crate) async fn sign_in(&mut self, login: &str, password: &str) -> Answer {
        let answer = self.post("/sessions", json!({ "login": login, "password": password })).await;
        if answer.status == StatusCode::CREATED {
            self.token = Some(answer.text("token"));
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// Asks with any headers and any bytes, and gets bytes.
    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Vec<u8>,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/social{path}"));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("it always answers");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        (parts.status, parts.headers, bytes.to_vec())
    }

    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/social{path}"));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(device) = &self.device {
            request = request.header(social::http::DEVICE_HEADER, device);
        }
        if let Some(address) = &self.address {
            request = request.extension(Address(address.clone()));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = send(&self.router, request.body(body).expect("a request")).await;
        if let Some(device) = answer.headers.get(social::http::DEVICE_HEADER) {
            self.device = Some(device.to_str().expect("text").to_owned());
        }
        answer
    }
}

/// What a sign-up says.
pub(crate) fn new_sign_up(age_token: &str, email: &str, name: &str, password: &str) -> Value {
    json!({
        "age_token": age_token,
        "email": email,
        "username": name,
        "password": password,
        "region": "eu",
    })
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// A text of the body.
    pub(crate) fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("{field} in {self:?}")).to_owned()
    }

    /// That it is a problem, of this code.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(self.text("detail").len() > 10, "a sentence: {self:?}");
        assert_eq!(self.body["status"], status);
    }

    /// That it is this, with nothing more to say.
    #[track_caller]
    pub(crate) fn is_done(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{self:?}");
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("it always answers");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status: parts.status, headers: parts.headers, body }
}
