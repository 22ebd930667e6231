"""Errors meant for the user: one line that names the place, the fault and the way out."""

from __future__ import annotations


class DetenteError(Exception):
    """Base of every error the user can mend. The command prints it on one line and exits with 2."""


class InputError(DetenteError, ValueError):
    """A statement, article, file or option that cannot be used as given."""


class CodebookError(DetenteError, ValueError):
    """A codebook, or a label that the codebook does not know."""


class BundleError(DetenteError, ValueError):
    """A model bundle that is missing, damaged or made by a newer version."""
