// Drives one visit to a room: joins, opens the media link, publishes, and comes back by itself when
// the network drops. It ties three parts together that do not know each other: the state (pure),
// the socket and the sound. What surprises: a drop of the WebSocket alone does not interrupt the
// sound, so nothing of it is closed until the server says that the seat is gone.

import { type Signal, signal } from "@preact/signals";

import type { ClientMessage, PlayingMode, ServerEnvelope, TrackId } from "../protocol";
import { type AudioPort, type AudioStats, type LinkState, type Mix, NEUTRAL, type PlayoutMode } from "./audio_seam";
import { Conductor } from "./conductor";
import { Entrance } from "./entrance";
import { roomLeastMs } from "./hearing";
import { LinkRetry } from "./link_retry";
import { Moderation } from "./moderation";
import { Recordist } from "./recordist";
import { Redial } from "./redial";
import { Reports } from "./reports";
import { roomNowUs } from "./room_time";
import { Dropped, Refused, Signalling } from "./signalling";
import type { StemPort } from "./stem_seam";
import { type Action, type SessionState, initialState, isLinkGivenUp, playingMode, reduce } from "./state";
import type { Surroundings, Visit } from "./visit";
import {
  CHAT_LOST,
  ENGINE_STOPPED,
  INPUT_GONE,
  INPUT_REPLACED,
  type Problem,
  ROOM_UNREACHED,
  UNREACHABLE,
  problemOfMedia,
} from "./words";

export class Session {
  readonly state: Signal<SessionState>;
  /** Sets what the room shares. */
  readonly conductor = new Conductor({
    shared: () => this.state.value.shared,
    nowUs: () => this.roomNowUs(),
    ask: (message) => this.ask(message, ROOM_UNREACHED),
  });
  /** Silences and removes, for who may. */
  readonly moderation = new Moderation((message) => this.ask(message, ROOM_UNREACHED));
  private readonly recordist: Recordist;
  private readonly entrance: Entrance;
  private audio: AudioPort | null = null;
  private deviceId: string;
  private signalling: Signalling | null = null;
  /** Which `joined` the media link belongs to; work begun for an older one is dropped. */
  private membership = 0;
  private linked = false;
  /** Why our engine is not tried again in this visit. */
  private engineFailure: string | null = null;
  private work: Promise<void> = Promise.resolve();
  private readonly reports = new Reports({
    state: () => this.state.value,
    audio: () => this.audio,
    send: (message) => this.signalling?.send(message),
  });
  private readonly redial = new Redial(() => this.dial());
  /** Restarts ICE while only the media is down; a dropped WebSocket does it when it is back. */
  private readonly linkRetry = new LinkRetry(
    () => this.state.value.link === "down",
    () => {
      if (this.state.value.phase.name === "in") {
        this.queue((audio) => this.negotiate(audio, true));
      }
    },
  );

  constructor(
    private readonly visit: Visit,
    private readonly surroundings: Surroundings,
  ) {
    this.state = signal(initialState(visit.room, visit.habits));
    this.deviceId = visit.deviceId;
    this.entrance = new Entrance(visit, surroundings.askPass);
    const [state, audio, nowUs] = [() => this.state.value, () => this.audio, () => this.roomNowUs()];
    this.recordist = new Recordist(visit, surroundings.stems, { state, audio, nowUs });
  }

  /** Opens the sound, then the connection. Failures end up in the state, in words. */
  async start(): Promise<void> {
    try {
      this.audio = await this.openAudio();
    } catch (error) {
      this.end({ type: "failed", problem: problemOfMedia(error) });
      return;
    }
    if (this.isClosed()) {
      await this.audio.close();
      return;
    }
    this.dial();
  }

  /** A page that goes may come again at once, and goes on with its recording then. */
  leave(page: "stays" | "goes" = "stays"): void {
    if (this.isClosed()) return;
    if (page === "goes") this.recordist.abandon();
    this.signalling?.send({ type: "leave" });
    this.end({ type: "left" });
  }

  /** Says something to the room; false where it did not get there. */
  async chat(text: string): Promise<boolean> {
    return await this.ask({ type: "chat", text }, CHAT_LOST);
  }

  setMuted(muted: boolean): void {
    // The microphone falls silent here and now; the message only tells the others.
    this.audio?.setMuted(muted);
    this.dispatch({ type: "muted", muted });
    const track = this.state.value.myTrack;
    if (track !== null) void this.ask({ type: "mute", track, muted });
  }

  setMix(track: TrackId, change: Partial<Mix>): void {
    const mix = { ...(this.state.value.mixes[track] ?? NEUTRAL), ...change };
    this.dispatch({ type: "mix", track, mix });
    this.audio?.setRemote(track, mix);
  }

  /** Steers the playout delay of everybody whose mix has no mode of its own. */
  setDefaultPlayout(mode: PlayoutMode): void {
    this.dispatch({ type: "playout", mode });
    this.audio?.setDefaultPlayout(mode);
  }

  /** Hears everybody by this mode, or (null) by the room's. */
  setOwnMode(mode: PlayingMode | null): void {
    this.dispatch({ type: "mode", mode });
    this.audio?.setPlayingMode(playingMode(this.state.value));
  }

  /** How loud the click is in these ears; null for not at all. */
  setClickGain(gainDb: number | null): void {
    this.dispatch({ type: "click-gain", gainDb });
    this.audio?.setClickGain(gainDb);
  }

  /** Whether one is recorded when somebody begins a take. */
  setRecordMe(recordMe: boolean): void {
    this.dispatch({ type: "record-me", recordMe });
    this.recordist.update();
  }

  /** Microseconds of the room's clock; null while it is not known. */
  roomNowUs(): number | null {
    return roomNowUs(this.stats()?.roomClock);
  }

  async setInputDevice(deviceId: string): Promise<void> {
    try {
      if ((await this.audio?.setInputDevice(deviceId)) === true) this.deviceId = deviceId;
    } catch (error) {
      this.dispatch({ type: "notice", notice: problemOfMedia(error) });
    }
  }

  dismissNotice(): void {
    this.dispatch({ type: "notice", notice: null });
  }

  /** Tries again at once instead of waiting for the next attempt. */
  tryNow(): void {
    if (this.state.value.phase.name === "away") this.redial.now();
  }

  /** Null before the sound is open. */
  stats(): AudioStats | null {
    return this.audio?.stats() ?? null;
  }

  /** The way sound runs, once it is open. */
  get port(): AudioPort | null {
    return this.audio;
  }

  /** What was recorded on this machine, until the server has it; goes on when the visit is over. */
  get stems(): StemPort["state"] {
    return this.surroundings.stems.state;
  }

  get part(): Visit["part"] {
    return this.visit.part;
  }

  /** The chosen input; empty for the browser's default. */
  get inputDeviceId(): string {
    return this.deviceId;
  }

  private async openAudio(): Promise<AudioPort> {
    const audio = await this.surroundings.openAudio(this.deviceId, this.engineFailure);
    audio.onlink = (link) => this.linkChanged(link);
    audio.onfailed = (why) => this.engineFailed(why);
    audio.oninputended = (replaced) => this.inputEnded(replaced);
    audio.onpublication = () => this.queue((present) => this.publish(present));
    audio.setMuted(this.state.value.muted);
    audio.setDefaultPlayout(this.state.value.playout);
    audio.setClickGain(this.state.value.clickGainDb);
    this.applyShared(audio);
    return audio;
  }

  private dial(): void {
    this.stopTimers();
    this.dispatch({ type: "dialing", attempt: this.redial.begun() });
    this.entrance.approach(this.state.value.seat);
    const signalling: Signalling = new Signalling(this.surroundings.openSocket(), {
      open: () => this.join(signalling),
      message: (message) => {
        if (signalling === this.signalling) this.received(message);
      },
      close: () => {
        if (signalling === this.signalling) this.dropped();
      },
    });
    this.signalling = signalling;
  }

  private join(signalling: Signalling): void {
    const capabilities = this.audio?.capabilities();
    if (capabilities === undefined) return;
    const failed = (error: unknown) => {
      // The server keeps the socket: a seat that is gone means joining anew on it. Anything else
      // that did not end the session is tried again later.
      if (!(error instanceof Refused) || this.isClosed()) return;
      if (error.code === "seat_gone") this.join(signalling);
      else signalling.close();
    };
    this.entrance.enter(this.state.value.seat, capabilities, {
      join: (message) => void signalling.request(message).catch(failed),
      refused: (problem) => {
        if (signalling !== this.signalling || this.isClosed()) return;
        if (problem.final || this.state.value.phase.name === "joining") this.end({ type: "failed", problem });
        else signalling.close();
      },
    });
  }

  private received(message: ServerEnvelope): void {
    const { shared } = this.state.value;
    this.dispatch({ type: "received", message });
    if (this.audio !== null && shared !== this.state.value.shared) this.applyShared(this.audio);
    if (shared !== this.state.value.shared) this.recordist.update();
    if (this.isClosed()) {
      this.shutDown();
      return;
    }
    switch (message.type) {
      case "joined":
        this.joined(message.resumed);
        return;
      case "streams":
        this.queue(() => this.applyStreams());
        return;
      case "slots_wanted": {
        const slots = message.slots;
        this.queue(async (audio) => {
          if (audio.ensureSlots(slots)) await this.negotiate(audio, false);
        });
        return;
      }
      case "encodings_wanted": {
        const { codecs, redundant_frames: redundantFrames } = message;
        this.queue((audio) => audio.setEncodings(codecs, redundantFrames));
        return;
      }
      case "participant":
        // Somebody who came back has the mix that their name had before.
        this.queue(() => this.applyMixes());
        return;
      case "uplink": {
        const { codec, received_packets: received, lost_packets: lost, jitter_us: jitterUs } = message;
        this.audio?.reportUplink(codec, received, lost, jitterUs);
        this.surroundings.stems.noteUplink(lost / Math.max(1, lost + received));
        return;
      }
      case "hearing":
        this.audio?.setRoomLeast(roomLeastMs(this.state.value));
        return;
      case "error":
        // The server has given the link up, and no ICE restart brings it back.
        if (isLinkGivenUp(message.code, this.state.value.link)) this.relink();
        return;
    }
  }

  private joined(resumed: boolean): void {
    this.redial.worked();
    this.reports.start();
    this.membership += 1;
    const restart = resumed && this.linked;
    const stale = this.linked && !resumed;
    this.linked = true;
    // Coming back clears what was said before, but this still holds.
    if (this.engineFailure !== null) this.dispatch({ type: "notice", notice: ENGINE_STOPPED });
    this.queue(async () => {
      // A server that does not know the seat does not know the link's keys either.
      if (stale) await this.reopenAudio();
      await this.link(restart);
    });
  }

  /** Opens the sound anew, and with it another link; the seat stays. */
  private relink(): void {
    this.queue(async () => {
      await this.reopenAudio();
      await this.link(false);
    });
  }

  private async link(iceRestart: boolean): Promise<void> {
    const audio = this.audio;
    if (audio === null) return;
    await this.negotiate(audio, iceRestart);
    await this.publish(audio);
  }

  private async reopenAudio(): Promise<void> {
    // First: what the server says about the link that ends here is known.
    this.dispatch({ type: "link", link: "connecting" });
    await this.closeAudio();
    const audio = await this.openAudio();
    if (this.isClosed()) await audio.close();
    else this.audio = audio;
    this.recordist.update();
  }

  private async closeAudio(): Promise<void> {
    const audio = this.audio;
    this.audio = null;
    if (audio === null) return;
    this.recordist.update();
    audio.onlink = audio.onpublication = audio.onfailed = audio.oninputended = null;
    await audio.close();
  }

  /** The others play on: the browser's own sound takes over, which decodes less. */
  private engineFailed(why: string): void {
    if (this.isClosed()) return;
    this.engineFailure = why;
    this.step(async () => {
      await this.reopenAudio();
      this.linked = false;
      // What one decodes is said with `join` alone: into the seat again, with another socket. The
      // server ends the present one then, and to the others nobody was away.
      this.dial();
      this.dispatch({ type: "notice", notice: ENGINE_STOPPED });
    });
  }

  private inputEnded(replaced: boolean): void {
    if (replaced) this.deviceId = "";
    this.dispatch({ type: "notice", notice: replaced ? INPUT_REPLACED : INPUT_GONE });
  }

  private async negotiate(audio: AudioPort, iceRestart: boolean): Promise<void> {
    const signalling = this.signalling;
    if (signalling === null) return;
    const sdp = await audio.offer(iceRestart);
    const answer = await signalling.request({
      type: "connect",
      ticket: this.state.value.ticket,
      description: { kind: "sdp", sdp },
    });
    if (answer.type !== "connected" || answer.description.kind !== "sdp") return;
    await audio.accept(answer.description.sdp);
    this.applyStreams();
  }

  private async publish(audio: AudioPort): Promise<void> {
    if (this.visit.part === "listener") return;
    const { channels, codecs, sources } = audio.publication();
    const answer = await this.signalling?.request({
      type: "publish",
      label: "mic",
      channels,
      codecs,
      sources,
    });
    if (answer?.type === "published") this.tellMuted(answer.track);
  }

  /** Tells the server whether one is muted, where it believes otherwise: it may have missed it. */
  private tellMuted(track: TrackId): void {
    const { participants, me, muted } = this.state.value;
    const tracks = participants.find((participant) => participant.id === me)?.tracks ?? [];
    const told = tracks.find((mine) => mine.id === track)?.muted ?? false;
    if (told !== muted) void this.ask({ type: "mute", track, muted });
  }

  private applyStreams(): void {
    this.audio?.setStreams(this.state.value.streams);
    this.applyMixes();
  }

  private applyMixes(): void {
    const { streams, mixes } = this.state.value;
    for (const { track } of streams) this.audio?.setRemote(track, mixes[track] ?? NEUTRAL);
  }

  private applyShared(audio: AudioPort): void {
    audio.setClick(this.state.value.shared.click);
    audio.setPlayingMode(playingMode(this.state.value));
    audio.setRoomLeast(roomLeastMs(this.state.value));
  }

  private linkChanged(link: LinkState): void {
    if (this.isClosed()) return;
    this.dispatch({ type: "link", link });
    this.linkRetry.changed(link);
  }

  private dropped(): void {
    this.signalling = null;
    if (this.isClosed()) return;
    if (this.state.value.phase.name === "joining") {
      this.end({ type: "failed", problem: UNREACHABLE });
      return;
    }
    this.dispatch({ type: "dropped" });
    this.redial.dropped();
  }

  /** Work on the media link is done one step after the other, and only for the present seat. */
  private queue(step: (audio: AudioPort) => void | Promise<void>): void {
    const membership = this.membership;
    this.step(async () => {
      if (membership === this.membership && this.audio !== null) await step(this.audio);
    });
  }

  private step(work: () => Promise<void>): void {
    this.work = this.work.then(async () => {
      if (this.isClosed()) return;
      try {
        await work();
      } catch (error) {
        this.stepFailed(error);
      }
    });
  }

  private stepFailed(error: unknown): void {
    // The next connection begins anew, and a refusal has told the state already.
    if (error instanceof Dropped || error instanceof Refused || this.isClosed()) return;
    const problem = problemOfMedia(error);
    if (this.audio === null) this.end({ type: "failed", problem });
    else this.dispatch({ type: "notice", notice: problem });
  }

  /** Sends a request whose answer, or refusal, the state takes by itself; `lost` where it did not get there. */
  private async ask(message: ClientMessage, lost: Problem | null = null): Promise<boolean> {
    try {
      if (this.signalling === null) throw new Dropped();
      await this.signalling.request(message);
      return true;
    } catch (error) {
      const refused = error instanceof Refused;
      if (!refused && lost !== null) this.dispatch({ type: "notice", notice: lost });
      return false;
    }
  }

  private dispatch(action: Action): void {
    this.state.value = reduce(this.state.value, action);
  }

  private end(action: Action): void {
    this.dispatch(action);
    this.shutDown();
  }

  private shutDown(): void {
    this.stopTimers();
    this.conductor.close();
    this.recordist.close();
    this.reports.stop();
    this.signalling?.close();
    this.signalling = null;
    void this.closeAudio();
  }

  private stopTimers(): void {
    this.redial.stop();
    this.linkRetry.stop();
  }

  private isClosed(): boolean {
    return this.state.value.phase.name === "closed";
  }
}
