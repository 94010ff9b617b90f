// The few things about the link that WebRTC's objects do not say and the descriptions do.

export interface NegotiatedPayloadTypes {
  opus: number;
  /** Null where the server does not send RED to this browser. */
  red: number | null;
}

/** The payload types of Opus and RED in an answer. */
export function payloadTypes(answer: string): NegotiatedPayloadTypes {
  const named = (codec: string) => {
    const line = new RegExp(`^a=rtpmap:(\\d+) ${codec}/48000`, "im").exec(answer);
    return line === null ? null : Number(line[1]);
  };
  return { opus: named("opus") ?? 111, red: named("red") };
}

/** The SSRC that the audio m-line with this MID sends; null where the description has none. */
export function senderSsrc(description: string, mid: string): number | null {
  const sections = description.split(/^(?=m=)/m);
  const section = sections.find((part) => new RegExp(`^a=mid:${mid}\\s*$`, "m").test(part));
  const line = section === undefined ? null : /^a=ssrc:(\d+) /m.exec(section);
  return line === null ? null : Number(line[1]);
}
