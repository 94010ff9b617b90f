//! The data channel.

use protocol::limits::CHANNEL_MESSAGE_BYTES_MAX;
use transport::LinkEvent;
use transport::limits::{EVENTS_MAX, SCTP_AHEAD_MAX_CHUNKS};

use crate::handmade::{FIRST_NUMBER, Handmade, WHOLE, data};
use crate::pair::{DELAY, Pair, server_address};

#[test]
fn data_channel_messages_go_both_ways() {
    let mut pair = Pair::connected();
    let open = |events: &[LinkEvent]| events.contains(&LinkEvent::ChannelOpen);
    pair.run_until(|pair| open(&pair.server_events) && open(&pair.client_events));
    pair.client.send_channel(b"to the server").expect("open");
    pair.server.send_channel(b"to the client").expect("open");
    let to_server = LinkEvent::ChannelMessage(b"to the server".to_vec());
    let to_client = LinkEvent::ChannelMessage(b"to the client".to_vec());
    pair.run_until(|pair| {
        pair.server_events.contains(&to_server) && pair.client_events.contains(&to_client)
    });
}

#[test]
fn a_full_data_channel_refuses() {
    let mut pair = Pair::connected();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    let refused = (0..10_000).find(|_| pair.client.send_channel(&[7; 1000]).is_err());
    let limit = transport::limits::CHANNEL_QUEUE_BYTES_MAX / 1000;
    assert!(refused.is_some_and(|sent| sent <= limit + 1), "{refused:?}");
}

#[test]
fn the_longest_message_goes_in_one_piece_and_a_longer_one_is_refused() {
    let mut pair = Pair::connected();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    let longest = vec![7; usize::from(CHANNEL_MESSAGE_BYTES_MAX)];
    assert!(pair.client.send_channel(&[longest.as_slice(), &[7]].concat()).is_err());
    pair.client.send_channel(&longest).expect("open");
    let message = LinkEvent::ChannelMessage(longest);
    pair.run_until(|pair| pair.server_events.contains(&message));
}

/// Sends one honest message with the next number, and checks that it comes through alone.
fn check_alone(participant: &mut Handmade, number: u32) {
    assert_eq!(participant.messages(), [[0; 0]; 0]);
    participant.send_message(number, 0, WHOLE, b"honest");
    assert_eq!(participant.messages(), [b"honest"]);
    assert_eq!(participant.acknowledged(), Some(number));
}

#[test]
fn streams_that_nobody_agreed_on_are_not_made() {
    let mut participant = Handmade::associated();
    for stream in 1..=500 {
        // Several in a packet, as many as a datagram holds.
        let chunk = |n: u16| (0, WHOLE, data(FIRST_NUMBER + u32::from(n), stream + 500 * n, b"x"));
        let chunks: Vec<_> = (0..10).map(chunk).collect();
        participant.send(&chunks);
    }
    assert_eq!(participant.acknowledged(), None);
    check_alone(&mut participant, FIRST_NUMBER);
}

#[test]
fn fragments_and_ordered_messages_are_not_kept() {
    let mut participant = Handmade::associated();
    for flags in 0..WHOLE {
        for number in FIRST_NUMBER..FIRST_NUMBER + 100 {
            participant.send_message(number, 0, flags, b"x");
        }
    }
    assert_eq!(participant.acknowledged(), None);
    check_alone(&mut participant, FIRST_NUMBER);
}

#[test]
fn only_so_many_messages_wait_behind_one_that_is_missing() {
    let mut participant = Handmade::associated();
    participant.send_message(FIRST_NUMBER, 0, WHOLE, b"honest");
    assert_eq!(participant.acknowledged(), Some(FIRST_NUMBER));
    let mut taken = participant.messages().len();
    for ahead in 2..3 * SCTP_AHEAD_MAX_CHUNKS {
        participant.send_message(FIRST_NUMBER + ahead, 0, WHOLE, b"x");
        taken += participant.messages().len();
    }
    assert_eq!(taken, usize::try_from(SCTP_AHEAD_MAX_CHUNKS).expect("small"));
    // The missing one comes, and everything goes on behind those that waited.
    participant.send_message(FIRST_NUMBER + 1, 0, WHOLE, b"late");
    assert_eq!(participant.messages(), [b"late"]);
    let waited = FIRST_NUMBER + SCTP_AHEAD_MAX_CHUNKS;
    assert_eq!(participant.acknowledged(), Some(waited));
    check_alone(&mut participant, waited + 1);
}

#[test]
fn messages_that_nobody_takes_push_out_the_oldest() {
    let mut pair = Pair::connected();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    let mut buffer = [0; 1500];
    let messages = u16::try_from(EVENTS_MAX).expect("small") + 10;
    for number in 0..messages {
        while pair.client.send_channel(&number.to_be_bytes()).is_err() {
            pair.now = pair.now + DELAY;
            pair.client.handle_timeout(pair.now);
        }
        // Both ways, but the server's events stay where they are.
        while let Some(transmit) = pair.client.poll_transmit(&mut buffer) {
            let from = pair.client_address;
            pair.server.handle_datagram(pair.now, from, &buffer[..transmit.len]);
        }
        while let Some(transmit) = pair.server.poll_transmit(&mut buffer) {
            pair.client.handle_datagram(pair.now, server_address(), &buffer[..transmit.len]);
        }
    }
    let events: Vec<LinkEvent> = core::iter::from_fn(|| pair.server.poll_event()).collect();
    assert_eq!(events.len(), EVENTS_MAX);
    let last = LinkEvent::ChannelMessage((messages - 1).to_be_bytes().to_vec());
    assert_eq!(events.last(), Some(&last));
}
