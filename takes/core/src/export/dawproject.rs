//! A project in the open exchange format DAWproject 1.0: a zip archive with two XML files, which name the sound files
//! that lie beside it.
//!
//! The format has bars only from its beginning on, each whole. So everything lies later by what is missing of the bar
//! in which the take begins, and the first bar of the take is where one is heard.

use super::archive::Archive;
use super::click::bar_ns;
use super::date::Date;
use super::names::line;
use super::rpp::ProjectTrack;
use super::take::{Take, TempoChange, bpm, seconds};

/// `Take.dawproject`.
pub(super) fn dawproject(take: &Take, tracks: &[ProjectTrack]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = Archive::new(&mut bytes, Date::of(take.start));
    let never = "memory takes every byte";
    archive.add("metadata.xml", metadata(take).as_bytes()).expect(never);
    archive.add("project.xml", project(take, tracks).as_bytes()).expect(never);
    archive.finish().expect(never);
    bytes
}

fn metadata(take: &Take) -> String {
    let date = Date::of(take.start);
    format!(
        "{DECLARATION}<MetaData>\n  <Title>{}</Title>\n  <Year>{}</Year>\n</MetaData>\n",
        escaped(&take.title),
        date.year
    )
}

fn project(take: &Take, tracks: &[ProjectTrack]) -> String {
    let first = first_tempo(take);
    let lead = first.map_or(0, |change| take.start.ns_since(change.at).rem_euclid(bar_ns(&change)));
    let (bpm, beats) =
        first.map_or(("120".to_owned(), 4), |change| (bpm(&change), change.beats_per_bar));
    let version = env!("CARGO_PKG_VERSION");
    let mut xml = format!(
        "{DECLARATION}<Project version=\"1.0\">\n  <Application name=\"vjam\" version=\"{version}\"/>\n  <Transport>\n    \
         <Tempo id=\"tempo\" name=\"Tempo\" unit=\"bpm\" min=\"10\" max=\"1000\" value=\"{bpm}\"/>\n    \
         <TimeSignature id=\"signature\" numerator=\"{beats}\" denominator=\"4\"/>\n  </Transport>\n  <Structure>\n"
    );
    for (number, track) in (1..).zip(tracks) {
        xml += &structure(number, track);
    }
    xml += "    <Track contentType=\"audio notes\" loaded=\"true\" id=\"master-track\" name=\"Master\">\n      \
            <Channel id=\"master\" role=\"master\" audioChannels=\"2\" solo=\"false\"/>\n    </Track>\n  </Structure>\n";
    xml += "  <Arrangement id=\"arrangement\">\n    <Lanes id=\"lanes\" timeUnit=\"seconds\">\n";
    let length = seconds(take.stop.ns_since(take.start));
    for (number, track) in (1..).zip(tracks) {
        xml += &lane(number, track, lead, &length);
    }
    xml += "    </Lanes>\n";
    let markers = take.placed_markers();
    if !markers.is_empty() {
        xml += "    <Markers id=\"markers\" timeUnit=\"seconds\">\n";
        for (at, marker) in markers {
            let (at, name) = (seconds(at + lead), escaped(marker));
            xml += &format!("      <Marker time=\"{at}\" name=\"{name}\"/>\n");
        }
        xml += "    </Markers>\n";
    }
    xml += &automation(take, lead);
    xml + "  </Arrangement>\n</Project>\n"
}

/// A track of the mixer.
fn structure(number: u32, track: &ProjectTrack) -> String {
    let (title, channels, muted) = (escaped(&track.title), track.channels, track.is_muted);
    format!(
        "    <Track contentType=\"audio\" loaded=\"true\" id=\"track{number}\" name=\"{title}\">\n      \
         <Channel id=\"channel{number}\" role=\"regular\" audioChannels=\"{channels}\" destination=\"master\" \
         solo=\"false\">\n        <Mute id=\"mute{number}\" name=\"Mute\" value=\"{muted}\"/>\n        \
         <Pan id=\"pan{number}\" name=\"Pan\" unit=\"normalized\" min=\"0\" max=\"1\" value=\"0.5\"/>\n        \
         <Volume id=\"volume{number}\" name=\"Volume\" unit=\"linear\" min=\"0\" max=\"2\" value=\"1\"/>\n      \
         </Channel>\n    </Track>\n"
    )
}

/// The one clip of a track.
fn lane(number: u32, track: &ProjectTrack, lead: i64, length: &str) -> String {
    let (title, file, channels, at) =
        (escaped(&track.title), escaped(&track.file), track.channels, seconds(lead));
    format!(
        "      <Lanes id=\"lane{number}\" track=\"track{number}\">\n        <Clips id=\"clips{number}\">\n          \
         <Clip time=\"{at}\" duration=\"{length}\" contentTimeUnit=\"seconds\" playStart=\"0\" name=\"{title}\">\n            \
         <Audio id=\"audio{number}\" channels=\"{channels}\" sampleRate=\"48000\" duration=\"{length}\">\n              \
         <File path=\"{file}\" external=\"true\"/>\n            </Audio>\n          </Clip>\n        </Clips>\n      \
         </Lanes>\n"
    )
}

/// Changes of tempo and of bars.
fn automation(take: &Take, lead: i64) -> String {
    let Some(first) = first_tempo(take) else { return String::new() };
    let within = take.tempo.iter().map(|change| (change.at.ns_since(take.start), *change));
    let length = take.stop.ns_since(take.start);
    let later = within.filter(|(at, change)| 0 < *at && *at < length && *change != first);
    let points: Vec<(i64, TempoChange)> =
        [(0, first)].into_iter().chain(later.map(|(at, change)| (at + lead, change))).collect();
    let mut xml =
        "    <TempoAutomation id=\"tempo-points\" timeUnit=\"seconds\" unit=\"bpm\">\n      \
                   <Target parameter=\"tempo\"/>\n"
            .to_owned();
    for (at, change) in &points {
        let (at, bpm) = (seconds(*at), bpm(change));
        xml +=
            &format!("      <RealPoint time=\"{at}\" value=\"{bpm}\" interpolation=\"hold\"/>\n");
    }
    xml += "    </TempoAutomation>\n    <TimeSignatureAutomation id=\"signature-points\" timeUnit=\"seconds\">\n      \
            <Target parameter=\"signature\"/>\n";
    for (at, change) in &points {
        let (at, beats) = (seconds(*at), change.beats_per_bar);
        xml += &format!(
            "      <TimeSignaturePoint time=\"{at}\" numerator=\"{beats}\" denominator=\"4\"/>\n"
        );
    }
    xml + "    </TimeSignatureAutomation>\n"
}

/// What the tempo is when the take starts, or will be first.
fn first_tempo(take: &Take) -> Option<TempoChange> {
    let before = take.tempo.iter().take_while(|change| change.at <= take.start).last();
    before.or(take.tempo.first()).copied()
}

/// A text inside of XML, in an attribute or between tags.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in line(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
