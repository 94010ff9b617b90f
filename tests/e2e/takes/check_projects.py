"""Opens the projects in a take's archive with others' parsers and compares them with what lies beside them.

REAPER's project is read by `rpp`; the DAWproject by Python's own zip and XML readers, and then held against the
format's rules: which element may hold which in which order, which attributes it must and may have, and that each
reference leads to an id. Ends with an error that says what is wrong.
"""

import io
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

import rpp

SECONDS = 10.0
TRACKS = ["Ann - voice", "Bob | Söhne - keys", "> FILE \"x\" - ' `", "Click"]

# Of each element of DAWproject 1.0 that we write: elements inside in their order ("*" after those that may come more
# than once), attributes it must have, attributes it may have.
NAMED = {"id", "name", "color", "comment"}
TIMELINE = NAMED | {"timeUnit", "track"}
RULES = {
    "Project": (["Application", "Transport", "Structure", "Arrangement", "Scenes"], {"version"}, set()),
    "Application": ([], {"name", "version"}, set()),
    "Transport": (["Tempo", "TimeSignature"], set(), set()),
    "Tempo": ([], {"unit"}, NAMED | {"min", "max", "value", "parameterID"}),
    "TimeSignature": ([], {"numerator", "denominator"}, NAMED | {"parameterID"}),
    "Structure": (["Track*"], set(), set()),
    "Track": (["Channel", "Track*"], set(), NAMED | {"contentType", "loaded"}),
    "Channel": (
        ["Devices", "Mute", "Pan", "Sends", "Volume"],
        set(),
        NAMED | {"audioChannels", "destination", "role", "solo"},
    ),
    "Mute": ([], set(), NAMED | {"value", "parameterID"}),
    "Pan": ([], {"unit"}, NAMED | {"min", "max", "value", "parameterID"}),
    "Volume": ([], {"unit"}, NAMED | {"min", "max", "value", "parameterID"}),
    "Arrangement": (["Lanes", "Markers", "TempoAutomation", "TimeSignatureAutomation"], set(), NAMED),
    "Lanes": (["Lanes*", "Clips*"], set(), TIMELINE),
    "Clips": (["Clip*"], set(), TIMELINE),
    "Clip": (
        ["Audio"],
        {"time"},
        {"name", "color", "comment", "duration", "contentTimeUnit", "playStart", "playStop", "loopStart", "loopEnd"},
    ),
    "Audio": (["File"], {"channels", "sampleRate", "duration"}, TIMELINE | {"algorithm"}),
    "File": ([], {"path"}, {"external"}),
    "Markers": (["Marker*"], set(), TIMELINE),
    "Marker": ([], {"time"}, {"name", "color", "comment"}),
    "TempoAutomation": (["Target", "RealPoint*"], set(), TIMELINE | {"unit"}),
    "TimeSignatureAutomation": (["Target", "TimeSignaturePoint*"], set(), TIMELINE | {"unit"}),
    "Target": ([], set(), {"parameter", "expression", "channel", "key", "controller"}),
    "RealPoint": ([], {"time", "value"}, {"interpolation"}),
    "TimeSignaturePoint": ([], {"time", "numerator", "denominator"}, set()),
}
VALUES = {
    "timeUnit": {"beats", "seconds"},
    "contentTimeUnit": {"beats", "seconds"},
    "unit": {"linear", "normalized", "percent", "decibel", "hertz", "semitones", "seconds", "beats", "bpm"},
    "role": {"regular", "master", "effect", "submix", "vca"},
    "interpolation": {"hold", "linear"},
    "solo": {"true", "false"},
    "loaded": {"true", "false"},
    "external": {"true", "false"},
}
METADATA = ["Title", "Artist", "Album", "OriginalArtist", "Composer", "Songwriter", "Producer", "Arranger", "Year"]


def need(holds, otherwise):
    if not holds:
        sys.exit(otherwise)


def check_element(element):
    need(element.tag in RULES, f"DAWproject has no element {element.tag}")
    inside, must, may = RULES[element.tag]
    there = set(element.attrib)
    need(must <= there, f"{element.tag} lacks {must - there}")
    need(there <= must | may, f"{element.tag} may not have {there - must - may}")
    for name, value in element.attrib.items():
        need(value in VALUES.get(name, {value}), f"{element.tag} has {name}={value}")
    order = [name.rstrip("*") for name in inside]
    at = 0
    for child in element:
        need(child.tag in order[at:], f"{child.tag} may not be there in {element.tag}")
        at = order.index(child.tag)
        # Lanes are a choice: any order, any number.
        if element.tag == "Lanes":
            at = 0
        elif not inside[at].endswith("*"):
            at += 1
        check_element(child)


def check_dawproject(content, files):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        need(archive.testzip() is None, "a checksum in the DAWproject fails")
        need(sorted(archive.namelist()) == ["metadata.xml", "project.xml"], f"it holds {archive.namelist()}")
        project = ElementTree.fromstring(archive.read("project.xml"))
        metadata = ElementTree.fromstring(archive.read("metadata.xml"))
    need(metadata.tag == "MetaData", "metadata.xml has no MetaData")
    need(metadata.findtext("Title") == 'Monday <&> "one"', f"the title is {metadata.findtext('Title')}")
    order = [METADATA.index(child.tag) for child in metadata]
    need(order == sorted(order), "metadata is out of order")

    need(project.tag == "Project" and project.get("version") == "1.0", "this is no project of version 1.0")
    check_element(project)
    ids = [element.get("id") for element in project.iter() if "id" in element.attrib]
    need(len(ids) == len(set(ids)), "an id is there twice")
    for element in project.iter():
        for reference in {"track", "destination", "parameter"} & set(element.attrib):
            need(element.get(reference) in ids, f"nothing has the id {element.get(reference)}")
    names = [track.get("name") for track in project.findall("Structure/Track")]
    need(names == TRACKS + ["Master"], f"the tracks are {names}")
    # The take begins 0.3 s into a bar of the click, so that much is before it.
    clips = project.findall(".//Clip")
    need(len(clips) == len(TRACKS), f"there are {len(clips)} clips")
    for clip in clips:
        need(abs(float(clip.get("time")) - 0.3) < 1e-6, f"a clip is at {clip.get('time')}")
        need(abs(float(clip.get("duration")) - SECONDS) < 1e-6, f"a clip lasts {clip.get('duration')}")
        need(clip.find("Audio/File").get("path") in files, "a clip's file is not beside the project")
    tempo = [(float(point.get("time")), float(point.get("value"))) for point in project.iter("RealPoint")]
    need(tempo == [(0.0, 120.0), (5.3, 93.5)], f"the tempo is {tempo}")
    markers = [(float(marker.get("time")), marker.get("name")) for marker in project.iter("Marker")]
    need(markers == [(0.3, "Intro"), (4.8, "It's \"here\" `now` > & <")], f"the markers are {markers}")


def check_rpp(text, files):
    project = rpp.loads(text)
    need(project.tag == "REAPER_PROJECT", "this is no project of REAPER")
    tracks = project.findall("TRACK")
    names = [track.find("NAME")[1] for track in tracks]
    # REAPER has three kinds of quotation marks, and no way to write a text with all of them.
    need(names == [name.replace("`", "'") if '"' in name and "'" in name else name for name in TRACKS],
         f"the tracks are {names}")
    for track in tracks:
        items = track.findall("ITEM")
        need(len(items) == 1, "a track has one item")
        item = items[0]
        need(float(item.find("POSITION")[1]) == 0.0, "an item does not begin at 0")
        need(float(item.find("LENGTH")[1]) == SECONDS, f"an item lasts {item.find('LENGTH')[1]}")
        source = item.find("SOURCE")
        need(source.attrib[0] == "FLAC", f"a source is {source.attrib}")
        need(source.find("FILE")[1] in files, f"{source.find('FILE')[1]} is not beside the project")
    points = [(float(point[1]), float(point[2]), int(point[4])) for point in project.find("TEMPOENVEX").findall("PT")]
    four, three = 4 << 16 | 4, 4 << 16 | 3
    need(points == [(0.0, 120.0, four), (1.7, 120.0, four), (5.0, 93.5, three)], f"the tempo is {points}")
    markers = [(float(marker[2]), marker[3]) for marker in project.findall("MARKER")]
    need(markers == [(0.0, "Intro"), (4.5, "It's \"here\" 'now' > & <")], f"the markers are {markers}")


def main():
    with zipfile.ZipFile(sys.argv[1]) as archive:
        need(archive.testzip() is None, "a checksum in the archive fails")
        folders = {name.split("/")[0] for name in archive.namelist()}
        need(len(folders) == 1, f"the archive has the folders {folders}")
        folder = folders.pop()
        files = {name.removeprefix(folder + "/") for name in archive.namelist()}
        check_dawproject(archive.read(folder + "/Take.dawproject"), files)
        check_rpp(archive.read(folder + "/Take.rpp").decode(), files)


main()
