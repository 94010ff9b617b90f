//! Writes a picture anew, without where and with what it was taken, and a small one of it.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, RgbaImage};

use super::{MediaKind, gif};
use crate::limits::{PICTURE_MEMORY_BYTES_MAX, PICTURE_PX_MAX, PICTURE_SIDE_PX_MAX};
use crate::problem::{Problem, ProblemCode};

/// A picture that says nothing but what is to be seen.
#[derive(Debug)]
pub(super) struct Picture {
    /// At its full size, of the same kind.
    pub(super) bytes: Vec<u8>,
    /// A small one.
    pub(super) thumbnail: Vec<u8>,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

/// Decodes a picture and writes it anew. This takes a core for a while, and memory.
pub(super) fn anew(kind: MediaKind, bytes: Vec<u8>) -> Result<Picture, Problem> {
    let image = decode(kind, &bytes)?;
    let bytes = if kind == MediaKind::Gif {
        // It moves, which one picture would not: only what it says beside is left out.
        gif::without_remarks(&bytes).ok_or_else(broken)?
    } else {
        encode(kind, &image).map_err(|_| broken())?
    };
    let is_small = image.width().max(image.height()) <= THUMBNAIL_SIDE_PX;
    let small = if is_small {
        on_white(&image)
    } else {
        on_white(&image.thumbnail(THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX))
    };
    let thumbnail = encode(MediaKind::Jpeg, &small).map_err(|_| broken())?;
    Ok(Picture { bytes, thumbnail, width_px: image.width(), height_px: image.height() })
}

fn decode(kind: MediaKind, bytes: &[u8]) -> Result<DynamicImage, Problem> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_PX_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_PX_MAX);
    limits.max_alloc = Some(PICTURE_MEMORY_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format(kind));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| explain(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if PICTURE_PX_MAX < pixels || PICTURE_MEMORY_BYTES_MAX < decoder.total_bytes() {
        return Err(too_large());
    }
    let orientation = decoder.orientation().map_err(|error| explain(&error))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| explain(&error))?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn encode(kind: MediaKind, image: &DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    if kind == MediaKind::Jpeg {
        let image = DynamicImage::ImageRgb8(image.to_rgb8());
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&image)?;
    } else if kind != MediaKind::Webp {
        image.write_to(&mut Cursor::new(&mut bytes), format(kind))?;
    } else if image.color().has_alpha() {
        let image = DynamicImage::ImageRgba8(image.to_rgba8());
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::WebP)?;
    } else {
        let image = DynamicImage::ImageRgb8(image.to_rgb8());
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::WebP)?;
    }
    Ok(bytes)
}

/// What would be seen through is white.
fn on_white(image: &DynamicImage) -> DynamicImage {
    let white = image::Rgba([u8::MAX; 4]);
    let mut all = RgbaImage::from_pixel(image.width(), image.height(), white);
    image::imageops::overlay(&mut all, &image.to_rgba8(), 0, 0);
    DynamicImage::ImageRgba8(all)
}

fn format(kind: MediaKind) -> ImageFormat {
    match kind {
        MediaKind::Png => ImageFormat::Png,
        MediaKind::Webp => ImageFormat::WebP,
        MediaKind::Gif => ImageFormat::Gif,
        // Whoever asks knows that it is a picture.
        MediaKind::Jpeg
        | MediaKind::Wav
        | MediaKind::Flac
        | MediaKind::Mp3
        | MediaKind::Ogg
        | MediaKind::M4a
        | MediaKind::Aac
        | MediaKind::Webm => ImageFormat::Jpeg,
    }
}

fn explain(error: &image::ImageError) -> Problem {
    if matches!(error, image::ImageError::Limits(_)) { too_large() } else { broken() }
}

fn too_large() -> Problem {
    let text = format!(
        "a picture may have {PICTURE_PX_MAX} pixels, and {PICTURE_SIDE_PX_MAX} on a side, at most"
    );
    Problem::new(ProblemCode::TooLarge, text)
}

fn broken() -> Problem {
    let text = "the picture is broken, or not what its first bytes say";
    Problem::new(ProblemCode::KindNotAllowed, text)
}

/// What small pictures are.
pub(crate) const THUMBNAIL_TYPE: &str = "image/jpeg";

/// Pixels of a small picture on its longer side.
const THUMBNAIL_SIDE_PX: u32 = 320;

/// Of 100: what is lost cannot be seen.
const JPEG_QUALITY: u8 = 90;
