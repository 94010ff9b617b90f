import { describe, expect, it } from "vitest";
import { acceptRed, offerRed, payloadTypes, senderSsrc } from "./sdp";

const DESCRIPTION = [
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
  "a=mid:0",
  "a=rtpmap:111 opus/48000/2",
  "a=rtpmap:63 red/48000/2",
  "a=ssrc:4000000000 cname:x",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=mid:10",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=mid:1",
  "a=ssrc:7 cname:y",
  "",
].join("\r\n");

describe("descriptions", () => {
  it("name the payload types", () => {
    expect(payloadTypes(DESCRIPTION)).toEqual({ opus: 111, red: 63 });
    expect(payloadTypes("a=rtpmap:109 opus/48000/2\r\n")).toEqual({ opus: 109, red: null });
  });

  it("offer RED in the name of G.722 where the browser has none, and undo it in the answer", () => {
    const firefox =
      "m=audio 9 UDP/TLS/RTP/SAVPF 109 9\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:9 G722/8000/1\r\n";
    const offered = offerRed(firefox);
    expect(payloadTypes(offered)).toEqual({ opus: 109, red: 9 });
    const answer = `${offered}a=fmtp:9 109/109\r\na=mid:0\r\n`;
    expect(acceptRed(answer, firefox)).toBe(`${firefox}a=mid:0\r\n`);
  });

  it("leave RED alone where the browser has it", () => {
    const chromium = `${DESCRIPTION}a=rtpmap:9 G722/8000\r\n`;
    expect(offerRed(chromium)).toBe(chromium);
    expect(acceptRed(chromium, chromium)).toBe(chromium);
  });

  it("name the SSRC of the line asked for, and of no other", () => {
    expect(senderSsrc(DESCRIPTION, "0")).toBe(4000000000);
    expect(senderSsrc(DESCRIPTION, "1")).toBe(7);
    expect(senderSsrc(DESCRIPTION, "10")).toBeNull();
    expect(senderSsrc(DESCRIPTION, "2")).toBeNull();
  });
});
