//! The client behind `EventSource::get`.

use crate::*;

/// All sources share it, so a source does not need its own client with certificates.
#[test]
fn sources_share_one_client() {
    alone(async {
        const SOURCES: usize = 100;
        let url = "http://127.0.0.1:1/";
        let first = EventSource::get(url).unwrap();
        let what = format!("{SOURCES} sources of `get`");
        let sources = within(SOURCES * 4 * KIB, &what, async {
            (0..SOURCES)
                .map(|_| EventSource::get(url).unwrap())
                .collect::<Vec<_>>()
        })
        .await;
        drop((first, sources));
    });
}
