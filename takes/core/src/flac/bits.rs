//! Bits into bytes, the first bit the highest, and the two checksums of a FLAC frame.

/// Writes bits to the end of a buffer.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// What does not fill a byte yet, in the lowest bits.
    pending: u64,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, pending_bits: 0 }
    }

    /// Writes the lowest `bits` of a value, of which there are at most 32.
    pub(super) fn put(&mut self, value: u32, bits: u32) {
        let mask = (1_u64 << bits) - 1;
        self.pending = self.pending << bits | u64::from(value) & mask;
        self.pending_bits += bits;
        while 8 <= self.pending_bits {
            self.pending_bits -= 8;
            let [.., byte] = (self.pending >> self.pending_bits).to_be_bytes();
            self.out.push(byte);
        }
    }

    /// Writes a value of `bits` in two's complement.
    pub(super) fn put_signed(&mut self, value: i32, bits: u32) {
        self.put(value.cast_unsigned(), bits);
    }

    /// Writes so many zeros, and a one.
    pub(super) fn put_unary(&mut self, zeros: u32) {
        let mut left = zeros;
        while 31 < left {
            self.put(0, 31);
            left -= 31;
        }
        self.put(1, left + 1);
    }

    /// Fills the last byte with zeros.
    pub(super) fn fill(mut self) {
        if self.pending_bits != 0 {
            self.put(0, 8 - self.pending_bits);
        }
    }
}

/// Of a frame's header: the polynomial x^8 + x^2 + x + 1 (RFC 9639 §9.1.8).
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    let mut crc = 0;
    for byte in bytes {
        crc ^= byte;
        for _ in 0..8 {
            crc = crc << 1 ^ if crc & 0x80 == 0 { 0 } else { 0x07 };
        }
    }
    crc
}

/// Of a frame: the polynomial x^16 + x^15 + x^2 + 1 (RFC 9639 §9.3).
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        let [high, low] = crc.to_be_bytes();
        crc = u16::from_be_bytes([low, 0]) ^ CRC16[usize::from(high ^ byte)];
    }
    crc
}

/// What each byte makes of an empty checksum.
const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    let mut start = 0_u16;
    while byte < 256 {
        let mut crc = start;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
        start = start.wrapping_add(0x100);
    }
    table
};
