//! How long to wait: a pure calculation.

use std::time::Duration;

/// How long an `EventSource` waits before it connects again.
///
/// The *base* is the reconnection time, 3 seconds until the server sets another by `retry`, held
/// between a floor and one hour. After a clean end the wait is the base; after the nth failure in
/// a row it is the base and a random share of `min(cap, first · 2ⁿ⁻¹)`, so that clients cut off
/// together do not come back together. `Retry-After` takes the place of the base for one wait.
///
/// ```
/// use everstream::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::new().initial_backoff(Duration::from_millis(500)).max_backoff(Duration::from_secs(30));
/// # let _ = backoff;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Backoff {
    reconnection_time: Duration,
    floor: Duration,
    first: Duration,
    cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            reconnection_time: Duration::from_secs(3),
            floor: Duration::from_millis(50),
            first: Duration::from_secs(1),
            cap: Duration::from_secs(60),
        }
    }
}

/// The base is never longer than this, whatever a server says.
const MAX_BASE: Duration = Duration::from_secs(60 * 60);

/// A clock cannot count longer waits, and nobody lives to see their end.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Backoff {
    /// The defaults: 3 s of reconnection time, a floor of 50 ms, 1 s of random time at first, 60 s
    /// of it at most.
    pub fn new() -> Self {
        Self::default()
    }

    /// The reconnection time until the server sets one; 3 seconds by default.
    pub fn reconnection_time(mut self, time: Duration) -> Self {
        self.reconnection_time = time;
        self
    }

    /// The shortest base, so that `retry: 0` does not have a server hammered; 50 ms by default.
    pub fn min_delay(mut self, floor: Duration) -> Self {
        self.floor = floor;
        self
    }

    /// The longest random time after the first failure, doubled for each after it; 1 s by
    /// default. Zero waits for the base alone.
    pub fn initial_backoff(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// The longest random time after any failure; 60 s by default.
    pub fn max_backoff(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The reconnection time in force: the server's, if it has set one.
    pub(crate) fn reconnection_time_or(&self, server: Option<Duration>) -> Duration {
        server.unwrap_or(self.reconnection_time)
    }

    /// The base in force.
    pub(crate) fn base(&self, server: Option<Duration>) -> Duration {
        let longest = MAX_BASE.max(self.floor);
        self.reconnection_time_or(server).clamp(self.floor, longest)
    }

    /// The wait after the `failures`th failure in a row, 0 being a clean end. `share` is random,
    /// from 0 to 1.
    pub(crate) fn delay(&self, base: Duration, failures: u32, share: f64) -> Duration {
        match failures.checked_sub(1) {
            None => base,
            Some(doublings) => {
                let spread = self.spread(doublings);
                let random = Duration::try_from_secs_f64(spread.as_secs_f64() * share);
                // A share of the longest duration may be rounded up beyond it.
                base.saturating_add(random.unwrap_or(spread))
            }
        }
    }

    fn spread(&self, doublings: u32) -> Duration {
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }

    pub(crate) fn shortest(&self) -> Duration {
        self.floor
    }
}

/// What `Retry-After` asks for, as a base.
pub(crate) fn asked_for(retry_after: Duration, floor: Duration) -> Duration {
    retry_after.clamp(floor.min(MAX_RETRY_AFTER), MAX_RETRY_AFTER)
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
        assert_eq!(backoff.delay(base, 0, 1.0), base);
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

    #[test]
    fn a_retry_after_is_never_cut_short_of_a_year() {
        let year = MAX_RETRY_AFTER;
        assert_eq!(asked_for(Duration::ZERO, ms(50)), ms(50));
        assert_eq!(asked_for(ms(7000), ms(50)), ms(7000));
        assert_eq!(asked_for(Duration::MAX, ms(50)), year);
    }
}
