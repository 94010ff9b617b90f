//! What comes from the system's package manager: through apt where that needs nobody's password,
//! otherwise by telling which line to type.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use super::Purpose;
use crate::console;
use crate::program::{self, Program};

/// How to see that something is there, whoever installed it.
enum Sign {
    /// One of these programs lies in `PATH`.
    Program(&'static [&'static str]),
    /// `pkg-config` knows this C library.
    Library(&'static str),
    /// This file lies in one of the folders where C libraries do.
    LibraryFile(&'static str),
    /// This program lies in `PATH`, or where Debian keeps those of each version of PostgreSQL.
    PostgresProgram(&'static str),
}

/// Something a machine needs.
struct Need {
    /// The Debian package that brings it.
    package: &'static str,
    purpose: Purpose,
    sign: Sign,
    reason: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        package: "build-essential",
        purpose: Purpose::Run,
        sign: Sign::Program(&["cc"]),
        reason: "compiles libopus and the cryptography",
    },
    Need {
        package: "cmake",
        purpose: Purpose::Run,
        sign: Sign::Program(&["cmake"]),
        reason: "configures libopus",
    },
    Need {
        package: "clang",
        purpose: Purpose::Run,
        sign: Sign::Program(&["clang"]),
        reason: "compiles libopus for WebAssembly",
    },
    Need {
        package: "llvm",
        purpose: Purpose::Run,
        sign: Sign::Program(&["llvm-ar"]),
        reason: "archives libopus for WebAssembly (llvm-ar, llvm-ranlib)",
    },
    Need {
        package: "pkg-config",
        purpose: Purpose::Run,
        sign: Sign::Program(&["pkg-config"]),
        reason: "finds ALSA and JACK",
    },
    Need {
        package: "libasound2-dev",
        purpose: Purpose::Run,
        sign: Sign::Library("alsa"),
        reason: "ALSA's headers, for `vjam join` and `vjam devices`",
    },
    Need {
        package: "libjack-jackd2-dev",
        purpose: Purpose::Run,
        sign: Sign::Library("jack"),
        reason: "JACK's headers, likewise; the library itself is loaded at run time",
    },
    Need {
        package: "chromium",
        purpose: Purpose::Test,
        sign: Sign::Program(&["chromium"]),
        reason: "a browser with every piece of our engine",
    },
    Need {
        package: "firefox-esr",
        purpose: Purpose::Test,
        sign: Sign::Program(&["firefox-esr", "firefox"]),
        reason: "the other browser",
    },
    Need {
        package: "jackd2",
        purpose: Purpose::Test,
        sign: Sign::Program(&["jackd"]),
        reason: "a sound server with a dummy driver, to measure delay on",
    },
    Need {
        package: "libasound2-plugins",
        purpose: Purpose::Test,
        sign: Sign::LibraryFile("alsa-lib/libasound_module_pcm_jack.so"),
        reason: "makes that server the default device, to test the way through ALSA",
    },
    Need {
        package: "pulseaudio",
        purpose: Purpose::Test,
        sign: Sign::Program(&["pulseaudio"]),
        reason: "a microphone for Chromium that hears its loudspeaker",
    },
    Need {
        package: "ffmpeg",
        purpose: Purpose::Test,
        sign: Sign::Program(&["ffprobe"]),
        reason: "opens the takes that are downloaded",
    },
    Need {
        package: "python3-pip",
        purpose: Purpose::Test,
        sign: Sign::Program(&["pip3", "pip"]),
        reason: "brings a reader of projects, which opens those takes too",
    },
    Need {
        package: "postgresql",
        purpose: Purpose::Test,
        sign: Sign::PostgresProgram("initdb"),
        reason: "the other database of accounts; the tests start one of their own",
    },
    Need {
        package: "valgrind",
        purpose: Purpose::Measure,
        sign: Sign::Program(&["valgrind"]),
        reason: "counts instructions",
    },
];

/// Installs what is missing for `purpose`.
///
/// # Errors
/// When something is missing and cannot be installed without a password.
pub(crate) fn packages(purpose: Purpose) -> anyhow::Result<()> {
    let missing = missing(purpose);
    if missing.is_empty() {
        console::say("every system package is there");
        return Ok(());
    }
    for need in &missing {
        console::say(&format!("  needs {:16} {}", need.package, need.reason));
    }
    install(&missing)?;
    let missing = self::missing(purpose);
    if let Some(need) = missing.first() {
        bail!("apt installed {}, yet what it brings cannot be found", need.package);
    }
    Ok(())
}

/// Says beforehand that the tests on JACK will fail, where they cannot have a /dev/shm of their own.
///
/// In many containers even root may not mount. What may be is for whoever started it to say, so the
/// other tests run all the same.
pub(crate) fn warn_without_namespaces() {
    let options: &[&str] = if is_root() { &["--mount"] } else { &["--mount", "--map-root-user"] };
    let script = ["sh", "-c", "mount -t tmpfs tmpfs /dev/shm"];
    if !Program::new("unshare", options).args(script).works() {
        console::say(
            "the tests on JACK will fail here: they need `unshare --mount` and `mount` (in a \
             container, the capability SYS_ADMIN)",
        );
    }
}

fn missing(purpose: Purpose) -> Vec<&'static Need> {
    let wanted =
        NEEDS.iter().filter(|need| need.purpose == Purpose::Run || need.purpose == purpose);
    wanted.filter(|need| !is_there(&need.sign)).collect()
}

fn is_there(sign: &Sign) -> bool {
    match *sign {
        Sign::Program(names) => names.iter().any(|name| program::is_in_path(name)),
        Sign::Library(name) => Program::new("pkg-config", ["--exists", name]).works(),
        Sign::LibraryFile(path) => library_folders().any(|folder| folder.join(path).exists()),
        Sign::PostgresProgram(name) => {
            let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
            let mut folders = versions.map(|version| version.path().join("bin"));
            program::is_in_path(name) || folders.any(|folder| folder.join(name).exists())
        }
    }
}

/// `/usr/lib`, `/usr/lib64` and their folders for each architecture.
fn library_folders() -> impl Iterator<Item = PathBuf> {
    ["/usr/lib", "/usr/lib64", "/usr/local/lib"].into_iter().flat_map(|root| {
        let inside = std::fs::read_dir(root).into_iter().flatten().flatten();
        core::iter::once(PathBuf::from(root)).chain(inside.map(|entry| entry.path()))
    })
}

fn install(missing: &[&Need]) -> anyhow::Result<()> {
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!("sudo apt-get install --no-install-recommends {}", packages.join(" "));
    if !program::is_in_path("apt-get") {
        bail!(
            "there is no apt here: install the equivalents of these, then try again: {}",
            packages.join(" ")
        );
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if Program::new("sudo", ["-n", "true"]).works() {
        &["sudo", "-n"]
    } else {
        bail!("installing needs your password. Type this line, then try again:\n\n    {by_hand}\n");
    };
    // An old list names versions that are gone; a list that cannot be renewed may still do.
    if let Err(error) = apt(prefix, &["update"], &[]) {
        console::say(&format!("  going on with the package list that is there: {error:#}"));
    }
    apt(prefix, &["install", "--yes", "--no-install-recommends"], &packages)
}

/// Runs apt-get so that no package asks anything (jackd2 would ask for real-time priority).
fn apt(prefix: &[&str], verb: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    let quiet = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "-o", LOCK_WAIT];
    let line: Vec<&str> =
        [prefix, &["env"], &quiet, verb, packages].into_iter().flatten().copied().collect();
    match line.split_first() {
        Some((name, arguments)) => Program::new(name, arguments).quiet().limit(APT_LIMIT).run(),
        None => Ok(()),
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // Without FFI: our own entry in /proc belongs to whoever runs us.
    Path::new("/proc/self").metadata().is_ok_and(|entry| entry.uid() == 0)
}

/// Another apt at work is waited for, rather than an error.
const LOCK_WAIT: &str = "DPkg::Lock::Timeout=300";
const APT_LIMIT: Duration = Duration::from_secs(20 * 60);
