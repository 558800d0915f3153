//! Once an answer is complete, a failure of its connection is not an error.

use std::{io, time::Duration};

use everstream::{
    Contract, Contracted, Error, ErrorKind, EventStream, EventStreamExt, Signal, Timeout,
    Unfinished, bytes::Bytes,
};
use futures_util::{Stream, StreamExt, stream};

use crate::transcripts::{self, Outcome};

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is cut.
    Breaks,
    /// It falls silent.
    IsSilent,
    /// It sends comments, and no event.
    Stalls,
    /// It is cut within another event.
    BreaksWithinAnEvent,
    /// It ends within another event.
    EndsWithinAnEvent,
}

const FATES: [Fate; 5] = [
    Fate::Breaks,
    Fate::IsSilent,
    Fate::Stalls,
    Fate::BreaksWithinAnEvent,
    Fate::EndsWithinAnEvent,
];

impl Fate {
    /// The error if the answer is not complete.
    fn error(self) -> ErrorKind {
        match self {
            Self::Breaks | Self::BreaksWithinAnEvent => ErrorKind::Body,
            Self::IsSilent => ErrorKind::Timeout(Timeout::Idle),
            Self::Stalls => ErrorKind::Timeout(Timeout::Event),
            Self::EndsWithinAnEvent => ErrorKind::Incomplete,
        }
    }

    fn after(self, body: &str) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let broken = || Err(io::ErrorKind::ConnectionReset.into());
        let half = || Ok(Bytes::from("data: {\"cho"));
        let rest = match self {
            Self::Breaks => stream::iter([broken()]).boxed(),
            Self::IsSilent => stream::pending().boxed(),
            Self::Stalls => stream::repeat(())
                .then(|()| async {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    Ok(Bytes::from(":\n\n"))
                })
                .boxed(),
            Self::BreaksWithinAnEvent => stream::iter([half(), broken()]).boxed(),
            Self::EndsWithinAnEvent => stream::iter([half()]).boxed(),
        };
        stream::iter([Ok(Bytes::from(body.to_owned()))]).chain(rest)
    }

    fn answer(self, body: &str, contract: Contract) -> Contracted {
        EventStream::builder(self.after(body))
            .event_timeout(Duration::from_secs(60))
            .idle_timeout(Duration::from_secs(20))
            .unfinished(Unfinished::Error)
            .contract(contract)
            .build()
    }
}

async fn end(mut answer: Contracted) -> Result<(), ErrorKind> {
    while answer
        .next_event()
        .await
        .map_err(|error| error.kind())?
        .is_some()
    {}
    assert_eq!(answer.next_event().await.map_err(|it| it.kind()), Ok(None));
    Ok(())
}

/// Where the events of a body end.
fn ends(body: &str) -> impl Iterator<Item = usize> {
    body.match_indices("\n\n").map(|(at, end)| at + end.len())
}

#[tokio::test(start_paused = true)]
async fn a_complete_answer_ends_cleanly_whatever_happens_to_its_connection() {
    let (mut whole, mut cut) = (0, 0);
    for row in &transcripts::all() {
        for at in ends(&row.body) {
            for fate in FATES {
                let expected = match row.outcome {
                    Outcome::Whole { from } | Outcome::OnlyWithMark { from } if at >= from => {
                        whole += 1;
                        Ok(())
                    }
                    Outcome::Fails { from } if at >= from => Err(ErrorKind::ErrorEvent),
                    _ => {
                        cut += 1;
                        Err(fate.error())
                    }
                };
                let answer = fate.answer(&row.body[..at], row.api.contract());
                let name = format!("{}, {fate:?} after byte {at}", row.name);
                assert_eq!(end(answer).await, expected, "{name}");
            }
        }
    }
    assert!(whole > 100 && cut > 100, "{whole}, {cut}");
}

/// Only the answer itself can say that it is complete. That the body may end anywhere is not
/// enough.
#[tokio::test(start_paused = true)]
async fn or_at_end_does_not_excuse_a_broken_connection() {
    let is_stop = |event: &everstream::Event| event.data() == "stop";
    let contracts: [fn() -> Contract; 4] = [
        Contract::new,
        || Contract::new().or_at_end(),
        || Contract::new().error_when(|_| false),
        || Contract::openai_chat().or_at_end(),
    ];
    let said = || Contract::new().or_at_end_after(is_stop);
    for fate in FATES {
        for contract in contracts {
            let is = end(fate.answer("data: stop\n\n", contract())).await;
            assert_eq!(is, Err(fate.error()), "{fate:?}");
        }
        for (body, expected) in [
            ("data: stop\n\n", Ok(())),
            ("data: stop\n\ndata: usage\n\n", Ok(())),
            ("data: go\n\n", Err(fate.error())),
        ] {
            assert_eq!(end(fate.answer(body, said())).await, expected, "{fate:?}");
            let and_at_end = said().or_at_end();
            assert_eq!(end(fate.answer(body, and_at_end)).await, expected);
        }
    }
}

#[tokio::test]
async fn the_same_holds_for_signals_and_foreign_streams() {
    let body = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\n";
    let events = || EventStream::new(Fate::Breaks.after(body));
    let mut signals = events().signals().contract(Contract::openai_chat());
    let first = signals.next_signal().await.unwrap();
    assert!(matches!(first, Some(Signal::Event(_))), "{first:?}");
    assert!(signals.next_signal().await.unwrap().is_none());

    let theirs = events().inspect(|_| {}).contract(Contract::openai_chat());
    assert_eq!(
        theirs
            .map(|it| it.map(drop).map_err(|it| it.kind()))
            .collect::<Vec<_>>()
            .await,
        [Ok(())]
    );

    // Errors that don't come from the connection are still errors.
    let error = Error::new(ErrorKind::Other, "no");
    let chunks = stream::iter([Err(error)]);
    let mixed = events()
        .take(1)
        .chain(chunks)
        .contract(Contract::openai_chat());
    let last = mixed
        .map(|it| it.map(drop).map_err(|it| it.kind()))
        .collect::<Vec<_>>()
        .await;
    assert_eq!(last, [Ok(()), Err(ErrorKind::Other)]);
}
