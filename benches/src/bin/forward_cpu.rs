//! Processor time of the media thread for each forwarded packet, sockets included, on loopback.
//!
//! Starts a media server in this process and a room of musicians around it, each with a socket and
//! real encryption, all of them playing 400 packets a second. Prints one line of JSON.
//!
//! `cargo run -p benches --bin forward_cpu -- [MEMBERS] [SECONDS] [PACKETS_PER_SECOND]`
//!
//! What surprises: loopback makes the sender pay for the receiver's path through the kernel as
//! well, so a real network card should be cheaper. Everything shares the processors with the
//! musicians: delays include their being scheduled.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant as Clock};

use anyhow::{Context, ensure};
use benches::participant::Participant;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId};
use protocol::rtp::HEADER_BYTES;
use protocol::time::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sfu_server::{Sfu, SfuConfig, Snapshot};
use transport::{Certificate, LinkState};

struct Musician {
    participant: Participant,
    socket: UdpSocket,
    next_packet: Instant,
}

struct Band {
    musicians: Vec<Musician>,
    server: SocketAddr,
    started: Clock,
    received: u64,
    /// From the publisher's send to the subscriber's receive, as far as they are counted.
    delays_us: Vec<u32>,
}

const PAYLOAD_BYTES: usize = 120;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (members, seconds, packets_per_second) = (number(8)?, number(5)?, number(400)?);

    let config = SfuConfig { media: SocketAddr::from(([127, 0, 0, 1], 0)), advertise: Vec::new() };
    let sfu = Sfu::start(&config, |_| {})?;
    let commands = sfu.commands();
    let mut band = Band {
        musicians: Vec::new(),
        server: sfu.local_address(),
        started: Clock::now(),
        received: 0,
        delays_us: Vec::new(),
    };
    let certificate = Certificate::generate()?;
    let room = RoomId::parse("bench")?;
    for id in 1..=members {
        let (participant, command) = Participant::join(
            ParticipantId(id),
            &room,
            &certificate,
            &sfu.description().fingerprint,
            band.server,
            band.now(),
        )?;
        commands.send(command)?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        band.musicians.push(Musician { participant, socket, next_packet: Instant::ZERO });
    }
    let connecting = band.now();
    while !band.is_up() {
        ensure!(band.now() < connecting + Duration::from_secs(20), "the links do not come up");
        band.turn(connecting + Duration::from_secs(3600), None)?;
    }
    let connected_ms = band.now().saturating_since(connecting).as_millis();
    for publisher in &band.musicians {
        commands.send(publisher.participant.publish())?;
    }
    for subscriber in &band.musicians {
        for publisher in &band.musicians {
            if subscriber.participant.id != publisher.participant.id {
                commands.send(subscriber.participant.subscribe(&publisher.participant))?;
            }
        }
    }

    let period = Duration::from_secs(1) / packets_per_second;
    let start = band.now() + Duration::from_millis(100);
    for (at, musician) in (0..).zip(&mut band.musicians) {
        // Nobody plays at exactly the same moment.
        musician.next_packet = start + period * at / members;
    }
    band.play_until(start + WARM_UP, period)?;
    let before = settled(&sfu);
    (band.received, band.delays_us) = (0, Vec::new());
    band.play_until(start + WARM_UP + Duration::from_secs(seconds.into()), period)?;
    let after = settled(&sfu);
    drop(sfu);
    report(&before, &after, &mut band, members, packets_per_second, connected_ms)
}

/// The counts once the media thread has told them again.
fn settled(sfu: &sfu_server::SfuHandle) -> Snapshot {
    std::thread::sleep(2 * sfu_server::limits::TELEMETRY_INTERVAL);
    sfu.counters()
}

fn report(
    before: &Snapshot,
    after: &Snapshot,
    band: &mut Band,
    members: u32,
    packets_per_second: u32,
    connected_ms: u128,
) -> anyhow::Result<()> {
    let forwarded = after.router.forwarded_packets - before.router.forwarded_packets;
    let arrived = after.router.received_packets - before.router.received_packets;
    let cpu = after.cpu - before.cpu;
    let send_calls = after.socket.send_calls - before.socket.send_calls;
    let dropped = after.socket.dropped_full - before.socket.dropped_full;
    band.delays_us.sort_unstable();
    let percentile = |permille: usize| {
        let last = band.delays_us.len().saturating_sub(1);
        band.delays_us.get(last * permille / 1000).copied()
    };
    let line = serde_json::json!({
        "members": members,
        "packets_per_second": packets_per_second,
        "payload_bytes": PAYLOAD_BYTES,
        "connected_ms": u64::try_from(connected_ms)?,
        "received": arrived,
        "forwarded": forwarded,
        "lost": (arrived * u64::from(members - 1)).saturating_sub(band.received),
        "dropped_full": dropped,
        "server_cpu_us_per_packet": cpu.as_secs_f64() * 1e6 / forwarded as f64,
        "packets_per_send_call": forwarded as f64 / send_calls as f64,
        "delay_us": { "p50": percentile(500), "p99": percentile(990), "p999": percentile(999) },
    });
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}

/// How long the band plays before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);

impl Band {
    fn now(&self) -> Instant {
        let ns = self.started.elapsed().as_nanos();
        Instant::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    fn is_up(&self) -> bool {
        self.musicians.iter().all(|one| one.participant.link.state() == LinkState::Up)
    }

    fn play_until(&mut self, end: Instant, period: Duration) -> anyhow::Result<()> {
        while self.now() < end {
            self.turn(end, Some(period))?;
        }
        Ok(())
    }

    /// Waits for the next thing to do, until `end` at most, and does it.
    fn turn(&mut self, end: Instant, period: Option<Duration>) -> anyhow::Result<()> {
        let mut due = end;
        for musician in &self.musicians {
            due = due.min(musician.participant.link.poll_timeout().unwrap_or(end));
            if period.is_some() {
                due = due.min(musician.next_packet);
            }
        }
        let wait = due.saturating_since(self.now());
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs())?,
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let mut watched: Vec<PollFd<'_>> = self
            .musicians
            .iter()
            .map(|musician| PollFd::new(&musician.socket, PollFlags::IN))
            .collect();
        poll(&mut watched, Some(&timeout))?;
        let now = self.now();
        for musician in &mut self.musicians {
            musician.drive(now, &mut self.received, &mut self.delays_us, self.started)?;
            if let Some(period) = period
                && musician.next_packet <= now
            {
                musician.play(self.started, self.server)?;
                musician.next_packet = musician.next_packet + period;
            }
        }
        Ok(())
    }
}

impl Musician {
    fn drive(
        &mut self,
        now: Instant,
        received: &mut u64,
        delays_us: &mut Vec<u32>,
        started: Clock,
    ) -> anyhow::Result<()> {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            let datagram = &mut buffer[..len];
            let link = &mut self.participant.link;
            if Kind::of(datagram) != Kind::Rtp {
                link.handle_datagram(now, from, datagram);
                continue;
            }
            let arrived = started.elapsed();
            let len = link.opener_mut().context("RTP before the keys")?.open(datagram)?;
            *received += 1;
            let sent_ns =
                datagram[HEADER_BYTES..len].first_chunk().map(|ns| u64::from_be_bytes(*ns));
            if let Some(sent_ns) = sent_ns {
                let delay = arrived.saturating_sub(Duration::from_nanos(sent_ns));
                delays_us.push(u32::try_from(delay.as_micros()).unwrap_or(u32::MAX));
            }
        }
        let link = &mut self.participant.link;
        if link.poll_timeout().is_some_and(|due| due <= now) {
            link.handle_timeout(now);
        }
        while let Some(transmit) = link.poll_transmit(&mut buffer) {
            self.socket.send_to(&buffer[..transmit.len], transmit.to)?;
        }
        while link.poll_event().is_some() {}
        Ok(())
    }

    fn play(&mut self, started: Clock, server: SocketAddr) -> anyhow::Result<()> {
        let mut payload = [7; PAYLOAD_BYTES];
        let sent_ns = u64::try_from(started.elapsed().as_nanos())?;
        payload[..8].copy_from_slice(&sent_ns.to_be_bytes());
        let mut buffer = [0; 256];
        let len = self.participant.seal(&payload, &mut buffer).context("the link is not up")?;
        self.socket.send_to(&buffer[..len], server)?;
        Ok(())
    }
}
