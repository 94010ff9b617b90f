//! Every bound of this crate, with what happens where it is reached.
//!
//! Long because all of them stand in one place.

use std::num::NonZeroU32;
use std::time::Duration;

use protocol::limits::PASS_LIFE_SECONDS;

use crate::rate::Rate;

/// Connections that read an SQLite file at once; whoever comes next waits.
pub const SQLITE_READERS_MAX: u32 = 4;

/// Connections to a PostgreSQL server at once; whoever comes next waits.
pub const PG_CONNECTIONS_MAX: u32 = 16;

/// How long somebody waits for a connection; then the answer is that the server is busy.
pub const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a statement waits for another process that writes to the same SQLite file.
pub const SQLITE_BUSY_MAX: Duration = Duration::from_secs(10);

/// How long the start waits for another server that changes the same database; then it gives up.
pub const MIGRATION_WAIT_MAX: Duration = Duration::from_secs(60);

/// How long a job belongs to whoever took it: after a crash, it is taken again that much later.
pub const JOB_LEASE: Duration = Duration::from_secs(120);

/// How long a job may be at work without extending its lease; then it is cut, and tried again later.
/// Less than the lease, so that nobody else has it by then.
pub const JOB_WAIT_MAX: Duration = Duration::from_secs(100);

/// How long after its first failure a job is tried again; each time after that, twice as long.
pub const JOB_RETRY_FIRST: Duration = Duration::from_secs(5);

/// The longest that a failing job waits for its next attempt.
pub const JOB_RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Jobs that one server does at once; the others wait in the table.
pub const JOBS_AT_ONCE_MAX: usize = 4;

/// How long a server may sleep while jobs of others come due.
pub const JOB_POLL: Duration = Duration::from_secs(2);

/// Bytes of a request's body that holds JSON; a larger one is refused with 413. A message of 4000
/// characters that carries 10 files has 16,600.
pub const JSON_BYTES_MAX: usize = 18 * 1024;

/// Accounts and addresses that a rate is counted for at once; beyond, for each that comes, one is
/// forgotten that has asked for little.
pub const RATE_KEYS_MAX: usize = 50_000;

/// How often those are looked for who need not be counted any more, where there are that many: looking
/// at all of them for each request would be a way to stop the server.
pub const RATE_CLEAN_EVERY: Duration = Duration::from_secs(1);

/// Bytes of a password: bcrypt takes no more. A longer one is refused, never cut off.
pub const PASSWORD_BYTES_MAX: usize = 72;

/// Characters of a password at least.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Passwords that wait for a core to be hashed; whoever comes next is told that the server is busy.
pub const PASSWORDS_WAITING_MAX: usize = 64;

/// The cost of bcrypt that a server may not go below.
pub const BCRYPT_COST_MIN: u32 = 12;

/// The cost of bcrypt that a server may not go above: one password takes half a minute there.
pub const BCRYPT_COST_MAX: u32 = 18;

/// Bytes of an e-mail address, as SMTP has it.
pub const EMAIL_BYTES_MAX: usize = 254;

/// Characters of a username at least.
pub const USERNAME_CHARS_MIN: usize = 3;

/// Characters of a username at most.
pub const USERNAME_CHARS_MAX: usize = 24;

/// Characters of what somebody calls a device; more are cut off.
pub const DEVICE_NAME_CHARS_MAX: usize = 64;

/// Years that nobody is old: a birth date before that is a slip.
pub const AGE_YEARS_MAX: i64 = 130;

/// How long the answer to the question for the birth date holds.
pub const AGE_TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);

/// How long nobody signs up on a device where that answer allowed none.
pub const AGE_REFUSAL_LIFE: Duration = Duration::from_secs(90 * DAY);

/// How long a sign-up waits for its e-mail to be verified; then it is deleted.
pub const SIGN_UP_LIFE: Duration = Duration::from_secs(60 * 60);

/// How long a code is worth something.
pub const CODE_LIFE: Duration = Duration::from_secs(15 * 60);

/// How often a code may be tried; then it is worth nothing.
pub const CODE_ATTEMPTS_MAX: i64 = 5;

/// How long after its last use a session ends.
pub const SESSION_IDLE_MAX: Duration = Duration::from_secs(90 * DAY);

/// How long a session lasts, however often it is used.
pub const SESSION_LIFE_MAX: Duration = Duration::from_secs(365 * DAY);

/// How exactly the last use of a session is kept.
pub const SESSION_USE_GRAIN: Duration = Duration::from_secs(60 * 60);

/// Sessions of one account; the ones that were used least recently end.
pub const SESSIONS_MAX: i64 = 50;

/// How long a device is known that nobody signs in from.
pub const DEVICE_LIFE: Duration = Duration::from_secs(365 * DAY);

/// How long a mail is tried to be delivered that carries no code.
pub const MAIL_LIFE: Duration = Duration::from_secs(2 * DAY);

/// How long one attempt to deliver a mail may take.
pub const MAIL_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long it is kept what those with a role did.
pub const AUDIT_LIFE: Duration = Duration::from_secs(365 * DAY);

/// How long a checkpoint waits for whoever reads, and everybody who writes for it; then it is left for
/// later.
pub const CHECKPOINT_WAIT_MAX: Duration = Duration::from_millis(500);

/// How long PostgreSQL waits for a table that it is to clean; then it is left for later.
pub const VACUUM_LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long after somebody was in the way the files of the database are cleaned again.
pub const CLEAN_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How often it is looked for what has expired.
pub const PURGE_EVERY: Duration = Duration::from_secs(10 * 60);

/// Bytes of a file of mail templates; a larger one is refused at the start.
pub const TEMPLATES_BYTES_MAX: u64 = 64 * 1024;

/// How fast an answer comes at the earliest that must not tell whether an address has an account.
pub const ANSWER_FLOOR: Duration = Duration::from_millis(400);

/// Answers to the question for the birth date, for each address.
pub const AGE_RATE: Rate = rate(30, 60 * 60);

/// Sign-ups, for each address.
pub const SIGN_UP_RATE: Rate = rate(10, 60 * 60);

/// Mails that one address makes the server send to one e-mail address: nobody who asks again and again
/// keeps its owner from asking.
pub const MAIL_RATE: Rate = rate(4, 60 * 60);

/// Mails that everybody together makes the server send to one e-mail address.
pub const MAILBOX_RATE: Rate = rate(20, 60 * 60);

/// Codes that are typed, for each address.
pub const CODE_RATE: Rate = rate(60, 15 * 60);

/// Sign-ins, for each address.
pub const SIGN_IN_RATE: Rate = rate(60, 15 * 60);

/// Passwords that are given for one account, from each device that it knows, and from each address
/// with one that it does not.
pub const PASSWORD_RATE: Rate = rate(10, 15 * 60);

/// Passwords that are given for one account from all devices that it does not know. Beyond, whoever
/// reads the account's mail resets the password, and their device is known from then on.
pub const LOGIN_RATE: Rate = rate(100, 15 * 60);

/// Changes of an account's name.
pub const RENAME_RATE: Rate = rate(5, DAY);

/// How long a sign-in with a provider may take, from when a browser goes there.
pub const IDENTITY_FLOW_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long whoever a provider vouches for has to make an account, or to take an erasure back.
pub const IDENTITY_TICKET_LIFE: Duration = Duration::from_secs(30 * 60);

/// Characters of the cookie for that: browsers drop one with more than 4096. The token for the end is left
/// out where it is what makes it longer.
pub const IDENTITY_COOKIE_CHARS_MAX: usize = 3800;

/// How long a token of a provider may count; one that counts for longer is refused, since it is remembered
/// for so long that it was used. Those of Apple and Cognito count for up to a day.
pub const IDENTITY_TOKEN_LIFE_MAX: Duration = Duration::from_secs(2 * DAY);

/// How long what a provider tells by itself counts where it does not say it: Apple's does for a day.
pub const IDENTITY_EVENT_LIFE: Duration = Duration::from_secs(DAY);

/// Events that a provider tells of at once; those behind them are not looked at.
pub const IDENTITY_EVENTS_MAX: usize = 10;

/// What providers tell from one address.
pub const IDENTITY_EVENT_RATE: Rate = rate(600, 10 * 60);

/// Sign-ins with providers that one account has; one more is refused.
pub const IDENTITIES_MAX: usize = 10;

/// How long after an account without a password signed in it counts as proven.
pub const PROOF_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long it is tried to tell a provider that it is over; then it is given up.
pub const IDENTITY_END_MAX: Duration = Duration::from_secs(30 * DAY);

/// How long an answer of a provider may take; then it counts as silent.
pub const PROVIDER_WAIT_MAX: Duration = Duration::from_secs(10);

/// Bytes of an answer of a provider; a longer one makes no sense.
pub const PROVIDER_BYTES_MAX: usize = 64 * 1024;

/// Keys of a provider that are looked at.
pub const PROVIDER_KEYS_MAX: usize = 50;

/// How long it is believed what a provider says of itself, its keys included.
pub const PROVIDER_LIFE: Duration = Duration::from_secs(60 * 60);

/// How long after it failed a provider is asked again; whoever comes before is refused at once.
pub const PROVIDER_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How often at most a provider is asked for new keys, since a token names one that is not known.
pub const PROVIDER_KEYS_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Bytes of a token of a provider that is kept to tell it when it is over; a longer one is not kept.
pub const PROVIDER_TOKEN_BYTES_MAX: usize = 2048;

/// Bytes of the name that a provider has for somebody; a longer one is refused.
pub const SUBJECT_BYTES_MAX: usize = 255;

/// Characters of what an app asks a provider with, so that nobody guesses it; fewer are refused.
pub const NONCE_CHARS_MIN: usize = 16;

/// Things that are counted with one request; more are refused.
pub const USAGE_EVENTS_MAX: usize = 50;

/// Minutes of a session that is counted: a day. Longer ones are refused.
pub const USAGE_MINUTES_MAX: u16 = 24 * 60;

/// How long it is kept what was counted.
pub const USAGE_LIFE: Duration = Duration::from_secs(180 * DAY);

/// How long the key of a day is kept: that day.
pub const USAGE_KEY_LIFE: Duration = Duration::from_secs(DAY);

/// Days that an admin sees at once; what was before is asked for by its date.
pub const USAGE_DAYS_SHOWN_MAX: i64 = 400;

/// Requests that count something, for each account.
pub const USAGE_RATE: Rate = rate(60, 60 * 60);

/// Bytes of a report of a crash, unpacked; a larger one is dropped.
pub const CRASH_BYTES_MAX: usize = 1024 * 1024;

/// Items of a report that are looked at; those after them are dropped.
pub const CRASH_ITEMS_MAX: usize = 20;

/// Frames of a stack that are kept: the innermost.
pub const CRASH_FRAMES_MAX: usize = 100;

/// Characters that are kept of what a program said when it crashed.
pub const CRASH_TEXT_CHARS_MAX: usize = 1000;

/// Characters that are kept of a name: of a function, a file, a version.
pub const CRASH_WORD_CHARS_MAX: usize = 200;

/// Crashes that are kept; the oldest make room.
pub const CRASHES_MAX: i64 = 10_000;

/// How long a crash is kept.
pub const CRASH_LIFE: Duration = Duration::from_secs(90 * DAY);

/// Causes of crashes that an admin sees: those that were reported last.
pub const CRASH_CAUSES_SHOWN_MAX: i64 = 200;

/// Reports of crashes, for each address.
pub const CRASH_RATE: Rate = rate(60, 60 * 60);

/// How long before it takes effect another version of the page about privacy is told.
pub const POLICY_NOTICE: Duration = Duration::from_secs(14 * DAY);

/// Whoever signed in within this time is told.
pub const POLICY_ACTIVE_WITHIN: Duration = Duration::from_secs(365 * DAY);

/// Accounts that are told in one transaction.
pub const POLICY_BATCH: i64 = 100;
// People.

/// Characters of what somebody says of themselves; a longer text is refused.
pub const BIO_CHARS_MAX: usize = 500;

/// Characters of what somebody is up to; a longer text is refused.
pub const STATUS_CHARS_MAX: usize = 100;

/// Instruments that somebody plays; more are refused.
pub const INSTRUMENTS_MAX: usize = 10;

/// Characters of the name of an instrument; a longer one is refused.
pub const INSTRUMENT_CHARS_MAX: usize = 30;

/// People whom a search finds; it is for names, not for lists of them.
pub const SEARCH_MAX: i64 = 20;

/// Accounts with a role that an admin is shown; the others are found by their names.
pub const STAFF_SHOWN_MAX: i64 = 100;

/// Things on a page of a list; the next page begins after the last.
pub const PAGE_MAX: i64 = 50;

/// Friends of one account; who has as many makes no more.
pub const FRIENDS_MAX: i64 = 1_000;

/// People whom one account asked to be friends and who have not answered; then it waits, or takes one
/// back.
pub const FRIEND_ASKS_MAX: i64 = 100;

/// People who asked one account to be friends and wait for an answer; whoever comes next is refused.
pub const FRIEND_ASKED_MAX: i64 = 1_000;

/// People whom one account blocks; then it takes one back.
pub const BLOCKS_MAX: i64 = 1_000;

/// Bytes of a photo that is sent; a larger one is refused.
pub const PHOTO_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Pixels of a photo that is sent, more than a camera's 48 million; a larger one is refused before any
/// of them is looked at.
pub const PHOTO_PIXELS_MAX: u64 = 50_000_000;

/// Bytes that decoding one photo may take; one that takes more is refused.
pub const PHOTO_MEMORY_MAX: u64 = 256 * 1024 * 1024;

/// Pixels, wide and high, that a photo is kept at, the largest first.
pub const PHOTO_SIZES: [u32; 2] = [512, 128];

/// Bytes of a photo that is kept: where it would have more, it is compressed more.
pub const PHOTO_KEPT_BYTES_MAX: usize = 100_000;

/// Photos that are decoded at once; the others wait.
pub const PHOTOS_AT_ONCE_MAX: usize = 2;

/// Photos that wait to be decoded, each with all its bytes; whoever comes next is told that the server
/// is busy.
pub const PHOTOS_WAITING_MAX: usize = 8;

/// How long somebody is told something that happened.
pub const NOTICE_LIFE: Duration = Duration::from_secs(90 * DAY);

/// Things that one account is told; the oldest go.
pub const NOTICES_MAX: i64 = 500;

/// Of these, those that say by which message one is called: whoever calls often makes nothing else go.
pub const CALLS_MAX: i64 = 200;

/// Bytes of a browser's address at its push service; a longer one is refused.
pub const PUSH_ENDPOINT_BYTES_MAX: usize = 1024;

/// Browsers of one account that are told; the oldest go.
pub const PUSH_SUBSCRIPTIONS_MAX: i64 = 10;

/// Times that one account switches a browser on or off.
pub const PUSH_CHANGE_RATE: Rate = rate(30, 60 * 60);

/// Pushes to one browser, alerts not counted; more are left out, and found in the app.
pub const PUSH_RATE: Rate = rate(60, 60 * 60);

/// Bytes that a push has before it is encrypted, whatever it says: its length tells nothing.
pub const PUSH_PADDED_BYTES: usize = 256;

/// How long what calls somebody waits before it is pushed: who is looking reads it meanwhile.
pub const PUSH_AFTER: Duration = Duration::from_secs(3);

/// How long a push is tried, and then kept by its service for a browser that is off.
pub const PUSH_LIFE: Duration = Duration::from_secs(DAY);

/// The same of an alert.
pub const PUSH_ALERT_LIFE: Duration = Duration::from_secs(7 * DAY);

/// How long the signature holds that a push service is shown; RFC 8292 allows a day.
pub const PUSH_SIGNATURE_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a push service may take to answer; then it is tried again.
pub const PUSH_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long nothing is sent to a push service that did not answer, or is asked too often and does not
/// say until when: jobs of other kinds need their places.
pub const PUSH_HOLD: Duration = Duration::from_secs(30);

/// The longest that a push service can have this server wait.
pub const PUSH_HOLD_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Push services of which it is known until when they are not asked; the one asked soonest is forgotten.
pub const PUSH_HOLDS_MAX: usize = 64;

/// Characters of what somebody says in a report, or a moderator for other moderators; a longer text is
/// refused.
pub const REPORT_TEXT_CHARS_MAX: usize = 1_000;

/// Characters of the name of what is reported; a longer one is refused.
pub const REPORT_REF_CHARS_MAX: usize = 128;

/// Characters of what a moderator tells whoever a report is about; a longer text is refused.
pub const EXPLANATION_CHARS_MAX: usize = 500;

/// Messages before a message that was reported, and after it, that moderators see with it.
pub const REPORT_CONTEXT: i64 = 5;

/// Reports of one account that nobody has looked at; then it waits.
pub const REPORTS_OPEN_MAX: i64 = 20;

/// How long a report is kept after it was decided on.
pub const REPORT_LIFE: Duration = Duration::from_secs(365 * DAY);

/// Days that somebody may be suspended for; or else for good.
pub const SUSPENSION_DAYS_MAX: u16 = 365;

/// A day.
pub const DAY_LONG: Duration = Duration::from_secs(DAY);

/// Times that one account looks at people, by name or by a part of it.
pub const LOOK_RATE: Rate = rate(300, 10 * 60);

/// Times that one account asks somebody to be friends.
pub const FRIEND_ASK_RATE: Rate = rate(50, DAY);

/// Times that it asks the same one, who may have declined.
pub const FRIEND_ASK_AGAIN_RATE: Rate = rate(3, 7 * DAY);

/// Changes of how one account stands to others otherwise, and of what it says of itself.
pub const PEOPLE_CHANGE_RATE: Rate = rate(200, 60 * 60);

/// Photos that one account sends.
pub const PHOTO_RATE: Rate = rate(20, 60 * 60);

/// Reports of one account.
pub const REPORT_RATE: Rate = rate(30, DAY);
/// Characters of a message.
pub const MESSAGE_CHARS_MAX: usize = 4000;

/// Files that a message carries; more are refused.
pub const MESSAGE_FILES_MAX: usize = 10;

/// Characters of a GIF's name at the service that has it; those of today have 18.
pub const GIF_ID_CHARS_MAX: usize = 64;

/// Characters of the title of a group.
pub const TITLE_CHARS_MAX: usize = 80;

/// Members of a group; nobody else is let in then.
pub const CHAT_MEMBERS_MAX: usize = 100;

/// Chats that somebody is in and may still make another; others may let them into more.
pub const CHATS_MAX: i64 = 2000;

/// Chats on one page of the list.
pub const CHATS_PAGE_MAX: i64 = 20;

/// Messages on a page, where nobody says how many.
pub const MESSAGES_PAGE: i64 = 50;

/// Messages on a page at most; another number is refused.
pub const MESSAGES_PAGE_MAX: i64 = 100;

/// Messages on a page of what was found.
pub const SEARCH_PAGE_MAX: i64 = 30;

/// Words that are looked for at once; more are refused.
pub const SEARCH_WORDS_MAX: usize = 10;

/// Characters of one of them.
pub const SEARCH_WORD_CHARS_MAX: usize = 64;

/// Messages that are counted as unread: as many stand for any number above.
pub const UNREAD_MAX: i64 = 1000;

/// Names that are looked for in a message; a `@` after that many is left as it is.
pub const MENTIONS_MAX: usize = 20;

/// Different emoji that somebody puts on one message; another one is refused.
pub const REACTIONS_MAX: i64 = 8;

/// Bytes of one emoji: a family of four has 25.
pub const EMOJI_BYTES_MAX: usize = 64;

/// How long after a message was deleted or edited the files are cleaned of it, and of whatever was
/// deleted meanwhile: PostgreSQL writes all messages anew for that.
pub const CLEAN_MESSAGES_AFTER: Duration = Duration::from_secs(7 * DAY);

/// Live connections of one account on one server; another one is refused.
pub const LIVE_SOCKETS_MAX: usize = 20;

/// What waits to be written to one live connection; one that does not keep up is closed, and comes
/// again for what it missed.
pub const LIVE_QUEUE_MAX: usize = 256;

/// Bytes that a client says at once on a live connection, which then is closed: what it knows of 1000
/// chats has 50,000.
pub const LIVE_MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take to say what it knows; then the connection is closed.
pub const LIVE_RESUME_WAIT_MAX: Duration = Duration::from_secs(30);

/// How often a live connection is asked whether anybody is there.
pub const LIVE_PING_EVERY: Duration = Duration::from_secs(20);

/// How long nobody may answer; then it is closed.
pub const LIVE_SILENCE_MAX: Duration = Duration::from_secs(50);

/// How long it may take to write to a live connection; then it is closed.
pub const LIVE_WRITE_MAX: Duration = Duration::from_secs(10);

/// Connections to the database that load what is handed out at once; the others wait.
pub const LIVE_LOADS_MAX: usize = 3;

/// What is told and not kept, at once; more is left out.
pub const LIVE_TASKS_MAX: usize = 1000;

/// How often it is looked for what nobody told: what a server was about to tell when it died.
pub const LIVE_LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long somebody is there whom another server does not tell of again.
pub const PRESENCE_LIFE: Duration = Duration::from_secs(100);

/// What other servers told that waits to be told to those who play; of more, it is looked how the rooms stand.
pub const STAGE_NEWS_MAX: usize = 1000;

/// What waits to be told to other servers; more is left out, and they find it when they look.
pub const NOTES_WAITING_MAX: usize = 10_000;

/// What is told to them at once: 250 bytes each at most, of the 8000 that PostgreSQL takes.
pub const NOTES_AT_ONCE_MAX: usize = 30;

/// How long a server that cannot hear the others waits.
pub const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Messages that an account sends, edits and deletes.
pub const MESSAGE_RATE: Rate = rate(20, 10);

/// Chats that an account makes, and people that it lets into them.
pub const CHAT_RATE: Rate = rate(60, 60 * 60);

/// Emoji that an account puts on messages and takes back, and what it sets otherwise of chats.
pub const SMALL_CHANGE_RATE: Rate = rate(60, 60);

/// Searches of an account.
pub const SEARCH_RATE: Rate = rate(30, 60);

/// How often an account says that it writes.
pub const TYPING_RATE: Rate = rate(1, 2);

/// What an account says on its live connections; one that says more is closed.
pub const LIVE_RATE: Rate = rate(60, 10);
/// Bytes that the files of one account may have, unless whoever runs the server says otherwise; more are
/// refused with 413.
pub const QUOTA_BYTES: i64 = 1024 * MIB;

/// Bytes of a file; a larger one is refused with 413 before it comes.
pub const FILE_BYTES_MAX: i64 = 512 * MIB;

/// Bytes of a picture; a larger one is refused with 413 at its first bytes. It is in memory whole.
pub const PICTURE_BYTES_MAX: i64 = 32 * MIB;

/// Pixels of a picture, and on each side; one with more is refused with 413 before it is decoded.
pub const PICTURE_PX_MAX: u64 = 50_000_000;

/// As above.
pub const PICTURE_SIDE_PX_MAX: u32 = 16_384;

/// Bytes that decoding a picture may take: 50 million pixels of four channels. Beyond, it is refused.
pub const PICTURE_MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Pictures that are written anew at once; the others wait.
pub const PICTURES_AT_ONCE_MAX: usize = 2;

/// Bytes of a part of a file; a larger one is refused with 413. It is in memory whole.
pub const PART_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Parts that are received at once, 256 MiB of memory; whoever comes next is told that the server is
/// busy.
pub const PARTS_AT_ONCE_MAX: usize = 32;

/// Parts that are received of one account at once; one more is refused with 429.
pub const PARTS_OF_ACCOUNT_MAX: usize = 4;

/// How long a part may take; then it is refused, and its place is free. A line of half a megabit a second
/// takes half of it.
pub const PART_WAIT_MAX: Duration = Duration::from_secs(5 * 60);

/// Files that are put together at once; the others wait.
pub const JOINS_AT_ONCE_MAX: usize = 4;

/// Files of one account that are on their way; one more is refused with 429.
pub const UPLOADS_MAX: i64 = 16;

/// How long a file may be on its way; then what is here of it is deleted.
pub const UPLOAD_LIFE: Duration = Duration::from_secs(DAY);

/// Characters of a file's name; a longer one is refused.
pub const FILE_NAME_CHARS_MAX: usize = 200;

/// Files that a page of a list holds.
pub const FILES_PAGE_MAX: i64 = 50;

/// Characters of a comment; a longer one is refused.
pub const COMMENT_CHARS_MAX: usize = 1000;

/// Comments of one file; one more is refused.
pub const COMMENTS_MAX: i64 = 500;

/// How long a link to a file holds.
pub const LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long a recording is looked through; then only its length is known, as far as it says so.
/// Less than a job may take.
pub const ANALYSIS_WAIT_MAX: Duration = Duration::from_secs(60);

/// Objects that one job deletes.
pub const OBJECTS_REMOVED_AT_ONCE_MAX: usize = 100;

/// After so many objects that a sweep looked at, it says that it is at work.
pub const OBJECTS_LEASE_EVERY: u64 = 1000;

/// How often it is looked for objects that no row names.
pub const SWEEP_EVERY: Duration = Duration::from_secs(DAY);

/// How old an object without a row is that is deleted: no file is put together for that long.
pub const ORPHAN_AGE: Duration = Duration::from_secs(DAY);

/// How often a bucket is asked again that did not answer; then it has failed.
pub const OBJECT_RETRIES_MAX: usize = 3;

/// Bytes of what a bucket says of itself: as many rules as one may have are fewer.
pub const BUCKET_ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Files that are looked for at once, of those that a restore brought back.
pub const FILES_LOOKED_FOR_AT_ONCE: i64 = 100;

/// For how long a bucket is asked again; then it has failed.
pub const OBJECT_WAIT_MAX: Duration = Duration::from_secs(20);
/// How long an account waits to be erased at most, from when its owner asked for it. They can take it
/// back until then.
pub const ERASURE_DELAY_MAX: Duration = Duration::from_secs(30 * DAY);

/// Accounts that one job erases; what is left is left to the next, which comes at once.
pub const ERASURES_AT_ONCE_MAX: i64 = 100;

/// Accounts that are looked at in one go for those that were erased before.
pub const REPLAY_PAGE: i64 = 1000;

/// How old a backup may be that is restored or kept. With the longest wait before an erasure, nothing
/// outlives what its owner asked for by more than 90 days.
pub const BACKUP_LIFE: Duration = Duration::from_secs(60 * DAY);

/// How long it is known, as a hash, which account was erased: twice as long as any backup from before
/// can come back.
pub const ERASURE_LEDGER_LIFE: Duration = Duration::from_secs(2 * 60 * DAY);

/// How long an archive of what is kept of somebody is kept itself.
pub const EXPORT_LIFE: Duration = Duration::from_secs(7 * DAY);

/// How long the link to an archive can be followed, once.
pub const EXPORT_LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// Archives that one account may ask for.
pub const EXPORT_RATE: Rate = rate(3, DAY);

/// Archives of one account that are kept; the oldest goes where another one is made. Each may be as large
/// as all files that the account may have.
pub const EXPORTS_MAX: usize = 2;

/// Archives that one server makes at once; the others wait in the table, and leave room for other jobs.
pub const EXPORTS_AT_ONCE_MAX: usize = 2;

/// How long one waits that found others at work.
pub const EXPORT_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// After so many bytes of files, the job that makes an archive says that it is at work: much less than
/// a slow bucket gives in the time that a job may take.
pub const EXPORT_LEASE_BYTES: u64 = 16 * 1024 * 1024;

/// Characters of a file's name in an archive; more are cut off.
pub const EXPORT_NAME_CHARS_MAX: usize = 80;

/// Pieces of an archive, and rows of the database, that wait to be written; whoever reads waits then.
pub const EXPORT_PIECES_MAX: usize = 64;

/// Bytes of a backup that are encrypted together.
pub const BACKUP_PIECE_BYTES: usize = 64 * 1024;

/// Bytes of such a piece once it is encrypted; a longer one is no piece of a backup.
pub const BACKUP_SEALED_BYTES_MAX: usize = BACKUP_PIECE_BYTES + 16;

/// How often a restore tries to clean the files of whom it erased again, where somebody is in the way; then
/// it is left to the server.
pub const RESTORE_CLEAN_TRIES: u32 = 20;

/// How often a move begins anew where its account has more files than were copied, or a name was taken in
/// that moment; then it is given up, and nothing has moved.
pub const MOVE_TRIES_MAX: u32 = 20;

/// Rows of an account that moves that wait to be written; whoever reads waits then.
pub const MOVE_ROWS_MAX: usize = 64;

/// Rows that wait to be written to a backup; whoever reads waits then.
pub const BACKUP_ROWS_MAX: usize = 64;

/// Bytes of one such piece, beyond which it is not added to.
pub const EXPORT_PIECE_BYTES: usize = 64 * 1024;

/// Rooms that one account owns.
pub const ROOMS_MAX: i64 = 20;

/// Rooms that an account is shown as its own and as those that it moderates; the last by name are left out.
pub const ROOMS_LISTED_MAX: i64 = 200;

/// Moderators of a room.
pub const ROOM_MODERATORS_MAX: usize = 20;

/// Accounts that are banned from a room.
pub const ROOM_BANS_MAX: usize = 200;

/// Invites that let into a room at the same time.
pub const ROOM_INVITES_MAX: usize = 20;

/// Days that an invite lets in.
pub const INVITE_DAYS_MAX: u32 = 30;

/// The same as a time.
pub const INVITE_LIFE_MAX: Duration = Duration::from_secs(30 * DAY);

/// Characters of a room's password; beyond, bytes are counted like those of an account's. Of small
/// letters alone there are 300 million, which take 29 years on average at [`ROOM_WRONG_RATE`].
pub const ROOM_PASSWORD_CHARS_MIN: usize = 6;

/// How long a pass lets in.
pub const PASS_LIFE: Duration = Duration::from_secs(PASS_LIFE_SECONDS as u64);

/// Changes of rooms, and of roles in them, of one account.
pub const ROOM_CHANGE_RATE: Rate = rate(120, 60 * 60);

/// Looks at rooms and at their list, for each address.
pub const ROOM_LOOK_RATE: Rate = rate(120, 60);

/// Passes, for each address: as many as may play from one.
pub const PASS_RATE: Rate = rate(120, 60);

/// Wrong passwords that are tried on one room from one address, with those that are being compared: a class
/// behind one comes in at once, some of whom mistype.
pub const ROOM_GUESS_RATE: Rate = rate(40, 10 * 60);

/// Wrong passwords that are tried on one room by everybody, from however many addresses; whoever has an
/// invite or an account that it knows comes in all the same.
pub const ROOM_WRONG_RATE: Rate = rate(100, 10 * 60);

const fn rate(burst: u32, seconds: u64) -> Rate {
    match NonZeroU32::new(burst) {
        Some(burst) => Rate { burst, period: Duration::from_secs(seconds) },
        None => panic!("a rate of nothing lets nobody in"),
    }
}

const MIB: i64 = 1024 * 1024;

/// A day, in seconds.
const DAY: u64 = 24 * 60 * 60;
