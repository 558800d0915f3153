//! The options that the programs share.

use std::{fmt::Display, process::exit, str::FromStr};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    contenders::Contender,
    workloads::{FULL, Framing, NAMES, QUICK, Workload},
};

/// The framings of the full runs: a large read, a usual one, a TCP segment, what servers flush, and
/// two that find out what a chunk costs in itself.
pub const FRAMINGS: [Framing; 7] = [
    Framing::Bytes(64 << 10),
    Framing::Bytes(16 << 10),
    Framing::Bytes(1460),
    Framing::Blocks,
    Framing::Waited,
    Framing::Bytes(64),
    Framing::Bytes(1),
];

/// What to measure, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Smaller inputs and fewer rounds: a glance, not a measurement.
    pub quick: bool,
    /// Print JSON for programs instead of tables for people.
    pub json: bool,
    /// How often each contender is timed in each cell.
    pub rounds: Option<usize>,
    /// How many processes measure, one after another.
    pub runs: usize,
    /// How many streams at once.
    pub streams: Option<usize>,
    /// Count instructions instead of measuring time.
    pub instructions: bool,
    /// Leave a profile behind.
    pub profile: bool,
    only: Vec<String>,
    contenders: Vec<String>,
    chunks: Vec<Framing>,
    sizes: Vec<usize>,
    /// Words that are no options.
    pub rest: Vec<String>,
}

impl Options {
    /// Reads the program's arguments; prints `help` and ends the program where they ask for it,
    /// prints what is wrong and ends it where they make no sense.
    #[must_use]
    pub fn from_arguments(help: &str) -> Self {
        let contenders: Vec<_> = Contender::all().iter().map(|one| one.name).collect();
        Self::with_contenders(help, &contenders)
    }

    /// As [`from_arguments`](Self::from_arguments), for a program whose contenders are others.
    #[must_use]
    pub fn with_contenders(help: &str, contenders: &[&str]) -> Self {
        let options = Self::parse(Parser::from_env(), help).and_then(|options| {
            options.known(contenders)?;
            Ok(options)
        });
        options.unwrap_or_else(|error| {
            eprintln!("{error}; --help tells the options");
            exit(2)
        })
    }

    fn parse(mut arguments: Parser, help: &str) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            runs: 1,
            ..Self::default()
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("quick") => options.quick = true,
                Arg::Long("json") => options.json = true,
                Arg::Long("instructions") => options.instructions = true,
                Arg::Long("profile") => options.profile = true,
                Arg::Long("rounds") => options.rounds = Some(positive(&mut arguments)?),
                Arg::Long("runs") => options.runs = positive(&mut arguments)?,
                Arg::Long("streams") => options.streams = Some(positive(&mut arguments)?),
                Arg::Long("only") => options.only.push(arguments.value()?.string()?),
                Arg::Long("contender") => options.contenders.push(arguments.value()?.string()?),
                Arg::Long("chunk") => options.chunks.push(framing(&mut arguments)?),
                Arg::Long("size") => options.sizes.push(positive(&mut arguments)?),
                Arg::Long("help") | Arg::Short('h') => {
                    println!("{help}");
                    exit(0)
                }
                Arg::Value(word) => options.rest.push(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }

    fn known(&self, contenders: &[&str]) -> Result<(), lexopt::Error> {
        for (asked, known) in [(&self.only, &NAMES[..]), (&self.contenders, contenders)] {
            if let Some(unknown) = asked.iter().find(|name| !known.contains(&name.as_str())) {
                let known = known.join("`, `");
                return Err(format!("there is no `{unknown}`, only `{known}`").into());
            }
        }
        Ok(())
    }

    /// The workloads asked for, or all of them.
    #[must_use]
    pub fn workloads(&self, size: Option<usize>) -> Vec<Workload> {
        let size = size.unwrap_or(if self.quick { QUICK } else { FULL });
        let asked = |name: &&str| self.only.is_empty() || self.only.iter().any(|one| one == name);
        let names = NAMES.into_iter().filter(asked);
        names
            .filter_map(|name| Workload::named(name, size))
            .collect()
    }

    /// The contenders asked for, or all of them.
    #[must_use]
    pub fn contenders(&self) -> Vec<Contender> {
        let mut contenders = Contender::all();
        contenders.retain(|contender| self.wants(contender.name));
        contenders
    }

    /// Whether the contender of this name was asked for, or none by name.
    #[must_use]
    pub fn wants(&self, contender: &str) -> bool {
        self.contenders.is_empty() || self.contenders.iter().any(|one| one == contender)
    }

    /// The framings asked for, or `default`.
    #[must_use]
    pub fn chunks(&self, default: &[Framing]) -> Vec<Framing> {
        asked_or(&self.chunks, default)
    }

    /// The sizes of events asked for, or `default`.
    #[must_use]
    pub fn sizes(&self, default: &[usize]) -> Vec<usize> {
        asked_or(&self.sizes, default)
    }
}

fn framing(arguments: &mut Parser) -> Result<Framing, lexopt::Error> {
    let argument = arguments.value()?.string()?;
    Framing::from_argument(&argument).map_err(Into::into)
}

fn asked_or<T: Clone>(asked: &[T], default: &[T]) -> Vec<T> {
    if asked.is_empty() { default } else { asked }.to_vec()
}

/// The next argument, as a number that is not zero.
fn positive<T: FromStr<Err: Display> + PartialEq + Default>(
    arguments: &mut Parser,
) -> Result<T, lexopt::Error>
where
    T::Err: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let number: T = arguments.value()?.parse()?;
    if number == T::default() {
        return Err("a number must be more than zero".into());
    }
    Ok(number)
}
