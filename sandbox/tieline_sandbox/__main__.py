"""`python -m tieline_sandbox`: the command on its own, without Tieline's command line."""

import typer

from tieline_sandbox.commands import sandbox

if __name__ == "__main__":
    typer.run(sandbox)
