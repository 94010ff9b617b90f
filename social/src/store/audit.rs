//! What those with a role did, and what has been kept for long enough.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, AuditId, ReportId};
use crate::limits::{CRASH_LIFE, USAGE_LIFE};
use crate::usage::day_of;

impl Tx {
    /// Writes down that somebody did something to somebody's account, or looked at what is nobody's.
    /// Nobody as who did it is whoever runs the server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &mut self,
        actor: Option<AccountId>,
        subject: impl Into<Option<AccountId>>,
        action: &'static str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let subject: Option<AccountId> = subject.into();
        let sql = "INSERT INTO audit (id, actor_id, subject_id, action, at)
                   VALUES ($1, $2, $3, $4, $5)";
        on!(self, c => query(sql).bind(AuditId::fresh(now)).bind(actor).bind(subject).bind(action)
            .bind(now).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// The same of something that was done about a report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_report(
        &mut self,
        actor: AccountId,
        report: ReportId,
        subject: Option<AccountId>,
        action: &'static str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (id, actor_id, subject_id, report_id, action, at)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self, c => query(sql).bind(AuditId::fresh(now)).bind(actor).bind(subject).bind(report)
            .bind(action).bind(now).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes what has expired, and what was last used, or done, too long ago; from which tables.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(
        &mut self,
        now: UnixMs,
        devices_before: UnixMs,
        audit_before: UnixMs,
        notices_before: UnixMs,
        reports_before: UnixMs,
    ) -> Result<Vec<&'static str>, StoreError> {
        let mut changed = Vec::new();
        for sql in [
            // Those with rows that go with them first.
            "DELETE FROM sign_ups WHERE expires_at <= $1",
            "DELETE FROM codes WHERE expires_at <= $1",
            "DELETE FROM mails WHERE expires_at <= $1",
            "DELETE FROM sessions WHERE expires_at <= $1",
            "DELETE FROM age_refusals WHERE expires_at <= $1",
            "DELETE FROM identity_used WHERE expires_at <= $1",
            "DELETE FROM room_invites WHERE expires_at <= $1",
        ] {
            let removed = on!(self, c => query(sql).bind(now)
                .execute(&mut *c).await.map(|done| done.rows_affected()))?;
            changed.extend(table_of(sql).filter(|_| removed != 0));
        }
        for (sql, before) in [
            ("DELETE FROM devices WHERE last_used_at <= $1", devices_before),
            ("DELETE FROM audit WHERE at <= $1", audit_before),
            ("DELETE FROM notices WHERE created_at <= $1", notices_before),
            // Those that wait to be decided on have no such time.
            ("DELETE FROM reports WHERE resolved_at <= $1", reports_before),
        ] {
            let removed = on!(self, c => query(sql).bind(before)
                .execute(&mut *c).await.map(|done| done.rows_affected()))?;
            changed.extend(table_of(sql).filter(|_| removed != 0));
        }
        changed.extend(self.purge_usage(day_of(now), day_of(now.before(USAGE_LIFE))).await?);
        changed.extend(self.purge_crashes(now.before(CRASH_LIFE)).await?);
        let with_them = WITH_THEM.iter().filter(|(table, _)| changed.contains(table));
        let with_them: Vec<_> = with_them.flat_map(|(_, others)| *others).copied().collect();
        changed.extend(with_them);
        Ok(changed)
    }
}

/// `DELETE FROM codes WHERE ..` is about `codes`.
fn table_of(sql: &'static str) -> Option<&'static str> {
    sql.split_whitespace().nth(2)
}

/// Tables whose rows go with those of another.
const WITH_THEM: [(&str, &[&str]); 4] = [
    ("sign_ups", &["usernames", "codes", "mails", "sign_up_identities"]),
    ("codes", &["mails"]),
    ("reports", &["notices"]),
    ("sessions", &["push_subscriptions"]),
];

impl Conn {
    /// What was done to an account, the oldest first: who, what and when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_of(
        &mut self,
        subject: AccountId,
    ) -> Result<Vec<(Option<AccountId>, String, UnixMs)>, StoreError> {
        let sql = "SELECT actor_id, action, at FROM audit WHERE subject_id = $1 ORDER BY id";
        Ok(on!(self, c => query_as(sql).bind(subject).fetch_all(&mut *c).await)?)
    }

    /// What was done about a report, the latest first: who, what and when. Nobody as who did it has no
    /// account any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_of_report(
        &mut self,
        report: ReportId,
        limit: i64,
    ) -> Result<Vec<(Option<AccountId>, String, UnixMs)>, StoreError> {
        let sql = "SELECT actor_id, action, at FROM audit WHERE report_id = $1
                   ORDER BY at DESC, id DESC LIMIT $2";
        Ok(on!(self, c => query_as(sql).bind(report).bind(limit).fetch_all(&mut *c).await)?)
    }
}
