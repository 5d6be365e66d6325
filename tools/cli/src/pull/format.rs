//! The layouts of a pulled dataset.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DatasetFormat {
    /// Hugging Face AudioFolder: metadata.jsonl and audio/ID.flac
    #[value(name = "audiofolder")]
    AudioFolder,
    /// WebDataset: shards of ID.flac and ID.json
    #[value(name = "webdataset")]
    WebDataset,
    /// One folder per sample: ID/manifest.json and ID/audio.flac
    Bundle,
}
