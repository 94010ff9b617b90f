// Two musicians in one page and one audio context, through a real server: what goes into one comes
// out of the other, and both ends are recorded on the same clock.
//
// `measure` is what a script calls from outside; it drives the same Session and JamAudio as the
// app.

import { openContext } from "../src/audio/audio_context";
import { StemRecorder } from "../src/audio/stems/stem_recorder";
import { JamAudio, type JamAudioOptions } from "../src/audio/jam_audio";
import type { AudioStats, EngineCounts } from "../src/session/audio_seam";
import { Session } from "../src/session/session";
import type { SocketLike } from "../src/session/signalling";
import { delays, pulsePeriod } from "./pulses";
import recorderUrl from "./recorder.ts?worker&url";

export interface Plan {
  room: string;
  /** Which way both ends play. */
  mode: "engine" | "standard";
  /** How the chirps reach the publisher: into the engine itself, or as a microphone would. */
  input: "node" | "stream";
  /** `disturbed` begins on the data channel and makes it look bad while recording. */
  uplink: "auto" | "rtp" | "disturbed";
  seconds: number;
  /** Time for buffers to settle before the recording starts. */
  settleSeconds: number;
}

export interface Measured {
  delaysMs: number[];
  unheard: number;
  quantumFrames: number;
  sender: { stats: AudioStats | null; counts: EngineCounts | null };
  receiver: { stats: AudioStats | null; counts: EngineCounts | null };
}

async function measure(plan: Plan): Promise<Measured> {
  const context = openContext();
  await context.audioWorklet.addModule(recorderUrl);
  const buffer = new AudioBuffer({ length: pulsePeriod().length, sampleRate: context.sampleRate });
  buffer.copyToChannel(pulsePeriod(), 0);
  const chirps = new AudioBufferSourceNode(context, { buffer, loop: true });
  const silence = new ConstantSourceNode(context, { offset: 0 });
  silence.start();
  const sender = await enter(plan, "sender", context, chirps);
  const receiver = await enter(plan, "receiver", context, silence);
  try {
    chirps.start();
    await until("the receiver hears the sender", () => heard(receiver.session));
    await sleep(plan.settleSeconds * 1000);
    const recording = record(context, plan.seconds, chirps, receiver.audio.debugTap());
    if (plan.uplink === "disturbed") await disturb(sender.audio, plan.seconds);
    const [input, output] = await recording;
    const ends = {
      sender: { stats: sender.session.stats(), counts: sender.audio.engineCounts() },
      receiver: { stats: receiver.session.stats(), counts: receiver.audio.engineCounts() },
    };
    const found = delays(input, output);
    return {
      ...ends,
      delaysMs: found.frames.map((frames) => (frames / context.sampleRate) * 1000),
      unheard: found.unheard,
      quantumFrames: (context as { renderQuantumSize?: number }).renderQuantumSize ?? 128,
    };
  } finally {
    sender.session.leave();
    receiver.session.leave();
    await context.close();
  }
}

async function enter(plan: Plan, name: string, context: AudioContext, source: AudioNode) {
  const uplink = plan.uplink === "rtp" ? "rtp" : "auto";
  const options: JamAudioOptions = { force: plan.mode, uplink, context };
  if (plan.input === "node") options.source = source;
  else options.stream = streamOf(context, source);
  const audio = await JamAudio.open(options);
  const visit = { room: plan.room, name, deviceId: "", part: "musician" as const };
  const session = new Session(visit, {
    stems: new StemRecorder(),
    openSocket: () => new WebSocket(`ws://${location.host}/api/v1/ws`) as unknown as SocketLike,
    openAudio: () => Promise.resolve(audio),
  });
  await session.start();
  await until(`${name} has a link`, () => session.state.value.link === "up");
  return { audio, session };
}

/** Reports loss for three seconds, a fifth into the recording; the way up must move to RTP. */
async function disturb(audio: JamAudio, seconds: number): Promise<void> {
  await sleep(seconds * 200);
  for (let report = 0; report < 3; report += 1) audio.reportUplink("opus-64", 300, 100, 500);
  await until("the way up is RTP", () => audio.stats().uplinkPath === "rtp");
}

function streamOf(context: AudioContext, source: AudioNode): MediaStream {
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  source.connect(destination);
  return destination.stream;
}

function heard(session: Session): boolean {
  return Object.values(session.stats()?.remotes ?? {}).some(({ levelDb }) => -40 < levelDb);
}

async function record(
  context: AudioContext,
  seconds: number,
  input: AudioNode,
  output: AudioNode,
): Promise<[Float32Array, Float32Array]> {
  const bytes = Math.ceil(seconds * context.sampleRate) * Float32Array.BYTES_PER_ELEMENT;
  const memory = [new SharedArrayBuffer(bytes), new SharedArrayBuffer(bytes)] as const;
  // Touched now, so that no page of it is fetched while the audio thread writes.
  const [into, outOf] = [new Float32Array(memory[0]).fill(0), new Float32Array(memory[1]).fill(0)];
  const recorder = new AudioWorkletNode(context, "recorder", {
    numberOfInputs: 2,
    numberOfOutputs: 0,
    processorOptions: { memory },
  });
  const done = new Promise<void>((resolve) => {
    recorder.port.onmessage = () => resolve();
  });
  input.connect(recorder, 0, 0);
  output.connect(recorder, 0, 1);
  await done;
  input.disconnect(recorder);
  output.disconnect(recorder);
  return [into, outOf];
}

async function until(what: string, reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!reached()) {
    if (deadline < performance.now()) throw new Error(`not within 20 s: ${what}`);
    await sleep(20);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Object.assign(globalThis, { measure, JamAudio });
