//! Which choices (or candidates) of an answer have a finish reason.

use super::skim;

/// The maximum of `n` in OpenAI's reference. Higher indexes share the last bit.
const MOST: usize = 128;

/// The choices of one answer, by their `index`.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Choices {
    seen: u128,
    finished: u128,
}

impl Choices {
    /// Records the choices of one event: an array of objects with an `index` (0 by default) and, in
    /// the member named by `reason`, the finish reason.
    ///
    /// Returns whether one of them failed, by its finish reason or by an `error` member. OpenRouter
    /// documents both.
    pub(super) fn note(&mut self, choices: &[u8], reason: &str) -> bool {
        let mut failed = false;
        // A value that is not an array of objects has no choices.
        let _ = skim::elements(choices, |choice| {
            let (mut index, mut finished) = (0, false);
            let object = skim::members(choice, |name, value| {
                if skim::is(name, "index") {
                    index = number(value).min(MOST - 1);
                } else if skim::is(name, reason) {
                    finished = is_reason(value);
                    failed |= skim::string(value).is_some_and(|raw| skim::is(raw, "error"));
                } else if skim::is(name, "error") {
                    failed |= skim::is_truthy(value);
                }
            });
            if object.is_some() {
                self.seen |= 1 << index;
                self.finished |= u128::from(finished) << index;
            }
        });
        failed
    }

    /// Whether the first choice was seen. After that, an event without a finish reason and without
    /// other choices adds nothing.
    pub(super) fn has_seen_the_first(self) -> bool {
        self.seen & 1 != 0
    }

    /// Whether there is a choice, and all choices have a finish reason.
    pub(super) fn are_finished(self) -> bool {
        self.seen != 0 && self.seen == self.finished
    }
}

/// Whether a value is a finish reason. Ollama sent `""` instead of `null`, and protocol buffers
/// have a name for the unset value.
pub(super) fn is_reason(value: &[u8]) -> bool {
    let is_unset = |raw| {
        skim::is(raw, "FINISH_REASON_UNSPECIFIED") || skim::is(raw, "BLOCK_REASON_UNSPECIFIED")
    };
    skim::is_truthy(value) && !skim::string(value).is_some_and(is_unset)
}

fn number(value: &[u8]) -> usize {
    let digits = std::str::from_utf8(value).ok();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_finished_when_every_choice_seen_is() {
        let table: [(&[&str], bool); 8] = [
            (&[], false),
            (&["[]"], false),
            (&[r#"[{"index":0}]"#], false),
            (&[r#"[{"index":0}]"#, r#"[{"finish_reason":"stop"}]"#], true),
            (
                &[
                    r#"[{"index":0,"finish_reason":""}]"#,
                    r#"[{"index":1,"finish_reason":"stop"}]"#,
                ],
                false,
            ),
            (
                &[
                    r#"[{"index":0},{"index":1}]"#,
                    r#"[{"index":1,"finish_reason":"stop"}]"#,
                    r#"[{"index":0,"finish_reason":"length"}]"#,
                    r#"[{"index":0,"finish_reason":null}]"#,
                ],
                true,
            ),
            (
                &[
                    r#"[{"index":300}]"#,
                    r#"[{"index":18446744073709551616}]"#,
                    r#"[{"index":0,"finish_reason":"stop"}]"#,
                ],
                false,
            ),
            (
                &[r#"{"index":0,"finish_reason":"stop"}"#, r#"["stop"]"#],
                false,
            ),
        ];
        for (events, finished) in table {
            let mut choices = Choices::default();
            for event in events {
                assert!(!choices.note(event.as_bytes(), "finish_reason"));
            }
            assert_eq!(choices.are_finished(), finished, "{events:?}");
        }
    }

    #[test]
    fn a_choice_may_end_with_an_error() {
        let failed = |choices: &str| Choices::default().note(choices.as_bytes(), "finish_reason");
        assert!(failed(
            r#"[{"index":0},{"index":1,"finish_reason":"error"}]"#
        ));
        assert!(failed(r#"[{"index":0,"error":{"code":502}}]"#));
        assert!(!failed(
            r#"[{"index":0,"error":null,"finish_reason":"errors"}]"#
        ));
        assert!(!failed(
            r#"[{"index":0,"delta":{"finish_reason":"error"}}]"#
        ));
    }
}
