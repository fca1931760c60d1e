//! Models of the hub by name, from a hub that the test plays.

use super::support::{Room, Run, TRAIN};

#[path = "../../../hub/tests/fetch/server.rs"]
#[allow(dead_code, reason = "the tests of bert-hub use the rest of it")]
pub(crate) mod server;
#[path = "../../../hub/tests/fetch/stand_in.rs"]
#[allow(dead_code, reason = "the tests of bert-hub use the rest of it")]
pub(crate) mod stand_in;

use stand_in::{Access, COMMIT, StandIn};

/// A trained text classifier of the room, on the hub as owner/name.
fn published(room: &Room) -> StandIn {
    room.train();
    let files = ["config.json", "model.safetensors", "vocab.txt"];
    let contents = files.map(|file| std::fs::read(room.path("trained").join(file)).unwrap());
    let mut published: Vec<(&'static str, &[u8])> = vec![("README.md", b"a card")];
    published.extend(files.into_iter().zip(contents.iter().map(Vec::as_slice)));
    StandIn::start("owner/name", &published)
}

fn online(room: &Room, hub: &StandIn, line: &str) -> Run {
    let mut command = room.command();
    command
        .args(line.split_whitespace())
        .env("HF_ENDPOINT", &hub.server.url)
        .env_remove("HF_HUB_OFFLINE");
    Run::from(command.output().unwrap())
}

#[test]
fn every_command_takes_a_model_of_the_hub_online_and_then_offline() {
    let room = Room::new();
    let hub = published(&room);
    let lines = [
        "predict text-classification --model MODEL --input inputs.txt --logits",
        "evaluate text-classification --model MODEL --data eval.tsv",
        "inspect MODEL",
    ];
    room.write("inputs.txt", "a good film\nslow and dull\n");
    let of_directory = lines.map(|line| {
        room.bert(&line.replace("MODEL", "trained"))
            .succeeded()
            .stdout
    });
    for name in ["owner/name".to_owned(), format!("owner/name@{COMMIT}")] {
        for (line, expected) in lines.iter().zip(&of_directory) {
            let line = line.replace("MODEL", &name);
            assert_eq!(online(&room, &hub, &line).succeeded().stdout, *expected);
            assert_eq!(room.bert(&line).succeeded().stdout, *expected);
        }
    }
    let requests = hub.requests();
    let transfers = requests
        .iter()
        .filter(|request| request.contains("/store/"));
    assert_eq!(transfers.count(), 1, "{requests:?}");
    assert!(
        !requests.iter().any(|request| request.contains("README")),
        "{requests:?}"
    );
}

#[test]
fn training_and_further_heads_take_models_of_the_hub() {
    let room = Room::new();
    let hub = published(&room);
    let line = TRAIN
        .replace("--model base", "--model owner/name")
        .replace("--output trained", "--output again");
    let run = online(&room, &hub, &format!("{line} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("model   owner/name: "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("pinned in"), "{}", run.stderr);

    let line = "predict text-classification --model trained --head owner/name --input eval.tsv --text-column 0";
    let lines = online(&room, &hub, line).succeeded().json_lines();
    assert_eq!(lines[0]["heads"]["name"]["label"], lines[0]["label"]);
}

#[test]
fn fetch_prints_the_snapshot_and_reports_a_branch_that_has_moved() {
    let room = Room::new();
    let hub = published(&room);
    let fetched = online(&room, &hub, "fetch owner/name").succeeded().stdout;
    let folder = format!("huggingface/hub/models--owner--name/snapshots/{COMMIT}");
    assert_eq!(fetched.trim_end(), room.path(&folder).display().to_string());

    let moved = "3".repeat(40);
    hub.repository().commit = moved.clone();
    let words = [COMMIT, &moved, "weights-lock.toml", "owner/name@main"];
    online(&room, &hub, "fetch owner/name").failed(1, &words);
    let pinned = online(&room, &hub, "inspect owner/name --json")
        .succeeded()
        .json();
    assert_eq!(pinned["path"], room.path(&folder).display().to_string());
}

#[test]
fn a_path_wins_over_a_name_of_the_hub() {
    let room = Room::new();
    std::fs::create_dir(room.path("owner")).unwrap();
    room.checkpoint("owner/name", "gelu");
    let json = room.bert("inspect owner/name --json").succeeded().json();
    assert_eq!(json["path"], "owner/name");
}

#[test]
fn a_path_with_a_slip_is_told_from_a_model_that_the_cache_lacks() {
    let room = Room::new();
    for option in ["--offline", ""] {
        room.bert(&format!("inspect runs/none {option}")).failed(
            1,
            &[
                "runs/none: no such directory",
                "hub's cache",
                "does not hold",
            ],
        );
    }
}

#[test]
fn each_refusal_of_the_hub_has_its_message_and_leaves_nothing_behind() {
    let room = Room::new();
    let hub = published(&room);
    let line = "evaluate text-classification --model MODEL --data eval.tsv";
    let refused = |model: &str, words: &[&str]| {
        online(&room, &hub, &line.replace("MODEL", model)).failed(1, words);
        assert!(!room.path("home/weights-lock.toml").exists());
    };
    refused(
        "dslim/bert-base-NRE",
        &["did you mean", "dslim/bert-base-NER"],
    );
    refused(
        "owner/name@v2",
        &["owner/name has no branch, tag or commit v2"],
    );
    hub.repository().access = Access::Gated;
    refused("owner/name", &["is gated", "HF_TOKEN"]);
    hub.repository().access = Access::Private("secret");
    refused("owner/name", &["if it is private, set HF_TOKEN"]);
    hub.repository().access = Access::Everybody;
    hub.repository().stated_size = Some(3);
    refused("owner/name", &["model.safetensors", "3 are expected"]);
    hub.repository().stated_size = None;
    hub.repository().cut_after = Some(100);
    hub.repository().stated_sha256 = Some("0".repeat(64));
    refused("owner/name", &["model.safetensors"]);
    hub.repository().files = vec![
        ("config.json", b"{}".to_vec()),
        ("tf_model.h5", b"h5".to_vec()),
    ];
    refused("owner/name", &["TensorFlow (tf_model.h5)", "from_tf=True"]);
}
