//! Writes the tests' vectors as seeds of `chunking`: `cargo run --example seeds` in this folder.

use everstream_fuzz::vectors;

/// Long streams have little that short ones have not, and slow the fuzzer down.
const LONGEST: usize = 400;

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/chunking");
    let vectors = vectors::of_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors"));
    for vector in vectors.iter().filter(|vector| vector.wire.len() <= LONGEST) {
        let options = &vector.options;
        // As `fuzz_targets/chunking.rs` reads it.
        let limit = u8::try_from(options.max_event_bytes + 1).unwrap_or(0);
        let flags =
            u8::from(options.skip_oversized) | (u8::from(!options.last_event_id.is_empty()) << 1);
        let header = [limit, flags, 2, 0];
        let mut name = vector
            .name
            .replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        name.truncate(80);
        std::fs::write(
            folder.join(name),
            [&header, vector.wire.as_slice()].concat(),
        )?;
    }
    Ok(())
}
