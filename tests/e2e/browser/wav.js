// WAV files as the tests meet them: the recorder's (16-bit, mono) and the native musicians' (32-bit
// float, stereo).

import { readFile, writeFile } from "node:fs/promises";

export const RATE_HZ = 48_000;

/** Reads a file as mono samples. */
export async function readWav(file) {
  const bytes = await readFile(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [channels, bits] = [1, 16];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString("latin1", at, at + 4);
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - at - 8);
    const body = at + 8;
    if (name === "fmt ") [channels, bits] = [view.getUint16(body + 2, true), view.getUint16(body + 14, true)];
    if (name === "data") return mono(view, body, size, channels, bits);
    at = body + size + (size % 2);
  }
  throw new Error(`${file} has no sound in it`);
}

function mono(view, from, size, channels, bits) {
  const width = bits / 8;
  const sample = bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getInt16(at, true) / 32_768;
  const out = new Float32Array(Math.floor(size / width / channels));
  for (let i = 0; i < out.length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      out[i] += sample(from + (i * channels + channel) * width) / channels;
    }
  }
  return out;
}

/** Writes 16-bit mono samples, given as base64 of little-endian, as the recorder does. */
export async function writeWav(file, base64) {
  const samples = Buffer.from(base64, "base64");
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE_HZ, 24);
  header.writeUInt32LE(2 * RATE_HZ, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  await writeFile(file, Buffer.concat([header, samples]));
  return file;
}

/** The last seconds of a file, as a file beside it. */
export async function tail(file, seconds) {
  const samples = (await readWav(file)).slice(-Math.round(seconds * RATE_HZ));
  const whole = Int16Array.from(samples, (s) => Math.max(-32_768, Math.min(32_767, Math.round(s * 32_768))));
  return writeWav(file.replace(/\.wav$/, "-tail.wav"), Buffer.from(whole.buffer).toString("base64"));
}

/**
 * The strongest tone of a file and the share of all power that lies in it: for each tenth of a
 * second by itself, and of the loudest quarter of them the median, so that holes do not smear it.
 */
export async function tone(file) {
  const samples = await readWav(file);
  const pieces = [];
  for (let at = 0; at + PIECE_FRAMES <= samples.length; at += PIECE_FRAMES) {
    const piece = samples.subarray(at, at + PIECE_FRAMES);
    pieces.push({ piece, energy: piece.reduce((sum, s) => sum + s * s, 0) });
  }
  const loudest = pieces.sort((a, b) => b.energy - a.energy).slice(0, Math.ceil(pieces.length / 4));
  const tones = loudest.map(({ piece, energy }) => strongest(piece, energy));
  return tones.sort((a, b) => a.share - b.share)[Math.floor(tones.length / 2)];
}

const PIECE_FRAMES = RATE_HZ / 10;

function strongest(samples, total) {
  let best = { hz: 0, share: 0 };
  for (let hz = 50; hz <= 4_000; hz += 10) {
    const share = total === 0 ? 0 : (2 * power(samples, hz)) / total / samples.length;
    if (best.share < share) best = { hz, share };
  }
  return best;
}

/** The power at one frequency (Goertzel). */
function power(samples, hz) {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / RATE_HZ);
  let [before, last] = [0, 0];
  for (const sample of samples) [before, last] = [last, sample + turn * last - before];
  return last * last + before * before - turn * last * before;
}
