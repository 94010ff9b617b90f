//! SDP offers as browsers make them, to measure.

use core::fmt::Write as _;

/// What an offer says.
#[derive(Debug, Clone)]
pub(crate) struct OfferPlan {
    pub(crate) session: u32,
    pub(crate) ufrag: String,
    pub(crate) fingerprint: u8,
    pub(crate) slots: usize,
    /// The number of the microphone's m-line; the others count on.
    pub(crate) first_mid: usize,
    pub(crate) opus: u8,
    pub(crate) red: bool,
    pub(crate) data_channel: bool,
}

impl Default for OfferPlan {
    fn default() -> Self {
        Self {
            session: 1,
            ufrag: "ufrag".into(),
            fingerprint: 0xaa,
            slots: 2,
            first_mid: 0,
            opus: 111,
            red: true,
            data_channel: true,
        }
    }
}

/// One microphone (MID 0), a data channel, and slots after it.
pub(crate) fn offer(plan: &OfferPlan) -> String {
    let OfferPlan { session, ufrag, fingerprint, slots, first_mid, opus, red, data_channel } = plan;
    let fingerprint = vec![format!("{fingerprint:02X}"); 32].join(":");
    let transport = format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag}APasswordOfSomeLength1\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n"
    );
    let mut bundle = String::new();
    let mut lines = String::new();
    let mut mid = *first_mid;
    let audio = |mid: usize, direction: &str| {
        let red = if *red { "a=rtpmap:63 red/48000/2\r\n" } else { "" };
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF {opus}\r\nc=IN IP4 0.0.0.0\r\n{transport}a=mid:{mid}\r\n\
             a={direction}\r\na=rtcp-mux\r\na=rtpmap:{opus} opus/48000/2\r\n{red}"
        )
    };
    let mut add = |text: String| {
        let _ = write!(bundle, " {mid}");
        lines.push_str(&text);
        mid += 1;
        mid
    };
    let mut next = add(audio(*first_mid, "sendonly"));
    if *data_channel {
        next = add(format!(
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{transport}a=mid:{next}\r\n\
             a=sctp-port:5000\r\n"
        ));
    }
    for _ in 0..*slots {
        next = add(audio(next, "recvonly"));
    }
    format!(
        "v=0\r\no=- {session} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE{bundle}\r\n{lines}"
    )
}
