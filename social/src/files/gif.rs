//! Leaves out of a GIF what is not to be seen: remarks, and what programs wrote for each other.
//!
//! A GIF is a chain of blocks, each of which says how long it is, so nothing is decoded.

/// The same GIF without them; none where it is none.
pub(super) fn without_remarks(all: &[u8]) -> Option<Vec<u8>> {
    let mut rest = all;
    let mut kept = Vec::with_capacity(all.len());
    let head = take(&mut rest, HEADER_BYTES)?;
    if !head.starts_with(b"GIF8") {
        return None;
    }
    kept.extend_from_slice(head);
    kept.extend_from_slice(take(&mut rest, color_table_bytes(head[10]))?);
    loop {
        let before = rest;
        match take(&mut rest, 1)?[0] {
            IMAGE => {
                let about = take(&mut rest, 9)?;
                take(&mut rest, color_table_bytes(about[8]))?;
                // How many bits its codes begin with.
                take(&mut rest, 1)?;
                take_chain(&mut rest)?;
                kept.extend_from_slice(passed(before, rest));
            }
            EXTENSION => {
                let label = take(&mut rest, 1)?[0];
                let chain = take_chain(&mut rest)?;
                // How often it is repeated is the one thing that programs say which is seen.
                let repeats = label == APPLICATION && chain.starts_with(b"\x0bNETSCAPE2.0\x03\x01");
                if label == CONTROL || label == TEXT || repeats {
                    kept.extend_from_slice(passed(before, rest));
                }
            }
            END => {
                // What comes behind is none of the picture.
                kept.push(END);
                return Some(kept);
            }
            _ => return None,
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// Pieces that each begin with their length, up to one of none.
fn take_chain<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let before = *rest;
    loop {
        let length = take(rest, 1)?[0];
        if length == 0 {
            return Some(passed(before, rest));
        }
        take(rest, length.into())?;
    }
}

fn passed<'a>(before: &'a [u8], rest: &[u8]) -> &'a [u8] {
    &before[..before.len() - rest.len()]
}

/// Three bytes for each color, where there is a table.
const fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

const HEADER_BYTES: usize = 13;
const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const END: u8 = 0x3b;
const CONTROL: u8 = 0xf9;
const TEXT: u8 = 0x01;
const APPLICATION: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_and_what_is_behind_the_end_are_left_out_and_frames_are_not() {
        let header = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0".as_slice();
        let repeats = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0".as_slice();
        let control = b"\x21\xf9\x04\0\0\0\0\0".as_slice();
        let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0".as_slice();
        let remark = b"\x21\xfe\x08canary!!\0".as_slice();
        let program = b"\x21\xff\x0bXMP DataXMP\x06canary\0".as_slice();
        let all = [header, repeats, remark, control, frame, program, frame, b"\x3bcanary"].concat();
        let kept = [header, repeats, control, frame, frame, b"\x3b"].concat();
        assert_eq!(without_remarks(&all), Some(kept));
        for cut in 0..all.len() - b"\x3bcanary".len() {
            assert_eq!(without_remarks(&all[..cut]), None, "{cut}");
        }
    }
}
