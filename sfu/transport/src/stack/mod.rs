//! ICE, DTLS and SCTP of one link: the only module that knows `str0m` (and `dimpl`, its DTLS).
//!
//! It is used for nothing else: no media is declared, RTP and RTCP are never passed in, and the
//! SRTP keys that the handshake yields go to our own SRTP while `str0m` gets zeros, so that it
//! cannot seal anything under them. Candidates of this end are placeholders: where datagrams go is
//! decided in `link.rs`.
//!
//! What surprises: `str0m` counts in [`std::time::Instant`], which has no origin that could be
//! passed in; any fixed one will do, because only differences matter. And every call into it is
//! fenced with `catch_unwind`: should it panic over a peer's bytes, that peer loses its link and
//! nobody else anything.

mod handshake_clock;
mod tap;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use protocol::limits::CHANNEL_MESSAGE_BYTES_MAX;
use protocol::time::Instant;
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::config::{DtlsCert, DtlsVersion, Fingerprint};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc};

use self::tap::{CRYPTO, KEY_SLOT, KeySlot};
use crate::config::{CHANNEL_LABEL, IceCredentials, Role};
use crate::limits::{CHANNEL_QUEUE_BYTES_MAX, CLIENT_CHECK_INTERVAL, STUN_RETRANSMITS_MAX};
use crate::sctp_guard::CHANNEL_STREAM;
use crate::srtp::SessionKeys;
use crate::{Certificate, stun};

/// What the stack wants done; `to` is its own opinion, which `link.rs` overrules but for STUN.
pub(crate) enum StackOutput {
    Transmit {
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Connected(SessionKeys),
    ChannelOpen,
    ChannelMessage(Vec<u8>),
    /// The handshake failed, the other end closed, or the library gave up: nothing comes after.
    Failed,
}

pub(crate) struct StackConfig<'a> {
    pub(crate) role: Role,
    pub(crate) certificate: &'a Certificate,
    pub(crate) local: &'a IceCredentials,
    pub(crate) remote: &'a IceCredentials,
    pub(crate) remote_fingerprint: [u8; 32],
    pub(crate) remote_candidates: &'a [SocketAddr],
    pub(crate) data_channel: bool,
}

pub(crate) struct Stack {
    /// `None` once it failed: a library that panicked is not asked again.
    rtc: Option<Box<Rtc>>,
    role: Role,
    keys: KeySlot,
    channel: Option<ChannelId>,
    timeout: Option<Instant>,
    generation: Generation,
    remote_candidates: Vec<SocketAddr>,
}

/// Which of two sets of placeholder candidates is in use; the numbers are their ports. Two are
/// enough, and no more, because `str0m` never forgets a candidate.
#[derive(Debug, Clone, Copy)]
enum Generation {
    Even = 2,
    Odd = 1,
}

impl Stack {
    pub(crate) fn new(config: &StackConfig<'_>, now: Instant) -> Option<Self> {
        catch_unwind(AssertUnwindSafe(|| Self::build(config, now))).ok().flatten()
    }

    fn build(config: &StackConfig<'_>, now: Instant) -> Option<Self> {
        let keys = KeySlot::default();
        KEY_SLOT.set(Some(Arc::clone(&keys)));
        let server = config.role == Role::Server;
        let mut builder = Rtc::builder()
            .clear_codecs()
            .clear_extension_map()
            .set_rtp_mode(true)
            .set_ice_lite(server)
            .set_local_ice_credentials(credentials(config.local))
            .set_crypto_provider(Arc::clone(&CRYPTO))
            // DTLS 1.3 negotiates the AES-CM profile with Chromium, 1.2 AES-GCM.
            .set_dtls_version(DtlsVersion::Dtls12)
            .set_dtls_cert(DtlsCert {
                certificate: config.certificate.certificate_der.clone(),
                private_key: config.certificate.private_key_der.clone(),
            })
            .set_sctp_max_message_size(u32::from(CHANNEL_MESSAGE_BYTES_MAX))
            .set_sctp_max_buffered_amount(CHANNEL_QUEUE_BYTES_MAX);
        builder.set_initial_stun_rto(STUN_RETRANSMIT_FIRST);
        builder.set_max_stun_rto(CLIENT_CHECK_INTERVAL);
        builder.set_max_stun_retransmits(STUN_RETRANSMITS_MAX);
        let mut rtc = Box::new(builder.build(to_std(now)));
        KEY_SLOT.set(None);

        let mut api = rtc.direct_api();
        api.set_ice_controlling(!server);
        api.set_remote_ice_credentials(credentials(config.remote));
        api.set_remote_fingerprint(Fingerprint {
            hash_func: "sha-256".into(),
            bytes: config.remote_fingerprint.to_vec(),
        });
        let mut stack = Self {
            rtc: Some(rtc),
            role: config.role,
            keys,
            channel: None,
            timeout: Some(now),
            generation: Generation::Even,
            remote_candidates: Vec::new(),
        };
        stack.add_local_candidates();
        stack.add_remote_candidates(config.remote_candidates);
        let rtc = stack.rtc.as_mut()?;
        // Sets the library's clock before DTLS takes its first timer from it.
        rtc.handle_input(Input::Timeout(to_std(now))).ok()?;
        let mut api = rtc.direct_api();
        api.start_dtls(!server).ok()?;
        if config.data_channel {
            api.start_sctp(!server);
            stack.channel = Some(api.create_data_channel(ChannelConfig {
                label: CHANNEL_LABEL.into(),
                ordered: false,
                reliability: Reliability::MaxRetransmits { retransmits: 0 },
                negotiated: Some(CHANNEL_STREAM),
                protocol: String::new(),
            }));
        }
        Some(stack)
    }

    /// Takes a STUN message or a DTLS record.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
        sink: &mut dyn FnMut(StackOutput),
    ) {
        let destination = placeholder(from.is_ipv4(), self.generation);
        let Ok(receive) = Receive::new(Protocol::Udp, from, destination, bytes) else { return };
        self.drive(sink, |rtc| rtc.handle_input(Input::Receive(to_std(now), receive)));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, sink: &mut dyn FnMut(StackOutput)) {
        self.drive(sink, |rtc| rtc.handle_input(Input::Timeout(to_std(now))));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.rtc.as_ref().and(self.timeout)
    }

    /// Queues a data channel message; `false` where the queue is full, the channel not open or the
    /// message too long.
    pub(crate) fn send(&mut self, message: &[u8], sink: &mut dyn FnMut(StackOutput)) -> bool {
        let Some(id) = self.channel else { return false };
        if usize::from(CHANNEL_MESSAGE_BYTES_MAX) < message.len() {
            return false;
        }
        let mut accepted = false;
        self.drive(sink, |rtc| {
            accepted = match rtc.channel(id) {
                Some(mut channel) => channel.write(true, message)?,
                None => false,
            };
            Ok(())
        });
        accepted
    }

    /// Replaces the credentials of both ends, in place: DTLS and SCTP do not notice. A controlling
    /// end checks all paths at once.
    pub(crate) fn restart_ice(
        &mut self,
        now: Instant,
        local: &IceCredentials,
        remote: &IceCredentials,
        remote_candidates: &[SocketAddr],
        sink: &mut dyn FnMut(StackOutput),
    ) {
        self.fenced(sink, |stack| {
            let Some(rtc) = stack.rtc.as_mut() else { return };
            let mut api = rtc.direct_api();
            api.set_local_ice_credentials(credentials(local));
            api.set_remote_ice_credentials(credentials(remote));
            if stack.role == Role::Client {
                stack.add_remote_candidates(remote_candidates);
                stack.replace_local_candidates();
            }
        });
        self.handle_timeout(now, sink);
    }

    /// Checks all paths again from the start; for a controlling end that hears nothing.
    pub(crate) fn recheck(&mut self, now: Instant, sink: &mut dyn FnMut(StackOutput)) {
        self.fenced(sink, Self::replace_local_candidates);
        self.handle_timeout(now, sink);
    }

    /// Says goodbye to the other end (DTLS `close_notify`); nothing comes after its datagrams.
    pub(crate) fn close(&mut self, sink: &mut dyn FnMut(StackOutput)) {
        self.drive(sink, Rtc::close);
        self.rtc = None;
    }

    /// Moves to the other set of placeholders: pairs of the old ones vanish, whatever state they
    /// are in, and the new ones are checked at once.
    fn replace_local_candidates(&mut self) {
        let Some(rtc) = self.rtc.as_mut() else { return };
        for ipv4 in [true, false] {
            if let Some(old) = local_candidate(ipv4, self.generation) {
                rtc.direct_api().invalidate_candidate(&old);
            }
        }
        self.generation = match self.generation {
            Generation::Even => Generation::Odd,
            Generation::Odd => Generation::Even,
        };
        self.add_local_candidates();
    }

    fn add_local_candidates(&mut self) {
        let Some(rtc) = self.rtc.as_mut() else { return };
        for ipv4 in [true, false] {
            if let Some(candidate) = local_candidate(ipv4, self.generation) {
                rtc.add_local_candidate(candidate);
            }
        }
    }

    fn add_remote_candidates(&mut self, addresses: &[SocketAddr]) {
        let Some(rtc) = self.rtc.as_mut() else { return };
        for &address in addresses {
            if self.remote_candidates.contains(&address) {
                continue;
            }
            if let Ok(candidate) = Candidate::host(address, "udp") {
                self.remote_candidates.push(address);
                rtc.add_remote_candidate(candidate);
            }
        }
    }

    fn fenced(&mut self, sink: &mut dyn FnMut(StackOutput), mutation: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| mutation(self))).is_err() {
            self.rtc = None;
            sink(StackOutput::Failed);
        }
    }

    /// One mutation, then everything it led to: the library's rule.
    fn drive(
        &mut self,
        sink: &mut dyn FnMut(StackOutput),
        mutation: impl FnOnce(&mut Rtc) -> Result<(), str0m::RtcError>,
    ) {
        let Some(rtc) = self.rtc.as_mut() else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            mutation(rtc)?;
            loop {
                match rtc.poll_output()? {
                    Output::Timeout(timeout) => break Ok::<_, str0m::RtcError>(timeout),
                    Output::Transmit(transmit) => sink(StackOutput::Transmit {
                        to: transmit.destination,
                        bytes: transmit.contents.into(),
                    }),
                    Output::Event(event) => take_event(event, &self.keys, sink),
                }
            }
        }));
        match outcome {
            Ok(Ok(timeout)) if rtc.is_alive() => self.timeout = Some(from_std(timeout)),
            Ok(Ok(_)) => self.rtc = None,
            Ok(Err(_)) | Err(_) => {
                self.rtc = None;
                sink(StackOutput::Failed);
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is of media, which is not declared")]
fn take_event(event: Event, keys: &KeySlot, sink: &mut dyn FnMut(StackOutput)) {
    match event {
        Event::Connected => match keys.get() {
            Some(keys) => sink(StackOutput::Connected(keys.clone())),
            None => sink(StackOutput::Failed),
        },
        Event::ChannelOpen(..) => sink(StackOutput::ChannelOpen),
        Event::ChannelData(data) => sink(StackOutput::ChannelMessage(data.data)),
        Event::Closed => sink(StackOutput::Failed),
        _ => {}
    }
}

/// Whether a STUN message carries the integrity that only a holder of `password` can make.
pub(crate) fn stun_is_authentic(bytes: &[u8], password: &str) -> bool {
    // Short of the library's own parser there is nothing to verify.
    if bytes.len() < stun::HEADER_BYTES {
        return false;
    }
    let verified = catch_unwind(|| {
        str0m::ice::StunMessage::parse(bytes).is_ok_and(|message| {
            message.verify(password.as_bytes(), |key, payloads| {
                CRYPTO.sha1_hmac_provider.sha1_hmac(key, payloads)
            })
        })
    });
    verified.unwrap_or(false)
}

/// Certificate and private key, both DER.
pub(crate) fn generate_certificate() -> Option<(Vec<u8>, Vec<u8>)> {
    let made = dimpl::certificate::generate_self_signed_certificate().ok()?;
    Some((made.certificate, made.private_key))
}

fn credentials(credentials: &IceCredentials) -> IceCreds {
    IceCreds { ufrag: credentials.ufrag.clone(), pass: credentials.pwd.clone() }
}

fn local_candidate(ipv4: bool, generation: Generation) -> Option<Candidate> {
    Candidate::host(placeholder(ipv4, generation), "udp").ok()
}

/// Stands for "this end's socket", one for each IP version; documentation addresses (RFC 5737,
/// RFC 3849), which never appear on the wire.
fn placeholder(ipv4: bool, generation: Generation) -> SocketAddr {
    let ip = if ipv4 {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))
    };
    SocketAddr::new(ip, generation as u16)
}

fn to_std(now: Instant) -> std::time::Instant {
    *ORIGIN + Duration::from_nanos(now.as_ns())
}

fn from_std(instant: std::time::Instant) -> Instant {
    let since = instant.saturating_duration_since(*ORIGIN);
    Instant::from_ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an arbitrary origin, of which only differences are used"
)]
static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

/// Retransmission of an unanswered connectivity check; doubles up to [`CLIENT_CHECK_INTERVAL`].
const STUN_RETRANSMIT_FIRST: Duration = Duration::from_millis(100);
