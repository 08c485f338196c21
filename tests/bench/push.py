"""CPU time and rate of a push, by client: `python -m tests.bench.push [--messages N] [--json]`.

All contenders send the same text to the same double, one after the other. Ours and Google's SDK run
here; the npm package fcm-v1-http2 runs in Node where `--npm FOLDER` holds its node_modules; h2load,
where it is installed, is the limit of the machine. CPU time is the client's, user and system.
"""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from channels.gateway import Recipient
from channels.push import PushGateway, PushSettings
from channels.push.render import render
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.sdk import SdkGateway
from channels.push.tokens import AccessTokens
from schemas.dispatch import Outcome
from tests.bench.table import Row, parser, report
from tests.contract.gateways import AT, message

WINDOWS_AT_ONCE = 5
TOKEN = "f" * 102 + ":APA91b"
SDK_SHARE, NODE_SHARE = 40, 4
"""They get so many times fewer messages: a figure for each message needs no more."""
NODE = """
const [modules, url, ca, token, count, message] = process.argv.slice(1);
const load = require('module').createRequire(modules + '/');
const http2 = require('http2'), connect = http2.connect;
http2.connect = (_, options) => connect(url, {...options, ca: require('fs').readFileSync(ca)});
const {google} = load('googleapis');
google.auth.JWT = function () { this.authorize = done => done(null, {access_token: token}); };
const Client = load('fcm-v1-http2');
const client = new Client({serviceAccount: {project_id: 'hanoi-sandbox'}});
const phones = Array.from({length: +count}, (_, n) => 'node' + String(n).padStart(140, '0'));
(async () => {
  await client.sendMulticast(JSON.parse(message), phones.slice(0, 500));
  const before = process.cpuUsage(), began = process.hrtime.bigint();
  await client.sendMulticast(JSON.parse(message), phones);
  const cpu = process.cpuUsage(before);
  const us = Number((process.hrtime.bigint() - began) / 1000n);
  console.log(JSON.stringify({cpu: cpu.user + cpu.system, us}));
  process.exit(0);
})();
"""


def main() -> None:
    """Runs the benchmark."""
    options = parser(__doc__)
    options.add_argument("--messages", type=int, default=40_000)
    options.add_argument(
        "--latency-ms", type=float, default=0.0, help="what the double adds to each answer"
    )
    options.add_argument("--npm", type=Path, default=Path("node_modules"), help="has fcm-v1-http2 in it")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, PushSandbox(Path(folder)) as sandbox:
        sandbox.behave(Behaviour(latency_ms=given.latency_ms))
        rows = [
            ours(sandbox, PushGateway, "ours", given.messages),
            ours(sandbox, SdkGateway, "firebase-admin", max(500, given.messages // SDK_SHARE)),
            node(sandbox, given.npm.resolve(), max(1000, given.messages // NODE_SHARE)),
            h2load(sandbox, given.messages),
        ]
    report("push", rows, only_json=given.json, latency_ms=given.latency_ms)


def row(client: str, **figures: Any) -> Row:
    """One line; a contender that did not run says why."""
    empty = dict.fromkeys(("messages", "cpu_us", "per_second", "double_cpu_us", "connections"))
    return {"client": client, **empty, "note": "", **figures}


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(sandbox: PushSandbox, kind: type[PushGateway | SdkGateway], name: str, count: int) -> Row:
    """A gateway of ours, as a worker uses it: windows of 500, a few side by side."""
    people = [Recipient(n, n, f"{TOKEN}{n:033d}", "token", "android", "vi") for n in range(count)]

    async def play() -> Row:
        settings = PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file, rate=1e9)
        async with kind(settings, lambda: AT) as gateway:
            text = message()
            await gateway.send(message(), people[:100])
            starts = iter(range(0, count, gateway.window))

            async def slot() -> None:
                for start in starts:
                    results = await gateway.send(text, people[start : start + gateway.window])
                    assert all(result.outcome is Outcome.ACCEPTED for result in results)

            theirs, began, spent = cpu_of(sandbox.pid), time.perf_counter(), time.process_time()
            await asyncio.gather(*(slot() for _ in range(WINDOWS_AT_ONCE)))
            spent, seconds = time.process_time() - spent, time.perf_counter() - began
            return row(
                name,
                messages=count,
                cpu_us=round(spent / count * 1e6, 1),
                per_second=round(count / seconds),
                double_cpu_us=round((cpu_of(sandbox.pid) - theirs) / count * 1e6, 1),
                connections=gateway.connections if isinstance(gateway, PushGateway) else 1,
            )

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(play())


def access_token(sandbox: PushSandbox) -> str:
    """One that is good for the run."""

    async def ask() -> str:
        tokens = AccessTokens(sandbox.credentials_file, sandbox.ca_file, 5.0)
        await tokens.ready()
        await tokens.close()
        return tokens.token

    return asyncio.run(ask())


def node(sandbox: PushSandbox, npm: Path, count: int) -> Row:
    """The npm package; its own access to Google is replaced by a token that is there already."""
    name = "fcm-v1-http2 (npm)"
    program = shutil.which("node")
    if program is None or not (npm / "fcm-v1-http2").is_dir():
        return row(name, note="skipped: needs node, and --npm FOLDER after `npm install fcm-v1-http2`")
    text = json.loads(render(message(), "vi", AT).body("token", "-"))["message"]
    argv = [program, "-e", NODE, str(npm), sandbox.url, str(sandbox.ca_file), access_token(sandbox)]
    theirs = cpu_of(sandbox.pid)
    done = subprocess.run(
        [*argv, str(count), json.dumps(text)], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode or not done.stdout.strip():
        return row(name, note=f"failed: {done.stderr.strip().splitlines()[-1:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    return row(
        name,
        messages=count,
        cpu_us=round(figures["cpu"] / count, 1),
        per_second=round(count / figures["us"] * 1e6),
        double_cpu_us=round((cpu_of(sandbox.pid) - theirs) / (count + 500) * 1e6, 1),
        connections=10,
    )


def h2load(sandbox: PushSandbox, count: int) -> Row:
    """nghttp2's load generator: the same request again and again."""
    program = shutil.which("h2load")
    if program is None:
        return row("h2load", note="skipped: h2load is not installed (Debian: nghttp2-client)")
    with tempfile.NamedTemporaryFile() as body:
        body.write(render(message(), "vi", AT).body("token", f"{TOKEN}{0:033d}"))
        body.flush()
        before, theirs = os.times(), cpu_of(sandbox.pid)
        argv = [program, "-n", str(count), "-c", "4", "-m", "100", "-d", body.name]
        argv += [
            "-H",
            "content-type: application/json",
            "-H",
            f"authorization: Bearer {access_token(sandbox)}",
        ]
        url = f"{sandbox.url}/v1/projects/{sandbox.project}/messages:send"
        began = time.perf_counter()
        done = subprocess.run([*argv, url], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode or f"{count} succeeded" not in done.stdout:
            return row("h2load", note=f"failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
        seconds, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return row(
        "h2load",
        messages=count,
        cpu_us=round(spent / count * 1e6, 1),
        per_second=round(count / seconds),
        double_cpu_us=round((cpu_of(sandbox.pid) - theirs) / count * 1e6, 1),
        connections=4,
    )


if __name__ == "__main__":
    main()
