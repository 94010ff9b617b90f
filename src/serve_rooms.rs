//! Rooms that accounts own, in `vjam serve`: signalling asks the accounts who may come in, and the accounts tell
//! signalling what changed.

use std::pin::Pin;

use protocol::id::RoomId;
use protocol::signal::ErrorCode;
use signalling::{Admission, Privacy, RoomNews, RoomStanding, Standing};
use signalling_server::{Doorkeeper, Rooms};
use social::Social;
use social::rooms::{Coming, Entry, NoEntry, OnStage, Stage, StageNews, Visibility};

/// The accounts as signalling's shell sees them.
pub(crate) struct Door(pub(crate) Social);

impl Doorkeeper for Door {
    fn admit(
        &self,
        room: RoomId,
        pass: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Admission> + Send + '_>> {
        Box::pin(async move {
            match self.0.admit(&room, pass.as_deref()).await {
                Ok(Entry::Unowned) => Admission::Unowned,
                Ok(Entry::Owned { role, account, visibility }) => {
                    let account = account.map(|account| account.to_string());
                    let standing = Standing { role: role.into(), account };
                    Admission::Owned(standing, privacy(visibility))
                }
                Ok(Entry::Refused(why, text)) => {
                    let code = match why {
                        NoEntry::PassWanted => ErrorCode::PassWanted,
                        NoEntry::BadPass => ErrorCode::BadPass,
                        NoEntry::Banned => ErrorCode::Banned,
                    };
                    Admission::Refused { code, text: text.to_owned() }
                }
                // Nobody is let in who might have to stay outside.
                Err(error) => {
                    tracing::error!(%error, "it cannot be told who may come into rooms");
                    let text = "the server cannot tell who may come in; try again in a moment";
                    Admission::Refused { code: ErrorCode::TryAgain, text: text.to_owned() }
                }
            }
        })
    }

    fn tell_elsewhere(&self, room: RoomId, news: RoomNews) {
        let news = match news {
            RoomNews::Silenced { account, on } => {
                account.parse().ok().map(|account| StageNews::Silenced(account, on))
            }
            RoomNews::Removed { account } => account.parse().ok().map(StageNews::Removed),
            // Who asked for these told every server.
            RoomNews::Role { .. }
            | RoomNews::Banned { .. }
            | RoomNews::Privacy(_)
            | RoomNews::Disowned => None,
        };
        if let Some(news) = news {
            self.0.tell_stages_elsewhere(room, news);
        }
    }
}

/// The rooms as the accounts see them.
pub(crate) struct Playing(pub(crate) Rooms);

impl Stage for Playing {
    fn tell(&self, room: RoomId, news: StageNews) -> Coming<'_, ()> {
        let news = match news {
            StageNews::Role(account, role) => {
                RoomNews::Role { account: account.to_string(), role: role.into() }
            }
            StageNews::Banned(account) => RoomNews::Banned { account: account.to_string() },
            StageNews::Silenced(account, on) => {
                RoomNews::Silenced { account: account.to_string(), on }
            }
            StageNews::Removed(account) => RoomNews::Removed { account: account.to_string() },
            StageNews::Visibility(visibility) => RoomNews::Privacy(privacy(visibility)),
            StageNews::Disowned => RoomNews::Disowned,
        };
        Box::pin(self.0.tell(room, news))
    }

    fn playing(&self, rooms: Vec<RoomId>) -> Coming<'_, Vec<usize>> {
        Box::pin(self.0.playing(rooms))
    }

    fn standings(&self) -> Coming<'_, Vec<OnStage>> {
        Box::pin(async {
            let standings = self.0.standings().await.into_iter();
            standings.map(on_stage).collect()
        })
    }
}

fn on_stage(standing: RoomStanding) -> OnStage {
    let RoomStanding { room, privacy, members, with_role, accounts } = standing;
    let accounts = accounts.into_iter();
    // Each is an id that the door gave before.
    let known = accounts.filter_map(|(account, role)| Some((account.parse().ok()?, role.into())));
    OnStage {
        room,
        is_private: privacy == Privacy::Private,
        has_roles: with_role != 0,
        lacks_roles: with_role < members,
        accounts: known.collect(),
    }
}

const fn privacy(visibility: Visibility) -> Privacy {
    match visibility {
        Visibility::Public | Visibility::Unlisted => Privacy::Open,
        Visibility::Private => Privacy::Private,
    }
}
