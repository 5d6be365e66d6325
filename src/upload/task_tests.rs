use proptest::prelude::*;

use super::Task;
use crate::{
    Id,
    testing::{QA, RESEARCH, both},
};

fn tasks() -> impl Strategy<Value = Task> {
    let id = any::<u128>().prop_map(|id| format!("{id:032x}").parse::<Id>().unwrap());
    let purposes = prop::sample::select(vec![QA.into(), RESEARCH.into(), both()]);
    (id, any::<u32>(), purposes, 0..6).prop_map(|(id, revision, purposes, kind)| match kind {
        0 => Task::FetchPlan,
        1 => Task::Register {
            record: id,
            revision,
        },
        2 => Task::Withdraw {
            record: id,
            purposes,
        },
        3 => Task::Delete { sample: id },
        4 => Task::Send { sample: id },
        _ => Task::ReadAccesses { sample: id },
    })
}

proptest! {
    #[test]
    fn a_task_survives_the_process_as_text(task in tasks()) {
        prop_assert_eq!(task.to_string().parse::<Task>().unwrap(), task);
    }

    #[test]
    fn any_text_whatever_is_a_task_or_an_error(text in ".{0,80}") {
        if let Ok(task) = text.parse::<Task>() {
            prop_assert_eq!(task.to_string().parse::<Task>().unwrap(), task);
        }
    }
}
