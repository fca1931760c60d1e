//! Several runs on one page.

use std::collections::BTreeSet;

use super::curves::{figure, mean_loss, metric_name};
use super::html::{bdi, card, legend, section, table, wide_card};
use super::{document, recipe, summary};
use crate::Report;
use crate::chart::{Line, LineStyle, Scale, line_chart, picture};
use crate::format::{count, duration, number};

/// Colours of the charts.
const COLORS: usize = 5;
const TITLE: &str = "Training loss, smoothed";

/// Runs that differ in the seed alone.
struct Group {
    /// The options in which they differ from other groups, or the name of the one run.
    name: String,
    /// Indexes of the runs.
    runs: Vec<usize>,
}

/// What is told of the runs.
struct Runs<'a> {
    runs: &'a [Report],
    /// The names of what differs, without the seed.
    differing: Vec<String>,
    /// What each run is, by name.
    settings: Vec<Vec<(String, String)>>,
    groups: Vec<Group>,
}

pub(crate) fn page(reports: &[Report]) -> String {
    let runs = Runs::of(reports);
    let title = format!("{} runs", reports.len());
    let sections = [
        summary::notes(&runs.notes()),
        section("Results", &runs.results()),
        section("Curves", &runs.curves()),
    ];
    document(
        &title,
        &format!("<header>\n<h1>{title}</h1>\n</header>"),
        &sections.concat(),
        "<footer><p>Written by <code>bert report</code> from the files of these runs.</p></footer>",
    )
}

/// The training loss of all runs as a picture.
pub(crate) fn loss_picture(reports: &[Report]) -> String {
    let runs = Runs::of(reports);
    let lines = runs.lines(LineStyle::Solid, mean_loss);
    let chart = runs.chart(TITLE, "loss", &lines);
    picture(TITLE, &chart, &runs.legend())
}

impl<'a> Runs<'a> {
    fn of(runs: &'a [Report]) -> Self {
        let settings: Vec<Vec<(String, String)>> = runs.iter().map(settings).collect();
        let differing = differing(&settings);
        let groups = groups(runs, &settings, &differing);
        Self {
            runs,
            differing,
            settings,
            groups,
        }
    }

    fn setting(&self, run: usize, name: &str) -> &str {
        value(&self.settings[run], name)
    }

    fn notes(&self) -> Vec<String> {
        let of_run = |run: &Report| {
            let name = summary::name(run);
            let notes = run.notes.iter();
            let notes: Vec<String> = notes.map(|note| format!("{name}: {note}")).collect();
            notes
        };
        let mut notes: Vec<String> = self.runs.iter().flat_map(of_run).collect();
        if self.groups.len() > COLORS {
            notes.push(format!(
                "The charts show the first {COLORS} of {} kinds of runs.",
                self.groups.len()
            ));
        }
        notes
    }

    /// A table of all runs, and one of the groups where there are several runs of a kind.
    fn results(&self) -> String {
        let figure = self.deciding_figure();
        let mut header = vec!["run".to_owned()];
        header.extend(self.differing.iter().cloned());
        header.extend(["seed", figure.as_deref().unwrap_or("figure")].map(metric_name));
        header.extend(["best step", "time of the steps", "tokens a second"].map(str::to_owned));
        let rows: Vec<Vec<String>> = (0..self.runs.len()).map(|run| self.row(run)).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let mut cards = wide_card("Runs", "", &table(&header, &rows, true));
        if self.groups.iter().any(|group| group.runs.len() > 1) {
            cards.push_str(&self.means(figure.as_deref().unwrap_or("figure")));
        }
        cards
    }

    fn row(&self, run: usize) -> Vec<String> {
        let report = &self.runs[run];
        let mut row = vec![bdi(&summary::name(report))];
        row.extend(
            self.differing
                .iter()
                .map(|name| bdi(self.setting(run, name))),
        );
        row.push(bdi(self.setting(run, SEED)));
        let record = report.record.as_ref();
        let best = record.and_then(|record| record.best());
        row.push(best_figure(report).map_or_else(dash, number));
        row.push(best.map_or_else(dash, |best| count(best.step as u64)));
        let seconds = record.map_or(0.0, |record| record.training_seconds());
        let tokens = record.map_or(0, |record| record.tokens());
        row.push(match seconds > 0.0 {
            true => duration(seconds),
            false => dash(),
        });
        row.push(match seconds > 0.0 {
            true => count((tokens as f64 / seconds) as u64),
            false => dash(),
        });
        row
    }

    fn means(&self, figure: &str) -> String {
        let row = |group: &Group| {
            let values = group
                .runs
                .iter()
                .filter_map(|&run| best_figure(&self.runs[run]));
            let values: Vec<f64> = values.collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let lowest = values.iter().copied().fold(f64::NAN, f64::min);
            let highest = values.iter().copied().fold(f64::NAN, f64::max);
            let mut row = vec![bdi(&group.name), count(group.runs.len() as u64)];
            row.extend([mean, lowest, highest].map(number));
            row
        };
        let rows: Vec<Vec<String>> = self.groups.iter().map(row).collect();
        let mean = format!("mean {}", metric_name(figure));
        let header = [
            "runs that differ in the seed",
            "runs",
            &mean,
            "lowest",
            "highest",
        ];
        wide_card("Means", "", &table(&header, &rows, true))
    }

    /// The figure that decides, where all runs have the same one.
    fn deciding_figure(&self) -> Option<String> {
        let names: BTreeSet<&str> = self.runs.iter().filter_map(selected_by).collect();
        match names.len() {
            1 => names.into_iter().next().map(str::to_owned),
            _ => None,
        }
    }

    fn curves(&self) -> String {
        let mut cards = String::new();
        let mut add = |title: &str, name: &str, lines: Vec<Line>| {
            if lines.iter().any(|line| !line.points.is_empty()) {
                let chart = self.chart(title, name, &lines);
                cards.push_str(&card(
                    title,
                    "",
                    &format!("{chart}{}", legend(&self.legend())),
                ));
            }
        };
        add(TITLE, "loss", self.lines(LineStyle::Solid, mean_loss));
        let evaluated = |name: &str| {
            let points = |run: &Report| {
                let record = run.record.as_ref();
                record.map_or_else(Vec::new, |record| figure(record, name))
            };
            self.lines(LineStyle::Dotted, points)
        };
        add("Loss of the evaluations", "loss", evaluated("loss"));
        if let Some(name) = self.deciding_figure().filter(|name| name != "loss") {
            let title = format!("{} of the evaluations", metric_name(&name));
            add(&title, &name, evaluated(&name));
        }
        cards
    }

    /// Where the first group has solid lines, the others have dashed ones: they may lie upon it.
    fn lines(&self, style: LineStyle, points: impl Fn(&Report) -> Vec<(f64, f64)>) -> Vec<Line> {
        let groups = self.groups.iter().take(COLORS).enumerate();
        groups
            .flat_map(|(color, group)| group.runs.iter().map(move |&run| (color, run)))
            .map(|(color, run)| Line {
                name: summary::name(&self.runs[run]),
                color,
                style: match (style, color) {
                    (LineStyle::Solid, 1..) => LineStyle::Dashed,
                    _ => style,
                },
                points: points(&self.runs[run]),
            })
            .collect()
    }

    fn chart(&self, title: &str, name: &str, lines: &[Line]) -> String {
        let points = || lines.iter().flat_map(|line| &line.points);
        let last = points().map(|(step, _)| *step).fold(0.0, f64::max);
        let x = Scale::counts("step", 0.0, last);
        let y = Scale::around(name, points().map(|(_, value)| *value));
        line_chart(title, &x, &y, lines)
    }

    fn legend(&self) -> Vec<(usize, String)> {
        let groups = self.groups.iter().take(COLORS).enumerate();
        groups
            .map(|(color, group)| {
                let runs = match group.runs.len() {
                    1 => String::new(),
                    runs => format!(" ({runs} runs)"),
                };
                (color, format!("{}{runs}", group.name))
            })
            .collect()
    }
}

const SEED: &str = "seed";

fn dash() -> String {
    "–".to_owned()
}

/// What a run is: task, model, training data and every option.
fn settings(report: &Report) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    if let Some(run) = &report.run {
        settings.push(("task".to_owned(), run.task.clone()));
        settings.push(("model".to_owned(), run.model.clone()));
        let train = run.data.iter().filter(|part| part.role == "train");
        let files: Vec<String> = train.flat_map(|part| part.files.clone()).collect();
        settings.push(("training data".to_owned(), files.join(", ")));
    }
    let start = report.record.as_ref().and_then(|one| one.start.as_ref());
    settings.extend(start.map_or_else(Vec::new, recipe::flat_options));
    settings
}

/// The value of a setting; a run that does not tell it has a dash.
fn value<'a>(settings: &'a [(String, String)], name: &str) -> &'a str {
    let setting = settings.iter().find(|(other, _)| other == name);
    setting.map_or("–", |(_, value)| value)
}

/// The names of the settings that are not the same in all runs, in the order of their first mention.
fn differing(settings: &[Vec<(String, String)>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in settings.iter().flatten() {
        let values = settings.iter().map(|one| value(one, name));
        let values: BTreeSet<&str> = values.collect();
        if values.len() > 1 && name != SEED && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Runs with the same settings but the seed belong together. If that is all of them, each is alone.
fn groups(runs: &[Report], settings: &[Vec<(String, String)>], differing: &[String]) -> Vec<Group> {
    if differing.is_empty() {
        let alone = |(index, run): (usize, &Report)| Group {
            name: summary::name(run),
            runs: vec![index],
        };
        return runs.iter().enumerate().map(alone).collect();
    }
    let mut groups: Vec<Group> = Vec::new();
    for (run, settings) in settings.iter().enumerate() {
        let name = |name: &String| format!("{name} {}", value(settings, name));
        let name = differing.iter().map(name).collect::<Vec<_>>().join(", ");
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.runs.push(run),
            None => groups.push(Group {
                name,
                runs: vec![run],
            }),
        }
    }
    groups
}

fn selected_by(report: &Report) -> Option<&str> {
    let record = report.record.as_ref()?;
    Some(record.best()?.selected_by.as_str())
}

/// What the best evaluation of a run has in the figure that decides.
fn best_figure(report: &Report) -> Option<f64> {
    let best = report.record.as_ref()?.best()?;
    best.metrics.get(&best.selected_by)?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrainingRecord;

    fn run(name: &str, options: &str, accuracy: f64) -> Report {
        let log = format!(
            "{{\"event\":\"start\",\"options\":{options},\"total_steps\":2}}\n\
             {{\"event\":\"step\",\"step\":1,\"loss\":0.75,\"tokens\":10,\"seconds\":0.5}}\n\
             {{\"event\":\"step\",\"step\":2,\"loss\":0.25,\"tokens\":10,\"seconds\":0.5}}\n\
             {{\"event\":\"evaluation\",\"step\":2,\"metrics\":{{\"accuracy\":{accuracy},\"loss\":0.5}},\
             \"selected_by\":\"accuracy\",\"best\":true}}"
        );
        Report {
            path: name.into(),
            record: Some(TrainingRecord::parse(&log)),
            run: None,
            evaluation: None,
            notes: Vec::new(),
        }
    }

    fn four() -> Vec<Report> {
        vec![
            run("a", r#"{"precision":"f32","seed":1,"epochs":2}"#, 0.5),
            run("b", r#"{"precision":"f32","seed":2,"epochs":2}"#, 0.75),
            run("c", r#"{"precision":"bf16","seed":1,"epochs":2}"#, 0.25),
            run("<d>", r#"{"precision":"bf16","seed":2,"epochs":2}"#, 0.5),
        ]
    }

    #[test]
    fn runs_that_differ_in_the_seed_alone_have_one_colour_and_a_mean() {
        let reports = four();
        let runs = Runs::of(&reports);
        assert_eq!(runs.differing, ["precision"]);
        let legend = [
            (0, "precision f32 (2 runs)".to_owned()),
            (1, "precision bf16 (2 runs)".to_owned()),
        ];
        assert_eq!(runs.legend(), legend);
        let html = page(&reports);
        assert!(
            html.contains("<td>0.625</td><td>0.5</td><td>0.75</td>"),
            "{html}"
        );
        assert!(
            html.contains("<td>0.375</td><td>0.25</td><td>0.5</td>"),
            "{html}"
        );
        assert!(html.contains("&lt;d&gt;") && !html.contains("<d>"));
    }

    #[test]
    fn runs_that_differ_in_nothing_else_have_their_names() {
        let reports = &four()[..2];
        assert_eq!(
            Runs::of(reports).legend(),
            [(0, "a".to_owned()), (1, "b".to_owned())]
        );
        assert!(!page(reports).contains("Means"));
    }

    #[test]
    fn charts_have_so_many_kinds_of_runs_as_there_are_colours() {
        let reports: Vec<Report> = (0..7)
            .map(|epochs| run("a", &format!("{{\"epochs\":{epochs}}}"), 0.5))
            .collect();
        let html = page(&reports);
        assert!(html.contains("The charts show the first 5 of 7 kinds of runs."));
        assert!(html.contains("epochs 4") && !html.contains("epochs 5"));
    }

    #[test]
    fn a_picture_is_an_svg_with_a_line_for_each_run() {
        let svg = loss_picture(&four());
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("class=\"line c0\"").count(), 2);
        assert_eq!(svg.matches("class=\"line dashed c1\"").count(), 2);
        assert!(svg.contains("precision bf16 (2 runs)"));
    }
}
