//! A mail server that keeps what it is given, as small as one can be.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Whom the envelope names.
    pub(crate) to: String,
    /// Head and body, decoded.
    pub(crate) subject: String,
    /// The text.
    pub(crate) body: String,
    /// What names it.
    pub(crate) message_id: String,
}

impl Received {
    /// The code that stands in it.
    pub(crate) fn code(&self) -> String {
        let line = self.body.lines().map(str::trim).find(|line| {
            line.len() == 9 && line.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
        });
        line.unwrap_or_else(|| panic!("a code in {:?}", self.body)).to_owned()
    }
}

/// The server. What it is told to answer instead of taking a mail, it answers once for each mail.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    /// Its URL.
    pub(crate) url: String,
    mails: Arc<Mutex<Vec<Received>>>,
    refuse: Arc<Mutex<Option<&'static str>>>,
    greeting: Arc<Mutex<Option<&'static str>>>,
    silent: Arc<AtomicBool>,
    /// Connections that were accepted.
    accepted: Arc<AtomicUsize>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let sink = Self {
            url,
            mails: Arc::default(),
            refuse: Arc::default(),
            greeting: Arc::default(),
            silent: Arc::default(),
            accepted: Arc::default(),
        };
        let served = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        sink
    }

    /// What arrived, the oldest first, and nothing of it again.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.mails.lock().expect("not poisoned"))
    }

    /// The one mail that arrived.
    pub(crate) fn take_one(&self) -> Received {
        let mut mails = self.take();
        assert_eq!(mails.len(), 1, "{mails:#?}");
        mails.remove(0)
    }

    /// From now on, answers this to every recipient; or takes mails again.
    pub(crate) fn refuse(&self, with: Option<&'static str>) {
        *self.refuse.lock().expect("not poisoned") = with;
    }

    /// From now on, greets everybody so; or as usual again.
    pub(crate) fn greet(&self, with: Option<&'static str>) {
        *self.greeting.lock().expect("not poisoned") = with;
    }

    /// From now on, takes connections and says nothing; or speaks again.
    pub(crate) fn fall_silent(&self, is_silent: bool) {
        self.silent.store(is_silent, Ordering::SeqCst);
    }

    /// How many connections were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        self.accepted.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            // Until the other side hangs up.
            let mut line = String::new();
            while stream.read_line(&mut line).await.ok()? != 0 {}
            return None;
        }
        let greeting = self.greeting.lock().expect("not poisoned").unwrap_or("220 sink\r\n");
        stream.write_all(greeting.as_bytes()).await.ok()?;
        let mut to = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let answer: &str = match line.to_ascii_uppercase().get(..4)? {
                "EHLO" => "250-sink\r\n250 8BITMIME\r\n",
                "RCPT" => match *self.refuse.lock().expect("not poisoned") {
                    Some(refusal) => refusal,
                    None => {
                        to = line.split(['<', '>']).nth(1)?.to_owned();
                        "250 ok\r\n"
                    }
                },
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        if stream.read_line(&mut text).await.ok()? == 0 {
                            return None;
                        }
                    }
                    let received = parse(&text, &to);
                    self.mails.lock().expect("not poisoned").push(received);
                    "250 ok\r\n"
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

fn parse(text: &str, to: &str) -> Received {
    let text = text.strip_suffix(".\r\n").unwrap_or(text);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let head = head.replace("\r\n ", " ");
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned())
    };
    let encoding = header("content-transfer-encoding").unwrap_or_default();
    let body = match encoding.as_str() {
        "quoted-printable" => decode(&body.replace("=\r\n", ""), '='),
        "base64" => String::from_utf8(base64(body)).expect("UTF-8"),
        _ => body.to_owned(),
    };
    let subject = header("subject").expect("a subject");
    let subject = decode_words(&subject);
    let message_id = header("message-id").expect("an id");
    Received { to: to.to_owned(), subject, body: body.replace("\r\n", "\n"), message_id }
}

/// Words of a header that are not ASCII stand between `=?utf-8?b?` and `?=`; the space between two of
/// them does not count.
fn decode_words(text: &str) -> String {
    let mut decoded = String::new();
    let mut was_encoded = false;
    for word in text.split(' ') {
        let inner = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        let is_joined = was_encoded && inner.is_some();
        if !decoded.is_empty() && !is_joined {
            decoded.push(' ');
        }
        was_encoded = inner.is_some();
        match inner {
            Some(inner) => decoded += &String::from_utf8(base64(inner)).expect("UTF-8"),
            None => decoded += word,
        }
    }
    decoded
}

/// Quoted-printable: bytes as two digits behind a mark.
fn decode(text: &str, mark: char) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(mark) {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&behind[..2], 16).expect("two digits"));
        rest = &behind[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).expect("UTF-8")
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> =
        text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0u32, |bits, byte| (bits << 6) | u32::from(value(*byte)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
