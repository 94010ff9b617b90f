//! Writes an SDP answer.

use core::fmt::Write as _;
use core::net::{Ipv4Addr, SocketAddr};

use protocol::limits::CHANNEL_MESSAGE_BYTES_MAX;
use protocol::rtcp::CANONICAL_NAME;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;

use super::offer::{Direction, LineKind, MLine, Offer};

/// What an answer says besides what the offer already determines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// Constant for a link.
    pub(crate) session_id: u32,
    /// Rising with each answer on a link.
    pub(crate) session_version: u32,
    /// The SFU's end of the link.
    pub(crate) local: &'a LinkParameters,
    /// Where it takes media; not empty.
    pub(crate) candidates: &'a [SocketAddr],
    /// The data channel is refused: the link was opened without one.
    pub(crate) refuse_data_channel: bool,
}

/// The answer to an offer; `slot` gives the SSRC of each m-line that receives.
pub(crate) fn write(
    answer: &Answer<'_>,
    offer: &Offer,
    slot: impl Fn(&str) -> Option<Ssrc>,
) -> String {
    let Answer { session_id, session_version, .. } = answer;
    let mut sdp = format!(
        "v=0\r\no=- {session_id} {session_version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
    );
    if offer.bundled {
        sdp.push_str("a=group:BUNDLE");
        for line in offer.lines.iter().filter(|line| !is_refused(answer, line)) {
            let _ = write!(sdp, " {}", line.mid);
        }
        sdp.push_str("\r\n");
    }
    sdp.push_str("a=msid-semantic: WMS *\r\n");
    // Bundled m-lines share the first one's candidates (RFC 9143 §7.3).
    let mut candidates = answer.candidates;
    for line in &offer.lines {
        write_line(&mut sdp, &Answer { candidates, ..*answer }, line, slot(&line.mid));
        if !is_refused(answer, line) {
            candidates = &[];
        }
    }
    sdp
}

fn is_refused(answer: &Answer<'_>, line: &MLine) -> bool {
    match line.kind {
        LineKind::Refused { .. } => true,
        LineKind::DataChannel => answer.refuse_data_channel,
        LineKind::Audio(..) => false,
    }
}

fn write_line(sdp: &mut String, answer: &Answer<'_>, line: &MLine, slot: Option<Ssrc>) {
    let mid = &line.mid;
    match &line.kind {
        LineKind::Refused { media, protocol, format } => {
            let _ = write!(sdp, "m={media} 0 {protocol} {format}\r\nc=IN IP4 0.0.0.0\r\n");
            let _ = write!(sdp, "a=mid:{mid}\r\na=inactive\r\n");
        }
        LineKind::DataChannel if answer.refuse_data_channel => {
            sdp.push_str("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
            let _ = write!(sdp, "c=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n");
        }
        LineKind::DataChannel => {
            write_transport(sdp, answer, mid, "application", "UDP/DTLS/SCTP webrtc-datachannel");
            let _ = write!(
                sdp,
                "a=sctp-port:5000\r\na=max-message-size:{CHANNEL_MESSAGE_BYTES_MAX}\r\n"
            );
        }
        LineKind::Audio(direction, types) => {
            // RED only where we send: a browser that may send RED would wrap its own Opus in it.
            let red = types.red.filter(|_| direction.app_receives && !direction.app_sends);
            let opus = types.opus.0;
            let mut formats = format!("UDP/TLS/RTP/SAVPF {opus}");
            if let Some(red) = red {
                let _ = write!(formats, " {}", red.0);
            }
            write_transport(sdp, answer, mid, "audio", &formats);
            let _ = write!(sdp, "a=rtcp-mux\r\na={}\r\n", answered_direction(*direction));
            let _ = write!(sdp, "a=rtpmap:{opus} opus/48000/2\r\n");
            if direction.app_sends {
                // 10 ms is the least that Chromium sends, and ptime is what makes it.
                let _ = write!(sdp, "a=fmtp:{opus} {MICROPHONE_FORMAT}\r\na=ptime:10\r\n");
            } else {
                let _ = write!(sdp, "a=fmtp:{opus} stereo=1;sprop-stereo=1;useinbandfec=0\r\n");
            }
            if let Some(red) = red {
                let red = red.0;
                let _ = write!(sdp, "a=rtpmap:{red} red/48000/2\r\na=fmtp:{red} {opus}/{opus}\r\n");
            }
            if let Some(ssrc) = slot {
                let ssrc = ssrc.0;
                let _ = write!(sdp, "a=msid:slot-{mid} slot-{mid}\r\n");
                let _ = write!(sdp, "a=ssrc:{ssrc} cname:{CANONICAL_NAME}\r\n");
            }
        }
    }
}

/// The m-line itself and what ICE and DTLS need.
fn write_transport(sdp: &mut String, answer: &Answer<'_>, mid: &str, media: &str, formats: &str) {
    let LinkParameters { ice_ufrag, ice_pwd, fingerprint } = answer.local;
    let first = answer.candidates.first().copied();
    let address = first.unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), DISCARD_PORT));
    let _ = write!(sdp, "m={media} {} {formats}\r\n", address.port());
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let _ = write!(sdp, "c=IN {family} {}\r\na=mid:{mid}\r\n", address.ip());
    let _ = write!(sdp, "a=ice-ufrag:{ice_ufrag}\r\na=ice-pwd:{ice_pwd}\r\n");
    let _ = write!(sdp, "a=fingerprint:sha-256 {fingerprint}\r\na=setup:passive\r\n");
    let mut local_preference: u32 = 65_535;
    for (index, candidate) in answer.candidates.iter().enumerate() {
        // RFC 8445 §5.1.2.1: a host candidate, component 1.
        let priority = (126 << 24) + (local_preference << 8) + 255;
        let (foundation, ip, port) = (index + 1, candidate.ip(), candidate.port());
        let _ = write!(sdp, "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host\r\n");
        local_preference = local_preference.saturating_sub(1);
    }
    if first.is_some() {
        sdp.push_str("a=end-of-candidates\r\n");
    }
}

const fn answered_direction(direction: Direction) -> &'static str {
    match (direction.app_sends, direction.app_receives) {
        (true, true) => "sendrecv",
        (true, false) => "recvonly",
        (false, true) => "sendonly",
        (false, false) => "inactive",
    }
}

/// What stands where an m-line has no address of its own (RFC 9143 §7.1.1).
const DISCARD_PORT: u16 = 9;

/// What a browser's own encoder is asked for: music at a constant rate, without in-band
/// redundancy, which would cost quality and come too late.
const MICROPHONE_FORMAT: &str =
    "minptime=10;useinbandfec=0;stereo=1;maxaveragebitrate=128000;cbr=1";
