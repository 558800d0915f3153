//! An executor that checks a future's use of wakers: it polls the future only when the waker of its
//! last poll was called, after using up as much of the runtime's cooperative budget as a test
//! requires.
//!
//! Tokio's clock is paused, so a task that is never woken is found immediately, however long its
//! limits.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::{
    Stream, StreamExt,
    future::ready,
    stream::{self, BoxStream, FuturesUnordered},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::coop,
    time::sleep,
};

/// The budget of a task in Tokio.
pub const BUDGET: usize = 128;

/// No scenario takes so long.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// No scenario needs so many polls.
const MAX_POLLS: usize = 100_000;

/// A runtime on this thread with a clock that jumps whenever there is nothing to do.
pub fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap()
}

/// Which waker a poll has. Code that remembers the last one may fail with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakers {
    /// Always the same, as in a task.
    Same,
    /// A new one for each poll. Earlier ones do nothing.
    Fresh,
}

/// Runs a future that is polled only when it was woken.
///
/// The error says that it was not woken, or was woken endlessly.
pub fn run<F: Future>(runtime: &Runtime, wakers: Wakers, future: F) -> Result<F::Output, String> {
    let mut heeding = PolledWhenWoken::new(wakers, Box::pin(future));
    let output = runtime.block_on(async {
        tokio::select! {
            biased;
            output = &mut heeding => Some(output),
            () = sleep(PATIENCE) => None,
        }
    });
    output.ok_or_else(|| match heeding.polls {
        MAX_POLLS.. => "woken over and over for nothing".to_owned(),
        polls => format!("never woken after poll {polls}"),
    })
}

/// A waker that works until it is retired.
#[derive(Default)]
struct Call(Mutex<State>);

#[derive(Default)]
struct State {
    woken: bool,
    /// Whom to wake; nobody while it is polled, and once the waker is retired.
    task: Option<Waker>,
}

impl Call {
    /// Whether it was created since the last poll. If not, it wakes `task`.
    fn was_made(&self, task: &Waker) -> bool {
        let mut state = self.0.lock().unwrap();
        if !state.woken {
            state.task = Some(task.clone());
        }
        state.woken
    }

    /// A poll starts, for which it is valid.
    fn begin(&self, task: &Waker) {
        *self.0.lock().unwrap() = State {
            woken: false,
            task: Some(task.clone()),
        };
    }

    fn retire(&self) {
        self.0.lock().unwrap().task = None;
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        let mut state = self.0.lock().unwrap();
        state.woken = true;
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// A future or stream that is polled only if it was woken, or has more items.
pub struct PolledWhenWoken<T> {
    inner: T,
    wakers: Wakers,
    call: Arc<Call>,
    /// The last poll was pending.
    waits: bool,
    polls: usize,
}

impl<T> PolledWhenWoken<T> {
    pub fn new(wakers: Wakers, inner: T) -> Self {
        Self {
            inner,
            wakers,
            call: Arc::default(),
            waits: false,
            polls: 0,
        }
    }

    /// Whether it was woken, or has more items.
    pub fn is_due(&self) -> bool {
        !self.waits || self.call.0.lock().unwrap().woken
    }

    /// Polls it once more, because it was moved to another task.
    pub fn move_on(&mut self) {
        self.waits = false;
        std::mem::take(&mut self.call).retire();
    }

    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    fn poll_when_woken<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut T, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let idle = self.waits && !self.call.was_made(cx.waker());
        if idle || self.polls >= MAX_POLLS {
            return Poll::Pending;
        }
        self.polls += 1;
        if self.wakers == Wakers::Fresh {
            std::mem::take(&mut self.call).retire();
        }
        self.call.begin(cx.waker());
        let waker = Waker::from(Arc::clone(&self.call));
        let polled = poll(&mut self.inner, &mut Context::from_waker(&waker));
        self.waits = polled.is_pending();
        polled
    }
}

impl<F: Future + Unpin> Future for PolledWhenWoken<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_when_woken(cx, |future, cx| Pin::new(future).poll(cx))
    }
}

impl<S: Stream + Unpin> Stream for PolledWhenWoken<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.poll_when_woken(cx, |stream, cx| stream.poll_next_unpin(cx))
    }
}

/// A stream that uses up this much of the budget before each poll, like a consumer that sends the
/// items over a channel.
///
/// A poll without any budget is followed by one with the full budget, as in a runtime.
pub struct Spending<S> {
    inner: S,
    units: usize,
    had_budget: bool,
}

impl<S> Spending<S> {
    pub fn new(units: usize, inner: S) -> Self {
        Self {
            inner,
            units,
            had_budget: true,
        }
    }

    /// Sets how much is used up before the next polls.
    pub fn spend(&mut self, units: usize) {
        self.units = units;
    }

    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: Stream + Unpin> Stream for Spending<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.had_budget {
            spend(self.units);
        }
        self.had_budget = coop::has_budget_remaining();
        self.inner.poll_next_unpin(cx)
    }
}

/// Uses up this much of the budget of this poll, or all of it.
pub fn spend(units: usize) {
    let mut nobody = Context::from_waker(Waker::noop());
    for _ in 0..units {
        match coop::poll_proceed(&mut nobody) {
            Poll::Ready(unit) => unit.made_progress(),
            Poll::Pending => break,
        }
    }
}

/// Where a stream is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Alone,
    SelectAll,
    FuturesUnordered,
    Select,
    Join,
    /// Polled once where it is, and awaited in a task of its own, item after item.
    HandedOn,
}

impl Place {
    /// All that a stream yields there.
    pub async fn collect<T>(self, stream: BoxStream<'static, T>) -> Vec<T>
    where
        T: Send + 'static,
    {
        match self {
            Self::Alone => stream.collect().await,
            Self::SelectAll => among_streams(stream).await,
            Self::FuturesUnordered => among_futures(stream).await,
            Self::Select => selected(stream).await,
            Self::Join => joined(stream).await,
            Self::HandedOn => handed_on(stream).await,
        }
    }
}

/// Something else that happens all the time.
fn ticks() -> impl Stream<Item = ()> + Send {
    stream::unfold((), |()| async {
        sleep(Duration::from_secs(60)).await;
        Some(((), ()))
    })
}

async fn among_streams<T: Send + 'static>(stream: BoxStream<'static, T>) -> Vec<T> {
    // Something, a tick, or the end.
    let tagged = stream.map(|item| Some(Some(item)));
    let tagged = tagged.chain(stream::once(ready(None)));
    let silent = stream::pending().boxed();
    let ticks = ticks().map(|()| Some(None)).boxed();
    let stream = PolledWhenWoken::new(Wakers::Fresh, tagged).boxed();
    let mut all = stream::select_all([silent, ticks, stream]);
    let mut items = Vec::new();
    loop {
        match all.next().await.expect("ticks never end") {
            Some(Some(item)) => items.push(item),
            Some(None) => {}
            None => return items,
        }
    }
}

async fn among_futures<T: Send + 'static>(stream: BoxStream<'static, T>) -> Vec<T> {
    let mut all: FuturesUnordered<_> = [stream::pending().boxed(), stream]
        .into_iter()
        .map(StreamExt::into_future)
        .collect();
    let mut items = Vec::new();
    loop {
        match all.next().await.expect("one is for ever") {
            (Some(item), rest) => {
                items.push(item);
                all.push(rest.into_future());
            }
            (None, _) => return items,
        }
    }
}

async fn selected<T>(mut stream: BoxStream<'static, T>) -> Vec<T> {
    let mut ticks = pin!(ticks());
    let mut items = Vec::new();
    loop {
        tokio::select! {
            item = stream.next() => match item {
                Some(item) => items.push(item),
                None => return items,
            },
            _ = ticks.next() => {}
        }
    }
}

async fn joined<T>(stream: BoxStream<'static, T>) -> Vec<T> {
    let ticks = ticks().take(10).for_each(|()| async {});
    let (items, ()) = tokio::join!(stream.collect(), ticks);
    items
}

async fn handed_on<T: Send + 'static>(mut stream: BoxStream<'static, T>) -> Vec<T> {
    let mut items = Vec::new();
    loop {
        let first = poll_fn(|cx| Poll::Ready(stream.poll_next_unpin(cx))).await;
        let item = match first {
            Poll::Ready(item) => item,
            Poll::Pending => {
                let next = tokio::spawn(async { (stream.next().await, stream) });
                let (item, rest) = next.await.expect("no panic");
                stream = rest;
                item
            }
        };
        match item {
            Some(item) => items.push(item),
            None => return items,
        }
    }
}
