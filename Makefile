# The front door. `make demo` and `make test` do all the set-up that they need.
.PHONY: demo test test-all soak bench eval bindings mobile docs

# The whole loop on recordings; writes demo-out/report.html and demo-out/dataset.
demo:
	tools/setup.sh build
	cargo build --release -p sordino-cli -p sordino-collector
	target/release/sordino demo --out demo-out

# Formatting, and all tests of the Rust workspace that need no service: what a contributor runs before a commit.
test:
	tools/setup.sh build
	cargo xtask test

# In addition lints, PostgreSQL, S3, the review page, the bindings, the sample apps, the documentation, and one Android
# and one iOS target, as far as the tools are installed. `tools/setup.sh ci` installs all of them.
test-all:
	tools/setup.sh build
	cargo xtask test all

# All of that for hours, with new random cases and more repetitions: docs/soak.md.
soak:
	tools/setup.sh ci
	cargo xtask soak

# The table of README.md: what was measured, beside what is aimed at.
bench:
	tools/setup.sh build
	cargo xtask bench

# Attackers on what is left of voices, and a judge of the music; writes eval/RESULTS.md. EVAL="--quick" to try.
eval:
	tools/setup.sh build
	eval/setup.sh
	cargo build --release -p sordino-cli -p sordino-collector
	target/eval/venv/bin/python -m unittest discover -q -s eval/tests
	target/eval/venv/bin/python eval/evaluate.py $(EVAL)

# The sources of the language bindings and the library that they load.
bindings:
	tools/setup.sh build
	cargo xtask python build

# What can be known of phones without one: it compiles for Android and iOS, how large it is, what it asks of the system.
mobile:
	tools/setup.sh mobile
	tools/mobile.sh

# The documentation as one static site: guides, papers, figures, API references; target/site/index.html.
docs:
	tools/setup.sh build
	tools/setup.sh docs
	cargo xtask docs
