"""The peer's side of `cargo xtask bench --peer`: the work of `bert bench`, by transformers on PyTorch, ONNX Runtime and
OpenVINO, in f32, bf16 (autocast of PyTorch, the hint of OpenVINO) or int8 (weights quantised by ONNX Runtime's
quantize_dynamic, which both runtimes run).

    pip install -r requirements.txt
    python step.py check
    python step.py train-step --size minilm --batch 16 --seq 128 --attention sdpa
    python step.py train-step --size minilm --batch 16 --seq 128 --tune lora:rank=8
    python step.py inference --size minilm --batch 16 --seq 128 --attention eager
    python step.py export --size minilm --batch 16 --seq 128 --onnx minilm.onnx
    python step.py inference --size minilm --batch 16 --seq 128 --onnx minilm.onnx --runtime openvino --precision bf16

Random weights, full-length rows, labels in turn. Prints one JSON object on a line, with the names that `bert bench --json` has.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

# Layers, hidden width, heads.
SIZES = {"tiny": (2, 128, 2), "mini": (4, 256, 4), "minilm": (6, 384, 12), "base": (12, 768, 12)}
LONGEST = 512
# What the families spell otherwise, and what bench leaves at the family's default.
SPELLINGS = {
    "distilbert": {
        "intermediate_size": "hidden_dim",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    },
    "modernbert": {
        "hidden_dropout_prob": "mlp_dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    },
}
# What config.json of microsoft/deberta-v3-base says: the family's own defaults are without relative positions.
SETTINGS = {
    "deberta-v2": {
        "relative_attention": True,
        "position_buckets": 256,
        "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "position_biased_input": False,
    },
}
# Families whose positions begin behind the padding token, which is 1.
POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
WARM_UPS = 2


def check_versions() -> None:
    """Ends the script unless every installed version is the pinned one."""
    wrong = []
    for line in Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, pinned = line.split("==")
        try:
            # torch says 2.15.0+cpu where it was built for the CPU alone.
            installed = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            installed = "nothing"
        if installed != pinned:
            wrong.append(f"  {name}: pinned {pinned}, installed {installed}")
    if wrong:
        sys.exit("\n".join(["these packages are not the ones that the figures are compared with:", *wrong]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["check", "export", "train-step", "inference"])
    parser.add_argument("--family", default="bert", help="model_type")
    parser.add_argument("--size", choices=SIZES, default="minilm")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seq", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--tune", default="all", help="train-step: all, or a LoRA by PEFT in the words of `bert train --tune`")
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--precision", choices=["f32", "bf16", "int8"], default="f32", help="of the products")
    parser.add_argument("--onnx", type=Path, help="export: what to write; inference: what to run")
    parser.add_argument("--runtime", choices=["onnxruntime", "openvino"], default="onnxruntime", help="what runs --onnx")
    return parser.parse_args()


def ids(batch: int, seq: int) -> list[list[int]]:
    flat = [place * 7919 % 30000 for place in range(batch * seq)]
    return [flat[row * seq : (row + 1) * seq] for row in range(batch)]


def model(args: argparse.Namespace):
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    layers, hidden, heads = SIZES[args.size]
    settings = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
        "hidden_dropout_prob": args.dropout,
        "attention_probs_dropout_prob": args.dropout,
        "max_position_embeddings": LONGEST + (2 if args.family in POSITIONS_AFTER_PADDING else 0),
        "num_labels": 2,
    }
    settings.update(SETTINGS.get(args.family, {}))
    spelling = SPELLINGS.get(args.family, {})
    config = AutoConfig.for_model(args.family, **{spelling.get(key, key): value for key, value in settings.items()})
    return AutoModelForSequenceClassification.from_config(config, attn_implementation=args.attention)


def torch_batch(args: argparse.Namespace):
    import torch

    input_ids = torch.tensor(ids(args.batch, args.seq))
    labels = torch.arange(args.batch) % 2
    return input_ids, torch.ones_like(input_ids), labels


def autocast(args: argparse.Namespace):
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "bf16")


def median_ms(run, runs: int) -> float:
    for _ in range(WARM_UPS):
        run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def adapted(network, words: str):
    """PEFT's adapters, as `lora:rank=8,alpha=16,targets=query+value,dora,rslora` asks for them."""
    from peft import LoraConfig, TaskType, get_peft_model

    settings = {"r": 8, "lora_alpha": 16}
    names = {"rank": ("r", int), "alpha": ("lora_alpha", float), "dropout": ("lora_dropout", float)}
    _, _, listed = words.partition(":")
    for word in filter(None, listed.split(",")):
        key, _, value = word.partition("=")
        if key in names:
            name, kind = names[key]
            settings[name] = kind(value)
        elif key == "targets":
            settings["target_modules"] = value if value == "all-linear" else value.split("+")
        else:
            settings[f"use_{key}"] = True
    # As `bert train`: the pooler is part of the head.
    return get_peft_model(network, LoraConfig(task_type=TaskType.SEQ_CLS, modules_to_save=["pooler"], **settings))


def train_step_ms(args: argparse.Namespace) -> float:
    import torch

    network = model(args).train()
    if args.tune != "all":
        network = adapted(network, args.tune).train()
    input_ids, mask, labels = torch_batch(args)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-5, weight_decay=0.01)

    def step() -> None:
        with autocast(args):
            loss = network(input_ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return median_ms(step, args.runs)


def torch_inference_ms(args: argparse.Namespace) -> float:
    import torch

    network = model(args).eval()
    input_ids, mask, _ = torch_batch(args)
    with torch.inference_mode(), autocast(args):
        return median_ms(lambda: network(input_ids, attention_mask=mask).logits, args.runs)


def onnxruntime_inference_ms(args: argparse.Namespace) -> float:
    """Imports no PyTorch, so that the peak of the memory is ONNX Runtime's own."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.onnx, options, providers=["CPUExecutionProvider"])
    input_ids = numpy.array(ids(args.batch, args.seq), dtype=numpy.int64)
    feed = {"input_ids": input_ids, "attention_mask": numpy.ones_like(input_ids)}
    return median_ms(lambda: session.run(None, feed), args.runs)


def openvino_inference_ms(args: argparse.Namespace) -> float:
    import numpy
    import openvino

    hints = {
        "INFERENCE_PRECISION_HINT": "bf16" if args.precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": args.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(args.onnx), "CPU", hints).create_infer_request()
    input_ids = numpy.array(ids(args.batch, args.seq), dtype=numpy.int64)
    feed = {"input_ids": input_ids, "attention_mask": numpy.ones_like(input_ids)}
    return median_ms(lambda: request.infer(feed), args.runs)


def export(args: argparse.Namespace) -> None:
    """Shapes are fixed, which is what ONNX Runtime is fastest with."""
    import torch

    network = model(args).eval()
    input_ids, mask, _ = torch_batch(args)
    names = ["input_ids", "attention_mask"]
    with warnings.catch_warnings():
        # That this exporter is an old one, and that shapes could change, which are fixed here.
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (input_ids, mask), args.onnx, input_names=names, dynamo=False)
    if args.precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(args.onnx, args.onnx, weight_type=QuantType.QInt8)


def peak_rss_mib() -> float | None:
    """As `bert bench` reads it; getrusage would count what a parent process had before it started this one."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else None


def main() -> None:
    args = arguments()
    os.environ["HF_HUB_OFFLINE"] = "1"
    if args.work == "check":
        return check_versions()
    if args.work == "export":
        return export(args)
    if args.work == "train-step":
        peer, median = args.attention, train_step_ms(args)
    elif args.onnx:
        run = {"onnxruntime": onnxruntime_inference_ms, "openvino": openvino_inference_ms}[args.runtime]
        peer, median = args.runtime, run(args)
    else:
        peer, median = args.attention, torch_inference_ms(args)
    figures = {
        "work": args.work,
        "peer": peer,
        "family": args.family,
        "size": args.size,
        "batch": args.batch,
        "seq": args.seq,
        "dropout": args.dropout,
        "tune": args.tune,
        "precision": args.precision,
        "threads": args.threads,
        "runs": args.runs,
        "median_ms": median,
        "tokens_per_second": args.batch * args.seq / median * 1e3,
        "peak_rss_mib": peak_rss_mib(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
