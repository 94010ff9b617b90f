//! Two rooms on one server: what is played in one is not heard in the other. The checker of the
//! simulator asserts the same for every single packet; this is what it sounds like.

use tests::musician::Musician;
use tests::room::Room;

#[test]
fn rooms_do_not_hear_each_other() {
    let mut room = Room::new(171);
    let ann = room.join(Musician::new("Ann", "late-bus-piano").in_room("attic"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe").in_room("attic"));
    let cid = room.join(Musician::new("Cid", "seven-stairs-guitar").in_room("cellar"));
    let dee = room.join(Musician::new("Dee", "seven-stairs-bass").in_room("cellar"));
    let eve = room.join(Musician::new("Eve", "harbor-harp").in_room("garden"));
    room.play_seconds(0.5);
    let stretch = room.play_seconds(4.0);
    for (listener, own, other) in [(ann, bob, [cid, dee]), (cid, dee, [ann, bob])] {
        assert!(room.heard(listener, own, &stretch).correlation() > 0.95);
        let mix = room.mix(listener, &[own, other[0], other[1]], &stretch);
        assert!(mix.parts[1].gain_db < -25.0 && mix.parts[2].gain_db < -25.0, "{mix:?}");
    }
    assert!(room.level(eve, &stretch) < -120.0, "who is alone hears nothing");
}
