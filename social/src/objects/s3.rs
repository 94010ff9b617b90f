//! Objects in a bucket of S3, or of whatever speaks like it.
//!
//! What surprises: a configuration without encryption cannot be written down, so no object is ever
//! put without asking the bucket for it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _,
    PutMultipartOptions, PutOptions, PutPayload, RetryConfig, WriteMultipart,
};

use super::aftermath::Aftermath;
use super::{ObjectKey, ObjectStream, ObjectsError};
use crate::limits::{OBJECT_RETRIES_MAX, OBJECT_WAIT_MAX, PART_BYTES_MAX};

/// Which bucket, and how it is opened.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Config {
    /// The server, if it is not Amazon's: `https://HOST`.
    pub endpoint: Option<String>,
    /// The bucket, which is there already.
    pub bucket: String,
    /// Where it is.
    pub region: String,
    /// Who asks.
    pub access_key: String,
    /// What they sign with.
    pub secret_key: String,
    /// How the bucket encrypts what it keeps.
    pub encryption: Encryption,
}

// A log shows none of the keys.
impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Config")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// How a bucket encrypts what it keeps.
#[derive(Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of its own.
    Aes256,
    /// With this key of the key service.
    Kms(String),
}

// Which key it is may tell whose account it is.
impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes256 => "AES256",
            Self::Kms(_) => "aws:kms:..",
        })
    }
}

/// The text is no way in which a bucket encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither AES256 nor aws:kms:KEY, and nothing is kept without encryption")]
pub struct WrongEncryption;

impl FromStr for Encryption {
    type Err = WrongEncryption;

    fn from_str(text: &str) -> Result<Self, WrongEncryption> {
        match text.strip_prefix("aws:kms:") {
            Some(key) if !key.is_empty() => Ok(Self::Kms(key.to_owned())),
            None if text == "AES256" => Ok(Self::Aes256),
            Some(_) | None => Err(WrongEncryption),
        }
    }
}

impl S3Config {
    /// What can be said without asking the bucket.
    ///
    /// # Errors
    /// When files would travel in the clear.
    pub fn check(&self) -> Result<(), ObjectsError> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        if endpoint.starts_with("https://") || is_here(endpoint) {
            return Ok(());
        }
        Err(ObjectsError::Config(format!(
            "the endpoint {endpoint} is not https://, and on their way there files would be \
             anybody's to read; only a server on this machine is talked to over http://"
        )))
    }
}

/// Whether it is this machine.
pub(super) fn is_here(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[derive(Debug)]
pub(super) struct S3 {
    store: AmazonS3,
    aftermath: Aftermath,
}

impl S3 {
    pub(super) fn open(config: &S3Config) -> Result<Self, ObjectsError> {
        config.check()?;
        let retry = RetryConfig {
            max_retries: OBJECT_RETRIES_MAX,
            retry_timeout: OBJECT_WAIT_MAX,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(&config.secret_key)
            .with_retry(retry);
        if let Some(endpoint) = &config.endpoint {
            let endpoint = endpoint.trim_end_matches('/');
            builder = builder.with_endpoint(endpoint).with_allow_http(is_here(endpoint));
        }
        builder = match &config.encryption {
            Encryption::Aes256 => builder.with_config(aes256()?, "AES256"),
            Encryption::Kms(key) => builder.with_sse_kms_encryption(key),
        };
        let store = builder.build().map_err(|error| ObjectsError::Config(error.to_string()))?;
        let aftermath = Aftermath::new(config, Arc::clone(store.credentials()))?;
        Ok(Self { store, aftermath })
    }

    pub(super) async fn put(
        &self,
        key: ObjectKey,
        media_type: &'static str,
        mut bytes: BoxStream<'_, Result<Bytes, ObjectsError>>,
    ) -> Result<u64, ObjectsError> {
        let path = Path::from(key.to_string());
        let attributes: Attributes = [
            (Attribute::ContentType, media_type),
            // Whoever follows a signed link never sees it as a page.
            (Attribute::ContentDisposition, "attachment"),
            (Attribute::CacheControl, "private, no-store"),
        ]
        .into_iter()
        .collect();
        let mut head = Vec::new();
        while head.len() < PART_BYTES_MAX {
            match bytes.try_next().await? {
                Some(piece) => head.extend_from_slice(&piece),
                None => {
                    let written = head.len() as u64;
                    let options = PutOptions { attributes, ..PutOptions::default() };
                    let payload = PutPayload::from(head);
                    let put = self.store.put_opts(&path, payload, options).await;
                    put.map_err(|error| failed("writing", error))?;
                    return Ok(written);
                }
            }
        }
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let upload = self.store.put_multipart_opts(&path, options).await;
        let upload = upload.map_err(|error| failed("writing", error))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES_MAX);
        let mut written = head.len() as u64;
        writer.write(&head);
        drop(head);
        loop {
            match bytes.try_next().await {
                Ok(Some(piece)) => {
                    written += piece.len() as u64;
                    if let Err(error) = writer.wait_for_capacity(PARTS_AT_ONCE).await {
                        let _ = writer.abort().await;
                        return Err(failed("writing", error));
                    }
                    writer.put(piece);
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = writer.abort().await;
                    return Err(error);
                }
            }
        }
        writer.finish().await.map_err(|error| failed("writing", error))?;
        Ok(written)
    }

    pub(super) async fn read(
        &self,
        key: ObjectKey,
        range: Range<u64>,
    ) -> Result<ObjectStream, ObjectsError> {
        let path = Path::from(key.to_string());
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let got = self.store.get_opts(&path, options).await.map_err(|e| failed("reading", e))?;
        Ok(got.into_stream().map_err(|error| failed("reading", error)).boxed())
    }

    pub(super) async fn is_there(&self, key: ObjectKey) -> Result<bool, ObjectsError> {
        match self.store.head(&Path::from(key.to_string())).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("looking", error)),
        }
    }

    /// Sees whether copies of what is deleted would stay for longer than is promised.
    pub(super) async fn check_aftermath(&self) -> Result<(), ObjectsError> {
        self.aftermath.check().await
    }

    pub(super) async fn remove(&self, key: ObjectKey) -> Result<(), ObjectsError> {
        match self.store.delete(&Path::from(key.to_string())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("deleting", error)),
        }
    }

    pub(super) fn list(&self) -> BoxStream<'_, Result<ObjectKey, ObjectsError>> {
        let all = self.store.list(None).map_err(|error| failed("listing", error));
        all.try_filter_map(async |meta| Ok(meta.location.as_ref().parse().ok())).boxed()
    }

    pub(super) async fn signed_url(
        &self,
        key: ObjectKey,
        life: Duration,
    ) -> Result<String, ObjectsError> {
        let path = Path::from(key.to_string());
        let url = self.store.signed_url(Method::GET, &path, life).await;
        Ok(url.map_err(|error| failed("signing", error))?.to_string())
    }
}

fn aes256() -> Result<AmazonS3ConfigKey, ObjectsError> {
    "aws_server_side_encryption".parse().map_err(|error| failed("configuring", error))
}

/// What a bucket says.
fn failed(doing: &'static str, error: object_store::Error) -> ObjectsError {
    if matches!(error, object_store::Error::NotFound { .. }) && doing == "reading" {
        ObjectsError::Gone
    } else {
        ObjectsError::Failed { doing, why: error.to_string() }
    }
}

/// Parts of one object that are on their way at once.
const PARTS_AT_ONCE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(endpoint: &str) -> S3Config {
        S3Config {
            endpoint: Some(endpoint.to_owned()),
            bucket: "jam".into(),
            region: "eu-central-1".into(),
            access_key: "AKs3cret".into(),
            secret_key: "SKs3cret".into(),
            encryption: Encryption::Kms("arn:s3cret".into()),
        }
    }

    #[test]
    fn promise_16_files_leave_this_machine_over_https_only() {
        for (endpoint, good) in [
            ("https://s3.example", true),
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000/", true),
            ("http://[::1]:9000", true),
            ("http://s3.example", false),
            ("http://127.0.0.1.example", false),
            ("http://localhost@s3.example", false),
            ("s3.example", false),
        ] {
            assert_eq!(config(endpoint).check().is_ok(), good, "{endpoint}");
        }
    }

    #[test]
    fn no_key_is_shown_and_nothing_is_kept_without_encryption() {
        let shown = format!("{:?}", config("https://s3.example"));
        assert!(shown.contains("jam") && !shown.contains("s3cret"), "{shown}");
        assert_eq!("AES256".parse(), Ok(Encryption::Aes256));
        assert_eq!("aws:kms:k".parse(), Ok(Encryption::Kms("k".into())));
        for wrong in ["", "none", "aes256", "aws:kms", "aws:kms:"] {
            assert_eq!(wrong.parse::<Encryption>(), Err(WrongEncryption), "{wrong}");
        }
    }
}
