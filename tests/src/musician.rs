//! What somebody brings into a simulated room: an instrument, a sound card, a computer, a network.

use engine_device::session::CodecChoice;
use protocol::codec::Codec;
use protocol::id::RoomId;
use protocol::signal::{Capabilities, EngineKind, RoomRole};
use relay::weather::Weather;

use crate::clock::{SoundCard, SystemClock};
use crate::sound::Sound;

/// What somebody brings into a simulated room.
#[derive(Debug, Clone)]
pub struct Musician {
    pub(crate) name: String,
    pub(crate) room: RoomId,
    pub(crate) plays: Vec<f32>,
    pub(crate) card: SoundCard,
    pub(crate) system: SystemClock,
    /// Of the ways up and down.
    pub(crate) weather: [Weather; 2],
    pub(crate) choice: CodecChoice,
    /// Whether nothing but a knock on each beat of the click is played, as they hear it.
    pub(crate) knocks: bool,
    /// What is pretended, where it is not all that our engine does.
    pub(crate) capabilities: Option<Capabilities>,
    /// What they may do in their room; none where nobody owns it.
    pub(crate) role: Option<RoomRole>,
}

impl Musician {
    /// Somebody with a good sound card beside the server, who plays a track of `tests/music` over
    /// and over, in the room `jam`.
    #[must_use]
    pub fn new(name: &str, plays: &str) -> Self {
        let sound = Sound::music(plays).expect("the track is in tests/music");
        Self {
            name: name.to_owned(),
            room: RoomId::parse("jam").expect("a good name"),
            plays: sound.to_mono(),
            card: SoundCard::exact(64),
            system: SystemClock::exact(),
            weather: [Weather::default(); 2],
            choice: CodecChoice::Auto,
            knocks: false,
            capabilities: None,
            role: None,
        }
    }

    /// In a room that an account owns, where they may do this.
    #[must_use]
    pub fn with_role(self, role: RoomRole) -> Self {
        Self { role: Some(role), ..self }
    }

    /// In another room.
    #[must_use]
    pub fn in_room(self, room: &str) -> Self {
        Self { room: RoomId::parse(room).expect("a good name"), ..self }
    }

    /// With this sound card.
    #[must_use]
    pub fn on_card(self, card: SoundCard) -> Self {
        Self { card, ..self }
    }

    /// With an operating system whose clock is as wrong as this.
    #[must_use]
    pub fn on_clock(self, system: SystemClock) -> Self {
        Self { system, ..self }
    }

    /// Far away: this weather on the way up and on the way down.
    #[must_use]
    pub fn behind(self, weather: Weather) -> Self {
        Self { weather: [weather; 2], ..self }
    }

    /// Behind a network that has a name (`tools/relay`).
    #[must_use]
    pub fn on_network(self, name: &str) -> Self {
        let preset = relay::preset::Preset::named(name).expect("one of the table");
        Self { weather: preset.weather(), ..self }
    }

    /// With this weather on the way up only.
    #[must_use]
    pub fn sends_through(self, up: Weather) -> Self {
        let [_, down] = self.weather;
        Self { weather: [up, down], ..self }
    }

    /// Playing nothing, until there is a click, and then a knock on each of its beats, as exactly as their own clock
    /// shows them.
    #[must_use]
    pub fn knocking(self) -> Self {
        Self { knocks: true, plays: vec![0.0], ..self }
    }

    /// Playing this over and over.
    #[must_use]
    pub fn playing(self, samples: Vec<f32>) -> Self {
        Self { plays: samples, ..self }
    }

    /// With one codec instead of the automatic choice.
    #[must_use]
    pub fn sends(self, codec: Codec) -> Self {
        Self { choice: CodecChoice::Only(codec), ..self }
    }

    /// As an ordinary WebRTC client appears to the others: it plays `opus` and nothing else.
    #[must_use]
    pub fn as_standard(self) -> Self {
        let capabilities =
            Capabilities { engine: EngineKind::Standard, decodes: vec![Codec::Opus] };
        Self { capabilities: Some(capabilities), ..self }
    }

    /// As a jam participant that decodes only these.
    #[must_use]
    pub fn that_decodes(self, decodes: &[Codec]) -> Self {
        let capabilities = Capabilities { engine: EngineKind::Native, decodes: decodes.to_vec() };
        Self { capabilities: Some(capabilities), ..self }
    }

    /// Playing louder or softer than the recording.
    #[must_use]
    pub fn at_level_db(self, db: f32) -> Self {
        let factor = protocol::units::Decibels(db).to_factor();
        Self { plays: self.plays.iter().map(|sample| sample * factor).collect(), ..self }
    }

    /// What they say that they can play.
    pub(crate) fn decodes(&self) -> Vec<Codec> {
        let pretended = self.capabilities.as_ref().map(|capabilities| capabilities.decodes.clone());
        pretended.unwrap_or_else(|| Codec::ALL.to_vec())
    }
}
