//! A minimal forwarder on the async `webrtc` crate, written as its documentation suggests: a peer
//! connection for each participant, and for each track that is heard a task that writes every packet
//! to a local track of everybody else in the room.
//!
//! It speaks as much of vjam's signalling as the load needs, so that `vjam bench sfu` measures it in
//! exactly the same way, and takes the arguments of `vjam serve` without looking at them.
//!
//! What surprises: the load speaks no SDP, so the offer is written here. It asks for as many tracks as
//! the room will have others (the variable `MEMBERS`, 8 unless it is set), so that nothing is
//! negotiated again when somebody comes.

mod description;
mod room;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    ClientEnvelope, ClientMessage, Description, ServerEnvelope, ServerMessage, VERSION,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::room::{Member, Room};

type Rooms = Arc<Mutex<BTreeMap<RoomId, Arc<Room>>>>;

#[tokio::main]
async fn main() -> Result<()> {
    let members = std::env::var("MEMBERS").ok().and_then(|members| members.parse().ok());
    let others = members.unwrap_or(8_usize).saturating_sub(1);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let http = listener.local_addr()?;
    writeln!(std::io::stdout(), "vjam listening http={http} media=127.0.0.1:0")?;
    let rooms = Rooms::default();
    let mut next_participant = 0;
    loop {
        let (stream, _) = listener.accept().await?;
        next_participant += 1;
        let (rooms, participant) = (Arc::clone(&rooms), ParticipantId(next_participant));
        tokio::spawn(async move {
            if let Err(error) = serve(stream, participant, &rooms, others).await {
                eprintln!("participant {}: {error:#}", participant.0);
            }
        });
    }
}

/// One participant, from the first word to the last.
async fn serve(stream: TcpStream, id: ParticipantId, rooms: &Rooms, others: usize) -> Result<()> {
    // The load asks vjam for its metrics, too, which there are none of here.
    let Ok(mut websocket) = tokio_tungstenite::accept_async(stream).await else { return Ok(()) };
    let mut place: Option<Arc<Room>> = None;
    let mut source = None;
    let mut member: Option<Arc<Member>> = None;
    while let Some(message) = websocket.next().await {
        let Message::Text(text) = message? else { continue };
        let envelope: ClientEnvelope = serde_json::from_str(&text)?;
        let answer = match envelope.message {
            ClientMessage::Join { room, .. } => {
                let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
                place = Some(Arc::clone(rooms.entry(room.clone()).or_default()));
                joined(room, id)
            }
            ClientMessage::Publish { sources, label, .. } => {
                source = sources.first().map(|source| source.ssrc);
                ServerMessage::Published { track: TrackId(id.0), label }
            }
            ClientMessage::Connect { description: Description::Direct { link, .. }, .. } => {
                let room = place.as_ref().context("`join` comes first")?;
                let source: Ssrc = source.context("`publish` comes before `connect`")?;
                let offer = description::offer(&link, source, others);
                let (new, answer) = Member::connect(id, &offer, source, others).await?;
                room.enter(&new);
                member = Some(new);
                ServerMessage::Connected { description: description::read(&answer)? }
            }
            ClientMessage::Leave {} => break,
            other => bail!("this forwarder does not understand {other:?}"),
        };
        let answer = ServerEnvelope { request: envelope.request, message: answer };
        websocket.send(Message::text(serde_json::to_string(&answer)?)).await?;
    }
    if let (Some(room), Some(member)) = (place, member) {
        room.leave(&member);
        member.close().await?;
    }
    Ok(())
}

fn joined(room: RoomId, participant: ParticipantId) -> ServerMessage {
    ServerMessage::Joined {
        version: VERSION,
        room,
        participant,
        ticket: "none".to_owned(),
        ticket_seconds: 3600,
        seat: "none".to_owned(),
        seat_seconds: 0,
        participants: Vec::new(),
        chat: Vec::new(),
        resumed: false,
    }
}
