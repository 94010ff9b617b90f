//! What people want moderators to look at, and what became of it.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, Driver, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::{AccountId, FileId, ReportId};
use crate::people::{Reason, ReportKind, ReportState, Resolution};

/// Something that somebody wants moderators to look at.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who wants it, while they have an account.
    pub reporter_id: Option<AccountId>,
    /// Whose doing it is.
    pub subject_id: Option<AccountId>,
    /// What it is about.
    pub kind: ReportKind,
    /// Which message, file or room; nothing of a person.
    pub subject_ref: String,
    /// What is wrong with it.
    pub reason: Reason,
    /// What they say.
    pub text: String,
    /// When.
    pub created_at: UnixMs,
    /// What became of it.
    pub resolved: Option<Resolved>,
}

/// What became of a report.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Who decided, while they have an account.
    pub by: Option<AccountId>,
    /// What was decided.
    pub resolution: Resolution,
    /// For moderators.
    pub note: String,
    /// For whoever it is about.
    pub explanation: String,
    /// When.
    pub at: UnixMs,
}

type Row = (
    ReportId,
    Option<AccountId>,
    Option<AccountId>,
    String,
    String,
    String,
    String,
    UnixMs,
    Option<AccountId>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<UnixMs>,
);

fn report(row: Row) -> Result<Report, StoreError> {
    let (id, reporter_id, subject_id, kind, subject_ref, reason, text, created_at, ..) = row;
    let (.., by, resolution, note, explanation, at) = row;
    let kind = kind.parse().map_err(|_| unknown_word("reports.kind", &kind))?;
    let reason = reason.parse().map_err(|_| unknown_word("reports.reason", &reason))?;
    let resolved = match (resolution, at) {
        (Some(word), Some(at)) => {
            let resolution = word.parse().map_err(|_| unknown_word("reports.resolution", &word))?;
            let note = note.unwrap_or_default();
            let explanation = explanation.unwrap_or_default();
            Some(Resolved { by, resolution, note, explanation, at })
        }
        _ => None,
    };
    Ok(Report {
        id,
        reporter_id,
        subject_id,
        kind,
        subject_ref,
        reason,
        text,
        created_at,
        resolved,
    })
}

impl Conn {
    /// A report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report(&mut self, id: ReportId) -> Result<Option<Report>, StoreError> {
        let sql = "SELECT id, reporter_id, subject_id, kind, subject_ref, reason, text, created_at,
                   resolved_by, resolution, note, explanation, resolved_at
                   FROM reports WHERE id = $1";
        let row: Option<Row> =
            on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(report).transpose()
    }

    /// Reports in a state, the oldest first, after one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reports(
        &mut self,
        state: ReportState,
        after: ReportId,
        limit: i64,
    ) -> Result<Vec<Report>, StoreError> {
        let sql = "SELECT id, reporter_id, subject_id, kind, subject_ref, reason, text, created_at,
                   resolved_by, resolution, note, explanation, resolved_at
                   FROM reports WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(state.word()).bind(after)
            .bind(limit).fetch_all(&mut *c).await)?;
        rows.into_iter().map(report).collect()
    }

    /// Whether somebody was given a file, themselves or in a chat that they are in, whoever blocked whom
    /// since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_given_file(
        &mut self,
        id: FileId,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM file_grants g WHERE g.file_id = $1 AND (g.account_id = $2
                   OR EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = g.chat_id
                              AND m.account_id = $2 AND m.left_at IS NULL))";
        let count: i64 = on!(self, c => query_scalar(sql).bind(id).bind(account)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// How many reports of an account wait to be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_open_reports(&mut self, reporter: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM reports WHERE reporter_id = $1 AND state = 'open'";
        Ok(on!(self, c => query_scalar(sql).bind(reporter).fetch_one(&mut *c).await)?)
    }
}

impl Tx {
    /// Adds a report that nobody has looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_report(&mut self, new: &Report) -> Result<(), StoreError> {
        let sql = "INSERT INTO reports (id, reporter_id, subject_id, kind, subject_ref, reason,
                   text, created_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open')";
        on!(self, c => query(sql).bind(new.id).bind(new.reporter_id).bind(new.subject_id)
            .bind(new.kind.word()).bind(&new.subject_ref).bind(new.reason.word()).bind(&new.text)
            .bind(new.created_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// A report that nobody else decides on until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_report(&mut self, id: ReportId) -> Result<Option<Report>, StoreError> {
        // On SQLite whoever has a transaction is the only one who writes.
        if let Driver::Pg(c) = self.driver() {
            let sql = "SELECT id FROM reports WHERE id = $1 FOR UPDATE";
            query(sql).bind(id).fetch_optional(c).await?;
        }
        self.report(id).await
    }

    /// Notes what became of a report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resolve_report(
        &mut self,
        id: ReportId,
        resolved: &Resolved,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE reports SET state = 'resolved', resolved_by = $2, resolution = $3,
                   note = $4, explanation = $5, resolved_at = $6 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(resolved.by).bind(resolved.resolution.word())
            .bind(&resolved.note).bind(&resolved.explanation).bind(resolved.at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Forgets of reports what does not go with an account: what it said in those that it made, and
    /// those that are about it, on which there is nothing left to decide.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_people(
        &mut self,
        account: AccountId,
        _now: UnixMs,
    ) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM reports WHERE subject_id = $1",
            "UPDATE reports SET reporter_id = NULL, text = '' WHERE reporter_id = $1",
            "UPDATE reports SET resolved_by = NULL WHERE resolved_by = $1",
        ] {
            on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }
}
