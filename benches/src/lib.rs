//! Measures everstream against its peers and against what the machine can do.
//!
//! Four parts: [`workloads`] are the inputs and the events they hold, [`contenders`] are the
//! parsers, [`measure`] times them, [`targets`] is what everstream promises. The programs in
//! `src/bin` put them together; README.md says how to run each.

pub mod callgrind;
pub mod clients;
pub mod contenders;
pub mod measure;
pub mod options;
pub mod server;
pub mod table;
pub mod targets;
pub mod workloads;
