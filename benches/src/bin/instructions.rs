//! Counts instructions per event with valgrind's callgrind, which no other program on the machine
//! disturbs: what decides where times are closer than their noise.

use std::{error::Error, process::ExitCode};

use everstream_benches::{
    callgrind::{self, COUNTED, Count},
    options::Options,
    table,
};

const HELP: &str = "\
Counts instructions per event with callgrind, which must be installed (valgrind).

  --only WORKLOAD    openai, anthropic, tiny, crlf3, large, keepalive or cjk; may be repeated
  --chunk BYTES      instead of 16384; may be repeated
  --contender NAME   instead of all; may be repeated

  --profile          leave callgrind.out.* in this directory, for callgrind_annotate

Counted is the second of two passes, so neither the start of the program nor buffers that grow once.";

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
    for chunk in options.chunks(&[16 << 10]) {
        let mut rows = Vec::new();
        for contender in options.contenders() {
            let mut row = vec![contender.name.to_owned()];
            for workload in &workloads {
                eprintln!("{} on {}", contender.name, workload.name);
                let count = |passes| count(contender.name, workload.name, chunk, passes, &options);
                let instructions = count(2)?.saturating_sub(count(1)?);
                let each = instructions as f64 / workload.expected.events as f64;
                row.push(table::short(each));
            }
            rows.push(row);
        }
        println!(
            "### Instructions per event, chunks of {}\n",
            table::bytes(chunk)
        );
        let names = workloads.iter().map(|workload| workload.name.to_owned());
        let head: Vec<_> = std::iter::once(String::new()).chain(names).collect();
        println!("{}", table::markdown(&head, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn count(
    contender: &str,
    workload: &str,
    chunk: usize,
    passes: usize,
    options: &Options,
) -> Result<u64, Box<dyn Error>> {
    let short = contender.replace(|other: char| !other.is_alphanumeric(), "");
    let profile = format!("callgrind.out.{short}.{workload}.{chunk}.{passes}");
    let arguments = [
        passes.to_string(),
        "--only".into(),
        workload.into(),
        "--contender".into(),
        contender.into(),
        "--chunk".into(),
        chunk.to_string(),
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
        for chunk in options.chunks(&[16 << 10]) {
            for contender in options.contenders() {
                contender.run(&input, chunk)?;
            }
        }
    }
    Ok(())
}
