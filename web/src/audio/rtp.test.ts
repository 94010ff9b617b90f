import { describe, expect, it } from "vitest";
import * as rtp from "./rtp";

describe("RTP packets", () => {
  it("have the header of RFC 3550 in front of the payload", () => {
    const out = new Uint8Array(32);
    const fields = {
      payloadType: 63,
      sequenceNumber: 0x1234,
      timestamp: 0xdeadbeef,
      ssrc: 0x80000001,
      captureTime: null,
    };
    const length = rtp.writePacket(fields, Uint8Array.of(9, 8), out);
    expect([...out.subarray(0, length)]).toEqual([
      0x80, 63, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0x80, 0, 0, 1, 9, 8,
    ]);
    expect(rtp.ssrc(out)).toBe(0x80000001);
    expect(rtp.payloadType(out)).toBe(63);
    expect(rtp.payloadStart(out)).toBe(12);
  });

  it("say when they were captured, in an extension before the payload", () => {
    const out = new Uint8Array(32);
    const captureTime = 0x123456;
    const fields = { payloadType: 63, sequenceNumber: 1, timestamp: 2, ssrc: 3, captureTime };
    const length = rtp.writePacket(fields, Uint8Array.of(9, 8), out);
    expect(out[0]).toBe(0x90);
    expect([...out.subarray(12, length)]).toEqual([
      0xbe, 0xde, 0, 1, 0x12, 0x12, 0x34, 0x56, 9, 8,
    ]);
    expect(rtp.payloadStart(out)).toBe(20);
    expect(rtp.writePacket(fields, new Uint8Array(13), out)).toBe(0);
  });

  it("are refused where they do not fit", () => {
    const fields = {
      payloadType: 111,
      sequenceNumber: 0,
      timestamp: 0,
      ssrc: 1,
      captureTime: null,
    };
    expect(rtp.writePacket(fields, new Uint8Array(5), new Uint8Array(16))).toBe(0);
  });

  it("keep the marker when their payload type is replaced", () => {
    const packet = Uint8Array.of(0x80, 0x80 | 111);
    rtp.setPayloadType(packet, 109);
    expect([...packet]).toEqual([0x80, 0x80 | 109]);
  });
});
