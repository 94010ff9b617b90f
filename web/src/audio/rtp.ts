// RTP packets as the engine takes and gives them: a 12-byte header without extensions, and the
// payload types of the native transport whatever the browser negotiated.
//
// An encoded transform hands out the payload and the header's fields apart; here they are put
// together again, so that the engine has one way in.

export const HEADER_BYTES = 12;

/** The payload types inside our own packets; protocol/src/rtp.rs says the same. */
export const OPUS = 111;
export const RED = 63;

export interface RtpFields {
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

/** Writes header and payload into `out`; gives the length, 0 where it does not fit. */
export function writePacket(fields: RtpFields, payload: Uint8Array, out: Uint8Array): number {
  const length = HEADER_BYTES + payload.byteLength;
  if (out.byteLength < length) return 0;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  view.setUint8(0, 0x80);
  view.setUint8(1, fields.payloadType & 0x7f);
  view.setUint16(2, fields.sequenceNumber & 0xffff);
  view.setUint32(4, fields.timestamp >>> 0);
  view.setUint32(8, fields.ssrc >>> 0);
  out.set(payload, HEADER_BYTES);
  return length;
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
