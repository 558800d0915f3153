# The usual commands. `just` lists them; https://just.systems installs it, or `cargo install just`.

_list:
    @just --list --unsorted

# Everything that has to hold before a change lands, or some of its steps: `just ci lints tests`
ci *steps:
    .ci/run {{ steps }}

# Before a commit: formatting, lints, and the tests with every feature
check: fmt lint test

# Formats every package
fmt:
    cargo fmt
    cargo fmt --manifest-path benches/Cargo.toml
    cargo fmt --manifest-path fuzz/Cargo.toml
    cargo fmt --manifest-path tests/wasm/Cargo.toml

# Lints all targets with every feature
lint:
    cargo clippy --all-targets --all-features -- -D warnings

# Runs tests: all of them, or `just test --test source resume`
test *args:
    cargo test --all-features {{ args }}

# Shows how the layers import each other, and whether one imports back
layers:
    cargo test --test architecture -- --nocapture

# Builds the documentation and opens it
doc:
    cargo doc --no-deps --all-features --open

# Fuzzes one target for a minute, or longer: `just fuzz session 600`
fuzz target seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    corpus=(fuzz/corpus/{{ target }})
    mkdir -p "${corpus[0]}"
    [ -d "fuzz/seeds/{{ target }}" ] && corpus+=("fuzz/seeds/{{ target }}")
    cargo +nightly fuzz run --fuzz-dir fuzz --sanitizer none {{ target }} "${corpus[@]}" -- \
        -max_total_time={{ seconds }} -max_len=512

# Measures the parser against its peers, at a glance
bench *args:
    cd benches && cargo run --release --bin parse -- --quick {{ args }}

# Writes the list of the public API anew: docs/public-api.txt
api:
    .ci/public-api

# Turns an event stream on standard input into JSON lines
parse:
    cargo run --quiet --example parse
