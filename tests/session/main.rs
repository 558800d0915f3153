//! Any sequence of calls to the session, compared with a model.

mod model;

use everstream::__session::Rules;
use model::{Model, Op};
use proptest::prelude::*;

fn op() -> impl Strategy<Value = Op> {
    let status = prop_oneof![
        Just(200u16),
        Just(204),
        Just(401),
        Just(404),
        Just(429),
        Just(500),
        Just(501),
        Just(503),
        100u16..=999,
    ];
    let retry_after = proptest::option::of(prop_oneof![0u64..200, Just(u64::MAX)]);
    let millis = prop_oneof![0u64..10_000, 0u64..200_000, Just(u64::MAX)];
    prop_oneof![
        4 => Just(Op::Connect),
        3 => Just(Op::Accept),
        2 => (status, retry_after).prop_map(|(status, after)| Op::Refuse(status, after)),
        2 => (0u8..16).prop_map(Op::Fail),
        2 => Just(Op::End),
        2 => Just(Op::Event),
        3 => millis.clone().prop_map(Op::Pass),
        3 => Just(Op::PassDeadline),
        1 => proptest::option::of(millis.clone()).prop_map(Op::Retry),
        1 => (0u8..4, millis).prop_map(|(kind, millis)| Op::Advise(kind, millis)),
        1 => Just(Op::Ask),
        1 => Just(Op::Wake),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let limit = proptest::option::of(0u32..6);
    let elapsed =
        proptest::option::of(0u64..1000).prop_map(|it| it.map(std::time::Duration::from_secs));
    let flags = (
        prop::bool::weighted(0.8),
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    (limit.clone(), limit, elapsed, flags).prop_map(
        |(
            max_initial_failures,
            max_consecutive_failures,
            max_elapsed,
            (repeats, fresh, standard),
        )| Rules {
            max_initial_failures,
            max_consecutive_failures,
            max_elapsed,
            repeats,
            fresh,
            standard,
            ..Rules::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_for_any_sequence(
        rules in rules(),
        seed: u64,
        ops in prop::collection::vec(op(), 0..60),
        close in proptest::option::of(0usize..60),
    ) {
        let mut model = Model::new(rules, seed);
        for (n, op) in ops.into_iter().enumerate() {
            if close == Some(n) {
                model.step(Op::Close);
            }
            model.step(op);
        }
    }
}

/// The model itself runs through a whole session, so the comparison is not trivial.
#[test]
fn the_model_runs_a_whole_session() {
    let mut model = Model::new(Rules::default(), 1);
    for op in [
        Op::Connect,
        Op::Accept,
        Op::Event,
        Op::End,
        Op::PassDeadline,
        Op::Wake,
        Op::Connect,
        Op::Refuse(503, Some(7)),
        Op::PassDeadline,
        Op::Wake,
        Op::Connect,
        Op::Accept,
        Op::Fail(0),
        Op::Close,
    ] {
        model.step(op);
    }
    assert_eq!((model.requests(), model.waits()), (3, 3));
}
