//! What a client sees of chats and messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mentions::decode;
use super::{ChatKind, MemberRole};
use crate::clock::UnixMs;
use crate::files::FileBody;
use crate::id::{AccountId, ChatId, ClientId, FileId, MessageId};
use crate::limits::UNREAD_MAX;
use crate::problem::Problem;
use crate::store::{Chat, Conn, Gif, Member, Message, Span, StoreError};

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct PersonBody {
    pub(crate) account: AccountId,
    pub(crate) username: String,
}

/// Who answered with an emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reaction)]
pub(crate) struct ReactionBody {
    emoji: String,
    accounts: Vec<AccountId>,
}

/// A file that a message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageFile)]
pub(crate) struct AttachedBody {
    /// None where it was deleted.
    file: Option<FileBody>,
}

/// Something that moves, which whoever reads the message asks of a service elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MessageGif)]
pub(crate) struct GifBody {
    /// Which service: `giphy`.
    pub(super) provider: String,
    /// Its name there.
    pub(super) id: String,
}

/// A message, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageBody {
    id: MessageId,
    chat: ChatId,
    /// Its place in the chat.
    pub(crate) seq: i64,
    /// The last change of it, among all changes in the chat.
    pub(crate) rev: i64,
    /// None where they are gone.
    author: Option<PersonBody>,
    /// Its author's own name for it.
    client_id: Option<ClientId>,
    /// None where it was deleted.
    body: Option<String>,
    /// To which message of the chat it answers.
    reply_to: Option<MessageId>,
    /// Whom it names.
    mentions: Vec<PersonBody>,
    /// Its files, in their order. Whoever sees the message may read them.
    files: Vec<AttachedBody>,
    /// What moves in it.
    gif: Option<GifBody>,
    /// Whether it calls whoever reads this: it does not where one of the two blocked the other.
    pub(crate) mentioned: bool,
    reactions: Vec<ReactionBody>,
    created_at: UnixMs,
    edited_at: Option<UnixMs>,
    deleted_at: Option<UnixMs>,
}

impl MessageBody {
    /// Who wrote it.
    pub(crate) fn author(&self) -> Option<AccountId> {
        self.author.as_ref().map(|author| author.account)
    }

    /// Whether it names somebody.
    pub(crate) fn names(&self, account: AccountId) -> bool {
        self.mentions.iter().any(|person| person.account == account)
    }

    pub(crate) fn names_anybody(&self) -> bool {
        !self.mentions.is_empty()
    }
}

/// What a message says and who said it, for whoever looks at it from outside of its chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageExcerpt)]
pub(crate) struct Excerpt {
    id: MessageId,
    /// Who wrote it, while they have an account.
    author: Option<String>,
    /// None where it was deleted.
    body: Option<String>,
    /// Its files, in their order.
    files: Vec<AttachedBody>,
    /// What moves in it.
    gif: Option<GifBody>,
    created_at: UnixMs,
    edited_at: Option<UnixMs>,
    deleted_at: Option<UnixMs>,
}

impl From<MessageBody> for Excerpt {
    fn from(message: MessageBody) -> Self {
        let MessageBody { id, author, body, files, gif, created_at, .. } = message;
        let MessageBody { edited_at, deleted_at, .. } = message;
        let author = author.map(|author| author.username);
        Self { id, author, body, files, gif, created_at, edited_at, deleted_at }
    }
}

/// Messages as clients see them, with nothing said yet of whom they call.
pub(crate) async fn messages(
    conn: &mut Conn,
    found: Vec<Message>,
) -> Result<Vec<MessageBody>, StoreError> {
    let ids: Vec<MessageId> =
        found.iter().filter(|m| m.deleted_at.is_none()).map(|message| message.id).collect();
    let mut mentions = BTreeMap::<MessageId, Vec<(i64, AccountId)>>::new();
    for (message, place, account) in conn.mentions(&ids).await? {
        mentions.entry(message).or_default().push((place, account));
    }
    let mut reactions = BTreeMap::<MessageId, Vec<ReactionBody>>::new();
    for reaction in conn.reactions(&ids).await? {
        let of = reactions.entry(reaction.message_id).or_default();
        match of.iter_mut().find(|known| known.emoji == reaction.emoji) {
            Some(known) => known.accounts.push(reaction.account_id),
            None => {
                of.push(ReactionBody { emoji: reaction.emoji, accounts: vec![reaction.account_id] })
            }
        }
    }
    let mut files = files_of(conn, &ids).await?;
    let reacting = reactions.values().flatten().flat_map(|reaction| &reaction.accounts);
    let people: BTreeSet<AccountId> = found
        .iter()
        .filter_map(|message| message.author_id)
        .chain(mentions.values().flatten().map(|(_, account)| *account))
        .chain(reacting.copied())
        .collect();
    let names = conn.usernames(&people.into_iter().collect::<Vec<_>>()).await?;
    // Whoever has no name is not shown at all.
    for reaction in reactions.values_mut().flatten() {
        reaction.accounts.retain(|account| names.contains_key(account));
    }
    for of in reactions.values_mut() {
        of.retain(|reaction| !reaction.accounts.is_empty());
    }
    let person = |account: AccountId| {
        let username = names.get(&account)?.clone();
        Some(PersonBody { account, username })
    };
    let bodies = found.into_iter().map(|message| {
        let named = mentions.remove(&message.id).unwrap_or_default();
        let called = |place| {
            let (_, account) = named.iter().find(|(known, _)| *known == place)?;
            names.get(account).map(String::as_str)
        };
        MessageBody {
            id: message.id,
            chat: message.chat_id,
            seq: message.seq,
            rev: message.rev,
            author: message.author_id.and_then(person),
            client_id: message.client_id,
            body: message.body.map(|body| decode(&body, called)),
            reply_to: message.reply_to,
            mentions: named.iter().filter_map(|(_, account)| person(*account)).collect(),
            files: files.remove(&message.id).unwrap_or_default(),
            gif: message.gif.map(|Gif { provider, id }| GifBody { provider, id }),
            mentioned: false,
            reactions: reactions.remove(&message.id).unwrap_or_default(),
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
        }
    });
    Ok(bodies.collect())
}

/// The files that these messages carry.
async fn files_of(
    conn: &mut Conn,
    messages: &[MessageId],
) -> Result<BTreeMap<MessageId, Vec<AttachedBody>>, StoreError> {
    let carried = conn.message_files(messages).await?;
    let ids: BTreeSet<FileId> = carried.iter().filter_map(|(_, file)| *file).collect();
    let found = conn.files(&ids.into_iter().collect::<Vec<_>>()).await?;
    let mut files = BTreeMap::<MessageId, Vec<AttachedBody>>::new();
    for (message, file) in carried {
        let file = file.and_then(|id| found.get(&id)).cloned().map(FileBody::of);
        files.entry(message).or_default().push(AttachedBody { file });
    }
    Ok(files)
}

/// Messages as somebody sees them.
pub(crate) async fn messages_for(
    conn: &mut Conn,
    account: AccountId,
    found: Vec<Message>,
) -> Result<Vec<MessageBody>, StoreError> {
    let mut bodies = messages(conn, found).await?;
    if bodies.iter().any(|body| body.names(account)) {
        let blocked = conn.blocked_either_way(account).await?;
        for body in &mut bodies {
            let by_blocked = body.author().is_some_and(|author| blocked.contains(&author));
            body.mentioned = body.names(account) && !by_blocked;
        }
    }
    Ok(bodies)
}

/// Somebody in a chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatMember)]
pub(super) struct MemberBody {
    account: AccountId,
    username: String,
    role: MemberRole,
    joined_at: UnixMs,
    /// How far they have read, where they let it be seen and whoever asks does too.
    read_seq: Option<i64>,
}

/// A chat, as somebody in it sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Chat)]
pub(super) struct ChatBody {
    id: ChatId,
    kind: ChatKind,
    /// What a group is called.
    title: Option<String>,
    /// Which room it is of.
    room: Option<String>,
    /// The place of its last message.
    last_seq: i64,
    /// The number of its last change.
    rev: i64,
    /// What whoever asks may do in it.
    role: MemberRole,
    /// Whether they want no notices of it.
    muted: bool,
    /// How far they have read.
    read_seq: i64,
    /// How many messages of others they have not read: 1000 stands for that many or more.
    unread: i64,
    members: Vec<MemberBody>,
    last_message: Option<MessageBody>,
    /// When its last message came, or it was made.
    active_at: UnixMs,
    created_at: UnixMs,
}

/// A chat as a member sees it.
pub(super) async fn chat(conn: &mut Conn, chat: Chat, own: Member) -> Result<ChatBody, Problem> {
    let account = own.account_id;
    let members = conn.members(chat.id).await?;
    let ids: Vec<AccountId> = members.iter().map(|member| member.account_id).collect();
    let mut names = conn.usernames(&ids).await?;
    let blocked: BTreeSet<_> = conn.blocked_either_way(account).await?.into_iter().collect();
    let own_receipts = conn.preferences(account).await?.read_receipts;
    let mut shown = Vec::with_capacity(members.len());
    for member in members {
        let Some(username) = names.remove(&member.account_id) else { continue };
        let is_own = member.account_id == account;
        let is_seen = is_own
            || (own_receipts
                && !blocked.contains(&member.account_id)
                && conn.preferences(member.account_id).await?.read_receipts);
        shown.push(MemberBody {
            account: member.account_id,
            username,
            role: member.role,
            joined_at: member.joined_at,
            read_seq: is_seen.then_some(member.read_seq),
        });
    }
    let last = conn.messages(chat.id, own.joined_seq, Span::Before(i64::MAX), 1).await?;
    Ok(ChatBody {
        id: chat.id,
        kind: chat.kind,
        title: chat.title,
        room: chat.room,
        last_seq: chat.last_seq,
        rev: chat.last_rev,
        role: own.role,
        muted: own.is_muted,
        read_seq: own.read_seq,
        unread: conn.unread(chat.id, account, own.read_seq, UNREAD_MAX).await?,
        members: shown,
        last_message: messages_for(conn, account, last).await?.pop(),
        active_at: chat.active_at,
        created_at: chat.created_at,
    })
}
