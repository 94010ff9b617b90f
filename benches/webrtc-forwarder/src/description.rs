//! Between SDP, which the `webrtc` crate takes, and the half of a link that the load gives.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use protocol::rtp::Ssrc;
use protocol::signal::{Description, LinkParameters};

/// The offer of a participant with one microphone, who wants to hear so many others.
pub(crate) fn offer(link: &LinkParameters, source: Ssrc, others: usize) -> String {
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for mid in 0..=others {
        let _ = write!(sdp, " {mid}");
    }
    sdp.push_str("\r\na=msid-semantic:WMS *\r\n");
    for mid in 0..=others {
        let direction = if mid == 0 { "sendonly" } else { "recvonly" };
        let LinkParameters { ice_ufrag, ice_pwd, fingerprint } = link;
        let _ = write!(
            sdp,
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{ice_ufrag}\r\na=ice-pwd:{ice_pwd}\r\na=fingerprint:sha-256 {fingerprint}\r\n\
             a=setup:active\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n\
             a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
        );
        if mid == 0 {
            let ssrc = source.0;
            let _ = write!(
                sdp,
                "a=msid:load load\r\na=ssrc:{ssrc} cname:load\r\na=ssrc:{ssrc} msid:load load\r\n"
            );
        }
    }
    sdp
}

/// The forwarder's half of the link, out of its answer.
pub(crate) fn read(answer: &str) -> Result<Description> {
    let value = |name: &str| {
        let lines = answer.lines();
        let found = lines.filter_map(|line| line.strip_prefix("a=")?.strip_prefix(name)).next();
        found.map(|rest| rest.trim_start_matches(':').trim().to_owned())
    };
    let part = |name: &str| value(name).with_context(|| format!("no {name} in {answer}"));
    let fingerprint = part("fingerprint:sha-256")?.to_ascii_uppercase();
    let link =
        LinkParameters { ice_ufrag: part("ice-ufrag")?, ice_pwd: part("ice-pwd")?, fingerprint };
    let mut candidates: Vec<SocketAddr> = Vec::new();
    for line in answer.lines() {
        // a=candidate:FOUNDATION COMPONENT udp PRIORITY ADDRESS PORT typ host
        let Some(rest) = line.strip_prefix("a=candidate:") else { continue };
        let words: Vec<&str> = rest.split(' ').collect();
        let [_, _, transport, _, address, port, ..] = words[..] else { continue };
        let address = format!("{address}:{port}").parse();
        if let (true, Ok(address)) = (transport.eq_ignore_ascii_case("udp"), address)
            && !candidates.contains(&address)
        {
            candidates.push(address);
        }
    }
    Ok(Description::Direct { link, candidates })
}
