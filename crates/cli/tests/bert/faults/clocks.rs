//! A clock that jumps: the times of files lie far in the past or in the future, and their order says nothing.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::interrupted::{Random, assert_same, killed_after};
use super::super::support::names_in;
use super::kills::{fetched_whole, go_on};
use super::site::{Site, TRAIN};

pub(super) fn jump(site: &Site, random: &mut Random) -> &'static str {
    match random.below(2) {
        0 => checkpoints(site, random),
        _ => cache(site, random),
    }
}

/// A time between 1930 and 2150.
fn any_time(random: &mut Random) -> SystemTime {
    let days = Duration::from_secs(24 * 60 * 60);
    match random.below(3) {
        0 => UNIX_EPOCH - days * random.below(14_600) as u32,
        _ => UNIX_EPOCH + days * random.below(65_700) as u32,
    }
}

/// Gives every file below a folder another time.
fn scatter(folder: &Path, random: &mut Random) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scatter(&path, random);
        } else if let Ok(file) = File::options().append(true).open(&path) {
            file.set_modified(any_time(random)).unwrap();
        }
    }
}

/// A run goes on from the checkpoint of the highest step, whatever the clock says, and its events follow the others.
fn checkpoints(site: &Site, random: &mut Random) -> &'static str {
    let output = site.fresh("clock");
    let line = format!("{TRAIN} --output {output}");
    let was_running = killed_after(&site.room, &line, site.moment(random, site.training));
    let dir = site.room.path(&output);
    std::fs::create_dir_all(&dir).unwrap();
    let future = "events.out.tfevents.4102444800.000000.1.bert";
    std::fs::write(dir.join(future), "").unwrap();
    scatter(&dir, random);
    let outcome = go_on(&site.room, &line, &output, was_running);
    assert_same(&site.room, "whole", &output);
    if outcome != "it was over" {
        let names = names_in(&dir);
        let events = names
            .iter()
            .rfind(|name| name.starts_with("events.out.tfevents"));
        assert_ne!(events.unwrap(), future, "{names:?}");
    }
    site.clear(&output);
    "a run went on"
}

/// A cache is verified anew, and not fetched anew.
fn cache(site: &Site, random: &mut Random) -> &'static str {
    let home = site.fresh("cache");
    fetched_whole(site, &home);
    let transfers = || {
        let requests = site.hub.requests();
        requests
            .iter()
            .filter(|request| request.contains("/store/"))
            .count()
    };
    let before = transfers();
    scatter(&site.room.path(&home), random);
    fetched_whole(site, &home);
    assert_eq!(transfers(), before);
    site.clear(&home);
    "a cache was verified anew"
}
