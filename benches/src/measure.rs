//! Timing: CPU time of one thread, in rounds that all contenders of a cell take part in by turns.

use std::time::Duration;

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};

use crate::{
    contenders::{Contender, Failure},
    workloads::{Framing, Workload},
};

/// How thoroughly a cell is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often each contender is timed.
    pub rounds: usize,
    /// How long one contender may take for its check, and after that for all its rounds. A peer
    /// that needs longer for the check is not timed, who is slow is timed in fewer rounds.
    pub patience: Duration,
}

/// How long everstream may take for its check: nobody is to wonder what its time would have been.
const LONG: Duration = Duration::from_secs(60);

impl Effort {
    /// The rounds that fit into the patience, where one takes `once`: at least two, so that the
    /// first does not stand alone.
    fn rounds_of(self, once: Duration) -> usize {
        let fit = self.patience.as_secs_f64() / once.as_secs_f64().max(1e-9);
        self.rounds.min((fit as usize).max(2))
    }
}

/// One workload in one chunking, and what became of each contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cell {
    /// The workload's name.
    pub workload: String,
    /// The chunking.
    pub chunk: Framing,
    /// The size of the input, in bytes.
    pub bytes: usize,
    /// How many events the input holds.
    pub events: u64,
    /// A result for each contender.
    pub results: Vec<Result>,
}

/// What became of one contender in one cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Result {
    /// The contender's name.
    pub contender: String,
    /// Its time, or why there is none.
    pub outcome: Outcome,
}

/// A time, or why there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It parsed the right events, in this CPU time per event.
    Time {
        /// The fastest round, in nanoseconds per event.
        minimum: f64,
        /// The median round, in nanoseconds per event.
        median: f64,
    },
    /// It was not timed, for this reason.
    None(String),
}

impl Cell {
    /// Checks all contenders, then times those that were right.
    #[must_use]
    pub fn measure(
        workload: &Workload,
        chunk: Framing,
        contenders: &[Contender],
        effort: Effort,
    ) -> Self {
        let mut lanes: Vec<Lane> = contenders
            .iter()
            .filter(|one| chunk != Framing::Waited || one.role.waits())
            .map(|contender| Lane::check(*contender, workload, chunk, effort))
            .collect();
        for round in 0..effort.rounds {
            // Each round begins with another contender, so that nobody always follows the same.
            let first = round % lanes.len().max(1);
            let (behind, ahead) = lanes.split_at_mut(first);
            for lane in ahead.iter_mut().chain(behind) {
                lane.round(round, workload, chunk, effort);
            }
        }
        Self {
            workload: workload.name.to_owned(),
            chunk,
            bytes: workload.input.len(),
            events: workload.expected.events,
            results: lanes
                .into_iter()
                .map(|lane| lane.result(workload.expected.events))
                .collect(),
        }
    }

    /// The fastest round of a contender, in nanoseconds per event, if it was timed.
    #[must_use]
    pub fn minimum(&self, contender: &str) -> Option<f64> {
        let result = self.results.iter().find(|one| one.contender == contender)?;
        match result.outcome {
            Outcome::Time { minimum, .. } => Some(minimum),
            Outcome::None(_) => None,
        }
    }
}

/// One contender's way through the rounds of a cell.
struct Lane {
    contender: Contender,
    failure: Option<Failure>,
    times: Vec<Duration>,
}

impl Lane {
    fn check(contender: Contender, workload: &Workload, chunk: Framing, effort: Effort) -> Self {
        let patience = if contender.role.is_ours() {
            LONG
        } else {
            effort.patience
        };
        let failure = contender.check(workload, chunk, patience).err();
        Self {
            contender,
            failure,
            times: Vec::new(),
        }
    }

    fn round(&mut self, round: usize, workload: &Workload, chunk: Framing, effort: Effort) {
        let rounds = self.times.first().map(|first| effort.rounds_of(*first));
        if self.failure.is_some() || rounds.is_some_and(|rounds| round >= rounds) {
            return;
        }
        match time(&self.contender, workload, chunk) {
            Ok(time) => self.times.push(time),
            Err(why) => self.failure = Some(Failure::Wrong(why)),
        }
    }

    fn result(mut self, events: u64) -> Result {
        self.times.sort_unstable();
        let per_event = |time: &Duration| time.as_secs_f64() * 1e9 / events.max(1) as f64;
        let middle = self.times.len() / 2;
        let outcome = match (self.failure, self.times.first(), self.times.get(middle)) {
            (None, Some(minimum), Some(median)) => Outcome::Time {
                minimum: per_event(minimum),
                median: per_event(median),
            },
            (Some(failure), ..) => Outcome::None(failure.to_string()),
            (None, ..) => Outcome::None("not timed".into()),
        };
        Result {
            contender: self.contender.name.to_owned(),
            outcome,
        }
    }
}

/// Gets the allocator into the state of a process that has been running for a while.
///
/// glibc maps large blocks afresh each time, page faults and all, until it has seen one of that
/// size freed. Who comes first would pay for that, several times what parsing costs.
pub fn settle_allocator() {
    // Just under the size from which it never stops doing so.
    drop(std::hint::black_box(vec![1_u8; 31 << 20]));
}

/// The CPU time that one contender takes for the whole workload.
///
/// # Errors
///
/// What the parser said, though it was right when it was checked.
pub fn time(
    contender: &Contender,
    workload: &Workload,
    chunk: Framing,
) -> std::result::Result<Duration, String> {
    let start = ThreadTime::now();
    contender.run(&workload.input, chunk)?;
    Ok(start.elapsed())
}

/// The middle of some numbers, the upper one of the two where they are even, or `None` of none.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}
