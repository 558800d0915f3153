//! Counting instructions with valgrind's callgrind, which no other program on the machine disturbs.

use std::{
    error::Error,
    io::Read,
    process::{Command, Stdio},
};

/// The word that asks a program to be the one that is counted.
pub const COUNTED: &str = "counted";

/// Whether valgrind can be run.
#[must_use]
pub fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok()
}

/// What to count.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// Leaves the profile in this file.
    pub profile: Option<String>,
    /// Counts only what this function does.
    pub within: Option<&'static str>,
    /// The arguments after [`COUNTED`].
    pub arguments: Vec<String>,
}

impl Count {
    /// Runs this program under callgrind, as the one that is counted, and says how many
    /// instructions it took. `wrote` is called for each byte that it writes to its standard
    /// output, when it does.
    ///
    /// # Errors
    ///
    /// Where valgrind cannot be run or the program fails, with what it said.
    pub fn run(&self, mut wrote: impl FnMut(u8)) -> Result<u64, Box<dyn Error>> {
        let mut command = Command::new("valgrind");
        command.arg("--tool=callgrind");
        // glibc copies more than some 2 KiB by one instruction, of which callgrind counts every byte.
        command.env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1073741824",
        );
        let profile = self.profile.as_deref().unwrap_or("/dev/null");
        command.arg(format!("--callgrind-out-file={profile}"));
        if let Some(function) = self.within {
            command.arg(format!("--toggle-collect={function}"));
        }
        let mut child = command
            .arg(std::env::current_exe()?)
            .arg(COUNTED)
            .args(&self.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdout = child.stdout.take().ok_or("no standard output")?;
        let mut byte = [0];
        while stdout.read(&mut byte)? != 0 {
            wrote(byte[0]);
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("{:?} under valgrind: {said}", self.arguments).into());
        }
        let line = said
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        let (_, number) = line.ok_or("valgrind said no `Collected`")?;
        Ok(number.trim().parse()?)
    }
}
