//! Residuals as Rice codes in partitions (RFC 9639 §9.2.7): which parameters are best, and what that costs.

use super::bits::BitWriter;

/// How a block's residuals are written. An upper bound of the cost is known beforehand.
pub(super) struct RicePlan {
    /// There are two to this power partitions.
    order: u32,
    /// One for each partition.
    parameters: Vec<u32>,
    /// At most so many bits, headers included.
    pub(super) bits: u64,
}

impl RicePlan {
    /// The best plan for residuals of a block, behind `warm_up` samples that are written as they are.
    pub(super) fn best(residuals: &[i32], warm_up: usize) -> Self {
        let frames = residuals.len() + warm_up;
        let finest = frames.trailing_zeros().min(ORDER_MAX);
        let finest = (0..=finest).rev().find(|order| warm_up < frames >> order).unwrap_or(0);
        let mut sums = sums(residuals, warm_up, frames >> finest);
        let mut best: Option<Self> = None;
        for order in (0..=finest).rev() {
            let plan = Self::of(order, &sums);
            if best.as_ref().is_none_or(|best| plan.bits < best.bits) {
                best = Some(plan);
            }
            sums = sums
                .chunks(2)
                .map(|pair| pair.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1)))
                .collect();
        }
        best.expect("there is a plan of one partition")
    }

    /// The plan for partitions of which the count and the sum are known.
    fn of(order: u32, sums: &[(u64, u64)]) -> Self {
        let mut bits = 0;
        let mut parameters = Vec::with_capacity(sums.len());
        for (count, sum) in sums {
            let cost = |parameter: u32| count * u64::from(parameter + 1) + (sum >> parameter);
            let mean = sum.checked_div(*count).unwrap_or(0);
            let near = (u64::BITS - mean.leading_zeros()).min(PARAMETER_MAX);
            let parameter = if cost(near.saturating_sub(1)) < cost(near) { near - 1 } else { near };
            bits += cost(parameter);
            parameters.push(parameter);
        }
        let width = width(&parameters);
        bits += 6 + u64::from(width) * u64::try_from(parameters.len()).expect("at most 256");
        Self { order, parameters, bits }
    }

    /// Writes the residuals.
    pub(super) fn write(&self, residuals: &[i32], warm_up: usize, bits: &mut BitWriter<'_>) {
        let width = width(&self.parameters);
        bits.put(width - 4, 2);
        bits.put(self.order, 4);
        let frames = (residuals.len() + warm_up) >> self.order;
        let (mut rest, mut count) = (residuals, frames - warm_up);
        for parameter in &self.parameters {
            let (now, later) = rest.split_at(count);
            bits.put(*parameter, width);
            for residual in now {
                let folded = folded(*residual);
                bits.put_unary(folded >> parameter);
                bits.put(folded, *parameter);
            }
            (rest, count) = (later, frames);
        }
    }
}

/// Of each partition how many residuals there are, and the sum of them, folded.
fn sums(residuals: &[i32], warm_up: usize, frames: usize) -> Vec<(u64, u64)> {
    let (first, rest) = residuals.split_at(frames - warm_up);
    core::iter::once(first)
        .chain(rest.chunks(frames))
        .map(|part| {
            let sum = part.iter().map(|residual| u64::from(folded(*residual))).sum();
            (u64::try_from(part.len()).expect("a block is short"), sum)
        })
        .collect()
}

/// 0, -1, 1, -2, … as 0, 1, 2, 3, …
fn folded(residual: i32) -> u32 {
    (residual << 1 ^ residual >> 31).cast_unsigned()
}

/// Bits of each parameter: the second method has five, so that loud sound in 24 bits has its own.
fn width(parameters: &[u32]) -> u32 {
    if parameters.iter().any(|parameter| 14 < *parameter) { 5 } else { 4 }
}

/// 256 partitions: 16 frames of 4096 each.
const ORDER_MAX: u32 = 8;
/// The highest parameter of five bits that is no escape.
const PARAMETER_MAX: u32 = 30;
