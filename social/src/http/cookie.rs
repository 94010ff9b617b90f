//! The cookies: of a session, of a device, and of a browser that signs in with a provider.
//!
//! Pages cannot read them (`HttpOnly`), other sites cannot make a browser send them along with what
//! changes something (`SameSite=Lax`), and where the page came over https they travel over https
//! only. Apps that are no browsers carry the same tokens in headers.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::secret::Token;

/// Whose token the cookie holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// A session's.
    Session,
    /// A device's: it tells nothing but that it is the same one.
    Device,
    /// Of a browser on its way to a provider and back.
    Flow,
    /// Whom a provider vouches for, until they have an account: a text that only this server reads.
    Ticket,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "vjam_session",
            Self::Device => "vjam_device",
            Self::Flow => "vjam_flow",
            Self::Ticket => "vjam_ticket",
        }
    }

    /// The token of this cookie in a request, if there is one. Of several, none is believed.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<Token> {
        Token::parse(&self.read_text(headers)?)
    }

    /// The text of this cookie. Of several, none is believed.
    pub(crate) fn read_text(self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(name, _)| name.trim() == self.name());
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value.trim().to_owned()),
            _ => None,
        }
    }

    /// The header that gives a browser this cookie for so many seconds, with a text in base64url.
    pub(crate) fn write_text(self, text: &str, seconds: u64, headers: &HeaderMap) -> HeaderValue {
        self.header(text, seconds, headers)
    }

    /// The header that gives a browser this cookie for so many seconds.
    #[must_use]
    pub fn write(self, token: &Token, seconds: u64, headers: &HeaderMap) -> HeaderValue {
        self.header(&token.text(), seconds, headers)
    }

    /// The header that takes it away.
    #[must_use]
    pub fn remove(self, headers: &HeaderMap) -> HeaderValue {
        self.header("", 0, headers)
    }

    fn header(self, value: &str, seconds: u64, headers: &HeaderMap) -> HeaderValue {
        let name = self.name();
        let secure = if came_over_https(headers) { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).expect("a token is made of letters and digits")
    }
}

/// Whether the page that asks came over https: this server speaks plain HTTP behind a proxy. Who
/// says so wrongly harms nobody but themselves.
fn came_over_https(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN.as_str()).is_some_and(|origin| origin.starts_with("https://"));
    origin || text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_where_there_is_one_of_it() {
        let token = Token::fresh();
        let text = token.text();
        for (line, there) in [
            (format!("vjam_session={text}"), true),
            (format!("a=b; vjam_session={text} ;c=d"), true),
            (format!("vjam_session={text}; vjam_session={text}"), false),
            (format!("xvjam_session={text}"), false),
            (format!("vjam_device={text}"), false),
            ("vjam_session=short".to_owned(), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(&line).expect("a header"));
            assert_eq!(Cookie::Session.read(&headers).is_some(), there, "{line}");
        }
    }

    #[test]
    fn a_cookie_is_for_https_only_where_the_page_came_that_way() {
        let written = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            let header = Cookie::Session.write(&Token::fresh(), 60, &headers);
            header.to_str().expect("text").to_owned()
        };
        for (name, value, secure) in [
            ("origin", "https://jam.example", true),
            ("origin", "http://127.0.0.1:7880", false),
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-proto", "http", false),
        ] {
            let text = written(name, value);
            assert_eq!(text.contains("; Secure"), secure, "{text}");
            assert!(text.contains("; HttpOnly; SameSite=Lax"), "{text}");
        }
    }
}
