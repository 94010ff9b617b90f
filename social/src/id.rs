//! Names of things: UUIDs of version 7, a type for each kind.
//!
//! They rise with time, so a list of anything in the order of its ids is in the order in which it
//! came to be, and a page of it begins after an id. What surprises: the time in them comes from the
//! injected clock like every other, and the number that orders those of one moment begins anywhere,
//! so that two ids do not tell how much the server made between them.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::{Database, Decode, Encode, Type};
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type as SchemaType};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::{Builder, Uuid};

use crate::clock::UnixMs;

/// The id of one kind of thing: `K` only tells them apart.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// Kinds of things that have ids.
pub mod kind {
    /// An account.
    #[derive(Debug)]
    pub enum Account {}
    /// A sign-up that waits for its e-mail to be verified.
    #[derive(Debug)]
    pub enum SignUp {}
    /// A code that was mailed to somebody.
    #[derive(Debug)]
    pub enum Code {}
    /// A signed-in device.
    #[derive(Debug)]
    pub enum Session {}
    /// Something that is done later.
    #[derive(Debug)]
    pub enum Job {}
    /// A mail that is on its way.
    #[derive(Debug)]
    pub enum Mail {}
    /// A line of the audit log.
    #[derive(Debug)]
    pub enum Audit {}
    /// A crash of some program.
    #[derive(Debug)]
    pub enum Crash {}
    /// Something that somebody is told in the app.
    #[derive(Debug)]
    pub enum Notice {}
    /// Something that somebody wants moderators to look at.
    #[derive(Debug)]
    pub enum Report {}
    /// A chat.
    #[derive(Debug)]
    pub enum Chat {}
    /// A message of a chat.
    #[derive(Debug)]
    pub enum Message {}
    /// An author's own name for a message.
    #[derive(Debug)]
    pub enum Client {}
    /// A file on its way.
    #[derive(Debug)]
    pub enum Upload {}
    /// A file.
    #[derive(Debug)]
    pub enum File {}
    /// What somebody says of a moment of a recording.
    #[derive(Debug)]
    pub enum Comment {}
    /// What a store of objects keeps.
    #[derive(Debug)]
    pub enum Object {}
    /// An archive of what is kept of somebody.
    #[derive(Debug)]
    pub enum Export {}
    /// A sign-in with a provider that is linked to an account.
    #[derive(Debug)]
    pub enum Identity {}
    /// An invite to a room.
    #[derive(Debug)]
    pub enum Invite {}
    /// A browser that is told what happens.
    #[derive(Debug)]
    pub enum Push {}
}

/// The id of an account.
pub type AccountId = Id<kind::Account>;
/// The id of a sign-up.
pub type SignUpId = Id<kind::SignUp>;
/// The id of a code.
pub type CodeId = Id<kind::Code>;
/// The id of a session.
pub type SessionId = Id<kind::Session>;
/// The id of a job.
pub type JobId = Id<kind::Job>;
/// The id of a mail.
pub type MailId = Id<kind::Mail>;
/// The id of a line of the audit log.
pub type AuditId = Id<kind::Audit>;
/// The id of a crash.
pub type CrashId = Id<kind::Crash>;
/// The id of something that somebody is told.
pub type NoticeId = Id<kind::Notice>;
/// The id of a report.
pub type ReportId = Id<kind::Report>;
/// The id of a chat.
pub type ChatId = Id<kind::Chat>;
/// The id of a message.
pub type MessageId = Id<kind::Message>;
/// An author's own name for a message.
pub type ClientId = Id<kind::Client>;
/// The id of a file on its way.
pub type UploadId = Id<kind::Upload>;
/// The id of a file.
pub type FileId = Id<kind::File>;
/// The id of what somebody says of a moment of a recording.
pub type CommentId = Id<kind::Comment>;
/// The id of what a store of objects keeps.
pub type ObjectId = Id<kind::Object>;
/// The id of an archive of what is kept of somebody.
pub type ExportId = Id<kind::Export>;
/// The id of a sign-in with a provider.
pub type IdentityId = Id<kind::Identity>;
/// The id of an invite to a room.
pub type InviteId = Id<kind::Invite>;
/// The id of a browser that is told what happens.
pub type PushId = Id<kind::Push>;

impl<K> Id<K> {
    /// One that nothing has yet, after all that this process made at the same moment.
    #[must_use]
    pub fn fresh(now: UnixMs) -> Self {
        let ms = u64::try_from(now.0).unwrap_or(0);
        Self::new(fresh(ms, Some(next_number(ms))))
    }

    /// One that nothing has yet, in no order among those of the same moment: for what is given to
    /// somebody of whom nothing is known, who must not learn what else was made meanwhile.
    #[must_use]
    pub fn fresh_unordered(now: UnixMs) -> Self {
        Self::new(fresh(u64::try_from(now.0).unwrap_or(0), None))
    }

    /// Before every id: where a list begins.
    pub const FIRST: Self = Self(Uuid::nil(), PhantomData);

    /// After every id: where a list begins that runs backwards.
    pub const LAST: Self = Self(Uuid::max(), PhantomData);

    /// The id that this UUID is.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The UUID that this is.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// By hand, because a derive would ask `K` for the same.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        // Only the form with hyphens, in lower case: an id has one way of being written, and the
        // API's description says which.
        let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
        if uuid.hyphenated().to_string() == text { Ok(Self::new(uuid)) } else { Err(NotAnId) }
    }
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is written like 0190163d-8694-739b-aea5-966c26f8ad91, in lower case")]
pub struct NotAnId;

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.hyphenated().serialize(serializer)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        // `format` alone permits the empty text: most validators do not look at it.
        ObjectBuilder::new()
            .schema_type(SchemaType::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .pattern(Some(PATTERN))
            .into()
    }
}

impl<K> ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

impl<K, DB: Database> Type<DB> for Id<K>
where
    Uuid: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Uuid as Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <Uuid as Type<DB>>::compatible(ty)
    }
}

impl<'q, K, DB: Database> Encode<'q, DB> for Id<K>
where
    Uuid: Encode<'q, DB>,
{
    fn encode_by_ref(
        &self,
        buffer: &mut DB::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        self.0.encode_by_ref(buffer)
    }
}

impl<'r, K, DB: Database> Decode<'r, DB> for Id<K>
where
    Uuid: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Uuid::decode(value).map(Self::new)
    }
}

/// A UUID of version 7: the time, a number that rises if there is one, and randomness.
fn fresh(ms: u64, number: Option<u32>) -> Uuid {
    let random = crate::secret::random();
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&random[..10]);
    if let Some(number) = number {
        // 26 bits, around those that say the version and the variant.
        let [_, _, low_high, low_low] = (number & 0x3fff).to_be_bytes();
        let [_, _, high_high, high_low] = ((number >> 14) & 0xfff).to_be_bytes();
        bytes[..4].copy_from_slice(&[high_high, high_low, low_high, low_low]);
    }
    Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid()
}

/// The number of an id: the one after the last of this moment, or where a fresh moment begins, any of
/// 25 bits, which leaves room for 33 million more.
fn next_number(ms: u64) -> u32 {
    // The last moments, each with its last number: one thread may read the clock before another and
    // ask behind it.
    static MOMENTS: Mutex<[(u64, u32); MOMENTS_KEPT]> = Mutex::new([(0, 0); MOMENTS_KEPT]);
    let mut moments = MOMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, last)) = moments.iter_mut().find(|(moment, _)| *moment == ms) {
        *last = last.wrapping_add(1);
        return *last;
    }
    let [a, b, c, d, ..] = crate::secret::random();
    let number = u32::from_be_bytes([a, b, c, d]) & 0x1ff_ffff;
    moments.rotate_right(1);
    moments[0] = (ms, number);
    number
}

/// Moments whose last number is remembered.
const MOMENTS_KEPT: usize = 64;

/// How an id is written.
const PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_with_time_and_have_one_way_of_being_written() {
        let earlier = AccountId::fresh(UnixMs(1_000_000));
        let later = AccountId::fresh(UnixMs(1_000_001));
        assert!(earlier < later);
        // Also within a moment, where the last number of 14 bits gives way to the next.
        let same: Vec<_> = (0..20_000).map(|_| AccountId::fresh(UnixMs(2_000_000))).collect();
        assert!(same.is_sorted());
        assert_eq!(same[7].uuid().get_version_num(), 7);
        assert_eq!(same[7].uuid().get_variant(), uuid::Variant::RFC4122);
        let text = later.to_string();
        assert_eq!(text.parse(), Ok(later));
        for wrong in ["", "x", &text.to_uppercase(), &text.replace('-', ""), &format!("{{{text}}}")]
        {
            assert_eq!(wrong.parse::<AccountId>(), Err(NotAnId), "{wrong}");
        }
        let json = serde_json::to_string(&later).expect("JSON");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<AccountId>(&json).expect("an id"), later);
        assert!(serde_json::from_str::<AccountId>("\"\"").is_err());
    }
}
