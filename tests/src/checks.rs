//! The checks of `bert-doctor` as tests: what it would report, fails.

use bert_doctor::{Check, DoctorError};
use bert_testing::{Comparisons, TestDevice, assert_all, golden};

/// Runs a check on a device, on the golden files of this repository.
///
/// # Errors
/// The check cannot be made.
///
/// # Panics
/// A comparison does not pass.
pub fn passes(
    device: &TestDevice,
    check: impl FnOnce(&mut Check) -> Result<(), DoctorError>,
) -> anyhow::Result<()> {
    let comparisons = Comparisons::on(device.backend());
    let mut made = Check::new(device.plain(), &golden::folder(), comparisons);
    check(&mut made)?;
    assert_all(made.comparisons);
    Ok(())
}
