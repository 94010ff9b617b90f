//! Two minutes in which participants come and go all the time, and those who stay must not notice.

use std::process::Command;

use serde_json::Value;
use tests::machine::{TimingFault, in_real_time};
use tests::process::vjam;

#[test]
fn participants_come_and_go_and_nobody_else_loses_a_packet() {
    in_real_time(|_| {
        let arguments = "bench sfu --soak --rooms 4 --members 3 --rate 100 --seconds 110 --json";
        let mut command = Command::new(vjam().expect("it is built"));
        let output = command.args(arguments.split(' ')).output().expect("it starts");
        let (said, log) = (text(&output.stdout), text(&output.stderr));
        // It fails where a packet reached somebody else, was changed or came twice, and where the
        // server's memory did not return to its level.
        assert!(output.status.success(), "{said}{log}");
        let report: Value = serde_json::from_str(&said).expect("one line of JSON");
        let number = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("{name}: {said}"));
        assert!(report["memory"]["end_bytes"].is_u64(), "{said}");
        assert!(100.0 < number("joins") && 100.0 < number("leaves"), "{said}");
        // Half of what the rooms that stay full have to forward.
        assert!(600.0 < number("forwarded_pps"), "{said}");
        let lost = number("lost_in_steady_rooms") + number("lost_in_changing_rooms");
        if lost == 0.0 { Ok(()) } else { Err(TimingFault(said)) }
    });
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
