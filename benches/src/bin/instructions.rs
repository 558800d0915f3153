//! Counts instructions per event with valgrind's callgrind, which no other program on the machine
//! disturbs: what decides where times are closer than their noise.

use std::{
    error::Error,
    process::{Command, ExitCode},
};

use everstream_benches::{options::Options, table};

const HELP: &str = "\
Counts instructions per event with callgrind, which must be installed (valgrind).

  --only WORKLOAD    openai, anthropic, tiny, crlf3, large, keepalive or cjk; may be repeated
  --chunk BYTES      instead of 16384; may be repeated
  --contender NAME   instead of all; may be repeated

  --profile          leave callgrind.out.* in this directory, for callgrind_annotate

Counted is the second of two passes, so neither the start of the program nor buffers that grow once.";

/// The word that asks this program to be the one that is counted.
const COUNTED: &str = "counted";

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
    if Command::new("valgrind").arg("--version").output().is_err() {
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
            "## Instructions per event, chunks of {}\n",
            table::bytes(chunk)
        );
        let names = workloads.iter().map(|workload| workload.name.to_owned());
        let head: Vec<_> = std::iter::once(String::new()).chain(names).collect();
        println!("{}", table::markdown(&head, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs this program under callgrind and reads how many instructions it took.
fn count(
    contender: &str,
    workload: &str,
    chunk: usize,
    passes: usize,
    options: &Options,
) -> Result<u64, Box<dyn Error>> {
    let profile = if options.profile {
        let contender = contender.replace(|other: char| !other.is_alphanumeric(), "");
        format!("callgrind.out.{contender}.{workload}.{chunk}.{passes}")
    } else {
        "/dev/null".to_owned()
    };
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={profile}"))
        // Not the writing of the workload.
        .arg("--toggle-collect=*Contender::run")
        .arg(std::env::current_exe()?)
        .args([COUNTED, &passes.to_string(), "--only", workload])
        .args(["--contender", contender, "--chunk", &chunk.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{contender} on {workload} under valgrind: {said}").into());
    }
    let line = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, number) = line.ok_or("valgrind said no `Collected`")?;
    Ok(number.trim().parse()?)
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
