//! Who is the problem? Whoever has one is named to everybody, and nobody else is.

use core::time::Duration;
use std::collections::BTreeSet;

use protocol::signal::FindingCode::{
    self, FarAway, FarServer, LargePeriod, OrdinaryPlayer, ShakyNetwork,
};
use tests::clock::SoundCard;
use tests::musician::Musician;
use tests::room::{Room, Seat};

/// What everybody is told within so many seconds, once they have played for some: of whom, and what.
fn found(room: &mut Room, seats: &[Seat], seconds: u32) -> BTreeSet<(FindingCode, Option<Seat>)> {
    let mut all = BTreeSet::new();
    for _ in 0..seconds {
        room.run_for(Duration::from_secs(1));
        let told = room.findings(seats[0]).to_vec();
        for finding in &told {
            let about = seats.iter().find(|seat| room.participant(**seat) == finding.about);
            all.insert((finding.code, about.copied()));
        }
    }
    let texts = |seat: &Seat| -> Vec<_> {
        room.findings(*seat).iter().map(|finding| finding.text.clone()).collect()
    };
    for seat in seats {
        assert_eq!(texts(seat), texts(&seats[0]), "the same words for everybody");
    }
    all
}

fn wired(name: &str) -> Musician {
    Musician::new(name, "late-bus-piano").on_network("wired")
}

/// Ann and Cid are on cables; Ben is the one, who must be told these.
fn check(seed: u64, what: &str, ben: Musician, expected: &[FindingCode]) {
    let mut room = Room::new(seed);
    let seats = [room.join(wired("Ann")), room.join(ben), room.join(wired("Cid"))];
    let found = found(&mut room, &seats, 16);
    assert!(found.iter().all(|(_, about)| *about == Some(seats[1])), "{what}: {found:?}");
    let codes: BTreeSet<_> = found.iter().map(|(code, _)| *code).collect();
    assert!(expected.iter().all(|code| codes.contains(code)), "{what}: {found:?}");
    assert_eq!(codes.is_empty(), expected.is_empty(), "{what}: {:?}", room.findings(seats[0]));
}

#[test]
fn a_network_is_whose_it_is() {
    let on = |name| wired("Ben").on_network(name);
    check(901, "wired", on("wired"), &[]);
    check(902, "wifi-good", on("wifi-good"), &[]);
    check(903, "wifi-bad", on("wifi-bad"), &[ShakyNetwork]);
    check(904, "lab-p2", on("lab-p2"), &[ShakyNetwork]);
    check(906, "lte", on("lte"), &[ShakyNetwork, FarAway]);
    check(907, "intercontinental", on("intercontinental"), &[FarAway]);
    check(908, "route-change", on("route-change"), &[]);
}

#[test]
fn a_sound_card_and_a_player_are_whose_they_are() {
    let card = |period| wired("Ben").on_card(SoundCard::exact(period));
    check(911, "128", card(128), &[]);
    check(912, "256", card(256), &[LargePeriod]);
    check(913, "1024", card(1024), &[LargePeriod]);
    check(914, "standard", wired("Ben").as_standard(), &[OrdinaryPlayer]);
}

#[test]
fn of_a_duo_the_one_behind_wifi_is_named() {
    let mut room = Room::new(921);
    let seats = [room.join(wired("Ann")), room.join(wired("Ben").on_network("wifi-bad"))];
    let found = found(&mut room, &seats, 16);
    assert!(found.iter().all(|(_, about)| *about == Some(seats[1])), "{found:?}");
    assert!(found.contains(&(ShakyNetwork, Some(seats[1]))), "{found:?}");
}

#[test]
fn a_server_that_is_far_from_everybody_is_nobodys_fault() {
    let mut room = Room::new(931);
    let far = |name| wired(name).on_network("intercontinental");
    let seats = [room.join(far("Ann")), room.join(far("Ben"))];
    assert_eq!(found(&mut room, &seats, 12), BTreeSet::from([(FarServer, None)]));
}
