"""RL's share of the compute of pretraining, beside what has been published of others."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.curves.value import Value

__all__ = ["REFERENCES", "PretrainingShare", "Reference", "pretraining_share"]


@dataclass(frozen=True)
class Reference:
    """A published spend on RL.

    Parameters
    ----------
    name : str
    share : float, optional
        RL compute over pretraining compute; None where only the spend is known.
    gpu_hours : float, optional
        Spend on RL, in hours of the GPU named in ``note``; None where only the share is known.
    grade : str
        ``V`` read in the paper's own text, ``S`` secondhand, ``D`` derived from published numbers, ``M`` from memory;
        several letters where parts of the number differ.
    source : str
    note : str
        What the number covers.
    """

    name: str
    share: float | None
    gpu_hours: float | None
    grade: str
    source: str
    note: str


#: Published spends, by share and then by hours; a share is only comparable where both are in one unit of compute.
REFERENCES = (
    Reference(
        "josancamon19/rl-scaling-laws", 3e-5, None, "S", "repository rl-scaling-laws",
        "RL on Qwen3-base 0.6 to 14B, of total FLOPs; a hobby study",
    ),
    Reference(
        "DeepSeek-R1-Zero", 0.0375, 101_000.0, "V/D/M", "ScaleRL, arXiv 2510.13786, section 1",
        "share as stated there; 64 x 8 H800 for some 198 h, against 2.664M H800 hours of DeepSeek-V3's pretraining",
    ),
    Reference(
        "DeepSeek-V3.2", 0.10, None, "V", "DeepSeek-V3.2 report",
        "'more than 10 %' of the cost of pretraining: all post-training, not RL alone",
    ),
    Reference(
        "Grok 4", 1.0, None, "S", "launch slide",
        "read as parity of RL and pretraining, probably in GPU time; ambiguous",
    ),
    Reference("BroRL", None, 11_100.0, "D", "BroRL, arXiv 2510.01180", "64 H100 x 173.8 h, a 1.5B model"),
    Reference("ProRL", None, 16_000.0, "V", "ScaleRL, arXiv 2510.13786", "1.5B model, some 2,000 steps, as cited"),
    Reference("DeepSeek-R1", None, 41_000.0, "S", "several readers agree", "512 H800 x 80 h, without the SFT data"),
    Reference("ScaleRL, Scout", None, 50_000.0, "V", "ScaleRL, arXiv 2510.13786", "one run of 17Bx16, GB200"),
    Reference("ScaleRL, 8B", None, 100_000.0, "V", "ScaleRL, arXiv 2510.13786", "one run, GB200"),
    Reference("IsoCompute", None, 120_000.0, "V", "IsoCompute Playbook", "all runs of the study, H200"),
    Reference("OLMo 3.1 Think 32B", None, 134_000.0, "S/D", "RLHF Book", "some 200 GPUs x 4 weeks"),
    Reference("MiniMax-M1", None, 258_000.0, "S/D", "several readers agree", "512 H800 x 3 weeks, $534.7k"),
)  # fmt: skip


@dataclass(frozen=True)
class PretrainingShare(Value):
    """RL's share of the compute of pretraining.

    Parameters
    ----------
    compute : float
        RL compute: the budget, or without one the largest last compute, in the runs' unit.
    pretraining : float
        Compute of pretraining, in the same unit.
    share : float
        The one over the other.
    references : tuple of Reference
    note : str
        What to mind when comparing.
    """

    compute: float
    pretraining: float
    share: float
    references: tuple[Reference, ...]
    note: str


def pretraining_share(compute: float, pretraining: float, unit: str) -> PretrainingShare:
    """Return ``compute / pretraining``, both in ``unit`` and above 0, beside published shares."""
    note = f"both in {unit} of one kind of device" if unit == "gpu-hours" else f"both in {unit}"
    return PretrainingShare(
        compute=compute,
        pretraining=pretraining,
        share=compute / pretraining,
        references=REFERENCES,
        note=f"{note}; the references are shares of GPU-hours, of cost or of FLOPs, as each says",
    )
