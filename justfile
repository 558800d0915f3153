# The usual commands. `just` lists them. Install it with `cargo install just`, or see https://just.systems.

_list:
    @just --list --unsorted

# Runs all checks that a change must pass, or some of them: `just ci lints tests`
ci *steps:
    .ci/run {{ steps }}

# Run before a commit: formatting, lints, and the tests with all features
check: fmt lint test

# Formats every package
fmt:
    cargo fmt
    cargo fmt --manifest-path benches/Cargo.toml
    cargo fmt --manifest-path fuzz/Cargo.toml
    cargo fmt --manifest-path tests/wasm/Cargo.toml

# Lints all targets with all features
lint:
    cargo clippy --all-targets --all-features -- -D warnings

# Runs all tests, or some: `just test --test source resume`
test *args:
    cargo test --all-features {{ args }}

# Shows which layer imports which, and checks the direction
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

# Quickly compares the parser's speed with other crates
bench *args:
    cd benches && cargo run --release --bin parse -- --quick {{ args }}

# Writes the list of the public API to docs/public-api.txt
api:
    .ci/public-api

# Converts an event stream on stdin to JSON lines
parse:
    cargo run --quiet --example parse
