//! Offers, real and wrong, and their answers.

use std::collections::BTreeMap;

use protocol::control::PayloadTypes;
use protocol::limits::{SIGNAL_MESSAGE_BYTES_MAX, SUBSCRIBER_STREAMS_MAX};
use protocol::rtp::{PayloadType, Ssrc};
use protocol::signal::LinkParameters;

use super::samples::{CHROMIUM, FIREFOX};
use super::*;
use crate::limits::{M_LINES_MAX, MID_CHARS_MAX, SDP_SSRCS_MAX};

fn local() -> LinkParameters {
    LinkParameters {
        ice_ufrag: "ufrag".into(),
        ice_pwd: "a-password-of-22-chars".into(),
        fingerprint: ["AB"; 32].join(":"),
    }
}

fn answer_to(offer: &Offer) -> String {
    let candidates = ["127.0.0.1:7882".parse().expect("an address")];
    let local = local();
    let answer = Answer {
        session_id: 7,
        session_version: 2,
        local: &local,
        candidates: &candidates,
        refuse_data_channel: false,
    };
    let slots = BTreeMap::from([("1", Ssrc(11)), ("2", Ssrc(12)), ("3", Ssrc(13))]);
    write(&answer, offer, |mid| slots.get(mid).copied())
}

/// The lines of each m-line of an SDP.
fn m_lines(sdp: &str) -> Vec<Vec<&str>> {
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in sdp.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
    }
    sections
}

#[test]
fn what_chromium_offers_is_understood() {
    let offer = parse(CHROMIUM).expect("a browser's offer");
    let red = Some(PayloadType(63));
    assert_eq!(offer.received, PayloadTypes { opus: PayloadType(111), red, capture_time: false });
    assert_eq!(offer.sent, offer.received);
    assert_eq!(offer.lines.len(), 5);
    assert!(offer.bundled);
    assert_eq!(offer.ssrcs.len(), 1, "the microphone's");
    assert_eq!(offer.lines[4].kind, LineKind::DataChannel);
}

#[test]
fn firefox_takes_no_red_and_its_bundle_only_lines_are_active() {
    let offer = parse(FIREFOX).expect("a browser's offer");
    assert_eq!(
        offer.received,
        PayloadTypes { opus: PayloadType(109), red: None, capture_time: false }
    );
    assert_eq!(offer.sent.red, Some(PayloadType::RED), "for data channel messages");
    let is_refused = |line: &MLine| matches!(line.kind, LineKind::Refused { .. });
    assert!(!offer.lines.iter().any(is_refused));
}

#[test]
fn the_answer_mirrors_the_offer() {
    for text in [CHROMIUM, FIREFOX] {
        let offer = parse(text).expect("a browser's offer");
        let answer = answer_to(&offer);
        assert!(answer.contains("a=group:BUNDLE 0 1 2 3 4\r\n"), "{answer}");
        assert!(answer.contains("a=ice-lite\r\n"));
        assert!(answer.lines().all(|line| line.contains('=')), "no empty or broken line");
        assert_eq!(answer.matches("a=candidate:").count(), 1, "once for the bundle");
        // Jam tracks are not paced, not estimated and not sent again.
        assert!(!answer.contains("extmap") && !answer.contains("transport-cc"));
        assert!(!answer.contains("rtcp-fb") && !answer.contains("nack"));
        let lines = m_lines(&answer);
        let mids: Vec<_> = (0..5).map(|mid| format!("a=mid:{mid}")).collect();
        for (line, mid) in lines.iter().zip(&mids) {
            assert!(line.contains(&mid.as_str()));
            assert!(line.contains(&"a=setup:passive"));
        }
        assert_eq!(lines.len(), 5);
        let (microphone, slot, data_channel) = (&lines[0], &lines[2], &lines[4]);
        assert!(microphone.contains(&"a=recvonly") && microphone.contains(&"a=ptime:10"));
        assert!(!microphone.iter().any(|line| line.contains("red/")), "plain Opus comes in");
        assert!(slot.contains(&"a=sendonly") && slot.contains(&"a=ssrc:12 cname:vjam"));
        let takes_red = slot.iter().any(|line| line.contains("red/48000/2"));
        assert_eq!(takes_red, text == CHROMIUM);
        assert!(data_channel[0].ends_with("UDP/DTLS/SCTP webrtc-datachannel"));
    }
}

#[test]
fn what_we_do_not_take_is_refused_line_by_line() {
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\n\
                 a=rtpmap:96 VP8/90000\r\n";
    let without_opus = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:p\r\na=rtcp-mux\r\n";
    let offer = parse(&format!("{CHROMIUM}{video}{without_opus}")).expect("the rest is good");
    let answer = answer_to(&offer);
    assert!(answer.contains("a=group:BUNDLE 0 1 2 3 4\r\n"), "without the refused");
    let lines = m_lines(&answer);
    assert_eq!(lines[5][0], "m=video 0 UDP/TLS/RTP/SAVPF 96");
    assert_eq!(lines[6][0], "m=audio 0 UDP/TLS/RTP/SAVPF 0");
    // A stopped m-line.
    let stopped = CHROMIUM.replacen("m=audio 9", "m=audio 0", 1);
    let stopped = stopped.replace("BUNDLE 0 1", "BUNDLE 1");
    let answer = answer_to(&parse(&stopped).expect("four are left"));
    assert!(m_lines(&answer)[0][0].starts_with("m=audio 0 "));
    assert_eq!(answer.matches("a=candidate:").count(), 1);
}

#[test]
fn a_late_data_channel_is_refused() {
    let offer = parse(CHROMIUM).expect("a browser's offer");
    let local = local();
    let candidates = ["[2001:db8::1]:7882".parse().expect("an address")];
    let answer = Answer {
        session_id: 7,
        session_version: 2,
        local: &local,
        candidates: &candidates,
        refuse_data_channel: true,
    };
    let answer = write(&answer, &offer, |_| None);
    assert!(answer.contains("a=group:BUNDLE 0 1 2 3\r\n"));
    assert!(answer.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert!(answer.contains("c=IN IP6 2001:db8::1\r\n"));
}

#[test]
fn a_line_that_is_both_has_no_red() {
    let offer = CHROMIUM.replace("a=sendonly", "a=sendrecv").replace("a=recvonly", "a=inactive");
    let offer = parse(&offer).expect("a plain page's offer");
    assert_eq!(offer.received.red, None);
    let answer = answer_to(&offer);
    assert!(m_lines(&answer)[0].contains(&"a=sendrecv"));
    assert!(m_lines(&answer)[1].contains(&"a=inactive"));
}

#[test]
fn one_m_line_needs_no_bundle() {
    let end = CHROMIUM.match_indices("m=audio").nth(1).expect("more than one").0;
    let one = CHROMIUM[..end].replace("a=group:BUNDLE 0 1 2 3 4\r\n", "");
    let offer = parse(&one).expect("one m-line");
    assert!(!offer.bundled);
    assert!(!answer_to(&offer).contains("BUNDLE"));
}

/// The number of the line that a changed offer is refused for, and the words.
fn check_refused(changed: &str, line: usize, words: &str) {
    match parse(changed) {
        Err(UnusableOffer::Line { line: found, what }) => {
            assert!(what.contains(words), "{what:?} does not say {words:?}");
            assert_eq!(found, line, "{what}");
        }
        other => panic!("{words}: {other:?}"),
    }
}

#[test]
fn an_unusable_offer_is_refused_with_the_line_that_is_wrong() {
    let line_of = |text: &str| {
        let found = CHROMIUM.lines().position(|line| line.starts_with(text));
        found.expect("the sample has that line") + 1
    };
    let (mic, second) = (line_of("m="), {
        let mut found = CHROMIUM.lines().enumerate().filter(|(_, line)| line.starts_with("m="));
        found.nth(1).expect("the sample has several").0 + 1
    });
    let without = |text: &str| -> String {
        let kept = CHROMIUM.lines().filter(|line| !line.starts_with(text));
        kept.map(|line| format!("{line}\r\n")).collect()
    };
    check_refused("", 1, "no m= line");
    check_refused("hello", 1, "x=");
    check_refused("v=1\r\n", 1, "v=0");
    check_refused(&without("a=mid"), mic, "a=mid");
    check_refused(&without("a=rtcp-mux"), mic, "rtcp-mux");
    check_refused(&without("a=ice-ufrag"), mic, "a=ice-ufrag");
    check_refused(&without("a=ice-pwd"), mic, "a=ice-pwd");
    check_refused(&without("a=fingerprint"), mic, "sha-256");
    check_refused(&without("a=group"), second - 1, "BUNDLE");
    check_refused(&without("o="), 1, "o=");
    let changed = |from: &str, to: &str| CHROMIUM.replacen(from, to, 1);
    check_refused(&changed("BUNDLE 0 1 2", "BUNDLE 0 2"), second, "not in a=group:BUNDLE");
    check_refused(&changed("a=mid:1", "a=mid:0"), second, "same a=mid");
    check_refused(&changed("a=mid:0", "a=mid:a b"), line_of("a=mid"), "a=mid");
    check_refused(&changed("actpass", "passive"), line_of("a=setup"), "actpass");
    check_refused(&changed("sha-256 ", "sha-256 X"), line_of("a=fingerprint"), "32 bytes");
    check_refused(&changed("a=rtpmap:111", "a=rtpmap:72"), line_of("a=rtpmap"), "0 to 63");
    check_refused(&changed("a=rtpmap:111", "a=rtpmap:300"), line_of("a=rtpmap"), "number");
    check_refused(&changed("a=rtpmap:111", "a=rtpmap:96"), second, "same payload type");
    check_refused(&changed("a=ssrc:", "a=ssrc:x"), line_of("a=ssrc"), "SSRC");
    check_refused(&changed("m=audio 9", "m=audio x"), mic, "port");
    check_refused(&changed(CHROMIUM.lines().nth(mic - 1).expect("m="), "m=audio 9"), mic, "needs");
    check_refused(&changed("s=-", "a=ice-lite"), 3, "ICE-lite");
}

#[test]
fn endless_offers_are_refused() {
    let mut offer = CHROMIUM.to_owned();
    for mid in 5..=M_LINES_MAX {
        offer.push_str(&format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n"));
    }
    assert!(matches!(parse(&offer), Err(UnusableOffer::TooMany { what: "m-lines", .. })));
    let lines = "a=x\n".repeat(SIGNAL_MESSAGE_BYTES_MAX / 4);
    let offer = format!("{CHROMIUM}{lines}");
    assert!(matches!(parse(&offer), Err(UnusableOffer::TooMany { what: "lines", .. })));
}

#[test]
fn an_offer_announces_few_ssrcs() {
    let announcing = |count: usize| {
        let lines: String = (1..count).map(|n| format!("a=ssrc:{n} cname:x\r\n")).collect();
        let at = CHROMIUM.find("a=ssrc:").expect("the microphone has one");
        let mut offer = CHROMIUM.to_owned();
        // Saying the same twice costs nothing.
        offer.insert_str(at, &format!("{lines}{lines}"));
        parse(&offer)
    };
    assert_eq!(announcing(SDP_SSRCS_MAX).expect("as many as may be").ssrcs.len(), SDP_SSRCS_MAX);
    let refused = announcing(SDP_SSRCS_MAX + 1);
    assert_eq!(refused, Err(UnusableOffer::TooMany { what: "SSRCs", max: SDP_SSRCS_MAX }));
}

#[test]
fn an_endless_bundle_is_not_looked_through() {
    let many: String = (0..M_LINES_MAX).map(|n| format!("x{n} ")).collect();
    let offer = CHROMIUM.replacen("BUNDLE ", &format!("BUNDLE {many}"), 1);
    let mic = CHROMIUM.lines().position(|line| line.starts_with("m=")).expect("it has") + 1;
    check_refused(&offer, mic, "not in a=group:BUNDLE");
}

#[test]
fn an_m_line_has_a_short_name() {
    let named = |chars: usize| {
        let mid = "m".repeat(chars);
        let offer = CHROMIUM.replacen("a=mid:0", &format!("a=mid:{mid}"), 1);
        parse(&offer.replacen("BUNDLE 0", &format!("BUNDLE {mid}"), 1))
    };
    assert!(named(MID_CHARS_MAX).is_ok());
    assert!(matches!(named(MID_CHARS_MAX + 1), Err(UnusableOffer::Line { .. })));
}

#[test]
fn the_largest_offer_of_a_browser_fits_one_message() {
    for sample in [CHROMIUM, FIREFOX] {
        let lines: Vec<_> = sample.match_indices("m=").map(|(at, _)| at).collect();
        let slot = &sample[lines[1]..lines[2]];
        let mut offer = sample.to_owned();
        let mut names = String::new();
        // A microphone, three slots and a data channel are in the sample.
        for mid in 5..M_LINES_MAX {
            offer.push_str(&slot.replacen("a=mid:1", &format!("a=mid:{mid}"), 1));
            names.push_str(&format!(" {mid}"));
        }
        offer = offer.replacen("BUNDLE 0 1 2 3 4", &format!("BUNDLE 0 1 2 3 4{names}"), 1);
        let slots = parse(&offer).expect("a browser's offer").receiving().count();
        assert!(SUBSCRIBER_STREAMS_MAX <= slots);
        let message = serde_json::to_string(&offer).expect("text");
        // ICE candidates and what browsers will add one day.
        assert!(message.len() + SIGNAL_MESSAGE_BYTES_MAX / 4 < SIGNAL_MESSAGE_BYTES_MAX);
    }
}
