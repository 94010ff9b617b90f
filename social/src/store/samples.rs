//! What PostgreSQL may remember of the rows by itself: nothing that somebody typed.
//!
//! For its plans it keeps samples of every column in a catalog, and of a table that has become empty it
//! keeps the last ones for good. No query here is planned by what stands in a text, so none is sampled.

use sqlx::{AssertSqlSafe, query_scalar, raw_sql};

use super::{Driver, StoreError, Tx};

impl Tx {
    /// Has no samples kept of columns, and of what is indexed of them, that hold more than ids, numbers
    /// and switches.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn keep_no_samples(&mut self) -> Result<(), StoreError> {
        let Driver::Pg(c) = self.driver() else { return Ok(()) };
        let sql = "
            SELECT format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', c.relname, a.attname)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0
            AND a.atttypid NOT IN ('uuid'::regtype, 'bigint'::regtype, 'boolean'::regtype)
            UNION ALL
            SELECT format('ALTER INDEX %I ALTER COLUMN %s SET STATISTICS 0', c.relname, a.attnum)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_index i ON i.indexrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'i'
            AND a.attnum > 0 AND a.attstattarget IS DISTINCT FROM 0
            AND i.indkey[a.attnum - 1] = 0";
        let statements: Vec<String> = query_scalar(sql).fetch_all(&mut *c).await?;
        for statement in statements {
            raw_sql(AssertSqlSafe(statement)).execute(&mut *c).await?;
        }
        Ok(())
    }
}
