//! Names and days.

use super::*;
use crate::id::AccountId;

#[test]
fn a_name_is_of_one_day_one_person_and_one_server() {
    let ada = AccountId::fresh(UnixMs(1));
    let grace = AccountId::fresh(UnixMs(2));
    let server = ServerKey::new([1; 32]);
    let name = pseudonym(&[7; 32], &server, ada);
    assert_eq!(pseudonym(&[7; 32], &server, ada), name);
    assert_ne!(pseudonym(&[8; 32], &server, ada), name);
    assert_ne!(pseudonym(&[7; 32], &server, grace), name);
    assert_ne!(pseudonym(&[7; 32], &ServerKey::new([2; 32]), ada), name);
}

#[test]
fn days_change_at_midnight_of_utc_also_before_1970() {
    assert_eq!([0, 86_399_999, 86_400_000, -1].map(|ms| day_of(UnixMs(ms))), [0, 0, 1, -1]);
}
