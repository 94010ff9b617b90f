#!/usr/bin/env python3
"""Composes and renders the pieces in this folder: writes MIDI, calls fluidsynth, then flac.

The rendered files are committed; run this only to change the music:

    apt-get install fluidsynth fluid-soundfont-gm flac sox
    python3 tests/music/compose.py

A piece is a handful of tracks. A track is a General MIDI program and a list of notes
(beat, pitch, beats long, velocity). No two bars are alike, so that a recording of a track lines
up with it in one place only, and no track is silent for long, so that a gap is a gap.
"""

import pathlib
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SECONDS = 10
TICKS_PER_BEAT = 480
DRUMS = -1
KICK, SNARE, HAT, OPEN_HAT, RIDE, TOM_HIGH, TOM_LOW, CRASH = 36, 38, 42, 46, 51, 48, 45, 49


def pitch(name):
    """MIDI pitch of a name such as `c4`, `f#2`, `bb5`."""
    base = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}[name[0]]
    accidental = {"#": 1, "b": -1}.get(name[1:2], 0)
    octave = int(name[2:] if accidental else name[1:])
    return 12 * (octave + 1) + base + accidental


def line(start, words, velocity=92):
    """A melody: `g4/1.5` is one and a half beats of g4, `-/1` a rest, `c4+e4/2` a chord."""
    notes, beat = [], start
    for word in words.split():
        names, _, beats = word.partition("/")
        beats = float(beats)
        for i, name in enumerate([] if names == "-" else names.split("+")):
            # Not every note alike: louder on the beat, chords spread by a few milliseconds.
            accent = 10 if beat == int(beat) else 0
            notes.append((beat + 0.012 * i, pitch(name), beats * 0.95, velocity + accent - 4 * i))
        beat += beats
    return notes


def drums(bars, beats_per_bar):
    """One string for each drum and bar; a character is a sixteenth: `x` hit, `o` soft, `.` none."""
    notes = []
    for bar, pattern in enumerate(bars):
        for drum, steps in pattern.items():
            for i, step in enumerate(steps):
                if step != ".":
                    beat = bar * beats_per_bar + i / 4
                    notes.append((beat, drum, 0.2, 104 if step == "x" else 62))
    return notes


def variable_length(value):
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, value & 0x7F | 0x80)
    return bytes(out)


def midi(program, beats_per_minute, notes, pan):
    """A standard MIDI file of one track."""
    channel = 9 if program == DRUMS else 0
    events = [(0, bytes([0xB0 | channel, 10, pan]))]
    if program != DRUMS:
        events.append((0, bytes([0xC0 | channel, program])))
    for beat, key, beats, velocity in notes:
        on, off = round(beat * TICKS_PER_BEAT), round((beat + beats) * TICKS_PER_BEAT)
        events.append((on, bytes([0x90 | channel, key, min(velocity, 127)])))
        events.append((off, bytes([0x80 | channel, key, 0])))
    events.sort(key=lambda event: event[0])
    microseconds = round(60e6 / beats_per_minute)
    body = b"\x00\xff\x51\x03" + microseconds.to_bytes(3, "big")
    tick = 0
    for at, message in events:
        body += variable_length(at - tick) + message
        tick = at
    body += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_BEAT)
    return header + b"MTrk" + struct.pack(">I", len(body)) + body


def render(piece, name, program, beats_per_minute, notes, channels=1, pan=64):
    with tempfile.TemporaryDirectory() as folder:
        score, wav, cut = (pathlib.Path(folder) / f for f in ("a.mid", "a.wav", "b.wav"))
        score.write_bytes(midi(program, beats_per_minute, notes, pan))
        synth = ["fluidsynth", "-ni", "-q", "-r", "48000", "-g", "0.9", "-R", "1", "-C", "0"]
        subprocess.run([*synth, "-F", wav, SOUNDFONT, score], check=True)
        # A peak of -6 dB leaves room for two musicians at once.
        effects = ["remix", "1v0.5,2v0.5"] if channels == 1 else []
        effects += ["pad", "0", str(SECONDS), "trim", "0", str(SECONDS)]
        effects += ["fade", "t", "0", str(SECONDS), "0.05", "norm", "-6"]
        subprocess.run(["sox", "-D", wav, "-b", "16", cut, *effects], check=True)
        flac = HERE / f"{piece}-{name}.flac"
        subprocess.run(["flac", "-8", "-s", "-f", "--no-padding", "-o", flac, cut], check=True)
        print(f"{flac.name}: {flac.stat().st_size} bytes")


def late_bus():
    """A shuffle in g minor, 132 beats per minute: piano, bass, drums."""
    render("late-bus", "piano", 0, 132, line(0, """
        g3+bb3+d4+f4/1 d5/0.67 c5/0.33 bb4/0.67 g4/0.33 f4/0.67 g4/0.33
        c4+eb4+g4+bb4/1.67 c5/0.33 eb5/0.67 d5/0.33 c5/0.67 bb4/0.33
        g3+bb3+d4+f4/0.67 a4/0.33 bb4/0.67 d5/0.33 f5/0.67 e5/0.33 eb5/0.67 d5/0.33
        d4+f#4+a4+c5/1.5 a4/0.5 f#4/0.67 eb4/0.33 d4/0.67 c4/0.33
        eb4+g4+bb4+d5/1 f5/0.67 eb5/0.33 d5/0.67 bb4/0.33 c5+g4/1
        g3+bb3+d4+a4/1.67 f4/0.33 g4+bb4/2"""))
    render("late-bus", "bass", 32, 132, line(0, """
        g1/1 bb1/1 d2/1 c#2/1 c2/1 eb2/1 g2/1 f#2/0.67 f2/0.33
        g2/1 f2/1 d2/1 bb1/1 a1/0.67 c2/0.33 d2/1 f#2/1 a1/1
        eb2/1 d2/1 c2/1 a1/0.67 f#1/0.33 g1/1 d2/1 f2/1 g1/1""", 100))
    render("late-bus", "drums", DRUMS, 132, drums([
        {KICK: "x.....x.x.......", SNARE: "....x..o....x...", RIDE: "x..xx..xx..xx..x"},
        {KICK: "x..x....x.....x.", SNARE: "....x.......x..o", RIDE: "x.x.x..xx..xx.x."},
        {KICK: "x.......x..x....", SNARE: "....x..o.o..x...", HAT: "x..xx..xx..xx..x"},
        {KICK: "x.x.....x.......", SNARE: "....x.......x.xx", RIDE: "x..xx.xxx..x...."},
        {KICK: "x.....x...x.....", SNARE: "....x.o.....x...", CRASH: "x...............",
         HAT: "..x.x..xx..xx..x"},
        {KICK: "x...x...x.......", TOM_HIGH: "..x..x..........", TOM_LOW: ".......x..x.....",
         SNARE: "............x.xx", HAT: "x...x...x...x..."}], 4))


def harbor():
    """A slow waltz in d minor, 96 beats per minute: strings, oboe, harp."""
    render("harbor", "strings", 48, 96, line(0, """
        d3+a3+f4/3 bb2+f3+d4/3 g2+d3+bb3/1.5 a2+e3+c#4/1.5 d3+f3+a3/3 c3+g3+e4/3""", 88))
    render("harbor", "oboe", 68, 96, line(0, """
        a4/1 d5/1.5 e5/0.5 f5/1.5 e5/0.5 d5/0.5 bb4/0.5 g4/0.75 a4/0.25 bb4/0.5 a4/1
        g4/0.5 f4/1 e4/0.5 f4/0.5 a4/1 c5/1.5 bb4/0.5 g4/1.25""", 96))
    render("harbor", "harp", 46, 96, line(0, """
        d3/0.5 a3/0.5 d4/0.5 f4/0.5 a4/0.5 f4/0.5 bb2/0.5 f3/0.5 bb3/0.5 d4/0.5 f4/0.5 d5/0.5
        g2/0.5 d3/0.5 bb3/0.5 a2/0.5 e3/0.5 c#4/0.5 d3/0.5 f3/0.5 a3/0.5 d4/0.5 a3/0.5 f4/0.5
        c3/0.5 e3/0.5 g3/0.5 c4/0.5 e4/0.5 g4/0.5 c5/1""", 100))


def seven_stairs():
    """Seven beats to the bar, 160 beats per minute: clean guitar, slap bass, stereo vibraphone."""
    render("seven-stairs", "guitar", 27, 160, line(0, """
        e3+b3+g4/0.5 -/0.25 e4/0.25 b3/0.5 a3/0.5 c4+e4/1 b3/0.5 g3/0.5 a3+d4+f#4/1 e4/0.5 d4/1.5
        c3+g3+e4/1 d4/0.5 b3/0.5 c4/0.5 e4/0.5 g4+b3/0.75 f#4/0.25 e4/1 b3+e4/1 a3/1
        a3+c4+e4/0.5 g4/0.5 a4/0.5 e4/0.5 c4+d4/1 b3/0.25 c4/0.25 d4/0.5 f#4/1 a4/1 g4/1
        b3+d#4+f#4/1.5 a4/0.5 g4/0.5 f#4/0.5 d#4/1 b3/0.5 c4/0.5 b3+e4+g4/2""", 100))
    render("seven-stairs", "bass", 36, 160, line(0, """
        e1/0.5 e2/0.5 -/0.25 d2/0.25 e1/0.5 g1/1 a1/0.5 b1/0.5 d2/1 c2/0.5 a1/0.5 b1/1
        c2/0.75 c3/0.25 g1/1 e1/0.5 f#1/0.5 g1/1 b1/0.5 e2/0.5 b1/1 a1/0.5 g1/0.5
        a1/0.5 a2/0.5 e2/0.5 c2/0.5 d2/1 f#1/0.5 g1/0.5 a1/1 c2/1 d2/1
        b1/0.5 b2/0.5 f#2/0.5 a2/0.5 d#2/1 b1/0.5 a1/0.5 e1/1 e2/0.5 b1/0.5 e1/1""", 104))
    vibraphone = line(0, """
        b4+e5/1.5 g5/0.5 f#5/1 d5/1 a4/0.5 c5/0.5 b4/2 g4+c5+e5/2 d5/0.5 e5/0.5 g5/1 b5/1.5 a5/0.5
        e5+c5/1 a4/1 d5+f#5/1.5 e5/0.5 c5/1 a4+d5/2 f#5+b4/1 d#5/0.5 c5/0.5 b4+a5/2 g5+e5+b4/3""")
    render("seven-stairs", "vibraphone", 11, 160, vibraphone, channels=2, pan=96)


late_bus()
harbor()
seven_stairs()
