//! The whole worker, with real encryption: commands as nobody should give them, datagrams as nobody
//! should send them, before, during and after handshakes, in virtual time.
//!
//! What surprises: keys and certificates are new in every run, so an input repeats a run but for
//! what was encrypted.

mod handmade;
mod paper;
mod person;
#[cfg(test)]
mod tests;
mod world;

use core::net::SocketAddr;
use core::time::Duration;

use protocol::control::{Command, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::rtp::{PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use relay::random::Random;

use self::handmade::Handmade;
use self::person::{Person, Spoil};
use self::world::{Maker, STREAMS_OF_EACH, World, marker};

/// Instructions of four bytes, some with more behind them. In the end two bystanders hear each
/// other still, whatever was thrown at the worker; what must be true at every step is in
/// [`World`].
pub fn worker(bytes: &[u8]) {
    run(bytes).end();
}

fn run(bytes: &[u8]) -> World {
    let mut world = World::new();
    begin(&mut world);
    let mut rest = bytes;
    for _ in 0..INSTRUCTIONS_MAX {
        let [operation, a, b, c, tail @ ..] = rest else { break };
        let (a, b, c) = (*a, *b, *c);
        let mut data = || {
            let (data, after) = tail.split_at(usize::from(c).min(tail.len()));
            rest = after;
            data
        };
        match operation % 10 {
            0 | 1 => {
                rest = tail;
                carry_out(&mut world, a, b, c);
            }
            2 => {
                let datagram = data();
                let from = somewhere(&world, a);
                world.feed(from, datagram, Maker::Stranger);
            }
            3 => {
                rest = tail;
                play(&mut world, a, b, c);
            }
            4 => {
                rest = tail;
                repeat(&mut world, a, b, c);
            }
            5 => {
                rest = tail;
                spoil(&mut world, a, b, c);
            }
            6 => {
                rest = tail;
                pass(&mut world, a, b);
            }
            7 => {
                rest = tail;
                act(&mut world, a, b);
            }
            _ => {
                let data = data();
                by_hand(&mut world, a, b, data);
            }
        }
        world.settle();
    }
    must_forward(&mut world);
    world
}

/// Instructions at random, each as likely as any other, as input for [`worker`]: bytes at random are
/// data of a few instructions for the most part.
#[must_use]
pub fn programs(programs: u64, instructions: usize) -> Vec<Vec<u8>> {
    (0..programs)
        .map(|seed| {
            let mut random = Random::from_seed(seed);
            let mut program = Vec::new();
            for _ in 0..instructions {
                let [a, b, c, d, e, ..] = random.next_u64().to_le_bytes();
                let operation = OPERATIONS[usize::from(a) % OPERATIONS.len()];
                let takes_data = matches!(operation, 2 | 8);
                let d = if takes_data { d % 64 } else { d };
                // The quiet ways of doing something are the common ones.
                let c = if e < 128 && !takes_data { c % 32 } else { c };
                program.extend([operation, b, c, d]);
                if takes_data {
                    let data = (0..d).map(|_| random.next_u64().to_le_bytes()[0]);
                    program.extend(data);
                }
            }
            program
        })
        .collect()
}

/// Which instruction how often.
const OPERATIONS: [u8; 16] = [0, 1, 2, 3, 3, 3, 3, 3, 4, 4, 5, 6, 6, 7, 8, 8];

/// Instructions of one input: long enough to wear every limit of a link out.
const INSTRUCTIONS_MAX: usize = 4096;

/// Participants 1 to 4 do as they are told; 5 is made by hand; 6 never comes.
const PEOPLE: u32 = 4;
const HANDMADE: u32 = 5;
const NAMED: u32 = 6;
/// Two more, whom no instruction names.
const BYSTANDERS: [u32; 2] = [7, 8];

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 7882);

fn parameters(end: &str, name: &str, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{end}{name}"),
        ice_pwd: format!("a long password of {end}{name}"),
        fingerprint: fingerprint.to_owned(),
    }
}

/// One of four SSRCs that a participant may publish.
const fn source_of(id: u32, which: u32) -> Ssrc {
    Ssrc(1000 * id + which % 4)
}

/// One of four SSRCs that a participant may receive.
const fn stream_of(id: u32, which: u32) -> Ssrc {
    Ssrc(STREAMS_OF_EACH * id + which % 4)
}

/// Participants 1 and 2 in one room, 3 in another, the bystanders in a third. Everybody publishes
/// two sources, and hears both of whoever is in the same room.
fn begin(world: &mut World) {
    for (id, room) in [(1, 0), (2, 0), (3, 1), (BYSTANDERS[0], 2), (BYSTANDERS[1], 2)] {
        open(world, id, room);
        for (which, rate) in [(0, 1000), (1, 50)] {
            add_source(world, id, which, rate);
        }
    }
    let [publisher, subscriber] = BYSTANDERS;
    for (subscriber, publisher) in [(1, 2), (2, 1), (subscriber, publisher)] {
        for (which, red) in [(0, Some(PayloadType::RED)), (1, None)] {
            subscribe(world, subscriber, which, publisher, which, red);
        }
    }
    for _ in 0..100 {
        if world.people.values().all(Person::is_up) {
            return;
        }
        world.pass(Duration::from_millis(20), |_| false);
    }
    panic!("handshakes that nobody disturbed never ended");
}

/// The first bystander plays, the second hears it.
fn must_forward(world: &mut World) {
    // Long enough that no rate limit still holds, with checks meanwhile.
    world.pass(Duration::from_secs(3), |_| false);
    let [publisher, subscriber] = BYSTANDERS;
    let before = world.heard.get(&subscriber).copied().unwrap_or(0);
    for _ in 0..4 {
        play(world, u8::try_from(publisher).expect("small"), 0, 0);
    }
    let after = world.heard.get(&subscriber).copied().unwrap_or(0);
    assert_eq!(after - before, 4, "the bystanders' packets");
}

fn open(world: &mut World, id: u32, room: u8) -> bool {
    let (name, address) = world.another();
    let server = World::server_parameters(&name);
    let certificate = World::certificate_of(id);
    let handmade = (id == HANDMADE).then(|| Handmade::new(&name, address));
    let client = match &handmade {
        Some(handmade) => handmade.parameters.clone(),
        None => parameters("client", &name, certificate.fingerprint()),
    };
    let opened = world.command(Command::OpenLink {
        participant: ParticipantId(id),
        room: RoomId::parse(["blue", "red", "green"][usize::from(room % 3)]).expect("a name"),
        worker: WorkerId(0),
        local: server.clone(),
        remote: client.clone(),
        data_channel: true,
    });
    if opened && let Some(handmade) = handmade {
        world.handmade = Some((handmade, server));
    } else if opened {
        let person = Person::new(certificate, &client, &server, address, world.now);
        world.people.insert(id, person);
    }
    opened
}

fn add_source(world: &mut World, id: u32, which: u32, packets_per_second: u32) {
    world.command(Command::AddSource {
        participant: ParticipantId(id),
        track: TrackId(which),
        ssrc: source_of(id, which),
        payload_types: PayloadTypes::NATIVE,
        packets_per_second,
    });
}

fn subscribe(
    world: &mut World,
    subscriber: u32,
    stream: u32,
    publisher: u32,
    source: u32,
    red: Option<PayloadType>,
) {
    world.command(Command::Subscribe {
        subscriber: ParticipantId(subscriber),
        stream: stream_of(subscriber, stream),
        publisher: ParticipantId(publisher),
        source: source_of(publisher, source),
        payload_types: PayloadTypes { opus: PayloadType::OPUS, red, capture_time: false },
    });
}

/// A command about whomever the bytes name, sensible or not.
fn carry_out(world: &mut World, kind: u8, who: u8, what: u8) {
    let id = 1 + u32::from(who) % NAMED;
    let other = 1 + u32::from(who / 16) % NAMED;
    let (which, more) = (u32::from(what % 4), u32::from(what / 4));
    let participant = ParticipantId(id);
    match kind % 12 {
        0 | 1 => {
            open(world, id, what);
        }
        2 => {
            if world.command(Command::CloseLink { participant }) {
                world.people.remove(&id);
                if id == HANDMADE {
                    world.handmade = None;
                }
            }
        }
        3 => add_source(world, id, which, [750, 50, 0, 1001, 1][more as usize % 5]),
        4 => {
            world.command(Command::RemoveSource { participant, ssrc: source_of(id, which) });
        }
        5..=7 => {
            let red = (kind < 128).then_some(PayloadType::RED);
            subscribe(world, id, which, other, more, red);
        }
        8 => {
            world.command(Command::Unsubscribe {
                subscriber: participant,
                stream: stream_of(id, which),
            });
        }
        9 => {
            let muted = more.is_multiple_of(2);
            world.command(Command::SetMuted { participant, ssrc: source_of(id, which), muted });
        }
        10 => restart(world, id),
        _ => refusable_open(world, id, other, what),
    }
}

fn restart(world: &mut World, id: u32) {
    let (name, _) = world.another();
    let server = World::server_parameters(&name);
    let fingerprint = World::certificate_of(id).fingerprint();
    let client = parameters("client", &name, fingerprint);
    let restarted = world.command(Command::RestartIce {
        participant: ParticipantId(id),
        local: server.clone(),
        remote: client.clone(),
    });
    let now = world.now;
    if let Some(person) = world.people.get_mut(&id).filter(|_| restarted) {
        person.remote_ufrag.clone_from(&server.ice_ufrag);
        // A participant that has ended its link refuses.
        let _over = person.link.restart_ice(now, (&client).into(), &server, &[]);
    }
}

/// A link with credentials that are another's, too short, or no credentials.
fn refusable_open(world: &mut World, id: u32, other: u32, what: u8) {
    let (name, _) = world.another();
    let mut local = World::server_parameters(&name);
    let mut remote = parameters("client", &name, World::certificate_of(id).fingerprint());
    let taken = world.people.get(&other).map(|person| person.remote_ufrag.clone());
    match what % 4 {
        0 => match taken {
            Some(taken) => local.ice_ufrag = taken,
            None => return,
        },
        1 => remote.fingerprint.truncate(usize::from(what % 95)),
        2 => local.ice_pwd.truncate(usize::from(what % 22)),
        _ => remote.ice_ufrag.clear(),
    }
    let participant = ParticipantId(id);
    let room = RoomId::parse("blue").expect("a name");
    let opened = world.command(Command::OpenLink {
        participant,
        room,
        worker: WorkerId(0),
        local,
        remote,
        data_channel: false,
    });
    assert!(!opened, "a link with such credentials");
}

/// An address: a stranger's, or one of those that are in use.
fn somewhere(world: &World, which: u8) -> SocketAddr {
    let taken: Vec<_> = world.people.values().map(|person| person.address).collect();
    let at = usize::from(which % 8);
    taken.get(at).copied().unwrap_or(SocketAddr::from(([203, 0, 113, which], 9)))
}

/// Genuine packets, over whatever way, or kept for later.
fn play(world: &mut World, who: u8, what: u8, how: u8) {
    let id = match u32::from(who) {
        id if id == BYSTANDERS[0] && how == 0 => id,
        id => 1 + id % PEOPLE,
    };
    let ssrc = source_of(id, u32::from(what % 4));
    let ahead = [1, 1, 1, 0, 2, 500, 20_000, u16::MAX][usize::from(what / 4 % 8)];
    let payload_type = match how % 8 {
        0..4 => PayloadType::OPUS,
        4..7 => PayloadType::RED,
        _ => PayloadType(7),
    };
    let payload = [&marker(id, ssrc)[..], &[how; 40]].concat();
    let payload = if what < 240 { payload.as_slice() } else { &[] };
    for _ in 0..[1, 1, 1, 2, 3, 8, 80, 600][usize::from(how / 32)] {
        let Some(person) = world.people.get_mut(&id) else { return };
        let packet = person.packet(ssrc, ahead, payload_type, payload);
        let from = person.address;
        let sealed = match how / 8 % 4 {
            2 if what % 32 == 31 => person.seal_report(ssrc),
            2 => {
                let _not_open = person.link.send_channel(&packet);
                None
            }
            _ => person.seal(packet),
        };
        let Some(sealed) = sealed else { continue };
        if how / 8 % 4 != 3 {
            world.feed(from, &sealed, Maker::Participant(id));
        } else if world.under_way.len() < UNDER_WAY_MAX {
            world.under_way.push_back((id, sealed));
        }
    }
}

/// Packets kept for later.
const UNDER_WAY_MAX: usize = 256;

/// A copy of something that came before, changed or not, from wherever; or a packet that was kept.
fn repeat(world: &mut World, which: u8, from: u8, change: u8) {
    if which.is_multiple_of(4) {
        let Some((id, datagram)) = world.under_way.pop_front() else { return };
        // Whoever has left since has no address.
        let Some(from) = world.people.get(&id).map(|person| person.address) else { return };
        return world.feed(from, &datagram, Maker::Participant(id));
    }
    let at = usize::from(which) % world.overheard.len().max(1);
    let Some((origin, mut datagram)) = world.overheard.get(at).cloned() else { return };
    if datagram.is_empty() {
        return;
    }
    let len = datagram.len();
    match change {
        0..64 => {}
        64..160 => datagram[usize::from(which) * 5 % len] ^= change,
        160..224 => datagram.truncate(usize::from(change - 160)),
        _ => datagram.resize(len + usize::from(change), change),
    }
    let times = [1, 1, 1, 1, 2, 8, 120, 2500][usize::from(from / 8 % 8)];
    let from = if from < 128 { origin } else { somewhere(world, from) };
    for _ in 0..times {
        world.feed(from, &datagram, Maker::Stranger);
    }
}

/// What will happen to control datagrams of somebody.
fn spoil(world: &mut World, who: u8, how: u8, what: u8) {
    let Some(person) = world.people.get_mut(&(1 + u32::from(who) % PEOPLE)) else { return };
    if 16 <= person.spoil.len() {
        return;
    }
    person.spoil.push_back(match how % 5 {
        0 => Spoil::Lose,
        1 => Spoil::Change { at: how, by: what },
        2 => Spoil::Cut { to: what },
        3 => Spoil::Repeat,
        _ => Spoil::Fragment,
    });
}

/// Time, for everybody or without those whom an instruction may name.
fn pass(world: &mut World, long: u8, silent: u8) {
    const MS: [u64; 10] = [1, 5, 20, 100, 100, 500, 1000, 4000, 8000, 31_000];
    let duration = Duration::from_millis(MS[usize::from(long) % MS.len()]);
    let silent = u32::from(silent);
    world.pass(duration, |id| id <= PEOPLE && silent >> id & 1 == 1);
}

/// What a participant's own end does.
fn act(world: &mut World, who: u8, what: u8) {
    let id = 1 + u32::from(who) % PEOPLE;
    let (now, (_, elsewhere)) = (world.now, world.another());
    let theirs = somewhere(world, what / 8);
    let Some(person) = world.people.get_mut(&id) else { return };
    match what % 4 {
        0 => {
            person.address = elsewhere;
            person.claimed.push(elsewhere);
        }
        // As if it were somebody else's address.
        1 => {
            person.address = theirs;
            person.claimed.push(theirs);
        }
        2 => person.link.close(),
        _ => person.link.handle_timeout(now),
    }
}

/// What no library would send.
fn by_hand(world: &mut World, what: u8, how: u8, data: &[u8]) {
    let Some((handmade, server)) = &mut world.handmade else {
        if open(world, HANDMADE, how) {
            add_source(world, HANDMADE, 0, 750);
            by_hand(world, 0, 0, &[]);
        }
        return;
    };
    match what % 8 {
        0 => {
            let (check, from) = (handmade.check(server), handmade.address);
            world.feed(from, &check, Maker::Participant(HANDMADE));
        }
        1 => handmade.send_init(how, data),
        2 => handmade.send_cookie(data),
        3 => handmade.send_message(how, 0, data),
        4 => handmade.send_message(how, how, data),
        5 => handmade.send_chunk(how, how, data),
        6 => handmade.send_raw(data),
        _ => {
            let from = handmade.address;
            world.feed(from, data, Maker::Stranger);
        }
    }
}
