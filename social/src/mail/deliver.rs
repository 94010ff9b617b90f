//! Delivery: SMTP, or, for whoever develops, the log.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;

use super::template::{Template, Templates};
use crate::account::identity::Providers;
use crate::clean::Clean;
use crate::clock::{Clock, UnixMs};
use crate::id::MailId;
use crate::jobs::{Handler, Outcome};
use crate::limits::MAIL_WAIT_MAX;
use crate::secret::ServerKey;
use crate::store::{Conn, Db, Ending, Job, Mail, StoreError};

/// The kind of the jobs that deliver mails.
pub const KIND: &str = "mail";

/// How mail is sent.
#[derive(Clone, Default)]
pub struct MailConfig {
    /// `smtps://USER:PASSWORD@HOST`, `smtp://USER:PASSWORD@HOST:587?tls=required`; none where no mail
    /// is sent.
    pub smtp: Option<String>,
    /// Whom mails come from: `vjam <noreply@jam.example>`.
    pub from: Option<String>,
    /// Whether mails are written to the log where there is no SMTP server: only while developing,
    /// since there are codes in them.
    pub to_log: bool,
}

// A URL may hold a password.
impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig")
            .field("smtp", &self.smtp.as_ref().map(|_| ".."))
            .field("from", &self.from)
            .field("to_log", &self.to_log)
            .finish()
    }
}

/// How mail is sent is wrong.
#[derive(Debug, thiserror::Error)]
pub enum WrongMailConfig {
    /// The URL is none.
    #[error(
        "smtp: this is not of the form smtps://USER:PASSWORD@HOST or \
         smtp://USER:PASSWORD@HOST:587?tls=required ({0})"
    )]
    Url(String),
    /// What is sent could be read on the way.
    #[error(
        "smtp: mails hold codes, and without encryption they would cross the network to another \
         machine in the clear; say smtps://, or add ?tls=required"
    )]
    InTheClear,
    /// Nobody can be written from.
    #[error("mail_from: this is not of the form vjam <noreply@jam.example> ({0})")]
    From(String),
    /// It is not said whom mails come from.
    #[error(
        "mail_from: with smtp it must be said whom mails come from: vjam <noreply@jam.example>"
    )]
    NoFrom,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp {
        /// The connection.
        server: Box<AsyncSmtpTransport<Tokio1Executor>>,
        /// Whom mails come from.
        from: Mailbox,
    },
    /// To the log, codes and all.
    Log,
    /// Not at all.
    None,
}

impl Transport {
    /// What the configuration says.
    ///
    /// # Errors
    /// When it says it wrongly.
    pub fn new(config: &MailConfig) -> Result<Self, WrongMailConfig> {
        let Some(url) = &config.smtp else {
            return Ok(if config.to_log { Self::Log } else { Self::None });
        };
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let is_encrypted =
            url.starts_with("smtps://") || query.split('&').any(|said| said == "tls=required");
        if !is_encrypted && !is_this_machine(url) {
            return Err(WrongMailConfig::InTheClear);
        }
        let from = config.from.as_ref().ok_or(WrongMailConfig::NoFrom)?;
        let from =
            Mailbox::from_str(from).map_err(|error| WrongMailConfig::From(error.to_string()))?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let server = server.map_err(|error| WrongMailConfig::Url(error.to_string()))?;
        let server = server.timeout(Some(MAIL_WAIT_MAX)).build();
        Ok(Self::Smtp { server: Box::new(server), from })
    }

    /// Whether mail leaves at all.
    #[must_use]
    pub const fn can_send(&self) -> bool {
        match self {
            Self::Smtp { .. } | Self::Log => true,
            Self::None => false,
        }
    }
}

impl MailConfig {
    /// Who delivers mails, if anybody.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let host = host(self.smtp.as_deref()?);
        let port = host.rfind(':').filter(|_| !host.ends_with(']'));
        Some(host[..port.unwrap_or(host.len())].to_owned())
    }
}

/// The machine of a URL, and its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Whether a URL leads to this machine, where nobody listens on the way.
fn is_this_machine(url: &str) -> bool {
    let host = host(url);
    let is =
        |name: &str| host == name || host.strip_prefix(name).is_some_and(|r| r.starts_with(':'));
    is("127.0.0.1") || is("localhost") || is("[::1]")
}

/// Delivers mails.
#[derive(Debug)]
pub struct Deliver {
    /// Where they are.
    pub db: Db,
    /// By which clock they expire.
    pub clock: Arc<dyn Clock>,
    /// What their codes are computed with.
    pub key: ServerKey,
    /// What they say.
    pub templates: Arc<Templates>,
    /// How they leave.
    pub transport: Transport,
    /// What the providers are called that some are about.
    pub providers: Providers,
}

impl Handler for Deliver {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            match self.deliver(&job).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tracing::error!(%error, "a mail cannot be read");
                    Outcome::Failed("database")
                }
            }
        })
    }
}

impl Deliver {
    async fn deliver(&self, job: &Job) -> Result<Outcome, StoreError> {
        let id = job.payload["mail"].as_str().and_then(|id| id.parse::<MailId>().ok());
        let Some(id) = id else { return Ok(Outcome::Done) };
        let now = self.clock.now();
        let (mail, words) = {
            let mut conn = self.db.read().await?;
            let Some(mail) = conn.mail(id).await? else { return Ok(Outcome::Done) };
            let words = Words::of(&mut conn, &mail, &self.providers, now).await?;
            (mail, words)
        };
        let outcome = if mail.expires_at <= now {
            tracing::warn!(template = mail.template, "a mail was not delivered in time");
            Outcome::Done
        } else if words.is_void {
            Outcome::Done
        } else {
            self.send(&mail, &words).await
        };
        if outcome == Outcome::Done {
            let mut tx = self.db.begin().await?;
            tx.remove_mail(id).await?;
            if mail.template == Template::EmailChanged.word() {
                // It was the last place where the old address stood; of where it had stood before,
                // the files are cleaned.
                let tables = ["accounts", "codes", "mails", "sign_ups"];
                Clean::schedule(&mut tx, &tables, self.clock.now(), Duration::ZERO).await?;
            }
            tx.commit().await?;
        }
        Ok(outcome)
    }

    async fn send(&self, mail: &Mail, words: &Words) -> Outcome {
        let code = mail.code_id.map(|id| self.key.code_digits(id.uuid().as_bytes()));
        let code = code.map(|code| in_two(&code)).unwrap_or_default();
        let minutes = (mail.expires_at.since(self.clock.now()).as_secs() / 60).max(1).to_string();
        let values = [
            ("code", code.as_str()),
            ("date", &words.date),
            ("minutes", &minutes),
            ("reason", &words.reason),
            ("region", &words.region),
            ("theirs", &words.theirs),
            ("told", &words.told),
            ("until", &words.until),
            ("username", &words.username),
            ("waiting", &words.waiting),
        ];
        let written = self.templates.write(&mail.template, &mail.language, &values);
        let Some((subject, body)) = written else {
            tracing::error!(template = mail.template, "there is no such mail");
            return Outcome::Done;
        };
        match &self.transport {
            Transport::Smtp { server, from } => match message(mail, from, subject, body) {
                // Around all of it: the library's own limit ends when the connection is there, and a
                // server that says nothing from then on would be waited for without end.
                Some(message) => match timeout(MAIL_WAIT_MAX, server.send(message)).await {
                    Ok(Ok(_)) => Outcome::Done,
                    // What the server says may quote the address.
                    Ok(Err(error)) if error.is_permanent() => {
                        let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                        refused(mail, server, &code).await
                    }
                    Ok(Err(error)) if error.is_transient() => Outcome::Failed("smtp_not_now"),
                    Ok(Err(error)) if error.is_timeout() => Outcome::Failed("smtp_timeout"),
                    Ok(Err(_)) => Outcome::Failed("smtp_unreachable"),
                    Err(_) => Outcome::Failed("smtp_timeout"),
                },
                None => Outcome::Done,
            },
            Transport::Log => {
                tracing::warn!(to = mail.address, subject, body, "a mail, since this is --dev");
                Outcome::Done
            }
            Transport::None => Outcome::Failed("no_smtp"),
        }
    }
}

/// What is put into a mail, looked up when it is sent.
#[derive(Default)]
struct Words {
    username: String,
    date: String,
    reason: String,
    region: String,
    until: String,
    told: String,
    waiting: String,
    theirs: String,
    /// Whether what it would say does not hold any more.
    is_void: bool,
}

impl Words {
    async fn of(
        conn: &mut Conn,
        mail: &Mail,
        providers: &Providers,
        now: UnixMs,
    ) -> Result<Self, StoreError> {
        let mut words = Self::default();
        let account = match mail.account_id {
            Some(account) => conn.account_or_hidden(account).await?,
            None => None,
        };
        let Some(account) = account else { return Ok(words) };
        let is = |template: Template| mail.template == template.word();
        if is(Template::PolicyChanged) {
            let policy = conn.last_policy().await?;
            words.date = policy.map(|policy| policy.takes_effect_at.iso_date()).unwrap_or_default();
        }
        if is(Template::ErasureAsked) {
            words.date = account.erase_at.map(UnixMs::iso_date).unwrap_or_default();
        }
        if is(Template::Moved) {
            words.region = account.region.word().to_uppercase();
        }
        if is(Template::Suspended) || is(Template::SuspendedForGood) {
            match conn.suspension(account.id, now).await? {
                Some(suspension) => {
                    words.until = suspension.until.map(UnixMs::iso_date).unwrap_or_default();
                    words.reason = suspension.reason;
                }
                // It was lifted meanwhile.
                None => words.is_void = true,
            }
        }
        if is(Template::ProvidersTold) {
            let identities = conn.identities(account.id).await?;
            let names = |ending| {
                let of = identities.iter().filter(|identity| identity.ending == ending);
                let names: Vec<_> = of.map(|one| providers.name(&one.shown.provider)).collect();
                if names.is_empty() { "-".to_owned() } else { names.join(", ") }
            };
            words.told = names(Some(Ending::Told));
            words.waiting = names(None);
            words.theirs = names(Some(Ending::Theirs));
        }
        words.username = account.username;
        Ok(words)
    }
}

/// A mail is given up where the server refuses this one, for its recipient or its content. Where it
/// would take no other either, as with a wrong password, the mail waits for whoever runs the server.
async fn refused(mail: &Mail, server: &AsyncSmtpTransport<Tokio1Executor>, code: &str) -> Outcome {
    let template = &mail.template;
    let is_of_a_mail = REFUSALS_OF_A_MAIL.contains(&code);
    // The same codes greet whoever may not send at all; the library does not say which step it was.
    if is_of_a_mail
        && matches!(timeout(MAIL_WAIT_MAX, server.test_connection()).await, Ok(Ok(true)))
    {
        tracing::error!(template, code, "the mail server refused a mail, which is given up");
        return Outcome::Done;
    }
    tracing::error!(
        template,
        code,
        "the mail server refuses this server; check social.smtp and social.mail_from"
    );
    Outcome::Failed("smtp_refused")
}

/// What a server answers to a recipient or a content that it will never take (RFC 5321 4.2.3).
const REFUSALS_OF_A_MAIL: [&str; 5] = ["550", "551", "552", "553", "554"];

fn message(mail: &Mail, from: &Mailbox, subject: String, body: String) -> Option<Message> {
    let to = Mailbox::new(None, mail.address.parse().ok()?);
    // The same however often it is sent: what arrives twice is shown once.
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    let message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(subject)
        .message_id(Some(id))
        .header(header::ContentType::TEXT_PLAIN)
        .body(body);
    message
        .inspect_err(|error| tracing::error!(%error, template = mail.template, "a mail is wrong"))
        .ok()
}

/// `1234 5678`, which is easier to type.
fn in_two(code: &str) -> String {
    let (left, right) = code.split_at(code.len() / 2);
    format!("{left} {right}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(smtp: &str, from: Option<&str>) -> Result<Transport, WrongMailConfig> {
        let from = from.map(str::to_owned);
        Transport::new(&MailConfig { smtp: Some(smtp.to_owned()), from, to_log: false })
    }

    #[test]
    fn codes_do_not_cross_a_network_in_the_clear() {
        let from = Some("vjam <noreply@jam.example>");
        for url in [
            "smtp://mail.example",
            "smtp://u:p@mail.example:587",
            "smtp://127.0.0.1.mail.example",
            "smtp://127.0.0.1:25@mail.example",
            "smtp://u:tls=required@mail.example",
            "smtp://mail.example?tls=opportunistic",
        ] {
            let refused = transport(url, from).expect_err(url);
            assert!(matches!(refused, WrongMailConfig::InTheClear), "{refused}");
        }
        for url in [
            "smtps://u:p@mail.example",
            "smtp://u:p@mail.example:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:25",
            "smtp://localhost",
        ] {
            assert!(transport(url, from).expect(url).can_send());
        }
        assert!(matches!(transport("smtps://x.example", None), Err(WrongMailConfig::NoFrom)));
        assert!(transport("smtps://x.example", Some("nobody")).is_err());
        assert!(transport("smtps://", from).is_err());
    }

    #[test]
    fn nothing_leaves_where_nothing_is_said() {
        assert!(!Transport::new(&MailConfig::default()).expect("good").can_send());
        let dev = MailConfig { to_log: true, ..MailConfig::default() };
        assert!(matches!(Transport::new(&dev), Ok(Transport::Log)));
    }
}
