#!/usr/bin/env python3
"""Draws privacy against kept music, with one curve over thresholds for each case.

usage: frontier.py [FILE.csv [FILE.svg]]

The CSV has a header and the columns `case`, `threshold`, `music` (share kept or F1, on the x axis) and `privacy` (share
of words or speech left, on the y axis; less is better).
"""

import csv
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
CSV, SVG = HERE / "frontier.csv", HERE / "frontier.svg"
WIDTH, HEIGHT, MARGIN, KEY = 640, 400, 56, 170
COLORS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#332288", "#882255", "#117733"]


def draw(source: pathlib.Path, target: pathlib.Path) -> None:
    curves: dict[str, list[tuple[float, float, str]]] = {}
    with source.open(newline="") as file:
        for row in csv.DictReader(file):
            curves.setdefault(row["case"], []).append((float(row["music"]), float(row["privacy"]), row["threshold"]))
    highest = max((left for curve in curves.values() for _, left, _ in curve), default=0.0)
    highest = max(highest, 0.1)
    target.write_text("\n".join(lines(curves, highest)) + "\n")


def lines(curves: dict, highest: float):
    across = lambda music: MARGIN + music * (WIDTH - MARGIN - KEY)
    up = lambda left: HEIGHT - MARGIN - left / highest * (HEIGHT - 2 * MARGIN)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
    yield '<rect width="100%" height="100%" fill="#fff"/>'
    for step in range(6):
        x, y = across(step / 5), up(highest * step / 5)
        yield f'<path d="M{x:.1f} {up(0):.1f}V{up(highest):.1f}M{across(0):.1f} {y:.1f}H{across(1):.1f}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{up(0) + 16:.1f}" text-anchor="middle">{step / 5:.1f}</text>'
        yield f'<text x="{across(0) - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{highest * step / 5:.2f}</text>'
    yield f'<text x="{across(0.5):.1f}" y="{HEIGHT - 16}" text-anchor="middle">notes found, against those found in the input</text>'
    yield f'<text x="{across(0):.1f}" y="{MARGIN - 20}">words left (less is better)</text>'
    for number, (case, curve) in enumerate(curves.items()):
        color = COLORS[number % len(COLORS)]
        points = " ".join(f"{across(music):.1f},{up(left):.1f}" for music, left, _ in curve)
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
        for music, left, threshold in curve:
            yield f'<circle cx="{across(music):.1f}" cy="{up(left):.1f}" r="3" fill="{color}"><title>{case}, {threshold}</title></circle>'
        yield f'<text x="{WIDTH - KEY + 16}" y="{MARGIN + 16 * number}" fill="{color}">{case}</text>'
    yield "</svg>"


if __name__ == "__main__":
    given = [pathlib.Path(argument) for argument in sys.argv[1:3]]
    draw(given[0] if given else CSV, given[1] if len(given) > 1 else SVG)
