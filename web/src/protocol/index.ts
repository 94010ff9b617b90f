// Written by `cargo xtask generate` from the Rust types in protocol/src/signal.rs. Never edited by hand.

/** The version of the protocol that these types describe. */
export const VERSION = 1;

/** Characters of a room's name. */
export const ROOM_NAME_CHARS_MAX = 64;

/** Characters of a participant's name. */
export const PARTICIPANT_NAME_CHARS_MAX = 48;

/** Characters of one chat message. */
export const CHAT_TEXT_CHARS_MAX = 2000;

/** Participants in one room. */
export const ROOM_PARTICIPANTS_MAX = 32;

/** Beats of a bar. */
export const BAR_BEATS_MAX = 16;

/** Tempi of a click that are told at once. */
export const CLICK_SEGMENTS_MAX = 4;

/** The slowest click, in thousandths of a beat a minute. */
export const TEMPO_MILLIBPM_MIN = 20000;

/** The fastest. */
export const TEMPO_MILLIBPM_MAX = 400000;

/** Characters of a take's title and of a marker. */
export const TAKE_TITLE_CHARS_MAX = 64;

/** The rate of every track, on every path. */
export const SAMPLE_RATE_HZ = 48000;

/**
 * How a beat sounds.
 */
export type BeatStrength = "accent" | "normal" | "silent";

/**
 * Why the server ends a connection.
 */
export type ByeReason = "left" | "server_closing" | "replaced" | "misbehaved" | "timed_out" | "refused" | "removed";

/**
 * What an app can play.
 */
export type Capabilities = {
/**
 * Who plays.
 */
engine: EngineKind,
/**
 * Codecs that it decodes; everybody decodes `opus`.
 */
decodes: Array<Codec>, };

/**
 * One thing said in the room.
 */
export type ChatMessage = {
/**
 * Rising within the room.
 */
id: number,
/**
 * Who said it.
 */
participant: ParticipantId,
/**
 * Their name at that moment; they may be gone.
 */
name: string,
/**
 * What they said.
 */
text: string,
/**
 * Milliseconds since the Unix epoch, by the server's clock.
 */
at_unix_ms: number, };

/**
 * A stretch of the click with one tempo and one meter, until the next one begins.
 */
export type ClickSegment = {
/**
 * When its first beat is.
 */
start_us: number,
/**
 * The number of its first bar. Bars before 1 are counted in.
 */
bar: number,
/**
 * Beats in a minute, times 1000.
 */
tempo_millibpm: number,
/**
 * What note a beat is: 4 for a quarter.
 */
unit: number,
/**
 * A bar, beat by beat.
 */
beats: Array<BeatStrength>, };

/**
 * What an app sends: a request with an optional number that the answer repeats.
 */
export type ClientEnvelope = {
/**
 * Chosen by the app; errors and answers to this message repeat it.
 */
request?: number, } & ClientMessage;

/**
 * A message from an app.
 */
export type ClientMessage = { "type": "join",
/**
 * [`VERSION`].
 */
version: number,
/**
 * The room, made if it is not there.
 */
room: RoomId,
/**
 * How the participant wants to be called.
 */
name: string,
/**
 * What the app can play and how.
 */
capabilities: Capabilities,
/**
 * The `seat` of an earlier `joined`, to come back into it after the network dropped.
 */
seat?: string,
/**
 * What the accounts' routes gave for this room less than
 * [`crate::limits::PASS_LIFE_SECONDS`] ago: lets into a private room, and says who comes. A
 * seat needs none.
 */
pass?: string, } | { "type": "connect",
/**
 * The newest `ticket` that the server gave.
 */
ticket: string,
/**
 * The app's half of the link.
 */
description: Description, } | { "type": "publish",
/**
 * The track, named by the publisher (`mic`, `guitar`), 1 to
 * [`crate::limits::TRACK_LABEL_CHARS_MAX`] characters; the same label means the same track.
 */
label: string,
/**
 * 1 or 2.
 */
channels: number,
/**
 * What the publisher could send, most wanted first. `auto` is `["opus-64", "opus"]`.
 */
codecs: Array<Codec>,
/**
 * Where each codec's packets come from, one source for each. A codec without a source is
 * not available; `opus` may have a source without being wanted, for ordinary players.
 */
sources: Array<Source>, } | { "type": "unpublish",
/**
 * The track.
 */
track: TrackId, } | { "type": "mute",
/**
 * One's own track.
 */
track: TrackId,
/**
 * Whether nobody hears it.
 */
muted: boolean, } | { "type": "silence",
/**
 * Who.
 */
participant: ParticipantId,
/**
 * Whether nobody hears them.
 */
on: boolean, } | { "type": "remove",
/**
 * Who.
 */
participant: ParticipantId, } | { "type": "chat",
/**
 * 1 to [`crate::limits::CHAT_TEXT_CHARS_MAX`] characters.
 */
text: string, } | { "type": "reception",
/**
 * Each at most once.
 */
streams: Array<StreamReception>, } | { "type": "hearing",
/**
 * Each at most once.
 */
tracks: Array<TrackHearing>,
/**
 * What one's own sound card and computer are like, for the server's conclusions
 * ([`ServerMessage::Findings`]); nobody else is told.
 */
device?: DeviceReport,
/**
 * What one's own way to the server is like; as `device`.
 */
network?: NetworkReport, } | { "type": "lead",
/**
 * Whether one leads from now on.
 */
leading: boolean, } | { "type": "click",
/**
 * In order of time, at most [`crate::limits::CLICK_SEGMENTS_MAX`].
 */
segments: Array<ClickSegment>, } | { "type": "mode",
/**
 * What holds from now on.
 */
mode: PlayingMode, } | { "type": "start_take",
/**
 * What it is called, at most [`crate::limits::TAKE_TITLE_CHARS_MAX`] characters; `Take 3` where it is empty.
 */
title: string,
/**
 * When it begins, by the room's clock.
 */
start_us: number, } | { "type": "stop_take",
/**
 * When, by the room's clock.
 */
stop_us: number, } | { "type": "mark_take",
/**
 * Which, by the room's clock.
 */
at_us: number,
/**
 * What is there, at most [`crate::limits::TAKE_TITLE_CHARS_MAX`] characters.
 */
text: string, } | { "type": "around",
/**
 * As far as the app can tell.
 */
delay_us: number, } | { "type": "look",
/**
 * The room, which is not made by it.
 */
room: RoomId, } | { "type": "ping", } | { "type": "leave", };

/**
 * How the audio of one encoding is coded.
 */
export type Codec = "opus" | "opus-64" | "pcm";

/**
 * One half of a media link.
 */
export type Description = { "kind": "sdp",
/**
 * RFC 8866, as `RTCPeerConnection` gives and takes it.
 */
sdp: string, } | { "kind": "direct",
/**
 * ICE username fragment and password, DTLS fingerprint.
 */
link: LinkParameters,
/**
 * Addresses (`ip:port`, UDP) where media is taken; empty from an app, which is found by
 * its STUN requests.
 */
candidates: Array<string>, };

/**
 * What a participant's sound card and computer are like; what is not known is left out.
 */
export type DeviceReport = {
/**
 * How long a period of the device is.
 */
period_us?: number,
/**
 * From the microphone to the engine, as the driver says it, a period included.
 */
input_latency_us?: number,
/**
 * From the engine to the loudspeaker, as the driver says it.
 */
output_latency_us?: number,
/**
 * How often the device ran out of audio, or of room, since it was told last.
 */
missed?: number,
/**
 * The part of the time that the callbacks worked since it was told last, in a thousand.
 */
load_permille?: number,
/**
 * How many others are not heard because the computer is too slow.
 */
left_out?: number, };

/**
 * Who turns packets into sound.
 */
export type EngineKind = "native" | "browser" | "standard";

/**
 * What was wrong with a request.
 */
export type ErrorCode = "malformed" | "too_large" | "version" | "out_of_order" | "bad_name" | "room_full" | "server_full" | "seat_gone" | "bad_ticket" | "bad_description" | "too_many" | "no_such_track" | "bad_track" | "media_refused" | "link_closed" | "over_rate" | "bad_text" | "not_leading" | "bad_click" | "bad_take" | "pass_wanted" | "bad_pass" | "banned" | "removed" | "not_allowed" | "no_such_participant" | "try_again" | "too_fast";

/**
 * One thing that costs the room delay or sound.
 */
export type Finding = {
/**
 * For programs.
 */
code: FindingCode,
/**
 * Whose it is; left out where it is everybody's.
 */
about?: ParticipantId,
/**
 * How bad it is.
 */
severity: Severity,
/**
 * For people: one sentence with the cause and the cure, the same for everybody.
 */
text: string, };

/**
 * What kind of thing a [`Finding`] is. Between them they tell device, network, distance and computer apart.
 */
export type FindingCode = "large_period" | "slow_device" | "shaky_network" | "uplink_loss" | "downlink_loss" | "far_away" | "far_server" | "slow_computer" | "ordinary_player" | "long_packets" | "chosen_delay" | "other";

/**
 * Why a participant is gone.
 */
export type LeaveReason = "left" | "lost" | "removed";

/**
 * What each end of a media link must know of the other (RFC 8445 §5.3, RFC 8122 §5).
 */
export type LinkParameters = {
/**
 * ICE username fragment, 4 to 256 characters.
 */
ice_ufrag: string,
/**
 * ICE password, 22 to 256 characters.
 */
ice_pwd: string,
/**
 * SHA-256 of the DTLS certificate: 32 bytes in capital hex, colons between.
 */
fingerprint: string, };

/**
 * What a participant's way to the server and back is like, by the exchanges of the room's clock.
 */
export type NetworkReport = {
/**
 * The quickest of late: distance.
 */
round_trip_us: number,
/**
 * What nine of ten differ from the one before by, at most: jitter.
 */
jitter_us: number, };

/**
 * Somebody in the room.
 */
export type Participant = {
/**
 * Who.
 */
id: ParticipantId,
/**
 * How they want to be called.
 */
name: string,
/**
 * What plays for them.
 */
engine: EngineKind,
/**
 * Whether they are there or their seat is kept.
 */
presence: Presence,
/**
 * What they publish.
 */
tracks: Array<Track>,
/**
 * What they may do; none where nobody owns the room.
 */
role?: RoomRole,
/**
 * The id of their account, where somebody owns the room and they came with one.
 */
account?: string,
/**
 * Whether the owner or a moderator has nobody hear them; left out where not.
 */
silenced?: boolean, };

/**
 * A person in a room; unique on the server for as long as it runs, never given twice.
 */
export type ParticipantId = number;

/**
 * How late everybody hears everybody.
 */
export type PlayingMode = "tight" | "aligned" | "beat";

/**
 * Whether a participant is reachable.
 */
export type Presence = "online" | "away";

/**
 * The name of a room as it stands in its link.
 */
export type RoomId = string;

/**
 * What somebody may do in a room that an account owns.
 */
export type RoomRole = "guest" | "moderator" | "owner";

/**
 * The shared state of a room; whole in every message, the newest is the truth.
 */
export type RoomState = {
/**
 * Who leads: only they set click and mode. Nobody: everybody may.
 */
leader?: ParticipantId,
/**
 * The click, in order of time; empty: there is none.
 */
click: Array<ClickSegment>,
/**
 * How everybody hears everybody, unless they choose otherwise for themselves.
 */
mode: PlayingMode,
/**
 * Takes, oldest first; the one that has no end is being recorded.
 */
takes: Array<Take>, };

/**
 * Somebody in a room, for one who looks at it from outside.
 */
export type SeenParticipant = {
/**
 * How they want to be called.
 */
name: string,
/**
 * What plays for them.
 */
engine: EngineKind,
/**
 * Whether they are there or their seat is kept.
 */
presence: Presence,
/**
 * What their own sound would take through the server and back: as they say, or as they and others hear each
 * other. Half of it, and half of one's own, is the delay between the two. Left out where nobody knows.
 */
around_us?: number, };

/**
 * What signalling sends.
 */
export type ServerEnvelope = {
/**
 * The number of the request that this answers.
 */
request?: number, } & ServerMessage;

/**
 * A message from signalling.
 */
export type ServerMessage = { "type": "joined",
/**
 * [`VERSION`].
 */
version: number,
/**
 * The room, in its canonical spelling.
 */
room: RoomId,
/**
 * Who the app is.
 */
participant: ParticipantId,
/**
 * Opens the media link with `connect`, within [`Self::Joined::ticket_seconds`].
 */
ticket: string,
/**
 * How long the ticket holds; the server sends `ticket` before it ends.
 */
ticket_seconds: number,
/**
 * Comes back into this seat after the network dropped. Keep it secret.
 */
seat: string,
/**
 * How long the seat is kept after the WebSocket is gone.
 */
seat_seconds: number,
/**
 * Everybody in the room, oneself included.
 */
participants: Array<Participant>,
/**
 * The last things said in the room, oldest first.
 */
chat: Array<ChatMessage>,
/**
 * Whether this continues an earlier seat.
 */
resumed: boolean, } | { "type": "connected",
/**
 * An SDP answer to an SDP offer, direct parameters to direct ones.
 */
description: Description, } | { "type": "published",
/**
 * Its id.
 */
track: TrackId,
/**
 * Its label, as published.
 */
label: string, } | { "type": "ticket",
/**
 * As in `joined`.
 */
ticket: string,
/**
 * As in `joined`.
 */
ticket_seconds: number, } | { "type": "participant",
/**
 * The participant as it is.
 */
participant: Participant, } | { "type": "participant_left",
/**
 * Who.
 */
participant: ParticipantId,
/**
 * Why.
 */
reason: LeaveReason, } | { "type": "streams",
/**
 * All of them.
 */
streams: Array<Stream>, } | { "type": "slots_wanted",
/**
 * Audio m-lines to receive, in total.
 */
slots: number, } | { "type": "encodings_wanted",
/**
 * One's own track.
 */
track: TrackId,
/**
 * What to send; never empty.
 */
codecs: Array<Codec>,
/**
 * How many earlier codec frames each RED packet repeats, because some of them get lost: 0 to
 * 2. Nothing is repeated in packets of bare `opus`.
 */
redundant_frames: number,
/**
 * Why, in words for the publisher, where it is not simply what was asked for.
 */
reason?: string, } | { "type": "uplink",
/**
 * One's own track.
 */
track: TrackId,
/**
 * The encoding.
 */
codec: Codec,
/**
 * Packets that arrived in that second.
 */
received_packets: number,
/**
 * Packets missing by their sequence numbers.
 */
lost_packets: number,
/**
 * Interarrival jitter (RFC 3550 §6.4.1).
 */
jitter_us: number, } | { "type": "hearing",
/**
 * Who hears.
 */
listener: ParticipantId,
/**
 * Whom, and how.
 */
tracks: Array<TrackHearing>, } | { "type": "room",
/**
 * The whole of it.
 */
state: RoomState, } | { "type": "findings",
/**
 * What there is most to win by first; few.
 */
findings: Array<Finding>, } | { "type": "chat",
/**
 * The message.
 */
message: ChatMessage, } | { "type": "seen",
/**
 * The room, in its canonical spelling.
 */
room: RoomId,
/**
 * Who is in it; nobody where there is no such room.
 */
participants: Array<SeenParticipant>, } | { "type": "pong", } | { "type": "error",
/**
 * For programs.
 */
code: ErrorCode,
/**
 * For people: what was wrong and what to do.
 */
text: string, } | { "type": "bye",
/**
 * For programs.
 */
reason: ByeReason,
/**
 * For people.
 */
text: string, };

/**
 * How bad a [`Finding`] is.
 */
export type Severity = "slight" | "serious";

/**
 * Where the packets of one codec of a track come from.
 */
export type Source = {
/**
 * The codec that this source carries.
 */
codec: Codec,
/**
 * The packet stream: of RTP, or of the RTP packets inside data channel messages.
 */
ssrc: Ssrc, };

/**
 * Identifies one RTP packet stream.
 */
export type Ssrc = number;

/**
 * A packet stream that the app receives.
 */
export type Stream = {
/**
 * The stream's SSRC, constant for as long as the slot exists.
 */
ssrc: Ssrc,
/**
 * SDP apps: the m-line's MID. None on the direct transport.
 */
mid?: string,
/**
 * Who publishes.
 */
participant: ParticipantId,
/**
 * What they publish.
 */
track: TrackId,
/**
 * How it is coded at the moment; each packet says so too.
 */
codec: Codec,
/**
 * 1 or 2.
 */
channels: number, };

/**
 * How a packet stream arrived.
 */
export type StreamReception = {
/**
 * The stream.
 */
ssrc: Ssrc,
/**
 * Packets that were to arrive.
 */
expected_packets: number,
/**
 * How many of them did not.
 */
lost_packets: number,
/**
 * How often some were missing, one or several in a row.
 */
gaps: number, };

/**
 * A recording of everybody, each on their own machine.
 */
export type Take = {
/**
 * 32 hex digits, never given twice.
 */
id: string,
/**
 * 32 hex digits: who has them may bring stems to the take and fetch it.
 */
key: string,
/**
 * What it is called.
 */
title: string,
/**
 * Who began it, by name; they may be gone.
 */
started_by: string,
/**
 * When it begins.
 */
start_us: number,
/**
 * When it ends, once it was ended.
 */
stop_us?: number, };

/**
 * What somebody publishes.
 */
export type Track = {
/**
 * The track.
 */
id: TrackId,
/**
 * The publisher's name for it.
 */
label: string,
/**
 * 1 or 2.
 */
channels: number,
/**
 * Whether its publisher muted it.
 */
muted: boolean, };

/**
 * How a track of somebody else is heard.
 */
export type TrackHearing = {
/**
 * Whose and which.
 */
track: TrackId,
/**
 * From the publisher's microphone to the listener's loudspeaker, by the room's clock; left out while one of the
 * two does not know it.
 */
delay_us?: number,
/**
 * What of that is not needed but wanted, by a playing mode; left out where it is nothing.
 */
padding_us?: number,
/**
 * Packets that did not come, in a thousand, since it was last told; more than none is never 0.
 */
lost_permille: number,
/**
 * Sound that was invented, in a thousand.
 */
concealed_permille: number,
/**
 * What packets that come unevenly make the listener wait; left out where that is not known, and never passed on.
 */
network_us?: number,
/**
 * What the listener waits although nothing asks for it, as they wished; as `network_us`.
 */
spare_us?: number, };

/**
 * One instrument or voice that a participant publishes; unique on the server, never given twice.
 */
export type TrackId = number;
