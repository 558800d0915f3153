//! Any life of an answer or a feed: bytes come in pieces, time passes with the stream watched or
//! not, it is moved, reconnected and dropped, and the task's budget runs out. What was sent comes
//! out as the plain parser reads it, nothing waits in vain, and no limit is exceeded early.
#![no_main]

#[path = "faces/model.rs"]
mod model;
#[path = "faces/subject.rs"]
mod subject;

use std::{cell::RefCell, future::poll_fn, pin::pin, task::Poll, time::Duration};

use arbitrary::{Result, Unstructured};
use everstream::{Error, EventSourceHandle, Oversized, ReadyState, Signal, bytes::Bytes};
use everstream_fuzz::{
    executor::{self, PolledWhenWoken, Spending, Wakers},
    server::{Answer, End, Server},
};
use futures_util::StreamExt;
use libfuzzer_sys::fuzz_target;
use model::Model;
use subject::{Options, Subject};
use tokio::{
    runtime::Runtime,
    task::{coop::unconstrained, yield_now},
    time::{advance, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than any wait between two connections.
const LONG: Duration = Duration::from_secs(2 * 60 * 60);

/// Longer lives find nothing that these do not.
const MOST_OPS: usize = 64;
/// The clock of a runtime goes only so far.
const LIVES_OF_A_RUNTIME: usize = 10_000;

thread_local! {
    static RUNTIME: RefCell<(Option<Runtime>, usize)> = const { RefCell::new((None, 0)) };
}

fuzz_target!(|input: &[u8]| {
    RUNTIME.with_borrow_mut(|(runtime, lives)| {
        if *lives == 0 {
            (*runtime, *lives) = (Some(executor::runtime()), LIVES_OF_A_RUNTIME);
        }
        *lives -= 1;
        let runtime = runtime.as_ref().expect("it was just made");
        runtime.block_on(live(input));
    });
});

async fn live(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(options) = options(&mut input) else {
        return;
    };
    let Ok(ending) = input.int_in_range(0..=2) else {
        return;
    };
    let mut life = Life::new(&options);
    for _ in 0..MOST_OPS {
        if input.is_empty() || life.model.has_ended {
            break;
        }
        let Ok(()) = life.step(&mut input).await else {
            break;
        };
    }
    match ending {
        0 => life.is_still_heard().await,
        1 => life.is_still_limited().await,
        _ => {}
    }
    let server = life.server.clone();
    drop(life);
    assert!(!server.is_held(), "a connection outlives its stream");
}

fn options(input: &mut Unstructured<'_>) -> Result<Options> {
    let flags: u8 = input.arbitrary()?;
    let limits: u8 = input.arbitrary()?;
    let limit = |number: u8| match number % 4 {
        0 => None,
        1 => Some(SECOND),
        2 => Some(16 * SECOND),
        _ => Some(300 * SECOND),
    };
    Ok(Options {
        is_feed: flags & 1 == 1,
        signals: flags & 2 == 2,
        handle: flags & 4 == 4,
        is_cooperative: flags & 8 == 8,
        wakers: if flags & 16 == 16 {
            Wakers::Fresh
        } else {
            Wakers::Same
        },
        oversized: if flags & 32 == 32 {
            Oversized::Skip
        } else {
            Oversized::Error
        },
        max_event_bytes: if flags & 64 == 64 { 24 } else { 1 << 20 },
        headers: match flags & 128 == 128 {
            true => Some(limit(limits)),
            false => limit(limits).map(Some),
        },
        idle: limit(limits >> 2),
        first_event: limit(limits >> 4),
        event: limit(limits >> 6),
    })
}

/// A stream, what polls it, and what is known of it.
struct Life {
    subject: PolledWhenWoken<Spending<Subject>>,
    handle: Option<EventSourceHandle>,
    server: Server,
    model: Model,
}

impl Life {
    fn new(options: &Options) -> Self {
        let server = Server::default();
        server.act(|state| state.is_cooperative = options.is_cooperative);
        let mut subject = Subject::new(options, &server);
        let handle = subject.handle().filter(|_| options.handle);
        Self {
            subject: PolledWhenWoken::new(options.wakers, Spending::new(0, subject)),
            handle,
            model: Model::new(options, &server),
            server,
        }
    }

    async fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=17)? {
            0..=3 => {
                let length = input.int_in_range(0..=24)?;
                let length = length.min(input.len());
                self.send(Bytes::copy_from_slice(input.bytes(length)?));
            }
            4 | 5 => {
                let piece = input.choose(&PIECES)?;
                self.send(Bytes::from_static(piece.as_bytes()));
            }
            6 => self.answer(Answer::Accept),
            7 => {
                let status = *input.choose(&[503, 500, 429, 204, 404])?;
                self.answer(Answer::Refuse(status));
            }
            8 => self.answer(Answer::Fail),
            9 => self.end(*input.choose(&[End::Clean, End::Cut])?),
            10 => self.take(input.int_in_range(1..=4)?).await,
            11 => self.settle().await,
            12 => self.watch(time(input)?).await,
            13 => {
                let time = time(input)?;
                self.model.pass_unwatched(time);
                advance(time).await;
            }
            14 => self.subject.move_on(),
            15 => self.subject.get_mut().spend(input.int_in_range(0..=130)?),
            16 => {
                if let Some(handle) = &self.handle {
                    let _ = handle.reconnect();
                }
            }
            _ => {
                let handle = self
                    .handle
                    .as_ref()
                    .filter(|_| input.ratio(1, 8) == Ok(true));
                if let Some(handle) = handle {
                    handle.close();
                    self.model.may_end = true;
                }
            }
        }
        Ok(())
    }

    fn send(&self, chunk: Bytes) {
        self.server.act(|state| {
            if state.answer == Some(Answer::Accept) && state.end.is_none() {
                state.chunks.push_back(chunk);
            }
        });
    }

    fn answer(&self, answer: Answer) {
        self.server.act(|state| {
            if state.requests > 0 && state.answer.is_none() {
                state.answer = Some(answer);
                // What a refusal says is not for the model.
                if let Answer::Refuse(_) = answer {
                    state.end = Some(End::Clean);
                }
            }
        });
    }

    fn end(&self, end: End) {
        self.server.act(|state| {
            if state.answer == Some(Answer::Accept) {
                state.end.get_or_insert(end);
            }
        });
    }

    /// Takes as many items, or as many as there are.
    async fn take(&mut self, most: usize) {
        poll_fn(|cx| {
            for _ in 0..most {
                if !self.poll(cx) {
                    break;
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Whether there was an item.
    fn poll(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        if self.model.has_ended || !self.subject.is_due() {
            return false;
        }
        let polled = self.subject.poll_next_unpin(cx);
        let subject = self.subject.get_mut();
        self.model.see(&polled, subject.get_ref());
        // Only once, as in real life.
        subject.spend(0);
        polled.is_ready()
    }

    /// Lets everything happen that needs no time.
    async fn settle(&mut self) {
        for _ in 0..1000 {
            self.take(usize::MAX).await;
            yield_now().await;
            if self.model.has_ended || !self.subject.is_due() {
                self.model.is_settled(self.subject.get_mut().get_ref());
                return;
            }
        }
        panic!("it is woken over and over");
    }

    /// Lets time pass, with the stream watched.
    async fn watch(&mut self, time: Duration) {
        self.watch_until(time, |_| false).await;
    }

    /// The same, until something has happened.
    async fn watch_until(&mut self, time: Duration, mut happened: impl FnMut(&Self) -> bool) {
        self.settle().await;
        let mut asleep = pin!(unconstrained(sleep(time)));
        poll_fn(|cx| {
            while self.poll(cx) {}
            match happened(self) {
                true => Poll::Ready(()),
                false => asleep.as_mut().poll(cx),
            }
        })
        .await;
        self.settle().await;
    }

    /// However it has come here: what the server sends now is heard.
    async fn is_still_heard(&mut self) {
        // It may have to be asked for, and a limit may pass meanwhile.
        for _ in 0..4 {
            self.settle().await;
            if self.model.has_ended {
                return;
            }
            if self.is_open() {
                let events = self.model.events;
                self.send(Bytes::from_static(b"\n\ndata: 1\n\n"));
                self.settle().await;
                let heard = self.model.events > events || self.model.has_ended;
                assert!(heard, "what was sent is not heard");
                return;
            }
            let requests = self.server.state().requests;
            let answered = self.server.state().answer.is_some();
            if answered || !self.server.is_held() {
                let again = |life: &Self| life.server.state().requests > requests;
                self.watch_until(LONG, again).await;
                assert!(again(self) || self.model.has_ended, "it waits for ever");
            }
            self.answer(Answer::Accept);
        }
        panic!("it does not come to hear");
    }

    fn is_open(&mut self) -> bool {
        self.subject.get_mut().get_ref().ready_state() == ReadyState::Open
            && self.server.state().end.is_none()
    }

    /// However it got here: a limit passes if nothing more arrives.
    async fn is_still_limited(&mut self) {
        self.settle().await;
        let requests = self.server.state().requests;
        let limit = self.model.limit().filter(|_| self.server.is_held());
        let Some(limit) = limit.filter(|_| !self.model.has_ended) else {
            return;
        };
        let lost = |life: &Self| {
            let again = life.server.state().requests > requests;
            again || !life.server.is_held() || life.model.has_ended
        };
        self.watch_until(limit + SECOND, lost).await;
        assert!(lost(self), "no limit has passed after {limit:?}");
    }
}

fn time(input: &mut Unstructured<'_>) -> Result<Duration> {
    Ok(match input.int_in_range(0..=3)? {
        0 => Duration::from_millis(input.arbitrary::<u8>()?.into()),
        1 => Duration::from_millis(input.arbitrary::<u16>()?.into()),
        2 => SECOND * input.arbitrary::<u8>()?.into(),
        _ => SECOND,
    })
}

/// Long enough to be found by chance only now and then.
const PIECES: [&str; 12] = [
    "",
    "data: x\n\n",
    "data: x\ndata: y\nid: 7\n\n",
    "event: ping\ndata\r\n\r\n",
    "id: 8\n\n",
    "id\n\n",
    "retry: 100\n\n",
    "retry: 0\n",
    ": alive\n",
    "data: cut",
    "\n\n",
    "data: 0123456789012345678901234567890\n\n",
];

/// What a stream yields: an event is a signal, too.
type Item = std::result::Result<Signal, Error>;
