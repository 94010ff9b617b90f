//! Who hears whom, over loopback sockets.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use protocol::control::{Command, Event, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, WorkerId};
use protocol::rtp::Ssrc;
use sfu_server::limits::{COMMANDS_MAX, PACKET_AGE_MAX, TELEMETRY_INTERVAL};
use sfu_server::{CommandsRefused, Sfu, SfuConfig};
use transport::LinkState;

use crate::support::{BUSY, BUSY_FOR, Participant, Stage, client_parameters, source_of, stream_of};

#[test]
fn everybody_hears_everybody_else_in_the_room_and_nobody_else() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2, 3, 4, 5], "blue");
    stage.connect_all(&all);
    let mut red = stage.join_all(&[6, 7], "red");
    stage.connect_all(&red);
    all.append(&mut red);
    stage.settle(&mut all);
    let room_of = |id: ParticipantId| if id.0 <= 5 { "blue" } else { "red" };

    for number in 0..50_u8 {
        for one in &mut all {
            let id = u8::try_from(one.id.0).expect("small ids");
            one.play(source_of(one.id), &[id, number]);
        }
        stage.run_until(&mut all, |_| true);
    }
    stage.run_until(&mut all, |all| {
        all.iter().all(|one| one.heard.len() == if room_of(one.id) == "blue" { 200 } else { 50 })
    });

    let ids: Vec<ParticipantId> = all.iter().map(|one| one.id).collect();
    for one in &all {
        for other in &ids {
            let heard = one.heard_on(stream_of(one.id, *other));
            if *other == one.id || room_of(*other) != room_of(one.id) {
                assert!(heard.is_empty(), "{} heard {other}", one.id);
            } else {
                let id = u8::try_from(other.0).expect("small ids");
                let expected: Vec<[u8; 2]> = (0..50).map(|number| [id, number]).collect();
                assert_eq!(heard, expected, "{} of {other}", one.id);
            }
        }
    }
    let counters = stage.sfu.shutdown();
    assert_eq!(counters.router.received_packets, 7 * 50);
    assert_eq!(counters.router.forwarded_packets, 5 * 200 + 2 * 50);
    assert_eq!(counters.socket.dropped_full + counters.socket.dropped_refused, 0);
}

#[test]
fn frames_from_a_data_channel_leave_as_rtp() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    for number in 0..40_u8 {
        let source = source_of(all[0].id);
        all[0].play_over_channel(stage.now(), source, &[number]);
        stage.run_until(&mut all, |all| all[1].heard.len() == usize::from(number) + 1);
    }
    let numbers: Vec<u16> = all[1].heard.iter().map(|packet| packet.1).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn a_room_of_ipv6_works_on_a_socket_for_both() {
    let stage = Stage::at("[::1]:0".parse().expect("an address"));
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    let source = source_of(all[0].id);
    all[0].play(source, b"six");
    stage.run_until(&mut all, |all| !all[1].heard.is_empty());
}

#[test]
fn an_unspecified_ipv6_socket_takes_ipv4_too() {
    let mut stage = Stage::at("[::]:0".parse().expect("an address"));
    // Loopback is not advertised where there are other interfaces, but it works.
    let port = stage.sfu.local_address().port();
    stage.address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut all = stage.join_all(&[1], "room");
    stage.address = SocketAddr::new("::1".parse().expect("an address"), port);
    all.append(&mut stage.join_all(&[2], "room"));
    stage.connect_all(&all);
    stage.settle(&mut all);
    let source = source_of(all[0].id);
    all[0].play(source, b"four to six");
    stage.run_until(&mut all, |all| !all[1].heard.is_empty());
}

#[test]
fn commands_that_cannot_be_carried_out_come_back() {
    let stage = Stage::new();
    let nobody = ParticipantId(77);
    stage.command(Command::Subscribe {
        subscriber: nobody,
        stream: Ssrc(1),
        publisher: nobody,
        source: Ssrc(2),
        payload_types: PayloadTypes::NATIVE,
    });
    let refused = stage.await_event(&mut [], |event| {
        matches!(event, Event::CommandRefused { participant, .. } if *participant == nobody)
    });
    let Event::CommandRefused { text, .. } = refused else { panic!("another event") };
    assert!(text.contains("participant 77"), "{text}");
}

#[test]
fn commands_beyond_the_limit_are_refused_at_once() {
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let config = SfuConfig { media: SocketAddr::from(([127, 0, 0, 1], 0)), ..SfuConfig::default() };
    // The media thread waits in its first event until the gate goes.
    let gate = Arc::new(Mutex::new(gate));
    let wait = move |_| while gate.lock().expect("no panic").recv().is_ok() {};
    let sfu = Sfu::start(&config, wait).expect("a loopback port is free");
    let commands = sfu.commands();
    let refusable = || commands.send(Command::CloseLink { participant: ParticipantId(1) });
    let refused = (0..3 * COMMANDS_MAX).find_map(|_| refusable().err());
    assert_eq!(refused, Some(CommandsRefused::Exhausted));
    drop(open_gate);
    let counters = sfu.shutdown();
    assert!(COMMANDS_MAX as u64 <= counters.router.commands_refused);
    assert_eq!(refusable(), Err(CommandsRefused::Stopped));
}

#[test]
fn shutting_down_tells_everybody() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.commands.clone().send(Command::CloseLink { participant: all[0].id }).expect("runs");
    stage.run_until(&mut all, |all| all[0].link.state() == LinkState::Closed);
    assert_eq!(all[1].link.state(), LinkState::Up);
    let Stage { sfu, commands, .. } = stage;
    let _counters = sfu.shutdown();
    assert!(commands.send(Command::CloseLink { participant: all[1].id }).is_err());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    all[1].socket.set_nonblocking(false).expect("supported");
    all[1].socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("supported");
    let mut buffer = [0; 2048];
    while all[1].link.state() != LinkState::Closed {
        assert!(std::time::Instant::now() < deadline, "was not told");
        let (len, from) = all[1].socket.recv_from(&mut buffer).expect("told");
        let now = all[1].link.heard();
        all[1].link.handle_datagram(now, from, &buffer[..len]);
    }
}

#[test]
fn rooms_on_different_workers_have_ports_of_their_own_and_play_at_once() {
    let media = SocketAddr::from(([127, 0, 0, 1], 0));
    let workers = NonZeroU16::new(2).expect("not 0");
    let stage = Stage::with_config(&SfuConfig { media, workers, ..SfuConfig::default() });
    let (blue, red) = ([1, 2], [3, 4, 5]);
    let joined = |ids: &[u32], worker, room| -> Vec<Participant> {
        ids.iter().map(|id| stage.join_on(WorkerId(worker), *id, room)).collect()
    };
    let mut all = joined(&blue, 0, "blue");
    all.extend(joined(&red, 1, "red"));
    stage.connect(&mut all);
    stage.connect_all(&all[..blue.len()]);
    stage.connect_all(&all[blue.len()..]);
    // What is not forwarded yet when the commands are on their way is not heard.
    stage.run_until(&mut all, |all| {
        all.iter_mut().for_each(|one| one.play(source_of(one.id), b"one, two"));
        std::thread::sleep(std::time::Duration::from_millis(1));
        let publishers = |id: u32| if blue.contains(&id) { blue.len() } else { red.len() } - 1;
        all.iter().all(|one| {
            let mut heard: Vec<Ssrc> = one.heard.iter().map(|packet| packet.0).collect();
            heard.sort_unstable();
            heard.dedup();
            heard.len() == publishers(one.id.0)
        })
    });
    for one in &all {
        let mine = if blue.contains(&one.id.0) { &blue[..] } else { &red[..] };
        let streams: Vec<Ssrc> =
            mine.iter().map(|id| stream_of(one.id, ParticipantId(*id))).collect();
        assert!(one.heard.iter().all(|packet| streams.contains(&packet.0)), "{one:?}");
    }
    let counts = stage.sfu.counts();
    std::thread::sleep(2 * TELEMETRY_INTERVAL);
    let [first, second] = counts.workers()[..] else { panic!("two workers") };
    assert_eq!((first.links, second.links), (blue.len(), red.len()));
    for worker in [first, second] {
        assert_ne!(worker.router.forwarded_packets, 0);
        assert_eq!(worker.delay.total(), worker.router.forwarded_packets);
    }
    let nobody = stage.commands.send(Command::OpenLink {
        participant: ParticipantId(9),
        room: RoomId::parse("blue").expect("a name"),
        worker: WorkerId(2),
        local: client_parameters(ParticipantId(9), 0, ""),
        remote: client_parameters(ParticipantId(9), 0, ""),
        data_channel: false,
    });
    assert_eq!(nobody, Err(CommandsRefused::UnknownWorker(WorkerId(2))));
}

#[test]
fn what_a_worker_with_too_much_to_do_left_waiting_is_dropped_and_what_comes_later_is_not() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    let (source, mut stale) = (source_of(all[0].id), 0);
    for attempt in 0_u8.. {
        assert!(attempt < 20, "the machine was never quick enough to fill the moment");
        let began = std::time::Instant::now();
        stage.command(Command::CloseLink { participant: BUSY });
        for _ in 0..10 {
            all[0].play(source, b"late");
        }
        let sent = began.elapsed();
        let is_busy = |event: &Event| matches!(event, Event::CommandRefused { participant, .. } if *participant == BUSY);
        stage.await_event(&mut all, is_busy);
        all[0].play(source, &[attempt]);
        stage.run_until(&mut all, |all| {
            all[1].heard.last().is_some_and(|packet| packet.3 == [attempt])
        });
        std::thread::sleep(2 * TELEMETRY_INTERVAL);
        let counters = stage.sfu.counters().socket;
        let dropped = counters.dropped_stale + counters.dropped_late;
        let heard = all[1].heard_on(stream_of(all[1].id, all[0].id));
        let late = heard.iter().filter(|payload| **payload == b"late").count() as u64;
        // Each was either heard or counted.
        assert_eq!(dropped + late, 10 * (u64::from(attempt) + 1));
        let newly = std::mem::replace(&mut stale, dropped);
        // The first may have come before the worker was kept busy.
        if sent < BUSY_FOR / 3 && 0 < dropped - newly {
            return;
        }
    }
}

#[test]
fn a_worker_with_too_much_to_do_sends_nothing_that_is_late() {
    let stage = Stage::new();
    let ids: Vec<u32> = (1..=24).collect();
    let mut all = stage.join_all(&ids, "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    let mut before = stage.sfu.counters();
    for attempt in 0.. {
        assert!(attempt < 20, "it sent late copies each time: {before:?}");
        // 22,080 copies: ten times as many as leave in time.
        for _ in 0..40 {
            all.iter_mut().for_each(|one| one.play(source_of(one.id), b"all at once"));
        }
        stage.settle(&mut all);
        std::thread::sleep(2 * TELEMETRY_INTERVAL);
        let counters = stage.sfu.counters();
        let dropped = counters.socket.dropped_stale - before.socket.dropped_stale;
        let delay = counters.delay.since(&before.delay);
        before = counters;
        let bound_us = u32::try_from(PACKET_AGE_MAX.as_micros()).expect("milliseconds");
        let in_time = delay.cumulative().find(|(bound, _)| *bound == Some(bound_us));
        let late = delay.total() - in_time.expect("it is a bound of the histogram").1;
        // The system may have run something else while a batch was sent.
        if 0 < dropped && 100 * late <= delay.total() {
            return;
        }
    }
}
