//! Reads an SDP offer.

use protocol::control::PayloadTypes;
use protocol::rtp::{PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use thiserror::Error;

use super::lines::{Section, sections};
use crate::limits::{M_LINES_MAX, MID_CHARS_MAX, SDP_SSRCS_MAX};
use crate::parameters;

/// What an offer says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The session id of the `o=` line: another one means another `RTCPeerConnection`.
    pub(crate) session_id: String,
    /// The app's half of the link.
    pub(crate) remote: LinkParameters,
    /// Payload types of what the app receives; RED only where every slot takes it.
    pub(crate) received: PayloadTypes,
    /// Payload types of what the app sends.
    pub(crate) sent: PayloadTypes,
    /// Whether m-lines are bundled by name; a single one need not be.
    pub(crate) bundled: bool,
    /// The m-lines in the offer's order.
    pub(crate) lines: Vec<MLine>,
    /// SSRCs that the app announced for what it sends over RTP.
    pub(crate) ssrcs: Vec<Ssrc>,
}

/// One m-line of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MLine {
    /// Its name (RFC 5888).
    pub(crate) mid: String,
    /// What it is for.
    pub(crate) kind: LineKind,
}

/// What an m-line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Opus, either way.
    Audio(Direction, PayloadTypes),
    /// SCTP.
    DataChannel,
    /// Nothing that we take, or stopped: answered with port 0. Its media, protocol and first
    /// format, which the answer repeats.
    Refused {
        /// `audio`, `video`, `application`, ...
        media: String,
        /// `UDP/TLS/RTP/SAVPF`, ...
        protocol: String,
        /// A payload type or the name of an application.
        format: String,
    },
}

/// Who sends on an audio m-line, seen from the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    /// The app sends: a microphone.
    pub(crate) app_sends: bool,
    /// The app receives: a slot.
    pub(crate) app_receives: bool,
}

/// Why an offer cannot be used; always the app's fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum UnusableOffer {
    /// A line is wrong, or a section starting there lacks something.
    #[error("line {line} of the offer: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// More than we read.
    #[error("the offer has more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most there may be.
        max: usize,
    },
}

impl Offer {
    /// The names of the m-lines that receive.
    pub(crate) fn receiving(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match &line.kind {
            LineKind::Audio(direction, _) if direction.app_receives => Some(line.mid.as_str()),
            LineKind::Audio(..) | LineKind::DataChannel | LineKind::Refused { .. } => None,
        })
    }
}

impl UnusableOffer {
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
}

/// Reads an offer.
pub(crate) fn parse(sdp: &str) -> Result<Offer, UnusableOffer> {
    let (session, media) = sections(sdp)?;
    let session_id = session.head.split(' ').nth(1).filter(|id| !id.is_empty());
    let session_id = session_id.ok_or_else(|| UnusableOffer::at(1, "the offer has no o= line"))?;
    if let Some(lite) = session.attribute("ice-lite") {
        return Err(UnusableOffer::at(lite.line, "this server is ICE-lite, an app must not be"));
    }
    let mut lines: Vec<MLine> = Vec::with_capacity(media.len());
    let mut accepted = Vec::new();
    let mut ssrcs = Vec::new();
    let session_direction = direction(&session);
    for section in &media {
        let mid = mid(section)?;
        if lines.iter().any(|line| line.mid == mid) {
            return Err(UnusableOffer::at(section.line, "another m-line has the same a=mid"));
        }
        let kind = kind(session_direction, section)?;
        if !matches!(kind, LineKind::Refused { .. }) {
            accepted.push((mid.clone(), section));
        }
        if matches!(kind, LineKind::Audio(Direction { app_sends: true, .. }, _)) {
            announced_ssrcs(section, &mut ssrcs)?;
        }
        lines.push(MLine { mid, kind });
    }
    let Some((_, first)) = accepted.first() else {
        let what = "neither Opus audio nor a data channel is offered";
        return Err(UnusableOffer::at(media[0].line, what));
    };
    let bundled = check_bundle(&session, &accepted)?;
    let sections: Vec<_> = accepted.iter().map(|(_, section)| *section).collect();
    let remote = link_parameters(&session, &sections, first.line)?;
    let (sent, received) = payload_types(&lines, &media)?;
    Ok(Offer { session_id: session_id.into(), remote, received, sent, bundled, lines, ssrcs })
}

fn mid(section: &Section<'_>) -> Result<String, UnusableOffer> {
    let mid = section
        .attribute("mid")
        .ok_or_else(|| UnusableOffer::at(section.line, "the m-line has no a=mid"))?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_.+!~".contains(c);
    if mid.value.is_empty() || MID_CHARS_MAX < mid.value.len() || !mid.value.chars().all(is_token) {
        let what = format!("a=mid is 1 to {MID_CHARS_MAX} letters, digits or -_.+!~");
        return Err(UnusableOffer::at(mid.line, what));
    }
    Ok(mid.value.into())
}

fn kind(session: Option<Direction>, section: &Section<'_>) -> Result<LineKind, UnusableOffer> {
    let mut words = section.head.split(' ').filter(|word| !word.is_empty());
    let (Some(media), Some(port), Some(protocol), Some(format)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(UnusableOffer::at(section.line, "m= needs media, port, protocol and format"));
    };
    let port: u16 = port
        .parse()
        .map_err(|_| UnusableOffer::at(section.line, "the port of m= is not a number"))?;
    let refused =
        LineKind::Refused { media: media.into(), protocol: protocol.into(), format: format.into() };
    // Port 0 means stopped, except for a bundle-only m-line (RFC 9143 §6).
    if port == 0 && section.attribute("bundle-only").is_none() {
        return Ok(refused);
    }
    match media {
        "audio" if protocol.ends_with("TLS/RTP/SAVPF") => {
            let Some(types) = audio_payload_types(section)? else { return Ok(refused) };
            if section.attribute("rtcp-mux").is_none() {
                return Err(UnusableOffer::at(section.line, "the m-line has no a=rtcp-mux"));
            }
            let both = Direction { app_sends: true, app_receives: true };
            Ok(LineKind::Audio(direction(section).or(session).unwrap_or(both), types))
        }
        "application" if protocol == "UDP/DTLS/SCTP" && format == "webrtc-datachannel" => {
            if section.attribute("sctp-port").is_none() {
                return Err(UnusableOffer::at(section.line, "the m-line has no a=sctp-port"));
            }
            Ok(LineKind::DataChannel)
        }
        _ => Ok(refused),
    }
}

/// What a section says about it.
fn direction(section: &Section<'_>) -> Option<Direction> {
    section.attributes.iter().find_map(|attribute| {
        let (app_sends, app_receives) = match attribute.name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Direction { app_sends, app_receives })
    })
}

/// The payload types of Opus and RED of an audio m-line; none without Opus.
fn audio_payload_types(section: &Section<'_>) -> Result<Option<PayloadTypes>, UnusableOffer> {
    let (mut opus, mut red) = (None, None);
    for map in section.all("rtpmap") {
        let Some((number, encoding)) = map.value.split_once(' ') else {
            return Err(UnusableOffer::at(map.line, "a=rtpmap needs a payload type and a name"));
        };
        let slot = match encoding.trim().to_ascii_lowercase().as_str() {
            "opus/48000/2" => &mut opus,
            "red/48000/2" | "red/48000" => &mut red,
            _ => continue,
        };
        let number: u8 = number
            .parse()
            .map_err(|_| UnusableOffer::at(map.line, "the payload type is not a number"))?;
        // 64 to 95 look like RTCP where both share a port (RFC 5761 §4).
        if 127 < number || (64..=95).contains(&number) {
            let what = "the payload type must be 0 to 63 or 96 to 127";
            return Err(UnusableOffer::at(map.line, what));
        }
        slot.get_or_insert(PayloadType(number));
    }
    Ok(opus.map(|opus| PayloadTypes {
        opus,
        red: red.filter(|red| *red != opus),
        capture_time: false,
    }))
}

/// Adds the SSRCs of an m-line; several lines may speak of the same.
fn announced_ssrcs(section: &Section<'_>, ssrcs: &mut Vec<Ssrc>) -> Result<(), UnusableOffer> {
    for attribute in section.all("ssrc") {
        let number = attribute.value.split(' ').next().unwrap_or_default();
        let ssrc = number
            .parse()
            .map_err(|_| UnusableOffer::at(attribute.line, "the SSRC is not a number"))?;
        if ssrcs.contains(&Ssrc(ssrc)) {
            continue;
        }
        if ssrcs.len() == SDP_SSRCS_MAX {
            return Err(UnusableOffer::TooMany { what: "SSRCs", max: SDP_SSRCS_MAX });
        }
        ssrcs.push(Ssrc(ssrc));
    }
    Ok(())
}

/// Every m-line that we take must travel over one address; gives whether a group says so.
fn check_bundle(
    session: &Section<'_>,
    accepted: &[(String, &Section<'_>)],
) -> Result<bool, UnusableOffer> {
    let group = session.all("group").find_map(|group| group.value.strip_prefix("BUNDLE"));
    let Some(group) = group else {
        return match accepted.get(1) {
            Some((_, section)) => {
                Err(UnusableOffer::at(section.line, "several m-lines need a=group:BUNDLE"))
            }
            None => Ok(false),
        };
    };
    // Each m-line is looked for in it: it must be no longer than there may be m-lines.
    let names: Vec<_> =
        group.split(' ').filter(|name| !name.is_empty()).take(M_LINES_MAX).collect();
    let outside = accepted.iter().find(|(mid, _)| !names.contains(&mid.as_str()));
    match outside {
        Some((_, section)) => {
            Err(UnusableOffer::at(section.line, "the m-line is not in a=group:BUNDLE"))
        }
        None => Ok(true),
    }
}

/// ICE and DTLS parameters: bundled m-lines share them, whichever of them (or the session) says so.
fn link_parameters(
    session: &Section<'_>,
    sections: &[&Section<'_>],
    line: usize,
) -> Result<LinkParameters, UnusableOffer> {
    let attribute = |name: &str| {
        let mut found = sections.iter().filter_map(|section| section.attribute(name));
        found.next().or_else(|| session.attribute(name))
    };
    let required = |name: &str| {
        attribute(name).ok_or_else(|| UnusableOffer::at(line, format!("there is no a={name}")))
    };
    if let Some(setup) = attribute("setup")
        && !matches!(setup.value, "actpass" | "active")
    {
        return Err(UnusableOffer::at(setup.line, "a=setup must be actpass or active"));
    }
    let (ufrag, pwd) = (required("ice-ufrag")?, required("ice-pwd")?);
    parameters::check_ufrag(ufrag.value).map_err(|what| UnusableOffer::at(ufrag.line, what))?;
    parameters::check_pwd(pwd.value).map_err(|what| UnusableOffer::at(pwd.line, what))?;
    // Several hashes of one certificate may be offered (RFC 8122 §5).
    let levels = sections.iter().copied().chain([session]);
    let sha_256 = levels.flat_map(|section| section.all("fingerprint")).find_map(|attribute| {
        let (hash, bytes) = attribute.value.split_once(' ')?;
        hash.eq_ignore_ascii_case("sha-256").then_some((attribute.line, bytes))
    });
    let (line, bytes) =
        sha_256.ok_or_else(|| UnusableOffer::at(line, "there is no a=fingerprint:sha-256"))?;
    let fingerprint =
        parameters::fingerprint(bytes).map_err(|what| UnusableOffer::at(line, what))?;
    Ok(LinkParameters { ice_ufrag: ufrag.value.into(), ice_pwd: pwd.value.into(), fingerprint })
}

/// What the app sends with and what it receives with: one mapping for the whole bundle
/// (RFC 9143 §9.1).
fn payload_types(
    lines: &[MLine],
    media: &[Section<'_>],
) -> Result<(PayloadTypes, PayloadTypes), UnusableOffer> {
    let mut opus = None;
    let mut red = None;
    let mut every_slot_takes_red = true;
    for (line, section) in lines.iter().zip(media) {
        let LineKind::Audio(direction, types) = &line.kind else { continue };
        if *opus.get_or_insert(types.opus) != types.opus {
            let what = "opus must have the same payload type in every m-line";
            return Err(UnusableOffer::at(section.line, what));
        }
        if let Some(this) = types.red
            && *red.get_or_insert(this) != this
        {
            let what = "red must have the same payload type in every m-line";
            return Err(UnusableOffer::at(section.line, what));
        }
        // A slot that is a microphone too is answered without RED.
        let takes_red = types.red.is_some() && !direction.app_sends;
        every_slot_takes_red &= takes_red || !direction.app_receives;
    }
    let opus = opus.unwrap_or(PayloadType::OPUS);
    // What the app puts into data channel messages needs a number, negotiated or not.
    let unnamed = if opus == PayloadType::RED { None } else { Some(PayloadType::RED) };
    let sent = PayloadTypes { opus, red: red.or(unnamed), capture_time: false };
    let received =
        PayloadTypes { opus, red: red.filter(|_| every_slot_takes_red), capture_time: false };
    Ok((sent, received))
}
