//! Takes notes, and sees to it that what they are about is handed on to those who are here.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use protocol::id::RoomId;
use tokio::sync::{Notify, Semaphore, mpsc};

use super::bus::{self, Alone, Bus, Postgres, ServerId};
use super::ended::{self, Ended};
use super::table::Table;
use super::{Note, Standing, stage};
use crate::clock::Clock;
use crate::id::{AccountId, ChatId};
use crate::limits::{LIVE_LOADS_MAX, LIVE_LOOK_EVERY, LIVE_TASKS_MAX, STAGE_NEWS_MAX};
use crate::rooms::{StageNews, StageSlot};
use crate::store::{Db, StoreError};

/// The sockets of this server, and what is told to them. Cloning it is cheap.
#[derive(Clone)]
pub struct Live(Arc<Hub>);

pub(super) struct WeakLive(Weak<Hub>);

impl WeakLive {
    pub(super) fn upgrade(&self) -> Option<Live> {
        self.0.upgrade().map(Live)
    }
}

struct Hub {
    db: Db,
    clock: Arc<dyn Clock>,
    bus: Box<dyn Bus>,
    table: Mutex<Table>,
    /// Whoever loads what is handed out takes one.
    loads: Semaphore,
    /// Whoever waits to tell what is never kept takes one; where there is none, it is left out.
    tasks: Arc<Semaphore>,
    left: Notify,
    /// Whose sessions are to be looked at.
    ended: Ended,
    stage: StageSlot,
    /// What those who play are told that other servers told, in order.
    to_stage: mpsc::Sender<(RoomId, StageNews)>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl Live {
    /// Begins to listen to the other servers of the database, if it can have any.
    pub(crate) async fn start(
        db: &Db,
        clock: Arc<dyn Clock>,
        stage: StageSlot,
    ) -> Result<Self, StoreError> {
        let (to_stage, news) = mpsc::channel(STAGE_NEWS_MAX);
        let server = ServerId::from_le_bytes(first_bytes());
        let (bus, listener): (Box<dyn Bus>, _) = match db {
            Db::Sqlite { .. } => (Box::new(Alone), None),
            Db::Pg(pool) => {
                let listener = bus::listen(pool).await?;
                (Box::new(Postgres::new(pool.clone(), server)), Some(listener))
            }
        };
        let live = Self(Arc::new(Hub {
            db: db.clone(),
            clock,
            bus,
            table: Mutex::default(),
            loads: Semaphore::new(LIVE_LOADS_MAX),
            tasks: Arc::new(Semaphore::new(LIVE_TASKS_MAX)),
            left: Notify::new(),
            ended: Ended::default(),
            stage,
            to_stage,
        }));
        tokio::spawn(stage::tell_in_order(live.0.stage.clone(), news));
        tokio::spawn(ended::end(live.weak(), live.ended().more()));
        if let Some(listener) = listener {
            tokio::spawn(bus::hear(listener, live.weak(), server));
        }
        let weak = live.weak();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LIVE_LOOK_EVERY).await;
                let Some(live) = weak.upgrade() else { return };
                live.look().await;
            }
        });
        Ok(live)
    }

    fn weak(&self) -> WeakLive {
        WeakLive(Arc::downgrade(&self.0))
    }

    /// Tells what happened, here and on every other server.
    pub fn tell(&self, note: Note) {
        self.take(note.clone());
        self.pass_on(note);
    }

    /// Tells what happened on every other server.
    pub(crate) fn pass_on(&self, note: Note) {
        self.0.bus.pass_on(note);
    }

    /// Hands on what happened, here.
    pub(super) fn take(&self, note: Note) {
        if let Note::Changed { chat, rev } = note {
            self.want(chat, rev);
            return;
        }
        if let Note::RoomHidden { room } = &note {
            self.hide_room(room);
            return;
        }
        if let Note::SignedOut { account } = note {
            self.end_soon(account);
            return;
        }
        if let Note::Stage { room, news } = note {
            self.stage_soon(room, news);
            return;
        }
        // Nobody waits for these, and somebody may tell many: those that find no place are left out.
        let Ok(place) = Arc::clone(&self.0.tasks).try_acquire_owned() else { return };
        let live = self.clone();
        tokio::spawn(async move {
            let _place = place;
            let told = match note {
                Note::Changed { .. }
                | Note::RoomHidden { .. }
                | Note::SignedOut { .. }
                | Note::Stage { .. } => Ok(()),
                Note::Chat { chat, also } => live.chat_changed(chat, also).await,
                Note::Read { chat, account, seq } => live.was_read(chat, account, seq).await,
                Note::Typing { chat, account } => live.is_typing(chat, account).await,
                Note::Presence { account, .. } => live.presence_changed(account).await,
                Note::Preferences { account } => live.preferences_changed(account).await,
            };
            if let Err(error) = told {
                tracing::warn!(%error, "what happened was not told to those who are here");
            }
        });
    }

    /// Looks for what nobody told, and for sessions that ended; tells the others who is here.
    pub async fn look(&self) {
        if let Err(error) = self.look_for_changes().await {
            tracing::warn!(%error, "it cannot be looked for what changed");
        }
        let here = self.table().accounts();
        for account in here {
            let standing = self.table().standing_here(account);
            self.0.bus.pass_on(Note::Presence { account, standing });
            if let Err(error) = self.check_sessions(account).await {
                tracing::warn!(%error, "it cannot be looked whether sessions ended");
            }
        }
        let gone = self.table().expire();
        for account in gone {
            self.take(Note::Presence { account, standing: Standing::OFFLINE });
        }
        // A server that is the only one has told those who play itself.
        if matches!(self.0.db, Db::Pg(_))
            && let Err(error) = self.look_at_stage().await
        {
            tracing::warn!(%error, "it cannot be looked for what changed about rooms");
        }
    }

    async fn look_for_changes(&self) -> Result<(), StoreError> {
        let chats = self.table().chats();
        let mut conn = self.0.db.read().await?;
        for (chat, rev) in conn.last_revs(&chats).await? {
            self.want(chat, rev);
        }
        Ok(())
    }

    pub(super) async fn check_sessions(&self, account: AccountId) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let sessions = self.0.db.read().await?.sessions(account, now).await?;
        let sessions: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
        self.table().close_others(account, &sessions);
        Ok(())
    }

    /// Closes all sockets, lets nobody in any more, and waits until all are gone.
    pub async fn close(&self) {
        let mut left = std::pin::pin!(self.0.left.notified());
        self.table().close();
        while self.sockets() != 0 {
            left.as_mut().await;
            left.set(self.0.left.notified());
        }
    }

    /// Waits until what was told before, and is not kept, was handed on.
    pub async fn settled(&self) {
        let all = u32::try_from(LIVE_TASKS_MAX).unwrap_or(u32::MAX);
        let _ = self.0.tasks.acquire_many(all).await;
    }

    /// How many sockets there are.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.table().sockets()
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    /// Where people play on this server.
    pub(crate) fn stage(&self) -> &StageSlot {
        &self.0.stage
    }

    pub(super) fn ended(&self) -> &Ended {
        &self.0.ended
    }

    pub(super) fn to_stage(&self) -> &mpsc::Sender<(RoomId, StageNews)> {
        &self.0.to_stage
    }

    pub(super) fn loads(&self) -> &Semaphore {
        &self.0.loads
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn somebody_left(&self) {
        self.0.left.notify_waiters();
    }

    /// Follows the chats that somebody is in.
    pub(super) async fn follow(&self, account: AccountId) -> Result<(), StoreError> {
        let mut conn = self.0.db.read().await?;
        for (chat, rev) in conn.chat_revs(account).await? {
            self.table().follow(account, chat, rev);
        }
        // Whatever was told between what was read and what was written down is found now.
        for (chat, rev) in conn.chat_revs(account).await? {
            self.table().follow(account, chat, rev);
            self.want(chat, rev);
        }
        Ok(())
    }

    /// Has a chat handed out up to a rev, if somebody here is in it.
    fn want(&self, chat: ChatId, rev: i64) {
        let begins = self.table().want(chat, rev);
        if let Some(number) = begins {
            let live = self.clone();
            tokio::spawn(async move { live.deliver(chat, number).await });
        }
    }

    /// Tells friends of those who play in a room that they play, and no more where.
    fn hide_room(&self, room: &RoomId) {
        let players = self.table().hide_room(room);
        for account in players {
            let standing = self.table().standing_here(account);
            self.take(Note::Presence { account, standing });
        }
    }

    /// How somebody is on another server.
    pub(super) fn is_elsewhere(&self, account: AccountId, server: ServerId, standing: Standing) {
        let is_news = self.table().is_elsewhere(account, server, standing.clone());
        if is_news {
            self.take(Note::Presence { account, standing });
        }
    }
}

fn first_bytes() -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&crate::secret::random()[..8]);
    bytes
}
