//! Rooms that accounts own, in `vjam serve`: signalling asks the accounts who may come in, and the accounts tell
//! signalling what changed.

use std::pin::Pin;

use protocol::id::RoomId;
use protocol::signal::ErrorCode;
use signalling::{Admission, Privacy, RoomNews, Standing};
use signalling_server::{Doorkeeper, Rooms};
use social::Social;
use social::rooms::{Coming, Entry, NoEntry, Stage, StageNews, Visibility};

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
            StageNews::Visibility(visibility) => RoomNews::Privacy(privacy(visibility)),
            StageNews::Disowned => RoomNews::Disowned,
        };
        Box::pin(self.0.tell(room, news))
    }

    fn playing(&self, rooms: Vec<RoomId>) -> Coming<'_, Vec<usize>> {
        Box::pin(self.0.playing(rooms))
    }
}

const fn privacy(visibility: Visibility) -> Privacy {
    match visibility {
        Visibility::Public | Visibility::Unlisted => Privacy::Open,
        Visibility::Private => Privacy::Private,
    }
}
