//! `listen`: the ears of [`tests::listen`] for tests that are not written in Rust.
//!
//! ```text
//! listen unpack FOLDER                        writes the music as WAV files
//! listen compare PLAYED HEARD [--looped]      says how PLAYED sounds in HEARD, as JSON
//! listen unmix HEARD SOURCE... [--looped]     says which SOURCEs are in HEARD
//! listen level HEARD                          says how loud HEARD is
//! ```
//!
//! A source is a WAV file or the name of a track in `tests/music`. `--looped`: it was played over
//! and over from nobody knows where, so it is looked for at any delay.
#![expect(clippy::print_stdout, reason = "standard output is this program's result")]

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tests::listen::{Hearing, compare, level_db, unmix};
use tests::sound::{MUSIC, RATE_HZ, Sound};

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let looped = arguments.iter().any(|argument| argument == "--looped");
    arguments.retain(|argument| argument != "--looped");
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["unpack", folder] => unpack(Path::new(folder)),
        ["compare", played, heard] => {
            let heard = Sound::read_wav(Path::new(heard))?.to_mono();
            let (played, lags) = source(played, &heard, looped)?;
            println!("{}", hearing(compare(&played, &heard, lags).as_ref()));
            Ok(())
        }
        ["level", heard] => {
            let heard = Sound::read_wav(Path::new(heard))?.to_mono();
            println!("{}", json!({"level_db": level_db(&heard), "frames": heard.len()}));
            Ok(())
        }
        ["unmix", heard, names @ ..] => {
            let heard = Sound::read_wav(Path::new(heard))?.to_mono();
            let sources = names.iter().map(|name| source(name, &heard, looped));
            let sources = sources.collect::<Result<Vec<_>>>()?;
            let lags = sources.first().context("no source given")?.1.clone();
            let samples: Vec<&[f32]> = sources.iter().map(|(samples, _)| &samples[..]).collect();
            let mix = unmix(&samples, &heard, lags);
            let parts: Vec<Value> = names.iter().zip(&mix.parts).map(|(name, part)| {
                json!({"source": name, "delay_frames": part.delay_frames, "gain_db": part.gain_db})
            }).collect();
            println!("{}", json!({"explained": mix.explained, "parts": parts}));
            Ok(())
        }
        _ => bail!(
            "listen unpack FOLDER | compare PLAYED HEARD | unmix HEARD SOURCE... | level HEARD"
        ),
    }
}

fn unpack(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for track in MUSIC {
        Sound::music(track)?.write_wav(&folder.join(format!("{track}.wav")))?;
    }
    Ok(())
}

/// The source's samples, and the lags at which it may lie in what was heard.
fn source(name: &str, heard: &[f32], looped: bool) -> Result<(Vec<f32>, Range<i64>)> {
    let sound =
        if MUSIC.contains(&name) { Sound::music(name)? } else { Sound::read_wav(Path::new(name))? };
    let whole = i64::try_from(heard.len())?;
    if !looped {
        return Ok((sound.to_mono(), -whole..whole));
    }
    // Long enough that wherever the recording began, all of it is found in one piece.
    let frames = heard.len() + sound.frames();
    let loop_frames = i64::try_from(sound.frames())?;
    Ok((sound.looped(frames).to_mono(), -loop_frames..1))
}

fn hearing(hearing: Option<&Hearing>) -> Value {
    let Some(hearing) = hearing else { return json!({"heard": false}) };
    let seconds = |frames: usize| frames as f64 / RATE_HZ as f64;
    let gaps: Vec<Value> = hearing
        .gaps
        .iter()
        .map(|gap| json!({"at_s": seconds(gap.at_frame), "frames": gap.frames}))
        .collect();
    let segments: Vec<Value> = hearing
        .segments
        .iter()
        .map(|segment| json!([segment.delay_frames, (segment.correlation * 1e3).round() / 1e3]))
        .collect();
    json!({
        "heard": true,
        "correlation": hearing.correlation,
        "delay_frames": hearing.delay_frames,
        "level_db": hearing.level_db,
        "bands_db": hearing.bands_db,
        "gap_frames": hearing.gap_frames(),
        "gaps": gaps,
        "clicks": hearing.clicks.len(),
        "glide_ppm": hearing.track.glide_ppm_max(),
        "segments": segments,
    })
}
