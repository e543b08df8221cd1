/** Runs verbs one after the other in one process, and says of each how it ended and which connections it left open. */
const [installation, ...verbs] = process.argv.slice(2);
const { main } = await import(`${installation}/dist/cli/main.js`);

const CONNECTIONS = ['TCPSocketWrap', 'TCPServerWrap', 'ProcessWrap', 'TLSWrap'];
const open = () => process.getActiveResourcesInfo().filter((name) => CONNECTIONS.includes(name));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ends = [];
for (const verb of verbs) {
  const exitCode = await main(installation, JSON.parse(verb));
  // The other side of a connection may take a moment to see its end.
  for (let tries = 0; tries < 20 && open().length > 0; tries += 1) await wait(50);
  ends.push({ verb, exitCode, open: open() });
}
process.stdout.write(`\n${JSON.stringify(ends)}\n`);
