use std::io;

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DoctorError {
    /// The embedded golden files could not be unpacked.
    #[error(
        "the golden files cannot be unpacked into the system's folder for temporary files: {0}"
    )]
    Unpack(#[from] io::Error),
    /// The device to compare with does not open.
    #[error(transparent)]
    Device(#[from] bert_device::DeviceError),
    /// A comparison could not be made.
    #[error(transparent)]
    Parity(#[from] bert_parity::ParityError),
    /// A golden checkpoint does not open.
    #[error(transparent)]
    Open(#[from] bert_weights::CheckpointError),
    /// A golden checkpoint does not load.
    #[error(transparent)]
    Load(#[from] bert_weights::LoadError),
    /// A key map is malformed.
    #[error(transparent)]
    Keys(#[from] bert_weights::KeyMapError),
    /// The encoder refuses a configuration or a batch.
    #[error(transparent)]
    Encoder(#[from] bert_encoder::EncoderError),
    /// A task refuses a model or a batch.
    #[error(transparent)]
    Task(#[from] bert_tasks::TaskError),
    /// An adapter does not fit.
    #[error(transparent)]
    Adapter(#[from] bert_tasks::adapters::AdapterError),
    /// A step of training failed.
    #[error(transparent)]
    Train(#[from] bert_train::TrainError),
}
