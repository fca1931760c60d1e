//! What the labels of a checkpoint or of a data set mean.

use std::fmt;

/// The relation of a hypothesis to its premise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It follows.
    Entailment,
    /// It may or may not be true.
    Neutral,
    /// It cannot be true.
    Contradiction,
    /// It does not follow: neutral or contradiction, which two-way data does not tell apart.
    NotEntailment,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [
        Self::Entailment,
        Self::Neutral,
        Self::Contradiction,
        Self::NotEntailment,
    ];

    /// The role that a label's name means, in any case of letters and with or without `_`, `-` or spaces between its words:
    /// `entailment`, `NEUTRAL`, `Contradiction`, `not_entailment`, `non-entailment`.
    pub fn of(name: &str) -> Option<Self> {
        let letters = name
            .trim()
            .chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '));
        match letters.collect::<String>().to_lowercase().as_str() {
            "entailment" => Some(Self::Entailment),
            "neutral" => Some(Self::Neutral),
            "contradiction" => Some(Self::Contradiction),
            "notentailment" | "nonentailment" => Some(Self::NotEntailment),
            _ => None,
        }
    }

    /// The name that new checkpoints give it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entailment => "entailment",
            Self::Neutral => "neutral",
            Self::Contradiction => "contradiction",
            Self::NotEntailment => "not_entailment",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which roles a checkpoint or data set tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Entailment, neutral, contradiction: SNLI, MNLI, SICK.
    ThreeWay,
    /// Entailment or not: RTE.
    TwoWay,
}

impl Scheme {
    /// The scheme that some roles belong to. Three-way data need not have all three of them, but two.
    ///
    /// # Errors
    /// Roles of both schemes, or fewer than two different ones.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Result<Self, RoleError> {
        let mut found: Vec<Role> = roles.into_iter().collect();
        found.sort_unstable();
        found.dedup();
        let is_in = |scheme: Self| found.iter().all(|role| scheme.roles().contains(role));
        let fitting = [Self::TwoWay, Self::ThreeWay]
            .into_iter()
            .find(|&scheme| is_in(scheme));
        match fitting {
            Some(scheme) if found.len() >= 2 => Ok(scheme),
            _ => Err(RoleError::NoScheme { found }),
        }
    }

    /// Its roles, in the order in which new checkpoints number them.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::ThreeWay => &[Role::Entailment, Role::Neutral, Role::Contradiction],
            Self::TwoWay => &[Role::Entailment, Role::NotEntailment],
        }
    }
}

/// The roles of a checkpoint's labels, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    by_id: Vec<Role>,
}

impl Roles {
    /// Reads the roles from the names of all labels in id order.
    ///
    /// # Errors
    /// A name that means no role, two for one role, or names that are not all those of one [`Scheme`].
    pub fn of<S: AsRef<str>>(names: &[S]) -> Result<Self, RoleError> {
        let mut by_id = Vec::with_capacity(names.len());
        for name in names.iter().map(AsRef::as_ref) {
            let role = Role::of(name).ok_or_else(|| RoleError::Unknown {
                name: name.to_owned(),
            })?;
            if by_id.contains(&role) {
                return Err(RoleError::Twice { role });
            }
            by_id.push(role);
        }
        let scheme = Scheme::of(by_id.iter().copied())?;
        if by_id.len() != scheme.roles().len() {
            return Err(RoleError::NoScheme { found: by_id });
        }
        Ok(Self { by_id })
    }

    /// The roles of a new checkpoint.
    pub fn new(scheme: Scheme) -> Self {
        Self {
            by_id: scheme.roles().to_vec(),
        }
    }

    /// Which roles are told apart.
    pub fn scheme(&self) -> Scheme {
        match self.by_id.len() {
            2 => Scheme::TwoWay,
            _ => Scheme::ThreeWay,
        }
    }

    /// The roles in id order.
    pub fn by_id(&self) -> &[Role] {
        &self.by_id
    }

    /// The id of the label for a role. To a two-way checkpoint neutral and contradiction are both not entailment; a
    /// three-way one has no label for not entailment.
    pub fn id(&self, role: Role) -> Option<usize> {
        let role = match (self.scheme(), role) {
            (Scheme::TwoWay, Role::Neutral | Role::Contradiction) => Role::NotEntailment,
            (_, role) => role,
        };
        self.by_id.iter().position(|&own| own == role)
    }
}

/// Labels that are not those of natural-language inference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// A name that means no role.
    #[error(
        "label {name:?} is none of entailment, neutral, contradiction and not_entailment (in any case of letters)"
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// Two labels with one role.
    #[error("two labels mean {role}")]
    Twice {
        /// The role.
        role: Role,
    },
    /// The labels are not those of one scheme.
    #[error(
        "the labels mean {}; expected entailment, neutral and contradiction, or entailment and not_entailment",
        .found.iter().map(|role| role.name()).collect::<Vec<_>>().join(" and ")
    )]
    NoScheme {
        /// The roles that were found.
        found: Vec<Role>,
    },
}
