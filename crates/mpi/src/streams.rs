use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};

/// Sends standard output and standard error nowhere, and gives what standard error was.
#[expect(
    unsafe_code,
    reason = "the standard library has no way to redirect its streams"
)]
pub(crate) fn silence() -> io::Result<File> {
    let nowhere = OpenOptions::new().write(true).open("/dev/null")?;
    // SAFETY: both descriptors are open; the new one belongs to nobody else.
    let stderr = unsafe { File::from_raw_fd(checked(libc::dup(libc::STDERR_FILENO))?) };
    for stream in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: both descriptors are open.
        checked(unsafe { libc::dup2(nowhere.as_raw_fd(), stream) })?;
    }
    Ok(stderr)
}

fn checked(descriptor: libc::c_int) -> io::Result<libc::c_int> {
    match descriptor {
        -1 => Err(io::Error::last_os_error()),
        descriptor => Ok(descriptor),
    }
}
