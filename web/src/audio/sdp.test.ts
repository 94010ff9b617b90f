import { describe, expect, it } from "vitest";
import { payloadTypes, senderSsrc } from "./sdp";

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

  it("name the SSRC of the line asked for, and of no other", () => {
    expect(senderSsrc(DESCRIPTION, "0")).toBe(4000000000);
    expect(senderSsrc(DESCRIPTION, "1")).toBe(7);
    expect(senderSsrc(DESCRIPTION, "10")).toBeNull();
    expect(senderSsrc(DESCRIPTION, "2")).toBeNull();
  });
});
