//! Any life of the session: whatever happens in whatever order, it does as the tests' model has
//! it, and no unsafe request is made twice.
#![no_main]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../../tests/session/model.rs"]
mod model;

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use everstream::__session::Rules;
use libfuzzer_sys::fuzz_target;
use model::{Model, Op};

/// Longer lives find nothing that these do not.
const LONGEST: usize = 256;

fuzz_target!(|input: &[u8]| {
    let mut input = Unstructured::new(input);
    let Ok(mut model) = begin(&mut input) else {
        return;
    };
    for _ in 0..LONGEST {
        match op(&mut input) {
            Ok(op) if !input.is_empty() => model.step(op),
            _ => break,
        }
    }
});

fn begin(input: &mut Unstructured<'_>) -> Result<Model> {
    let flags: u8 = input.arbitrary()?;
    let limit = |set: bool, input: &mut Unstructured<'_>| -> Result<Option<u32>> {
        set.then(|| input.int_in_range(0..=7)).transpose()
    };
    let rules = Rules {
        max_initial_failures: limit(flags & 1 == 1, input)?,
        max_consecutive_failures: limit(flags & 2 == 2, input)?,
        max_elapsed: if flags & 4 == 4 {
            Some(Duration::from_secs(input.arbitrary::<u16>()?.into()))
        } else {
            None
        },
        repeats: flags & 8 == 0,
        fresh: flags & 16 == 16,
        standard: flags & 32 == 32,
        ..Rules::default()
    };
    Ok(Model::new(rules, input.arbitrary::<u8>()?.into()))
}

fn op(input: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match input.int_in_range(0..=13)? {
        0 => Op::Connect,
        1 => Op::Accept,
        2 => Op::Refuse(input.int_in_range(100..=999)?, input.arbitrary()?),
        3 => Op::Refuse(
            *input.choose(&[204, 401, 408, 429, 500, 501, 503, 505])?,
            None,
        ),
        4 => Op::Fail(input.arbitrary()?),
        5 => Op::End,
        6 => Op::Event,
        7 => Op::Pass(input.arbitrary::<u32>()?.into()),
        8 => Op::PassDeadline,
        9 => Op::Wake,
        10 => Op::Retry(input.arbitrary()?),
        11 => Op::Advise(input.arbitrary()?, input.arbitrary::<u32>()?.into()),
        12 => Op::Ask,
        _ => Op::Close,
    })
}
