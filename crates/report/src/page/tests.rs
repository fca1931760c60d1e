use crate::*;

const EVIL: &str = "<script>alert('x')</script>&\"\u{1b}";

fn report() -> Report {
    let log = concat!(
        r#"{"event":"start","version":"0.1.0","options":{"learning_rate":5e-5,"tune":"all"},"total_steps":4}"#,
        "\n",
        r#"{"event":"step","step":1,"loss":0.7,"learning_rate":1e-5,"grad_norm":1.5,"tokens":10,"seconds":0.5}"#,
        "\n",
        r#"{"event":"step","step":2,"loss":0.5,"learning_rate":2e-5,"grad_norm":1.0,"tokens":10,"seconds":0.5}"#,
        "\n",
        r#"{"event":"evaluation","step":1,"metrics":{"accuracy":0.5,"loss":0.6},"selected_by":"accuracy","best":true}"#,
        "\n",
        r#"{"event":"evaluation","step":2,"metrics":{"accuracy":0.75,"loss":0.5},"selected_by":"accuracy","best":true}"#,
    );
    let labels = vec![EVIL.to_owned(), "good".to_owned()];
    Report {
        path: "trained".into(),
        record: Some(TrainingRecord::parse(log)),
        run: Some(RunFile {
            task: "text-classification".to_owned(),
            model: EVIL.to_owned(),
            command: vec!["bert".to_owned(), EVIL.to_owned()],
            data: vec![DataPart {
                role: "eval".to_owned(),
                files: vec![EVIL.to_owned()],
                examples: 3,
                lengths: Some(Histogram::of(&[3, 4, 40])),
                ..DataPart::default()
            }],
            ..RunFile::default()
        }),
        evaluation: Some(EvaluationFile {
            selected_by: "accuracy".to_owned(),
            examination: Examination {
                confusion: Examination::count_confusion(&[0, 1], &[1, 1], 2),
                label_counts: Vec::new(),
                scatter: vec![[0.0, 0.5]],
                reliability: Reliability::of("prediction", [(0.75, true)]),
                worst: worst(&[1.5], |_| WorstExample {
                    text: EVIL.to_owned(),
                    text_pair: Some(EVIL.to_owned()),
                    reference: EVIL.to_owned(),
                    prediction: EVIL.to_owned(),
                    place: EVIL.to_owned(),
                    ..WorstExample::default()
                }),
                labels,
            },
            ..EvaluationFile::default()
        }),
        notes: vec![EVIL.to_owned()],
    }
}

#[test]
fn a_page_has_every_part() {
    let html = report().to_html();
    for part in [
        "Loss",
        "Learning rate",
        "Norm of the gradients",
        "Figures over the evaluations",
        "Confusion matrix",
        "Scores by label",
        "Reliability",
        "Predictions",
        "Lengths of the evaluation data",
        "Examples with the highest loss",
        "Options",
        "Environment",
        "Command",
    ] {
        assert!(html.contains(part), "no {part:?}");
    }
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert!(!html.contains("NaN"), "a number that is none");
}

#[test]
fn what_a_user_wrote_is_text_and_nothing_is_requested() {
    let html = report().to_html();
    for forbidden in ["<script", "alert('x')", "\u{1b}", "http:", "https:", "url("] {
        assert!(!html.contains(forbidden), "{forbidden:?} in the page");
    }
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{fffd}"));
}

#[test]
fn what_is_missing_is_said() {
    let root = tempfile::tempdir().unwrap();
    let read = || Report::read(root.path());
    let error = read().unwrap_err().to_string();
    assert!(error.contains("training.jsonl"), "{error}");
    let missing = Report::read(&root.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("no such directory"));

    let cut = r#"{"event":"step","step":1,"loss":0.7}
{"event":"ste"#;
    std::fs::write(root.path().join("training.jsonl"), cut).unwrap();
    std::fs::write(root.path().join("run.json"), "{").unwrap();
    let html = read().unwrap().to_html();
    for words in [
        "in the middle of line 2",
        "run.json: not the file",
        "evaluation.json is missing",
        "<h3>Loss</h3>",
    ] {
        assert!(html.contains(words), "no {words:?} in\n{html}");
    }
    assert!(!html.contains("run.json is missing"));
}

#[test]
fn many_classes_are_pairs_and_not_a_matrix() {
    let mut report = report();
    let evaluation = report.evaluation.as_mut().unwrap();
    let examination = &mut evaluation.examination;
    examination.labels = (0..40).map(|id| format!("class {id}")).collect();
    examination.confusion = Examination::count_confusion(&[3, 3, 7], &[4, 4, 7], 40);
    let html = report.to_html();
    assert!(html.contains("Classes that are confused most"));
    assert!(!html.contains("Confusion matrix"));
}
