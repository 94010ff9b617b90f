//! A band that plays to one click, and late by beats.

use tests::ensemble::{largest_step_in_mode_changes, measure};

#[test]
fn the_click_and_the_beats_of_others_are_where_the_rooms_time_has_them() {
    for ear in measure(401, 12.0) {
        assert!(18 <= ear.clicks && 18 <= ear.beats || ear.name == "musician 0", "{ear:?}");
        let within = if ear.symmetric { 1.0 } else { ear.bound_ms };
        assert!(ear.click_ms < within, "{ear:?}");
        // The leader does not hear themselves.
        assert!(ear.beat_ms < 1.0, "{ear:?}");
        assert!(ear.beats_late == 0.5 || ear.name == "musician 0", "{ear:?}");
    }
}

#[test]
fn modes_change_without_a_jump() {
    let step = largest_step_in_mode_changes(409);
    assert!(step < 1.6, "{step} times the steps of the tone");
}
