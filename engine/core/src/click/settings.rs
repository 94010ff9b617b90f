//! How whoever leads a click sets it: when it begins, and from which bar on it is another.
//!
//! What surprises: the leader's app lays the moments out, and nobody else decides anything. A change is a
//! segment more, at the first bar that everybody still hears of in time.

use protocol::room_state::{BeatStrength, ClickSegment, room_us};
use protocol::time::RoomTime;

use super::Click;

/// A tempo and a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickSettings {
    /// Beats in a minute, times 1000.
    pub tempo_millibpm: u32,
    /// What note a beat is: 4 for a quarter.
    pub unit: u8,
    /// A bar, beat by beat.
    pub beats: Vec<BeatStrength>,
}

impl ClickSettings {
    /// So many beats in a minute and in a bar, the first of each bar accented.
    #[must_use]
    pub fn new(tempo_millibpm: u32, beats: usize) -> Self {
        let strength = |beat| if beat == 0 { BeatStrength::Accent } else { BeatStrength::Normal };
        Self { tempo_millibpm, unit: 4, beats: (0..beats).map(strength).collect() }
    }

    /// A click that begins in a moment, so many bars counted in before the first.
    #[must_use]
    pub fn begin(self, now: RoomTime, count_in_bars: u8) -> Vec<ClickSegment> {
        vec![self.segment(now.plus_ns(BEGIN_NS), 1 - i32::from(count_in_bars))]
    }

    /// The same click from the next bar on with these settings; one that begins where there is none.
    #[must_use]
    pub fn change(self, segments: &[ClickSegment], now: RoomTime) -> Vec<ClickSegment> {
        let heard_by = now.plus_ns(CHANGE_NS);
        // What would have begun later than this change is not wanted any more.
        let begun = segments.iter().filter(|segment| segment.start_us <= room_us(heard_by));
        let mut kept: Vec<_> = begun.cloned().collect();
        let bar = Click::new(&kept).ok().and_then(|click| click.next_bar(heard_by));
        let Some(bar) = bar else {
            // It has not begun: it begins as laid out, but like this.
            return match segments.first() {
                Some(first) => vec![ClickSegment {
                    tempo_millibpm: self.tempo_millibpm,
                    unit: self.unit,
                    beats: self.beats,
                    ..first.clone()
                }],
                None => self.begin(now, 0),
            };
        };
        // Of those that have begun, only the one that is played now and what follows is of use.
        let played = kept.iter().rposition(|segment| segment.start_us <= room_us(now)).unwrap_or(0);
        kept.drain(..played);
        // One whose first bar is this very bar is replaced by it.
        kept.retain(|segment| segment.start_us < room_us(bar.at));
        kept.push(self.segment(bar.at, bar.bar));
        let beyond = kept.len().saturating_sub(protocol::limits::CLICK_SEGMENTS_MAX);
        kept.drain(..beyond);
        kept
    }

    fn segment(self, at: RoomTime, bar: i32) -> ClickSegment {
        let Self { tempo_millibpm, unit, beats } = self;
        ClickSegment { start_us: room_us(at), bar, tempo_millibpm, unit, beats }
    }
}

/// What a message may take to everybody: half a second, and 0.3 s where the click runs already.
const BEGIN_NS: i64 = 500_000_000;
const CHANGE_NS: i64 = 300_000_000;

#[cfg(test)]
mod tests {
    use protocol::room_state::room_time;

    use super::*;

    const NOW_US: i64 = 1_790_000_000_000_000;

    fn after_ms(ms: i64) -> RoomTime {
        room_time(NOW_US + ms * 1000)
    }

    /// (milliseconds after, bar, tempo) of each segment.
    fn laid_out(segments: &[ClickSegment]) -> Vec<(i64, i32, u32)> {
        let told =
            |s: &ClickSegment| ((s.start_us - NOW_US) / 1000, s.bar, s.tempo_millibpm / 1000);
        segments.iter().map(told).collect()
    }

    #[test]
    fn a_change_waits_for_the_bar_that_everybody_hears_of_in_time() {
        let begun = ClickSettings::new(120_000, 4).begin(after_ms(0), 1);
        assert_eq!(laid_out(&begun), [(500, 0, 120)]);
        // Bars are at 500, 2500, 4500.
        let change = |tempo: u32, beats, segments: &[ClickSegment], ms| {
            ClickSettings::new(tempo * 1000, beats).change(segments, after_ms(ms))
        };
        let faster = change(150, 3, &begun, 2_100);
        assert_eq!(laid_out(&faster), [(500, 0, 120), (2500, 1, 150)]);
        let later = change(150, 3, &begun, 2_300);
        assert_eq!(laid_out(&later), [(500, 0, 120), (4500, 2, 150)]);
        // Once more before it holds: what was wanted first is never played.
        assert_eq!(laid_out(&change(60, 2, &later, 2_400)), [(500, 0, 120), (4500, 2, 60)]);
        // Long after, the first segment is of no use any more. Bars are at 4500 and each 1200 then.
        assert_eq!(laid_out(&change(60, 2, &later, 6_000)), [(4500, 2, 150), (6900, 4, 60)]);
        let click = Click::new(&change(60, 2, &later, 6_000)).expect("a click");
        assert_eq!(click.next_bar(after_ms(6_800)).map(|beat| beat.bar), Some(4));
    }

    #[test]
    fn a_click_that_has_not_begun_begins_as_it_was_laid_out() {
        let begun = ClickSettings::new(120_000, 4).begin(after_ms(0), 2);
        let changed = ClickSettings::new(90_000, 3).change(&begun, after_ms(100));
        assert_eq!(laid_out(&changed), [(500, -1, 90)]);
        assert_eq!(changed[0].beats.len(), 3);
        assert_eq!(
            laid_out(&ClickSettings::new(90_000, 3).change(&[], after_ms(0))),
            [(500, 1, 90)]
        );
    }

    #[test]
    fn however_often_it_is_changed_it_can_be_told() {
        let mut segments = ClickSettings::new(400_000, 1).begin(after_ms(0), 0);
        for step in 0..200_u32 {
            let tempo = 60_000 + 1_700 * step;
            segments = ClickSettings::new(tempo, 1 + (step % 16) as usize)
                .change(&segments, after_ms(600 + 150 * i64::from(step)));
            Click::new(&segments).expect("at most four, in order");
        }
    }
}
