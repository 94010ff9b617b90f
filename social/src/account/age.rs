//! The first question of every sign-up: when somebody was born.
//!
//! Whoever is too young for an account is refused, and so is who asks again on the same device, where
//! a second answer would be a lie; nothing is kept of them but a keyed hash of a random number that
//! the device carries. What surprises: neither the question nor the refusal says where the line is,
//! and no way of signing up goes round it: each asks for what this step gave, by [`Passed::check`].

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Social;
use crate::clock::UnixMs;
use crate::http::Caller;
use crate::http::cookie::Cookie;
use crate::http::extract::Json;
use crate::limits::{AGE_REFUSAL_LIFE, AGE_TOKEN_LIFE, AGE_YEARS_MAX};
use crate::problem::{Problem, ProblemCode};
use crate::secret::{Hash, Purpose, ServerKey, Token, hex, unhex};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(answer_age))
}

/// When somebody was born.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BirthDate {
    /// Year, month and day.
    #[schema(format = "date", pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "1990-05-17")]
    born: String,
}

/// What a sign-up begins with.
#[derive(Debug, Serialize, ToSchema)]
struct AgeAnswer {
    /// Goes into the sign-up, from the same device.
    age_token: String,
    /// Until when it holds.
    expires_at: UnixMs,
}

/// Asks for the birth date, before anything else.
///
/// The answer carries the device's token: as a cookie, and as the header `vjam-device` for apps, which
/// send it along from then on.
#[utoipa::path(
    post, path = "/api/v1/social/age", tag = "sign-up", request_body = BirthDate,
    responses((status = 200, description = "The sign-up can go on", body = AgeAnswer))
)]
async fn answer_age(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Json(BirthDate { born }): Json<BirthDate>,
) -> Result<Response, Problem> {
    social.rates().age_by_address(&caller)?;
    let now = social.now();
    let is_old_enough = is_old_enough(&born, now)?;
    let device = caller.device.unwrap_or_else(Token::fresh);
    let device_hash = social.device_hash(&device);
    let is_refused = social.db().read().await?.is_refused_device(&device_hash, now).await?;
    let answer = if is_refused {
        Err(refused())
    } else if is_old_enough {
        let expires_at = now.after(AGE_TOKEN_LIFE);
        let passed = Passed { device_hash, expires_at };
        Ok(Json(AgeAnswer { age_token: passed.token(social.key()), expires_at }))
    } else {
        let mut tx = social.db().begin().await?;
        tx.refuse_device(&device_hash, now.after(AGE_REFUSAL_LIFE)).await?;
        // With the address and the name that they gave before, as if they had been asked first.
        tx.remove_sign_ups_of_device(&device_hash).await?;
        tx.commit().await?;
        Err(refused())
    };
    let mut response = answer.into_response();
    tell_device(&mut response, &device, &headers);
    Ok(response)
}

/// That the birth date allowed an account, on which device, and how long it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passed {
    device_hash: Hash,
    expires_at: UnixMs,
}

impl Passed {
    /// Asks for it, as every way of signing up does; the device's hash where it holds.
    pub(super) async fn check(
        social: &Social,
        token: &str,
        caller: &Caller,
    ) -> Result<Hash, Problem> {
        let again = || {
            let text = "the birth date has to be given first, and on this device; it counts for \
                        half an hour";
            Problem::invalid("age_token", text)
        };
        let now = social.now();
        let passed = Self::read(token, social.key()).ok_or_else(again)?;
        let device = caller.device.as_ref().ok_or_else(again)?;
        let device_hash = social.device_hash(device);
        if passed.expires_at <= now || passed.device_hash != device_hash {
            return Err(again());
        }
        // Somebody may have answered otherwise in another tab meanwhile.
        if social.db().read().await?.is_refused_device(&device_hash, now).await? {
            return Err(refused());
        }
        Ok(device_hash)
    }

    fn token(&self, key: &ServerKey) -> String {
        let mut bytes = self.expires_at.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.device_hash);
        let mac = key.keyed_hash(Purpose::Age, &bytes);
        bytes.extend_from_slice(&mac);
        hex(&bytes)
    }

    fn read(token: &str, key: &ServerKey) -> Option<Self> {
        let bytes = unhex(token)?;
        let (said, mac) = bytes.split_at_checked(SAID_BYTES)?;
        if !key.is_hash(Purpose::Age, said, mac) {
            return None;
        }
        let (expires_at, device_hash) = said.split_at(8);
        let expires_at = UnixMs(i64::from_be_bytes(expires_at.try_into().ok()?));
        Some(Self { device_hash: device_hash.try_into().ok()?, expires_at })
    }
}

/// Gives a device its token, as a cookie and as a header.
pub(super) fn tell_device(response: &mut Response, device: &Token, request: &HeaderMap) {
    let cookie = Cookie::Device.write(device, DEVICE_SECONDS, request);
    let header = HeaderValue::from_str(&device.text()).expect("a token is letters and digits");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response.headers_mut().insert(HeaderName::from_static(crate::http::DEVICE_HEADER), header);
}

pub(super) fn refused() -> Problem {
    // Neither an age nor a word of why: the next answer would be made to fit.
    let text = "an account cannot be made on this device; rooms can be joined by their links";
    Problem::new(ProblemCode::SignUpRefused, text)
}

/// Whether somebody who was born then may have an account.
fn is_old_enough(born: &str, now: UnixMs) -> Result<bool, Problem> {
    let wrong = || Problem::invalid("born", "give the date of birth, as in 1990-05-17");
    let (year, month, day) = date(born).ok_or_else(wrong)?;
    let today = now.date();
    if (year, month, day) > today || year < today.0 - AGE_YEARS_MAX {
        return Err(wrong());
    }
    // Whoever was born on 29 February has their birthday on 1 March of other years.
    let had_birthday = (month, day) <= (today.1, today.2);
    let years = today.0 - year - i64::from(!had_birthday);
    Ok(AGE_YEARS_MIN <= years)
}

fn date(text: &str) -> Option<(i64, u8, u8)> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let lengths = (year.len(), month.len(), day.len()) == (4, 2, 2);
    if !lengths || ![year, month, day].into_iter().all(digits) {
        return None;
    }
    let (year, month, day): (i64, u8, u8) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap),
        _ => return None,
    };
    (1..=last).contains(&day).then_some((year, month, day))
}

/// Years that somebody must be old to have an account.
const AGE_YEARS_MIN: i64 = 13;

/// Bytes of what a token says: until when, and of which device.
const SAID_BYTES: usize = 8 + 32;

/// How long a browser keeps a device's token.
const DEVICE_SECONDS: u64 = 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    /// 28 November 2026.
    const NOW: UnixMs = UnixMs(1_795_867_200_000);

    #[test]
    fn birthdays_decide() {
        assert_eq!(NOW.date(), (2026, 11, 28));
        for (born, old_enough) in [
            ("2013-11-28", true),
            ("2013-11-29", false),
            ("2013-12-01", false),
            ("2014-01-01", false),
            ("1990-05-17", true),
            ("2026-11-28", false),
            ("2012-02-29", true),
        ] {
            assert_eq!(is_old_enough(born, NOW), Ok(old_enough), "{born}");
        }
        // 28 February and 1 March 2025, of somebody born on 29 February 2012.
        assert_eq!(is_old_enough("2012-02-29", UnixMs(1_740_700_800_000)), Ok(false));
        assert_eq!(is_old_enough("2012-02-29", UnixMs(1_740_787_200_000)), Ok(true));
    }

    #[test]
    fn what_is_no_date_of_birth_is_refused() {
        for wrong in [
            "",
            "1990",
            "1990-5-17",
            "17.05.1990",
            "1990-13-01",
            "1990-00-10",
            "2013-02-29",
            "1990-04-31",
            "2026-11-29",
            "1890-01-01",
            "+990-05-17",
            "1990-05-17 ",
        ] {
            assert!(is_old_enough(wrong, NOW).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_holds_as_it_was_given_only() {
        let key = ServerKey::new([3; 32]);
        let passed = Passed { device_hash: [9; 32], expires_at: NOW };
        let token = passed.token(&key);
        assert_eq!(Passed::read(&token, &key), Some(passed));
        assert_eq!(Passed::read(&token, &ServerKey::new([4; 32])), None);
        let changed = token.replacen("09", "08", 1);
        for wrong in ["", "00", &token[2..], &changed] {
            assert_eq!(Passed::read(wrong, &key), None, "{wrong}");
        }
    }
}
