//! Samples to FLAC frames.
//!
//! Fixed predictors only: linear prediction would make files some 5 % smaller for five times the work, and a musician's
//! computer has other things to do. No crate does it: `flacenc` 0.5 writes loud sound in 24 bits as frames of up to
//! gigabytes, because it knows Rice parameters up to 14 only.

use super::bits::{BitWriter, crc8, crc16};
use super::rice::RicePlan;
use crate::SAMPLE_BITS;

/// Encodes frames of up to 65,535 sample frames, each by itself.
pub(crate) struct Encoder {
    channels: usize,
}

impl Encoder {
    /// For one channel or two.
    pub(crate) fn new(channels: u8) -> Self {
        Self { channels: channels.into() }
    }

    /// Appends one FLAC frame with the given number, of which 31 bits count. The samples have at most 24 bits and are
    /// interleaved.
    ///
    /// A frame is never larger than its samples and 24 bytes.
    pub(crate) fn encode(&self, interleaved: &[i32], number: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let bits = u32::from(SAMPLE_BITS);
        let channel = |at: usize| -> Vec<i32> {
            interleaved.iter().skip(at).step_by(self.channels).copied().collect()
        };
        let (assignment, subframes) = match self.channels {
            1 => (0, vec![Subframe::best(channel(0), bits)]),
            _ => stereo(channel(0), channel(1), bits),
        };
        let frames = interleaved.len() / self.channels;
        put_header(frames, assignment, number, out);
        let checksum = crc8(&out[start..]);
        out.push(checksum);
        let mut writer = BitWriter::new(out);
        subframes.iter().for_each(|subframe| subframe.write(&mut writer));
        writer.fill();
        let checksum = crc16(&out[start..]);
        out.extend(checksum.to_be_bytes());
    }
}

/// Both channels as they are, or one or both of them as the sum and the difference of the two (RFC 9639 §9.1.3).
fn stereo(left: Vec<i32>, right: Vec<i32>, bits: u32) -> (u8, Vec<Subframe>) {
    let pairs = || left.iter().zip(&right);
    let mid = pairs().map(|(left, right)| (left + right) >> 1).collect();
    let side = pairs().map(|(left, right)| left - right).collect();
    let side = Subframe::best(side, bits + 1);
    let mid = Subframe::best(mid, bits);
    let [left, right] = [left, right].map(|channel| Subframe::best(channel, bits));
    let pairs = [(1, &left, &right), (8, &left, &side), (9, &side, &right), (10, &mid, &side)];
    let best = pairs.iter().min_by_key(|(_, one, other)| one.bits + other.bits);
    match best.map(|(assignment, ..)| *assignment) {
        Some(8) => (8, vec![left, side]),
        Some(9) => (9, vec![side, right]),
        Some(10) => (10, vec![mid, side]),
        _ => (1, vec![left, right]),
    }
}

/// RFC 9639 §9.1, without its checksum.
fn put_header(frames: usize, assignment: u8, number: u32, out: &mut Vec<u8>) {
    let frames = u16::try_from(frames).expect("at most 65,535 frames");
    let size = match frames {
        4096 => 0b1100,
        1..=256 => 0b0110,
        _ => 0b0111,
    };
    // A fixed block size; 48 kHz; 24 bits.
    out.extend([0xff, 0xf8, size << 4 | 0b1010, assignment << 4 | 0b110 << 1]);
    put_number(number & 0x7fff_ffff, out);
    let [high, low] = frames.wrapping_sub(1).to_be_bytes();
    match size {
        0b0110 => out.push(low),
        0b0111 => out.extend([high, low]),
        _ => {}
    }
}

/// A number of up to 31 bits, as UTF-8 would have it.
fn put_number(number: u32, out: &mut Vec<u8>) {
    let bits = u32::BITS - number.leading_zeros();
    let [.., lowest] = number.to_be_bytes();
    if bits <= 7 {
        return out.push(lowest);
    }
    // Each byte that follows has six bits; the first has what is left beside its mark.
    let following = (bits - 2) / 5;
    let [.., first] = (number >> (6 * following)).to_be_bytes();
    let mark = 0xff_u8.checked_shl(7 - following - 1).unwrap_or(0) & !(1 << (6 - following));
    out.push(mark | first);
    for at in (0..following).rev() {
        let [.., six] = (number >> (6 * at)).to_be_bytes();
        out.push(0x80 | six & 0x3f);
    }
}

/// One channel of a frame, and how it is written best (RFC 9639 §9.2).
struct Subframe {
    samples: Vec<i32>,
    /// Of each sample, once the zeros at its end are gone.
    sample_bits: u32,
    /// Zeros at the end of every sample: a converter of 16 bits leaves eight.
    wasted: u32,
    kind: Kind,
    /// At most so many bits.
    bits: u64,
}

enum Kind {
    /// All samples are the same.
    Constant,
    /// As they are.
    Verbatim,
    /// What a polynomial through the samples before does not foretell.
    Fixed { order: usize, residuals: Vec<i32>, plan: RicePlan },
}

impl Subframe {
    fn best(mut samples: Vec<i32>, bits: u32) -> Self {
        let all = samples.iter().fold(0, |all, sample| all | sample);
        let wasted = if all == 0 { 0 } else { all.trailing_zeros().min(bits - 1) };
        samples.iter_mut().for_each(|sample| *sample >>= wasted);
        let sample_bits = bits - wasted;
        let head = 8 + u64::from(wasted);
        let each = u64::from(sample_bits);
        let first = samples.first().copied();
        if samples.iter().all(|sample| Some(*sample) == first) {
            let bits = head + each;
            return Self { samples, sample_bits, wasted, kind: Kind::Constant, bits };
        }
        let count = |samples: usize| u64::try_from(samples).expect("a block is short");
        let verbatim = head + each * count(samples.len());
        let (order, residuals) = predicted(&samples);
        let plan = RicePlan::best(&residuals, order);
        let fixed = head + each * count(order) + plan.bits;
        if fixed < verbatim {
            let kind = Kind::Fixed { order, residuals, plan };
            return Self { samples, sample_bits, wasted, kind, bits: fixed };
        }
        Self { samples, sample_bits, wasted, kind: Kind::Verbatim, bits: verbatim }
    }

    fn write(&self, bits: &mut BitWriter<'_>) {
        let kind = match &self.kind {
            Kind::Constant => 0b00_0000,
            Kind::Verbatim => 0b00_0001,
            Kind::Fixed { order, .. } => 0b00_1000 | u32::try_from(*order).expect("at most 4"),
        };
        bits.put(kind << 1 | u32::from(self.wasted != 0), 8);
        if self.wasted != 0 {
            bits.put_unary(self.wasted - 1);
        }
        let plain = match &self.kind {
            Kind::Constant => self.samples.len().min(1),
            Kind::Verbatim => self.samples.len(),
            Kind::Fixed { order, .. } => *order,
        };
        for sample in &self.samples[..plain] {
            bits.put_signed(*sample, self.sample_bits);
        }
        if let Kind::Fixed { order, residuals, plan } = &self.kind {
            plan.write(residuals, *order, bits);
        }
    }
}

/// What the best of the five fixed predictors leaves over, and which that is (RFC 9639 §9.2.5): each is the
/// difference of the one before. 25 bits grow to 29 at most.
fn predicted(samples: &[i32]) -> (usize, Vec<i32>) {
    let loudness = |residuals: &[i32]| -> u64 {
        residuals.iter().map(|residual| u64::from(residual.unsigned_abs())).sum()
    };
    let mut residuals = samples.to_vec();
    let mut best = (0, residuals.clone());
    let mut least = loudness(&residuals);
    for order in 1..=ORDER_MAX.min(samples.len().saturating_sub(1)) {
        residuals = residuals.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let now = loudness(&residuals);
        if now < least {
            least = now;
            best = (order, residuals.clone());
        }
    }
    best
}

/// Of the fixed predictors.
const ORDER_MAX: usize = 4;
