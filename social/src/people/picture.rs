//! Photos made small and clean: whatever is sent is decoded within limits and written anew, so that
//! nothing is kept of it but what is seen.
//!
//! What surprises: a file that is a picture and something else besides is taken, since only the
//! picture survives. One that breaks off is not: a decoder would fill the rest with gray.

use std::io::Cursor;
use std::sync::Arc;

use axum::body::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::limits::{
    PHOTO_KEPT_BYTES_MAX, PHOTO_MEMORY_MAX, PHOTO_PIXELS_MAX, PHOTO_SIZES, PHOTOS_AT_ONCE_MAX,
    PHOTOS_WAITING_MAX,
};
use crate::problem::{Problem, ProblemCode};
use crate::store::Photo;

/// Makes photos small and clean, on threads that nobody's music or page waits for.
#[derive(Debug)]
pub(crate) struct Photos {
    at_once: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Default for Photos {
    fn default() -> Self {
        Self {
            at_once: Arc::new(Semaphore::new(PHOTOS_AT_ONCE_MAX)),
            waiting: Semaphore::new(PHOTOS_AT_ONCE_MAX + PHOTOS_WAITING_MAX),
        }
    }
}

impl Photos {
    /// A photo in every size that it is kept at.
    ///
    /// # Errors
    /// When it is none, or too large, or too many wait.
    pub(super) async fn shrink(&self, bytes: Bytes) -> Result<Vec<Photo>, Problem> {
        let busy = || {
            let text = "more photos come than this server can take; try again in a moment";
            Problem::new(ProblemCode::Busy, text)
        };
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| busy())?;
        // The turn ends with the work, also where nobody waits for it any more.
        let done = tokio::task::spawn_blocking(move || {
            let done = shrink(&bytes);
            drop(turn);
            done
        });
        // Where a decoder gives up on what somebody made up, it is their photo that is wrong.
        done.await.unwrap_or_else(|_| Err(broken()))
    }
}

fn shrink(bytes: &[u8]) -> Result<Vec<Photo>, Problem> {
    let format = format_of(bytes)?;
    if format == ImageFormat::Jpeg && !has_end(bytes) {
        return Err(broken());
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(PHOTO_MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions();
    let is_too_large = PHOTO_PIXELS_MAX < u64::from(width) * u64::from(height)
        || PHOTO_MEMORY_MAX < decoder.total_bytes();
    if is_too_large {
        return Err(too_large());
    }
    // What cannot be read of it turns nothing.
    let orientation = decoder.orientation().ok();
    let photo = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error))?;
    // Small first: a square in the middle stays one, however it is turned afterwards.
    let [largest, ..] = PHOTO_SIZES;
    let mut square = photo.resize_to_fill(largest, largest, FilterType::Triangle);
    drop(photo);
    if let Some(orientation) = orientation {
        square.apply_orientation(orientation);
    }
    let square = DynamicImage::ImageRgb8(on_white(&square));
    PHOTO_SIZES.iter().map(|size| in_size(&square, *size)).collect()
}

/// What it is by its first bytes, whatever anybody says.
pub(super) fn format_of(bytes: &[u8]) -> Result<ImageFormat, Problem> {
    let known = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];
    let format = image::guess_format(bytes).ok().filter(|format| known.contains(format));
    format.ok_or_else(|| {
        let text = "this is no JPEG, PNG or WebP; save the photo as one of those";
        Problem::new(ProblemCode::WrongType, text)
    })
}

/// Whether a JPEG goes on to its end (ITU-T T.81, B.1).
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some([0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xd9 => return true,
            // Padding, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => {
                let Some([high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
                if *marker == 0xda {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let is_marker =
                        |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff);
                    let Some(scan) = rest.windows(2).position(is_marker) else { return false };
                    at += scan;
                }
            }
        }
    }
    false
}

/// Where it is transparent, white.
fn on_white(photo: &DynamicImage) -> RgbImage {
    let photo = photo.to_rgba8();
    RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        let [red, green, blue, alpha] = photo.get_pixel(x, y).0;
        let mix = |color: u8| {
            let alpha = u16::from(alpha);
            let mixed = (u16::from(color) * alpha + 255 * (255 - alpha)) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Rgb([mix(red), mix(green), mix(blue)])
    })
}

fn in_size(square: &DynamicImage, size: u32) -> Result<Photo, Problem> {
    let small = if square.width() == size {
        square.clone()
    } else {
        square.resize_exact(size, size, FilterType::Triangle)
    };
    for quality in QUALITIES {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        small.write_with_encoder(encoder).map_err(|error| {
            tracing::error!(%error, "a photo was not encoded");
            Problem::internal()
        })?;
        if bytes.len() <= PHOTO_KEPT_BYTES_MAX {
            let hash = Sha256::digest(&bytes).to_vec();
            return Ok(Photo { size: i64::from(size), bytes, hash });
        }
    }
    Err(broken())
}

fn refusal(error: &image::ImageError) -> Problem {
    if matches!(error, image::ImageError::Limits(_)) { too_large() } else { broken() }
}

fn too_large() -> Problem {
    let text = format!(
        "this photo is too large to be opened: {} million pixels are the most, fewer where each has \
         many colors; make it smaller",
        PHOTO_PIXELS_MAX / 1_000_000
    );
    Problem::new(ProblemCode::TooLarge, text)
}

fn broken() -> Problem {
    let text = "this photo is damaged or breaks off; save it anew and send all of it";
    Problem::new(ProblemCode::Invalid, text)
}

/// How well a photo is kept: the first of which it is small enough at. Noise takes the last.
const QUALITIES: [u8; 5] = [85, 70, 50, 25, 5];

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Bytes {
        let photo = DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([1, 2, 3])));
        let mut bytes = Cursor::new(Vec::new());
        photo.write_to(&mut bytes, ImageFormat::Png).expect("encoded");
        bytes.into_inner().into()
    }

    #[tokio::test]
    async fn two_are_at_work_some_wait_and_whoever_comes_next_is_refused() {
        let photos = Arc::new(Photos::default());
        let turns = Arc::clone(&photos.at_once).acquire_many_owned(2).await.expect("open");
        assert_eq!(photos.at_once.available_permits(), 0, "two are all");
        let wait = |photos: &Arc<Photos>| {
            let photos = Arc::clone(photos);
            tokio::spawn(async move { photos.shrink(png(3, 2)).await })
        };
        let places = PHOTOS_AT_ONCE_MAX + PHOTOS_WAITING_MAX;
        let waiting: Vec<_> = (0..places).map(|_| wait(&photos)).collect();
        while photos.waiting.available_permits() != 0 {
            tokio::task::yield_now().await;
        }
        let refused = photos.shrink(png(3, 2)).await.expect_err("no place");
        assert_eq!(refused.code(), ProblemCode::Busy);
        drop(turns);
        for one in waiting {
            assert_eq!(one.await.expect("no panic").expect("a photo").len(), PHOTO_SIZES.len());
        }
        assert!(photos.shrink(png(3, 2)).await.is_ok(), "there are places again");
    }

    #[test]
    fn noise_is_kept_in_as_few_bytes_as_anything() {
        // A generator of Lehmer's is noise enough to compress badly.
        let mut state = 1_u32;
        let noise = RgbImage::from_fn(700, 700, |_, _| {
            Rgb([(); 3].map(|()| {
                state = state.wrapping_mul(48_271).wrapping_add(11);
                state.to_be_bytes()[0]
            }))
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(noise).write_to(&mut bytes, ImageFormat::Png).expect("encoded");
        let best = QUALITIES[0];
        for photo in shrink(&bytes.into_inner()).expect("a photo") {
            assert!(photo.bytes.len() <= PHOTO_KEPT_BYTES_MAX, "{}", photo.bytes.len());
        }
        assert!(QUALITIES.iter().all(|quality| *quality <= best), "each is smaller than the last");
    }

    #[test]
    fn what_is_transparent_is_white() {
        let clear = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 0]));
        let white = on_white(&DynamicImage::ImageRgba8(clear));
        assert_eq!(white.get_pixel(0, 0).0, [255; 3]);
    }

    #[test]
    fn the_end_of_a_jpeg_is_not_the_end_of_one_inside_it() {
        // A thumbnail in a segment, a scan with a stuffed byte and a restart marker, and the end.
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 2, 7, 0xff, 0, 7, 0xff, 0xd0, 7];
        let whole = [&[0xff, 0xd8][..], &thumbnail, &scan, &[0xff, 0xd9]].concat();
        assert!(has_end(&whole));
        for length in 0..whole.len() {
            assert!(!has_end(&whole[..length]), "{length}");
        }
    }
}
