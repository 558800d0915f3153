//! Times every contender on every workload in every chunking, and holds everstream against its
//! targets.

use std::{
    error::Error,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use everstream_benches::{
    contenders::{Contender, Role},
    measure::{self, Cell, Effort, Outcome, median},
    options::{FRAMINGS, Options},
    table, targets,
    workloads::Framing,
};

const HELP: &str = "\
Times parsers of event streams: CPU time per event, and everstream's ratio to the fastest peer.

  --quick            smaller inputs, 5 rounds: a glance
  --only WORKLOAD    openai, anthropic, tiny, crlf3, large, keepalive or cjk; may be repeated
  --chunk BYTES      instead of 65536, 16384, 1460, block, waited, 64 and 1; may be repeated
  --contender NAME   instead of all; may be repeated
  --rounds N         how often each is timed in each cell (11)
  --runs N           measure in N processes, one after another, and judge by the median (1)
  --json             print the figures for programs

Exits with 1 where a contender of everstream is wrong; missed targets are printed.";

/// How often each contender is timed in each cell.
fn rounds(options: &Options) -> usize {
    options.rounds.unwrap_or(if options.quick { 5 } else { 11 })
}

const SCAN: &str = "limit: memchr2 + simdutf8";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::from_arguments(HELP);
    let runs = if options.runs > 1 {
        (0..options.runs)
            .map(|run| in_own_process(run, &options))
            .collect::<Result<_, _>>()?
    } else {
        vec![measure(&options)]
    };
    if options.json {
        serde_json::to_writer(std::io::stdout().lock(), &runs)?;
    } else {
        Summary::new(&options, &runs).print();
    }
    Ok(if any_of_ours_wrong(&runs) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn measure(options: &Options) -> Vec<Cell> {
    let effort = Effort {
        rounds: rounds(options),
        patience: if options.quick {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(1)
        },
    };
    let contenders = options.contenders();
    let workloads = options.workloads(None);
    measure::settle_allocator();
    let mut cells = Vec::new();
    for chunk in options.chunks(&FRAMINGS) {
        for workload in &workloads {
            eprintln!("{} in chunks: {}", workload.name, chunk.name());
            cells.push(Cell::measure(workload, chunk, &contenders, effort));
        }
    }
    cells
}

/// Measures in a process of its own: where code and data happen to lie differs between processes,
/// and makes more of a difference than anything between rounds.
fn in_own_process(run: usize, options: &Options) -> Result<Vec<Cell>, Box<dyn Error>> {
    eprintln!("run {} of {}", run + 1, options.runs);
    let output = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        // Options that are given twice count as given last.
        .args(["--runs", "1", "--json"])
        .stderr(Stdio::inherit())
        .output()?;
    let runs: Vec<Vec<Cell>> = serde_json::from_slice(&output.stdout)?;
    Ok(runs.into_iter().flatten().collect())
}

fn any_of_ours_wrong(runs: &[Vec<Cell>]) -> bool {
    let ours: Vec<_> = Contender::all()
        .into_iter()
        .filter(|one| one.role.is_ours())
        .map(|one| one.name)
        .collect();
    runs.iter()
        .flatten()
        .flat_map(|cell| &cell.results)
        .any(|result| {
            ours.contains(&result.contender.as_str()) && matches!(result.outcome, Outcome::None(_))
        })
}

/// What all runs say together.
struct Summary<'a> {
    runs: &'a [Vec<Cell>],
    contenders: Vec<Contender>,
    chunks: Vec<Framing>,
    workloads: Vec<&'a str>,
    effort: String,
}

impl<'a> Summary<'a> {
    fn new(options: &Options, runs: &'a [Vec<Cell>]) -> Self {
        let mut workloads: Vec<&str> = Vec::new();
        for cell in runs.iter().flatten() {
            if !workloads.contains(&cell.workload.as_str()) {
                workloads.push(&cell.workload);
            }
        }
        let rounds = rounds(options);
        Self {
            runs,
            contenders: options.contenders(),
            chunks: options.chunks(&FRAMINGS),
            workloads,
            effort: format!("runs: {}, rounds: {rounds}", runs.len()),
        }
    }

    fn print(&self) {
        println!("{}; {}\n", machine(), self.effort);
        for chunk in &self.chunks {
            println!("### ns per event, chunks: {}\n", chunk.name());
            println!("{}", self.times(*chunk));
        }
        println!("### How many times as fast as the fastest peer\n");
        println!("{}", self.ratios(|role| role != Role::Face));
        println!("### How many times as fast as the fastest peer that is a stream\n");
        println!("{}", self.ratios(|role| role == Role::Face));
        println!("### How many times the time of `memchr2 + simdutf8`\n");
        println!("{}", self.shares());
        println!("### Not timed\n");
        list(&self.not_timed());
        println!("\n### Targets missed\n");
        list(&self.misses());
    }

    fn head(&self) -> Vec<String> {
        let names = self.workloads.iter().map(|name| (*name).to_owned());
        std::iter::once(String::new()).chain(names).collect()
    }

    /// One cell, as each run saw it.
    fn cells(&self, workload: &str, chunk: Framing) -> impl Iterator<Item = &Cell> {
        let cells = self.runs.iter().flatten();
        cells.filter(move |cell| cell.workload == workload && cell.chunk == chunk)
    }

    fn times(&self, chunk: Framing) -> String {
        let rows = self.contenders.iter().map(|contender| {
            let times = self.workloads.iter().map(|workload| {
                let cells = self.cells(workload, chunk);
                let least = cells.filter_map(|cell| cell.minimum(contender.name));
                let least = least.min_by(f64::total_cmp);
                match least {
                    Some(time) if self.leads(contender, workload, chunk) => {
                        format!("**{}**", table::short(time))
                    }
                    Some(time) => table::short(time),
                    None => "–".to_owned(),
                }
            });
            std::iter::once(contender.name.to_owned())
                .chain(times)
                .collect()
        });
        table::markdown(&self.head(), &rows.collect::<Vec<_>>())
    }

    /// Whether it is the peer that everstream's parser is held against in this cell.
    fn leads(&self, contender: &Contender, workload: &str, chunk: Framing) -> bool {
        contender.role.rivals(Role::Borrowed)
            && self.cells(workload, chunk).any(|cell| {
                self.fastest_rival(cell, Role::Borrowed) == cell.minimum(contender.name)
            })
    }

    fn fastest_rival(&self, cell: &Cell, ours: Role) -> Option<f64> {
        let peers = self.contenders.iter().filter(|one| one.role.rivals(ours));
        let times = peers.filter_map(|peer| cell.minimum(peer.name));
        times.min_by(f64::total_cmp)
    }

    /// The median over the runs of the ratio to the fastest rival of the same run.
    fn ratio(&self, contender: &Contender, workload: &str, chunk: Framing) -> Option<f64> {
        let cells = self.cells(workload, chunk);
        let ratios = cells.filter_map(|cell| {
            Some(self.fastest_rival(cell, contender.role)? / cell.minimum(contender.name)?)
        });
        median(ratios.collect())
    }

    /// The median over the runs of the multiple of the bare scan of the same run.
    fn share(&self, contender: &Contender, workload: &str, chunk: Framing) -> Option<f64> {
        let cells = self.cells(workload, chunk);
        let shares =
            cells.filter_map(|cell| Some(cell.minimum(contender.name)? / cell.minimum(SCAN)?));
        median(shares.collect())
    }

    fn ours(&self) -> impl Iterator<Item = &Contender> {
        self.contenders.iter().filter(|one| one.role.is_ours())
    }

    fn ratios(&self, asked: fn(Role) -> bool) -> String {
        let mut rows = Vec::new();
        for chunk in &self.chunks {
            for contender in self.ours().filter(|one| asked(one.role)) {
                let ratios = self.workloads.iter().map(|workload| {
                    let target = targets::ratio(contender.role, workload, *chunk);
                    match self.ratio(contender, workload, *chunk) {
                        Some(ratio) if target.is_some_and(|target| ratio < target) => {
                            format!("{ratio:.2}!")
                        }
                        Some(ratio) => format!("{ratio:.2}"),
                        None => "–".to_owned(),
                    }
                });
                let name = format!("{}, {}", contender.name, chunk.name());
                rows.push(std::iter::once(name).chain(ratios).collect());
            }
        }
        table::markdown(&self.head(), &rows)
    }

    fn shares(&self) -> String {
        let mut rows = Vec::new();
        for chunk in &self.chunks {
            for contender in self.ours() {
                if targets::limit(contender.role, *chunk).is_none() {
                    continue;
                }
                let shares = self.workloads.iter().map(|workload| {
                    let share = self.share(contender, workload, *chunk);
                    share.map_or_else(|| "–".to_owned(), |share| format!("{share:.2}"))
                });
                let name = format!("{}, {}", contender.name, chunk.name());
                rows.push(std::iter::once(name).chain(shares).collect());
            }
        }
        table::markdown(&self.head(), &rows)
    }

    fn not_timed(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for cell in self.runs.iter().flatten() {
            for result in &cell.results {
                if let Outcome::None(why) = &result.outcome {
                    let (name, workload) = (&result.contender, &cell.workload);
                    let chunk = cell.chunk.name();
                    reasons.push(format!("{name} on {workload}, {chunk}: {why}"));
                }
            }
        }
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    /// The missed targets, a line for each contender and chunking: what it is and what it ought to
    /// be, for each workload.
    fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        for chunk in &self.chunks {
            for contender in self.ours() {
                let (mut slower, mut longer) = (String::new(), String::new());
                for workload in &self.workloads {
                    let ratio = self.ratio(contender, workload, *chunk);
                    let target = targets::ratio(contender.role, workload, *chunk);
                    if let (Some(ratio), Some(target)) = (ratio, target)
                        && ratio < target
                    {
                        slower += &format!(" {workload} {ratio:.2} ({target});");
                    }
                    let share = self.share(contender, workload, *chunk);
                    let limit = targets::limit(contender.role, *chunk);
                    if let (Some(share), Some(limit)) = (share, limit)
                        && share > limit
                    {
                        longer += &format!(" {workload} {share:.2} ({limit});");
                    }
                }
                let who = format!("{}, {}", contender.name, chunk.name());
                if !slower.is_empty() {
                    misses.push(format!("{who}, as fast as the fastest peer:{slower}"));
                }
                if !longer.is_empty() {
                    misses.push(format!("{who}, as long as the bare scan:{longer}"));
                }
            }
        }
        misses
    }
}

fn list(entries: &[String]) {
    for entry in entries {
        println!("- {entry}");
    }
    if entries.is_empty() {
        println!("None.");
    }
}

/// What this machine calls itself.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(": ")?.1.to_owned())
        });
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{model}, cores: {cores}")
}
