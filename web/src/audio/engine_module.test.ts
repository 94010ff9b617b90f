// The engine as the browser runs it: the built module, in Node. Needs src/audio/engine.wasm, which
// `cargo xtask test` builds first.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { delays, pulsePeriod, RATE } from "../../measure/pulses";
import type { Codec } from "../protocol";
import { EngineModule, readStats } from "./engine_module";
import { joinFrames } from "./opus_packing";
import * as rtp from "./rtp";

const wasm = readFileSync(new URL("./engine.wasm", import.meta.url));
const QUANTUM = 64;
const SSRC = 0xfedcba98;

function engine(channels = 1): EngineModule {
  return new EngineModule(wasm, { channels, bitrate: 128_000 * channels, seed: [1, 2] });
}

interface Heard {
  input: Float32Array;
  output: Float32Array;
  packets: Uint8Array[];
  receiver: EngineModule;
}

/** Plays chirps into one engine and gives what another makes of its packets in the same quantum. */
function play(
  codec: Codec,
  seconds: number,
  carry: (packet: Uint8Array) => Uint8Array[],
  redundantFrames = 0,
): Heard {
  const sender = engine();
  const receiver = engine();
  expect(sender.setEncodings([{ codec, ssrc: SSRC, redundantFrames }])).toBe(true);
  expect(receiver.addRemote(SSRC, 1)).toBe(true);
  const period = pulsePeriod();
  const input = Float32Array.from(
    { length: seconds * RATE },
    (_, n) => period[n % period.length] ?? 0,
  );
  const output = new Float32Array(input.length);
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  const packets: Uint8Array[] = [];
  for (let at = 0; at + QUANTUM <= input.length; at += QUANTUM) {
    const nowMs = (at / RATE) * 1000;
    sender.capture(nowMs, [input.subarray(at, at + QUANTUM)], QUANTUM);
    for (let packet = sender.pollPacket(); packet !== null; packet = sender.pollPacket()) {
      packets.push(packet.slice());
      for (const carried of carry(packet.slice())) {
        receiver.packetBuffer().set(carried);
        receiver.handlePacket(nowMs, carried.byteLength);
      }
    }
    receiver.render(nowMs, [left, right], QUANTUM);
    output.set(left, at);
  }
  return { input, output, packets, receiver };
}

describe("the engine's module", () => {
  it("imports nothing, so that a worklet can run it", () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(wasm))).toEqual([]);
  });

  it("refuses settings it cannot have", () => {
    expect(() => engine(3)).toThrow();
  });

  it.each([
    ["opus", 120],
    ["opus-64", 64],
    ["pcm", 64],
  ] as const)("carries chirps as %s to another engine", (codec, frames) => {
    const { input, output, packets, receiver } = play(codec, 4, (packet) => [packet]);
    const { frames: found, unheard } = delays(input, output);
    expect(found.length).toBeGreaterThan(8);
    // The first chirp may fall into the time in which a stream is only watched.
    expect(unheard).toBeLessThanOrEqual(1);
    // Filling a packet, the codec's look-ahead, a packet of buffer, a quantum on each side.
    expect(Math.max(...found.slice(1))).toBeLessThanOrEqual(3 * frames + 2 * QUANTUM);
    const sizes = new Set(packets.map((packet) => packet.byteLength));
    expect(sizes.size, "hard constant bitrate").toBe(1);
    expect(packets.length).toBeGreaterThan((4 * RATE) / frames - 4);
    const stats = readStats(receiver.statsBlock());
    expect(stats.refusedPackets).toBe(0);
    expect(stats.remotes.map(({ ssrc }) => ssrc)).toEqual([SSRC]);
    expect(stats.remotes[0]?.lost).toBe(0);
  });

  it("plays four joined frames of 2.5 ms as the browser's own RTP carries them", () => {
    let waiting: Uint8Array[] = [];
    let sequenceNumber = 0;
    const { input, output } = play("opus", 4, (packet) => {
      waiting.push(packet);
      if (waiting.length < 4) return [];
      const first = waiting[0] ?? packet;
      const payload = joinFrames(waiting.map((each) => each.subarray(rtp.HEADER_BYTES)));
      waiting = [];
      if (payload === null) return [];
      sequenceNumber += 1;
      const timestamp = new DataView(first.buffer).getUint32(4);
      const out = new Uint8Array(1400);
      const fields = {
        payloadType: rtp.OPUS,
        sequenceNumber,
        timestamp,
        ssrc: SSRC,
        captureTime: null,
      };
      return [out.subarray(0, rtp.writePacket(fields, payload, out))];
    });
    const { frames, unheard } = delays(input, output);
    expect(frames.length).toBeGreaterThan(8);
    expect(unheard).toBeLessThanOrEqual(1);
  });

  it("plays what was lost from the next packet's redundancy", () => {
    let count = 0;
    const everyTenthLost = (packet: Uint8Array) => {
      count += 1;
      return count % 10 === 0 ? [] : [packet];
    };
    const lossy = (redundantFrames: number) => {
      const { receiver } = play("opus-64", 2, everyTenthLost, redundantFrames);
      return readStats(receiver.statsBlock()).remotes[0];
    };
    const [bare, repeated] = [lossy(0), lossy(1)];
    expect(bare?.playout.recovered).toBe(0);
    expect(repeated?.playout.recovered).toBeGreaterThan(100);
    expect(repeated?.lost).toBeGreaterThan(100);
    expect(repeated?.concealedMs).toBeLessThan((bare?.concealedMs ?? 0) / 2);
  });

  it("plays by the mode of a remote, or else by everybody's", () => {
    const listener = engine();
    listener.addRemote(SSRC, 1);
    const mode = () => readStats(listener.statsBlock()).remotes[0]?.playout.mode;
    const mix = { gainDb: 0, pan: 0, muted: false, solo: false };
    expect(mode()).toBe("automatic");
    listener.setDefaultPlayout("lower");
    expect(mode()).toBe("lower");
    for (const own of ["safer", 12, "automatic", 2.5] as const) {
      listener.setMix(SSRC, { ...mix, playout: own });
      expect(mode()).toBe(own);
    }
    listener.setDefaultPlayout(40);
    expect(mode()).toBe(2.5);
    listener.setMix(SSRC, { ...mix, playout: null });
    expect(mode()).toBe(40);
    expect(readStats(listener.statsBlock()).remotes[0]?.playout.driftPpm).toBeNull();
  });

  it("plays the room's click, as loud as it is told", () => {
    const clicking = engine();
    const beats = ["accent", "silent", "normal"] as const;
    const segment = { bar: 1, tempo_millibpm: 240_000, unit: 4, beats: [...beats] };
    expect(clicking.setClick([{ ...segment, start_us: 1.79e15 + 100_000 }])).toBe(true);
    const output = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
    /** Milliseconds at which something is heard after silence, and how loud it gets. */
    const heard = (fromMs: number, ms: number) => {
      const [onsets, peaks]: [number[], number[]] = [[], []];
      let quiet = 0;
      for (let at = 0; at < ms; at += 1000 * (QUANTUM / RATE)) {
        clicking.render(fromMs + at, output, QUANTUM);
        const peak = Math.max(...(output[0] as Float32Array).map(Math.abs));
        if (peak !== 0 && 20 < quiet) {
          onsets.push(Math.round((fromMs + at) / 10) * 10);
          peaks.push(0);
        }
        if (peak !== 0) peaks.push(Math.max(peak, peaks.pop() ?? 0));
        quiet = peak === 0 ? quiet + 1 : 0;
      }
      return { onsets, peaks };
    };
    clicking.setRoomClock({ contextMs: 0, capturedMs: 1.79e12, heardMs: 1.79e12 });
    const first = heard(0, 1_000);
    expect(first.onsets).toEqual([100, 600, 850]);
    expect(first.peaks.map((peak) => Math.round(10 * peak))).toEqual([5, 3, 5]);
    clicking.setClickGain(-20);
    const softer = heard(1_000, 1_000);
    expect(softer.onsets).toEqual([1_350, 1_600]);
    expect(Math.max(...softer.peaks)).toBeLessThan(0.05);
    clicking.setClickGain(null);
    expect(heard(2_000, 1_000).onsets).toEqual([]);
    clicking.setClickGain(0);
    const five = Array.from({ length: 5 }, (_, n) => ({ ...segment, start_us: 1.8e15 + n }));
    expect(clicking.setClick(five)).toBe(false);
    expect(heard(3_000, 500).onsets).not.toEqual([]);
    expect(clicking.setClick([])).toBe(true);
    expect(heard(3_500, 1_000).onsets).toEqual([]);
  });

  it("is silent where nobody plays, and counts what it does not know", () => {
    const alone = engine();
    const output = [new Float32Array(QUANTUM).fill(1), new Float32Array(QUANTUM).fill(1)];
    alone.packetBuffer().set([0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xe0]);
    expect(alone.handlePacket(0, 13)).toBe(false);
    alone.render(0, output, QUANTUM);
    expect(output.every((channel) => channel.every((sample) => sample === 0))).toBe(true);
    expect(readStats(alone.statsBlock()).refusedPackets).toBe(1);
  });
});
