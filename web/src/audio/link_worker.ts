// The thread between the network and the audio worklet. Up: packets from the worklet's ring into
// the data channel, or into the browser's own RTP packets. Down: encoded frames, taken before the
// browser's jitter buffer sees them, into the worklet's ring.
//
// It decodes nothing and keeps nothing. Surprising: received frames are not written on, so that the
// browser's own receiver stays silent; and a data channel whose queue grows is skipped rather than
// fed, because SCTP would deliver everything, late.

import type { LinkCounts } from "../session/audio_seam";
import { CaptureTimes } from "./capture_times";
import type { FromWorker, ToWorker, TransformOptions } from "./messages";
import { FrameQueue } from "./opus_packing";
import { localMs, RoomClock } from "./room_clock";
import * as rtp from "./rtp";
import { PACKET_BYTES_MAX, RingReader, RingWriter } from "./slot_ring";
import { UplinkPolicy } from "./uplink_policy";

/** What the DOM library's types lack: they know no worker globals beside the page's. */
interface Transformer {
  readable: ReadableStream<RTCEncodedAudioFrame>;
  writable: WritableStream<RTCEncodedAudioFrame>;
  options: TransformOptions;
}
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onrtctransform: ((event: Event & { transformer: Transformer }) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}
const scope = self as unknown as Scope;

/** How often the data channel's queue is looked at. */
const LOOK_MS = 50;
/** A packet is skipped where more audio than this waits in front of it. */
const SKIP_BEHIND_MS = 60;
const COUNTS_EVERY_LOOKS = 4;

const policy = new UplinkPolicy();
const queue = new FrameQueue();
const counts: LinkCounts = {
  sentPackets: 0,
  sentBytes: 0,
  skippedPackets: 0,
  receivedFrames: 0,
  queuedMs: 0,
  refusedUpPackets: 0,
  refusedDownPackets: 0,
  droppedFrames: 0,
};
let channel: RTCDataChannel | null = null;
/** A data channel that this browser does not let a worker have; the page sends for us. */
let pageChannel: { open: boolean; bufferedBytes: number } | null = null;
let up: RingReader | null = null;
let down: RingWriter | null = null;
let opusPayloadType = rtp.OPUS;
let redPayloadType = rtp.RED;
let microphoneSsrc: number | null = null;
let toldPath = "";
const captures = new CaptureTimes();
let clock: RoomClock | null = null;
let askTimer: ReturnType<typeof setTimeout> | null = null;
/** Bytes per millisecond that the engine wanted to send lately, to read the queue as time. */
let offeredRate = 20;
let offeredBytes = 0;

scope.onmessage = ({ data: message }) => {
  switch (message.type) {
    case "start":
      down = new RingWriter(message.down);
      clock = new RoomClock(message.wasm);
      if (message.uplink === "rtp") policy.keepToRtp(performance.now());
      up = new RingReader(message.up);
      watch("sending", forwardUp(up));
      setInterval(look, LOOK_MS);
      scope.postMessage({ type: "ready" });
      break;
    case "channel":
      channel = message.channel;
      channel.binaryType = "arraybuffer";
      channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => hear(localMs(), data);
      break;
    case "page-message":
      hear(message.arrivedMs, message.message);
      break;
    case "page-channel":
      pageChannel = { open: message.open, bufferedBytes: message.bufferedBytes };
      break;
    case "payload-types":
      opusPayloadType = message.opus;
      redPayloadType = message.red ?? rtp.RED;
      microphoneSsrc = message.microphone;
      break;
    case "link":
      if (message.up) policy.linkUp(performance.now());
      else policy.linkDown();
      clock?.setLink(localMs(), message.up);
      askTime();
      break;
    case "uplink-report":
      policy.observeReport(performance.now(), message);
      tellPath();
      break;
  }
};

scope.onrtctransform = ({ transformer }) => {
  if (transformer.options.role === "receive") watch("receiving", takeDown(transformer.readable));
  else watch("sending over RTP", replaceUp(transformer));
};

/** A loop that fails leaves silence behind: the page must know. */
function watch(what: string, loop: Promise<void>): void {
  loop.catch((error: unknown) => {
    scope.postMessage({ type: "failed", text: `${what} stopped: ${String(error)}` });
  });
}

/** Every packet of the engine, as soon as it is there. */
async function forwardUp(up: RingReader): Promise<void> {
  const packet = new Uint8Array(PACKET_BYTES_MAX);
  for (;;) {
    await up.wait();
    const forPage: ArrayBuffer[] = [];
    for (let length = up.popInto(packet); 0 < length; length = up.popInto(packet)) {
      route(packet.subarray(0, length), forPage);
    }
    if (0 < forPage.length) scope.postMessage({ type: "packets", packets: forPage }, forPage);
  }
}

/** The SSRC says which path the engine meant: the microphone's is the browser's own stream. */
function route(packet: Uint8Array, forPage: ArrayBuffer[]): void {
  if (rtp.ssrc(packet) === microphoneSsrc) {
    queue.push(packet.slice(rtp.payloadStart(packet)));
    return;
  }
  const ours = rtp.payloadType(packet);
  rtp.setPayloadType(packet, ours === rtp.RED ? redPayloadType : opusPayloadType);
  offeredBytes += packet.byteLength;
  const state = channelState();
  if (!state.open || SKIP_BEHIND_MS < state.bufferedBytes / offeredRate) {
    counts.skippedPackets += 1;
    return;
  }
  counts.sentPackets += 1;
  counts.sentBytes += packet.byteLength;
  const message = packet.slice();
  if (channel !== null) channel.send(message);
  else forPage.push(message.buffer);
}

/** Asks for the room's time where that is due, and comes back for the next time. */
function askTime(): void {
  if (askTimer !== null) clearTimeout(askTimer);
  askTimer = null;
  const due = clock?.timeoutMs() ?? null;
  if (clock === null || due === null) return;
  const wait = due - localMs();
  if (0 < wait) {
    // Timers leave out fractions; one that is early would be set again, and wait for longer.
    askTimer = setTimeout(askTime, Math.ceil(wait));
    return;
  }
  const { open, bufferedBytes } = channelState();
  // An answer that waits in a queue says little.
  if (!open || SKIP_BEHIND_MS < bufferedBytes / offeredRate) {
    askTimer = setTimeout(askTime, LOOK_MS);
    return;
  }
  const question = clock.question(localMs());
  if (question !== null) send(question);
  askTimer = setTimeout(askTime, Math.max(1, Math.ceil((clock.timeoutMs() ?? 0) - localMs())));
}

/** Sends a message that waits for no other. */
function send(message: Uint8Array<ArrayBuffer>): void {
  try {
    if (channel !== null) channel.send(message);
    else scope.postMessage({ type: "packets", packets: [message.buffer] }, [message.buffer]);
  } catch {
    // A channel that closes just now; it is asked again.
  }
}

/** The server says on the data channel what time it is, and when streams were captured. */
function hear(arrivedMs: number, message: ArrayBuffer): void {
  if (captures.take(message)) return;
  // Where a clock was set it is to be asked again soon.
  if (clock?.answered(arrivedMs, new Uint8Array(message)) === true) askTime();
}

function channelState(): { open: boolean; bufferedBytes: number } {
  if (channel === null) return pageChannel ?? { open: false, bufferedBytes: 0 };
  return { open: channel.readyState === "open", bufferedBytes: channel.bufferedAmount };
}

let looks = 0;

/** Lets the policy see the data channel's queue. */
function look(): void {
  // Smoothed over about half a second; never so low that a single packet looks like a queue.
  offeredRate = Math.max(5, offeredRate + (offeredBytes / LOOK_MS - offeredRate) / 10);
  offeredBytes = 0;
  const state = channelState();
  counts.queuedMs = state.bufferedBytes / offeredRate;
  policy.observeChannel(performance.now(), state.open, counts.queuedMs);
  tellPath();
  looks += 1;
  if (looks % COUNTS_EVERY_LOOKS === 0) {
    counts.refusedUpPackets = up?.refused ?? 0;
    counts.refusedDownPackets = down?.refused ?? 0;
    counts.droppedFrames = queue.dropped;
    scope.postMessage({ type: "counts", counts: { ...counts } });
    scope.postMessage({ type: "room-clock", clock: clock?.stats(localMs()) ?? null });
  }
}

function tellPath(): void {
  if (toldPath === policy.path) return;
  toldPath = policy.path;
  queue.clear();
  scope.postMessage({ type: "path", path: policy.path, why: policy.why });
}

/** Frames of one receiving m-line, as RTP packets into the worklet's ring. */
async function takeDown(frames: ReadableStream<RTCEncodedAudioFrame>): Promise<void> {
  const packet = new Uint8Array(PACKET_BYTES_MAX);
  const reader = frames.getReader();
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) return;
    const metadata = frame.getMetadata();
    const fields = {
      payloadType: metadata.payloadType === opusPayloadType ? rtp.OPUS : rtp.RED,
      sequenceNumber: metadata.sequenceNumber ?? 0,
      timestamp: frame.timestamp,
      ssrc: metadata.synchronizationSource ?? 0,
      captureTime: captures.of(metadata.synchronizationSource ?? 0, frame.timestamp),
    };
    const length = rtp.writePacket(fields, new Uint8Array(frame.data), packet);
    counts.receivedFrames += 1;
    if (0 < length && frame.data.byteLength !== 0) down?.push(packet.subarray(0, length));
  }
}

/** The browser encodes the microphone every 10 ms; what it sends is the engine's frames instead. */
async function replaceUp(transformer: Transformer): Promise<void> {
  const reader = transformer.readable.getReader();
  const writer = transformer.writable.getWriter();
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) return;
    const payload = queue.take();
    // Without a payload nothing is sent: the browser's own encoding never leaves this machine.
    if (payload === null) continue;
    counts.sentPackets += 1;
    counts.sentBytes += payload.byteLength;
    frame.data = payload.buffer;
    await writer.write(frame);
  }
}
