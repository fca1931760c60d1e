/// What the driver of a device tells of it; nothing where there is no driver, or where it tells nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The adapter's own name.
    pub adapter: Option<String>,
    /// A discrete GPU, an integrated one, software.
    pub kind: Option<&'static str>,
    /// The graphics API.
    pub api: Option<String>,
    /// The driver with its version.
    pub driver: Option<String>,
    /// Identifiers of vendor and device, as PCI has them.
    pub ids: Option<[u32; 2]>,
    /// The names of the adapter's features.
    pub features: Vec<String>,
    /// Bytes of the largest buffer.
    pub max_buffer_size: Option<u64>,
    /// Fewest and most lanes of a subgroup.
    pub subgroup: Option<[u32; 2]>,
}
