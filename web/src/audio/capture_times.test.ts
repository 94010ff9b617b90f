import { describe, expect, it } from "vitest";
import { CaptureTimes } from "./capture_times";

/** An APP packet of a kind, with these words behind its name. */
function message(kind: number, words: number[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(12 + 4 * words.length));
  view.setUint8(0, 0x80 | kind);
  view.setUint8(1, 204);
  view.setUint16(2, 2 + words.length);
  view.setUint32(8, 0x766a7263);
  words.forEach((word, i) => view.setUint32(12 + 4 * i, word));
  return view.buffer;
}

describe("capture times", () => {
  it("go on from what the server told, over both wraps", () => {
    const times = new CaptureTimes();
    expect(times.of(7, 0)).toBeNull();
    expect(times.take(message(2, [7, 0xffff_ff00, 0xff_ffff, 8, 96_000, 0x10_0000]))).toBe(true);
    expect(times.of(7, 0xffff_ff00)).toBe(0xff_ffff);
    // 480 frames are 10 ms: 2,621 fractions.
    expect(times.of(7, 0xffff_ff00 + 480 - 2 ** 32)).toBe(2_620);
    expect(times.of(8, 48_000)).toBe(0x10_0000 - 2 ** 18);
    expect(times.of(9, 0)).toBeNull();
    // Six seconds later nobody has told it again.
    expect(times.of(8, 96_000 + 6 * 48_000)).toBeNull();
  });

  it("leave other messages alone, and what is cut off", () => {
    const times = new CaptureTimes();
    expect(times.take(message(1, [7, 1, 2, 3]))).toBe(false);
    expect(times.take(new ArrayBuffer(11))).toBe(false);
    expect(times.take(message(2, [7, 1]))).toBe(true);
    expect(times.of(7, 1)).toBeNull();
  });
});
