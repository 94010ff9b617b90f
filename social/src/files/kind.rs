//! What a file is, by its first bytes. Its name says nothing.

use std::str::FromStr;

use crate::account::UnknownWord;

/// Every kind of file that is taken. None of them can run as a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// Samples as they are.
    Wav,
    /// Lossless.
    Flac,
    /// MPEG layer III.
    Mp3,
    /// Opus or Vorbis in Ogg.
    Ogg,
    /// AAC, in the container that phones write.
    M4a,
    /// AAC, frame after frame.
    Aac,
    /// Opus or Vorbis in WebM, which browsers record.
    Webm,
    /// A photo.
    Jpeg,
    /// A drawing.
    Png,
    /// Either.
    Webp,
    /// Something that moves.
    Gif,
}

impl MediaKind {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Wav,
        Self::Flac,
        Self::Mp3,
        Self::Ogg,
        Self::M4a,
        Self::Aac,
        Self::Webm,
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Gif,
    ];

    /// Its type, as it is served and stands in the database.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::M4a => "audio/mp4",
            Self::Aac => "audio/aac",
            Self::Webm => "audio/webm",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// What the name of such a file ends with.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
            Self::M4a => "m4a",
            Self::Aac => "aac",
            Self::Webm => "webm",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    /// Whether it is to be heard.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        match self {
            Self::Wav | Self::Flac | Self::Mp3 | Self::Ogg | Self::M4a | Self::Aac | Self::Webm => {
                true
            }
            Self::Jpeg | Self::Png | Self::Webp | Self::Gif => false,
        }
    }

    /// What a file is that begins like this, if it is any of them.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |offset: usize, bytes: &[u8]| {
            head.get(offset..).is_some_and(|rest| rest.starts_with(bytes))
        };
        if (at(0, b"RIFF") || at(0, b"RF64")) && at(8, b"WAVE") {
            Some(Self::Wav)
        } else if at(0, b"RIFF") && at(8, b"WEBPVP8") {
            Some(Self::Webp)
        } else if at(0, b"fLaC") {
            Some(Self::Flac)
        } else if at(0, b"OggS") && (at(28, b"OpusHead") || at(28, b"\x01vorbis")) {
            Some(Self::Ogg)
        } else if at(4, b"ftyp") && M4A_BRANDS.iter().any(|brand| at(8, brand)) {
            Some(Self::M4a)
        } else if at(0, b"\x1a\x45\xdf\xa3") && is_webm(head) {
            Some(Self::Webm)
        } else if at(0, b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if at(0, b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
            Some(Self::Gif)
        } else if at(0, b"ID3") {
            Some(Self::Mp3)
        } else {
            frame(head)
        }
    }
}

/// What an MPEG frame is that begins here: 11 bits of ones, then version and layer.
fn frame(head: &[u8]) -> Option<MediaKind> {
    let [0xff, second, third, ..] = *head else { return None };
    let (version, layer) = ((second >> 3) & 3, (second >> 1) & 3);
    let (bitrate, rate) = (third >> 4, (third >> 2) & 3);
    if second & 0xf6 == 0xf0 && (third >> 2) & 15 < 13 {
        // ADTS: 12 bits of ones, a layer of none, and one of 13 rates.
        return Some(MediaKind::Aac);
    }
    let is_mp3 = second & 0xe0 == 0xe0
        && version != 1
        && layer == 1
        && !matches!(bitrate, 0 | 15)
        && rate != 3;
    is_mp3.then_some(MediaKind::Mp3)
}

/// Whether a Matroska header says that it is a WebM, within the bytes that are looked at.
fn is_webm(head: &[u8]) -> bool {
    const DOC_TYPE: &[u8] = b"\x42\x82\x84webm";
    head.windows(DOC_TYPE.len()).any(|window| window == DOC_TYPE)
}

impl FromStr for MediaKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|known| known.media_type() == text).ok_or(UnknownWord)
    }
}

/// What phones and programs call a file that holds sound. One that holds a video too is served as
/// sound.
const M4A_BRANDS: [&[u8]; 6] = [b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2"];

/// Bytes by which a file is known.
pub(super) const HEAD_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes_and_by_nothing_else() {
        let ogg = [b"OggS".as_slice(), &[0; 24], b"OpusHead"].concat();
        let theora = [b"OggS".as_slice(), &[0; 24], b"\x80theora"].concat();
        let webm = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm";
        let matroska = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska";
        for (head, kind) in [
            (b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), Some(MediaKind::Wav)),
            (b"RIFF\x24\0\0\0WEBPVP8L", Some(MediaKind::Webp)),
            (b"RIFF\x24\0\0\0AVI LIST", None),
            (b"fLaC\0\0\0\x22", Some(MediaKind::Flac)),
            (&ogg, Some(MediaKind::Ogg)),
            (&theora, None),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", Some(MediaKind::M4a)),
            (b"\0\0\0\x20ftypavif\0\0\0\0", None),
            (webm, Some(MediaKind::Webm)),
            (matroska, None),
            (b"\xff\xd8\xff\xe0", Some(MediaKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(MediaKind::Png)),
            (b"GIF89a", Some(MediaKind::Gif)),
            (b"ID3\x04", Some(MediaKind::Mp3)),
            (b"\xff\xfb\x90\x64", Some(MediaKind::Mp3)),
            (b"\xff\xf1\x50\x80", Some(MediaKind::Aac)),
            (b"\xff\xfe<\0h\0", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\">", None),
            (b"<!DOCTYPE html><script>", None),
            (b"%PDF-1.7", None),
            (b"PK\x03\x04", None),
            (b"\x7fELF", None),
            (b"", None),
        ] {
            assert_eq!(MediaKind::of(head), kind, "{}", String::from_utf8_lossy(head));
        }
        for kind in MediaKind::ALL {
            assert_eq!(kind.media_type().parse(), Ok(kind));
            assert_eq!(kind.is_audio(), kind.media_type().starts_with("audio/"));
        }
    }
}
