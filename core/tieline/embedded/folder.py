"""The data folder: whose it is, who can reach it, what keeps two starts apart, and its passwords."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tieline.errors import StartRefused

UNPRIVILEGED = ("nobody", "daemon", "bin")
LEFTOVER_SECONDS = 30.0
OWNER_LOCK = "owner.lock"


@dataclass(frozen=True, kw_only=True)
class Account:
    """The unprivileged account that PostgreSQL runs under when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Passwords:
    admin: str = field(repr=False)
    tieline: str = field(repr=False)
    redis: str = field(repr=False)


def unprivileged_account() -> Account | None:
    """None when we are not root: then the servers run as we do."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StartRefused(
        "PostgreSQL does not run as root and there is no account 'nobody' here; start as another user."
    )


def allows(path: Path, account: Account, need: int) -> bool:
    """Whether the mode of `path` gives the account `need`: 1 to pass through, 4 to read."""
    entry = path.stat()
    shift = 6 if entry.st_uid == account.uid else 3 if entry.st_gid == account.gid else 0
    return stat.S_IMODE(entry.st_mode) >> shift & need == need


def blocked_at(path: Path, account: Account | None) -> Path | None:
    """The first existing folder on the way to `path` (itself included) that the account cannot enter."""
    if account is None:
        return None
    way = [*reversed(path.parents), path]
    return next((step for step in way if step.is_dir() and not allows(step, account, 1)), None)


def default_data_folder(base: Path) -> Path:
    """`.tieline` in `base`; as root with a base that PostgreSQL's account cannot reach, one in /var/tmp."""
    base = base.resolve()
    if blocked_at(base, unprivileged_account()) is None:
        return base / ".tieline"
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
    folder = Path("/var/tmp").resolve() / f"tieline-{digest}"  # noqa: S108 - made and looked at with care below
    make(folder)
    entry = folder.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid() or entry.st_mode & 0o022:
        raise StartRefused(f"{folder} was made by somebody else; delete it, or name a data folder yourself.")
    return folder


def prepare(data: Path, account: Account | None) -> None:
    """Make the folder, private to us; look at one that is there already, without changing it."""
    if wall := blocked_at(data, account):
        who = account.name if account else ""
        raise StartRefused(
            f"As root, PostgreSQL runs as '{who}', which cannot enter {wall}: start as another user, "
            f"or name a data folder whose parents everybody may pass through."
        )
    for folder in [*reversed(data.parents), data]:
        make(folder)
    entry = data.stat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid():
        raise StartRefused(f"{data} is not a folder of yours; name another data folder.")
    if entry.st_mode & stat.S_IWOTH:
        raise StartRefused(
            f"Everybody may write to {data}; take that right away, or name another data folder."
        )
    _check_ours(data)


def remove(data: Path) -> bool:
    """Delete a data folder that nothing uses; whether there was one. Raises StartRefused."""
    if not data.is_dir() or not any(data.iterdir()):
        return False
    _check_ours(data)
    with locked(data):
        shutil.rmtree(data)
    return True


def _check_ours(data: Path) -> None:
    if any(data.iterdir()) and not (data / OWNER_LOCK).exists():
        raise StartRefused(f"{data} holds other things than Tieline's; name an empty or a new folder.")


def make(folder: Path) -> None:
    """As root others may pass through, because PostgreSQL's account must; nobody may look around."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # not a folder, or made at this moment: whoever asked looks at it next
        return
    if os.geteuid() == 0:
        folder.chmod(0o711)


@contextmanager
def locked(data: Path) -> Iterator[int]:
    """Keep the folder to ourselves. Yields a descriptor for the servers to hold as long as they live.

    The first lock is ours and refuses a second start at once. The second outlives us in the servers: while
    those of an earlier, killed start are still stopping it is taken, and when we have it none is left.
    """
    with _lock_file(data / OWNER_LOCK) as owner, _lock_file(data / "servers.lock") as servers:
        if not _taken(owner):
            pid = os.pread(owner, 20, 0).decode() or "unknown"
            raise StartRefused(
                f"{data} is in use by the process {pid}; stop it, or name another data folder."
            )
        os.ftruncate(owner, 0)
        os.pwrite(owner, str(os.getpid()).encode(), 0)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while not _taken(servers):
            if time.monotonic() > deadline:
                raise StartRefused(f"Servers of an earlier start still run in {data}; stop them first.")
            time.sleep(0.02)
        yield servers


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def passwords(data: Path, *, may_make: bool) -> Passwords:
    """The passwords of this folder, from its one 0600 file; made at the first start."""
    path = data / "passwords.json"
    if path.exists():
        return Passwords(**json.loads(path.read_text()))
    if not may_make:
        raise StartRefused(
            f"{path} is missing, so nobody can open the database: put it back, or delete {data}."
        )
    made = Passwords(**{name: secrets.token_urlsafe(24) for name in ("admin", "tieline", "redis")})
    write_private(path, json.dumps(asdict(made)))
    return made


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a whole file or none, readable by its owner only."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if account:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.rename(path)
