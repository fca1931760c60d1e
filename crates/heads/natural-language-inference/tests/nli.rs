//! The facts that natural-language inference promises.

use bert_nli::zero_shot::{HypothesisTemplate, ZeroShotError, ZeroShotIds, ranked, scores};
use bert_nli::{Role, RoleError, Roles, Scheme};

#[test]
fn a_role_is_told_by_its_name_whatever_its_spelling() {
    for (name, role) in [
        ("entailment", Role::Entailment),
        ("ENTAILMENT", Role::Entailment),
        (" Neutral ", Role::Neutral),
        ("contradiction", Role::Contradiction),
        ("not_entailment", Role::NotEntailment),
        ("NOT-ENTAILMENT", Role::NotEntailment),
        ("non entailment", Role::NotEntailment),
    ] {
        assert_eq!(Role::of(name), Some(role), "{name}");
        assert_eq!(Role::of(role.name()), Some(role));
    }
    for name in ["LABEL_0", "0", "-", "", "entailed by"] {
        assert_eq!(Role::of(name), None, "{name}");
    }
}

#[test]
fn ids_follow_the_names_of_the_checkpoint_and_no_order() {
    let first = Roles::of(&["entailment", "neutral", "contradiction"]).expect("three roles");
    let second = Roles::of(&["CONTRADICTION", "ENTAILMENT", "NEUTRAL"]).expect("three roles");
    for (role, ids) in [
        (Role::Entailment, (0, 1)),
        (Role::Neutral, (1, 2)),
        (Role::Contradiction, (2, 0)),
    ] {
        assert_eq!(
            (first.id(role), second.id(role)),
            (Some(ids.0), Some(ids.1))
        );
    }
    assert_eq!(first.id(Role::NotEntailment), None);
    assert_eq!(second.scheme(), Scheme::ThreeWay);
}

#[test]
fn to_a_two_way_checkpoint_what_does_not_follow_is_one_label() {
    let roles = Roles::of(&["not_entailment", "entailment"]).expect("two roles");
    assert_eq!(roles.scheme(), Scheme::TwoWay);
    for role in [Role::NotEntailment, Role::Neutral, Role::Contradiction] {
        assert_eq!(roles.id(role), Some(0));
    }
    assert_eq!(roles.id(Role::Entailment), Some(1));
}

#[test]
fn labels_of_another_task_are_refused_by_name() {
    assert_eq!(
        Roles::of(&["good", "bad"]),
        Err(RoleError::Unknown {
            name: "good".into()
        })
    );
    assert_eq!(
        Roles::of(&["entailment", "Entailment"]),
        Err(RoleError::Twice {
            role: Role::Entailment
        })
    );
    for names in [
        vec!["entailment"],
        vec!["entailment", "neutral"],
        vec!["entailment", "neutral", "not_entailment"],
    ] {
        assert!(
            matches!(Roles::of(&names), Err(RoleError::NoScheme { .. })),
            "{names:?}"
        );
    }
}

#[test]
fn a_refusal_names_the_roles_that_were_found() {
    let refused = |names: &[&str]| Roles::of(names).expect_err("no scheme").to_string();
    assert_eq!(refused(&["Neutral", "NEUTRAL"]), "two labels mean neutral");
    let found = refused(&["contradiction", "not_entailment"]);
    assert!(
        found.starts_with("the labels mean contradiction and not_entailment;"),
        "{found}"
    );
}

#[test]
fn new_checkpoints_number_the_roles_of_their_scheme_in_order() {
    for scheme in [Scheme::TwoWay, Scheme::ThreeWay] {
        let roles = Roles::new(scheme);
        assert_eq!(roles.scheme(), scheme);
        let ids = roles.by_id().iter().map(|&role| roles.id(role));
        let numbered: Vec<Option<usize>> = (0..scheme.roles().len()).map(Some).collect();
        assert_eq!(ids.collect::<Vec<_>>(), numbered, "{scheme:?}");
    }
}

#[test]
fn data_without_one_of_three_roles_is_three_way_still() {
    use Role::{Contradiction, Entailment, Neutral, NotEntailment};
    assert_eq!(
        Scheme::of([Entailment, Neutral, Neutral]),
        Ok(Scheme::ThreeWay)
    );
    assert_eq!(Scheme::of([Neutral, Contradiction]), Ok(Scheme::ThreeWay));
    assert_eq!(Scheme::of([NotEntailment, Entailment]), Ok(Scheme::TwoWay));
    assert!(Scheme::of([Entailment, Entailment]).is_err());
    assert!(Scheme::of([Entailment, Neutral, NotEntailment]).is_err());
}

#[test]
fn entailment_is_found_by_name_and_contradiction_at_the_other_end() {
    let ids = |names: &[(&str, usize)]| ZeroShotIds::of(names.iter().copied(), names.len());
    let found = |entailment, contradiction, is_named| {
        Ok(ZeroShotIds {
            entailment,
            contradiction,
            is_named,
        })
    };
    let mnli = [("contradiction", 0), ("neutral", 1), ("ENTAILMENT", 2)];
    assert_eq!(ids(&mnli), found(2, 0, true));
    let snli = [("entailment", 0), ("neutral", 1), ("contradiction", 2)];
    assert_eq!(ids(&snli), found(0, 2, true));
    assert_eq!(
        ids(&[("entail", 0), ("not_entailment", 1)]),
        found(0, 1, true)
    );
    assert_eq!(
        ids(&[("LABEL_0", 0), ("LABEL_1", 1), ("LABEL_2", 2)]),
        found(2, 0, false)
    );
    assert_eq!(
        ids(&[("entailment", 0)]),
        Err(ZeroShotError::TooFewLabels { num_labels: 1 })
    );
    let beyond = ids(&[("entailment", 7), ("neutral", 1)]).expect_err("no such row");
    assert!(
        beyond.to_string().contains("\"entailment\" the id 7"),
        "{beyond}"
    );
}

#[test]
fn candidate_labels_share_one_probability_unless_each_is_judged_alone() {
    let ids = ZeroShotIds {
        entailment: 2,
        contradiction: 0,
        is_named: true,
    };
    let logits = [
        vec![1.0, 9.0, 3.0],
        vec![2.0, -9.0, 2.0],
        vec![0.0, 0.0, -1.0],
    ];
    let shared = scores(&logits, ids, false);
    assert!((shared.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let power = |x: f32| x.exp();
    let sum = power(3.0) + power(2.0) + power(-1.0);
    assert!((shared[0] - power(3.0) / sum).abs() < 1e-6);
    let alone = scores(&logits, ids, true);
    assert!((alone[0] - 1.0 / (1.0 + power(-2.0))).abs() < 1e-6);
    assert_eq!(alone[1], 0.5);
    assert_eq!(
        scores(&logits[..1], ids, false),
        alone[..1],
        "one label is judged alone"
    );
}

#[test]
fn of_equal_scores_the_later_comes_first() {
    assert_eq!(ranked(&[0.2, 0.5, 0.2, 0.1]), [1, 2, 0, 3]);
}

#[test]
fn a_template_has_one_place_for_the_label() {
    let template = HypothesisTemplate::parse("This text is about {}.").expect("one place");
    assert_eq!(template.fill("film"), "This text is about film.");
    for (template, places) in [("no place", 0), ("{} and {}", 2)] {
        assert_eq!(
            HypothesisTemplate::parse(template),
            Err(ZeroShotError::Template {
                template: template.into(),
                places
            })
        );
    }
}
