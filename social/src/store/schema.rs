//! What stands in the database, asked of the database itself: the data map is compared with it.

use sqlx::query_as;

use super::{Conn, Driver, StoreError};

impl Conn {
    /// Every column that there is, as table and column, in the order of their names. SQLite keeps the
    /// index of words in tables; it is an index all the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn columns(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        let columns = match self.driver() {
            Driver::Sqlite(c) => {
                let sql = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p
                           WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                           AND m.name NOT LIKE 'message\\_index%' ESCAPE '\\'
                           ORDER BY 1, 2";
                query_as(sql).fetch_all(c).await?
            }
            Driver::Pg(c) => {
                let sql = "SELECT table_name::text, column_name::text
                           FROM information_schema.columns
                           WHERE table_schema = current_schema() ORDER BY 1, 2";
                query_as(sql).fetch_all(c).await?
            }
        };
        Ok(columns)
    }
}
