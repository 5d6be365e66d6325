//! The schema migrations. A released migration is never changed: a database stores the checksum of each one and does
//! not open if it differs.
//!
//! The migrations are listed by hand, because sqlx's macro would compile sqlx a second time for the build host.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::System;

/// Number, name, and statements for SQLite and PostgreSQL.
struct Step(i64, &'static str, &'static str, &'static str);

/// `N "NAME" "FILE"`, in `migrations/sqlite` and `migrations/postgres`.
macro_rules! steps {
    ($($number:literal $name:literal $file:literal)*) => {
        &[$(Step(
            $number,
            $name,
            include_str!(concat!("../../migrations/sqlite/", $file)),
            include_str!(concat!("../../migrations/postgres/", $file)),
        )),*]
    };
}

const STEPS: &[Step] = steps! {
    1 "records samples tokens" "0001_records_samples_tokens.sql"
    2 "chain of accesses" "0002_chain_of_accesses.sql"
    3 "tokens end" "0003_tokens_end.sql"
    4 "names and orders" "0004_names_and_orders.sql"
    5 "reviews and quarantine" "0005_reviews_and_quarantine.sql"
    6 "epoch" "0006_epoch.sql"
    7 "limits of plans" "0007_limits_of_plans.sql"
    8 "tree of accesses" "0008_tree_of_accesses.sql"
    9 "freshness of plans" "0009_freshness_of_plans.sql"
};

pub(super) fn migrator(system: System) -> Migrator {
    let steps = STEPS.iter().map(|&Step(number, name, sqlite, postgres)| {
        let text = match system {
            System::Sqlite => sqlite,
            System::Postgres => postgres,
        };
        let text = text.into_sql_str();
        Migration::new(number, name.into(), MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(steps.collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn each_migration_file_is_listed() {
        for system in ["sqlite", "postgres"] {
            let folder = format!("{}/migrations/{system}", env!("CARGO_MANIFEST_DIR"));
            let there: BTreeSet<String> = fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            let named = |Step(number, name, ..): &Step| {
                format!("{number:04}_{}.sql", name.replace(' ', "_"))
            };
            assert_eq!(there, STEPS.iter().map(named).collect(), "{system}");
        }
    }
}
