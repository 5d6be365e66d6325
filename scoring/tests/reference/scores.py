"""mir_eval and SciPy as reference for the tests of sordino-scoring: JSON on standard input and output."""

import json
import math
import sys
import warnings

import mir_eval
import numpy as np
import scipy.stats


def notes(listed):
    """Intervals and Hz, as mir_eval expects them; a missing offset gets a value that no metric uses."""
    ends = [onset + 0.1 if offset is None else offset for _, onset, offset in listed]
    intervals = np.array([[onset, end] for (_, onset, _), end in zip(listed, ends)]).reshape(-1, 2)
    return intervals, mir_eval.util.midi_to_hz(np.array([midi for midi, _, _ in listed], dtype=float))


def score(case):
    """Precision, recall, F1 by onset and pitch, the overlap, and F1 with offsets."""
    lists = (*notes(case["expected"]), *notes(case["recognised"]))
    metric = mir_eval.transcription.precision_recall_f1_overlap
    plain = metric(*lists, onset_tolerance=case["tolerance"], offset_ratio=None)
    with_offset = metric(*lists, onset_tolerance=case["tolerance"])
    return [*map(float, plain), float(with_offset[2])]


def sign_flips(differences):
    """The exact p of a mean difference of 0: every assignment of signs."""
    return float(
        scipy.stats.permutation_test(
            (np.array(differences),), np.mean, permutation_type="samples", n_resamples=math.inf
        ).pvalue
    )


def student(degrees):
    """The 0.975 quantile of Student's t."""
    return float(scipy.stats.t.ppf(0.975, degrees))


def wilson(case):
    """Wilson's interval without correction, of whole counts, at the confidence that makes `quantile` the normal's."""
    found, size, quantile = case
    confidence = 2 * scipy.stats.norm.cdf(quantile) - 1
    ends = scipy.stats.binomtest(found, size).proportion_ci(confidence, method="wilson")
    return [float(ends.low), float(ends.high)]


warnings.simplefilter("ignore")  # of mir_eval, where a list is empty
asked = json.load(sys.stdin)
answers = {"score": score, "sign_flips": sign_flips, "student": student, "wilson": wilson}
json.dump({name: [answers[name](case) for case in cases] for name, cases in asked.items()}, sys.stdout)
