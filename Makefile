# Entry points. Each installs what it needs (tools/setup.sh) and calls Cargo, cargo xtask (`cargo xtask --help`) or a script.
.PHONY: demo test test-all soak bench eval bindings mobile docs

# The whole pipeline on the recordings in samples/audio; writes demo-out/report.html and demo-out/dataset.
demo:
	tools/setup.sh build
	cargo build --release -p sordino-cli -p sordino-collector
	target/release/sordino demo --out demo-out

# Formatting, vocabulary, and the tests of the Rust workspace that need no service. Run it before each commit.
test:
	tools/setup.sh build
	cargo xtask test

# In addition lints, PostgreSQL, S3, the review page, the bindings, the sample apps, the documentation, and one Android and
# one iOS target, as far as the tools are installed. `tools/setup.sh ci` installs all of them.
test-all:
	tools/setup.sh build
	cargo xtask test all

# All of that for hours, with new random cases and more repetitions: docs/soak.md.
soak:
	tools/setup.sh ci
	cargo xtask soak

# The tables of docs/benchmarks.md: measured values and their targets.
bench:
	tools/setup.sh build
	cargo xtask bench

# Attacks on anonymized clips, and how much music is left; writes eval/RESULTS.md. EVAL="--quick" is a smoke test.
eval:
	tools/setup.sh build
	eval/setup.sh
	cargo build --release -p sordino-cli -p sordino-collector
	target/eval/venv/bin/python -m unittest discover -q -s eval/tests
	target/eval/venv/bin/python eval/evaluate.py $(EVAL)

# The Python wheel, in target/wheels. `cargo xtask kotlin` and `cargo xtask swift` build the other bindings.
bindings:
	tools/setup.sh build
	cargo xtask python build

# What can be checked for phones without one: type checks, library size, required system functions.
mobile:
	tools/setup.sh mobile
	tools/mobile.sh

# The documentation site: guides, compliance documents, API references; target/site/index.html.
docs:
	tools/setup.sh build
	tools/setup.sh docs
	cargo xtask docs
