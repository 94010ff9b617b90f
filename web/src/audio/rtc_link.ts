// The link to the server: one RTCPeerConnection with a microphone line, slots to receive, and a
// data channel. The browser offers, the server answers; a slot's track is the server's to choose.
//
// Surprising: what has to be done before the first negotiation or never. An encoded transform that
// is set later silently does nothing, and a data channel can move to a worker only in the very task
// that made it.

import type { LinkState } from "../session/audio_seam";
import type { TransformOptions } from "./messages";
import { acceptRed, offerRed, senderSsrc } from "./sdp";

/** What both ends fix for the data channel, so that it needs no negotiation of its own. */
const CHANNEL: RTCDataChannelInit = {
  negotiated: true,
  id: 0,
  ordered: false,
  maxRetransmits: 0,
};
/** Slots of the first offer: an ensemble of nine needs no second one. */
const SLOTS_AT_FIRST = 8;

export interface LinkOptions {
  /** The track of the microphone line. */
  microphone: MediaStreamTrack;
  /** The worker that takes and gives encoded frames; null for ordinary tracks. */
  worker: Worker | null;
}

export class RtcLink {
  onstate: ((state: LinkState) => void) | null = null;
  /** Null where the worker has it, or none was asked for. */
  readonly pageChannel: RTCDataChannel | null;
  private readonly connection: RTCPeerConnection;
  private readonly microphone: RTCRtpTransceiver;
  private readonly slots: RTCRtpTransceiver[] = [];
  private readonly worker: Worker | null;

  constructor({ microphone, worker }: LinkOptions) {
    this.worker = worker;
    this.connection = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      iceServers: [],
    });
    this.connection.onconnectionstatechange = () => this.onstate?.(this.state);
    // With an engine, the browser's own encoding of the microphone is only the second way up.
    // Firefox encodes it all the same; the worker then drops what it has nothing to replace with.
    this.microphone = this.connection.addTransceiver(microphone, {
      direction: "sendonly",
      sendEncodings: [{ active: worker === null }],
    });
    this.pageChannel = worker === null ? null : this.openChannel(worker);
    if (worker !== null) this.microphone.sender.transform = transform(worker, { role: "send" });
    this.ensureSlots(SLOTS_AT_FIRST);
  }

  get state(): LinkState {
    switch (this.connection.connectionState) {
      case "connected":
        return "up";
      case "new":
      case "connecting":
        return "connecting";
      case "disconnected":
      case "failed":
      case "closed":
        return "down";
    }
  }

  /** Adds slots up to that many; true where that needs an offer. */
  ensureSlots(slots: number): boolean {
    const before = this.slots.length;
    while (this.slots.length < slots) {
      const slot = this.connection.addTransceiver("audio", { direction: "recvonly" });
      if (this.worker !== null)
        slot.receiver.transform = transform(this.worker, { role: "receive" });
      this.slots.push(slot);
    }
    return before < this.slots.length;
  }

  async offer(iceRestart: boolean): Promise<string> {
    const offer = await this.connection.createOffer({ iceRestart });
    await this.connection.setLocalDescription(offer);
    const sdp = this.connection.localDescription?.sdp ?? offer.sdp ?? "";
    return this.worker === null ? sdp : offerRed(sdp);
  }

  async accept(answer: string): Promise<void> {
    const offer = this.connection.localDescription?.sdp ?? "";
    const sdp = this.worker === null ? answer : acceptRed(answer, offer);
    await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** The SSRC of the microphone line; null before the first offer. */
  microphoneSsrc(): number | null {
    const { mid } = this.microphone;
    const description = this.connection.localDescription?.sdp;
    return mid === null || description === undefined ? null : senderSsrc(description, mid);
  }

  /** The track of the slot with that MID. */
  slotTrack(mid: string): MediaStreamTrack | null {
    return this.slots.find((slot) => slot.mid === mid)?.receiver.track ?? null;
  }

  async replaceMicrophone(track: MediaStreamTrack): Promise<void> {
    await this.microphone.sender.replaceTrack(track);
  }

  /** Starts or stops the browser's own sending of the microphone line. */
  async setSending(active: boolean): Promise<void> {
    const parameters = this.microphone.sender.getParameters();
    for (const encoding of parameters.encodings) encoding.active = active;
    await this.microphone.sender.setParameters(parameters);
  }

  async statsOfSlots(): Promise<Map<string, RTCInboundRtpStreamStats>> {
    const found = new Map<string, RTCInboundRtpStreamStats>();
    for (const report of (await this.connection.getStats()).values()) {
      const inbound = report as RTCInboundRtpStreamStats;
      if (report.type === "inbound-rtp" && inbound.mid !== undefined)
        found.set(inbound.mid, inbound);
    }
    return found;
  }

  close(): void {
    this.onstate = null;
    this.pageChannel?.close();
    this.connection.close();
  }

  /** Moves the data channel into the worker, or keeps it where the browser cannot move it. */
  private openChannel(worker: Worker): RTCDataChannel | null {
    const channel = this.connection.createDataChannel("jam", CHANNEL);
    try {
      // The DOM library's types do not list RTCDataChannel among what can be transferred.
      worker.postMessage({ type: "channel", channel }, [channel as unknown as Transferable]);
      return null;
    } catch {
      return channel;
    }
  }
}

function transform(worker: Worker, options: TransformOptions): RTCRtpScriptTransform {
  return new RTCRtpScriptTransform(worker, options);
}
