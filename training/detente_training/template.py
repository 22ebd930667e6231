"""The template of a user's own project."""

from __future__ import annotations

import shutil
from pathlib import Path

from detente.errors import InputError
from detente.files import make_folder, reason

_FILES = Path(__file__).with_name("project")


def start_project(folder: Path) -> list[str]:
    """Copy the template into a folder, made if it does not exist; give the files' names.

    Raises:
        InputError: the folder holds files, or cannot be written.
    """
    make_folder(folder)
    try:
        if held := next(folder.iterdir(), None):
            raise InputError(f"{folder}: holds files ({held.name}); give a new or an empty folder")
        shutil.copytree(_FILES, folder, dirs_exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({reason(error)}); choose another place"
        ) from None
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
