"""What stands before a line's own words: collectors, processes, clocks and levels."""

from __future__ import annotations

import re

import msgspec

_LEVELS = "DEBUG|INFO|WARNING|ERROR|CRITICAL"
_PREFIXES = re.compile(
    r"(?:"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,4})?[ \t]"  # Docker, Kubernetes
    # journalctl -o short-iso, log drains: a host or a program, and what runs in it
    r"(?:(?:\S+ )?[\w./@-]+\[[\w.]+\]: )?"
    r"|1[67]\d{11}[ \t]"  # milliseconds, CloudWatch
    r"|\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?\] "  # CI
    r"|std(?:out|err) [FP] "  # Kubernetes' own files
    r"|\[pod/[^\]\s]+\] "  # kubectl logs --prefix
    r"|(?:\d+\|)?[\w.@-]+ +\| "  # docker compose and swarm, pm2
    r"|(?:[a-z0-9.-]+-[a-z0-9]{5,10}-[a-z0-9]{5}|[a-z0-9.-]+-\d{1,3}) [a-z0-9-]+ "  # stern: pod and container
    # srun --label; a traceback's frames tell it from grep's, for these are indented by two and by four
    r"| ?\d{1,4}: (?! File \"|   \S)"
    r"|\d{1,7}:(?=  File \"|    \S|[A-Za-z\[({\"]|\d{4}-\d\d-\d\d[T ]|$)"  # grep -n
    r"| {0,5}\d{1,7}\t"  # cat -n
    r"|std(?:out|err): "
    r"|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \S+ [\w./@-]+(?:\[\d+\])?: "  # syslog, journalctl
    r"|[>\u2502|] "  # quoted, or drawn by a terminal's table
    r"|  \| (?=\[)"  # copied from a page with line numbers
    rf"|[ \t]{{1,12}}(?=\[20\d\d-|\([A-Za-z]\w* pid=|(?:{_LEVELS}) \d\d-\d\d \d\d:)"  # a whole log, indented
    r"|(?:\^\[|[\u241b\ufffd]|\\u001b|\\x1b|\\033|#033)?\[\d{1,3}(?:;\d{1,3})*m ?"  # colours without their escape
    r"|\[rank\d+\]: ?"  # torch
    r"|\[\d+,\d+\]<std(?:out|err)>: ?"  # mpirun
    # vLLM's and Ray's processes
    r"|[(\[](?:[A-Za-z][\w:.-]*(?: rank=\d+| [A-Z]+\d\w*)? )?pid=\d+(?:, ip=[\w.:]+)?[)\]] ?"
    r"|\[(?:Stage-\d+|[a-z][a-z0-9_./-]*)\](?:: ?|:(?=\S)| )"  # vLLM-Omni; a name that a launcher gives
    # vLLM, whose time has no year
    rf"|(?P<level>{_LEVELS}) (?:[A-Za-z_][\w.]* )?(?:\d{{4}}-)?\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)? ?"
    r"(?:\[?[\w./-]+:\d+\[?\] ?)?"
    r"|\[(?:(?:\d{4}-)?\d\d-\d\d )?\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [A-Z_]+\d+)*\] ?"  # SGLang, and programs beside vLLM
    r"|\[(?:DP|PP|TP|EP|ATTN_CP|MOE_DP)\d+(?: [A-Z_]+\d+)*\] "  # the same, its clock taken out
    r"|(?P<uvicorn>(?:DEBUG|ERROR):    |INFO:     |WARNING:  |CRITICAL: )"
    rf"|- (?P<python>{_LEVELS}) - (?:[\w.]+: )?"  # 2025-02-21 21:52:50,289 - INFO - flashinfer.jit:
    r")*"
)
_QUIET = ("DEBUG", "INFO", "WARNING")
_INSIDE = re.compile(r"(?<=Error: )\[address=[^\]]{1,100}\] ")
"""What Xinference puts between an exception's name and its words."""


class Stripped(msgspec.Struct, frozen=True, gc=False):
    """A line's own words, and the level that the engine gave them ("" where it gave none)."""

    message: str
    level: str

    @property
    def quiet(self) -> bool:
        """No error, says the engine itself."""
        return self.level in _QUIET


def stripped(text: str) -> Stripped:
    """`text` without all that stands before its own words. What indents those stays."""
    if "[address=" in text:
        text = _INSIDE.sub("", text, count=1)
    match = _PREFIXES.match(text)
    if match is None or not match.end():
        return Stripped(text, "")
    level = match["level"] or match["python"] or (match["uvicorn"] or "").partition(":")[0]
    return Stripped(text[match.end() :], level)
