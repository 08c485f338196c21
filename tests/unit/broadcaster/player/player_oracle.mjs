// Lets a test drive player_core.js call by call: through node line by line, through a browser by `answering`.

/** Answers [method, ...arguments] for one player after the other. */
export function answering(Player) {
  let player = null;
  const calls = {
    begin: (steady, kept) => {
      player = new Player(steady, kept ?? {});
      return player.etag;
    },
    answered: (...given) => [player.answered(...given), player.etag],
    unchanged: (...given) => player.unchanged(...given),
    picture: (steady) => player.picture(steady),
    turns: (steady) => player.turns(steady).map(({ id }) => id),
    showed: (id, rev) => player.showed({ id, rev }),
    kept: (steady) => player.kept(steady),
  };
  return ([method, ...given]) => calls[method](...given);
}

if (globalThis.process?.argv?.[2]) {
  const { createInterface } = await import("node:readline");
  const { pathToFileURL } = await import("node:url");
  const { Player } = await import(pathToFileURL(process.argv[2]));
  const answer = answering(Player);
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
  }
}
