//! SIGINT and SIGTERM: the first asks a run to stop, a second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What a shell adds to the number of the signal that ended a program.
const EXIT_BASE: i32 = 128;

/// Handlers of both signals, from [`listen`](Self::listen) until the process ends. Once this is dropped the next signal ends
/// the process.
pub(crate) struct StopSignals {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl StopSignals {
    pub(crate) fn listen() -> io::Result<Self> {
        let signals = Self {
            asked: Arc::new(AtomicBool::new(false)),
            signal: Arc::new(AtomicUsize::new(0)),
        };
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in this order: the first looks whether a signal came before, the last says that one came.
            let asked = || signals.asked.clone();
            flag::register_conditional_shutdown(signal, EXIT_BASE + signal, asked())?;
            flag::register_usize(signal, signals.signal.clone(), signal as usize)?;
            flag::register(signal, asked())?;
        }
        Ok(signals)
    }

    /// Becomes true with the first signal.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    /// The exit code of a run that stopped for the signal.
    pub(crate) fn exit_code(&self) -> u8 {
        let code = EXIT_BASE as usize + self.signal.load(Ordering::SeqCst);
        u8::try_from(code).unwrap_or(u8::MAX)
    }
}

impl Drop for StopSignals {
    fn drop(&mut self) {
        self.asked.store(true, Ordering::SeqCst);
    }
}
