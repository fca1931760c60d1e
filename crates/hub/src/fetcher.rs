//! From an entry of the manifest to its folder in the cache.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ureq::Agent;

use crate::cache::Cache;
use crate::collection::Collection;
use crate::disk;
use crate::error::{FetchError, SourceError, SourceFailure};
use crate::http;
use crate::manifest::{Entry, FileSpec, Source};
use crate::options::FetchOptions;
use crate::pins;
use crate::progress::Progress;
use crate::source::{self, Context};
use crate::stamp::Stamps;
use crate::wanted::{Pin, Wanted};

/// Fetches entries into one cache.
#[derive(Debug)]
pub struct Fetcher {
    pub(crate) options: FetchOptions,
    pub(crate) cache: Cache,
    pub(crate) agent: Agent,
}

/// An entry all of whose files are in the cache and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The entry's folder.
    pub dir: PathBuf,
    /// Its files, in the manifest's order.
    pub files: Vec<PathBuf>,
    /// Where files came from in this call; empty when the cache had them all.
    pub origins: Vec<String>,
}

/// What is known of a file that may be in the cache.
enum State {
    Whole(String),
    Missing,
    Damaged(SourceError),
}

impl Fetcher {
    /// A fetcher with these options. It reads and writes nothing before the first call.
    pub fn new(options: FetchOptions) -> Self {
        let cache = Cache::new(&options.home);
        let agent = http::agent(options.timeout);
        Self {
            options,
            cache,
            agent,
        }
    }

    /// The options it was made with.
    pub fn options(&self) -> &FetchOptions {
        &self.options
    }

    /// The entry's folder if every file is there with the right size. This quick look for listings computes no hash.
    pub fn cached(&self, entry: &Entry) -> Option<PathBuf> {
        let dir = self.cache.dir(entry);
        let stamps = Stamps::read(&self.cache.stamp_file(entry));
        let is_there = |file: &FileSpec| {
            let size = file.size.or_else(|| stamps.size_of(&file.path));
            fs::metadata(dir.join(&file.path))
                .is_ok_and(|found| found.is_file() && size.is_none_or(|size| size == found.len()))
        };
        entry.files.iter().all(is_there).then_some(dir)
    }

    /// Completes the entry in the cache. The fetcher verifies the files that are there: by their recorded size and time
    /// if those have not changed since, else by hash. It gets missing and damaged files from `$BERT_DATASETS` or from the
    /// entry's sources, in their order.
    ///
    /// # Errors
    /// [`FetchError::AllSourcesFailed`] lists each source with its reason; [`FetchError::Offline`] says what is missing;
    /// the others say what is wrong with the cache itself. Files that were complete before stay complete.
    pub fn fetch(&self, entry: &Entry, progress: &mut dyn Progress) -> Result<Fetched, FetchError> {
        if self.is_whole(entry)? {
            return Ok(self.fetched(entry, Vec::new()));
        }
        let _guard = self.cache.lock(entry, progress)?;
        let mut work = Work::begin(self, entry, progress)?;
        if !work.wanted.is_empty() {
            work.search_collection(progress)?;
        }
        if !work.wanted.is_empty() {
            work.try_sources(progress)?;
        }
        work.record()?;
        Ok(self.fetched(entry, work.origins))
    }

    /// Whether every file is verified already. Nothing needs to be written then, so the cache may be read-only.
    fn is_whole(&self, entry: &Entry) -> Result<bool, FetchError> {
        let stamps = Stamps::read(&self.cache.stamp_file(entry));
        let pins = pins::read(&self.cache, &pins::of_entry(entry))?;
        let mut hashes = BTreeMap::new();
        for file in &entry.files {
            let wanted = self.wanted(entry, file, &pins);
            match self.state(entry, &wanted, &stamps)? {
                State::Whole(sha256) if wanted.is_verifiable() => {
                    hashes.insert(file.path.clone(), sha256)
                }
                State::Whole(_) | State::Missing | State::Damaged(_) => return Ok(false),
            };
        }
        // A copy of the cache has new times, so its files had to be hashed. In a read-only cache the new times cannot be
        // recorded, and the next call hashes them again.
        let _ = self.stamp(entry, &hashes, &stamps);
        Ok(true)
    }

    /// Records that files with these hashes are verified, unless `known` says so already.
    fn stamp(
        &self,
        entry: &Entry,
        hashes: &BTreeMap<String, String>,
        known: &Stamps,
    ) -> Result<(), FetchError> {
        let mut stamps = Stamps::default();
        for (file, sha256) in hashes {
            let path = self.cache.dir(entry).join(file);
            let metadata = fs::metadata(&path).map_err(FetchError::cache("read", &path))?;
            stamps.record(file, sha256, &metadata);
        }
        if stamps == *known {
            return Ok(());
        }
        let path = self.cache.stamp_file(entry);
        stamps
            .write(&path)
            .map_err(FetchError::cache("write", &path))
    }

    fn state(
        &self,
        entry: &Entry,
        wanted: &Wanted<'_>,
        stamps: &Stamps,
    ) -> Result<State, FetchError> {
        let path = self.cache.dir(entry).join(&wanted.spec.path);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
            Err(refused) => return Err(FetchError::cache("read", &path)(refused)),
        };
        if let Err(damaged) = wanted.check_size(metadata.len()) {
            return Ok(State::Damaged(damaged));
        }
        let sha256 = match stamps.hash_of(&wanted.spec.path, &metadata) {
            Some(known) => known.to_owned(),
            None => disk::sha256_of(&path).map_err(FetchError::cache("read", &path))?,
        };
        Ok(match wanted.check_hash(&sha256) {
            Ok(()) => State::Whole(sha256),
            Err(damaged) => State::Damaged(damaged),
        })
    }

    fn wanted<'a>(
        &self,
        entry: &Entry,
        spec: &'a FileSpec,
        pins: &BTreeMap<String, String>,
    ) -> Wanted<'a> {
        let partial = self.cache.partial(entry);
        let pin = pins.get(&spec.path).filter(|_| spec.sha256.is_none());
        Wanted {
            spec,
            pin: pin.map(|sha256| Pin {
                sha256: sha256.clone(),
                lock_file: self.cache.pins_file(),
            }),
            part: partial.join("parts").join(format!("{}.part", spec.path)),
            staged: partial.join("staged").join(&spec.path),
            accepted: None,
        }
    }

    fn fetched(&self, entry: &Entry, origins: Vec<String>) -> Fetched {
        let dir = self.cache.dir(entry);
        let files = entry
            .files
            .iter()
            .map(|file| dir.join(&file.path))
            .collect();
        Fetched {
            dir,
            files,
            origins,
        }
    }
}

/// One fetch, under the entry's lock.
struct Work<'a> {
    fetcher: &'a Fetcher,
    entry: &'a Entry,
    /// What is still missing.
    wanted: Vec<Wanted<'a>>,
    /// The hashes of what is whole, by path.
    whole: BTreeMap<String, String>,
    origins: Vec<String>,
}

impl<'a> Work<'a> {
    /// Looks at every file again, now that nobody else writes.
    fn begin(
        fetcher: &'a Fetcher,
        entry: &'a Entry,
        progress: &mut dyn Progress,
    ) -> Result<Self, FetchError> {
        let stamps = Stamps::read(&fetcher.cache.stamp_file(entry));
        let pins = pins::read(&fetcher.cache, &pins::of_entry(entry))?;
        let mut work = Self {
            fetcher,
            entry,
            wanted: Vec::new(),
            whole: BTreeMap::new(),
            origins: Vec::new(),
        };
        for file in &entry.files {
            let wanted = fetcher.wanted(entry, file, &pins);
            match fetcher.state(entry, &wanted, &stamps)? {
                State::Whole(sha256) => {
                    work.whole.insert(file.path.clone(), sha256);
                }
                State::Missing => work.wanted.push(wanted),
                State::Damaged(reason) => {
                    progress.note(&format!(
                        "in the cache of {}: {reason}; fetching it again",
                        entry.name
                    ));
                    work.wanted.push(wanted);
                }
            }
        }
        work.clear_staging()?;
        Ok(work)
    }

    /// A run that was killed may have left staged files, which nobody has verified in this one.
    fn clear_staging(&self) -> Result<(), FetchError> {
        let staging = self.fetcher.cache.partial(self.entry).join("staged");
        match fs::remove_dir_all(&staging) {
            Err(refused) if refused.kind() != io::ErrorKind::NotFound => {
                Err(FetchError::cache("clear", &staging)(refused))
            }
            _ => Ok(()),
        }
    }

    /// Takes what the user's own folder of data sets holds.
    fn search_collection(&mut self, progress: &mut dyn Progress) -> Result<(), FetchError> {
        let Some(folder) = self.fetcher.options.datasets.as_deref() else {
            return Ok(());
        };
        if !folder.is_dir() {
            progress.note(&format!(
                "BERT_DATASETS names {}, which is not a folder; the fetcher skips it",
                folder.display()
            ));
            return Ok(());
        }
        let mut collection = Collection::of(folder);
        for wanted in &mut self.wanted {
            let Some(sha256) = wanted.known_hash() else {
                continue;
            };
            if let Some(path) = collection.find(&wanted.spec.path, sha256, wanted.spec.size)
                && let Err(reason) = source::accept_copy(wanted, &path, None)
            {
                progress.note(&format!("BERT_DATASETS: {reason}"));
            }
        }
        let origin = format!("folder {}", folder.display());
        self.commit(&origin, false)?;
        self.search_archives(&mut collection, progress);
        self.commit(&origin, false)
    }

    /// A collection may hold the archive of a source in place of the files in it.
    fn search_archives(&mut self, collection: &mut Collection, progress: &mut dyn Progress) {
        let scratch = self.fetcher.cache.partial(self.entry);
        for source in &self.entry.sources {
            let Source::Url(archive) = source else {
                continue;
            };
            let Some(sha256) = archive.sha256.as_deref().filter(|_| !archive.is_folder()) else {
                continue;
            };
            if let Some(path) = collection.find(archive.last_segment(), sha256, None)
                && let Err(reason) =
                    source::unpack_archive(archive, &path, &mut self.wanted, &scratch)
            {
                progress.note(&format!("BERT_DATASETS: {reason}"));
            }
        }
    }

    fn try_sources(&mut self, progress: &mut dyn Progress) -> Result<(), FetchError> {
        if !self.fetcher.options.offline {
            self.announce(progress);
        }
        let partial = self.fetcher.cache.partial(self.entry);
        let mut failures = Vec::new();
        for source in &self.entry.sources {
            let mut context = Context {
                options: &self.fetcher.options,
                agent: &self.fetcher.agent,
                partial: &partial,
                progress: &mut *progress,
            };
            let outcome = source::obtain(source, &mut self.wanted, &mut context);
            self.commit(&source.to_string(), outcome.is_ok())?;
            match outcome {
                Ok(()) => return Ok(()),
                Err(reason) => {
                    if !self.fetcher.options.offline {
                        progress.note(&format!("{source}: {reason}"));
                    }
                    failures.push(SourceFailure {
                        origin: source.to_string(),
                        reason,
                    });
                }
            }
        }
        Err(self.failed(failures))
    }

    fn announce(&self, progress: &mut dyn Progress) {
        if let Some(note) = &self.entry.note {
            progress.note(&format!("{}: {note}", self.entry.name));
        }
        let unverified: Vec<&str> = self
            .wanted
            .iter()
            .filter(|wanted| !wanted.is_verifiable())
            .map(|wanted| wanted.spec.path.as_str())
            .collect();
        if !unverified.is_empty() {
            progress.note(&format!(
                "the manifest states no hash for {} of {}; the hash of what arrives now is pinned in {}",
                unverified.join(", "),
                self.entry.name,
                self.fetcher.cache.pins_file().display()
            ));
        }
    }

    /// Moves staged files to their places. Files without a known hash must all come from one source, so those of a source
    /// that failed half-way are not kept.
    fn commit(&mut self, origin: &str, succeeded: bool) -> Result<(), FetchError> {
        let dir = self.fetcher.cache.dir(self.entry);
        let mut pinned = BTreeMap::new();
        let mut moved = false;
        for mut wanted in std::mem::take(&mut self.wanted) {
            match wanted.accepted.take() {
                Some(sha256) if succeeded || wanted.is_verifiable() => {
                    let path = dir.join(&wanted.spec.path);
                    disk::persist(&wanted.staged, &path)
                        .map_err(FetchError::cache("write", &path))?;
                    if !wanted.is_verifiable() {
                        pinned.insert(wanted.spec.path.clone(), sha256.clone());
                    }
                    self.whole.insert(wanted.spec.path.clone(), sha256);
                    moved = true;
                }
                _ => self.wanted.push(wanted),
            }
        }
        if moved {
            self.origins.push(origin.to_owned());
        }
        self.pin(pinned)
    }

    fn pin(&self, pinned: BTreeMap<String, String>) -> Result<(), FetchError> {
        pins::add(&self.fetcher.cache, pins::of_entry(self.entry), pinned)
    }

    /// Pins files that were in the cache without a pin, stamps everything, and clears what the transfers left.
    fn record(&self) -> Result<(), FetchError> {
        let cache = &self.fetcher.cache;
        let known = pins::read(cache, &pins::of_entry(self.entry))?;
        let unpinned = |file: &&FileSpec| file.sha256.is_none() && !known.contains_key(&file.path);
        let found = self.entry.files.iter().filter(unpinned);
        self.pin(
            found
                .filter_map(|file| Some((file.path.clone(), self.whole.get(&file.path)?.clone())))
                .collect(),
        )?;

        self.fetcher
            .stamp(self.entry, &self.whole, &Stamps::default())?;
        remove_leftovers(&cache.partial(self.entry));
        Ok(())
    }

    fn failed(&self, failures: Vec<SourceFailure>) -> FetchError {
        let name = self.entry.name.clone();
        if !self.fetcher.options.offline {
            return FetchError::AllSourcesFailed { name, failures };
        }
        FetchError::Offline {
            name,
            dir: self.fetcher.cache.dir(self.entry),
            incomplete: self
                .wanted
                .iter()
                .map(|wanted| wanted.spec.path.clone())
                .collect(),
            failures,
        }
    }
}

/// Removes leftovers. A failure is ignored: they only cost space, and the next fetch removes them.
fn remove_leftovers(partial: &Path) {
    let _ = fs::remove_dir_all(partial);
}
