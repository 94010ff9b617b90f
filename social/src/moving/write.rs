//! Everything of an account that moves, written where it goes in one transaction there.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::copy::Copied;
use super::map::{Becomes, MOVED, Table};
use super::{MoveError, Moved, Place};
use crate::account::identity::{Rehomed, rehomed};
use crate::account::{Region, Role};
use crate::chat::MemberRole;
use crate::clock::UnixMs;
use crate::files::Audio;
use crate::id::{AccountId, FileId, IdentityId};
use crate::limits::{MOVE_ROWS_MAX, ROOMS_LISTED_MAX};
use crate::mail::Template;
use crate::store::{Account, Analysis, Cell, Identity, StoreError, StoredFile, Tx, unknown_word};

/// An account on its way.
pub(super) struct Arrival<'a> {
    pub(super) from: &'a Place,
    pub(super) to: &'a Place,
    /// As it is where it comes from.
    pub(super) account: Account,
    /// The id that it has there.
    pub(super) id: AccountId,
    pub(super) username_key: String,
    pub(super) copies: &'a BTreeMap<FileId, Copied>,
    pub(super) moved: Moved,
}

impl Arrival<'_> {
    /// Writes it; which sign-ins belong to it there only, so that their providers are told nothing here.
    pub(super) async fn write(
        &mut self,
        here: &mut Tx,
        there: &mut Tx,
        files: &[StoredFile],
        now: UnixMs,
    ) -> Result<Vec<IdentityId>, MoveError> {
        for table in MOVED {
            self.bring(table, here, there).await?;
        }
        for file in files {
            let is_lost = self.copies.get(&file.id) == Some(&Copied::Lost);
            self.moved.files_lost += usize::from(is_lost);
            self.moved.files += usize::from(!is_lost);
            // Nobody finishes there what was being looked through here.
            if !is_lost && file.analysis == Analysis::Waiting {
                Audio::schedule(there, file.id, now).await?;
            }
        }
        let let_go = self.bring_identities(here, there).await?;
        self.bring_rooms(here, there, now).await?;
        let role = self.account.role;
        self.moved.role_left = (role != Role::User).then_some(role);
        let has_password = self.account.password_hash.is_some();
        self.moved.needs_password = !has_password && self.moved.sign_ins.is_empty();
        if let Some(account) = there.account(self.id).await? {
            self.to.mailer.to_account(there, &account, Template::Moved, now).await?;
        }
        Ok(let_go)
    }

    /// Brings the rows of a table, however many there are.
    async fn bring(&self, table: &Table, here: &mut Tx, there: &mut Tx) -> Result<(), MoveError> {
        let columns: Vec<&str> = table.columns.iter().map(|(column, _)| *column).collect();
        let owned: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let insert = there.insert_into(table.name, &owned).await?;
        let (send, taken) = mpsc::channel(MOVE_ROWS_MAX);
        let reading = here.send_rows_of(table.name, &columns, table.owner, self.account.id, send);
        let writing = async move {
            // Dropped at the first error, or whoever reads would wait for good.
            let mut rows = taken;
            while let Some(row) = rows.recv().await {
                if let Some(row) = self.remade(table, row)? {
                    there.insert_row(&insert, row).await?;
                }
            }
            Ok::<(), StoreError>(())
        };
        let (read, written) = tokio::join!(reading, writing);
        written?;
        Ok(read?)
    }

    /// A row as it is there; none where it does not move.
    fn remade(&self, table: &Table, row: Vec<Cell>) -> Result<Option<Vec<Cell>>, StoreError> {
        let mut copied = None;
        let mut remade = Vec::with_capacity(row.len());
        for ((_, becomes), cell) in table.columns.iter().zip(row) {
            remade.push(match becomes {
                Becomes::Same => cell,
                Becomes::Account => uuid(self.id.uuid()),
                Becomes::Region => Cell::Text(Region::word(self.to.region).to_owned()),
                Becomes::Role => Cell::Text(Role::User.word().to_owned()),
                Becomes::Username => Cell::Text(self.moved.username.clone()),
                Becomes::UsernameKey => Cell::Text(self.username_key.clone()),
                Becomes::File => {
                    let file = file_of(&cell).and_then(|id| self.copies.get(&id));
                    // Somebody else's, or its bytes are lost.
                    let Some(Copied::There { object, thumbnail }) = file else { return Ok(None) };
                    copied = Some((*object, *thumbnail));
                    cell
                }
                Becomes::Object => match copied {
                    Some((object, _)) => uuid(object.uuid()),
                    None => return Err(unknown_word("the columns of a file", "another order")),
                },
                Becomes::Thumbnail => {
                    let thumbnail = copied.and_then(|(_, thumbnail)| thumbnail);
                    thumbnail.map_or(Cell::Null, |id| uuid(id.uuid()))
                }
                Becomes::Provider | Becomes::Token | Becomes::Chat => {
                    return Err(unknown_word("a column", "what is chosen row by row"));
                }
            });
        }
        Ok(Some(remade))
    }

    /// Links the sign-ins there whose providers are known there.
    async fn bring_identities(
        &mut self,
        here: &mut Tx,
        there: &mut Tx,
    ) -> Result<Vec<IdentityId>, MoveError> {
        let mut let_go = Vec::new();
        for identity in here.identities(self.account.id).await? {
            let Identity { id, shown, linked_at, relay, relay_at, .. } = identity;
            let name = self.from.providers.name(&shown.provider);
            let rehomed = rehomed(&shown, &self.from.key, &self.to.key, &self.to.providers);
            let Rehomed::There { shown, lost_token } = rehomed else {
                // The erasure tells its provider, which nobody needs any more.
                self.moved.sign_ins_left.push(name);
                continue;
            };
            let_go.push(id);
            let held = there.identity_of(&shown.issuer, &shown.subject).await?;
            if held.is_some_and(|held| held.ended_at.is_none()) {
                self.moved.sign_ins_left.push(name);
                continue;
            }
            there.link_identity(id, self.id, &shown, linked_at).await?;
            if let (Some(relay), Some(at)) = (relay, relay_at) {
                there.note_relay(id, relay, at).await?;
            }
            if lost_token {
                self.moved.tokens_left.push(name.clone());
            }
            self.moved.sign_ins.push(name);
        }
        Ok(let_go)
    }

    /// Makes its rooms there, each with a chat in which nothing was said.
    async fn bring_rooms(
        &mut self,
        here: &mut Tx,
        there: &mut Tx,
        now: UnixMs,
    ) -> Result<(), MoveError> {
        for mut room in here.rooms_of(self.account.id, ROOMS_LISTED_MAX).await? {
            if room.owner_id != self.account.id {
                continue;
            }
            if there.room(&room.name).await?.is_some() {
                self.moved.rooms_taken.push(room.name);
                continue;
            }
            room.owner_id = self.id;
            room.chat_id = there.room_chat(&room.name, now).await?;
            there.add_room(&room).await?;
            there.join_chat(room.chat_id, self.id, MemberRole::Member, now).await?;
            self.moved.rooms.push(room.name);
        }
        Ok(())
    }
}

fn uuid(id: Uuid) -> Cell {
    Cell::Bytes(id.into_bytes().to_vec())
}

fn file_of(cell: &Cell) -> Option<FileId> {
    match cell {
        Cell::Bytes(bytes) => Uuid::from_slice(bytes).ok().map(FileId::new),
        Cell::Null | Cell::Int(_) | Cell::Text(_) => None,
    }
}
