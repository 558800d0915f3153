//! Stores the last event ID in a file, so that the next run resumes where this one stopped.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// A file that holds a last event ID.
///
/// The file is replaced atomically: after a crash, it holds either the new ID or the previous one.
pub(crate) struct Resume {
    file: PathBuf,
    /// The new file, before it replaces the old one.
    draft: PathBuf,
    saved: Option<String>,
}

impl Resume {
    /// Reads the file. If it does not exist, there is no ID yet, and `save` creates it.
    pub(crate) fn open(file: PathBuf) -> io::Result<Self> {
        let saved = match fs::read_to_string(&file) {
            // An ID contains no line end, but an editor may have added one.
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut name = OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(format!(".{}", std::process::id()));
        Ok(Self {
            draft: file.with_file_name(name),
            file,
            saved,
        })
    }

    /// The ID to start from, if there is one.
    pub(crate) fn last_event_id(&self) -> Option<&str> {
        self.saved.as_deref().filter(|id| !id.is_empty())
    }

    /// Stores this ID if it has changed.
    pub(crate) fn save(&mut self, id: &str) -> io::Result<()> {
        if self.saved.as_deref().unwrap_or_default() == id {
            return Ok(());
        }
        fs::write(&self.draft, id)?;
        fs::rename(&self.draft, &self.file)?;
        self.saved = Some(id.to_owned());
        Ok(())
    }
}
