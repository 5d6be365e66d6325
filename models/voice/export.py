#!/usr/bin/env python3
"""Writes a trained network in the SDK's format, and the reference for its test.

usage: export.py CHECKPOINT [FOLDER]      (default: this folder)

Makes voice_net.f16 and reference.json. README.md describes them.
"""

import importlib.util
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch

import infer
import net

MASK_EVERY = 10  # the reference has the mask of every tenth frame


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here
    model = net.VoiceNet()
    model.load_state_dict(net.converted(torch.load(sys.argv[1])["smooth"], torch.float))
    model.eval()
    weights = (folder if len(sys.argv) > 2 else here.parent.parent / "dsp/weights") / "voice_net.f16"
    weights.write_bytes(infer.packed(folded(model)))
    exported = infer.Exported(weights)
    samples = signal(here)
    voice, mask, _ = exported.predict(samples)
    with torch.no_grad():
        logits, _ = model(model.energies(net.spectrum(torch.from_numpy(samples)))[None])
    print(f"half precision changes a probability by {np.abs(torch.sigmoid(logits[0]).numpy() - voice).max():.5f} at most")
    reference = {
        "probabilities": [round(float(p), 6) for p in voice],
        "mask_every": MASK_EVERY,
        "mask": [[round(float(m), 6) for m in row] for row in mask[::MASK_EVERY]],
    }
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")


def folded(model: net.VoiceNet) -> dict[str, np.ndarray]:
    """Folds the scale of each norm into the weights before it, and its shift into their bias."""

    def values(tensor: torch.Tensor) -> np.ndarray:
        return tensor.detach().numpy()

    def norm(layer) -> tuple[np.ndarray, np.ndarray]:
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        return values(scale), values(layer.bias - layer.running_mean * scale)

    out = {}
    for name in ("merge", "mask"):
        layer = getattr(model, name)
        for group in range(net.GROUPS):
            out[f"{name}{group}"], out[f"{name}{group}_bias"] = values(layer.weight[group]), values(layer.bias[group, 0])
    for name in ("voice", "context"):
        layer = getattr(model, name)
        out[name], out[f"{name}_bias"] = values(layer.weight).T, values(layer.bias)
    scale, out["conv_bias"] = norm(model.conv_norm)
    out["conv"] = (values(model.conv.weight) * scale[:, None, None, None]).transpose(2, 3, 1, 0)
    out["depthwise"] = values(model.depthwise.weight)[:, 0].transpose(1, 2, 0)
    scale, out["pointwise_bias"] = norm(model.pointwise_norm)
    out["pointwise"] = values(model.pointwise.weight)[:, :, 0, 0].T * scale
    scale, out["projection_bias"] = norm(model.projection_norm)
    out["projection"] = values(model.projection.weight).T * scale
    for index, block in enumerate(model.blocks):
        scale, out[f"depthwise{index}_bias"] = norm(block.depthwise_norm)
        out[f"depthwise{index}"] = values(block.depthwise) * scale
        scale, out[f"pointwise{index}_bias"] = norm(block.pointwise_norm)
        out[f"pointwise{index}"] = values(block.pointwise.weight).T * scale
    return out


def signal(here: pathlib.Path) -> np.ndarray:
    """The test signal of models/silero/export.py, the same in every language."""
    source = (here.parent / "silero" / "export.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        # Without its import of silero_vad, which is not needed here.
        path = pathlib.Path(folder) / "signal.py"
        path.write_text(source.replace("import silero_vad\n", ""))
        spec = importlib.util.spec_from_file_location("reference_signal", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.voice_like(64_000)


if __name__ == "__main__":
    main()
