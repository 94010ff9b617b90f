//! What a bucket keeps of objects that were deleted: old versions, and pieces of what was never complete.
//!
//! People are promised that no copy of what they had erased outlives the backups, and a bucket with versions
//! keeps copies until a rule of its own deletes them. So it is asked which rules it has. What surprises: the
//! crate that talks to buckets has no call for that; both questions are signed with its help and asked here.

use std::time::Duration;

use axum::http::{Request, StatusCode};
use futures_util::TryStreamExt as _;
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpConnector as _, HttpRequestBody, ReqwestConnector};

use super::s3::{S3Config, is_here};
use super::{ObjectKind, ObjectsError};
use crate::limits::{BACKUP_LIFE, BUCKET_ANSWER_BYTES_MAX, OBJECT_WAIT_MAX};

/// Asks a bucket what it is set up to do.
#[derive(Debug)]
pub(super) struct Aftermath {
    bucket: String,
    url: String,
    region: String,
    client: HttpClient,
    credentials: AwsCredentialProvider,
}

/// How long something stays in a bucket after nobody wants it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stays {
    /// For so many days; none is at once.
    Days(u64),
    Forever,
}

/// The bucket does not say.
struct NoAnswer(String);

impl Aftermath {
    pub(super) fn new(
        config: &S3Config,
        credentials: AwsCredentialProvider,
    ) -> Result<Self, ObjectsError> {
        let endpoint = match &config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.amazonaws.com", config.region),
        };
        let options =
            ClientOptions::new().with_timeout(OBJECT_WAIT_MAX).with_allow_http(is_here(&endpoint));
        let client = ReqwestConnector::default().connect(&options);
        let client = client.map_err(|error| ObjectsError::Config(error.to_string()))?;
        Ok(Self {
            bucket: config.bucket.clone(),
            url: format!("{endpoint}/{}", config.bucket),
            region: config.region.clone(),
            client,
            credentials,
        })
    }

    /// Sees whether copies would outlive the promise. What cannot be found out is written to the log.
    ///
    /// # Errors
    /// When copies of what was deleted stay for longer than is promised.
    pub(super) async fn check(&self) -> Result<(), ObjectsError> {
        let bucket = &self.bucket;
        let (versions, pieces) = match self.look().await {
            Ok(found) => found,
            Err(NoAnswer(why)) => {
                tracing::warn!(
                    %bucket, why,
                    "the bucket does not say whether it keeps old versions of what is deleted: let the \
                     keys read its versioning and its lifecycle rules, or see to it yourself that \
                     nothing stays for longer than 60 days"
                );
                return Ok(());
            }
        };
        if pieces == Stays::Forever {
            tracing::warn!(
                %bucket,
                "the bucket keeps pieces of uploads that broke off: give it a lifecycle rule that aborts \
                 incomplete multipart uploads after a day"
            );
        }
        match versions {
            Stays::Days(days) if Duration::from_secs(days * DAY) <= BACKUP_LIFE => Ok(()),
            Stays::Days(_) | Stays::Forever => Err(ObjectsError::Config(format!(
                "the bucket {bucket} keeps old versions of what is deleted, and people are promised that \
                 no copy is left after 60 days: give it a lifecycle rule for all its objects that \
                 expires noncurrent versions after 60 days or fewer"
            ))),
        }
    }

    /// How long old versions stay, and pieces of what was never complete.
    async fn look(&self) -> Result<(Stays, Stays), NoAnswer> {
        let (status, versioning) = self.ask("versioning").await?;
        if status != StatusCode::OK {
            return Err(NoAnswer(format!("status {} of its versioning", status.as_u16())));
        }
        let (status, rules) = self.ask("lifecycle").await?;
        let rules = match status {
            StatusCode::OK => rules,
            // There are none.
            StatusCode::NOT_FOUND => String::new(),
            other => {
                return Err(NoAnswer(format!("status {} of its lifecycle rules", other.as_u16())));
            }
        };
        let rules: Vec<&str> = elements(&rules, "Rule").collect();
        // Where versions are suspended, those that there were stay.
        let has_versions = element(&versioning, "Status").is_some();
        let versions = if has_versions { stay(&rules, old_versions) } else { Stays::Days(0) };
        Ok((versions, stay(&rules, broken_off)))
    }

    async fn ask(&self, what: &str) -> Result<(StatusCode, String), NoAnswer> {
        let no_answer = |error: &dyn std::error::Error| NoAnswer(error.to_string());
        let mut request = Request::get(format!("{}?{what}", self.url))
            .body(HttpRequestBody::empty())
            .map_err(|error| no_answer(&error))?;
        let credential = self.credentials.get_credential().await.map_err(|e| no_answer(&e))?;
        let signer = AwsAuthorizer::new(&credential, "s3", &self.region);
        signer.try_authorize(&mut request, None).map_err(|error| no_answer(&error))?;
        let response = self.client.execute(request).await.map_err(|error| no_answer(&error))?;
        let status = response.status();
        let mut pieces = response.into_body().bytes_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.try_next().await.map_err(|error| no_answer(&error))? {
            if BUCKET_ANSWER_BYTES_MAX < bytes.len() + piece.len() {
                return Err(NoAnswer("more than an answer may have".into()));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// How long something stays of whatever this server writes, where a rule says of it after how many days it goes.
fn stay(rules: &[&str], days: impl Fn(&str) -> Option<u64>) -> Stays {
    let of = |kind: ObjectKind| {
        let rules = rules.iter().filter(|rule| covers(rule, kind));
        rules.filter_map(|rule| days(rule)).min().map_or(Stays::Forever, Stays::Days)
    };
    // On a disk only.
    let kinds = ObjectKind::ALL.into_iter().filter(|kind| *kind != ObjectKind::Unfinished);
    kinds.map(of).max().unwrap_or(Stays::Forever)
}

/// Whether a rule is in force for all objects of a kind.
fn covers(rule: &str, kind: ObjectKind) -> bool {
    let is_on = element(rule, "Status") == Some("Enabled");
    let some_only = ["Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"];
    let prefix = element(rule, "Prefix").unwrap_or_default();
    let name = format!("{}/", kind.prefix());
    is_on && some_only.iter().all(|name| element(rule, name).is_none()) && name.starts_with(prefix)
}

fn old_versions(rule: &str) -> Option<u64> {
    let expiration = element(rule, "NoncurrentVersionExpiration")?;
    // Some would stay for ever.
    if element(expiration, "NewerNoncurrentVersions").is_some() {
        return None;
    }
    element(expiration, "NoncurrentDays")?.parse().ok()
}

fn broken_off(rule: &str) -> Option<u64> {
    element(element(rule, "AbortIncompleteMultipartUpload")?, "DaysAfterInitiation")?.parse().ok()
}

/// What stands in the first element of a name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).next()
}

/// What stands in each element of a name; no element stands in another of its name.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(&open)?;
        let (inner, behind) = behind.split_once(&close)?;
        rest = behind;
        Some(inner.trim())
    })
}

const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(filter: &str, then: &str) -> String {
        format!("<ID>x</ID><Status>Enabled</Status>{filter}{then}")
    }

    fn versions(rules: &[String]) -> Stays {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        stay(&rules, old_versions)
    }

    const SIXTY: &str = "<NoncurrentVersionExpiration><NoncurrentDays>60</NoncurrentDays>\
                         </NoncurrentVersionExpiration>";

    #[test]
    fn promise_6_a_rule_counts_where_it_is_for_everything_and_in_force() {
        let all = ["", "<Prefix/>", "<Prefix></Prefix>", "<Filter><Prefix></Prefix></Filter>"];
        for filter in all {
            assert_eq!(versions(&[rule(filter, SIXTY)]), Stays::Days(60), "{filter}");
        }
        let off = rule("", SIXTY).replace("Enabled", "Disabled");
        let newer = SIXTY.replace(
            "<NoncurrentDays>",
            "<NewerNoncurrentVersions>3</NewerNoncurrentVersions><NoncurrentDays>",
        );
        for (what, rules) in [
            ("none", vec![]),
            ("off", vec![off]),
            ("some", vec![rule("<Filter><Tag><Key>a</Key></Tag></Filter>", SIXTY)]),
            ("files only", vec![rule("<Prefix>files/</Prefix>", SIXTY)]),
            (
                "large",
                vec![rule(
                    "<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>",
                    SIXTY,
                )],
            ),
            ("some stay", vec![rule("", &newer)]),
            ("another end", vec![rule("", "<Expiration><Days>60</Days></Expiration>")]),
        ] {
            assert_eq!(versions(&rules), Stays::Forever, "{what}");
        }
    }

    #[test]
    fn of_several_rules_the_earliest_counts_for_each_kind_and_the_latest_kind_for_all() {
        let of = |prefix: &str, days: &str| {
            rule(&format!("<Prefix>{prefix}</Prefix>"), &SIXTY.replace("60", days))
        };
        let mut rules = vec![of("", "90"), of("files/", "7"), of("f", "30")];
        assert_eq!(versions(&rules), Stays::Days(90));
        rules.extend([of("parts", "1"), of("thumbnails/", "2"), of("probes/", "3")]);
        assert_eq!(versions(&rules), Stays::Days(7));
        let broken = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
                      </AbortIncompleteMultipartUpload>";
        let rules = [rule("<Prefix/>", broken)];
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        assert_eq!(
            (stay(&rules, broken_off), stay(&rules, old_versions)),
            (Stays::Days(1), Stays::Forever)
        );
    }
}
