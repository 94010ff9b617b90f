//! What people in chats are called: the one place where chats ask.

use std::collections::BTreeMap;

use super::{Conn, LIST_MAX, StoreError, with_list};
use crate::id::AccountId;

impl Conn {
    /// The names of these accounts, as far as they are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usernames(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<BTreeMap<AccountId, String>, StoreError> {
        let mut names = BTreeMap::new();
        for part in accounts.chunks(LIST_MAX) {
            let before = "SELECT id, username FROM accounts WHERE id IN";
            let rows: Vec<(AccountId, String)> =
                with_list!(self, before, part, "AND hidden_at IS NULL");
            names.extend(rows);
        }
        Ok(names)
    }
}
