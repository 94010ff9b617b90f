//! Stems, as an app records them.

use protocol::time::RoomTime;
use takes::stem::{Header, Writer};
use takes::{StemId, TakeId};

/// The beginning of every take here.
pub(crate) const START: RoomTime = RoomTime::from_ns(1_790_000_000_000_000_000);

/// So many seconds of soft noise: about 110 kB each.
pub(crate) fn record(take: TakeId, stem: StemId, name: &str, seconds: u32) -> Vec<u8> {
    let header =
        Header { take, stem, participant: name.to_owned(), label: "mic".to_owned(), channels: 1 };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&header, &mut bytes).expect("a good header");
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, _, high, top] = state.to_le_bytes();
        f32::from(i16::from_le_bytes([high, top])) / 4_194_304.0
    };
    // Clock readings belong to a run that has begun.
    writer.begin_run(&mut bytes);
    for second in 0..u64::from(seconds) {
        let frames: Vec<f32> = (0..48_000).map(|_| noise()).collect();
        let at = START.plus_ns(i64::try_from(second).expect("short") * 1_000_000_000);
        writer.clock(second * 48_000, at, 1_000, 50_000, 0, &mut bytes);
        writer.audio(second * 48_000, &frames, &mut bytes);
    }
    writer.end(&mut bytes);
    bytes
}

/// A name out of one number.
pub(crate) fn take_id(number: u8) -> TakeId {
    TakeId::from_bytes([number; 16])
}

/// A name out of one number.
pub(crate) fn stem_id(number: u8) -> StemId {
    StemId::from_bytes([0xa0 + number; 16])
}
