//! What the programs and the corpus reach: a target that nothing reaches finds nothing.

use super::*;
use crate::fuzz_targets::seeds;

fn corpus(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/worker");
    std::fs::read(format!("{folder}/{name}")).expect("committed")
}

#[test]
fn the_corpus_leads_where_its_names_say() {
    let heard = |name: &str, id: u32| run(&corpus(name)).heard.get(&id).copied().unwrap_or(0);
    assert_eq!(heard("a_message_by_hand", 1), 1);
    assert_eq!(heard("a_hello_in_fragments", 4), 3);
    assert_eq!(heard("a_packet_kept_and_repeated", 2), 1);
}

#[test]
fn programs_reach_every_cause_that_datagrams_can_have() {
    let mut least: Vec<(&str, u64)> = Vec::new();
    let corpus =
        ["a_flood_of_own_checks", "a_flood_of_a_stranger", "a_malformed_packet", "a_muted_source"]
            .map(corpus);
    for program in seeds("worker").into_iter().take(16).chain(corpus) {
        let counters = *run(&program).counters();
        let causes = [
            ("address_held", counters.dropped_address_held),
            ("astray", counters.dropped_astray),
            ("control_rate", counters.dropped_control_rate),
            ("empty", counters.dropped_empty),
            ("forged", counters.dropped_forged),
            ("malformed", counters.dropped_malformed),
            ("muted", counters.dropped_muted),
            ("payload_type", counters.dropped_payload_type),
            ("replayed", counters.dropped_replayed),
            ("source_rate", counters.dropped_source_rate),
            ("stranger_link_rate", counters.dropped_stranger_link_rate),
            ("stun", counters.dropped_stun),
            ("unknown_address", counters.dropped_unknown_address),
            ("unknown_kind", counters.dropped_unknown_kind),
            ("unknown_ssrc", counters.dropped_unknown_ssrc),
            ("unsubscribed", counters.dropped_unsubscribed),
            ("rtcp", counters.rtcp_received),
            ("before_join", counters.unsent_before_join),
            ("link_down", counters.unsent_link_down),
            ("payload", counters.unsent_payload),
            ("refused", counters.commands_refused),
        ];
        least.resize(causes.len(), ("", 0));
        for (sum, cause) in least.iter_mut().zip(causes) {
            *sum = (cause.0, sum.1 + cause.1);
        }
    }
    assert!(least.iter().all(|(_, count)| 0 < *count), "{least:?}");
}
