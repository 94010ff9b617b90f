//! A room: who is in it, and which local track carries whom to whom.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::{Context, Result};
use async_trait::async_trait;
use protocol::id::ParticipantId;
use protocol::rtp::Ssrc;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceGatheringState, RTCSessionDescription, Registry,
    SettingEngineBuilder, register_default_interceptors,
};

#[derive(Default)]
pub(crate) struct Room {
    members: Mutex<Vec<Arc<Member>>>,
}

/// A participant with its peer connection.
pub(crate) struct Member {
    id: ParticipantId,
    connection: Arc<dyn PeerConnection>,
    /// Tracks to this participant that carry nobody yet.
    free: Mutex<Vec<Outlet>>,
    /// Where this participant's packets go.
    outlets: Arc<RwLock<Vec<Outlet>>>,
}

/// A local track of a subscriber.
#[derive(Clone)]
struct Outlet {
    subscriber: ParticipantId,
    ssrc: u32,
    track: Arc<TrackLocalStaticRTP>,
}

impl Room {
    /// Lets a newcomer and everybody else hear each other.
    pub(crate) fn enter(&self, newcomer: &Arc<Member>) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        for other in members.iter() {
            newcomer.is_heard_by(other);
            other.is_heard_by(newcomer);
        }
        members.push(Arc::clone(newcomer));
    }

    pub(crate) fn leave(&self, gone: &Member) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|member| member.id != gone.id);
        for member in members.iter() {
            let mut outlets = member.outlets.write().unwrap_or_else(PoisonError::into_inner);
            outlets.retain(|outlet| outlet.subscriber != gone.id);
            drop(outlets);
            let outlets = gone.outlets.read().unwrap_or_else(PoisonError::into_inner);
            let back = outlets.iter().filter(|outlet| outlet.subscriber == member.id).cloned();
            member.free.lock().unwrap_or_else(PoisonError::into_inner).extend(back);
        }
    }
}

impl Member {
    /// Makes a peer connection from an offer; gives the answer with it.
    pub(crate) async fn connect(
        id: ParticipantId,
        offer: &str,
        source: Ssrc,
        others: usize,
    ) -> Result<(Arc<Self>, String)> {
        let mut media_engine = MediaEngine::default();
        media_engine.register_default_codecs()?;
        let registry = register_default_interceptors(Registry::new(), &mut media_engine)?;
        // As a server is reached: it waits for the other end's checks and its handshake.
        let settings = SettingEngineBuilder::new()
            .with_lite(true)
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .build();
        let (gathered, mut gathering) = mpsc::channel(1);
        let outlets = Arc::new(RwLock::new(Vec::new()));
        let handler = Handler { gathered, outlets: Arc::clone(&outlets) };
        let connection: Arc<dyn PeerConnection> = Arc::new(
            PeerConnectionBuilder::new()
                .with_configuration(RTCConfigurationBuilder::new().build())
                .with_setting_engine(settings)
                .with_media_engine(media_engine)
                .with_interceptor_registry(registry)
                .with_handler(Arc::new(handler))
                .with_udp_addrs(vec!["127.0.0.1:0"])
                .build()
                .await?,
        );
        let mut free = Vec::new();
        for at in 0..others {
            // Another one for every track of this connection; SSRCs of two connections may be equal.
            let ssrc = source.0.wrapping_add(u32::try_from(at)?).wrapping_add(1);
            let track = Arc::new(TrackLocalStaticRTP::new(track(at, ssrc)));
            connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await?;
            free.push(Outlet { subscriber: id, ssrc, track });
        }
        connection.set_remote_description(RTCSessionDescription::offer(offer.to_owned())?).await?;
        let answer = connection.create_answer(None).await?;
        connection.set_local_description(answer).await?;
        gathering.recv().await.context("no candidates were gathered")?;
        let answer = connection.local_description().await.context("no answer")?;
        let free = Mutex::new(free);
        Ok((Arc::new(Self { id, connection, free, outlets }), answer.sdp))
    }

    fn is_heard_by(&self, subscriber: &Self) {
        let free = subscriber.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut outlets = self.outlets.write().unwrap_or_else(PoisonError::into_inner);
        outlets.extend(free);
    }

    pub(crate) async fn close(&self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}

fn track(at: usize, ssrc: u32) -> MediaStreamTrack {
    let codec = RTCRtpCodec {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    };
    let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
    let encoding =
        RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec, ..Default::default() };
    MediaStreamTrack::new(
        format!("stream-{at}"),
        format!("track-{at}"),
        format!("track-{at}"),
        RtpCodecKind::Audio,
        vec![encoding],
    )
}

struct Handler {
    gathered: mpsc::Sender<()>,
    outlets: Arc<RwLock<Vec<Outlet>>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.try_send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let outlets = Arc::clone(&self.outlets);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let to = outlets.read().unwrap_or_else(PoisonError::into_inner).clone();
                for outlet in to {
                    let mut packet = packet.clone();
                    packet.header.ssrc = outlet.ssrc;
                    // Whoever is not connected yet, or no more, hears nothing.
                    let _ = outlet.track.write_rtp(packet).await;
                }
            }
        });
    }
}
