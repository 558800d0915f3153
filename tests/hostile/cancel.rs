//! Dropping cancels: after any number of polls, over a network and without one, no socket and no
//! task remains.

use std::{pin::pin, task::Poll};

use everstream::testing::Script;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::runtime::Handle;

use crate::*;

/// Polls as often as it is woken, at most `polls` times. Returns whether it has ended before.
async fn poll_times<S: Stream + Unpin>(stream: &mut S, mut polls: usize) -> bool {
    std::future::poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(false);
        }
        polls -= 1;
        match stream.poll_next_unpin(cx) {
            Poll::Ready(None) => return Poll::Ready(true),
            Poll::Ready(Some(_)) => cx.waker().wake_by_ref(),
            // The drop comes right after the poll, and not when there would be another.
            Poll::Pending if polls == 0 => return Poll::Ready(false),
            Poll::Pending => {}
        }
        Poll::Pending
    })
    .await
}

/// A little of everything, in pieces.
fn lives() -> Vec<Reply> {
    vec![
        events("id: 1\ndata: a\n\n: comment\n\ndata: b\n\ndata: half")
            .split_every(4)
            .cut(),
        Reply::status(503)
            .header("retry-after", "0")
            .raw("busy")
            .raw("!"),
        Reply::refuse(),
        events("data: c\n\n").informational(103).split_every(3),
        Reply::status(503).truncated_length(9),
        events("data: d\n\n").length_delimited(),
    ]
}

/// Tries all numbers of polls until the stream ends before them, each time from the start. Returns
/// how many there were.
async fn sweep<S, F>(open: impl Fn(&reqwest::Client, &Server) -> F) -> usize
where
    F: Future<Output = Option<S>>,
    S: Stream + Unpin,
{
    let client = client();
    for polls in 0.. {
        let server = Server::script(lives()).await;
        let ended = {
            let Some(mut stream) = open(&client, &server).await else {
                continue;
            };
            poll_times(&mut stream, polls).await
        };
        server.wait_until_closed().await;
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
        // The wait is the check: a connection that the client has closed already can be accepted at
        // any time, and then counts as open for a moment.
        server.wait_until_closed().await;
        assert!(server.requests().len() <= lives().len() + 1);
        if ended {
            return polls;
        }
    }
    unreachable!("all ends")
}

#[test]
fn dropping_a_source_after_any_number_of_polls_leaks_nothing() {
    alone(async {
        let polls = sweep(|client, server| {
            let feed = source(client, server).build().unwrap();
            async { Some(feed) }
        })
        .await;
        assert!(polls > lives().len(), "{polls} polls are no sweep");
        let polls = sweep(|client, server| {
            let feed = source(client, server).build().unwrap();
            async { Some(feed.signals()) }
        })
        .await;
        assert!(polls > lives().len(), "{polls} polls are no sweep");
    });
}

#[test]
fn dropping_an_answer_after_any_number_of_polls_leaks_nothing() {
    alone(async {
        // From the request on, and from the head on.
        let polls = sweep(|client, server| {
            let asked = answer(client, server).into_future();
            async move { Some(Box::pin(asked.into_stream().map(Result::unwrap).flatten())) }
        })
        .await;
        assert!(polls > 2, "{polls} polls are no sweep");
        let polls = sweep(|client, server| {
            let asked = answer(client, server).into_future();
            async move { Some(asked.await.unwrap().complete_on_data("b")) }
        })
        .await;
        assert!(polls > 1, "{polls} polls are no sweep");
    });
}

/// Also where what is dropped is the wait for what a server says to its refusal.
#[test]
fn dropping_a_refusal_after_any_number_of_polls_leaks_nothing() {
    alone(async {
        let client = client();
        for polls in 0..8 {
            let reply = Reply::status(500).raw("because").raw(" of").hold();
            let server = Server::script([reply]).await;
            let mut refused = pin!(answer(&client, &server).into_future().into_stream());
            // The body is held open: only the drop ends it.
            for _ in 0..polls {
                let _ = futures_util::poll!(refused.next());
                tokio::task::yield_now().await;
            }
            refused.set(answer(&client, &server).into_future().into_stream());
            server.wait_until_closed().await;
            while Handle::current().metrics().num_alive_tasks() > 0 {
                tokio::task::yield_now().await;
            }
            server.wait_until_closed().await;
        }
    });
}

/// Without a network, each number of polls is a point in the session, and with a paused clock every
/// wait is a poll.
#[test]
fn no_body_is_left_open_without_a_network() {
    let paused = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let reply = |step: Duration| {
        events("data: a\n\ndata: b\n\ndata: half")
            .delay_head(step)
            .split_every(2)
            .pace(step)
    };
    let step = Duration::from_millis(10);
    paused().block_on(async {
        let mut sweeps = 0;
        for polls in 0.. {
            let script = Script::new().reply(reply(step));
            let asked = script.events().into_future();
            let mut stream = Box::pin(asked.into_stream().map(Result::unwrap).flatten());
            let ended = poll_times(&mut stream, polls).await;
            drop(stream);
            assert_eq!(script.open_connections(), 0, "after {polls} polls");
            if ended {
                break;
            }
            sweeps = polls;
        }
        assert!(sweeps > 10, "{sweeps} polls are no sweep");

        // The same, with the wait for a refusal's body.
        let mut ended = false;
        for polls in 0..8 {
            let refusal = Reply::status(500)
                .delay_head(step)
                .raw("a")
                .pause(step)
                .raw("b");
            let script = Script::new().reply(refusal);
            let mut refused = Box::pin(script.events().into_future().into_stream());
            ended = poll_times(&mut refused, polls).await;
            drop(refused);
            assert_eq!(script.open_connections(), 0, "after {polls} polls");
        }
        assert!(ended, "it was swept to its end");
    });
}
