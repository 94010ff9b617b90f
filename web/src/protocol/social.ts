// Written by `cargo xtask generate` from the routes of social/src. Never edited by hand.

/** Bytes of an e-mail address. */
export const EMAIL_BYTES_MAX = 254;

/** Characters of a username at least. */
export const USERNAME_CHARS_MIN = 3;

/** Characters of a username at most. */
export const USERNAME_CHARS_MAX = 24;

/** Characters of a password at least. */
export const PASSWORD_CHARS_MIN = 8;

/** Bytes of a password at most. */
export const PASSWORD_BYTES_MAX = 72;

/** Which problem it is. */
export type ProblemCode =
  /** The body is not JSON. */
  | "bad_json"
  /** The request is malformed. */
  | "bad_request"
  /** Nobody is signed in. */
  | "not_signed_in"
  /** Name or password is wrong. */
  | "wrong_credentials"
  /** This is not allowed. */
  | "forbidden"
  /** The account is suspended. */
  | "suspended"
  /** There are too many already. */
  | "limit_reached"
  /** The request does not come from a page of this server. */
  | "foreign_page"
  /** This account is not counted. */
  | "usage_refused"
  /** An account cannot be made here. */
  | "sign_up_refused"
  /** The password is wrong. */
  | "wrong_password"
  /** Show once more who you are. */
  | "proof_needed"
  /** The sign-in does not count. */
  | "identity_refused"
  /** The sign-in was cancelled. */
  | "identity_cancelled"
  /** The sign-in has no account yet. */
  | "identity_unknown"
  /** The sign-in belongs to an account. */
  | "identity_taken"
  /** It is the only way in. */
  | "last_way_in"
  /** The provider does not answer. */
  | "provider_unavailable"
  /** The room is private. */
  | "room_private"
  /** The invite is not valid. */
  | "wrong_invite"
  /** The account is banned from the room. */
  | "banned"
  /** The account is to be erased. */
  | "erasure_pending"
  /** There is nothing here. */
  | "not_found"
  /** Not with this method. */
  | "method_not_allowed"
  /** The username is taken. */
  | "username_taken"
  /** The e-mail address has an account. */
  | "email_taken"
  /** The name of the room is taken. */
  | "room_taken"
  /** People play in the room. */
  | "room_in_use"
  /** Accounts of this region are kept elsewhere. */
  | "wrong_region"
  /** It is not as it was. */
  | "conflict"
  /** There is no more room. */
  | "full"
  /** The body is too large. */
  | "too_large"
  /** The body is of another type. */
  | "wrong_type"
  /** A value is wrong. */
  | "invalid"
  /** The code is not valid. */
  | "wrong_code"
  /** There is no room left. */
  | "quota_exceeded"
  /** Another part comes next. */
  | "wrong_offset"
  /** No file of this kind is kept. */
  | "kind_not_allowed"
  /** The file has no such bytes. */
  | "no_such_range"
  /** Too many files are on their way. */
  | "too_many_uploads"
  /** What is in it is no longer here. */
  | "gone"
  /** Files cannot be reached. */
  | "objects_unavailable"
  /** Too many requests. */
  | "too_many_requests"
  /** The server failed. */
  | "internal"
  /** The server is busy. */
  | "busy"
  /** This server sends no mail. */
  | "mail_unavailable"
  /** There are no accounts on this server. */
  | "unavailable";

/** An account, as its owner sees it. */
export interface AccountBody {
  created_at: UnixMs;
  email: string;
  id: Id;
  /** The language of mails. */
  language: string;
  region: Region;
  role: Role;
  username: string;
}

/** An account as admins see it. */
export interface AdminAccount {
  created_at: UnixMs;
  id: Id;
  /** Whether nobody can sign in to the account. */
  is_suspended: boolean;
  role: Role;
  username: string;
}

/** Accounts that were found. */
export interface AdminAccounts {
  accounts: Array<AdminAccount>;
}

/** What a sign-up begins with. */
export interface AgeAnswer {
  /** Goes into the sign-up, from the same device. */
  age_token: string;
  /** Until when it holds. */
  expires_at: UnixMs;
}

/** Who sees something. */
export type Audience = "everybody" | "friends" | "nobody";

/** Something that was done about a report. */
export interface AuditLine {
  /** What: `report_read`, for one. */
  action: string;
  at: UnixMs;
  /** By whom, while they have an account. */
  by?: string | null;
}

/** Somebody who is banned. */
export interface Ban {
  account: Id;
  banned_at: UnixMs;
  username: string;
}

/** Who is banned. */
export interface Bans {
  /** The last first; 200 at most. */
  bans: Array<Ban>;
}

/** When somebody was born. */
export interface BirthDate {
  /** Year, month and day. */
  born: string;
}

/** Somebody whom you blocked. */
export interface BlockBody {
  blocked_at: UnixMs;
  id: Id;
  username: string;
}

/** A page of them. */
export interface BlocksPage {
  blocks: Array<BlockBody>;
  next?: (Id | null);
}

/** Who wants their account back, as a provider vouches for. */
export interface CancellationWithIdentity {
  identity?: (IdToken | null);
}

/** How a device carries its session. */
export type Carrier = "token" | "cookie";

/** What made some program crash, once or often. */
export interface CauseBody {
  /** How often it was reported. */
  count: number;
  /** When the first one was reported that is kept. */
  first_at: UnixMs;
  /** The last crash of it. */
  last: Id;
  /** When that was reported. */
  last_at: UnixMs;
  /** What kind of program it was. */
  platform: string;
  /** Of which version. */
  release: string;
  /** What failed. */
  title: string;
}

/** What changed in a chat. */
export interface Changes {
  /** Each message that changed, as it stands, in the order of the last changes. */
  messages: Array<Message>;
  /** Whether there is more: to be asked for after `rev`. */
  more: boolean;
  /** Up to which change this is everything. */
  rev: number;
}

/** A chat, as somebody in it sees it. */
export interface Chat {
  /** When its last message came, or it was made. */
  active_at: UnixMs;
  created_at: UnixMs;
  id: Id;
  kind: ChatKind;
  last_message?: (Message | null);
  /** The place of its last message. */
  last_seq: number;
  members: Array<ChatMember>;
  /** Whether they want no notices of it. */
  muted: boolean;
  /** How far they have read. */
  read_seq: number;
  /** The number of its last change. */
  rev: number;
  /** What whoever asks may do in it. */
  role: MemberRole;
  /** Which room it is of. */
  room?: string | null;
  /** What a group is called. */
  title?: string | null;
  /** How many messages of others they have not read: 1000 stands for that many or more. */
  unread: number;
}

/** What is to be otherwise. */
export interface ChatChange {
  /** Whether whoever asks wants no notices of it. */
  muted?: boolean | null;
  /** Of a group, by its owner. */
  title?: string | null;
}

/** Whose a chat is. */
export type ChatKind = "direct" | "group" | "room";

/** Somebody in a chat. */
export interface ChatMember {
  account: Id;
  joined_at: UnixMs;
  /** How far they have read, where they let it be seen and whoever asks does too. */
  read_seq?: number | null;
  role: MemberRole;
  username: string;
}

/** Some of the chats. */
export interface Chats {
  /** The most lively first. */
  chats: Array<Chat>;
  /** Asks for more; none where there are no more. */
  next?: string | null;
}

/** With what somebody plays. */
export type Client = "browser" | "native";

/** A crash. */
export interface CrashBody {
  id: Id;
  received_at: UnixMs;
  report: CrashReport;
}

/** Something that a program ran on. */
export interface CrashContext {
  name?: string;
  version?: string;
  /** `os`, `runtime` or `browser`. */
  what?: string;
}

/** Something that failed. */
export interface CrashException {
  /** Where it happened: the last is the innermost. */
  frames?: Array<CrashFrame>;
  /** Of what kind it is. */
  kind?: string;
  /** What it says. */
  value?: string;
}

/** A place in the code. */
export interface CrashFrame {
  file?: string;
  function?: string;
  line?: number | null;
  module?: string;
}

/** A crash, without anything of whom it happened to. */
export interface CrashReport {
  /** What it ran on. */
  contexts?: Array<CrashContext>;
  /** Where it ran: `production`, for one. */
  environment?: string;
  /** What failed, and what that made fail: the last is what was reported. */
  exceptions?: Array<CrashException>;
  /** How bad it was. */
  level?: string;
  /** What the program said, where it reports no exception. */
  message?: string;
  /** What kind of program it was. */
  platform?: string;
  /** Of which version. */
  release?: string;
}

/** A decision. */
export interface Decision {
  /** How long they are suspended, 1 to 365 days; for good if not said. */
  days?: number | null;
  /**
   * For whoever it is about, who reads it: needed for `warned`, `content_removed` and `suspended`;
   * 500 characters at most.
   */
  explanation?: string | null;
  /** For moderators: 1000 characters at most. */
  note: string;
  resolution: Resolution;
}

/** What Apple sends. */
export interface Delivery {
  /** A token that Apple signed, which tells of the events. */
  payload: string;
}

/** A browser that goes to a provider. */
export interface Departure {
  /** The account's, to link another sign-in with it; an account without one was proven lately. */
  current_password?: string | null;
  /** The page to go to afterwards: a path of this server's. */
  next?: string | null;
  purpose: Purpose;
}

/** Where a browser goes. */
export interface Destination {
  /** The provider's own page. */
  url: string;
}

/** Another text. */
export interface Edit {
  /** Up to 4000 characters. What the message carries stays. */
  body: string;
}

/** Another e-mail address. */
export interface EmailChange {
  /** Where a code is sent. */
  email: string;
  /** The account's; one without a password was proven lately. */
  password?: string | null;
}

/** A change that waits for its code. */
export interface EmailChangeBegun {
  /** Goes into the path of the next step. */
  change: Id;
  /** Until when the code of the mail counts. */
  code_expires_at: UnixMs;
}

/** The code of the mail. */
export interface EmailVerification {
  /** Eight digits; spaces and hyphens do not count. */
  code: string;
}

/** An erasure that is to come. */
export interface ErasureBegun {
  /** When everything is deleted, unless it is taken back before. */
  erase_at: UnixMs;
  /** The providers that the account signs in with, each of which is told. */
  providers: Array<ProviderToldBody>;
}

/** Who wants their account back. */
export interface ErasureCancellation {
  /** The e-mail address or the username. */
  login: string;
  /** The password. */
  password: string;
}

/** Who wants their account erased. */
export interface ErasureRequest {
  /** The account's; one without a password was proven lately. */
  current_password?: string | null;
}

/** An archive of what is kept. */
export interface ExportBody {
  /** How large it is, once it can. */
  bytes?: number | null;
  created_at: UnixMs;
  /** When it is deleted. */
  expires_at: UnixMs;
  id: Id;
  /** Whether it can be fetched. */
  state: ExportState;
}

/** The link to an archive. */
export interface ExportLink {
  /** Until when it does. */
  expires_at: UnixMs;
  /** The path that leads to it, once. */
  url: string;
}

/** Who wants to have what is kept of them. */
export interface ExportRequest {
  /** The account's; one without a password was proven lately. */
  current_password?: string | null;
}

/** Whether an archive can be fetched. */
export type ExportState = "waiting" | "ready";

/** What can be used. */
export type Feature = "click" | "take" | "playing_mode" | "soundcheck" | "chat" | "file";

/** Whether sound was looked through. */
export type FileAnalysis = "none" | "waiting" | "done" | "failed";

/** What was said of a moment. */
export interface FileComment {
  at_ms: number;
  author?: (FileCommentAuthor | null);
  created_at: UnixMs;
  id: Id;
  /** Nothing where its author is gone. */
  text: string;
}

/** Who said it. */
export interface FileCommentAuthor {
  account: Id;
  username: string;
}

/** A comment that is there. */
export interface FileCommentId {
  id: Id;
}

/** A link. */
export interface FileLink {
  /** Until when. */
  expires_at: UnixMs;
  /** Where the file is: at this server, unless it names another. */
  url: string;
}

/** How sound looks: of each of up to 1,000 points, the lowest and the highest sample. */
export interface FilePeaks {
  duration_ms?: number | null;
  /** To 127, which is full scale. */
  max: Array<number>;
  /** From -128, which is full scale. */
  min: Array<number>;
}

/** Why a file is removed. */
export interface FileRemoval {
  /** For whoever it is of, who reads it: 500 characters at most. */
  explanation: string;
}

/** Whose password it is. */
export interface Forgotten {
  /** The address of the account. */
  email: string;
}

/** Who was found. */
export interface Found {
  people: Array<PersonBody>;
}

/** Somebody to whom you stand so. */
export interface FriendBody {
  accepted_at?: (UnixMs | null);
  /** When one asked. */
  asked_at: UnixMs;
  person: PersonBody;
}

/** A page of them. */
export interface FriendsPage {
  friends: Array<FriendBody>;
  next?: (Id | null);
}

/** How one account stands to another. */
export type Friendship = "outgoing" | "incoming" | "friends";

/** How you stand to somebody. */
export interface FriendshipBody {
  state: Friendship;
}

/** For whom something is, as GIPHY says. */
export type GifRating = "y" | "g" | "pg" | "pg-13" | "r";

/** Whether somebody agrees. */
export interface GifsAgreement {
  /** That your browser asks GIPHY, which sees your address and what you look for. */
  agreed: boolean;
}

/** Whether there are GIFs, and how. */
export interface GifsBody {
  agreed_at?: (UnixMs | null);
  /** Whether whoever runs this server set them up. */
  available: boolean;
  giphy?: (Giphy | null);
}

/** How GIPHY is asked. */
export interface Giphy {
  /** What the addresses of its routes begin with. */
  api: string;
  key: string;
  /** Nothing beyond this is to be shown. */
  rating: GifRating;
}

export type Id = string;

/** What a provider gave an app. */
export interface IdToken {
  /**
   * The code that came with it, if one did: it lets the server tell the provider when it is over. It is
   * used where somebody is let in, and as good as before where they are not.
   */
  authorization_code?: string | null;
  /** Its ID token. It counts once. */
  id_token: string;
  /** What the app asked with, 16 random characters or more; the token holds it, or its SHA-256. */
  nonce: string;
  /** Which provider: one of those that the server lists. */
  provider: string;
  /** The refresh token instead, where the app got one itself. */
  refresh_token?: string | null;
}

/** A provider that somebody signs in with. */
export interface IdentityBody {
  /**
   * Whether this server can tell it when it is over. An app for which it cannot has its owner asked for
   * their consent when they sign in there the next time, and shows the code that comes of it.
   */
  can_be_told: boolean;
  id: Id;
  linked_at: UnixMs;
  /**
   * Whether mail to the address of the account, which the provider made up, goes nowhere: its owner had
   * the provider stop forwarding it.
   */
  mail_stopped: boolean;
  /** What people call it. */
  name: string;
  /** What the provider is called in paths. */
  provider: string;
}

/** An invite that lets in. */
export interface Invite {
  created_at: UnixMs;
  expires_at: UnixMs;
  id: Id;
  /** Who made it; none where they are gone. */
  made_by?: string | null;
}

/** An invite, and what it is in a link. It is told this once. */
export interface InviteMade {
  expires_at: UnixMs;
  id: Id;
  /** Behind `#invite=` in the room's link. */
  token: string;
}

/** The invites to a room. */
export interface Invites {
  /** The last first. */
  invites: Array<Invite>;
}

/** Something that is kept. */
export interface Kept {
  /** Days, where it is kept for a time. */
  days?: number | null;
  /** Whether it is in the export of an account. */
  exported: boolean;
  /** Its place: a table and a column, or what the names of objects begin with. */
  place: string;
  /** What it is for. */
  purpose: string;
  /** Why it is in none. */
  reason?: string | null;
  /** How long it is kept. */
  until: Until;
  /** Whose it is. */
  whose: Whose;
}

/** Another language. */
export interface LanguageChange {
  /** One that the server has mails in. */
  language: string;
}

/** What somebody may do in a chat. */
export type MemberRole = "owner" | "member";

/** What somebody may do in a group. */
export interface MemberRoleChange {
  role: MemberRole;
}

/** A message, as it stands. */
export interface Message {
  author?: (Person | null);
  /** None where it was deleted. */
  body?: string | null;
  chat: Id;
  client_id?: (Id | null);
  created_at: UnixMs;
  deleted_at?: (UnixMs | null);
  edited_at?: (UnixMs | null);
  /** Its files, in their order. Whoever sees the message may read them. */
  files: Array<MessageFile>;
  gif?: (MessageGif | null);
  id: Id;
  /** Whether it calls whoever reads this: it does not where one of the two blocked the other. */
  mentioned: boolean;
  /** Whom it names. */
  mentions: Array<Person>;
  reactions: Array<Reaction>;
  reply_to?: (Id | null);
  /** The last change of it, among all changes in the chat. */
  rev: number;
  /** Its place in the chat. */
  seq: number;
}

/** What a message says and who said it, for whoever looks at it from outside of its chat. */
export interface MessageExcerpt {
  /** Who wrote it, while they have an account. */
  author?: string | null;
  /** None where it was deleted. */
  body?: string | null;
  created_at: UnixMs;
  deleted_at?: (UnixMs | null);
  edited_at?: (UnixMs | null);
  /** Its files, in their order. */
  files: Array<MessageFile>;
  gif?: (MessageGif | null);
  id: Id;
}

/** A file that a message carries. */
export interface MessageFile {
  file?: (StoredFile | null);
}

/** Something that moves, which whoever reads the message asks of a service elsewhere. */
export interface MessageGif {
  /** Its name there. */
  id: string;
  /** Which service: `giphy`. */
  provider: string;
}

/** Some messages of a chat. */
export interface Messages {
  /** In the order in which they came. */
  messages: Array<Message>;
  /** Whether there are more beyond. */
  more: boolean;
}

/** Messages that were found. */
export interface MessagesFound {
  /** The newest first. */
  messages: Array<Message>;
  next?: (Id | null);
}

/** A chat that is to be. */
export type NewChat = ({
  kind: "direct";
  /** Their username. */
  with: string;
} | {
  kind: "group";
  /** The usernames of who else is in it. */
  members: Array<string>;
  /** What it is called. */
  title: string;
});

/** What is to be said of a moment. */
export interface NewFileComment {
  /** Which moment, from the beginning of the recording. */
  at_ms: number;
  /** 1 to 1,000 characters. */
  text: string;
}

/** Another sign-in, from an app. */
export interface NewIdentity {
  /** The account's; one without a password was proven lately. */
  current_password?: string | null;
  identity: IdToken;
}

/** An invite that is to be. */
export interface NewInvite {
  /** For how long it lets in. */
  days: number;
}

/** Somebody who is to be in a group. */
export interface NewMember {
  /** Their name. */
  username: string;
}

/** The code of the mail, and another password. */
export interface NewPassword {
  /** Eight digits; spaces and hyphens do not count. */
  code: string;
  /** 8 characters to 72 bytes. */
  password: string;
}

/** What moderators should look at. */
export interface NewReport {
  /** The id of the message or the file, or the name of the room: needed for all but a person. */
  item?: string | null;
  kind: ReportKind;
  reason: Reason;
  /** What you want to say: 1000 characters at most. */
  text: string;
  /** Whose doing it is: needed for a person. Of messages and files the server knows. */
  username?: string | null;
}

/** A room that is to be. */
export interface NewRoom {
  /** As it is to stand in the link: letters, digits, `-` and `_`. */
  name: string;
  /** What lets into it while it is private, beside invites. */
  password?: string | null;
  /** What it is called. */
  title: string;
  visibility: Visibility;
}

/** What an account needs. */
export interface NewSignUp {
  /** What the birth date gave. */
  age_token: string;
  /** Where a code is sent. */
  email: string;
  /** The language of mails: `en`, `de`, `tr`, or what else the server has. */
  language?: string | null;
  /** 8 characters to 72 bytes. */
  password: string;
  /** Where the account is kept, for good. */
  region: Region;
  /** 3 to 24 of a-z, 0-9, '.', '_' and '-'. */
  username: string;
}

/** A file that is to come. */
export interface NewUpload {
  /** What it is called: up to 200 characters, which say nothing of what it is. */
  name: string;
  /** Bytes that it will have. */
  size: number;
}

/** Something that you are told. */
export interface NoticeBody {
  created_at: UnixMs;
  /** What a moderator tells you. */
  explanation?: string | null;
  id: Id;
  kind: NoticeKind;
  message?: (NoticeMessage | null);
  person?: (PersonBody | null);
  read_at?: (UnixMs | null);
  report?: (Id | null);
}

/** What somebody is told. */
export type NoticeKind = "friend_asked" | "friend_accepted" | "report_resolved" | "warned" | "content_removed" | "file_removed" | "mentioned" | "answered" | "policy_changed";

/** A message that calls somebody. */
export interface NoticeMessage {
  chat: Id;
  id: Id;
  /** Its place in the chat. */
  seq: number;
}

/** A page of them. */
export interface NoticesPage {
  next?: (Id | null);
  notices: Array<NoticeBody>;
}

/** What lets in. */
export interface PassGiven {
  /** For the `join` of signalling. */
  pass: string;
  /** What whoever asked may do in the room. */
  role: RoomRole;
  /** How long it lets in. */
  seconds: number;
}

/** Why somebody may come, where that is asked. */
export interface PassWanted {
  /** What stands behind `#invite=` in the link. */
  invite?: string | null;
  /** The room's password. */
  password?: string | null;
}

/** Another password. */
export interface PasswordChange {
  /** The one that holds. */
  current_password: string;
  /** 8 characters to 72 bytes. */
  password: string;
}

/** Somebody. */
export interface Person {
  account: Id;
  username: string;
}

/** Somebody, as far as they let whoever looks see it. */
export interface PersonBody {
  /** Who they are, in a few sentences. */
  bio?: string | null;
  friendship?: (Friendship | null);
  id: Id;
  /** What they play. */
  instruments?: Array<string> | null;
  /** What changes when their photo does, if there is one to see. */
  photo?: string | null;
  /** What they are up to. */
  status?: string | null;
  username: string;
}

/** What the page says. */
export interface Policy {
  /** Whom to write to about what is kept; none where the operator said nobody. */
  contact?: string | null;
  /** Everything that is kept. */
  kept: Array<Kept>;
  /** Who else gets something. */
  processors: Array<Processor>;
  /** Where accounts are kept. */
  region: Region;
}

/** The page about privacy. */
export type PolicyBody = (Policy & {
  /** When this version was announced. */
  announced_at: UnixMs;
  /** From when on it holds. */
  takes_effect_at: UnixMs;
});

/** What others see of what somebody does, and what they are told. */
export interface PreferencesBody {
  /**
   * Whether you are told in the app that a message names you or answers yours; as before, where a
   * change does not say.
   */
  mentions?: boolean | null;
  /** Whether they see that you are online, and friends that you jam. */
  presence: boolean;
  /** Whether they see what you have read. */
  read_receipts: boolean;
  /**
   * Whether friends see in which room you jam, where `presence` is on: off until you say so; as before,
   * where a change does not say.
   */
  room?: boolean | null;
  /** Whether they see that you are typing. */
  typing: boolean;
}

/** A problem as it travels. */
export interface Problem {
  /** What it is, for programs. */
  code: ProblemCode;
  /** What was wrong, and what to do. */
  detail: string;
  /** Which field of the body it is about. */
  field?: string | null;
  /** The status of the answer. */
  status: number;
  /** What it is, in a few words. */
  title: string;
  /** The same as `code`, as a URI. */
  type: string;
}

/** Somebody else who gets something of what is kept. */
export interface Processor {
  /** What they get. */
  gets: string;
  /** Who, as the operator configured it: the name of a machine. */
  name: string;
  /** What for. */
  purpose: string;
}

/** A profile, as its owner sees it. */
export interface ProfileBody {
  bio: string;
  instruments: Array<string>;
  /** What changes when the photo does, if there is one. */
  photo?: string | null;
  seen_by: SeenBy;
  status: string;
}

/** Another profile. */
export interface ProfileChange {
  /** Who you are: 500 characters at most. */
  bio: string;
  /** What you play: 10 at most, of 30 characters each. */
  instruments: Array<string>;
  seen_by: SeenBy;
  /** What you are up to: 100 characters at most, on one line. */
  status: string;
}

/** With whom somebody can sign in. */
export interface ProviderBody {
  /** What it is called in paths. */
  id: string;
  /** What people call it. */
  name: string;
}

/** A provider that is told that it is over. */
export interface ProviderToldBody {
  /** Whether this server can tell it; or else whoever asked ends it there themselves. */
  can_be_told: boolean;
  /** What people call it. */
  name: string;
}

/** A room that everybody finds. */
export interface PublicRoom {
  /** As it stands in the link. */
  name: string;
  /** How many are in it on this server. */
  playing: number;
  /** What it is called. */
  title: string;
}

/** A page of them. */
export interface PublicRooms {
  /** After which room the next page begins, if there is one. */
  next?: string | null;
  rooms: Array<PublicRoom>;
}

/** What a browser goes to a provider for. */
export type Purpose = "sign_in" | "link" | "prove";

/** Whether browsers are told what happens, and which are. */
export interface PushBody {
  browsers: Array<PushBrowser>;
  /**
   * What a browser asks its push service with, as `applicationServerKey`; none where this server pushes
   * nothing.
   */
  key?: string | null;
}

/** A browser that is told what happens while no page is open. */
export interface PushBrowser {
  /** Since when. */
  created_at: UnixMs;
  /** Whether it is the one that asks. */
  current: boolean;
  /** What its owner calls the device. */
  device_name: string;
  /** Whose push service it uses. */
  host: string;
  id: Id;
}

/** Who answered with an emoji. */
export interface Reaction {
  accounts: Array<Id>;
  emoji: string;
}

/** Up to which they were read. */
export interface ReadUpTo {
  /** This one, and all before it. */
  up_to: Id;
}

/** How far somebody has read. */
export interface Reading {
  /** The place of the last message that they have read. */
  seq: number;
}

/** What is wrong with it. */
export type Reason = "spam" | "harassment" | "hate" | "sexual" | "violence" | "impersonation" | "copyright" | "underage" | "other";

/** Where an account is kept. It is chosen at the sign-up; whoever runs both servers can move it. */
export type Region = "eu" | "us";

/** A report, as moderators see it. */
export interface ReportBody {
  created_at: UnixMs;
  id: Id;
  /** The id of the message or the file, or the name of the room; empty for a person. */
  item: string;
  kind: ReportKind;
  reason: Reason;
  /** Who made it, while they have an account. */
  reporter?: string | null;
  resolved?: (ResolvedBody | null);
  state: ReportState;
  /** Whose doing it is. */
  subject?: string | null;
  text: string;
}

/** A report, and what it is about. */
export interface ReportDetail {
  account?: (ReportedAccount | null);
  /** What was done about the report, the latest first; 50 lines at most. */
  audit: Array<AuditLine>;
  file?: (ReportedFile | null);
  /** A message that was reported, with up to five before and after it, and what they carry. */
  messages: Array<MessageExcerpt>;
  person?: (ReportedPerson | null);
  report: ReportBody;
}

/** What a report is about. */
export type ReportKind = "person" | "message" | "file" | "room";

/** A report that waits. */
export interface ReportMade {
  id: Id;
}

/** Whether a report was decided on. */
export type ReportState = "open" | "resolved";

/** What an SDK is answered. */
export interface Reported {
  /** The id that it gave the crash. */
  id: string;
}

/** Whose doing it is. */
export interface ReportedAccount {
  erase_at?: (UnixMs | null);
  id: Id;
  /** Whether nobody can sign in to the account. */
  is_suspended: boolean;
  suspended_until?: (UnixMs | null);
  username: string;
}

/** A file that was reported. */
export interface ReportedFile {
  created_at: UnixMs;
  id: Id;
  /** What it is, such as `audio/flac`. */
  media_type: string;
  name: string;
  size: number;
}

/** Somebody who was reported, and what they say of themselves. */
export interface ReportedPerson {
  bio: string;
  id: Id;
  instruments: Array<string>;
  /** Whether nobody can sign in to the account. */
  is_suspended: boolean;
  /** What changes when the photo does, if there is one. */
  photo?: string | null;
  status: string;
  username: string;
}

/** A page of reports. */
export interface ReportsPage {
  next?: (Id | null);
  reports: Array<ReportBody>;
}

/** A reset that waits for its code. */
export interface ResetBegun {
  /** Until when the code of the mail counts. */
  code_expires_at: UnixMs;
  /** Goes into the path of the next step. */
  reset: Id;
}

/** What was decided. */
export type Resolution = "nothing" | "warned" | "content_removed" | "suspended" | "underage";

/** What became of a report. */
export interface ResolvedBody {
  at: UnixMs;
  /** Who decided, while they have an account. */
  by?: string | null;
  /** For whoever it is about. */
  explanation: string;
  /** For moderators. */
  note: string;
  resolution: Resolution;
}

/** What a provider answers by way of a browser. */
export interface Return {
  code?: string;
  /** Why there is no code. */
  error?: string | null;
  /** Who answers, if it says so (RFC 9207). */
  iss?: string | null;
  state?: string;
}

/** What an account may do beside what is its own. */
export type Role = "user" | "moderator" | "admin";

/** Another role. */
export interface RoleChange {
  role: Role;
}

/** A room, as whoever asks may see it. */
export interface Room {
  chat?: (Id | null);
  created_at: UnixMs;
  /** Whether a password lets into it while it is private. */
  has_password: boolean;
  /** For its owner and its moderators: those, who has been it for longest first. */
  moderators: Array<Person>;
  /** As it stands in the link. */
  name: string;
  /** What whoever asks may do in it. */
  role: RoomRole;
  /** What it is called; empty where it is private and whoever asks has no role in it. */
  title: string;
  visibility: Visibility;
}

/** What is to be otherwise. What is left out stays. */
export interface RoomChange {
  /** Another password; `null` for none, and then only invites let in while it is private. */
  password?: string | null;
  title?: string | null;
  visibility?: (Visibility | null);
}

/** What somebody may do in a room. */
export type RoomRole = "guest" | "moderator" | "owner";

/** Some rooms. */
export interface Rooms {
  rooms: Array<Room>;
}

/** Who sees what. */
export interface SeenBy {
  bio: Audience;
  instruments: Audience;
  photo: Audience;
  status: Audience;
}

/** A message that is to be. */
export interface Sending {
  /**
   * Up to 4000 characters. `@username` names somebody who is in the chat. May be empty where the
   * message carries something.
   */
  body: string;
  /** The author's own name for it: however often it is sent, there is one message of this name. */
  client_id: Id;
  /** Files of the author's own, in their order: whoever sees the message may read them. */
  files?: Array<Id>;
  gif?: (MessageGif | null);
  reply_to?: (Id | null);
}

/** A device that is signed in. */
export interface SessionBody {
  created_at: UnixMs;
  /** Whether it is the one that asks. */
  current: boolean;
  /** What its owner calls the device. */
  device_name: string;
  expires_at: UnixMs;
  id: Id;
  /** To the hour. */
  last_used_at: UnixMs;
}

/** Who signs in. */
export interface SignIn {
  /** How the session of this device is carried. */
  carrier?: Carrier;
  /** What to call the device in the list of sessions. */
  device_name?: string | null;
  /** The e-mail address or the username. */
  login: string;
  /** The password. */
  password: string;
}

/** Who signs in with a provider, from an app. */
export interface SignInWithIdentity {
  /** What to call the device in the list of sessions. */
  device_name?: string | null;
  identity: IdToken;
}

/** A sign-up that waits for its code. */
export interface SignUpBegun {
  /** Until when the code of the mail counts. */
  code_expires_at: UnixMs;
  /** Goes into the path of the next step. */
  sign_up: Id;
}

/** What an account needs that a provider vouches for. */
export interface SignUpWithIdentity {
  /** What the birth date gave. */
  age_token: string;
  /** How the session of this device is carried. */
  carrier?: Carrier;
  /** What to call the device in the list of sessions. */
  device_name?: string | null;
  /** Another address than the one that the provider knows; a code goes there. */
  email?: string | null;
  identity?: (IdToken | null);
  /** The language of mails: `en`, `de`, `tr`, or what else the server has. */
  language?: string | null;
  /** Where the account is kept, for good. */
  region: Region;
  /** 3 to 24 of a-z, 0-9, '.', '_' and '-'. */
  username: string;
}

/** Who is signed in, and in which session. */
export interface SignedIn {
  account: AccountBody;
  session: SessionBody;
  /** The session's token, unless it is carried in a cookie. */
  token?: string | null;
}

/** A file. */
export interface StoredFile {
  /** Whose it is. */
  account: Id;
  /** Whether it was found out how long it sounds. */
  analysis: FileAnalysis;
  created_at: UnixMs;
  /** How long it sounds. */
  duration_ms?: number | null;
  height_px?: number | null;
  id: Id;
  /** What it is, such as `audio/flac`. */
  media_type: string;
  name: string;
  size: number;
  /** How wide it is, of a picture. */
  width_px?: number | null;
}

/** Some files, and how much room they take together with all others. */
export interface StoredFiles {
  files: Array<StoredFile>;
  next?: (Id | null);
  /** Bytes that they may have. */
  quota: number;
  /** Bytes that all files have, and will have that are on their way. */
  used: number;
}

/** What a browser got from its push service. */
export interface Subscribing {
  /** The secret that it shares, in base64url. */
  auth: string;
  /** Where it is told. */
  endpoint: string;
  /** Its public key, in base64url. */
  p256dh: string;
}

/** A moment, in milliseconds since 1 January 1970 UTC; how the database keeps every time. */
export type UnixMs = number;

/** Who wants a sign-in unlinked. */
export interface Unlinking {
  /** The account's; one without a password was proven lately. */
  current_password?: string | null;
}

/** Until when something is kept. */
export type Until = "account_erased" | "days" | "done" | "server_gone";

/** A file on its way. */
export interface Upload {
  /** When it is deleted, unless it is complete. */
  expires_at: UnixMs;
  /** Also the id of the file that it becomes. */
  id: Id;
  name: string;
  /** Bytes that are here: the next part begins there. */
  offset: number;
  /** Bytes that it will have. */
  size: number;
}

/** What a file is that is all here. */
export interface UploadCompletion {
  /** The SHA-256 of all its bytes, to be compared, in lower case. */
  sha256?: string | null;
}

/** What happened. */
export interface Usage {
  /** One to 50 things. */
  events: Array<UsageEvent>;
}

/** Whether somebody is counted, and with what their programs report crashes. */
export interface UsageAnswer {
  /** Whether how they use the app may be counted, and crashes of their programs be reported. */
  allowed: boolean;
  /**
   * What a program shows that reports a crash; none where this server takes no reports, or none of
   * theirs.
   */
  crash_key?: string | null;
}

/** Whether somebody is counted. */
export interface UsageChoice {
  /** Whether how they use the app may be counted, and crashes of their programs be reported. */
  allowed: boolean;
}

/** How often something was counted. */
export interface UsageCount {
  /** How often. */
  count: number;
  /** `session` or `feature`. */
  kind: string;
  /** The minutes of all together, where it takes time. */
  minutes: number;
  /** With what somebody played, or what they used. */
  word: string;
}

/** What was counted on a day, of everybody together. */
export interface UsageDay {
  /** What was counted. */
  counts: Array<UsageCount>;
  /** Its first moment, in UTC. */
  day: UnixMs;
  /** How long sessions took, from short to long. */
  lengths: Array<UsageLength>;
  /** How many people were counted. */
  people: number;
}

/** One thing that happened. */
export type UsageEvent = ({
  kind: "session";
  /** How long, a day at most. */
  minutes: number;
  /** With what. */
  with: Client;
} | {
  /** What. */
  feature: Feature;
  kind: "feature";
});

/** How many sessions were about as long. */
export interface UsageLength {
  /** How many. */
  count: number;
  /** At least so many minutes, and less than the next. */
  from_minutes: number;
}

/** Another username. */
export interface UsernameChange {
  /** 3 to 24 of a-z, 0-9, '.', '_' and '-'. */
  username: string;
}

/** The code of the mail. */
export interface Verification {
  /** How the session of this device is carried. */
  carrier?: Carrier;
  /** Eight digits; spaces and hyphens do not count. */
  code: string;
  /** What to call the device in the list of sessions. */
  device_name?: string | null;
}

/** Who finds a room, and who may come. */
export type Visibility = "public" | "unlisted" | "private";

/** How somebody signs in to their account. */
export interface WaysIn {
  /** Whether with a password. */
  has_password: boolean;
  /** With which providers. */
  identities: Array<IdentityBody>;
  /** Until when an account without one counts as proven in this session. */
  proven_until: UnixMs;
}

/** Somebody, by one of the two. */
export interface Whom {
  account?: (Id | null);
  /** Their username. */
  username?: string | null;
}

/** Whose something is. */
export type Whose = "account" | "sign_up" | "device" | "nobody";

/** Every route: what goes into it, and what comes back. */
export interface Routes {
  /** Shows the account. */
  "GET /api/v1/social/account": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: AccountBody;
  };
  /** Lists whom you blocked. */
  "GET /api/v1/social/account/blocks": {
    path: undefined;
    query: { after?: Id };
    headers: undefined;
    body: undefined;
    answer: BlocksPage;
  };
  /** Takes a block back. What it ended stays ended. */
  "DELETE /api/v1/social/account/blocks/{username}": {
    path: { username: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Blocks somebody: neither of you finds, asks or reaches the other, and a friendship ends. */
  "PUT /api/v1/social/account/blocks/{username}": {
    path: { username: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Sends a code to another address. Until it comes back, the account keeps the old one, which is told. */
  "POST /api/v1/social/account/email": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: EmailChange;
    answer: EmailChangeBegun;
  };
  /** Verifies the other address: the account has it, and the old one is deleted once it was told. */
  "POST /api/v1/social/account/email/{change}/verify": {
    path: { change: Id };
    query: undefined;
    headers: undefined;
    body: EmailVerification;
    answer: undefined;
  };
  /** Has the account erased: at once nobody sees it and every device is signed out, and later all is gone. */
  "POST /api/v1/social/account/erasure": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: ErasureRequest;
    answer: ErasureBegun;
  };
  /** Takes an erasure back; sign in afterwards. */
  "POST /api/v1/social/account/erasure/cancel": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: ErasureCancellation;
    answer: undefined;
  };
  /** Takes an erasure back; sign in afterwards. */
  "POST /api/v1/social/account/erasure/cancel-with-identity": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: CancellationWithIdentity;
    answer: undefined;
  };
  /** Lists the archives that were asked for. */
  "GET /api/v1/social/account/exports": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Array<ExportBody>;
  };
  /** Has an archive made of everything that is kept of whoever asks. */
  "POST /api/v1/social/account/exports": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: ExportRequest;
    answer: ExportBody;
  };
  /** Makes a link to an archive, which can be followed once; an earlier one leads nowhere then. */
  "POST /api/v1/social/account/exports/{export}/link": {
    path: { export: Id };
    query: undefined;
    headers: undefined;
    body: ExportRequest;
    answer: ExportLink;
  };
  /** Shows whether there are GIFs, whether you agreed, and how they are asked for. */
  "GET /api/v1/social/account/gifs": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: GifsBody;
  };
  /** Agrees that your browser asks GIPHY, or takes that back. */
  "PUT /api/v1/social/account/gifs": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: GifsAgreement;
    answer: GifsBody;
  };
  /** Says how somebody signs in to their account. */
  "GET /api/v1/social/account/identities": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: WaysIn;
  };
  /** Links a sign-in to the account, from an app. */
  "POST /api/v1/social/account/identities": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewIdentity;
    answer: undefined;
  };
  /** Unlinks a sign-in; its provider is told. The last way in stays. */
  "POST /api/v1/social/account/identities/{identity}/unlink": {
    path: { identity: Id };
    query: undefined;
    headers: undefined;
    body: Unlinking;
    answer: undefined;
  };
  /** Changes the language of mails. */
  "PUT /api/v1/social/account/language": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: LanguageChange;
    answer: undefined;
  };
  /** Lists what you are told, the latest first. */
  "GET /api/v1/social/account/notices": {
    path: undefined;
    query: { after?: Id };
    headers: undefined;
    body: undefined;
    answer: NoticesPage;
  };
  /** Notes that you read what you were told. */
  "POST /api/v1/social/account/notices/read": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: ReadUpTo;
    answer: undefined;
  };
  /** Changes the password; all other devices are signed out. */
  "PUT /api/v1/social/account/password": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: PasswordChange;
    answer: undefined;
  };
  /** Removes your photo. */
  "DELETE /api/v1/social/account/photo": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Changes your photo: a JPEG, PNG or WebP of 8 MiB at most. Only a square from its middle is kept. */
  "PUT /api/v1/social/account/photo": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: Blob;
    answer: undefined;
  };
  /** Shows what others see of what you do. */
  "GET /api/v1/social/account/preferences": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: PreferencesBody;
  };
  /** Changes what others see of what you do. */
  "PUT /api/v1/social/account/preferences": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: PreferencesBody;
    answer: undefined;
  };
  /** Shows your profile. */
  "GET /api/v1/social/account/profile": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: ProfileBody;
  };
  /** Changes your profile. */
  "PUT /api/v1/social/account/profile": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: ProfileChange;
    answer: undefined;
  };
  /** Lists the browsers that are told what happens, the oldest first. */
  "GET /api/v1/social/account/push": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: PushBody;
  };
  /**
   * Has this browser told what happens for as long as this session lasts, instead of what it asked for
   * before.
   */
  "PUT /api/v1/social/account/push": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: Subscribing;
    answer: undefined;
  };
  /** Has a browser of yours told no more. */
  "DELETE /api/v1/social/account/push/{browser}": {
    path: { browser: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Tells whether how the app is used may be counted, and its crashes be reported. */
  "GET /api/v1/social/account/usage": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: UsageAnswer;
  };
  /** Objects to being counted, or takes that back. It holds at once; what is of the present day is deleted. */
  "PUT /api/v1/social/account/usage": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: UsageChoice;
    answer: undefined;
  };
  /** Changes the username. */
  "PUT /api/v1/social/account/username": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: UsernameChange;
    answer: undefined;
  };
  /** Looks for accounts by how their names begin, 20 at most; or lists those that have a role. */
  "GET /api/v1/social/admin/accounts": {
    path: undefined;
    query: { q?: string };
    headers: undefined;
    body: undefined;
    answer: AdminAccounts;
  };
  /** Gives somebody else's account a role. */
  "PUT /api/v1/social/admin/accounts/{account}/role": {
    path: { account: Id };
    query: undefined;
    headers: undefined;
    body: RoleChange;
    answer: undefined;
  };
  /** Shows what makes programs crash. */
  "GET /api/v1/social/admin/crashes": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Array<CauseBody>;
  };
  /** Deletes a crash, and all others of the same cause. */
  "DELETE /api/v1/social/admin/crashes/{crash}": {
    path: { crash: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Shows a crash. */
  "GET /api/v1/social/admin/crashes/{crash}": {
    path: { crash: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: CrashBody;
  };
  /** Shows how the app is used, day by day, of everybody together. */
  "GET /api/v1/social/admin/usage": {
    path: undefined;
    query: { since: UnixMs };
    headers: undefined;
    body: undefined;
    answer: Array<UsageDay>;
  };
  /** Asks for the birth date, before anything else. */
  "POST /api/v1/social/age": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: BirthDate;
    answer: AgeAnswer;
  };
  /** Lists the chats that somebody is in. */
  "GET /api/v1/social/chats": {
    path: undefined;
    query: { cursor?: string };
    headers: undefined;
    body: undefined;
    answer: Chats;
  };
  /** Makes a group, or a direct chat if there is none yet of the two. */
  "POST /api/v1/social/chats": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewChat;
    answer: Chat;
  };
  /** Shows a chat. */
  "GET /api/v1/social/chats/{chat}": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Chat;
  };
  /** Changes what a group is called, or whether one wants notices of a chat. */
  "PATCH /api/v1/social/chats/{chat}": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: ChatChange;
    answer: Chat;
  };
  /** Shows what changed in a chat since a client last looked: new messages, and others as they stand. */
  "GET /api/v1/social/chats/{chat}/changes": {
    path: { chat: Id };
    query: { after: number; limit?: number };
    headers: undefined;
    body: undefined;
    answer: Changes;
  };
  /** Leaves a group, which then belongs to whoever has been in it for longest, if nobody else owns it. */
  "POST /api/v1/social/chats/{chat}/leave": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Lets somebody into a group, who sees what comes from then on. */
  "POST /api/v1/social/chats/{chat}/members": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: NewMember;
    answer: Chat;
  };
  /** Takes somebody out of a group. */
  "DELETE /api/v1/social/chats/{chat}/members/{account}": {
    path: { chat: Id; account: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Makes somebody an owner of a group, or a member like others. A group always has an owner. */
  "PUT /api/v1/social/chats/{chat}/members/{account}/role": {
    path: { chat: Id; account: Id };
    query: undefined;
    headers: undefined;
    body: MemberRoleChange;
    answer: undefined;
  };
  /** Shows messages of a chat by their place. */
  "GET /api/v1/social/chats/{chat}/messages": {
    path: { chat: Id };
    query: { before?: number; after?: number; limit?: number };
    headers: undefined;
    body: undefined;
    answer: Messages;
  };
  /**
   * Sends a message. What is answered here is on the disk; sent again under the same `client_id`, the
   * answer is the same.
   */
  "POST /api/v1/social/chats/{chat}/messages": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: Sending;
    answer: Message;
  };
  /** Notes how far somebody has read a chat. It never goes back. */
  "PUT /api/v1/social/chats/{chat}/read": {
    path: { chat: Id };
    query: undefined;
    headers: undefined;
    body: Reading;
    answer: undefined;
  };
  /** What is in a file that a link leads to. */
  "GET /api/v1/social/content/{token}": {
    path: { token: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Blob;
  };
  /** Shows the JSON Schema that the files of an archive follow. */
  "GET /api/v1/social/export-schema.json": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Blob;
  };
  /** Fetches an archive by its link, which leads nowhere then. */
  "GET /api/v1/social/exports/{token}": {
    path: { token: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Blob;
  };
  /** Lists your files, the newest first. */
  "GET /api/v1/social/files": {
    path: undefined;
    query: { before?: Id };
    headers: undefined;
    body: undefined;
    answer: StoredFiles;
  };
  /** Deletes a file of yours, for everybody. Messages that carry it show that it is gone. */
  "DELETE /api/v1/social/files/{file}": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Shows a file that is yours, or that somebody gave you. */
  "GET /api/v1/social/files/{file}": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: StoredFile;
  };
  /** Lists what was said of a recording, in its order. */
  "GET /api/v1/social/files/{file}/comments": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Array<FileComment>;
  };
  /** Says something of a moment of a recording. */
  "POST /api/v1/social/files/{file}/comments": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: NewFileComment;
    answer: FileCommentId;
  };
  /** Deletes what you said of a recording, or what anybody said of yours. */
  "DELETE /api/v1/social/files/{file}/comments/{comment}": {
    path: { file: Id; comment: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** What is in a file; in ranges, too. */
  "GET /api/v1/social/files/{file}/content": {
    path: { file: Id };
    query: undefined;
    headers: { range?: string | null };
    body: undefined;
    answer: Blob;
  };
  /** Makes a link to a file, which anybody may follow for 15 minutes. */
  "POST /api/v1/social/files/{file}/link": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: FileLink;
  };
  /** Shows how a recording looks. */
  "GET /api/v1/social/files/{file}/peaks": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: FilePeaks;
  };
  /** A small picture of a picture. */
  "GET /api/v1/social/files/{file}/thumbnail": {
    path: { file: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Blob;
  };
  /** Lists your friends, or whom you asked, or who asked you. */
  "GET /api/v1/social/friends": {
    path: undefined;
    query: { state?: Friendship; after?: Id };
    headers: undefined;
    body: undefined;
    answer: FriendsPage;
  };
  /** Declines, takes back a question, or ends a friendship; the other is not told. */
  "DELETE /api/v1/social/friends/{username}": {
    path: { username: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Asks somebody to be friends, or accepts where they asked you. */
  "PUT /api/v1/social/friends/{username}": {
    path: { username: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: FriendshipBody;
  };
  /** Lists with whom somebody can sign in here, beside a password. */
  "GET /api/v1/social/identity/providers": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Array<ProviderBody>;
  };
  /** Tells a page of this server's where to lead its browser, which gets a cookie for the way back. */
  "POST /api/v1/social/identity/{provider}/begin": {
    path: { provider: string };
    query: undefined;
    headers: undefined;
    body: Departure;
    answer: Destination;
  };
  /** Where a provider leads a browser back to, which is led on to a page. */
  "GET /api/v1/social/identity/{provider}/callback": {
    path: { provider: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** The same where the provider has the browser send a form, as Apple does. */
  "POST /api/v1/social/identity/{provider}/callback": {
    path: { provider: string };
    query: undefined;
    headers: undefined;
    body: Blob;
    answer: undefined;
  };
  /** Takes what a provider tells by itself of somebody who signs in with it, as Apple does. */
  "POST /api/v1/social/identity/{provider}/events": {
    path: { provider: string };
    query: undefined;
    headers: undefined;
    body: Delivery;
    answer: undefined;
  };
  /** Opens the WebSocket over which messages come at once (docs/chat.md). */
  "GET /api/v1/social/live": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /**
   * Deletes a message: what it says is gone for everybody, and that there was one stays. Its author may,
   * and whoever owns the group.
   */
  "DELETE /api/v1/social/messages/{message}": {
    path: { message: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Gives a message another text, by its author. What it said before is kept nowhere. */
  "PATCH /api/v1/social/messages/{message}": {
    path: { message: Id };
    query: undefined;
    headers: undefined;
    body: Edit;
    answer: Message;
  };
  /** Takes an emoji back. */
  "DELETE /api/v1/social/messages/{message}/reactions/{emoji}": {
    path: { message: Id; emoji: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Message;
  };
  /** Puts an emoji on a message. */
  "PUT /api/v1/social/messages/{message}/reactions/{emoji}": {
    path: { message: Id; emoji: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Message;
  };
  /** Lets somebody who is suspended sign in again. */
  "DELETE /api/v1/social/moderation/accounts/{account}/suspension": {
    path: { account: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Lists reports, the oldest first. */
  "GET /api/v1/social/moderation/reports": {
    path: undefined;
    query: { state?: ReportState; after?: Id };
    headers: undefined;
    body: undefined;
    answer: ReportsPage;
  };
  /** Shows a report and what it is about. */
  "GET /api/v1/social/moderation/reports/{report}": {
    path: { report: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: ReportDetail;
  };
  /** What is in a file that was reported; in ranges, too. */
  "GET /api/v1/social/moderation/reports/{report}/file": {
    path: { report: Id };
    query: undefined;
    headers: { range?: string | null };
    body: undefined;
    answer: Blob;
  };
  /** What is in a file of a message that a report shows; in ranges, too. */
  "GET /api/v1/social/moderation/reports/{report}/files/{file}": {
    path: { report: Id; file: Id };
    query: undefined;
    headers: { range?: string | null };
    body: undefined;
    answer: Blob;
  };
  /** Removes a file of a message that a report shows, for everybody. Whoever it is of is told why. */
  "POST /api/v1/social/moderation/reports/{report}/files/{file}/remove": {
    path: { report: Id; file: Id };
    query: undefined;
    headers: undefined;
    body: FileRemoval;
    answer: undefined;
  };
  /** Shows the photo of a person who was reported. */
  "GET /api/v1/social/moderation/reports/{report}/photo": {
    path: { report: Id };
    query: { size?: number };
    headers: undefined;
    body: undefined;
    answer: Blob | undefined;
  };
  /** Decides on a report. Whoever made it is told that, and not how; whoever it is about is told why. */
  "POST /api/v1/social/moderation/reports/{report}/resolve": {
    path: { report: Id };
    query: undefined;
    headers: undefined;
    body: Decision;
    answer: undefined;
  };
  /** Sends a code to the address, if it has an account; the answer does not tell. */
  "POST /api/v1/social/password-resets": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: Forgotten;
    answer: ResetBegun;
  };
  /** Gives the account another password; every device is signed out, and this one is known to the account. */
  "POST /api/v1/social/password-resets/{reset}/complete": {
    path: { reset: Id };
    query: undefined;
    headers: undefined;
    body: NewPassword;
    answer: undefined;
  };
  /** Looks for people whose usernames begin with something; 20 at most, in the order of their names. */
  "GET /api/v1/social/people": {
    path: undefined;
    query: { q: string };
    headers: undefined;
    body: undefined;
    answer: Found;
  };
  /** Looks at somebody by their username. */
  "GET /api/v1/social/people/{username}": {
    path: { username: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: PersonBody;
  };
  /** Shows somebody's photo, if they let you see it. */
  "GET /api/v1/social/people/{username}/photo": {
    path: { username: string };
    query: { size?: number };
    headers: undefined;
    body: undefined;
    answer: Blob | undefined;
  };
  /** Says what is kept, of whom, what for and how long, and who else gets it. */
  "GET /api/v1/social/privacy": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: PolicyBody;
  };
  /** Lists the rooms that everybody may find. */
  "GET /api/v1/social/public-rooms": {
    path: undefined;
    query: { after?: string };
    headers: undefined;
    body: undefined;
    answer: PublicRooms;
  };
  /** Reports something to the moderators. You are told when they decided. */
  "POST /api/v1/social/reports": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewReport;
    answer: ReportMade;
  };
  /** Lists the rooms that one owns, then those that one moderates. */
  "GET /api/v1/social/rooms": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Rooms;
  };
  /** Makes a room one's own, whose name nobody owns and in which nobody plays. */
  "POST /api/v1/social/rooms": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewRoom;
    answer: Room;
  };
  /** Gives a room up, and deletes its chat. Those who play go on, in a room that nobody owns. */
  "DELETE /api/v1/social/rooms/{room}": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Shows a room that somebody owns. */
  "GET /api/v1/social/rooms/{room}": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Room;
  };
  /** Changes what a room is called, who finds it and who may come. Those who are in it stay. */
  "PATCH /api/v1/social/rooms/{room}": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: RoomChange;
    answer: Room;
  };
  /** Lists who is banned from the room. */
  "GET /api/v1/social/rooms/{room}/bans": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Bans;
  };
  /** Bans somebody from the room: they are taken out of it and out of its chat, and get no pass. */
  "POST /api/v1/social/rooms/{room}/bans": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: Whom;
    answer: undefined;
  };
  /** Takes a ban back. */
  "DELETE /api/v1/social/rooms/{room}/bans/{account}": {
    path: { room: string; account: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Lists the invites that let into the room. */
  "GET /api/v1/social/rooms/{room}/invites": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Invites;
  };
  /** Makes an invite to the room. */
  "POST /api/v1/social/rooms/{room}/invites": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: NewInvite;
    answer: InviteMade;
  };
  /** Takes an invite back. Those who came in by it stay. */
  "DELETE /api/v1/social/rooms/{room}/invites/{invite}": {
    path: { room: string; invite: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Makes somebody a moderator of the room. */
  "POST /api/v1/social/rooms/{room}/moderators": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: Whom;
    answer: undefined;
  };
  /** Ends that somebody moderates the room, or that one does oneself. */
  "DELETE /api/v1/social/rooms/{room}/moderators/{account}": {
    path: { room: string; account: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /**
   * Gives a pass for a room that somebody owns: to its owner and its moderators, to whoever has password
   * or invite of a private one, and to everybody for others.
   */
  "POST /api/v1/social/rooms/{room}/pass": {
    path: { room: string };
    query: undefined;
    headers: undefined;
    body: PassWanted;
    answer: PassGiven;
  };
  /** Looks for messages in all chats that somebody is in. */
  "GET /api/v1/social/search/messages": {
    path: undefined;
    query: { q?: string; audio?: boolean; chat?: Id; from?: string; since?: UnixMs; until?: UnixMs; cursor?: Id };
    headers: undefined;
    body: undefined;
    answer: MessagesFound;
  };
  /** Signs all other devices out. */
  "DELETE /api/v1/social/sessions": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Lists the devices that are signed in. */
  "GET /api/v1/social/sessions": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Array<SessionBody>;
  };
  /** Signs in. */
  "POST /api/v1/social/sessions": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: SignIn;
    answer: SignedIn;
  };
  /** Signs this device out. */
  "DELETE /api/v1/social/sessions/current": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Signs an app in with what a provider gave it. */
  "POST /api/v1/social/sessions/identity": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: SignInWithIdentity;
    answer: SignedIn;
  };
  /** Signs a device out. */
  "DELETE /api/v1/social/sessions/{session}": {
    path: { session: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Signs up: a code goes to the e-mail address. */
  "POST /api/v1/social/sign-ups": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewSignUp;
    answer: SignUpBegun;
  };
  /** Makes an account for whoever a provider vouches for. */
  "POST /api/v1/social/sign-ups/identity": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: SignUpWithIdentity;
    answer: SignUpBegun | SignedIn;
  };
  /** Sends another code; the earlier one counts no more. */
  "POST /api/v1/social/sign-ups/{sign_up}/code": {
    path: { sign_up: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: SignUpBegun;
  };
  /** Verifies the e-mail address: the sign-up becomes an account, which is signed in. */
  "POST /api/v1/social/sign-ups/{sign_up}/verify": {
    path: { sign_up: Id };
    query: undefined;
    headers: undefined;
    body: Verification;
    answer: SignedIn;
  };
  /** Begins a file. */
  "POST /api/v1/social/uploads": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: NewUpload;
    answer: Upload;
  };
  /** Gives a file up that is on its way. */
  "DELETE /api/v1/social/uploads/{upload}": {
    path: { upload: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: undefined;
  };
  /** Tells how much of a file is here. */
  "GET /api/v1/social/uploads/{upload}": {
    path: { upload: Id };
    query: undefined;
    headers: undefined;
    body: undefined;
    answer: Upload;
  };
  /** Sends the next part of a file, of up to 8 MiB, and at least the first 64 bytes at once. */
  "PATCH /api/v1/social/uploads/{upload}": {
    path: { upload: Id };
    query: undefined;
    headers: { "upload-offset": number };
    body: Blob;
    answer: Upload;
  };
  /** Makes a file of what was sent. Asked again, it answers the same. */
  "POST /api/v1/social/uploads/{upload}/complete": {
    path: { upload: Id };
    query: undefined;
    headers: undefined;
    body: UploadCompletion;
    answer: StoredFile;
  };
  /** Counts how the app was used. */
  "POST /api/v1/social/usage": {
    path: undefined;
    query: undefined;
    headers: undefined;
    body: Usage;
    answer: undefined;
  };
  /** Takes a crash, as Sentry's SDKs report it: an envelope. */
  "POST /api/{project}/envelope/": {
    path: { project: string };
    query: undefined;
    headers: undefined;
    body: Blob;
    answer: Reported;
  };
}
