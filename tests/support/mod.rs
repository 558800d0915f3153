//! What the tests of the parser share.
#![allow(
    dead_code,
    reason = "each test binary uses its own part of this module"
)]
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

pub mod chromium;
pub mod faces;
pub mod http;
pub mod pass_through;
pub mod reader;
pub mod splits;
#[cfg(feature = "stream")]
pub mod streams;
pub mod vectors;

impl faces::Expected<'_> {
    /// Reads the stream with each face that drives the parser itself.
    pub fn check_drivers(&self, chunks: &[&[u8]]) {
        self.check_reader(chunks);
        // An `EventStream` does not know the last event ID of a stream before it.
        #[cfg(feature = "stream")]
        if self.options.last_event_id.is_empty() {
            streams::runtime().block_on(async {
                self.check_stream(chunks).await;
                self.check_signals(chunks).await;
            });
        }
    }
}
