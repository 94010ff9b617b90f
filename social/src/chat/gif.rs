//! What moves in a message: its name at the service that has it, and nothing else.

use super::view::GifBody;
use crate::limits::GIF_ID_CHARS_MAX;
use crate::problem::Problem;
use crate::store::Gif;

/// What somebody sends that moves, checked.
pub(super) fn gif(given: GifBody) -> Result<Gif, Problem> {
    let GifBody { provider, id } = given;
    if provider != GIPHY {
        return Err(Problem::invalid("gif", "the provider is `giphy`; no other is known here"));
    }
    let is_id = (1..=GIF_ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id {
        let text = format!("its id has 1 to {GIF_ID_CHARS_MAX} letters and digits");
        return Err(Problem::invalid("gif", text));
    }
    Ok(Gif { provider, id })
}

/// The one service that is known.
const GIPHY: &str = "giphy";
