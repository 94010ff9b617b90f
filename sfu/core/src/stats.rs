//! What a router counted, since it was made. Plain additions on the forwarding path.

/// Declares a struct of counts, which can be added up and told by name.
#[macro_export]
macro_rules! counters {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: u64,)* }) => {
        $(#[$about])*
        pub struct $name { $($(#[$doc])* pub $field: u64,)* }

        impl $name {
            /// Every count with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($field), self.$field),)*].into_iter()
            }
        }

        impl core::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

counters! {
/// Everything that came, went and was dropped, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// RTP packets that arrived and were genuine, data channel messages included.
    pub received_packets: u64,
    /// Bytes of all datagrams that arrived.
    pub received_bytes: u64,
    /// Packets forwarded: one for each subscriber.
    pub forwarded_packets: u64,
    /// Bytes of all datagrams handed out.
    pub sent_bytes: u64,
    /// STUN and DTLS datagrams that arrived and were accepted.
    pub control_received: u64,
    /// STUN and DTLS datagrams handed out.
    pub control_sent: u64,
    /// Genuine RTCP packets that arrived.
    pub rtcp_received: u64,
    /// Compound RTCP packets handed out.
    pub rtcp_sent: u64,
    /// Reports of participants on streams that are not theirs, ignored.
    pub rtcp_foreign: u64,
    /// Dropped: RTCP of a link over its rate.
    pub dropped_rtcp_rate: u64,
    /// Dropped: neither STUN, DTLS, RTP nor RTCP.
    pub dropped_unknown_kind: u64,
    /// Dropped: from an address that no authentic STUN came from.
    pub dropped_unknown_address: u64,
    /// Dropped: STUN that names no link, is not authentic, or is a copy from elsewhere.
    pub dropped_stun: u64,
    /// Dropped: STUN from an address that another participant holds.
    pub dropped_address_held: u64,
    /// Dropped: control datagrams from a link's own addresses over its rate.
    pub dropped_control_rate: u64,
    /// Dropped: STUN for one link from elsewhere over the link's rate.
    pub dropped_stranger_link_rate: u64,
    /// Dropped: STUN from elsewhere over the rate of all links together.
    pub dropped_stranger_rate: u64,
    /// Dropped: shorter than its header, longer than the limit, or broken otherwise.
    pub dropped_malformed: u64,
    /// Dropped: an SSRC that is not a source of its participant.
    pub dropped_unknown_ssrc: u64,
    /// Dropped: the tag does not fit.
    pub dropped_forged: u64,
    /// Dropped: opened before, at the SRTP layer or by its sequence number.
    pub dropped_replayed: u64,
    /// Dropped: numbered far off.
    pub dropped_astray: u64,
    /// Dropped: a payload type that was not agreed on.
    pub dropped_payload_type: u64,
    /// Dropped: no payload, as in padding-only packets.
    pub dropped_empty: u64,
    /// Dropped: a source over the rate that was declared for it.
    pub dropped_source_rate: u64,
    /// Dropped: a muted source.
    pub dropped_muted: u64,
    /// Dropped: nobody subscribes to the source.
    pub dropped_unsubscribed: u64,
    /// Dropped before it was forwarded, because too many waited.
    pub dropped_pending: u64,
    /// Not forwarded to one subscriber: its link is not up.
    pub unsent_link_down: u64,
    /// Not forwarded to one subscriber: it does not take such payloads.
    pub unsent_payload: u64,
    /// Not forwarded to one subscriber: sent before its stream joined on.
    pub unsent_before_join: u64,
    /// Not forwarded to one subscriber: the number was sealed before, or the packet does not fit.
    pub unsent_not_sealed: u64,
    /// Commands refused.
    pub commands_refused: u64,
    /// Events dropped because nobody took them.
    pub dropped_events: u64,
}
}
