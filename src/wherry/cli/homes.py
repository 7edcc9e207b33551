"""Errors in wherry's own folders. An error in, the same one with the variable that names another folder out."""

from __future__ import annotations

from wherry.errors import Several, WherryError


def with_way_out(error: WherryError) -> WherryError:
    """`error`, which for a file of the cache or of the store says how to have those elsewhere."""
    for one in error.errors if isinstance(error, Several) else (error,):
        if one.name == "disk":
            _add(one)
    return error


def _add(error: WherryError) -> None:
    from wherry.flows.folders import data_folder, folders_of
    from wherry.system.machine import real_machine

    machine = real_machine()
    for folder, variable in ((folders_of(machine).root, "WHERRY_CACHE_DIR"), (data_folder(machine), "WHERRY_DATA_DIR")):
        if any(f"{place}/".startswith(f"{folder}/") for place in error.where):
            error.with_next(f"free space there, or export {variable}=/another/folder")
