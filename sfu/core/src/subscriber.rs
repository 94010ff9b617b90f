//! One outgoing stream: its SSRC at the subscriber, its numbering, and what is behind it.

use protocol::control::PayloadTypes;
use protocol::rtp::{PayloadType, Ssrc};

use crate::member::MemberKey;
use crate::publisher::{Payload, Source};
use crate::rewrite::Rewrite;
use crate::slab::Key;

/// A stream that a subscriber receives. It is remembered until its link closes: subscribed again,
/// its numbers go on.
pub(crate) struct Stream {
    pub(crate) member: MemberKey,
    pub(crate) ssrc: Ssrc,
    pub(crate) source: Option<Key<Source>>,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) rewrite: Rewrite,
}

impl Stream {
    pub(crate) fn new(member: MemberKey, ssrc: Ssrc, payload_types: PayloadTypes) -> Self {
        // Any number below 2^14 will do, and one that differs between streams tells them apart in a
        // trace. It need not be secret: the payload is encrypted with a key of its own.
        let start = (ssrc.0 & 0x3fff) as u16;
        Self { member, ssrc, source: None, payload_types, rewrite: Rewrite::new(start) }
    }

    /// The subscriber's payload type; `None` where it does not take such payloads.
    pub(crate) const fn payload_type(&self, payload: Payload) -> Option<PayloadType> {
        match payload {
            Payload::Opus => Some(self.payload_types.opus),
            Payload::Red => self.payload_types.red,
        }
    }
}
