//! A real PostgreSQL server, started once for this test binary and stopped with it.
//!
//! It runs from Debian's programs in a folder of its own, on a free port of loopback and a socket in
//! that folder. What surprises: it refuses to run as root, so there it runs as `nobody`; and statics
//! are never dropped, so a watcher beside it waits for the end of this process and stops it then, however
//! the process ends.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static SERVER: OnceLock<String> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The URL of a fresh database.
pub(crate) async fn fresh() -> String {
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start).clone()).await;
    let server = server.expect("it starts");
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = connect(&format!("{server}/postgres")).await;
    let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(sql).execute(&mut admin).await.expect("a fresh database");
    format!("{server}/{name}")
}

/// A connection beside those of the program.
pub(crate) async fn connect(url: &str) -> sqlx::PgConnection {
    use sqlx::Connection as _;
    sqlx::PgConnection::connect(url).await.expect("the server answers")
}

/// Where its files are.
pub(crate) fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("vjam-social-pg-{}", std::process::id()))
}

fn start() -> String {
    let programs = programs();
    let folder = folder();
    std::fs::create_dir(&folder).expect("a folder of its own");
    let user = unprivileged();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).expect("root gives it away");
    }
    let data = folder.join("data");
    let run = |command: &mut Command| {
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        let output = command.current_dir(&folder).stdin(Stdio::null()).output().expect("it runs");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run(Command::new(programs.join("initdb"))
        .args(["--no-sync", "-A", "trust", "-U", "vjam", "-E", "UTF8", "--locale", "C", "-D"])
        .arg(&data));
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a free port").port();
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off \
         -c max_connections=200",
        folder.display()
    );
    run(Command::new(programs.join("pg_ctl"))
        .args(["--wait", "--silent", "-o", &options, "-l"])
        .arg(folder.join("log"))
        .arg("-D")
        .arg(&data)
        .arg("start"));
    stop_with_this_process(&folder, &data);
    format!("postgres://vjam@127.0.0.1:{port}")
}

/// Ends the server, by the id in its file, when the pipe to this process breaks.
fn stop_with_this_process(folder: &Path, data: &Path) {
    let script = "cat >/dev/null; kill -QUIT $(head -n 1 \"$1/postmaster.pid\"); \
                  while [ -e \"$1/postmaster.pid\" ]; do sleep 0.05; done; rm -rf \"$2\"";
    let watcher = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(data)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C at the terminal is for this process; the watcher has to outlive it.
        .process_group(0)
        .spawn()
        .expect("a shell");
    // Its end of the pipe stays open as long as this process.
    std::mem::forget(watcher);
}

/// Where the programs are: in `PATH`, or where Debian keeps those of the newest version.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|f| f.join("initdb").is_file()) {
        return folder;
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .filter(|(_, path)| path.join("bin/initdb").is_file())
        .max();
    let (_, path) = newest.expect(
        "PostgreSQL is needed for this test, and there is none below /usr/lib/postgresql: \
         sudo apt-get install --no-install-recommends postgresql",
    );
    path.join("bin")
}

/// Whom the server runs as, where this process is root.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").expect("users");
    let line = passwd.lines().find(|line| line.starts_with("nobody:")).expect("nobody");
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields[2].parse().expect("a user"), fields[3].parse().expect("a group")))
}

/// Waits for something that another process does.
pub(crate) async fn wait_for(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !done().await {
        assert!(Instant::now() < until, "{what} took too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
