//! [`Alarm`]: the sleep of every time limit and every wait.

use std::task::{Context, Poll, Waker};

use super::{Instant, clock::Sleep};

/// A deadline that often moves and rarely fires.
///
/// Wakes the waker that polled last, at the deadline or earlier, in any task or runtime, even if
/// the task's cooperative budget is used up.
///
/// The inner sleep does not move with the deadline, and is polled only if something has changed.
/// Waiting for another chunk only costs reading the clock and the current runtime.
///
/// It panics outside a Tokio runtime with its timer enabled.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Sleep>,
    /// The waker that the sleep wakes. While this is kept, no other waker can be equal to it.
    waker: Option<Waker>,
}

impl Alarm {
    /// Returns `Ready` once `deadline` has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let now = Instant::now();
        if now >= deadline {
            return Poll::Ready(());
        }
        self.wake_at(cx, now, deadline);
        Poll::Pending
    }

    /// Whether the last waker was woken, or the caller has left the runtime in which it was set.
    pub(crate) fn has_fired(&self) -> bool {
        self.sleep.as_ref().is_some_and(|sleep| !sleep.is_set())
    }

    /// Whether the current sleep will wake the task, after `now`.
    #[inline]
    pub(crate) fn will_wake(&self, cx: &Context<'_>, now: Instant) -> bool {
        self.sleep.as_ref().is_some_and(|sleep| {
            now < sleep.deadline() && is_known(self.waker.as_ref(), cx) && sleep.is_set()
        })
    }

    /// Arranges for the task to be woken at `until`, or earlier.
    pub(crate) fn wake_at(&mut self, cx: &mut Context<'_>, now: Instant, until: Instant) {
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                let in_time = now < sleep.deadline() && sleep.deadline() <= until;
                if !in_time || !sleep.is_set() {
                    sleep.reset(until);
                } else if is_known(self.waker.as_ref(), cx) {
                    return;
                }
                sleep
            }
            none => none.insert(Sleep::until(until)),
        };
        if sleep.poll(cx).is_ready() {
            // It has just fired: the next poll will see that.
            cx.waker().wake_by_ref();
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }
}

#[inline]
fn is_known(waker: Option<&Waker>, cx: &Context<'_>) -> bool {
    // A runtime may pass a borrowed waker to the task, as Tokio's `block_on` does. Its vtable has
    // the same contents as that of its clones, but another address.
    waker.is_some_and(|waker| {
        let lent = cx.waker();
        let is_same = waker.data() == lent.data() && waker.vtable() == lent.vtable();
        is_same || waker.will_wake(&lent.clone())
    })
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering::Relaxed},
        },
        task::Wake,
        time::Duration,
    };

    use tokio::{
        runtime::{Builder, Runtime},
        task::coop::{consume_budget, has_budget_remaining},
        time::{sleep, timeout_at},
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// Polls once, and returns whether the deadline has passed.
    async fn has_fired(alarm: &mut Alarm, deadline: Instant) -> bool {
        poll_fn(|cx| Poll::Ready(alarm.poll(cx, deadline).is_ready())).await
    }

    async fn fires(alarm: &mut Alarm, deadline: Instant) {
        poll_fn(|cx| alarm.poll(cx, deadline)).await;
    }

    /// Counts how often it was called.
    #[derive(Default)]
    struct Calls(AtomicU32);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    impl Calls {
        fn count(&self) -> u32 {
            self.0.load(Relaxed)
        }

        fn poll(self: &Arc<Self>, alarm: &mut Alarm, deadline: Instant) -> Poll<()> {
            let waker = Waker::from(Arc::clone(self));
            alarm.poll(&mut Context::from_waker(&waker), deadline)
        }

        /// Whether the alarm promises a wake-up without another poll.
        fn are_promised(self: &Arc<Self>, alarm: &Alarm) -> bool {
            let waker = Waker::from(Arc::clone(self));
            alarm.will_wake(&Context::from_waker(&waker), Instant::now())
        }
    }

    fn paused() -> Runtime {
        let mut runtime = Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_moved_deadline_fires_at_its_last_position() {
        let start = Instant::now();
        let mut alarm = Alarm::default();
        for seconds in [10, 5, 20] {
            assert!(!has_fired(&mut alarm, start + seconds * SECOND).await);
        }
        fires(&mut alarm, start + 20 * SECOND).await;
        let elapsed = start.elapsed();
        assert!(elapsed >= 20 * SECOND && elapsed < 21 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_task_is_woken_too() {
        let deadline = Instant::now() + SECOND;
        let mut alarm = Alarm::default();
        assert!(!has_fired(&mut alarm, deadline).await);
        tokio::spawn(async move { fires(&mut alarm, deadline).await })
            .await
            .unwrap();
        assert!(Instant::now() >= deadline);
    }

    /// A sleep without budget returns `Pending` without registering with the timer.
    #[tokio::test(start_paused = true)]
    async fn a_task_without_budget_is_still_woken() {
        for moved in [false, true] {
            let deadline = Instant::now() + SECOND;
            let mut alarm = Alarm::default();
            if moved {
                assert!(!has_fired(&mut alarm, deadline + SECOND).await);
            }
            let task = tokio::spawn(async move {
                while has_budget_remaining() {
                    consume_budget().await;
                }
                fires(&mut alarm, deadline).await;
            });
            let hung = timeout_at(deadline + HOUR, task).await.is_err();
            assert!(!hung, "moved: {moved}");
        }
    }

    /// Whatever the deadline was before, whether it has passed, and whose it was.
    #[tokio::test(start_paused = true)]
    async fn the_last_waker_is_called_by_the_last_deadline() {
        for (before, pause, after, known) in (0..4 * 5 * 4 * 2).map(|row| {
            let (before, pause, after) = (row / 40 + 1, row / 8 % 5, row / 2 % 4 + 1);
            (
                before * SECOND,
                pause * SECOND,
                after * SECOND,
                row % 2 == 0,
            )
        }) {
            let row = format!("{before:?}, a pause of {pause:?}, {after:?}, known: {known}");
            let first = Arc::new(Calls::default());
            let last = if known {
                Arc::clone(&first)
            } else {
                Arc::default()
            };
            let mut alarm = Alarm::default();
            assert!(!last.are_promised(&alarm), "{row}");
            assert!(first.poll(&mut alarm, Instant::now() + before).is_pending());
            sleep(pause).await;
            let rung = pause >= before;
            assert_eq!(
                (alarm.has_fired(), first.count()),
                (rung, rung.into()),
                "{row}"
            );
            assert_eq!(last.are_promised(&alarm), known && !rung, "{row}");
            let calls = last.count();
            assert!(last.poll(&mut alarm, Instant::now() + after).is_pending());
            assert!(last.are_promised(&alarm), "{row}");
            sleep(after).await;
            assert_eq!(last.count(), calls + 1, "{row}");
        }
    }

    /// Each poll has its own waker, and only the last one counts.
    #[tokio::test(start_paused = true)]
    async fn only_the_last_waker_is_called_and_only_once() {
        let deadline = Instant::now() + SECOND;
        let mut alarm = Alarm::default();
        let wakers: [Arc<Calls>; 4] = Default::default();
        for calls in &wakers {
            assert!(calls.poll(&mut alarm, deadline).is_pending());
            assert!(calls.poll(&mut alarm, deadline).is_pending());
        }
        sleep(HOUR).await;
        assert_eq!(wakers.each_ref().map(|calls| calls.count()), [0, 0, 0, 1]);
    }

    /// The waker of a `FuturesUnordered`, or of a blocked thread, is the same in every runtime.
    #[test]
    fn a_waker_is_woken_in_another_runtime_if_the_first_stands_still() {
        let calls = Arc::new(Calls::default());
        let mut alarm = Alarm::default();
        let runtimes = [paused(), paused(), paused()];
        for (turn, runtime) in (1..).zip(&runtimes) {
            runtime.block_on(async {
                assert!(!calls.are_promised(&alarm));
                let deadline = Instant::now() + HOUR;
                assert!(calls.poll(&mut alarm, deadline).is_pending());
                if turn == 3 {
                    sleep(2 * HOUR).await;
                    assert_eq!(calls.count(), 1);
                }
            });
        }
    }

    #[test]
    fn a_deadline_survives_its_runtime() {
        let calls = Arc::new(Calls::default());
        let mut alarm = Alarm::default();
        for turn in 0..3 {
            let runtime = paused();
            runtime.block_on(async {
                let deadline = Instant::now() + HOUR;
                assert!(calls.poll(&mut alarm, deadline).is_pending());
                assert!(calls.poll(&mut alarm, deadline + SECOND).is_pending());
                assert!(calls.poll(&mut alarm, deadline - SECOND).is_pending());
            });
            drop(runtime);
            assert_eq!(calls.count(), turn + 1, "whoever waits there is woken");
        }
        paused().block_on(async {
            let deadline = Instant::now() + SECOND;
            fires(&mut alarm, deadline).await;
            assert!(Instant::now() >= deadline);
        });
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_does_not_poll_needlessly() {
        let deadline = Instant::now() + HOUR;
        let mut alarm = Alarm::default();
        let mut polls = 0;
        let mut waiting = pin!(poll_fn(|cx| {
            polls += 1;
            alarm.poll(cx, deadline)
        }));
        poll_fn(|cx| waiting.as_mut().poll(cx)).await;
        assert_eq!(polls, 2);
    }

    #[test]
    #[should_panic(expected = "Tokio")]
    fn waiting_outside_a_runtime_panics() {
        let deadline = Instant::now() + HOUR;
        let _ = Arc::new(Calls::default()).poll(&mut Alarm::default(), deadline);
    }
}
