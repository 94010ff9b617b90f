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

/**
 * Firefox does not know RED, which the codecs that only we have travel in; but an encoded transform
 * hands out whatever comes under a payload type that was negotiated. So the server is told that
 * G.722's payload type is RED's, and the browser that it is still G.722's. Nobody ever decodes it as
 * that: our engine takes the packets before.
 */
export function offerRed(offer: string): string {
  if (/^a=rtpmap:\d+ red\//im.test(offer)) return offer;
  return offer.replace(/^a=rtpmap:9 G722\/8000(\/1)?/gm, RED_AS_9);
}

/** Turns an answer to `offerRed` into one that the browser takes. */
export function acceptRed(answer: string, offer: string): string {
  if (/^a=rtpmap:\d+ red\//im.test(offer)) return answer;
  return answer.replaceAll(RED_AS_9, "a=rtpmap:9 G722/8000/1").replace(/^a=fmtp:9 .*\r?\n/gm, "");
}

const RED_AS_9 = "a=rtpmap:9 red/48000/2";

/** The SSRC that the audio m-line with this MID sends; null where the description has none. */
export function senderSsrc(description: string, mid: string): number | null {
  const sections = description.split(/^(?=m=)/m);
  const section = sections.find((part) => new RegExp(`^a=mid:${mid}\\s*$`, "m").test(part));
  const line = section === undefined ? null : /^a=ssrc:(\d+) /m.exec(section);
  return line === null ? null : Number(line[1]);
}
