//! The two ends of a handle, under loom: every order in which their steps can follow each other.
//!
//! `src/source/handle.rs` is compiled here with loom's locks. loom fails a model where a task
//! sleeps for ever, a lock is taken twice, or a waker is left behind.

#[expect(unreachable_pub, reason = "it is public where it belongs")]
#[path = "../src/source/handle.rs"]
mod handle;
mod session {
    pub(crate) use everstream::ReadyState;
}
mod sync {
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
}

use std::{
    future::poll_fn,
    sync::{Arc, Weak},
    task::{Context, Poll, Wake, Waker},
};

use everstream::ReadyState::{Closed, Connecting, Open};
use handle::{Command, EventSourceHandle, Watched};
use loom::{future::block_on, sync::atomic::AtomicBool, sync::atomic::Ordering, thread};

/// A source that only waits for its handles, until one closes it.
struct Source {
    watched: Watched,
    reconnections: usize,
}

impl Source {
    fn new() -> (Self, EventSourceHandle) {
        let watched = Watched::new(Connecting, true, "");
        let handle = watched.handle();
        let source = Self {
            watched,
            reconnections: 0,
        };
        (source, handle)
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        match self.watched.command(cx.waker()) {
            Some(Command::Close) => {
                self.watched.tell(Closed, "1");
                return Poll::Ready(());
            }
            Some(Command::Reconnect) => self.reconnections += 1,
            None => {}
        }
        self.watched.tell(Open, "1");
        Poll::Pending
    }

    async fn run(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}

/// A task that uses its handle whenever its waker is cloned, woken or dropped, as may a task that
/// owns the source or a handle of it.
struct Nosy {
    handle: EventSourceHandle,
    woken: AtomicBool,
}

impl Nosy {
    fn new(handle: &EventSourceHandle) -> Arc<Self> {
        Arc::new(Self {
            handle: handle.clone(),
            woken: AtomicBool::new(false),
        })
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        let _ = self.handle.ready_state();
        self.woken.store(true, Ordering::SeqCst);
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        let _ = self.handle.ready_state();
    }
}

#[test]
fn every_command_reaches_a_sleeping_source() {
    // All orders of three threads take minutes. Those in which at most three times a thread is
    // stopped where it could go on take seconds, and bugs need fewer.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let (mut source, handle) = Source::new();
        let other = handle.clone();
        let reconnects = thread::spawn(move || other.reconnect());
        let closes = thread::spawn(move || handle.close());
        block_on(source.run());
        let accepted = reconnects.join().unwrap();
        closes.join().unwrap();
        assert!(accepted || source.reconnections == 0);
        assert!(!source.watched.handle().reconnect(), "it is closed");
    });
}

#[test]
fn a_promised_reconnection_happens_unless_the_source_is_closed() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        let other = handle.clone();
        let orders = thread::spawn(move || {
            assert!(other.reconnect());
            other.close();
            assert!(!other.reconnect());
        });
        block_on(source.run());
        orders.join().unwrap();
        assert_eq!(handle.ready_state(), Closed, "whatever the source has told");
        assert_eq!(handle.last_event_id(), "1");
    });
}

#[test]
fn the_task_that_polled_last_is_woken() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        let first = Nosy::new(&handle);
        let waker = Waker::from(Arc::clone(&first));
        assert!(source.poll(&Context::from_waker(&waker)).is_pending());
        drop(waker);
        let closes = thread::spawn(move || handle.close());
        // The source has moved to another task. The first may be woken too, if the handle is faster.
        block_on(source.run());
        closes.join().unwrap();
        assert_eq!(Arc::strong_count(&first), 1, "its waker is not kept");
    });
}

#[test]
fn wakers_may_use_the_handle() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        let tasks = [Nosy::new(&handle), Nosy::new(&handle)];
        let kept = tasks.each_ref().map(Arc::downgrade);
        let orders = thread::spawn(move || {
            handle.reconnect();
            handle.close();
        });
        for task in tasks {
            let waker = Waker::from(task);
            if source.poll(&Context::from_waker(&waker)).is_ready() {
                break;
            }
        }
        orders.join().unwrap();
        drop(source);
        assert!(kept.iter().all(|task| task.strong_count() == 0));
    });
}

#[test]
fn a_woken_task_finds_the_command() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        let task = Nosy::new(&handle);
        let waker = Waker::from(Arc::clone(&task));
        let reconnects = thread::spawn(move || assert!(handle.reconnect()));
        let cx = Context::from_waker(&waker);
        assert!(source.poll(&cx).is_pending());
        let found = source.reconnections;
        reconnects.join().unwrap();
        assert!(found == 1 || task.woken.load(Ordering::SeqCst));
        assert!(source.poll(&cx).is_pending());
        assert_eq!(source.reconnections, 1, "neither lost nor obeyed twice");
    });
}

#[test]
fn a_dropped_source_keeps_no_waker() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        let task: Weak<Nosy> = {
            let task = Nosy::new(&handle);
            let waker = Waker::from(Arc::clone(&task));
            assert!(source.poll(&Context::from_waker(&waker)).is_pending());
            Arc::downgrade(&task)
        };
        let other = handle.clone();
        let closes = thread::spawn(move || {
            other.close();
            other.reconnect()
        });
        drop(source);
        assert!(!closes.join().unwrap());
        assert_eq!(handle.ready_state(), Closed);
        assert_eq!(task.strong_count(), 0);
    });
}

#[test]
fn an_ended_source_stores_no_waker() {
    loom::model(|| {
        let (mut source, handle) = Source::new();
        handle.close();
        let task = Nosy::new(&handle);
        let waker = Waker::from(Arc::clone(&task));
        let cx = Context::from_waker(&waker);
        assert!(source.poll(&cx).is_ready());
        let _ = source.poll(&cx);
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 1);
    });
}
