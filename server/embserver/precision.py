"""What a model computes in: float32 as it was loaded, or faster and less exact, if asked, where this machine can."""

import platform

import torch
from torch import nn

from embserver import calibration, prepacked, rowq
from embserver.encoder import no_pause
from embserver.failures import ModelRefused
from embserver.tokenizer import Tokenizer

__all__ = ["check", "settle"]


def check(wanted: str, *, device: torch.device, packed: bool) -> None:
    """Whether a model that is computed so can have the precision of that name. Raises ModelRefused."""
    if wanted == "bfloat16" and not _has_bfloat16(device):
        raise ModelRefused(
            f"EMBSERVER_PRECISION=bfloat16, but this {device.type} device computes it no faster than float32. "
            "Use float32, or int8 on a processor."
        )
    if wanted == "int8" and (device.type != "cpu" or not packed):
        raise ModelRefused(
            "EMBSERVER_PRECISION=int8 is made for the processor and for models that are computed packed; this "
            f"one is computed {'packed' if packed else 'padded'} on {device.type}. Use float32 or bfloat16."
        )


def settle(body: nn.Module, wanted: str, tokenizer: Tokenizer, *, device: torch.device, packed: bool) -> None:
    """Bring the model, in place, to the precision of that name, which `check` has passed, and its linear layers to the
    form in which the device is fastest. Raises StartFailed where no kernel of this machine is exact."""
    match wanted:
        case "bfloat16":
            body.to(torch.bfloat16)
        case "int8":
            texts = [text.ids for text in tokenizer.encode(list(calibration.TEXTS))]
            with torch.inference_mode():
                rowq.quantize(body, rowq.choose(), rowq.input_peaks(body, lambda: body(texts, no_pause)))
    if packed and device.type == "cpu":
        prepacked.prepack(body)


def _has_bfloat16(device: torch.device) -> bool:
    match device.type:
        case "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        case "cpu" if platform.machine().lower() in ("x86_64", "amd64"):
            # torch's own answer says yes to processors that only emulate it.
            return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # noqa: SLF001 - nothing public tells
        case "cpu":
            return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - nothing public tells
        case _:
            return False
