//! The music of `tests/music`, as one channel of samples.

use std::path::Path;

/// The tracks, the pieces one after the other.
pub(crate) const MUSIC: [&str; 9] = include!("../../../../../tests/music/tracks.in");

/// Ten seconds of one of [`MUSIC`]: the mean of its channels.
pub(crate) fn music(track: &str) -> Vec<f32> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/music");
    let file = folder.join(format!("{track}.flac"));
    let mut reader = claxon::FlacReader::open(&file).expect("a track of tests/music");
    let info = reader.streaminfo();
    assert_eq!(info.sample_rate, 48_000, "{track}");
    let full_scale = f64::from(1_u32 << (info.bits_per_sample - 1)) * f64::from(info.channels);
    let samples: Vec<i32> = reader.samples().map(|sample| sample.expect("whole")).collect();
    let frames = samples.chunks_exact(usize::try_from(info.channels).expect("few"));
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    let mean = |frame: &[i32]| (f64::from(frame.iter().sum::<i32>()) / full_scale) as f32;
    frames.map(mean).collect()
}
