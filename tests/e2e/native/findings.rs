//! Who is the problem? What a real program says of its device, concluded by a real server, in everybody's statistics.

use serde_json::Value;
use tests::machine::in_real_time;
use tests::process::{FileMusician, Server};

use crate::ears::music;

#[test]
fn a_musician_with_long_periods_is_named_to_everybody() {
    in_real_time(|_| {
        let server = Server::start(&[]).expect("the server starts");
        let (guitar, bass) = (music("seven-stairs-guitar", 10), music("seven-stairs-bass", 10));
        let link = server.link("slow");
        let ann = FileMusician::join(&link, "Ann", &guitar, &["--duration", "10"]);
        let slow = ["--duration", "10", "--period", "1024"];
        let bob = FileMusician::join(&link, "Bob", &bass, &slow);
        let musicians = [ann, bob].map(|musician| musician.expect("it starts"));
        for mut musician in musicians {
            musician.process.wait().expect("it plays to the end");
            let stats = musician.stats().expect("statistics are written");
            let lines =
                stats.iter().flat_map(|line| line["findings"].as_array().into_iter().flatten());
            let of_period: Vec<&Value> =
                lines.filter(|finding| finding["code"] == "large_period").collect();
            assert!(!of_period.is_empty(), "nobody was told: {:?}", stats.last());
            for finding in of_period {
                let text = finding["text"].as_str().expect("a sentence");
                assert!(
                    text.starts_with("Bob's sound card works in periods of 21.3 ms"),
                    "{finding}"
                );
            }
        }
        Ok(())
    });
}
