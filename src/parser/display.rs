//! `Display` of the parser's types, for logs.

use core::fmt;

use super::{Oversized, Skipped};

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { bytes } => write!(f, "an event of {bytes} bytes was skipped"),
            Self::Comment { bytes } => write!(f, "a comment of {bytes} bytes was skipped"),
        }
    }
}

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Skip => "skip",
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn display_says_what_happened_or_what_is_set() {
        for (said, expected) in [
            (
                Skipped::Event { bytes: 7 }.to_string(),
                "an event of 7 bytes was skipped",
            ),
            (
                Skipped::Comment { bytes: 7 }.to_string(),
                "a comment of 7 bytes was skipped",
            ),
            (Oversized::Error.to_string(), "error"),
            (Oversized::Skip.to_string(), "skip"),
        ] {
            assert_eq!(said, expected);
        }
    }
}
