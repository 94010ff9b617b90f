//! The arena: our playout and other programs' jitter buffers on the same packets, in virtual time.
//!
//! `cargo xtask bench arena` builds and runs it. Ten families of traces ([`family`]), each with three
//! pairs of clocks, are played to everybody ([`contest`]); what was heard becomes delay, concealment,
//! breaks and times of recovery ([`score`]), and those a verdict ([`verdict`]). [`limit`] says what
//! could be had with a constant delay by who knew the trace beforehand.
//!
//! What surprises: ours is listened to, sample by sample, and the others are mostly believed.

mod contest;
mod family;
mod limit;
mod ours;
mod peers;
mod play;
mod plot;
mod random;
mod report;
mod score;
mod timecode;
mod trace;
mod verdict;
mod weather;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};

use crate::family::{FAMILIES, Family};
use crate::report::Detail;
use crate::trace::Plan;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Options {
    json: bool,
    detail: Detail,
    seconds: u32,
    seed: u64,
    families: Vec<String>,
    svg: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let families = options.families()?;
    let plan = Plan {
        measured: f64::from(options.seconds) * 1000.0,
        settle: SETTLE,
        seed: options.seed,
        drift_ppm: 0.0,
    };
    let contests = contest::contest(&families, &plan)?;
    if let Some(path) = &options.svg {
        std::fs::write(path, plot::svg(&contests))
            .with_context(|| format!("cannot write {path}"))?;
    }
    let text = if options.json {
        report::json(&contests, options.seconds, options.seed)
    } else {
        report::table(&contests, options.detail)
    };
    writeln!(std::io::stdout(), "{}", text.trim_end())?;
    Ok(())
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            json: false,
            detail: Detail::Families,
            seconds: 120,
            seed: 1,
            families: Vec::new(),
            svg: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--json" => options.json = true,
                "--traces" => options.detail = Detail::Traces,
                "--seconds" => options.seconds = value()?.parse().context("--seconds")?,
                "--seed" => options.seed = value()?.parse().context("--seed")?,
                "--family" => options.families.push(value()?),
                "--svg" => options.svg = Some(value()?),
                _ => bail!("`bench arena` does not know {argument}"),
            }
        }
        if !(10..=3600).contains(&options.seconds) {
            bail!("{} seconds; 10 to 3600 are possible", options.seconds);
        }
        Ok(options)
    }

    /// Those that were named, or all.
    fn families(&self) -> Result<Vec<&'static Family>> {
        if self.families.is_empty() {
            return Ok(FAMILIES.iter().collect());
        }
        let named = |name: &String| {
            let found = FAMILIES.iter().find(|family| family.name == name);
            found.with_context(|| {
                let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
                format!("no family `{name}`, only {}", names.join(", "))
            })
        };
        self.families.iter().map(named).collect()
    }
}

/// Milliseconds that everybody has to settle: the slowest of the filters is down after 27 s.
const SETTLE: f64 = 30_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Options> {
        Options::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options = read("--seconds 20 --seed 7 --family lte --family wifi --json --svg a.svg");
        let options = options.expect("all are known");
        assert_eq!((options.seconds, options.seed, options.json), (20, 7, true));
        assert_eq!(options.svg.as_deref(), Some("a.svg"));
        let names: Vec<&str> =
            options.families().expect("both are known").iter().map(|family| family.name).collect();
        assert_eq!(names, ["lte", "wifi"]);
        assert_eq!(read("").expect("nothing is needed").families().map_or(0, |f| f.len()), 10);
        assert!(read("--fast").is_err());
        assert!(read("--seed").is_err());
        assert!(read("--seconds 5").is_err());
        assert!(read("--family sea").expect("it is read").families().is_err());
    }
}
