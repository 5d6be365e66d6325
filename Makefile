# The front door. `make demo` and `make test` do all the set-up that they need.
.PHONY: demo test bench eval bindings mobile docs

# The whole loop on recordings; writes demo-out/report.html and demo-out/dataset.
demo:
	tools/setup build
	cargo build --release -p sordino-cli
	target/release/sordino demo --out demo-out

# Everything that the toolchains at hand can test; what is skipped is named with what it lacks.
test:
	tools/setup build
	tools/test

# The table of README.md: what was measured, beside what is aimed at.
bench:
	tools/setup build
	benches/run

# Attackers on what is left of voices, and a judge of the music; writes eval/RESULTS.md. EVAL="--quick" to try.
eval:
	tools/setup build
	eval/setup
	cargo build --release -p sordino-cli
	target/eval/venv/bin/python -m unittest discover -q -s eval/tests
	target/eval/venv/bin/python eval/evaluate.py $(EVAL)

# The sources of the language bindings and the library that they load.
bindings:
	tools/setup build
	bindings/python/build

# What can be known of phones without one: it compiles for Android and iOS, how large it is, what it asks of the system.
mobile:
	tools/setup mobile
	tools/mobile

# The documentation as one static site: guides, papers, figures, API references; target/site/index.html.
docs:
	tools/setup build
	tools/setup docs
	tools/docs
