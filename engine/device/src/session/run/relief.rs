//! What is said where this machine is too slow for everybody.

use engine::Relief;

use crate::session::membership::Notice;

/// What is said when more or less is saved than before: once each time that musicians are left out, and
/// once when nobody is any more.
pub(super) fn relief_notice(before: Relief, now: Relief) -> Option<Notice> {
    match (left_out(before), left_out(now)) {
        (before, now) if before < now => Some(Notice::Warning(format!(
            "this computer is too slow for everybody at this period: the {now} quietest are left out. A \
             longer period (`jackd -p 128`, `--period 128`) or fewer programs beside this one bring them back"
        ))),
        (before, 0) if 0 < before => Some(Notice::Fact("everybody is heard again".to_owned())),
        _ => None,
    }
}

/// How many are left out.
pub(super) const fn left_out(relief: Relief) -> u32 {
    match relief {
        Relief::Nothing | Relief::Unheard => 0,
        Relief::Remotes(remotes) => remotes,
    }
}
