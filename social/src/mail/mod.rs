//! Mail: what is written to whom, and how it gets there.
//!
//! Whoever wants a mail to go writes it into the database, in the transaction that it follows from; a
//! job delivers it. What surprises: a mail's text is made when it is sent. Until then there is only
//! its kind, its address and the id of its code, and afterwards there is nothing.

mod deliver;
mod template;

use std::sync::Arc;

use serde_json::json;

use crate::clock::UnixMs;
use crate::id::{CodeId, MailId};
use crate::limits::MAIL_LIFE;
use crate::problem::{Problem, ProblemCode};
use crate::push::{self, What, Word};
use crate::store::{Account, Code, CodePurpose, Mail, NewJob, SignUp, StoreError, Tx};

pub use deliver::{Deliver, KIND, MailConfig, Transport, WrongMailConfig};
pub use template::{Template, Templates, WrongTemplates};

/// Writes mails.
#[derive(Debug, Clone)]
pub struct Mailer {
    templates: Arc<Templates>,
    can_send: bool,
}

impl Mailer {
    /// Writes from these templates. Where nothing can be sent, nothing is asked for either.
    #[must_use]
    pub const fn new(templates: Arc<Templates>, can_send: bool) -> Self {
        Self { templates, can_send }
    }

    /// That mail can be sent.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), Problem> {
        if self.can_send {
            return Ok(());
        }
        let text = "this server has no mail server set up, and this needs a mail; whoever runs it \
                    sets social.smtp";
        Err(Problem::new(ProblemCode::MailUnavailable, text))
    }

    /// The language that is nearest to what somebody asked for.
    #[must_use]
    pub fn language(&self, asked: Option<&str>) -> String {
        self.templates.nearest(asked.unwrap_or_default()).to_owned()
    }

    /// The languages that there are.
    #[must_use]
    pub fn languages(&self) -> Vec<String> {
        self.templates.languages().map(str::to_owned).collect()
    }

    /// Writes to the address of an account. What warns its owner of somebody who signs in is pushed, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn to_account(
        &self,
        tx: &mut Tx,
        account: &Account,
        template: Template,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let mail = Mail {
            id: MailId::fresh(now),
            account_id: Some(account.id),
            sign_up_id: None,
            code_id: None,
            address: account.email.clone(),
            language: account.language.clone(),
            template: template.word().to_owned(),
            created_at: now,
            expires_at: now.after(MAIL_LIFE),
        };
        if template.is_of_security() {
            push::tell(tx, account.id, What { word: Word::Security, chat: None }, now).await?;
        }
        self.post(tx, &mail).await
    }

    /// Writes the code of an account: to its address, or to the one that it wants to have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code_to_account(
        &self,
        tx: &mut Tx,
        account: &Account,
        code: &Code,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let template = match code.purpose {
            CodePurpose::SignUp => Template::VerifyEmail,
            CodePurpose::ResetPassword => Template::ResetPassword,
            CodePurpose::ChangeEmail => Template::ChangeEmail,
        };
        let address = code.new_email.as_ref().map_or(&account.email, |(email, _)| email);
        let mail = Mail {
            id: MailId::fresh(now),
            account_id: Some(account.id),
            sign_up_id: None,
            code_id: Some(code.id),
            address: address.clone(),
            language: account.language.clone(),
            template: template.word().to_owned(),
            created_at: now,
            expires_at: code.expires_at,
        };
        self.post(tx, &mail).await
    }

    /// Writes the code of a sign-up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code_to_sign_up(
        &self,
        tx: &mut Tx,
        sign_up: &SignUp,
        code: CodeId,
        code_expires_at: UnixMs,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let mail = Mail {
            id: MailId::fresh(now),
            account_id: None,
            sign_up_id: Some(sign_up.id),
            code_id: Some(code),
            address: sign_up.email.clone(),
            language: sign_up.language.clone(),
            template: Template::VerifyEmail.word().to_owned(),
            created_at: now,
            expires_at: code_expires_at,
        };
        self.post(tx, &mail).await
    }

    async fn post(&self, tx: &mut Tx, mail: &Mail) -> Result<(), StoreError> {
        if !self.can_send {
            return Ok(());
        }
        let now = mail.created_at;
        tx.add_mail(mail).await?;
        let payload = json!({ "mail": mail.id });
        tx.enqueue(&NewJob { kind: KIND, payload, once_key: None, due_at: now }, now).await?;
        Ok(())
    }
}
