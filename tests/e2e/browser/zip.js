// What lies in a zip archive, by name: as much of the format as the server's downloads use.

import { inflateRawSync } from "node:zlib";

const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

export function unzip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0 || bytes.length < end + END_BYTES) throw new Error("no zip archive");
  const files = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); 0 < left; left--) {
    const method = bytes.readUInt16LE(at + 10);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    const extra = bytes.subarray(at + ENTRY_BYTES + nameBytes, at + ENTRY_BYTES + nameBytes + extraBytes);
    const packed = packedBytes(bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24), extra);
    const from = local + LOCAL_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(from, from + packed);
    files.set(name, method === 0 ? content : inflateRawSync(content));
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return files;
}

/** What an entry takes: where it might be large, its extra field says so in 64 bits. */
function packedBytes(packed, whole, extra) {
  if (packed !== ELSEWHERE) return packed;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    // What the whole entry has stands first, if it stands there.
    if (extra.readUInt16LE(at) === ZIP64) return Number(extra.readBigUInt64LE(at + 4 + (whole === ELSEWHERE ? 8 : 0)));
  }
  throw new Error("an entry of a zip archive does not say how large it is");
}

const ELSEWHERE = 0xffffffff;
const ZIP64 = 1;
