//! What a native participant reads from signalling: a server may be anybody's.

use core::time::Duration;
use std::collections::BTreeSet;

use engine::Click;
use engine_device::session::CodecChoice;
use engine_device::session::membership::{Effect, Membership, Musician};
use protocol::id::RoomId;
use protocol::rtp::Ssrc;
use protocol::signal::{LinkParameters, ServerEnvelope, Source};
use protocol::time::Instant;

/// Messages separated by line feeds, from a server of whatever intent. What follows from them stays
/// consistent: streams are added once and removed once, and nothing asks for itself again and
/// again.
pub fn client_messages(bytes: &[u8]) {
    let choice = CodecChoice::Auto;
    let source = |(codec, ssrc)| Source { codec, ssrc: Ssrc(ssrc) };
    let mut world = ClientWorld {
        membership: Membership::new(Musician {
            room: RoomId::parse("jam").expect("a good name"),
            name: "Ann".to_owned(),
            label: "mic".to_owned(),
            channels: 1,
            choice,
            sources: choice.sources().into_iter().zip(1..).map(source).collect(),
        }),
        now: Instant::ZERO,
        remotes: BTreeSet::new(),
    };
    world.membership.handle_websocket_open();
    world.carry_out();
    for line in bytes.split(|byte| *byte == b'\n').take(200) {
        if let Ok(envelope) = serde_json::from_slice::<ServerEnvelope>(line) {
            world.membership.handle_message(world.now, envelope);
            world.carry_out();
        }
        world.now = world.now + Duration::from_millis(700);
        world.membership.handle_timeout(world.now);
        world.carry_out();
    }
}

/// A participant without sockets and without an engine.
struct ClientWorld {
    membership: Membership,
    now: Instant,
    remotes: BTreeSet<Ssrc>,
}

impl ClientWorld {
    fn carry_out(&mut self) {
        let mut effects = 0;
        while let Some(effect) = self.membership.poll_effect() {
            effects += 1;
            assert!(effects < EFFECTS_MAX, "one message has effects without end");
            match effect {
                Effect::OpenLink | Effect::RestartLink => {
                    self.membership.handle_local_link(LinkParameters {
                        ice_ufrag: "abcd".to_owned(),
                        ice_pwd: "p".repeat(24),
                        fingerprint: ["CD"; 32].join(":"),
                    });
                }
                Effect::AddRemote { ssrc, .. } => {
                    assert!(self.remotes.insert(ssrc), "{ssrc:?} is added twice");
                }
                Effect::RemoveRemote { ssrc } => {
                    assert!(self.remotes.remove(&ssrc), "{ssrc:?} was never added");
                }
                Effect::Reconnect => {
                    self.membership.handle_websocket_gone();
                    self.membership.handle_websocket_open();
                }
                Effect::Send(envelope) => {
                    serde_json::to_string(&envelope).expect("messages are JSON");
                }
                Effect::SetClick(segments) => {
                    // What nobody could play is refused, and nothing else becomes of it.
                    let _ = Click::new(&segments);
                }
                Effect::AcceptLink { .. }
                | Effect::Takes(_)
                | Effect::SetEncodings { .. }
                | Effect::Tell(_)
                | Effect::End(_) => {}
            }
        }
    }
}

/// A list of streams as long as a message can carry is replaced by another one, twice over.
const EFFECTS_MAX: usize = 20_000;
