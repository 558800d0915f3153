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
pub mod splits;
pub mod streams;
pub mod vectors;
