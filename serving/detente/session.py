"""One ONNX model in onnxruntime: token windows in, logits out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from detente.errors import BundleError

FloatArray = NDArray[np.float32]
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# What stands before the key "location" of a tensor that is kept in another file: field 1, eight
# bytes long. Protobuf also reads longer spellings of the two numbers, and drops what is too high.
_END = rb"\x80*[\x00\x10\x20\x30\x40\x50\x60\x70]"
_FIELD_BEFORE = re.compile(rb"(?:\x0a|\x8a" + _END + rb")(?:\x08|\x88" + _END + rb")\Z")
_ELSEWHERE = "session.model_external_initializers_file_folder_path"


class Session:
    """A model loaded for inference. Safe to share between threads.

    Args:
        model: the bytes of the ONNX file. It must hold all its weights: onnxruntime would take
            those of other files from the working folder, unseen by the bundle's hashes.
        width: the number of logits a row must have.
        threads: threads of one call; 0 leaves the choice to onnxruntime.
        pad_id: the padding token.

    Raises:
        BundleError: the bytes are no ONNX model, or one with weights in other files, other inputs
            or another width.
    """

    def __init__(self, model: bytes, width: int, *, threads: int = 0, pad_id: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised, too
        # Not in onnxruntime's own format, which is not searched for other files' names.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        # Where other files would be looked for: a folder that nobody can make.
        options.add_session_config_entry(_ELSEWHERE, f"{os.devnull}/none")
        if _names_other_files(model):
            raise BundleError(
                "model.onnx keeps weights in other files; save it as one file that holds them all"
            )
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # onnxruntime's errors share no base class below Exception.
            raise BundleError(f"model.onnx cannot be loaded: {str(error)[:200]}") from error
        inputs = {node.name for node in self._session.get_inputs()}
        shapes = [node.shape for node in self._session.get_outputs()]
        if not inputs <= set(_INPUTS) or [shape[1:] for shape in shapes] != [[width]]:
            raise BundleError(
                f"model.onnx takes {sorted(inputs)} and gives {shapes}; expected "
                f"{list(_INPUTS)} and {width} logits"
            )
        self._inputs = inputs
        self._pad_id = pad_id

    def logits(
        self,
        windows: Sequence[Encoding],
        *,
        batch_size: int = 32,
        advance: Callable[[int], None] | None = None,
    ) -> FloatArray:
        """Return logits of shape (windows, width), in the order of ``windows``.

        Windows are sorted by length, so that a batch is padded to its own longest only.

        Args:
            windows: encodings of any lengths.
            batch_size: the largest number of windows run together.
            advance: called with the number of windows done after each batch.

        Raises:
            BundleError: the model fails on a batch, or gives what is no number.
        """
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
        rows: list[FloatArray | None] = [None] * len(windows)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            output = self._run(self._feed([windows[i] for i in batch]))
            for i, row in zip(batch, output, strict=True):
                rows[i] = row
            if advance:
                advance(len(batch))
        return np.array(rows, dtype=np.float32)

    def _run(self, feed: dict[str, NDArray[np.int64]]) -> FloatArray:
        try:
            output: FloatArray = self._session.run(None, feed)[0]
        except Exception as error:
            count, length = feed["input_ids"].shape
            raise BundleError(
                f"model.onnx fails on a batch of {count} x {length} tokens; window or tokenizer "
                f"may be another model's: {' '.join(str(error)[:200].split())}"
            ) from error
        # A comparison with nan is false: the label would not even count as uncertain.
        if not np.isfinite(output).all():
            raise BundleError("model.onnx gives logits that are no numbers; export it again")
        return output

    def _feed(self, batch: Sequence[Encoding]) -> dict[str, NDArray[np.int64]]:
        shape = (len(batch), max(len(window.ids) for window in batch))
        feed = {
            "input_ids": np.full(shape, self._pad_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
            "token_type_ids": np.zeros(shape, dtype=np.int64),
        }
        for row, window in enumerate(batch):
            length = len(window.ids)
            feed["input_ids"][row, :length] = window.ids
            feed["attention_mask"][row, :length] = 1
            feed["token_type_ids"][row, :length] = window.type_ids
        return {name: array for name, array in feed.items() if name in self._inputs}


def _names_other_files(model: bytes) -> bool:
    """Whether any tensor says that its values lie in a file of their own."""
    return any(
        _FIELD_BEFORE.search(model, max(0, match.start() - 16), match.start())
        for match in re.finditer(b"location", model)
    )
