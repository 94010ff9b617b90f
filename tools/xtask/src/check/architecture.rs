//! Each package's dependency closure against what it may use. The cores are pure because nothing
//! impure can be reached from them, not because everybody is careful.

use super::map;
use super::report;
use crate::console;
use crate::packages::{self, Names};

/// What a package may reach.
struct Rule {
    package: &'static str,
    /// Which of our packages, at any depth.
    ours: &'static [&'static str],
    /// What of others' it may not reach.
    banned: &'static [&'static [&'static str]],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        package: "protocol",
        ours: &[],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "the shared words do no IO and hold no policy",
    },
    Rule {
        package: "engine",
        ours: &["protocol"],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "a core takes time, randomness and bytes as arguments",
    },
    Rule {
        package: "transport",
        ours: &["protocol"],
        banned: &[IO],
        reason: "a link is driven from outside, also in virtual time",
    },
    Rule {
        package: "sfu",
        ours: &["protocol", "transport"],
        banned: &[IO],
        reason: "a core takes time, randomness and bytes as arguments",
    },
    Rule {
        package: "signalling",
        ours: &["protocol"],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "a core takes time, randomness and bytes as arguments",
    },
    Rule {
        package: "takes",
        ours: &["protocol"],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "a core takes time, randomness and bytes as arguments",
    },
    Rule {
        package: "takes-web",
        ours: &["protocol", "takes"],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "inside a worker there is no operating system",
    },
    Rule {
        package: "engine-web",
        ours: &["engine", "protocol"],
        banned: &[IO, LOCKS, RANDOMNESS],
        reason: "inside an audio worklet there is no operating system",
    },
    Rule {
        package: "engine-device",
        ours: &["engine", "protocol", "signalling-client", "takes", "transport"],
        banned: &[ASYNC],
        reason: "media threads wait on one thing each, not on a runtime",
    },
    Rule {
        package: "sfu-server",
        ours: &["protocol", "sfu", "transport"],
        banned: &[ASYNC, AUDIO],
        reason: "a packet never waits for a runtime, and a server has no sound card",
    },
    Rule {
        package: "signalling-server",
        ours: &["protocol", "signalling"],
        banned: &[AUDIO],
        reason: "a server has no sound card",
    },
    Rule {
        package: "signalling-client",
        ours: &["protocol"],
        banned: &[ASYNC, AUDIO],
        reason: "whoever joins a room waits on a WebSocket, not on a runtime",
    },
    Rule {
        package: "takes-server",
        ours: &["protocol", "takes"],
        banned: &[AUDIO],
        reason: "a server has no sound card, and takes know nothing of who serves them",
    },
    Rule {
        package: "social",
        ours: &["protocol"],
        banned: &[AUDIO],
        reason: "accounts know nothing of media, and of rooms only the words that are said of them",
    },
    Rule {
        package: "loadgen",
        ours: &["protocol", "signalling-client", "transport"],
        banned: &[ASYNC, AUDIO],
        reason: "it measures a server from outside, on a thread that waits for nothing else",
    },
    Rule {
        package: "relay",
        ours: &["protocol"],
        banned: &[ASYNC, AUDIO],
        reason: "it knows datagrams, not what is in them, and waits on one thread",
    },
    Rule {
        package: "vjam",
        ours: &[
            "engine",
            "engine-device",
            "loadgen",
            "protocol",
            "sfu",
            "sfu-server",
            "signalling",
            "signalling-client",
            "signalling-server",
            "social",
            "takes",
            "takes-server",
            "transport",
        ],
        banned: &[],
        reason: "the command is built from the parts",
    },
    Rule { package: "xtask", ours: &[], banned: &[IO], reason: "a routine must start at once" },
];

/// Packages that may use anything.
const FREE: &[&str] = &["benches", "tests"];

const ASYNC: &[&str] = &["async-std", "futures-executor", "mio", "smol", "tokio"];
const IO: &[&str] =
    &["alsa-sys", "async-std", "cpal", "jack", "mio", "polling", "smol", "socket2", "tokio"];
const LOCKS: &[&str] = &["crossbeam-channel", "dashmap", "parking_lot"];
const RANDOMNESS: &[&str] = &["getrandom", "rand"];
const AUDIO: &[&str] = &["alsa-sys", "cpal", "jack", "jack-sys"];

pub(super) fn check() -> anyhow::Result<()> {
    let ours = packages::ours()?;
    let mut findings = Vec::new();
    for package in ours.keys() {
        let package = package.as_str();
        if FREE.contains(&package) {
            continue;
        }
        match RULES.iter().find(|rule| rule.package == package) {
            Some(rule) => {
                let closure = packages::closure(package, &[])?;
                let reached = closure.iter().filter(|name| ours.contains_key(*name));
                findings.extend(rule.judge(&closure, reached));
            }
            None => findings.push(format!("{package}: has no rule in check/architecture.rs")),
        }
    }
    let server = packages::closure("vjam", &["--no-default-features", "--features", "server"])?;
    for name in AUDIO.iter().filter(|name| server.contains(**name)) {
        findings.push(format!("vjam: a server-only build reaches {name}: it has no sound card"));
    }
    findings.extend(map::check(&ours)?);
    console::say(&format!("{} packages", ours.len()));
    report("architecture", &findings)
}

impl Rule {
    fn judge<'a>(&self, closure: &Names, reached: impl Iterator<Item = &'a String>) -> Vec<String> {
        let package = self.package;
        let reason = self.reason;
        let mut findings = Vec::new();
        for name in reached.filter(|name| !self.ours.contains(&name.as_str())) {
            findings.push(format!("{package}: may not use our `{name}`: {reason}"));
        }
        for name in self.banned.iter().copied().flatten().filter(|name| closure.contains(**name)) {
            findings.push(format!(
                "{package}: reaches `{name}`: {reason} (cargo tree -p {package} -i {name})"
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_core_may_not_reach_is_named() {
        let rule = RULES.iter().find(|rule| rule.package == "engine").expect("it has a rule");
        let closure: Names =
            ["protocol", "serde", "tokio", "sfu"].into_iter().map(str::to_owned).collect();
        let ours: Names = ["protocol", "sfu"].into_iter().map(str::to_owned).collect();
        let findings = rule.judge(&closure, ours.iter());
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings.iter().any(|finding| finding.contains("our `sfu`")), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.contains("`tokio`")), "{findings:?}");
    }
}
