//! What mails say, in each language: a file for each, of which more can be added.
//!
//! A file begins with `name:`, what the language calls itself. Then, for each mail, a line
//! `== mail`, a line `subject:`, and its text. Words in braces are put in when it is sent. A file that
//! lacks a mail, or has a word in braces that this mail does not know, is refused at the start: nobody
//! should learn of it from a mail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::limits::TEMPLATES_BYTES_MAX;

/// Makes the mails: the word, and what can be put in.
macro_rules! templates {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $fields:expr;)*) => {
        /// What a mail says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Template {
            $($(#[$meta])* $name,)*
        }

        impl Template {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it stands in the files and in the database.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What its text must hold in braces.
            const fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$name => $fields,)* }
            }
        }
    };
}

templates! {
    /// The code of a sign-up.
    VerifyEmail = "verify_email", &["code", "minutes"];
    /// Somebody signs up with an address, or wants it, that has an account.
    AlreadyRegistered = "already_registered", &["username"];
    /// The code of a password reset.
    ResetPassword = "reset_password", &["code", "minutes", "username"];
    /// The code for another address, sent to that one.
    ChangeEmail = "change_email", &["code", "minutes"];
    /// Somebody asked for another address: an alert to the one that holds.
    EmailChangeAsked = "email_change_asked", &["username"];
    /// The account has another address: an alert to the one before.
    EmailChanged = "email_changed", &["username"];
    /// The password was changed: an alert.
    PasswordChanged = "password_changed", &["username"];
    /// Somebody signed in from another device: an alert.
    NewDevice = "new_device", &["username"];
    /// The page about privacy will say something else.
    PolicyChanged = "policy_changed", &["date", "username"];
    /// The account is suspended for a while: an alert.
    Suspended = "suspended", &["username", "reason", "until"];
    /// The account is suspended without end: an alert.
    SuspendedForGood = "suspended_for_good", &["username", "reason"];
    /// The account is frozen, and will be erased: an alert.
    Frozen = "frozen", &[];
    /// The account is to be erased: an alert.
    ErasureAsked = "erasure_asked", &["username", "date"];
    /// The account is not to be erased after all: an alert.
    ErasureCancelled = "erasure_cancelled", &["username"];
    /// Another sign-in lets its owner in: an alert.
    IdentityLinked = "identity_linked", &["username"];
    /// A sign-in lets nobody in any more: an alert.
    IdentityUnlinked = "identity_unlinked", &["username"];
    /// A provider says that it is over, so the sign-in with it lets nobody in any more: an alert.
    IdentityOver = "identity_over", &["username"];
    /// The providers of an account that is to be erased were told: what of whom.
    ProvidersTold = "providers_told", &["username", "told", "waiting", "theirs"];
    /// The account is kept in another region: an alert, from the server there.
    Moved = "moved", &["username", "region"];
    /// What is kept of the account can be fetched: an alert.
    ExportReady = "export_ready", &["username"];
}

impl Template {
    /// Whether it warns the owner of an account of who signs in to it, or has what is kept of them.
    #[must_use]
    pub const fn is_of_security(self) -> bool {
        match self {
            Self::EmailChangeAsked
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::NewDevice
            | Self::IdentityLinked
            | Self::IdentityUnlinked
            | Self::IdentityOver
            | Self::Moved
            | Self::ExportReady => true,
            Self::VerifyEmail
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::ChangeEmail
            | Self::PolicyChanged
            | Self::Suspended
            | Self::SuspendedForGood
            | Self::Frozen
            | Self::ErasureAsked
            | Self::ErasureCancelled
            | Self::ProvidersTold => false,
        }
    }
}

/// The mails of all languages.
#[derive(Debug, Clone)]
pub struct Templates(BTreeMap<String, Language>);

#[derive(Debug, Clone)]
struct Language {
    name: String,
    mails: BTreeMap<&'static str, Text>,
}

#[derive(Debug, Clone)]
struct Text {
    subject: String,
    body: String,
}

/// A file of templates is wrong.
#[derive(Debug, thiserror::Error)]
#[error("the mails of {file}: {reason}")]
pub struct WrongTemplates {
    /// Which file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Templates {
    /// Those that come with the program, and those in a folder, which win.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn read(folder: Option<&Path>) -> Result<Self, WrongTemplates> {
        let mut languages = BTreeMap::new();
        for (code, text) in BUILT_IN {
            languages.insert(code.to_owned(), parse(&format!("{code}.txt"), text)?);
        }
        for path in folder.map(files).transpose()?.unwrap_or_default() {
            let file = path.display().to_string();
            let wrong = |reason: String| WrongTemplates { file: file.clone(), reason };
            let code = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !is_language(code) {
                return Err(wrong("a file is named by its language, like fr.txt".into()));
            }
            let bytes = std::fs::metadata(&path).map_err(|error| wrong(error.to_string()))?.len();
            if TEMPLATES_BYTES_MAX < bytes {
                return Err(wrong(format!("it has more than {TEMPLATES_BYTES_MAX} bytes")));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
            languages.insert(code.to_owned(), parse(&file, &text)?);
        }
        Ok(Self(languages))
    }

    /// The language that is nearest to the one that somebody asked for, like `de-AT`.
    #[must_use]
    pub fn nearest(&self, asked: &str) -> &str {
        let asked = asked.to_lowercase();
        let main = asked.split(['-', '_']).next().unwrap_or_default();
        let known = self.0.get_key_value(asked.as_str()).or_else(|| self.0.get_key_value(main));
        known.map_or(FALLBACK, |(code, _)| code)
    }

    /// The languages that there are.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a language calls itself.
    #[must_use]
    pub fn name(&self, language: &str) -> Option<&str> {
        self.0.get(language).map(|language| language.name.as_str())
    }

    /// Subject and text of a mail, with the words in braces put in.
    #[must_use]
    pub fn write(
        &self,
        template: &str,
        language: &str,
        values: &[(&str, &str)],
    ) -> Option<(String, String)> {
        let language = self.0.get(self.nearest(language))?;
        let Text { subject, body } = language.mails.get(template)?;
        Some((fill(subject, values), fill(body, values)))
    }
}

/// In one pass: a value that holds braces puts nothing in.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        let value = values.iter().find(|(name, _)| *name == field);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, WrongTemplates> {
    let wrong = |error: std::io::Error| WrongTemplates {
        file: folder.display().to_string(),
        reason: error.to_string(),
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    Ok(paths)
}

fn is_language(code: &str) -> bool {
    let letters = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    letters && (2..=12).contains(&code.len())
}

fn parse(file: &str, text: &str) -> Result<Language, WrongTemplates> {
    let wrong = |reason: String| WrongTemplates { file: file.to_owned(), reason };
    let mut sections = text.split("\n== ");
    let head = sections.next().unwrap_or_default();
    let name = head.lines().find_map(|line| line.strip_prefix("name:"));
    let name = name.ok_or_else(|| wrong("it does not begin with `name:`".into()))?;
    let mut mails = BTreeMap::new();
    for section in sections {
        let (word, rest) = section.split_once('\n').unwrap_or((section, ""));
        let known = Template::ALL.iter().find(|template| template.word() == word.trim());
        let template = known.ok_or_else(|| wrong(format!("there is no mail `{word}`")))?;
        let (subject, body) = rest.split_once('\n').unwrap_or((rest, ""));
        let subject = subject.strip_prefix("subject:").map(str::trim).unwrap_or_default();
        let body = body.trim();
        if subject.is_empty() || body.is_empty() {
            return Err(wrong(format!("`{word}` needs a line `subject:` and a text")));
        }
        for field in template.fields() {
            if !body.contains(&format!("{{{field}}}")) {
                return Err(wrong(format!("`{word}` does not hold {{{field}}}")));
            }
        }
        for field in [subject, body].into_iter().flat_map(|text| text.split('{').skip(1)) {
            let field = field.split('}').next().unwrap_or_default();
            if !template.fields().contains(&field) {
                return Err(wrong(format!("`{word}` holds {{{field}}}, which it does not know")));
            }
        }
        let text = Text { subject: subject.to_owned(), body: format!("{body}\n") };
        mails.insert(template.word(), text);
    }
    match Template::ALL.iter().find(|template| !mails.contains_key(template.word())) {
        Some(missing) => Err(wrong(format!("it lacks the mail `{}`", missing.word()))),
        None => Ok(Language { name: name.trim().to_owned(), mails }),
    }
}

/// The language of whoever asks for one that is not there.
const FALLBACK: &str = "en";

/// What comes with the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("en", include_str!("templates/en.txt")),
    ("de", include_str!("templates/de.txt")),
    ("tr", include_str!("templates/tr.txt")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_program_is_whole() {
        let templates = Templates::read(None).expect("good");
        assert_eq!(templates.languages().collect::<Vec<_>>(), ["de", "en", "tr"]);
        for language in ["de", "en", "tr"] {
            assert!(templates.name(language).is_some_and(|name| !name.is_empty()));
            for template in Template::ALL {
                let values = [
                    ("code", "1234 5678"),
                    ("minutes", "15"),
                    ("username", "ada"),
                    ("reason", "Noise"),
                    ("until", "2026-12-24"),
                    ("date", "2026-12-28"),
                    ("told", "Google"),
                    ("waiting", "Apple"),
                    ("theirs", "Our club"),
                    ("region", "EU"),
                ];
                let (subject, body) =
                    templates.write(template.word(), language, &values).expect("there");
                assert!(!subject.contains('{') && !body.contains('{'), "{body}");
                for field in template.fields() {
                    let (_, value) = values.iter().find(|(name, _)| name == field).expect("known");
                    assert!(body.contains(value), "{language} {template:?}");
                }
                if language != "en" {
                    let english = templates.write(template.word(), "en", &values).expect("there");
                    assert_ne!(english, (subject, body), "{language} {template:?}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_language_is_found() {
        let templates = Templates::read(None).expect("good");
        for (asked, found) in
            [("de", "de"), ("de-AT", "de"), ("DE_de", "de"), ("fr", "en"), ("", "en"), ("tr", "tr")]
        {
            assert_eq!(templates.nearest(asked), found, "{asked}");
        }
    }

    #[test]
    fn a_value_puts_nothing_in() {
        assert_eq!(fill("a {x} b {y}", &[("x", "{y}"), ("y", "z")]), "a {y} b z");
        assert_eq!(fill("a {x", &[]), "a ");
    }

    #[test]
    fn a_file_more_is_a_language_more_and_a_wrong_one_is_named() {
        let name = crate::secret::hex(&crate::secret::random()[..8]);
        let folder = std::env::temp_dir().join(format!("vjam-templates-{name}"));
        std::fs::create_dir(&folder).expect("a folder");
        let english = BUILT_IN[0].1;
        let file = folder.join("fr.txt");
        std::fs::write(&file, english.replace("name: English", "name: Français")).expect("ours");
        let templates = Templates::read(Some(&folder)).expect("good");
        assert_eq!(templates.name("fr"), Some("Français"));
        assert_eq!(templates.nearest("fr-CA"), "fr");
        for (text, reason) in [
            (english.replacen("{code}", "", 1), "does not hold {code}"),
            (english.replacen("{code}", "{code} {cod}", 1), "{cod}"),
            (english.replacen("== new_device", "== newdevice", 1), "newdevice"),
            (english.replacen("name:", "", 1), "name:"),
            (english[..english.find("\n== export_ready").expect("there")].to_owned(), "lacks"),
        ] {
            std::fs::write(&file, text).expect("ours");
            let error = Templates::read(Some(&folder)).expect_err("wrong").to_string();
            assert!(error.contains(reason) && error.contains("fr.txt"), "{error}");
        }
        std::fs::remove_dir_all(&folder).expect("ours");
        assert!(Templates::read(Some(&folder)).is_ok(), "no folder is none");
    }
}
