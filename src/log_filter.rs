//! What may be logged, whatever `RUST_LOG` asks for.
//!
//! Two kinds of crates are not ours to make quiet: those that write out what people say to each
//! other (WebSocket frames, at `trace`), and those that complain about each packet of a peer, which
//! would let anybody fill a server's log. What surprises: a directive in front of an `EnvFilter`
//! does not do, since a more precise one in `RUST_LOG` wins; this is a filter of its own.

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};

/// `RUST_LOG`, or `default` where it says nothing.
pub(crate) fn chosen(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default))
}

/// What must hold beside that. It is for the whole subscriber.
pub(crate) fn discreet() -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    discreet_unless(&std::env::var("RUST_LOG").unwrap_or_default())
}

fn discreet_unless(asked: &str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
    // By their names only: `RUST_LOG=debug` does not mean a line for each packet.
    let is_asked = |name: &&str| asked.split([',', '=']).any(|target| in_crate(target, name));
    let quiet: Vec<_> = PER_PACKET.into_iter().filter(|name| !is_asked(name)).collect();
    filter_fn(move |metadata| {
        let is_of = |names: &[&str]| names.iter().any(|name| in_crate(metadata.target(), name));
        let tells = is_of(&OTHERS_WORDS) && Level::INFO < *metadata.level();
        !tells && !is_of(&quiet)
    })
}

fn in_crate(target: &str, name: &str) -> bool {
    target.split("::").next() == Some(name)
}

/// Write chat, names, seats, tickets and the keys of takes, below `info`.
const OTHERS_WORDS: [&str; 4] = ["tungstenite", "tokio_tungstenite", "ureq", "ureq_proto"];

/// Write lines about a peer's bytes, up to `error`: ICE, SCTP, DTLS.
const PER_PACKET: [&str; 5] = ["is", "sctp_proto", "str0m", "str0m_proto", "dimpl"];

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written of one line of each kind.
    fn logged(asked: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(asked))
            .with_writer(move || writer.clone())
            .finish()
            .with(discreet_unless(asked));
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "tungstenite::protocol", "a secret");
            tracing::debug!(target: "tokio_tungstenite::compat", "a secret");
            tracing::warn!(target: "tungstenite::protocol", "a broken socket");
            tracing::error!(target: "dimpl::engine", "a bad packet");
            tracing::warn!(target: "is::agent", "a bad packet");
            tracing::warn!(target: "sctp_proto::association", "a bad packet");
            tracing::info!(target: "isolated", "a crate of another name");
            tracing::trace!("our own");
        });
        let written = lines.0.lock().expect("not poisoned").clone();
        String::from_utf8(written).expect("text")
    }

    #[test]
    fn what_people_say_is_never_written() {
        for asked in ["trace", "tungstenite=trace", "trace,tungstenite::protocol=trace"] {
            let written = logged(asked);
            assert!(!written.contains("a secret"), "{written}");
            assert!(written.contains("a broken socket"), "{written}");
        }
        let written = logged("trace");
        assert!(written.contains("our own") && written.contains("a crate of another name"));
    }

    #[test]
    fn a_peers_packets_are_written_about_only_where_that_is_asked_for_by_name() {
        for asked in ["info", "trace", "warn,vjam=debug"] {
            assert!(!logged(asked).contains("a bad packet"), "{asked}");
        }
        assert_eq!(logged("info,dimpl=error").matches("a bad packet").count(), 1);
        assert_eq!(logged("info,is::agent=warn").matches("a bad packet").count(), 1);
    }
}
