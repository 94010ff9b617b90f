//! Somebody in the room who plays nothing, and leads the click and takes.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the messages that it waits for")]

use std::time::{Duration, Instant, SystemTime};

use engine::ClickSettings;
use protocol::codec::Codec;
use protocol::room_state::room_us;
use protocol::signal::{
    Capabilities, ClientEnvelope, ClientMessage, EngineKind, ServerMessage, VERSION,
};
use protocol::time::RoomTime;
use signalling_client::{Received, RoomLink, Signalling};

/// Somebody in the room who only leads the click.
pub(crate) struct Leader(Signalling);

impl Leader {
    pub(crate) fn join(link: &str) -> Self {
        let link = RoomLink::parse(link).expect("the server's own link");
        let mut leader = Self(Signalling::connect(&link).expect("the server listens"));
        let capabilities =
            Capabilities { engine: EngineKind::Native, decodes: Codec::ALL.to_vec() };
        let (version, room, name) = (VERSION, link.room, "Leader".to_owned());
        let (seat, pass) = (None, None);
        leader.send(ClientMessage::Join { version, room, name, capabilities, seat, pass });
        leader.wait_for(|message| matches!(message, ServerMessage::Joined { .. }));
        leader
    }

    pub(crate) fn start_click(&mut self, tempo_millibpm: u32) {
        let segments = ClickSettings::new(tempo_millibpm, 4).begin(now(), 0);
        self.send(ClientMessage::Click { segments });
        self.wait_for(
            |message| matches!(message, ServerMessage::Room { state } if !state.click.is_empty()),
        );
    }

    /// Begins a take; gives its id.
    pub(crate) fn start_take(&mut self) -> String {
        let start_us = room_us(now());
        self.send(ClientMessage::StartTake { title: "Test".to_owned(), start_us });
        let mut id = None;
        self.wait_for_some(|message| match message {
            ServerMessage::Room { state } => {
                id = state.takes.last().map(|take| take.id.clone());
                id.is_some()
            }
            ServerMessage::Error { text, .. } => panic!("no take: {text}"),
            _ => false,
        });
        id.expect("it was waited for")
    }

    pub(crate) fn stop_take(&mut self) {
        self.send(ClientMessage::StopTake { stop_us: room_us(now()) });
        self.wait_for(|message| {
            matches!(message, ServerMessage::Room { state } if state.takes.iter().all(|take| take.stop_us.is_some()))
        });
    }

    pub(crate) fn leave(mut self) {
        self.send(ClientMessage::Leave {});
        self.wait_for(|message| matches!(message, ServerMessage::Bye { .. }));
    }

    fn send(&mut self, message: ClientMessage) {
        self.0.send(&ClientEnvelope { request: None, message }).expect("the server listens");
    }

    fn wait_for(&mut self, wanted: impl Fn(&ServerMessage) -> bool) {
        self.wait_for_some(wanted);
    }

    fn wait_for_some(&mut self, mut wanted: impl FnMut(&ServerMessage) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Received::Message(envelope) = self.0.receive().expect("the server answers")
                && wanted(&envelope.message)
            {
                return;
            }
        }
        panic!("the server never said what was waited for");
    }
}

/// What the room's clock shows: the server's clock is this machine's here.
fn now() -> RoomTime {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    RoomTime::from_ns(i64::try_from(unix.as_nanos()).expect("before 2262"))
}
