//! FLAC, frame by frame (RFC 9639): what records hold, and what exported files are made of.

mod bits;
mod decoder;
mod encoder;
mod rice;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(channels: u8, interleaved: &[i32]) {
        let mut bytes = Vec::new();
        Encoder::new(channels).encode(interleaved, 0, &mut bytes);
        assert!(bytes.len() <= 3 * interleaved.len() + 24, "{} bytes", bytes.len());
        let mut decoder = Decoder::new(channels);
        let decoded = decoder.decode(&bytes).expect("our own frame");
        assert_eq!(decoded.len(), interleaved.len() / usize::from(channels));
        let mut back = Vec::new();
        for frame in 0..decoded.len() {
            back.extend((0..usize::from(channels)).map(|channel| decoded.channel(channel)[frame]));
        }
        assert_eq!(back, interleaved);
    }

    const LOUDEST: i32 = 8_388_607;

    #[test]
    fn frames_of_every_short_length_survive() {
        for frames in 1..70 {
            let samples: Vec<i32> =
                (0..frames * 2).map(|at| at * 119_047 % 8_000_000 - 4_000_000).collect();
            check(1, &samples[..samples.len() / 2]);
            check(2, &samples);
        }
    }

    #[test]
    fn the_loudest_and_the_quietest_survive() {
        check(1, &[0; 4096]);
        check(1, &[-LOUDEST - 1; 4096]);
        let square: Vec<i32> =
            (0..4096).map(|at| if at % 2 == 0 { LOUDEST } else { -LOUDEST - 1 }).collect();
        check(1, &square);
        // Left and right that are opposite need a 25th bit for their difference.
        check(2, &square);
        // Noise as loud as it can be, and half of it: what no predictor foretells.
        let mut random = 1_u32;
        let mut noise = |shift: u32| -> Vec<i32> {
            (0..8192)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    random.cast_signed() >> shift
                })
                .collect()
        };
        for shift in [8, 9, 12, 20, 24] {
            check(1, &noise(shift)[..4096]);
            check(2, &noise(shift));
        }
        let mut impulse = [0; 4096];
        impulse[4095] = LOUDEST;
        check(1, &impulse);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_number_of_a_frame_survives(number in any::<u32>(), bits in 0..32_u32) {
            let mut bytes = Vec::new();
            let number = number >> bits & 0x7fff_ffff;
            Encoder::new(1).encode(&[1, 2, 3], number, &mut bytes);
            let mut reader = claxon::frame::FrameReader::new(claxon::input::BufferedReader::new(&bytes[..]));
            let block = reader.read_next_or_eof(Vec::new()).expect("a frame").expect("a frame");
            prop_assert_eq!(block.time(), u64::from(number) * 3);
        }

        #[test]
        fn any_samples_survive(
            samples in prop::collection::vec(-LOUDEST - 1..=LOUDEST, 2..1500),
            shift in 0..24_u32,
            channels in 1..=2_u8,
        ) {
            let even = samples.len() / 2 * 2;
            let quieter = |sample: &i32| sample >> shift;
            check(channels, &samples[..even].iter().map(quieter).collect::<Vec<i32>>());
            let coarser = |sample: &i32| sample >> shift << shift;
            check(channels, &samples[..even].iter().map(coarser).collect::<Vec<i32>>());
        }

        #[test]
        fn no_bytes_break_the_decoder(
            at in 0..400_usize,
            with in any::<u8>(),
            cut in 0..2000_usize,
            noise in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = Vec::new();
            let samples: Vec<i32> = (0..600).map(|at| (at * at * 31) % 90_000).collect();
            Encoder::new(2).encode(&samples, 0, &mut bytes);
            // What is behind the frame's own checks is reached where these are put right, too.
            if let Some(byte) = bytes.get_mut(at) { *byte = with; }
            bytes.truncate(cut);
            let _ = Decoder::new(2).decode(&bytes);
            let _ = Decoder::new(1).decode(&noise);
            bytes.splice(0..bytes.len().min(3), noise);
            let _ = Decoder::new(1).decode(&bytes);
        }
    }
}
