//! How long to wait: a pure calculation.

use std::time::Duration;

/// How long an `EventSource` waits before it connects again.
///
/// The *base* is the reconnection time, 3 seconds until the server sets another by `retry`, held
/// between a shortest delay and one hour. `Retry-After` takes its place for one wait.
///
/// * After a clean end with progress, the wait is the base and a random share of a quarter of it:
///   a deploy ends every client's response cleanly, in one instant. A connection that broke off
///   after progress is treated alike.
/// * After the nth failure in a row it is the base and a random time of up to
///   `min(max_backoff, initial_backoff · 2ⁿ⁻¹)`.
///
/// *Progress* is an event (that [`progress_when`] counts), a changed last event ID, or a connection
/// that lasted 5 seconds and the base.
///
/// # What a thousand clients do
///
/// A deploy ends the responses of 1,000 clients at one instant, each after progress. The server is
/// back at once, or refuses connections for a while. Measured by simulation, with the reconnection
/// time of 3 seconds unless the first column says otherwise:
///
/// | the server is back | requests refused | most let in within 100 ms | within 1 s | all are back after |
/// |---|--:|--:|--:|--:|
/// | at once | 0 | 152 | 1000 | 3.7 s |
/// | at once, `jitter(0.0)` | 0 | 1000 | 1000 | 3.0 s |
/// | at once, `jitter(1.0)` | 0 | 52 | 359 | 6.0 s |
/// | at once, `retry: 30000` | 0 | 25 | 152 | 37.5 s |
/// | after 10 s | 2099 | 70 | 490 | 6.8 s |
/// | after 1 min | 6839 | 11 | 58 | 60.8 s |
/// | after 10 min | 23272 | 9 | 42 | 60.2 s |
/// | after 10 min, `max_backoff(10 s)` | 76726 | 24 | 146 | 12.1 s |
///
/// The last column counts from the moment the server is back. A server that can't take a thousand
/// clients within a second sets a longer `retry` before it goes, or answers some of them with 503
/// and `Retry-After`.
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

/// The base is never longer than this, whatever a server says.
const MAX_BASE: Duration = Duration::from_secs(60 * 60);

impl Backoff {
    /// The defaults: a reconnection time of 3 s, a shortest delay of 50 ms, a jitter of a quarter,
    /// 1 s of random time at first, 60 s of it at most.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reconnection time until the server sets one; 3 seconds by default.
    pub fn reconnection_time(mut self, time: Duration) -> Self {
        self.reconnection_time = time;
        self
    }

    /// Sets the shortest base, so that `retry: 0` doesn't hammer the server; 50 ms by default.
    pub fn min_delay(mut self, delay: Duration) -> Self {
        self.min_delay = delay;
        self
    }

    /// Sets the random part of the wait after a clean end, as a share of the base; 0.25 by
    /// default. Zero waits for the base alone. What is negative or not a number is zero.
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = if share > 0.0 { share } else { 0.0 };
        self
    }

    /// Sets the longest random time after the first failure, which is doubled for each after it; 1 s
    /// by default. Zero waits for the base alone.
    pub fn initial_backoff(mut self, time: Duration) -> Self {
        self.initial_backoff = time;
        self
    }

    /// Sets the longest random time after any failure; 60 s by default.
    pub fn max_backoff(mut self, time: Duration) -> Self {
        self.max_backoff = time;
        self
    }

    /// Sets how long a connection has to last to start the count of failures over. By default an
    /// event or a changed last event ID does so at once, and 60 seconds without either. A server
    /// that greets each client with an event and closes needs more.
    pub fn reset_after(mut self, life: impl Into<Option<Duration>>) -> Self {
        self.reset_after = life.into();
        self
    }

    /// The reconnection time in force: the server's, if it has set one.
    pub(crate) fn reconnection_time_or(&self, server: Option<Duration>) -> Duration {
        server.unwrap_or(self.reconnection_time)
    }

    /// The base in force, of what the server asked for.
    pub(crate) fn base(&self, server: Option<Duration>) -> Duration {
        let longest = MAX_BASE.max(self.min_delay);
        self.reconnection_time_or(server)
            .clamp(self.min_delay, longest)
    }

    /// The wait after the `failures`th failure in a row, 0 being a clean end. `share` is random,
    /// from 0 to 1.
    pub(crate) fn delay(&self, base: Duration, failures: u32, share: f64) -> Duration {
        let random = match failures.checked_sub(1) {
            None => Duration::try_from_secs_f64(base.as_secs_f64() * self.jitter * share)
                .unwrap_or(MAX_BASE),
            Some(doublings) => {
                let spread = self.spread(doublings);
                // A share of the longest duration may be rounded up beyond it.
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

    pub(crate) fn least_life(&self) -> Option<Duration> {
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
    fn the_base_is_held_between_floor_and_an_hour() {
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
