//! Recorded HTTP/1.1 responses: just enough to get at their bodies.

use serde_json::Value;

/// A response, as a list of reads.
#[derive(Debug)]
pub struct Recording {
    pub status: u16,
    /// As sent; empty if there was none.
    pub content_type: String,
    /// The body, in the pieces that an HTTP client would yield: a piece ends with its HTTP chunk,
    /// and with its read.
    pub pieces: Vec<Vec<u8>>,
    /// Whether the body came to its end.
    pub complete: bool,
}

impl Recording {
    /// The recording of this name in `tests/captures`.
    pub fn load(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures");
        let lines = std::fs::read_to_string(format!("{folder}/{name}.jsonl")).expect("the reads");
        let reads: Vec<Vec<u8>> = lines.lines().map(read).collect();
        let raw = std::fs::read(format!("{folder}/{name}.raw")).expect("the bytes");
        assert_eq!(reads.concat(), raw, "{name}: two records of one response");
        Self::decode(&reads)
    }

    /// The names of all recordings.
    pub fn names() -> Vec<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures");
        let files = std::fs::read_dir(folder).expect("the recordings");
        let names = files.map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("a name")
        });
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    pub fn is_event_stream(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default();
        self.status == 200 && essence.trim().eq_ignore_ascii_case("text/event-stream")
    }

    pub fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    pub fn chunks(&self) -> Vec<&[u8]> {
        self.pieces.iter().map(Vec::as_slice).collect()
    }

    fn decode(reads: &[Vec<u8>]) -> Self {
        let all = reads.concat();
        let head_end = all
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .expect("a head")
            + 4;
        let head = String::from_utf8(all[..head_end].to_vec()).expect("a head in ASCII");
        let mut lines = head.lines();
        let status = lines
            .next()
            .expect("a status line")
            .split(' ')
            .nth(1)
            .expect("a status");
        let status = status.parse().expect("a number");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<(String, &str)> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let header = |wanted: &str| Some(headers.iter().find(|(name, _)| name == wanted)?.1);

        // Which bytes are body, and where the framing cuts them.
        let body = &all[head_end..];
        let (ranges, complete) = match (header("transfer-encoding"), header("content-length")) {
            (Some("chunked"), _) => chunks(body),
            (_, Some(length)) => {
                let length: usize = length.parse().expect("a length");
                (
                    std::iter::once(0..length.min(body.len())).collect(),
                    body.len() >= length,
                )
            }
            (None, None) => (std::iter::once(0..body.len()).collect(), true),
            (Some(other), _) => panic!("{other} is not chunked"),
        };
        let ends: Vec<usize> = reads
            .iter()
            .scan(0, |end, read| {
                *end += read.len();
                Some(*end)
            })
            .collect();
        let mut pieces = Vec::new();
        for range in ranges {
            let mut start = range.start + head_end;
            let end = range.end + head_end;
            let cuts = ends
                .iter()
                .filter(|&&cut| start < cut && cut < end)
                .copied()
                .collect::<Vec<_>>();
            for cut in cuts.into_iter().chain([end]) {
                pieces.push(all[start..cut].to_vec());
                start = cut;
            }
        }
        Self {
            status,
            content_type: header("content-type").unwrap_or_default().to_owned(),
            pieces,
            complete,
        }
    }
}

/// The chunks of RFC 9112, 7.1, and whether the last of them has arrived.
fn chunks(body: &[u8]) -> (Vec<std::ops::Range<usize>>, bool) {
    let mut ranges = Vec::new();
    let mut at = 0;
    loop {
        let Some(length) = body[at..].windows(2).position(|end| end == b"\r\n") else {
            return (ranges, false);
        };
        let size = std::str::from_utf8(&body[at..at + length]).expect("a chunk size");
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        at += length + 2;
        if size == 0 {
            return (ranges, true);
        }
        let end = (at + size).min(body.len());
        ranges.push(at..end);
        at = (end + 2).min(body.len());
    }
}

/// The bytes of one read, kept as latin-1 text.
fn read(line: &str) -> Vec<u8> {
    let read: Value = serde_json::from_str(line).expect("JSON");
    let text = read["bytes"].as_str().expect("bytes");
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(c).expect("latin-1"))
        .collect();
    assert_eq!(Some(bytes.len() as u64), read["len"].as_u64());
    bytes
}
