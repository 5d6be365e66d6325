//! The data: what there is, for what, where, for how long, and who gets it.

use super::record;
use crate::purpose::Purpose;

/// A kind of data.
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// Its name in papers.
    pub name: &'static str,
    /// What belongs to it, and what does not.
    pub holds: &'static str,
    /// Whether it is personal data, and why.
    pub personal: &'static str,
    /// Where it is.
    pub place: &'static str,
    /// How long it is kept.
    pub kept: &'static str,
    /// Who gets it.
    pub recipients: &'static str,
    /// Whether it leaves the device.
    pub leaves: bool,
    /// How consent records state it; none where they do not.
    pub stated: Option<StatedCategory>,
}

/// A kind of data in a consent record, in which [`Category::holds`] describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedCategory {
    /// Its name there.
    pub identifier: &'static str,
    /// The term of the Data Privacy Vocabulary that it is a case of.
    pub term: &'static str,
}

/// What a person can agree to.
#[derive(Clone, Copy, Debug)]
pub struct PurposeFacts {
    /// Which one.
    pub purpose: Purpose,
    /// A heading.
    pub title: &'static str,
    /// The term of the Data Privacy Vocabulary that it is a case of.
    pub term: &'static str,
    /// What is done; consent records say it too.
    pub what: &'static str,
    /// Why it cannot be done with less.
    pub necessity: &'static str,
}

impl PurposeFacts {
    /// Those of `purpose`.
    pub const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::QualityAssurance => QUALITY_ASSURANCE,
            Purpose::RecognitionResearch => RECOGNITION_RESEARCH,
        }
    }
}

/// Every kind of data.
pub const CATEGORIES: &[Category] = &[
    RAW_SOUND, SOUND, ANNOTATION, TECHNICAL, RECORD, DEVICE, REFUSALS, ACCESS_LOG, CONNECTION,
];

/// Every purpose.
pub const PURPOSES: &[PurposeFacts] = &[QUALITY_ASSURANCE, RECOGNITION_RESEARCH];

const RAW_SOUND: Category = Category {
    name: "raw sound",
    holds: "What the microphone delivers: playing, and whatever is heard besides.",
    personal: "yes: voices",
    place: "the memory of the app's process, never a disk",
    kept: "2 s in the ring, one clip and a few seconds in the sampler; wiped as it goes",
    recipients: "nobody but the app itself",
    leaves: false,
    stated: None,
};

pub(super) const SOUND: Category = Category {
    name: "sound of samples",
    holds: "Short moments of playing, 2 to 30 seconds each, mono, 16 kHz. Voices that are found and marks of \
            the device are taken out on the device; where that is in doubt, the moment is not kept. A voice \
            may be missed.",
    personal: "treated as yes: somebody who knows the player may recognize them, and a voice may be missed",
    place: "sealed in the device's outbox (before that, where the person reviews it first, in memory); sealed \
            at the collector; open where the QA key is",
    kept: record::RETENTION,
    recipients: record::RECIPIENTS,
    leaves: true,
    stated: Some(StatedCategory {
        identifier: "sound",
        term: "pd:Behavioral",
    }),
};

pub(super) const ANNOTATION: Category = Category {
    name: "annotations of samples",
    holds: "What the app knows of such a moment: the exercise, the notes that it asks for, the notes that were \
            recognized, and why the moment was chosen.",
    personal: "treated as yes: what somebody played, and how well",
    place: "in the manifest, inside the sealed sample",
    kept: AS_THE_SOUND,
    recipients: AS_THE_SOUND,
    leaves: true,
    stated: Some(StatedCategory {
        identifier: "annotation",
        term: "pd:ServiceConsumptionBehavior",
    }),
};

pub(super) const TECHNICAL: Category = Category {
    name: "technical facts of samples",
    holds: "Random ids of the sample and of the consent record, the purposes, the notice's version, the week, \
            sample rates, where something was taken out, the SDK's version and settings, the family of the \
            platform. No model, id, language or place of the device, and no time but the week.",
    personal: "treated as yes: the record's id ties its samples together",
    place: "in the manifest, inside the sealed sample; ids, purposes and week at the collector too",
    kept: AS_THE_SOUND,
    recipients: AS_THE_SOUND,
    leaves: true,
    stated: Some(StatedCategory {
        identifier: "technical",
        term: "pd:DeviceSoftware",
    }),
};

pub(super) const RECORD: Category = Category {
    name: "consent records",
    holds: "The answer, under a random id and with a key of its own: the purposes, the notice by version, \
            language and hash, the controller, the weeks, the age as adult, child or unknown, how a guardian \
            approved, and a hash of the app's evidence for that. No name, address or birth date of a person.",
    personal: "pseudonymous: it names nobody, and says something of somebody",
    place: "the device; the collector",
    kept: "the proof of consent has to outlive it: until the owner removes it",
    recipients: "the collector's operator; the person, as a receipt",
    leaves: true,
    stated: Some(StatedCategory {
        identifier: "record",
        term: "pd:AgeRange",
    }),
};

const DEVICE: Category = Category {
    name: "state of the device",
    holds: "The records' private keys, when a yes ends, the texts that were agreed to, a list of samples (week, \
            length, size, purposes, state), budget, plan, the collectors that were used, when each last answered, what waits \
            and why, the last head of the access log that was seen for each record, and the accesses that were told of \
            each sample.",
    personal: "pseudonymous",
    place: "one folder of the app, mode 0700",
    kept: "until the app resets the device or removes the folder",
    recipients: "nobody; the person, who can have receipts, texts and list as one zip",
    leaves: false,
    stated: None,
};

const REFUSALS: Category = Category {
    name: "withdrawals and ids of what was deleted",
    holds: "Ids of records and samples, and the purposes that were taken back. On the device a slip for each \
            record and collector: the request that withdraws the record there, signed beforehand.",
    personal: "pseudonymous",
    place: "the collector; slips on the device, beside its store",
    kept: "at the collector for ever: a late upload of a deleted sample has to be refused. A slip as \
           long as the device's folder, so that a collector that was restored from a backup can be told again",
    recipients: "QA tools learn which ids to remove",
    leaves: true,
    stated: None,
};

const ACCESS_LOG: Category = Category {
    name: "access log",
    holds: "For each hand-out the sample's id, the purpose, the week, the name of the reader's token, and the \
            hash that chains it to the one before.",
    personal: "of the readers, where a token is named for a person; of the player, a sample's id",
    place: "the collector; copies where auditors fetch it",
    kept: "as long as the collector's database: nothing can be taken out without breaking the chain",
    recipients: "the person, what concerns their sample; every holder of a token, all of it; anybody, its head",
    leaves: false,
    stated: None,
};

const CONNECTION: Category = Category {
    name: "connection data",
    holds: "IP address, time, sizes.",
    personal: "yes: an IP address",
    place: "the network, and whatever ends TLS before the collector",
    kept: "by the collector: not at all; by a proxy in front: as it is set",
    recipients: "whoever carries the connection",
    leaves: true,
    stated: None,
};

const AS_THE_SOUND: &str = "as the sound";

pub(super) const QUALITY_ASSURANCE: PurposeFacts = PurposeFacts {
    purpose: Purpose::QualityAssurance,
    title: "Quality assurance",
    term: "dpv:RepairImpairments",
    what: "People listen to moments in which the app may have heard wrong, to find out why and to mend it.",
    necessity: "An error of hearing is found by hearing what was played; figures alone do not say whether the \
                player, the room or the recognizer erred.",
};

pub(super) const RECOGNITION_RESEARCH: PurposeFacts = PurposeFacts {
    purpose: Purpose::RecognitionResearch,
    title: "Improving acoustic recognition",
    term: "dpv:ResearchAndDevelopment",
    what: "Moments are gathered to measure how well computers recognize played music, and to make them better \
           at it, by research and by training.",
    necessity: "Recognizers fail on rooms, instruments and players that no studio recording has.",
};
