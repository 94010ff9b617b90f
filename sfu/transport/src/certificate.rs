//! The self-signed certificate of one end and its fingerprint.
//!
//! Nobody checks who signed it: signalling carries the fingerprint, and the DTLS handshake must
//! show a certificate that matches (RFC 8122).

use aws_lc_rs::digest;
use thiserror::Error;

use crate::stack;

/// A DTLS certificate with its private key: ECDSA on P-256.
///
/// One serves any number of links. Clone it freely; it is a few hundred bytes.
#[derive(Clone)]
pub struct Certificate {
    pub(crate) certificate_der: Vec<u8>,
    pub(crate) private_key_der: Vec<u8>,
    fingerprint: String,
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The cryptographic library could not make one.
    #[error("no DTLS certificate could be generated")]
    Generation,
}

impl Certificate {
    /// Makes a fresh certificate, valid for a year, from the system's randomness.
    pub fn generate() -> Result<Self, CertificateError> {
        let (certificate_der, private_key_der) =
            stack::generate_certificate().ok_or(CertificateError::Generation)?;
        let fingerprint = format_fingerprint(&certificate_der);
        Ok(Self { certificate_der, private_key_der, fingerprint })
    }

    /// SHA-256 of the certificate in capital hex with colons between, as signalling carries it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl core::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// The 32 bytes of a fingerprint in hex, colons between; `None` where it is not that.
pub(crate) fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

fn format_fingerprint(certificate_der: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, certificate_der);
    let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    hex.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_back() {
        let certificate = Certificate::generate().expect("randomness is there");
        let bytes = parse_fingerprint(certificate.fingerprint()).expect("well formed");
        let digest = digest::digest(&digest::SHA256, &certificate.certificate_der);
        assert_eq!(bytes, digest.as_ref());
    }

    #[test]
    fn broken_fingerprints_are_refused() {
        for text in ["", "AB", &"AB:".repeat(32), &"G0:".repeat(31), &"+1:".repeat(32)] {
            assert_eq!(parse_fingerprint(text), None, "{text}");
        }
    }
}
