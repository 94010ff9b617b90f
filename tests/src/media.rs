//! A player's half of the media link: what the native shell's network threads do with a real one.
//!
//! What surprises: a half of a link is made twice. The player's own parameters go to the server
//! first; only when the server's come back is there anything to check connectivity with.

use core::net::SocketAddr;
use std::collections::VecDeque;

use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use relay::random::Random;
use sfu::plain::PlainClient;
use sfu::transport::LinkEvent;

use crate::player::Sent;

/// The link of one player, from the first to the last.
#[derive(Debug)]
pub(crate) struct Media {
    open: Option<Open>,
    pending: Option<Pending>,
    /// What stands for the certificate of the newest link: it stays through restarts.
    fingerprint: String,
    random: Random,
}

#[derive(Debug)]
struct Open {
    client: PlainClient,
    server: SocketAddr,
    /// There are keys: media may be sent and taken.
    keyed: bool,
}

/// A half of a link that waits for the server's.
#[derive(Debug)]
enum Pending {
    Open(LinkParameters),
    Restart(LinkParameters),
}

impl Media {
    pub(crate) const fn new(random: Random) -> Self {
        Self { open: None, pending: None, fingerprint: String::new(), random }
    }

    /// Our half of a new link.
    pub(crate) fn open_link(&mut self) -> LinkParameters {
        let byte = |_| format!("{:02X}", self.random.below(256));
        self.fingerprint = (0..32).map(byte).collect::<Vec<_>>().join(":");
        let parameters = self.new_credentials();
        self.pending = Some(Pending::Open(parameters.clone()));
        parameters
    }

    /// Our half of the link that is there, with new credentials.
    pub(crate) fn restart_link(&mut self) -> LinkParameters {
        let parameters = self.new_credentials();
        self.pending = Some(Pending::Restart(parameters.clone()));
        parameters
    }

    /// The server's half.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        remote: &LinkParameters,
        server: SocketAddr,
        sent: &mut VecDeque<Sent>,
    ) {
        match self.pending.take() {
            Some(Pending::Open(local)) => {
                self.close(sent);
                sent.push_back(Sent::NewSocket);
                let client = PlainClient::new(&local, remote, server, now);
                self.open = Some(Open { client, server, keyed: false });
            }
            Some(Pending::Restart(local)) => {
                if let Some(open) = &mut self.open {
                    open.client.restart_ice(now, &local, remote, server);
                    open.server = server;
                }
            }
            None => {}
        }
    }

    /// A datagram that is not RTP.
    pub(crate) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(open) = &mut self.open {
            open.client.handle_datagram(now, open.server, bytes);
        }
    }

    /// Runs the timers that are due, and sends what there is to send.
    pub(crate) fn drive(&mut self, now: Instant, sent: &mut VecDeque<Sent>) {
        let Some(open) = &mut self.open else { return };
        if open.client.poll_timeout().is_some_and(|due| due <= now) {
            open.client.handle_timeout(now);
        }
        open.send_all(sent);
    }

    /// What happened on the link.
    pub(crate) fn poll_event(&mut self) -> Option<LinkEvent> {
        let open = self.open.as_mut()?;
        let event = open.client.poll_event()?;
        open.keyed |= event == LinkEvent::Up;
        Some(event)
    }

    /// Says goodbye and forgets the link.
    pub(crate) fn close(&mut self, sent: &mut VecDeque<Sent>) {
        if let Some(mut open) = self.open.take() {
            open.client.close();
            open.send_all(sent);
        }
    }

    /// When [`Self::drive`] wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.open.as_ref()?.client.poll_timeout()
    }

    /// Whether media may be sent and taken.
    pub(crate) fn has_keys(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.keyed)
    }

    fn new_credentials(&mut self) -> LinkParameters {
        let mut letters = || format!("{:016x}", self.random.next_u64());
        let (ice_ufrag, ice_pwd) = (letters(), letters() + &letters());
        LinkParameters { ice_ufrag, ice_pwd, fingerprint: self.fingerprint.clone() }
    }
}

impl Open {
    fn send_all(&mut self, sent: &mut VecDeque<Sent>) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
            sent.push_back(Sent::Datagram(buffer[..transmit.len].to_vec()));
        }
    }
}
