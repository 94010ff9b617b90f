//! An SDP text cut into sections and attributes, each knowing its line number.

use super::offer::UnusableOffer;
use crate::limits::{M_LINES_MAX, SDP_LINES_MAX};

/// One `a=` line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) line: usize,
    pub(super) name: &'a str,
    /// What stands behind the colon, or nothing.
    pub(super) value: &'a str,
}

/// The session's lines, or one m-line with what belongs to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Section<'a> {
    /// The number of its first line.
    pub(super) line: usize,
    /// The value of its `m=` or, for the session, of its `o=` line.
    pub(super) head: &'a str,
    pub(super) attributes: Vec<Attribute<'a>>,
}

impl<'a> Section<'a> {
    /// The first attribute of that name.
    pub(super) fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.all(name).next()
    }

    /// Every attribute of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = Attribute<'a>> {
        self.attributes.iter().copied().filter(move |attribute| attribute.name == name)
    }
}

/// The session section, then one for each m-line.
pub(super) fn sections(sdp: &str) -> Result<(Section<'_>, Vec<Section<'_>>), UnusableOffer> {
    let mut session = Section { line: 1, ..Section::default() };
    let mut media: Vec<Section<'_>> = Vec::new();
    let mut version_seen = false;
    for (index, text) in sdp.lines().enumerate() {
        let line = index + 1;
        if SDP_LINES_MAX < line {
            return Err(UnusableOffer::TooMany { what: "lines", max: SDP_LINES_MAX });
        }
        if text.is_empty() {
            continue;
        }
        let (kind, value) = text
            .split_once('=')
            .filter(|(kind, _)| kind.len() == 1)
            .ok_or_else(|| UnusableOffer::at(line, "is not of the form x=..."))?;
        if !version_seen && (kind, value) != ("v", "0") {
            return Err(UnusableOffer::at(line, "must be v=0"));
        }
        version_seen = true;
        match kind {
            "m" if media.len() == M_LINES_MAX => {
                return Err(UnusableOffer::TooMany { what: "m-lines", max: M_LINES_MAX });
            }
            "m" => media.push(Section { line, head: value, attributes: Vec::new() }),
            "o" if media.is_empty() => session.head = value,
            "a" => {
                let (name, value) = value.split_once(':').unwrap_or((value, ""));
                let section = media.last_mut().unwrap_or(&mut session);
                section.attributes.push(Attribute { line, name, value });
            }
            // Times, bandwidths, connection addresses: nothing that an SFU needs.
            _ => {}
        }
    }
    if media.is_empty() {
        return Err(UnusableOffer::at(1, "the offer has no m= line"));
    }
    Ok((session, media))
}
