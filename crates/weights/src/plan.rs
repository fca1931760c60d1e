//! Which tensor goes to which parameter, decided by name, shape and type before a module is touched.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::DType;

use crate::layout::Parameter;
use crate::names;
use crate::values;
use crate::{
    Checkpoint, KeyMap, LoadError, LoadOptions, LoadReport, Mismatch, MisshapenTensor,
    MissingTensor, TensorInfo, WrongDtype,
};

/// What a load will do.
pub(crate) struct Plan<'a> {
    pub(crate) assignments: Vec<Assignment<'a>>,
    pub(crate) report: LoadReport,
}

/// A tensor that fits its parameter.
pub(crate) struct Assignment<'a> {
    pub(crate) tensor: &'a TensorInfo,
    pub(crate) dtype: DType,
    pub(crate) path: String,
}

/// The tensors that parameters claim, by module path.
type Claims<'a> = BTreeMap<String, &'a TensorInfo>;

/// Accounts for every parameter and every tensor.
///
/// # Errors
/// [`LoadError::Mismatch`] with all differences, or an earlier error when the question itself is wrong.
pub(crate) fn plan<'a>(
    parameters: &[Parameter],
    checkpoint: &'a Checkpoint,
    keys: &KeyMap,
    options: &LoadOptions,
) -> Result<Plan<'a>, LoadError> {
    check_options(parameters, options)?;
    checkpoint.reject_quantised()?;
    let mut mismatch = Mismatch {
        checkpoint: checkpoint.path().to_owned(),
        ..Mismatch::default()
    };
    let mut report = LoadReport::default();

    let mut claims = claim(
        parameters,
        checkpoint,
        keys,
        options,
        &mut mismatch,
        &mut report,
    )?;
    replace_missing_originals(parameters, checkpoint, options, &mut claims);
    for parameter in parameters
        .iter()
        .filter(|parameter| !claims.contains_key(&parameter.path))
    {
        account_for_unclaimed(
            parameter,
            &claims,
            keys,
            options,
            &mut mismatch,
            &mut report,
        );
    }
    account_for_copies(checkpoint, &claims, options, &mut mismatch, &mut report)?;
    account_for_unknown(&mut mismatch, &mut report);
    let assignments = assign(parameters, &claims, options, &mut mismatch, &mut report);
    for assignment in &assignments {
        if !values::are_finite(assignment.tensor)? {
            mismatch.non_finite.push(assignment.tensor.name.clone());
        }
    }
    if !mismatch.is_empty() {
        return Err(LoadError::Mismatch(Box::new(mismatch)));
    }
    Ok(Plan {
        assignments,
        report,
    })
}

fn check_options(parameters: &[Parameter], options: &LoadOptions) -> Result<(), LoadError> {
    let is_known = |prefix: &str| {
        parameters
            .iter()
            .any(|parameter| names::is_under(&parameter.path, prefix))
    };
    if let Some(prefix) = options.fresh.iter().find(|prefix| !is_known(prefix)) {
        return Err(LoadError::NoSuchParameter {
            prefix: prefix.clone(),
        });
    }
    match parameters
        .iter()
        .find(|parameter| !parameter.is_float && !options.is_fresh(&parameter.path))
    {
        Some(parameter) => Err(LoadError::UnsupportedParameter {
            path: parameter.path.clone(),
        }),
        None => Ok(()),
    }
}

/// Assigns every tensor to the parameter that its name means, and reports the tensors that belong to no parameter.
fn claim<'a>(
    parameters: &[Parameter],
    checkpoint: &'a Checkpoint,
    keys: &KeyMap,
    options: &LoadOptions,
    mismatch: &mut Mismatch,
    report: &mut LoadReport,
) -> Result<Claims<'a>, LoadError> {
    let paths: HashMap<&str, &Parameter> = parameters
        .iter()
        .map(|parameter| (parameter.path.as_str(), parameter))
        .collect();
    let mut claims = Claims::new();
    for tensor in checkpoint.tensors() {
        let name = tensor.name.clone();
        match names::parameter_of(&name, keys, |path| paths.contains_key(path)) {
            Some(path) => {
                if let Some(first) = claims.insert(path.clone(), tensor) {
                    return Err(LoadError::Collision {
                        first: first.name.clone(),
                        second: name,
                        path,
                    });
                }
            }
            None if names::is_buffer(&name, keys) => report.skipped.push(name),
            None if options.original_of(&name).is_some() => {}
            None if names::is_under_any(&name, &options.ignored, keys) => {
                report.ignored.push(name);
            }
            None if keys.covers(&name) => mismatch.unexpected.push(name),
            None => report.unknown.push(name),
        }
    }
    Ok(claims)
}

/// Where a checkpoint has the copy of a tied tensor and not its original, the copy is the original, as in transformers.
fn replace_missing_originals<'a>(
    parameters: &[Parameter],
    checkpoint: &'a Checkpoint,
    options: &LoadOptions,
    claims: &mut Claims<'a>,
) {
    for copy in checkpoint.tensors() {
        let Some(original) = options.original_of(&copy.name) else {
            continue;
        };
        let is_parameter = parameters
            .iter()
            .any(|parameter| parameter.path == original);
        if is_parameter && !is_claimed(copy, claims) {
            claims.entry(original.to_owned()).or_insert(copy);
        }
    }
}

fn is_claimed(tensor: &TensorInfo, claims: &Claims<'_>) -> bool {
    claims.values().any(|claimed| claimed.name == tensor.name)
}

/// A tensor that belongs to no part of the model may be what a missing parameter is called in this file. So it is excused
/// only where no parameter is missing.
fn account_for_unknown(mismatch: &mut Mismatch, report: &mut LoadReport) {
    if !(mismatch.missing.is_empty() && mismatch.unmapped.is_empty()) {
        mismatch.unexpected.append(&mut report.unknown);
        mismatch.unexpected.sort();
    }
}

/// Compares copies of tied weights with their originals, which are known once all parameters have their tensors.
fn account_for_copies(
    checkpoint: &Checkpoint,
    claims: &Claims<'_>,
    options: &LoadOptions,
    mismatch: &mut Mismatch,
    report: &mut LoadReport,
) -> Result<(), LoadError> {
    for copy in checkpoint.tensors() {
        let Some(original) = options.original_of(&copy.name) else {
            continue;
        };
        if is_claimed(copy, claims) {
            continue;
        }
        match claims.get(original) {
            Some(original) if values::are_equal(copy, original)? => {
                report.skipped.push(copy.name.clone());
            }
            Some(original) => {
                return Err(LoadError::NotTied {
                    copy: copy.name.clone(),
                    original: original.name.clone(),
                });
            }
            None => mismatch.unexpected.push(copy.name.clone()),
        }
    }
    Ok(())
}

fn account_for_unclaimed(
    parameter: &Parameter,
    claims: &Claims<'_>,
    keys: &KeyMap,
    options: &LoadOptions,
    mismatch: &mut Mismatch,
    report: &mut LoadReport,
) {
    let path = parameter.path.clone();
    if options.is_fresh(&path) || is_absent_option(&path, claims, options) {
        report.new.push(path);
        return;
    }
    match keys.checkpoint_name(&path) {
        Some(name) => mismatch.missing.push(MissingTensor { name, path }),
        None => mismatch.unmapped.push(path),
    }
}

/// An optional part may be missing only as a whole.
fn is_absent_option(path: &str, claims: &Claims<'_>, options: &LoadOptions) -> bool {
    options.optional.iter().any(|prefix| {
        names::is_under(path, prefix)
            && !claims
                .keys()
                .any(|claimed| names::is_under(claimed, prefix))
    })
}

fn assign<'a>(
    parameters: &[Parameter],
    claims: &Claims<'a>,
    options: &LoadOptions,
    mismatch: &mut Mismatch,
    report: &mut LoadReport,
) -> Vec<Assignment<'a>> {
    let mut assignments = Vec::new();
    for parameter in parameters {
        let Some(&tensor) = claims.get(&parameter.path) else {
            continue;
        };
        if options.is_fresh(&parameter.path) {
            report.new.push(parameter.path.clone());
            report.replaced.push(tensor.name.clone());
            continue;
        }
        let dtype = values::float_dtype(tensor.dtype);
        if dtype.is_none() {
            mismatch.wrong_dtype.push(WrongDtype {
                name: tensor.name.clone(),
                found: tensor.dtype,
            });
        }
        let fits = tensor.shape == parameter.shape;
        if !fits {
            mismatch.misshapen.push(MisshapenTensor {
                name: tensor.name.clone(),
                expected: parameter.shape.clone(),
                found: tensor.shape.clone(),
            });
        }
        if let (Some(dtype), true) = (dtype, fits) {
            report.loaded.push(tensor.name.clone());
            assignments.push(Assignment {
                tensor,
                dtype,
                path: parameter.path.clone(),
            });
        }
    }
    assignments
}
