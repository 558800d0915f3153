//! Counts instructions per event with valgrind's callgrind, which no other program on the machine
//! disturbs: what decides where times are closer than their noise.

use std::{error::Error, process::ExitCode};

use everstream_benches::{
    callgrind::{self, COUNTED, Count},
    contenders::Contender,
    options::Options,
    table, targets,
    workloads::{Framing, Workload},
};

const HELP: &str = "\
Counts instructions per event with callgrind, which must be installed (valgrind).

  --only WORKLOAD    openai, anthropic, tiny, crlf3, large, keepalive or cjk; may be repeated
  --chunk BYTES      or `block` or `waited`, instead of 16384 and block; may be repeated
  --contender NAME   instead of all; may be repeated

  --profile          leave callgrind.out.* in this directory, for callgrind_annotate

Counted is the second of two passes, so neither the start of the program nor buffers that grow once.";

const DEFAULT: [Framing; 2] = [Framing::Bytes(16 << 10), Framing::Blocks];

/// A few hundred events are enough where nothing is random, and valgrind is slow.
const SIZE: usize = 128 << 10;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::from_arguments(HELP);
    if let [word, passes] = &options.rest[..]
        && word == COUNTED
    {
        be_counted(&options, passes == "2")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !callgrind::is_there() {
        eprintln!("valgrind is not installed");
        return Ok(ExitCode::FAILURE);
    }
    let workloads = options.workloads(Some(SIZE));
    for chunk in options.chunks(&DEFAULT) {
        let mut contenders = options.contenders();
        contenders.retain(|one| chunk != Framing::Waited || one.role.waits());
        let mut counts = Vec::new();
        for contender in &contenders {
            let mut row = Vec::new();
            for workload in &workloads {
                eprintln!("{} on {}", contender.name, workload.name);
                row.push(per_event(contender, workload, chunk, &options)?);
            }
            counts.push(row);
        }
        let names = workloads.iter().map(|workload| workload.name.to_owned());
        let head: Vec<_> = std::iter::once(String::new()).chain(names).collect();
        println!("### Instructions per event, chunks: {}\n", chunk.name());
        let rows = contenders.iter().zip(&counts).map(|(contender, counts)| {
            let counts = counts.iter().map(|count| table::short(*count));
            std::iter::once(contender.name.to_owned())
                .chain(counts)
                .collect()
        });
        println!("{}", table::markdown(&head, &rows.collect::<Vec<_>>()));
        println!(
            "### The leanest peer's over ours, chunks: {}\n",
            chunk.name()
        );
        let rows = ratios(&contenders, &counts, &workloads, chunk);
        println!("{}", table::markdown(&head, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn per_event(
    contender: &Contender,
    workload: &Workload,
    chunk: Framing,
    options: &Options,
) -> Result<f64, Box<dyn Error>> {
    let count = |passes| count(contender.name, workload.name, chunk, passes, options);
    let instructions = count(2)?.saturating_sub(count(1)?);
    Ok(instructions as f64 / workload.expected.events as f64)
}

/// How each of everstream's forms stands to the leanest of its rivals, marked where it misses its
/// target.
fn ratios(
    contenders: &[Contender],
    counts: &[Vec<f64>],
    workloads: &[Workload],
    chunk: Framing,
) -> Vec<Vec<String>> {
    let ours = contenders.iter().zip(counts);
    let ours = ours.filter(|(contender, _)| contender.role.is_ours());
    ours.map(|(contender, counts_of_ours)| {
        let ratios = workloads.iter().enumerate().map(|(at, workload)| {
            let rivals = contenders.iter().zip(counts);
            let rivals = rivals.filter(|(one, _)| one.role.rivals(contender.role));
            let least = rivals.map(|(_, counts)| counts[at]).min_by(f64::total_cmp);
            let Some(least) = least else {
                return "–".to_owned();
            };
            let ratio = least / counts_of_ours[at];
            let target = targets::ratio(contender.role, workload.name, chunk);
            let missed = target.is_some_and(|target| ratio < target);
            format!("{ratio:.2}{}", if missed { "!" } else { "" })
        });
        std::iter::once(contender.name.to_owned())
            .chain(ratios)
            .collect()
    })
    .collect()
}

fn count(
    contender: &str,
    workload: &str,
    chunk: Framing,
    passes: usize,
    options: &Options,
) -> Result<u64, Box<dyn Error>> {
    let short = contender.replace(|other: char| !other.is_alphanumeric(), "");
    let profile = format!(
        "callgrind.out.{short}.{workload}.{}.{passes}",
        chunk.to_argument()
    );
    let arguments = [
        passes.to_string(),
        "--only".into(),
        workload.into(),
        "--contender".into(),
        contender.into(),
        "--chunk".into(),
        chunk.to_argument(),
    ];
    Count {
        profile: options.profile.then_some(profile),
        // Not the writing of the workload.
        within: Some("*Contender::run"),
        arguments: arguments.to_vec(),
    }
    .run(|_| {})
}

/// Parses what was asked for, once or twice over as one stream.
fn be_counted(options: &Options, twice: bool) -> Result<(), Box<dyn Error>> {
    for workload in options.workloads(Some(SIZE)) {
        let input = if twice {
            workload.twice()
        } else {
            workload.input.clone()
        };
        for chunk in options.chunks(&DEFAULT) {
            for contender in options.contenders() {
                contender.run(&input, chunk)?;
            }
        }
    }
    Ok(())
}
