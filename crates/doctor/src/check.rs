use std::path::{Path, PathBuf};

use bert_parity::{Comparisons, Golden, Quantity, Values};
use burn::tensor::Device;

use crate::DoctorError;

/// What one check computes on, and what it has compared so far.
#[derive(Debug)]
pub struct Check {
    /// The device under test, without autodiff.
    pub plain: Device,
    /// The same, with autodiff.
    pub on: Device,
    /// What was compared.
    pub comparisons: Comparisons,
    goldens: PathBuf,
}

impl Check {
    /// Nothing compared yet. `device` is without autodiff; `goldens` is the folder of all cases.
    pub fn new(device: &Device, goldens: &Path, comparisons: Comparisons) -> Self {
        Self {
            plain: device.clone(),
            on: device.clone().autodiff(),
            comparisons,
            goldens: goldens.to_owned(),
        }
    }

    /// A golden case by the name of its folder.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn golden(&self, case: &str) -> Result<Golden, DoctorError> {
        Ok(Golden::open_in(&self.goldens, case)?)
    }

    /// Holds values against a tensor of a case.
    ///
    /// # Errors
    /// The case has no such tensor.
    pub fn against(
        &mut self,
        quantity: Quantity,
        golden: &Golden,
        tensor: &str,
        found: &Values,
    ) -> Result<(), DoctorError> {
        let expected = golden.floats(tensor)?;
        let name = format!("{} {tensor}", golden.case());
        self.comparisons.values(quantity, &name, found, &expected);
        Ok(())
    }

    /// Holds a figure of a step against that of a case.
    ///
    /// # Errors
    /// The case has no such figure.
    pub fn step(
        &mut self,
        quantity: Quantity,
        golden: &Golden,
        step: usize,
        figure: &str,
        found: f64,
    ) -> Result<(), DoctorError> {
        let expected = golden.number(&format!("/steps/{step}/{figure}"))?;
        let name = format!("{} {figure} of step {step}", golden.case());
        self.comparisons.number(quantity, &name, found, expected);
        Ok(())
    }
}
