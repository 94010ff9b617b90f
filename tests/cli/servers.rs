//! Two servers of one database: what is done at one is seen at the sockets of the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

use crate::app::App;
use crate::people::{Somebody, write_config};
use crate::postgres;
use crate::serving::{Folder, Serve, vjam};
use crate::smtp::Sink;

/// Two servers of one database, with one key.
struct Pair {
    one: Serve,
    other: Serve,
    folders: [Folder; 2],
    mails: Sink,
}

impl Pair {
    async fn start(test: &str) -> Self {
        let mails = Sink::start().await;
        let text = format!(
            "[social]\nregion = \"eu\"\ndatabase = \"{}\"\nsmtp = \"{}\"\n\
             mail_from = \"vjam <noreply@jam.example>\"\nerasure_days = 0\n",
            postgres::fresh().await,
            mails.url,
        );
        let folders = ["one", "other"].map(|which| Folder::new(&format!("{test}-{which}")));
        let start = |folder: &Folder| {
            let config = write_config(&folder.0, &text);
            Serve::start(&folder.0, &["--config", config.to_str().expect("plain ASCII")])
        };
        let one = start(&folders[0]);
        std::fs::create_dir_all(&folders[1].0).expect("a folder");
        let key = |folder: &Folder| folder.0.join("social.key");
        std::fs::copy(key(&folders[0]), key(&folders[1])).expect("the same for both");
        let other = start(&folders[1]);
        Self { one, other, folders, mails }
    }

    fn account(&self, name: &str) -> Somebody<'_> {
        Somebody::sign_up(&self.one, name, &self.mails)
    }

    /// Somebody who plays in the attic, at one of the two.
    fn player(serve: &Serve, person: &Somebody<'_>, name: &str) -> Player {
        let headers = [("authorization", person.bearer.as_str())];
        let path = "/api/v1/social/rooms/attic/pass";
        let (status, given) = serve.ask("POST", path, &headers, &json!({}));
        assert_eq!(status, 200, "{given}");
        let mut app = App::open(serve);
        app.join(name, given["pass"].as_str());
        let id = app.find("joined")["participant"].clone();
        Player { app, id }
    }
}

/// Somebody who plays.
struct Player {
    app: App,
    id: Value,
}

impl Player {
    /// Waits until they are told this of themselves, which is soon.
    fn becomes(&mut self, what: &str, value: &Value) {
        let since = Instant::now();
        loop {
            let told = self.app.find("participant")["participant"].clone();
            if told["id"] == self.id && told[what] == *value {
                break;
            }
        }
        assert!(since.elapsed() < SOON, "{what} after {:?}", since.elapsed());
    }

    /// Waits until they are told goodbye, which is soon.
    fn is_out(&mut self, text: &str) {
        let since = Instant::now();
        let bye = self.app.find("bye");
        assert_eq!((&bye["reason"], &bye["text"]), (&json!("removed"), &json!(text)));
        assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    }
}

/// An app at the live connection of somebody who is signed in.
struct Live(WebSocket<MaybeTlsStream<std::net::TcpStream>>);

impl Live {
    /// Opens it, and says what is known: nothing.
    fn open(serve: &Serve, bearer: &str) -> Self {
        let url = format!("{}/api/v1/social/live", serve.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        let bearer = bearer.parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let mut live = Self(connect(request).expect("a WebSocket").0);
        let resume = json!({ "type": "resume", "chats": {} });
        live.0.send(Message::text(resume.to_string())).expect("open");
        loop {
            let Message::Text(text) = live.0.read().expect("open") else { continue };
            if text.contains("resumed") {
                return live;
            }
        }
    }

    /// The code that the server closes it with.
    fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.0.read().expect("a code before the end") {
                return frame.expect("a code").code.into();
            }
        }
    }
}

fn done(answer: (u16, Value)) {
    assert!((200..300).contains(&answer.0), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_owner_does_at_one_server_happens_to_those_who_play_at_the_other() {
    let pair = Pair::start("stage").await;
    let (ada, bob, cleo) = (pair.account("ada"), pair.account("bob"), pair.account("cleo"));
    let room = json!({ "name": "attic", "title": "The attic", "visibility": "unlisted" });
    done(ada.ask("POST", "/rooms", &room));
    let mut owner = Pair::player(&pair.one, &ada, "Ada");
    // Bob has a window at each; she sees one of them, and silences and removes him there.
    let near = Pair::player(&pair.one, &bob, "Bob");
    let mut far = Pair::player(&pair.other, &bob, "Bob");
    for on in [true, false] {
        owner.app.say(&json!({ "type": "silence", "participant": near.id, "on": on }));
        // Who is not silenced is so by leaving it out.
        far.becomes("silenced", &if on { json!(true) } else { Value::Null });
    }
    let (_, whose) = bob.ask("GET", "/account", &Value::Null);
    let bobs = format!("/rooms/attic/moderators/{}", whose["id"].as_str().expect("an id"));
    done(ada.ask("POST", "/rooms/attic/moderators", &json!({ "username": "bob" })));
    far.becomes("role", &json!("moderator"));
    done(ada.ask("DELETE", &bobs, &Value::Null));
    far.becomes("role", &json!("guest"));
    owner.app.say(&json!({ "type": "remove", "participant": near.id }));
    far.is_out("you were taken out of this room");
    let mut banned = Pair::player(&pair.other, &cleo, "Cleo");
    done(ada.ask("POST", "/rooms/attic/bans", &json!({ "username": "cleo" })));
    banned.is_out("you are banned from this room");
    // Her account is erased, and the room goes to whoever moderates it.
    done(ada.ask("POST", "/rooms/attic/moderators", &json!({ "username": "bob" })));
    let mut heir = Pair::player(&pair.other, &pair.account("dora"), "Dora");
    done(ada.ask("POST", "/rooms/attic/moderators", &json!({ "username": "dora" })));
    heir.becomes("role", &json!("moderator"));
    done(ada.ask("DELETE", &bobs, &Value::Null));
    let body = json!({ "current_password": "correct horse battery" });
    done(ada.ask("POST", "/account/erasure", &body));
    heir.becomes("role", &json!("owner"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_at_one_server_is_closed_at_the_other() {
    let pair = Pair::start("sessions").await;
    let (ada, bob) = (pair.account("ada"), pair.account("bob"));
    let config = pair.folders[0].0.join("vjam.toml");
    let granted = vjam(&pair.folders[0].0)
        .args(["admin", "grant", "bob@example.org", "--role", "moderator", "--config"])
        .arg(config)
        .output()
        .expect("it runs");
    assert!(granted.status.success(), "{granted:?}");
    let ends = |mut live: Live| {
        let since = Instant::now();
        assert_eq!(live.closed(), 4401);
        assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    };
    // Another device, by another password, by a moderator, and by the end of the account.
    let phone = |name| Somebody::sign_in(&pair.one, name).unwrap_or_else(|no| panic!("{no:?}"));
    let live = Live::open(&pair.other, &phone("ada").bearer);
    done(ada.ask("DELETE", "/sessions", &Value::Null));
    ends(live);
    let live = Live::open(&pair.other, &phone("ada").bearer);
    let (current, password) = ("correct horse battery", "correct horse battery");
    let change = json!({ "current_password": current, "password": password });
    done(ada.ask("PUT", "/account/password", &change));
    ends(live);
    let live = Live::open(&pair.other, &ada.bearer);
    let report = json!({ "kind": "person", "username": "ada", "reason": "spam", "text": "" });
    let (_, made) = pair.account("cleo").ask("POST", "/reports", &report);
    let path = format!("/moderation/reports/{}/resolve", made["id"].as_str().expect("an id"));
    let decision = json!({ "resolution": "suspended", "note": "", "explanation": "Enough." });
    done(bob.ask("POST", &path, &decision));
    ends(live);
    let live = Live::open(&pair.other, &bob.bearer);
    done(bob.ask("POST", "/account/erasure", &json!({ "current_password": password })));
    ends(live);
}

/// On a machine that compiles meanwhile. What nobody told would be found after half a minute.
const SOON: Duration = Duration::from_secs(5);
