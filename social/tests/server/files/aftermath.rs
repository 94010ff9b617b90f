//! What a bucket keeps of what was deleted: a server starts only where that goes in time.

use social::limits::BACKUP_LIFE;
use social::objects::{ObjectKind, Objects, ObjectsConfig, S3Config};

use super::{moto, world};
use crate::world::{Engine, NOW};

fn rule(prefix: &str, versions_days: u64) -> String {
    format!(
        "<Rule><ID>{prefix}x</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status>\
         <NoncurrentVersionExpiration><NoncurrentDays>{versions_days}</NoncurrentDays>\
         </NoncurrentVersionExpiration>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
         </AbortIncompleteMultipartUpload></Rule>"
    )
}

fn set_rules(config: &S3Config, rules: &str) {
    let text = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    moto::set(config, "lifecycle", &text);
}

fn set_versioning(config: &S3Config, status: &str) {
    let text =
        format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    moto::set(config, "versioning", &text);
}

async fn open(config: &S3Config) -> Result<(), String> {
    let opened = Objects::open(&ObjectsConfig::S3(config.clone()), NOW).await;
    opened.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn promise_6_a_bucket_that_keeps_old_versions_for_longer_than_backups_is_refused() {
    let days = BACKUP_LIFE.as_secs() / (24 * 3600);
    let config = tokio::task::spawn_blocking(moto::fresh).await.expect("it starts");
    open(&config).await.expect("it keeps no versions");
    for status in ["Enabled", "Suspended"] {
        set_versioning(&config, status);
        let refused = open(&config).await.expect_err("for ever");
        assert!(
            refused.contains(&config.bucket) && refused.contains("lifecycle rule"),
            "{refused}"
        );
        assert!(refused.contains("60 days"), "{refused}");
        set_rules(&config, &rule("", days + 1));
        open(&config).await.expect_err("a day too long");
        set_rules(&config, &rule("", days));
        open(&config).await.expect("within the promise");
        // Files are not all that is there.
        set_rules(&config, &rule("files/", days));
        open(&config).await.expect_err("parts stay");
        let kinds = ObjectKind::ALL.map(|kind| rule(&format!("{}/", kind.prefix()), days));
        set_rules(&config, &kinds.concat());
        open(&config).await.expect("a rule for each");
        set_rules(&config, &rule("", days).replace("Enabled", "Disabled"));
        open(&config).await.expect_err("the rule is off");
    }
}

/// What is deleted is in a bucket with versions until its rule deletes it, and a rule that is taken away later is
/// noticed.
#[tokio::test]
async fn promise_6_a_server_that_runs_looks_again_each_day() {
    let world = world(Engine::Postgres).await;
    let ObjectsConfig::S3(config) = &world.config.objects else { unreachable!("a bucket") };
    world.social.objects().check_aftermath().await.expect("as at the start");
    set_versioning(config, "Enabled");
    let refused = world.social.objects().check_aftermath().await.expect_err("for ever");
    assert!(refused.to_string().contains("noncurrent versions"), "{refused}");
    // The sweep goes on all the same: what it can delete, it deletes.
    world.clock.advance(std::time::Duration::from_secs(25 * 3600));
    world.work().await;
    let errors = world.db().read().await.expect("reads").job_errors("orphans").await;
    assert_eq!(errors.expect("reads"), Vec::<String>::new());
}
