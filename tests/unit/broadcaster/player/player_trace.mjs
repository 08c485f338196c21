// Runs traces through player_core.js: JSON lines in, what was on after each step out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Player } = await import(pathToFileURL(process.argv[2]));

function step(players, [kind, ...given]) {
  const player = players.at(-1);
  try {
    if (kind === "feed") return player.answered(given[0], "e", ...given.slice(1));
    if (kind === "same") return player.unchanged(...given);
    if (kind === "flash") return player.flashes(...given) ?? null;
    if (kind === "plays") {
      const told = player.toldOf(given[0]);
      if (given[1]) player.batch = null;
      return told;
    }
    if (kind === "boot") {
      players.push(new Player(given[1], JSON.parse(JSON.stringify(player.kept(given[0])))));
      return "boot";
    }
    const { id, rev, number, of, lines, mark, stale, wait, brightness, flash } = player.picture(given[0]);
    const first = player.showed({ id, rev });
    player.counted({ id, rev }, given[0]);
    return [id, rev, number, of, lines, mark, stale, given[0] + wait, brightness, flash, first];
  } catch (error) {
    return `refused ${error instanceof TypeError || error instanceof SyntaxError}`;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const players = [new Player(0)];
  console.log(JSON.stringify(JSON.parse(line).map((one) => step(players, one))));
}
