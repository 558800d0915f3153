//! The only file that sleeps or reads a clock, with the two clocks there are.
//!
//! `tokio::time` everywhere, so that tests can pause it; the browser's own where there is no Tokio
//! to run.

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod browser;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
mod native;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use self::browser as clock;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use self::native as clock;
pub(crate) use clock::{Instant, until, wall_clock};
use clock::{Sleep, sleep_until};

/// The moment so long after `since`; no clock counts more than a century.
pub(crate) fn after(since: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    since + time.min(CENTURY)
}

/// Lets `future` run for so long at most.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    until(after(Instant::now(), limit), future).await
}

/// A deadline that moves often and strikes seldom.
///
/// The sleep behind it is not moved with it, and is polled only when there is something new to
/// tell it: waiting for one more chunk costs a look at the clock.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom the sleep wakes.
    waker: Option<Waker>,
    /// A deadline that was noticed late, and until when it is put off.
    grace: Option<(Instant, Instant)>,
}

/// A deadline noticed this late was not watched: the task did not run, nor, perhaps, did what
/// would have brought it the bytes that were waiting. It is put off once, for as long.
pub(crate) const UNWATCHED: Duration = Duration::from_millis(500);

impl Alarm {
    /// Ready once `deadline` has passed and the runtime had the time to deliver what came before
    /// it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.poll_at(cx, Instant::now(), deadline)
    }

    /// As [`poll`](Self::poll), for those who have just looked at the clock.
    pub(crate) fn poll_at(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        deadline: Instant,
    ) -> Poll<()> {
        let until = match self.grace {
            Some((late, until)) if late == deadline => until,
            _ if now < deadline + UNWATCHED => deadline,
            _ => {
                let until = now + UNWATCHED;
                self.grace = Some((deadline, until));
                until
            }
        };
        if now >= until {
            return Poll::Ready(());
        }
        self.wake_by(cx, now, until);
        Poll::Pending
    }

    /// Sees to it that the task is woken at `complete_when`, or before.
    fn wake_by(&mut self, cx: &mut Context<'_>, now: Instant, until: Instant) {
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                let in_time = now < sleep.deadline() && sleep.deadline() <= until;
                let known = self.waker.as_ref().is_some_and(|waker| {
                    // A runtime that lends its waker to the task, as Tokio's `block_on` does, lends
                    // one that is like none of its clones. They are like each other.
                    waker.will_wake(cx.waker()) || waker.will_wake(&cx.waker().clone())
                });
                if in_time && known {
                    return;
                }
                if !in_time {
                    sleep.as_mut().reset(until);
                }
                sleep
            }
            none => none.insert(Box::pin(sleep_until(until))),
        };
        match sleep.as_mut().poll(cx) {
            Poll::Pending => self.waker = Some(cx.waker().clone()),
            // It struck just now: the next poll sees that.
            Poll::Ready(()) => cx.waker().wake_by_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_strikes_where_it_ended_up() {
        let start = Instant::now();
        let mut alarm = Alarm::default();
        for seconds in [10, 5, 20] {
            let deadline = start + Duration::from_secs(seconds);
            let pending = poll_fn(|cx| Poll::Ready(alarm.poll(cx, deadline).is_pending())).await;
            assert!(pending);
        }
        let deadline = start + Duration::from_secs(20);
        poll_fn(|cx| alarm.poll(cx, deadline)).await;
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_secs(20) && elapsed < Duration::from_secs(21));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_nobody_watched_is_put_off_once() {
        let mut alarm = Alarm::default();
        let deadline = Instant::now() + Duration::from_secs(1);
        advance(Duration::from_secs(600)).await;
        let pending = poll_fn(|cx| Poll::Ready(alarm.poll(cx, deadline).is_pending())).await;
        assert!(pending, "what came in the meantime can still be delivered");
        let late = Instant::now();
        poll_fn(|cx| alarm.poll(cx, deadline)).await;
        assert!(late.elapsed() >= UNWATCHED && late.elapsed() < UNWATCHED * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_task_is_woken_too() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let mut alarm = Alarm::default();
        let polled = poll_fn(|cx| Poll::Ready(alarm.poll(cx, deadline))).await;
        assert!(polled.is_pending());
        tokio::spawn(async move { poll_fn(|cx| alarm.poll(cx, deadline)).await })
            .await
            .unwrap();
        assert!(Instant::now() >= deadline);
    }
}
