//! `str0m`'s DTLS (`dimpl`) with a tap on either side: the SRTP keys are kept from the library,
//! fragmented ClientHellos are put together before it, and SCTP is looked at behind it.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock, OnceLock};

use str0m::config::{DtlsCert, DtlsVersion, KeyingMaterial};
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

use super::handshake_clock::{HandshakeClock, LIBRARY_HANDSHAKE_MAX};
use crate::hello::{HelloAssembly, Verdict};
use crate::limits::{DTLS_RETRANSMIT_FIRST, DTLS_RETRANSMITS_MAX};
use crate::sctp_guard::{self, SctpGuard};
use crate::srtp::{Profile, SessionKeys};

/// The library's cryptography, with our DTLS in front of it.
pub(super) static CRYPTO: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    Arc::new(CryptoProvider { dtls_provider: &TapProvider, ..from_feature_flags() })
});

/// Where a handshake leaves the keys for the link that it belongs to.
pub(super) type KeySlot = Arc<OnceLock<SessionKeys>>;

thread_local! {
    /// The slot of the link under construction: `Rtc` makes its DTLS instance inside `build()`,
    /// and its provider interface has no other way to say for whom.
    pub(super) static KEY_SLOT: RefCell<Option<KeySlot>> = const { RefCell::new(None) };
}

/// Makes DTLS instances that keep the SRTP keys to themselves.
#[derive(Debug)]
struct TapProvider;

impl DtlsProvider for TapProvider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        let (certificate, private_key) = super::generate_certificate()?;
        Some(DtlsCert { certificate, private_key })
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: std::time::Instant,
        _version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let mut builder = dimpl::Config::builder()
            // ICE has shown that the other end is where it says.
            .use_server_cookie(false)
            .flight_start_rto(DTLS_RETRANSMIT_FIRST)
            .flight_retries(DTLS_RETRANSMITS_MAX)
            .handshake_timeout(LIBRARY_HANDSHAKE_MAX);
        if let Some(mtu) = mtu {
            builder = builder.mtu(mtu);
        }
        let config = builder.build().map_err(|error| CryptoError::Other(error.to_string()))?;
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.certificate.clone(),
            private_key: certificate.private_key.clone(),
        };
        let dtls = dimpl::Dtls::new_12(Arc::new(config), certificate, now);
        let keys = KEY_SLOT.take().unwrap_or_default();
        let (hello, sctp) = (HelloAssembly::default(), SctpGuard::default());
        Ok(Box::new(Tap { dtls, keys, hello, sctp, clock: HandshakeClock::new(now) }))
    }
}

struct Tap {
    dtls: dimpl::Dtls,
    keys: KeySlot,
    hello: HelloAssembly,
    sctp: SctpGuard,
    clock: HandshakeClock,
}

impl core::fmt::Debug for Tap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

impl DtlsInstance for Tap {
    fn set_active(&mut self, active: bool) {
        self.dtls.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if self.dtls.is_active() {
            return self.dtls.handle_packet(packet);
        }
        match self.hello.handle(packet) {
            Verdict::Unchanged => self.dtls.handle_packet(packet),
            Verdict::Kept => Ok(()),
            Verdict::Whole(hello) => self.dtls.handle_packet(&hello),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is passes as it is")]
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.dtls.poll_output(buffer) {
            DtlsOutput::ApplicationData(packet) => {
                DtlsOutput::ApplicationData(match self.sctp.incoming(packet) {
                    sctp_guard::Verdict::Pass => packet,
                    // Too short for an SCTP packet: ignored.
                    sctp_guard::Verdict::Drop => &[],
                })
            }
            DtlsOutput::KeyingMaterial(material, profile) => {
                if let Some(keys) = session_keys(&material, profile) {
                    // A second set would be a renegotiation, which does not exist.
                    let _already_set = self.keys.set(keys);
                }
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(&vec![0; material.len()]), profile)
            }
            DtlsOutput::Timeout(library) => DtlsOutput::Timeout(self.clock.due(library)),
            DtlsOutput::Packet(packet) => {
                self.clock.sent();
                DtlsOutput::Packet(packet)
            }
            DtlsOutput::Connected => {
                self.clock.finish();
                DtlsOutput::Connected
            }
            output => output,
        }
    }

    fn handle_timeout(&mut self, now: std::time::Instant) -> Result<(), DtlsImplError> {
        match self.clock.advance(now) {
            Some(library) => self.dtls.handle_timeout(library),
            None => Err(DtlsImplError::Timeout(dimpl::TimeoutError::Connect)),
        }
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.sctp.outgoing(data);
        self.dtls.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.dtls.close()
    }
}

fn session_keys(material: &[u8], profile: SrtpProfile) -> Option<SessionKeys> {
    let profile = match profile {
        SrtpProfile::AEAD_AES_256_GCM => Profile::AeadAes256Gcm,
        SrtpProfile::AEAD_AES_128_GCM => Profile::AeadAes128Gcm,
        SrtpProfile::AES128_CM_SHA1_80 => Profile::AesCm128HmacSha1,
        _ => return None,
    };
    SessionKeys::from_dtls(profile, material)
}
