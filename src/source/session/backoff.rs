//! [`Backoff`]: calculates how long to wait.

use std::time::Duration;

/// How long an `EventSource` waits before it reconnects.
///
/// The *base* is the reconnection time: 3 seconds, unless the server sets another with `retry`. It
/// is at least [`min_delay`](Self::min_delay) and at most one hour. A `Retry-After` replaces it for
/// one delay.
///
/// * After a clean end with progress, the delay is the base plus a random time of up to a quarter
///   of it. The random part is needed because a deploy ends the responses of all clients cleanly at
///   the same time. A connection that was cut after progress is treated the same.
/// * After the nth failure in a row, the delay is the base plus a random time of up to
///   `min(max_backoff, initial_backoff · 2ⁿ⁻¹)`.
///
/// *Progress* is an event (that [`progress_when`] counts), a changed last event ID, or a connection
/// that lasted at least 5 seconds and at least the base.
///
/// # A thousand clients reconnecting
///
/// A deploy ends the responses of 1,000 clients at the same time, each after progress. The server
/// is back immediately, or refuses connections for a while. These are the results of a simulation,
/// with a reconnection time of 3 seconds unless noted otherwise:
///
/// | the server is back | refused requests | max. connects in 100 ms | max. connects in 1 s | all connected after |
/// |---|--:|--:|--:|--:|
/// | immediately | 0 | 152 | 1000 | 3.7 s |
/// | immediately, `jitter(0.0)` | 0 | 1000 | 1000 | 3.0 s |
/// | immediately, `jitter(1.0)` | 0 | 52 | 359 | 6.0 s |
/// | immediately, `retry: 30000` | 0 | 25 | 152 | 37.5 s |
/// | after 10 s | 2099 | 70 | 490 | 6.8 s |
/// | after 1 min | 6839 | 11 | 58 | 60.8 s |
/// | after 10 min | 23272 | 9 | 42 | 60.2 s |
/// | after 10 min, `max_backoff(10 s)` | 76726 | 24 | 146 | 12.1 s |
///
/// The last column is the time since the server came back. If a server can't handle a thousand
/// clients within a second, it should send a longer `retry` before it shuts down, or refuse some of
/// them with 503 and `Retry-After`.
///
/// # Example
///
/// ```
/// use everstream::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::new()
///     .initial_backoff(Duration::from_millis(500))
///     .max_backoff(Duration::from_secs(30));
/// # let _ = backoff;
/// ```
///
/// [`progress_when`]: crate::EventSourceBuilder::progress_when
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Backoff {
    reconnection_time: Duration,
    min_delay: Duration,
    jitter: f64,
    initial_backoff: Duration,
    max_backoff: Duration,
    reset_after: Option<Duration>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            reconnection_time: Duration::from_secs(3),
            min_delay: Duration::from_millis(50),
            jitter: 0.25,
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
            reset_after: None,
        }
    }
}

/// The base is never longer than this, even if the server asks for it.
const MAX_BASE: Duration = Duration::from_secs(60 * 60);

impl Backoff {
    /// Creates a `Backoff` with the defaults: a reconnection time of 3 seconds, a minimum delay of
    /// 50 ms, a jitter of 0.25, an initial backoff of 1 second and a maximum backoff of 60 seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reconnection time that applies until the server sets one; 3 seconds by default.
    pub fn reconnection_time(mut self, time: Duration) -> Self {
        self.reconnection_time = time;
        self
    }

    /// Sets the minimum of the base, so that clients don't hammer the server after `retry: 0`; 50
    /// ms by default.
    pub fn min_delay(mut self, delay: Duration) -> Self {
        self.min_delay = delay;
        self
    }

    /// Sets the maximum random time after a clean end, as a fraction of the base; 0.25 by default.
    /// With 0, the delay is exactly the base. A negative number or NaN counts as 0.
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = if share > 0.0 { share } else { 0.0 };
        self
    }

    /// Sets the maximum random time after the first failure; 1 second by default. It doubles with
    /// each further failure. With zero, the delay is exactly the base.
    pub fn initial_backoff(mut self, time: Duration) -> Self {
        self.initial_backoff = time;
        self
    }

    /// Sets the maximum random time after any failure; 60 seconds by default.
    pub fn max_backoff(mut self, time: Duration) -> Self {
        self.max_backoff = time;
        self
    }

    /// Sets how long a connection has to last to reset the count of failures. With `None`, the
    /// default, an event or a changed last event ID resets it immediately, as do 60 seconds without
    /// either. Set this for servers that send an event to each client and then close the
    /// connection.
    pub fn reset_after(mut self, life: impl Into<Option<Duration>>) -> Self {
        self.reset_after = life.into();
        self
    }

    /// The current reconnection time: the server's, if it has set one.
    pub(crate) fn reconnection_time_or(&self, server: Option<Duration>) -> Duration {
        server.unwrap_or(self.reconnection_time)
    }

    /// The current base, from the reconnection time that the server set, if any.
    pub(crate) fn base(&self, server: Option<Duration>) -> Duration {
        let longest = MAX_BASE.max(self.min_delay);
        self.reconnection_time_or(server)
            .clamp(self.min_delay, longest)
    }

    /// The delay after the `failures`th failure in a row; 0 means a clean end. `share` is a random
    /// number from 0 to 1.
    pub(crate) fn delay(&self, base: Duration, failures: u32, share: f64) -> Duration {
        let random = match failures.checked_sub(1) {
            None => Duration::try_from_secs_f64(base.as_secs_f64() * self.jitter * share)
                .unwrap_or(MAX_BASE),
            Some(doublings) => {
                let spread = self.spread(doublings);
                // A fraction of the longest duration can be rounded up beyond it.
                Duration::try_from_secs_f64(spread.as_secs_f64() * share).unwrap_or(spread)
            }
        };
        base.saturating_add(random)
    }

    fn spread(&self, doublings: u32) -> Duration {
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.initial_backoff
            .saturating_mul(factor)
            .min(self.max_backoff)
    }

    pub(crate) fn shortest(&self) -> Duration {
        self.min_delay
    }

    pub(crate) fn reset_after_time(&self) -> Option<Duration> {
        self.reset_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_base_is_clamped_between_min_delay_and_an_hour() {
        let backoff = Backoff::new();
        for (server, base) in [
            (None, ms(3000)),
            (Some(ms(0)), ms(50)),
            (Some(ms(49)), ms(50)),
            (Some(ms(700)), ms(700)),
            (Some(ms(u64::MAX)), MAX_BASE),
        ] {
            assert_eq!(backoff.base(server), base);
        }
        assert_eq!(Backoff::new().min_delay(ms(0)).base(Some(ms(0))), ms(0));
        let two_hours = MAX_BASE * 2;
        assert_eq!(Backoff::new().min_delay(two_hours).base(None), two_hours);
    }

    #[test]
    fn the_random_time_doubles_up_to_the_cap() {
        let backoff = Backoff::new();
        let base = ms(3000);
        assert_eq!(backoff.delay(base, 0, 0.0), base);
        assert_eq!(backoff.delay(base, 0, 1.0), ms(3750));
        let none = Backoff::new().jitter(f64::NAN);
        assert_eq!(none.delay(base, 0, 1.0), base);
        for (failures, most) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (6, 32),
            (7, 60),
            (32, 60),
            (u32::MAX, 60),
        ] {
            let most = Duration::from_secs(most);
            assert_eq!(backoff.delay(base, failures, 0.0), base);
            assert_eq!(backoff.delay(base, failures, 0.5), base + most / 2);
            assert_eq!(backoff.delay(base, failures, 1.0), base + most);
        }
        let plain = Backoff::new().initial_backoff(Duration::ZERO);
        assert_eq!(plain.delay(base, 9, 1.0), base);
    }
}
