"""Reads each sound file that a line on stdin names with libsndfile.

Answers on stdout, for each: a line `RATE CHANNELS FRAMES`, then the samples as little-endian 64-bit floats, interleaved;
or a line `error REASON`.
"""

import sys

import soundfile


def main() -> None:
    out = sys.stdout.buffer
    for line in sys.stdin:
        try:
            with soundfile.SoundFile(line.rstrip("\n")) as file:
                samples = file.read(dtype="float64", always_2d=True)
                head = f"{file.samplerate} {file.channels} {len(samples)}\n"
        except (RuntimeError, OSError) as error:
            out.write(f"error {error!r}\n".encode())
        else:
            out.write(head.encode() + samples.astype("<f8").tobytes())
        out.flush()


if __name__ == "__main__":
    main()
