//! The files of one commit: found in the hub's cache or downloaded, verified, pinned.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::api::{HubApi, RemoteFile};
use super::error::HubError;
use super::layout::{is_commit, is_safe_name};
use super::{KIND, Request, Snapshot, revision_key, select};
use crate::disk;
use crate::error::{FetchError, SourceError};
use crate::http;
use crate::manifest::{FileSpec, check_inner_path};
use crate::pins;
use crate::progress::{NoProgress, Progress};
use crate::source::{self, Context};
use crate::stamp::Stamps;
use crate::wanted::{Pin, Wanted, check_hash};

/// A commit whose files are being completed.
pub(super) struct Work<'a> {
    request: &'a Request<'a>,
    commit: &'a str,
    /// `None` where the cache alone may be used.
    hub: Option<&'a HubApi<'a>>,
    /// Why the cache alone may be used.
    reason: &'static str,
    pins: BTreeMap<String, String>,
    stamps: Stamps,
    /// The hashes of the files that are whole.
    whole: BTreeMap<String, String>,
}

/// What is known of a file in the snapshot.
enum State {
    Whole(String),
    Missing,
    Damaged(SourceError),
}

impl<'a> Work<'a> {
    pub(super) fn begin(
        request: &'a Request<'a>,
        commit: &'a str,
        hub: Option<&'a HubApi<'a>>,
        reason: &'static str,
    ) -> Result<Self, HubError> {
        let cache = &request.fetcher.cache;
        Ok(Self {
            request,
            commit,
            hub,
            reason,
            pins: pins::read(cache, &pins::of_commit(request.name.repo(), commit))?,
            stamps: Stamps::read(&cache.stamp_file_of(KIND, &request.key())),
            whole: BTreeMap::new(),
        })
    }

    /// Brings the needed files of those in `listing` here, and pins what is not pinned.
    pub(super) fn complete(
        mut self,
        listing: &[String],
        progress: &mut dyn Progress,
    ) -> Result<Snapshot, HubError> {
        let name = self.request.name;
        let mut obtain = |file: &str| self.obtain(file, progress);
        let needed = select::needed(name, listing, &mut obtain)?;
        for file in &needed {
            self.obtain(file, progress)?;
        }
        self.record(progress)?;
        Ok(self.snapshot(&needed))
    }

    /// The snapshot, if the cache holds every file that is needed or pinned, as it was pinned.
    pub(super) fn pinned_snapshot(mut self) -> Option<Snapshot> {
        let listing = self.request.repo.files(self.commit);
        let names: Vec<String> = self.pins.keys().cloned().collect();
        if names.iter().any(|file| !listing.contains(file)) {
            return None;
        }
        let name = self.request.name;
        let mut silent = NoProgress;
        let mut obtain = |file: &str| self.obtain(file, &mut silent);
        let needed = select::needed(name, &listing, &mut obtain).ok()?;
        if needed.iter().any(|file| !names.contains(file)) {
            return None;
        }
        for file in &names {
            self.obtain(file, &mut silent).ok()?;
        }
        // In a read-only cache nothing can be recorded, and the next call hashes the files again.
        let _ = self.stamp();
        Some(self.snapshot(&needed))
    }

    fn snapshot(&self, needed: &[String]) -> Snapshot {
        let dir = self.request.repo.snapshot(self.commit);
        Snapshot {
            files: needed.iter().map(|file| dir.join(file)).collect(),
            dir,
            commit: self.commit.to_owned(),
        }
    }

    /// Makes sure that a file is in the snapshot and verified.
    fn obtain(&mut self, file: &str, progress: &mut dyn Progress) -> Result<PathBuf, HubError> {
        check_inner_path(file).map_err(|message| self.bad_file(file, message))?;
        let path = self.request.repo.snapshot(self.commit).join(file);
        if self.whole.contains_key(file) {
            return Ok(path);
        }
        let sha256 = match (self.state(file, &path)?, self.hub) {
            (State::Whole(sha256), _) => sha256,
            (State::Missing, None) => return Err(self.request.offline(file, self.reason)),
            (State::Damaged(reason), None) => return Err(self.failed(reason)),
            (State::Missing, Some(hub)) => self.download(hub, file, progress)?,
            (State::Damaged(reason), Some(hub)) => {
                let name = self.request.name;
                progress.note(&format!(
                    "in the hub's cache of {name}: {reason}; fetching it again"
                ));
                self.download(hub, file, progress)?
            }
        };
        self.whole.insert(file.to_owned(), sha256);
        Ok(path)
    }

    fn state(&self, file: &str, path: &Path) -> Result<State, HubError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
            Err(refused) => return Err(HubError::disk("read", path)(refused)),
        };
        let sha256 = match self.stamps.hash_of(&self.stamp_key(file), &metadata) {
            Some(known) => known.to_owned(),
            None => disk::sha256_of(path).map_err(HubError::disk("read", path))?,
        };
        let spec = spec(file, None);
        let wanted = self.wanted(&spec);
        let checked = match wanted.is_verifiable() {
            true => wanted.check_hash(&sha256),
            false => check_hash(file, blob_hash(path).as_deref(), &sha256),
        };
        Ok(match checked {
            Ok(()) => State::Whole(sha256),
            Err(damaged) => State::Damaged(damaged),
        })
    }

    /// Puts a file into the cache, from a content that is there already or from the hub.
    fn download(
        &self,
        hub: &HubApi<'_>,
        file: &str,
        progress: &mut dyn Progress,
    ) -> Result<String, HubError> {
        let repo = &self.request.repo;
        let remote = hub.describe(self.commit, file)?;
        let etag = self.checked_etag(&remote)?;
        let _lock = repo
            .lock(etag)
            .map_err(HubError::disk("lock", repo.cache()))?;
        let blob = repo.blob(etag);
        let spec = spec(file, remote.size);
        let mut wanted = self.wanted(&spec);
        let sha256 = match present(&blob, &wanted, &remote) {
            Some(sha256) => sha256,
            None => self.transfer(hub, &remote, &mut wanted, &blob, progress)?,
        };
        let linked = repo.link(etag, self.commit, file);
        linked.map_err(HubError::disk("write", &repo.snapshot(self.commit)))?;
        Ok(sha256)
    }

    fn transfer(
        &self,
        hub: &HubApi<'_>,
        remote: &RemoteFile,
        wanted: &mut Wanted<'_>,
        blob: &Path,
        progress: &mut dyn Progress,
    ) -> Result<String, HubError> {
        let fetcher = self.request.fetcher;
        let partial = self.partial();
        let mut context = Context {
            options: &fetcher.options,
            agent: &fetcher.agent,
            partial: &partial,
            progress,
        };
        let sha256 = remote.sha256();
        if let Err(reason) =
            source::transfer(&remote.url, hub.token(), sha256, wanted, &mut context)
        {
            if !reason.is_resumable() {
                // The bytes that are there are not those of the file.
                http::discard(&wanted.part).map_err(|reason| self.failed(reason))?;
            }
            return Err(self.failed(reason));
        }
        disk::move_into_place(&wanted.staged, blob).map_err(HubError::disk("write", blob))?;
        match wanted.accepted.take() {
            Some(sha256) => Ok(sha256),
            None => disk::sha256_of(blob).map_err(HubError::disk("read", blob)),
        }
    }

    /// The entity tag, if the answer is a hub's and is about this commit.
    fn checked_etag<'r>(&self, remote: &'r RemoteFile) -> Result<&'r str, HubError> {
        let not_a_hub = |message: String| HubError::NotAHub {
            url: remote.url.clone(),
            message,
        };
        match remote.commit.as_deref() {
            None => {
                return Err(not_a_hub(
                    "the answer has no header X-Repo-Commit".to_owned(),
                ));
            }
            Some(found) if found != self.commit => {
                let expected = self.commit;
                let message = format!("the answer is about commit {found}, not about {expected}");
                return Err(not_a_hub(message));
            }
            Some(_) => {}
        }
        let etag = remote.etag.as_deref().filter(|etag| is_safe_name(etag));
        etag.ok_or_else(|| not_a_hub("the answer has no usable header ETag".to_owned()))
    }

    fn wanted<'s>(&self, spec: &'s FileSpec) -> Wanted<'s> {
        let cache = &self.request.fetcher.cache;
        let pin = self.pins.get(&spec.path).map(|sha256| Pin {
            sha256: sha256.clone(),
            lock_file: cache.pins_file(),
        });
        let partial = self.partial();
        Wanted {
            spec,
            pin,
            part: partial.join("parts").join(format!("{}.part", spec.path)),
            staged: partial.join("staged").join(&spec.path),
            accepted: None,
        }
    }

    /// Transfers under way stay out of the hub's cache.
    fn partial(&self) -> PathBuf {
        let cache = &self.request.fetcher.cache;
        cache
            .partial_of(KIND, &self.request.key())
            .join(self.commit)
    }

    /// Pins the commit and the files, and remembers what was verified.
    fn record(&mut self, progress: &mut dyn Progress) -> Result<(), HubError> {
        let Request {
            fetcher,
            name,
            repo,
            pinned,
        } = self.request;
        if self.hub.is_some() {
            repo.write_reference(name.revision(), self.commit)
                .map_err(HubError::disk("write", repo.folder()))?;
        }
        let unpinned: BTreeMap<String, String> = self
            .whole
            .iter()
            .filter(|(file, _)| !self.pins.contains_key(*file))
            .map(|(file, sha256)| (file.clone(), sha256.clone()))
            .collect();
        if !unpinned.is_empty() {
            let lock_file = fetcher.cache.pins_file();
            progress.note(&format!(
                "{name}: commit {} and the hashes of its files are pinned in {}",
                self.commit,
                lock_file.display()
            ));
        }
        pins::add(
            &fetcher.cache,
            pins::of_commit(name.repo(), self.commit),
            unpinned,
        )?;
        if pinned.is_none() && !is_commit(name.revision()) {
            let pin = BTreeMap::from([(revision_key(name), self.commit.to_owned())]);
            pins::add(&fetcher.cache, pins::HUB_REVISIONS.to_owned(), pin)?;
        }
        self.stamp()?;
        // Leftovers only cost space.
        let _ = fs::remove_dir_all(self.partial());
        Ok(())
    }

    fn stamp(&mut self) -> Result<(), HubError> {
        let repo = &self.request.repo;
        let mut has_changed = false;
        for (file, sha256) in &self.whole {
            let path = repo.snapshot(self.commit).join(file);
            let metadata = fs::metadata(&path).map_err(HubError::disk("read", &path))?;
            let key = self.stamp_key(file);
            if self.stamps.hash_of(&key, &metadata) != Some(sha256) {
                self.stamps.record(&key, sha256, &metadata);
                has_changed = true;
            }
        }
        let path = self
            .request
            .fetcher
            .cache
            .stamp_file_of(KIND, &self.request.key());
        match has_changed {
            true => Ok(self
                .stamps
                .write(&path)
                .map_err(FetchError::cache("write", &path))?),
            false => Ok(()),
        }
    }

    fn stamp_key(&self, file: &str) -> String {
        format!("{}/{file}", self.commit)
    }

    fn failed(&self, reason: SourceError) -> HubError {
        HubError::Transfer {
            name: self.request.name.to_string(),
            reason,
        }
    }

    fn bad_file(&self, file: &str, message: String) -> HubError {
        HubError::BadFile {
            name: self.request.name.to_string(),
            file: file.to_owned(),
            message,
        }
    }
}

fn spec(file: &str, size: Option<u64>) -> FileSpec {
    FileSpec {
        path: file.to_owned(),
        sha256: None,
        size,
        split: None,
    }
}

/// The hash of a content that the cache holds already, if it is the wanted one.
fn present(blob: &Path, wanted: &Wanted<'_>, remote: &RemoteFile) -> Option<String> {
    let length = fs::metadata(blob).ok()?.len();
    wanted.check_size(length).ok()?;
    let sha256 = disk::sha256_of(blob).ok()?;
    wanted.check_hash(&sha256).ok()?;
    check_hash(&wanted.spec.path, remote.sha256(), &sha256).ok()?;
    Some(sha256)
}

/// The hash that the cache itself states: large files are stored under their sha256.
fn blob_hash(pointer: &Path) -> Option<String> {
    let blob = fs::canonicalize(pointer).ok()?;
    let name = blob.file_name()?.to_str()?;
    super::api::is_sha256(name).then(|| name.to_owned())
}
