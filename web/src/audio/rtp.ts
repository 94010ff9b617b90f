// RTP packets as the engine takes and gives them: a 12-byte header, the extension with the capture time where
// that is known, and the payload types of the native transport whatever the browser negotiated.
//
// An encoded transform hands out the payload and the header's fields apart; here they are put
// together again, so that the engine has one way in.

export const HEADER_BYTES = 12;
/** The header extension with the capture time; protocol/src/rtp.rs says the same. */
const CAPTURE_TIME_BYTES = 8;
const CAPTURE_TIME_ID = 1;

/** The payload types inside our own packets; protocol/src/rtp.rs says the same. */
export const OPUS = 111;
export const RED = 63;

export interface RtpFields {
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
  /** 24 bits of the room's clock; null where nobody knows. */
  captureTime: number | null;
}

/** Writes header and payload into `out`; gives the length, 0 where it does not fit. */
export function writePacket(fields: RtpFields, payload: Uint8Array, out: Uint8Array): number {
  const { captureTime } = fields;
  const start = HEADER_BYTES + (captureTime === null ? 0 : CAPTURE_TIME_BYTES);
  const length = start + payload.byteLength;
  if (out.byteLength < length) return 0;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  view.setUint8(0, captureTime === null ? 0x80 : 0x90);
  view.setUint8(1, fields.payloadType & 0x7f);
  view.setUint16(2, fields.sequenceNumber & 0xffff);
  view.setUint32(4, fields.timestamp >>> 0);
  view.setUint32(8, fields.ssrc >>> 0);
  if (captureTime !== null) {
    // RFC 8285's one-byte form, one word: an element of three bytes says two.
    view.setUint32(HEADER_BYTES, 0xbede0001);
    view.setUint32(HEADER_BYTES + 4, ((CAPTURE_TIME_ID << 28) | (2 << 24) | captureTime) >>> 0);
  }
  out.set(payload, start);
  return length;
}

/** Where the payload of a packet that the engine made begins. */
export function payloadStart(packet: Uint8Array): number {
  return HEADER_BYTES + (((packet[0] ?? 0) & 0x10) === 0 ? 0 : CAPTURE_TIME_BYTES);
}

/** The payload type of a packet that the engine made. */
export function payloadType(packet: Uint8Array): number {
  return (packet[1] ?? 0) & 0x7f;
}

/** Replaces the payload type, keeping the marker bit. */
export function setPayloadType(packet: Uint8Array, payloadType: number): void {
  packet[1] = ((packet[1] ?? 0) & 0x80) | (payloadType & 0x7f);
}

export function ssrc(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength).getUint32(8);
}
