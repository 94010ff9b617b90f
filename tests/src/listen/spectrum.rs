//! Colour: level differences band by band.

use realfft::RealFftPlanner;

/// Edges of the bands, about two octaves each; the last one ends where low-bitrate codecs start
/// to invent.
pub const BANDS_HZ: [f64; 6] = [40.0, 160.0, 640.0, 2_500.0, 8_000.0, 16_000.0];

const SIZE: usize = 4096;
/// A band that lies this far below the loudest one is not compared: nobody hears it.
const MASKED_DB: f64 = 40.0;

/// For each band between two of [`BANDS_HZ`] the level heard against the level played.
#[must_use]
pub fn band_differences_db(played_as_heard: &[f32], heard: &[f32]) -> Vec<Option<f64>> {
    let (played, heard) = (band_powers(played_as_heard), band_powers(heard));
    let loudest = played.iter().copied().fold(0.0, f64::max);
    let difference = |(played, heard): (&f64, &f64)| {
        let audible = loudest * 10.0_f64.powf(-MASKED_DB / 10.0) < *played;
        audible.then(|| 10.0 * (heard.max(1e-20) / played).log10())
    };
    played.iter().zip(&heard).map(difference).collect()
}

fn band_powers(samples: &[f32]) -> Vec<f64> {
    let plan = RealFftPlanner::<f64>::new().plan_fft_forward(SIZE);
    let (mut time, mut bins) = (plan.make_input_vec(), plan.make_output_vec());
    let mut powers = vec![0.0; BANDS_HZ.len() - 1];
    let hz_per_bin = crate::sound::RATE_HZ as f64 / SIZE as f64;
    for block in samples.chunks_exact(SIZE) {
        for (i, (slot, sample)) in time.iter_mut().zip(block).enumerate() {
            let window = (std::f64::consts::PI * i as f64 / SIZE as f64).sin().powi(2);
            *slot = f64::from(*sample) * window;
        }
        plan.process(&mut time, &mut bins).expect("the buffers come from the plan");
        for (i, bin) in bins.iter().enumerate() {
            let hz = i as f64 * hz_per_bin;
            let band = BANDS_HZ.windows(2).position(|edges| edges[0] <= hz && hz < edges[1]);
            if let Some(band) = band {
                powers[band] += bin.norm_sqr();
            }
        }
    }
    powers
}
