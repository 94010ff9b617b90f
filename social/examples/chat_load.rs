//! How long a message takes from being sent to being heard, and a page of history of a long chat.
//!
//! `cargo run --release -p social --example chat_load -- --database sqlite:/tmp/load.sqlite`, or with the
//! URL of an empty PostgreSQL database. `--sockets`, `--rate` (messages in a second), `--seconds` and
//! `--history` (messages of the long chat) say how much. Clients and server share the machine: sockets
//! are real, over loopback; requests are handed to the routes without a socket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::{SinkExt as _, StreamExt as _};
use social::account::{Passwords, Region};
use social::clock::{Clock as _, SystemClock};
use social::id::{AccountId, ChatId, SessionId};
use social::secret::{ServerKey, Token};
use social::store::{Db, NewAccount, Session};
use social::{Config, Social};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tower::ServiceExt as _;
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Flags {
    database: String,
    sockets: usize,
    rate: u32,
    seconds: u32,
    history: i64,
}

/// Somebody, and what they ask with.
struct Person {
    id: AccountId,
    token: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its figures are what it is for")]
async fn main() -> Result<()> {
    let flags = flags()?;
    let mut config = Config::embedded(PathBuf::new(), ServerKey::new([7; 32]));
    config.database = flags.database.parse()?;
    let started =
        Social::start_with(config, Arc::new(SystemClock), Passwords::at_any_cost(4)).await;
    let (social, _jobs) = started?;
    let router = social::http::routes(social.clone(), |_| None::<u8>);
    let people = people(social.db(), flags.sockets).await?;
    let chats = chats(social.db(), &people).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let served = router.clone();
    tokio::spawn(async move { axum::serve(listener, served).await });
    let begun = Instant::now();
    let (heard, hearing) = mpsc::unbounded_channel();
    for person in &people {
        listen(address, person, begun, heard.clone()).await?;
    }
    drop(heard);
    println!("{} sockets are open; {} messages in a second", people.len(), flags.rate);
    let sent = send(&router, &people, &chats, begun, &flags).await?;
    let delivered = collect(hearing, sent).await;
    println!("{sent} sent, {} delivered to the other of the two", delivered.len());
    println!("send -> deliver: {}", Spread::of(delivered));
    if flags.history != 0 {
        long_chat(&router, social.db(), &people, flags.history).await?;
    }
    social.live().close().await;
    Ok(())
}

fn flags() -> Result<Flags> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let find = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    Ok(Flags {
        database: find("--database").ok_or("say --database URL")?,
        sockets: number(find("--sockets"), 1000)?,
        rate: number(find("--rate"), 500)?,
        seconds: number(find("--seconds"), 20)?,
        history: number(find("--history"), 1_000_000)?,
    })
}

fn number<T: FromStr>(text: Option<String>, default: T) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Ok(text.map_or(Ok(default), |text| text.parse())?)
}

async fn people(db: &Db, count: usize) -> Result<Vec<Person>> {
    let now = SystemClock.now();
    let run = social::secret::hex(&social::secret::random()[..4]);
    let mut people = Vec::with_capacity(count);
    let mut tx = db.begin().await?;
    for number in 0..count {
        let (id, token) = (AccountId::fresh(now), Token::fresh());
        let username = format!("p{number}.{run}");
        let email = format!("{username}@example.org");
        let new = NewAccount {
            id,
            region: Region::Eu,
            email: &email,
            email_key: &email,
            username: &username,
            password_hash: None,
            language: "en",
        };
        tx.add_account(&new, now).await?;
        let session = Session {
            id: SessionId::fresh(now),
            account_id: id,
            device_hash: vec![0; 32],
            device_name: String::new(),
            created_at: now,
            last_used_at: now,
            proven_at: now,
            identity_id: None,
            expires_at: now.after(Duration::from_secs(24 * 3600)),
        };
        tx.add_session(&session, &token.hash(), 50).await?;
        people.push(Person { id, token: token.text() });
    }
    tx.commit().await?;
    Ok(people)
}

/// A chat of each two.
async fn chats(db: &Db, people: &[Person]) -> Result<Vec<ChatId>> {
    let mut tx = db.begin().await?;
    let mut chats = Vec::new();
    for pair in people.chunks_exact(2) {
        chats.push(tx.direct_chat(pair[0].id, pair[1].id, SystemClock.now()).await?);
    }
    tx.commit().await?;
    Ok(chats)
}

/// Opens a connection, and passes on how long each message of the other took to come.
async fn listen(
    address: SocketAddr,
    person: &Person,
    begun: Instant,
    heard: mpsc::UnboundedSender<Duration>,
) -> Result<()> {
    let mut request = format!("ws://{address}/api/v1/social/live").into_client_request()?;
    let bearer = format!("Bearer {}", person.token).parse()?;
    request.headers_mut().insert("authorization", bearer);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(r#"{"type":"resume","chats":{}}"#)).await?;
    let own = person.id.to_string();
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let now = begun.elapsed();
            let event: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let message = &event["message"];
            let sent = message["body"].as_str().and_then(|body| body.parse().ok());
            if let Some(sent) = sent.filter(|_| message["author"]["account"] != own.as_str())
                && heard.send(now.saturating_sub(Duration::from_micros(sent))).is_err()
            {
                return;
            }
        }
    });
    Ok(())
}

/// Sends at the rate that was asked for, each message with the moment at which it was.
async fn send(
    router: &Router,
    people: &[Person],
    chats: &[ChatId],
    begun: Instant,
    flags: &Flags,
) -> Result<usize> {
    let mut every = tokio::time::interval(Duration::from_secs(1) / flags.rate);
    let count = usize::try_from(flags.rate * flags.seconds)?;
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..count {
        every.tick().await;
        let pair = (number / 2) % chats.len();
        let who = &people[2 * pair + number % 2];
        let path = format!("/api/v1/social/chats/{}/messages", chats[pair]);
        let body = serde_json::json!({
            "client_id": Uuid::new_v4(),
            "body": begun.elapsed().as_micros().to_string(),
        });
        let request = request("POST", &path, &who.token, Body::from(body.to_string()))?;
        let router = router.clone();
        sending.spawn(async move { router.oneshot(request).await.map(|answer| answer.status()) });
    }
    let mut sent = 0;
    while let Some(answer) = sending.join_next().await {
        sent += usize::from(answer?? == StatusCode::OK);
    }
    Ok(sent)
}

async fn collect(mut hearing: mpsc::UnboundedReceiver<Duration>, sent: usize) -> Vec<Duration> {
    let mut delivered = Vec::with_capacity(sent);
    let all = async {
        while delivered.len() < sent {
            let Some(took) = hearing.recv().await else { break };
            delivered.push(took);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(20), all).await;
    delivered
}

fn request(method: &str, path: &str, token: &str, body: Body) -> Result<Request<Body>> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(body)?)
}

/// Fills a chat, and asks for pages of it and for words in it.
#[expect(clippy::print_stdout, reason = "its figures are what it is for")]
async fn long_chat(router: &Router, db: &Db, people: &[Person], count: i64) -> Result<()> {
    let begun = Instant::now();
    let chat = {
        let mut tx = db.begin().await?;
        let now = SystemClock.now();
        let chat = tx.add_group("Long", now).await?;
        let role = social::chat::MemberRole::Owner;
        tx.join_chat(chat, people[0].id, role, now).await?;
        tx.commit().await?;
        chat
    };
    fill(db, chat, people[0].id, count).await?;
    println!("{count} messages were written in {:.1} s", begun.elapsed().as_secs_f64());
    let mut pages = Vec::new();
    for number in 0..1000 {
        let before = 1 + (number * 7_919_993) % count;
        let path = format!("/api/v1/social/chats/{chat}/messages?before={before}&limit=50");
        pages.push(time(router, &path, &people[0].token).await?);
    }
    println!("a page of 50, anywhere: {}", Spread::of(pages));
    let mut searches = Vec::new();
    for number in 0..100 {
        let word = (number * 7_919_993) % count;
        let path = format!("/api/v1/social/search/messages?q=word{word}");
        // As many as somebody may ask for in a minute.
        if number < 30 {
            searches.push(time(router, &path, &people[0].token).await?);
        }
    }
    println!("a search for a rare word: {}", Spread::of(searches));
    Ok(())
}

async fn time(router: &Router, path: &str, token: &str) -> Result<Duration> {
    let request = request("GET", path, token, Body::empty())?;
    let begun = Instant::now();
    let answer = router.clone().oneshot(request).await?;
    let status = answer.status();
    axum::body::to_bytes(answer.into_body(), usize::MAX).await?;
    if status == StatusCode::OK { Ok(begun.elapsed()) } else { Err(format!("{status}").into()) }
}

async fn fill(db: &Db, chat: ChatId, author: AccountId, count: i64) -> Result<()> {
    match db {
        Db::Sqlite { w, .. } => {
            let sql =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
                       INSERT INTO messages (id, chat_id, seq, rev, author_id, body, created_at)
                       SELECT randomblob(16), $1, i, i, $2, 'the take of word' || i, i FROM n";
            sqlx::query(sql).bind(chat).bind(author).bind(count).execute(w).await?;
            let sql = "UPDATE chats SET last_seq = $2, last_rev = $2 WHERE id = $1";
            sqlx::query(sql).bind(chat).bind(count).execute(w).await?;
        }
        Db::Pg(pool) => {
            let sql = "INSERT INTO messages (id, chat_id, seq, rev, author_id, body, created_at)
                       SELECT gen_random_uuid(), $1, i, i, $2, 'the take of word' || i, i
                       FROM generate_series(1, $3) i";
            sqlx::query(sql).bind(chat).bind(author).bind(count).execute(pool).await?;
            let sql = "UPDATE chats SET last_seq = $2, last_rev = $2 WHERE id = $1";
            sqlx::query(sql).bind(chat).bind(count).execute(pool).await?;
            sqlx::query("ANALYZE messages").execute(pool).await?;
        }
    }
    Ok(())
}

/// How long something took, of many.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort();
        Self(took)
    }

    fn at(&self, per_mille: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * per_mille / 1000).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |per_mille| self.at(per_mille).as_secs_f64() * 1000.0;
        write!(f, "p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms", ms(500), ms(990), ms(1000))
    }
}
