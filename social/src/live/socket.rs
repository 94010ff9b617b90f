//! One WebSocket of somebody who is signed in.
//!
//! Until the client has said what it knows (`resume`), nothing is written to it but `ready`: what happens
//! meanwhile waits, so that nothing of a chat comes before what is older.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use protocol::id::RoomId;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seat::Seat;
use super::table::Frame;
use super::{Jam, Note, Presence};
use crate::Social;
use crate::http::{Actor, LIVE_PROTOCOL};
use crate::id::{AccountId, ChatId};
use crate::limits::{
    LIVE_MESSAGE_BYTES_MAX, LIVE_PING_EVERY, LIVE_RESUME_WAIT_MAX, LIVE_SILENCE_MAX, LIVE_WRITE_MAX,
};
use crate::problem::{Problem, ProblemCode};
use crate::rooms::Visibility;
use crate::store::StoreError;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(live))
}

/// Opens the WebSocket over which messages come at once (docs/chat.md).
///
/// A browser that has the cookie sends `Origin`; one without, and any app, sends the token as
/// `Authorization: Bearer TOKEN`, or as the second of the subprotocols `vjam` and `bearer.TOKEN`.
#[utoipa::path(
    get, path = "/api/v1/social/live", tag = "messages",
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 400, description = "It is no request for a WebSocket",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "The account has as many open as it may",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn live(
    State(social): State<Social>,
    actor: Actor,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        let text = "this route is a WebSocket; ask for an upgrade to one";
        Problem::new(ProblemCode::BadRequest, text)
    })?;
    let says_who = headers.contains_key(header::AUTHORIZATION)
        || headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    // A cookie is sent along whoever opens the socket. Which page it is that `Origin` names is asked by
    // whoever serves the routes.
    if !says_who && !headers.contains_key(header::ORIGIN) {
        let text = "a cookie counts only for this server's own pages, which say where they are \
                    from; programs send the session's token instead";
        return Err(Problem::new(ProblemCode::ForeignPage, text));
    }
    let seat = social.live().seat(actor.account, actor.session)?;
    let upgrade = upgrade
        .protocols([LIVE_PROTOCOL])
        .max_message_size(LIVE_MESSAGE_BYTES_MAX)
        .max_frame_size(LIVE_MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let mut link = Link { social, socket, seat, sent: BTreeMap::new(), is_resumed: false };
        let code = match link.run().await {
            Ok(code) => code,
            Err(error) => {
                tracing::warn!(%error, "a live connection ends because the database failed");
                CLOSE_FAILED
            }
        };
        link.close(code).await;
    }))
}

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Saying {
    /// What it knows of each chat: everything since then is sent, and from then on what comes.
    Resume { chats: BTreeMap<ChatId, i64> },
    /// Somebody writes.
    Typing { chat: ChatId },
    /// Whether somebody looks.
    Presence { state: Looking },
    /// Whether somebody plays, and in which room; that is left out of a private one.
    Jamming { on: bool, room: Option<RoomId> },
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Looking {
    Online,
    Away,
}

struct Link {
    social: Social,
    socket: WebSocket,
    seat: Seat,
    /// The last change of each chat that was written.
    sent: BTreeMap<ChatId, i64>,
    is_resumed: bool,
}

/// How it ends: with this code, or none where the client is gone.
type End = Option<u16>;

impl Link {
    async fn run(&mut self) -> Result<u16, StoreError> {
        self.social.live().follow(self.seat.account).await?;
        // From a session that ended while it was opened.
        self.social.live().take(Note::SignedOut { account: self.seat.account });
        let mut heard = Instant::now();
        let resume_until = heard + LIVE_RESUME_WAIT_MAX;
        let mut pings = interval(LIVE_PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if !self.write(READY.into()).await {
            return Ok(CLOSE_GONE);
        }
        loop {
            let end: End = tokio::select! {
                biased;
                _ = self.seat.place.closing.changed() => *self.seat.place.closing.borrow(),
                message = self.socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&text).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                            self.count().then_some(CLOSE_TOO_MUCH)
                        }
                        Some(Ok(Message::Binary(_))) => Some(CLOSE_MALFORMED),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Some(CLOSE_GONE),
                    }
                }
                Some(frame) = self.seat.place.frames.recv(), if self.is_resumed => {
                    (!self.pass_on(frame).await).then_some(CLOSE_GONE)
                }
                _ = pings.tick() => {
                    let is_silent = LIVE_SILENCE_MAX < heard.elapsed();
                    let is_late = !self.is_resumed && resume_until < Instant::now();
                    let ping = Message::Ping(axum::body::Bytes::new());
                    let is_gone = is_silent || is_late || !self.send(ping).await;
                    is_gone.then_some(CLOSE_GONE)
                }
            };
            if let Some(code) = end {
                return Ok(code);
            }
        }
    }

    /// Counts something that the client said; whether it is too much.
    fn count(&self) -> bool {
        self.social.chat_rates().live(self.seat.account).is_err()
    }

    async fn hear(&mut self, text: &str) -> Result<End, StoreError> {
        if self.count() {
            return Ok(Some(CLOSE_TOO_MUCH));
        }
        let account = self.seat.account;
        match serde_json::from_str(text) {
            Ok(Saying::Resume { chats }) => return self.resume(chats).await,
            Ok(Saying::Typing { chat }) => {
                // Too often is left out: nothing is lost by it.
                if self.social.chat_rates().typing(account).is_ok() {
                    self.social.live().tell(Note::Typing { chat, account });
                }
            }
            Ok(Saying::Presence { state: Looking::Online }) => {
                self.seat.set_presence(Presence::Online);
            }
            Ok(Saying::Presence { state: Looking::Away }) => {
                self.seat.set_presence(Presence::Away);
            }
            Ok(Saying::Jamming { on, room }) => {
                self.seat.set_jam(jam(&self.social, account, on, room.clone()).await?);
                // It may have turned private between what was read and what was written down.
                self.seat.set_jam(jam(&self.social, account, on, room).await?);
            }
            Err(_) => return Ok(Some(CLOSE_MALFORMED)),
        }
        Ok(None)
    }

    /// Writes what the client missed of each chat, and then lets through what comes.
    async fn resume(&mut self, chats: BTreeMap<ChatId, i64>) -> Result<End, StoreError> {
        let account = self.seat.account;
        for (chat, known) in chats {
            let mut after = Some(known);
            self.sent.insert(chat, known);
            while let Some(from) = after {
                let missed = self.social.live().missed(account, chat, from).await?;
                for frame in missed.frames {
                    if !self.pass_on(frame).await {
                        return Ok(Some(CLOSE_GONE));
                    }
                }
                after = missed.more_after;
            }
        }
        if !self.write(RESUMED.into()).await {
            return Ok(Some(CLOSE_GONE));
        }
        if !self.is_resumed {
            self.is_resumed = true;
            self.seat.set_presence(Presence::Online);
            for frame in self.social.live().who_is_there(account).await? {
                if !self.pass_on(frame).await {
                    return Ok(Some(CLOSE_GONE));
                }
            }
        }
        Ok(None)
    }

    /// Writes something, unless it was written before; whether the client is there.
    async fn pass_on(&mut self, frame: Frame) -> bool {
        if let Some((chat, rev)) = frame.change {
            let sent = self.sent.entry(chat).or_insert(i64::MIN);
            if rev <= *sent {
                return true;
            }
            *sent = rev;
        }
        self.write(Utf8Bytes::from(&*frame.text)).await
    }

    async fn write(&mut self, text: Utf8Bytes) -> bool {
        self.send(Message::Text(text)).await
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(LIVE_WRITE_MAX, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn close(mut self, code: u16) {
        if code == CLOSE_GONE {
            return;
        }
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static("") };
        let _ = self.send(Message::Close(Some(frame))).await;
        let Self { mut socket, seat, .. } = self;
        drop(seat);
        // Until the client has read it: what it had sent would reset the connection otherwise.
        let rest = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(LIVE_WRITE_MAX, rest).await;
    }
}

/// That somebody plays, as it may be told. What nobody may see is not in memory either.
async fn jam(
    social: &Social,
    account: AccountId,
    on: bool,
    room: Option<RoomId>,
) -> Result<Option<Jam>, StoreError> {
    if !on {
        return Ok(None);
    }
    let mut conn = social.db().read().await?;
    let preferences = conn.preferences(account).await?;
    let mut room = room.filter(|_| preferences.room);
    if let Some(name) = &room {
        // Whoever sees its name would know that the room is there.
        let owned = conn.room(name.as_str()).await?;
        if owned.is_some_and(|owned| owned.visibility == Visibility::Private) {
            room = None;
        }
    }
    Ok(preferences.presence.then_some(Jam { room }))
}

const READY: &str = r#"{"type":"ready"}"#;
const RESUMED: &str = r#"{"type":"resumed"}"#;

/// What the client said is nothing that it can say.
const CLOSE_MALFORMED: u16 = 4400;

/// The client said too much at once.
const CLOSE_TOO_MUCH: u16 = 4429;

/// The server failed.
const CLOSE_FAILED: u16 = 1011;

/// Nobody is there to read a code.
const CLOSE_GONE: u16 = 1006;
