//! What a bug report says of the machine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use bert_device::{Details, OpenedDevice};
use bert_hub::{FetchOptions, reach_hub};
use bert_report::Environment;
use burn::tensor::DType;
use serde::Serialize;

/// The version that the workspace pins.
const BURN: &str = "0.22.1";
/// Long enough for a slow network, short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The machine, and the surroundings of `bert` on it.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    #[serde(flatten)]
    pub(crate) environment: Environment,
    pub(crate) burn: &'static str,
    /// Whether Burn chooses kernels by measuring them, and joins operations.
    pub(crate) autotune: bool,
    pub(crate) fusion: bool,
    pub(crate) description: String,
    pub(crate) kind: Option<&'static str>,
    pub(crate) api: Option<String>,
    pub(crate) driver: Option<String>,
    /// Vendor and device, as PCI numbers them.
    pub(crate) ids: Option<String>,
    pub(crate) features: Vec<String>,
    pub(crate) max_buffer_bytes: Option<u64>,
    pub(crate) subgroup: Option<[u32; 2]>,
    pub(crate) float_types: Vec<&'static str>,
    pub(crate) instruction_sets: Vec<&'static str>,
    /// Of the machine, where the system tells it the Linux way.
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) cache: String,
    pub(crate) cache_is_writable: bool,
    pub(crate) hub: String,
}

impl Machine {
    /// `word` is that of `--device`.
    pub(crate) fn examine(word: &str, opened: OpenedDevice, offline: bool) -> Result<Self> {
        let options = FetchOptions::from_env()?;
        let threads = rayon::current_num_threads();
        let Details {
            kind,
            api,
            driver,
            ids,
            features,
            max_buffer_size,
            subgroup,
            ..
        } = opened.details;
        Ok(Self {
            environment: Environment::of_this_machine(word, threads),
            burn: BURN,
            autotune: cfg!(any(feature = "vulkan", feature = "metal", feature = "cuda")),
            fusion: false,
            description: opened.description,
            kind,
            api,
            driver,
            ids: ids.map(|[vendor, device]| format!("{vendor:04x}:{device:04x}")),
            features,
            max_buffer_bytes: max_buffer_size,
            subgroup,
            float_types: [
                ("f32", DType::F32),
                ("f16", DType::F16),
                ("bf16", DType::BF16),
            ]
            .into_iter()
            .filter(|(_, dtype)| opened.device.supports_dtype(*dtype))
            .map(|(name, _)| name)
            .collect(),
            instruction_sets: instruction_sets(),
            memory_bytes: memory_bytes(),
            cache: options.home.display().to_string(),
            cache_is_writable: is_writable(&options.home),
            hub: hub(&options, offline),
        })
    }

    /// Names and values for people.
    pub(crate) fn rows(&self) -> Vec<[String; 2]> {
        let Environment {
            version,
            threads,
            os,
            arch,
            processor,
            ..
        } = &self.environment;
        let on = |is_on| if is_on { "on" } else { "off" };
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        let rows = [
            ("bert", Some(version.clone())),
            (
                "burn",
                Some(format!(
                    "{}, autotune {}, fusion {}",
                    self.burn,
                    on(self.autotune),
                    on(self.fusion)
                )),
            ),
            ("device", Some(self.description.clone())),
            ("driver", self.driver.clone()),
            ("ids", self.ids.clone()),
            ("largest buffer", self.max_buffer_bytes.map(gib)),
            (
                "subgroup",
                self.subgroup
                    .map(|[least, most]| format!("{least} to {most}")),
            ),
            ("float types", Some(self.float_types.join(", "))),
            ("features", Some(self.features.join(", "))),
            ("processor", Some(processor.clone())),
            ("instructions", Some(self.instruction_sets.join(", "))),
            ("threads", Some(threads.to_string())),
            ("memory", self.memory_bytes.map(gib)),
            ("system", Some(format!("{os} on {arch}"))),
            (
                "cache",
                Some(format!(
                    "{}{}",
                    self.cache,
                    if self.cache_is_writable {
                        ""
                    } else {
                        " (cannot be written)"
                    }
                )),
            ),
            ("hub", Some(self.hub.clone())),
        ];
        let known = rows.into_iter().filter_map(|(name, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some([name.to_owned(), value])
        });
        known.collect()
    }
}

/// Those that the kernels look for, where the processor has them.
fn instruction_sets() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        [
            ("avx2", is_x86_feature_detected!("avx2")),
            ("fma", is_x86_feature_detected!("fma")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
            ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
            ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ]
        .into_iter()
        .filter_map(|(name, is_there)| is_there.then_some(name))
        .collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        vec!["neon"]
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        Vec::new()
    }
}

/// The field `MemTotal` of proc_meminfo(5), which is in KiB.
fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Whether a file can be made in the folder, or in the nearest one above it that there is. Nothing stays behind.
fn is_writable(folder: &Path) -> bool {
    let there = folder.ancestors().find(|folder| folder.is_dir());
    there.is_some_and(|folder| tempfile::tempfile_in(folder).is_ok())
}

fn hub(options: &FetchOptions, offline: bool) -> String {
    if offline || options.offline || options.hub_offline {
        return "not asked".to_owned();
    }
    match reach_hub(options, PATIENCE) {
        Ok(()) => format!("{} answers", options.hub_endpoint),
        Err(error) => format!("does not answer: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_burn_is_the_one_that_the_workspace_pins() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let manifest: toml::Value = toml::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
        let pinned = manifest["workspace"]["dependencies"]["burn"]["version"].as_str();
        assert_eq!(pinned, Some(format!("={BURN}").as_str()));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_writable_where_its_parent_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_writable(&folder.path().join("not/there/yet")));
        assert!(folder.path().read_dir().unwrap().next().is_none());
        assert!(!is_writable(Path::new("")));
    }

    #[test]
    fn a_hub_that_does_not_answer_is_no_error() {
        let mut options = FetchOptions::new("home");
        // Nothing listens on this port of this machine.
        options.hub_endpoint = "http://127.0.0.1:9".to_owned();
        assert!(hub(&options, false).starts_with("does not answer"));
        assert_eq!(hub(&options, true), "not asked");
    }
}
