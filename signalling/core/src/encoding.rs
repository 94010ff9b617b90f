//! Which encodings of a track are sent, and which of them each listener hears.
//!
//! Pure choice, remembered nowhere: it is made anew whenever somebody comes, goes or publishes.
//! What surprises: it tells people why, by name, because a musician whose delay grew when
//! somebody joined must be able to see the cause.

use protocol::codec::Codec;
use protocol::id::ParticipantId;
use protocol::signal::EngineKind;

use crate::limits::REASON_NAMES_MAX;

/// Somebody who would hear the track.
#[derive(Debug, Clone)]
pub(crate) struct Listener<'a> {
    pub(crate) id: ParticipantId,
    pub(crate) name: &'a str,
    pub(crate) engine: EngineKind,
    /// What it decodes beside `opus`.
    pub(crate) decodes: &'a [Codec],
    /// Whether RED reaches it; without, only bare `opus` does.
    pub(crate) takes_red: bool,
}

impl Listener<'_> {
    fn hears(&self, codec: Codec) -> bool {
        let listed = self.is_jam() && self.takes_red && self.decodes.contains(&codec);
        codec == Codec::Opus || listed
    }

    fn is_jam(&self) -> bool {
        match self.engine {
            EngineKind::Native | EngineKind::Browser => true,
            EngineKind::Standard => false,
        }
    }
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What the publisher sends: one or two encodings.
    pub(crate) wanted: Vec<Codec>,
    /// Who hears which; who is not in it cannot be sent the track.
    pub(crate) heard_as: Vec<(ParticipantId, Codec)>,
    /// Why, where it is not simply the first codec that the publisher wants.
    pub(crate) reason: Option<String>,
}

/// Chooses for a track whose publisher wants `codecs` (the first most) and has packets of each
/// codec in `sources`.
///
/// At least one of `codecs` has a source: [`crate::Signalling`] refuses other publications.
pub(crate) fn choose(codecs: &[Codec], sources: &[Codec], listeners: &[Listener<'_>]) -> Choice {
    let available = || codecs.iter().copied().filter(|codec| sources.contains(codec));
    let first = available().next().unwrap_or(Codec::Opus);
    let jam: Vec<_> = listeners.iter().filter(|listener| listener.is_jam()).collect();
    let by_all = available().find(|codec| jam.iter().all(|listener| listener.hears(*codec)));
    let by_any = available().find(|codec| jam.iter().any(|listener| listener.hears(*codec)));
    let jam_codec = by_all.or(by_any).unwrap_or(first);

    let mut heard_as = Vec::with_capacity(listeners.len());
    let mut unheard = Vec::new();
    for listener in listeners {
        if listener.is_jam() && listener.hears(jam_codec) {
            heard_as.push((listener.id, jam_codec));
        } else if sources.contains(&Codec::Opus) {
            heard_as.push((listener.id, Codec::Opus));
        } else {
            unheard.push(listener);
        }
    }
    let is_heard = |codec| heard_as.iter().any(|(_, heard)| *heard == codec);
    let mut wanted: Vec<Codec> =
        [jam_codec, Codec::Opus].into_iter().filter(|codec| is_heard(*codec)).collect();
    wanted.dedup();
    if wanted.is_empty() {
        wanted.push(first);
    }
    let reason = reason(first, &wanted, listeners, &unheard);
    Choice { wanted, heard_as, reason }
}

fn reason(
    first: Codec,
    wanted: &[Codec],
    listeners: &[Listener<'_>],
    unheard: &[&Listener<'_>],
) -> Option<String> {
    let mut sentences = Vec::new();
    if wanted != [first] {
        let mut causes = Vec::new();
        let lacking = |listener: &&Listener<'_>| listener.is_jam() && !listener.hears(first);
        let lacking: Vec<_> = listeners.iter().filter(lacking).collect();
        if !lacking.is_empty() {
            let verb = if lacking.len() == 1 { "does" } else { "do" };
            causes.push(format!("{} {verb} not decode {first}", names(&lacking)));
        }
        let standard: Vec<_> = listeners.iter().filter(|l| !l.is_jam()).collect();
        if !standard.is_empty() && first != Codec::Opus {
            let names = names(&standard);
            causes.push(if standard.len() == 1 {
                format!("{names} listens with an ordinary browser player, which plays opus only")
            } else {
                format!("{names} listen with ordinary browser players, which play opus only")
            });
        }
        let sending = match wanted {
            [primary, beside] => format!("sending {beside} beside {primary}"),
            _ => format!("sending {}", wanted.first().copied().unwrap_or(first)),
        };
        sentences.push(format!("{}: {sending}", causes.join(", and ")));
    }
    if !unheard.is_empty() {
        let wanted = wanted.iter().map(Codec::to_string).collect::<Vec<_>>().join(" or ");
        let names = names(unheard);
        let verb = if unheard.len() == 1 { "does" } else { "do" };
        sentences.push(format!("{names} {verb} not hear this track, lacking {wanted}"));
    }
    if sentences.is_empty() { None } else { Some(sentences.join("; ")) }
}

/// `Ana`, `Ana and Ben`, `Ana, Ben, Cleo and 2 others`.
fn names(listeners: &[&Listener<'_>]) -> String {
    let mut names: Vec<String> =
        listeners.iter().take(REASON_NAMES_MAX).map(|listener| listener.name.into()).collect();
    match listeners.len() - names.len() {
        0 => {}
        1 => names.push("one other".into()),
        others => names.push(format!("{others} others")),
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{Opus, Opus64, Pcm};
    use EngineKind::{Browser, Native, Standard};

    fn listener<'a>(name: &'a str, engine: EngineKind, decodes: &'a [Codec]) -> Listener<'a> {
        let id = ParticipantId(name.bytes().map(u32::from).sum());
        Listener { id, name, engine, decodes, takes_red: true }
    }

    /// What is wanted, what each listener hears (`-` for nothing), and why.
    fn check(
        codecs: &[Codec],
        sources: &[Codec],
        listeners: &[Listener<'_>],
        (wanted, heard, reason): (&[Codec], &str, Option<&str>),
    ) {
        let choice = choose(codecs, sources, listeners);
        assert_eq!(choice.wanted, wanted);
        let heard_by = |listener: &Listener<'_>| {
            let mut found = choice.heard_as.iter().filter(|(id, _)| *id == listener.id);
            found.next().map_or("-".to_owned(), |(_, codec)| codec.to_string())
        };
        assert_eq!(listeners.iter().map(heard_by).collect::<Vec<_>>().join(" "), heard);
        assert_eq!(choice.reason.as_deref(), reason);
    }

    const AUTO: &[Codec] = &[Opus64, Opus];

    #[test]
    fn alone_the_first_codec_with_a_source_is_sent() {
        check(AUTO, AUTO, &[], (&[Opus64], "", None));
        check(AUTO, &[Opus], &[], (&[Opus], "", None));
    }

    #[test]
    fn jam_listeners_hear_what_all_of_them_decode() {
        let ana = listener("Ana", Native, &[Opus64, Pcm]);
        let ben = listener("Ben", Browser, &[Opus64]);
        let old = listener("Cleo", Native, &[]);
        check(AUTO, AUTO, &[ana.clone(), ben.clone()], (&[Opus64], "opus-64 opus-64", None));
        let why = Some("Cleo does not decode opus-64: sending opus");
        check(AUTO, AUTO, &[ana, ben, old], (&[Opus], "opus opus opus", why));
    }

    #[test]
    fn an_ordinary_player_costs_a_second_encoding_and_the_publisher_is_told() {
        let ana = listener("Ana", Standard, &[Opus64]);
        let ben = listener("Ben", Native, &[Opus64]);
        let beside = "Ana listens with an ordinary browser player, which plays opus only: \
                      sending opus beside opus-64";
        let both = (&[Opus64, Opus][..], "opus opus-64", Some(beside));
        check(AUTO, AUTO, &[ana.clone(), ben], both);
        let alone = "Ana listens with an ordinary browser player, which plays opus only: \
                     sending opus";
        check(AUTO, AUTO, &[ana], (&[Opus], "opus", Some(alone)));
    }

    #[test]
    fn what_was_asked_for_by_name_goes_to_those_who_decode_it() {
        let ana = listener("Ana", Native, &[Pcm]);
        let ben = listener("Ben", Native, &[Opus64]);
        let why = Some("Ben does not decode pcm: sending opus beside pcm");
        check(&[Pcm], &[Pcm, Opus], &[ana, ben], (&[Pcm, Opus], "pcm opus", why));
    }

    #[test]
    fn who_decodes_nothing_of_it_is_not_sent_it() {
        let ana = listener("Ana", Native, &[Pcm]);
        let ben = listener("Ben", Native, &[]);
        let why = Some("Ben does not hear this track, lacking pcm");
        check(&[Pcm], &[Pcm], &[ana, ben.clone()], (&[Pcm], "pcm -", why));
        check(&[Pcm], &[Pcm], &[ben], (&[Pcm], "-", why));
    }

    #[test]
    fn without_red_only_opus_arrives() {
        let ana = Listener { takes_red: false, ..listener("Ana", Browser, &[Opus64]) };
        let why = Some("Ana does not decode opus-64: sending opus");
        check(AUTO, AUTO, &[ana], (&[Opus], "opus", why));
    }

    #[test]
    fn many_names_are_counted() {
        let people: Vec<_> =
            ["A", "B", "C", "D", "E"].map(|name| listener(name, Standard, &[])).to_vec();
        let why = "A, B, C and 2 others listen with ordinary browser players, which play opus \
                   only: sending opus";
        check(AUTO, AUTO, &people, (&[Opus], "opus opus opus opus opus", Some(why)));
    }
}
