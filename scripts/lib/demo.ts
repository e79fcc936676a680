import { Host } from "../../test/host/harness/host.ts";

/** One command of the demo: what it shows, what is typed, and the exit status that belongs there. */
interface Scene {
  shows: string;
  types: string;
  exit?: number;
}

const STATE = {
  version: 1,
  plugins: {
    systemd: {
      units: {
        "demo-simple.service": { active_state: "active", enabled: true, properties: { MemoryMax: "256M" } },
        "demo-notify.service": { active_state: "active", enabled: true },
        "demo-instance@blue.service": { active_state: "active", enabled: true },
      },
    },
  },
};

const WITNESS = "systemctl show --property=Id,ActiveState,UnitFileState,MemoryMax demo-simple.service";

const SCENES: readonly Scene[] = [
  { shows: "One file, nothing else to install", types: "op-dbus version" },
  { shows: "What is, as a state document", types: "op-dbus query --plugin systemd" },
  { shows: "What we want instead", types: "cat state.json" },
  { shows: "The plan is exactly what will happen; exit 3 says that there is a difference", types: "op-dbus plan state.json", exit: 3 },
  { shows: "Apply: journal, write, read back", types: "op-dbus apply state.json --yes" },
  { shows: "systemd itself as the witness", types: WITNESS },
  { shows: "Verify reads the host again: no difference, exit 0", types: "op-dbus verify state.json" },
  { shows: "A second apply has nothing to do", types: "op-dbus apply state.json --yes" },
  { shows: "Somebody stops a unit behind our back", types: "systemctl stop demo-simple.service" },
  { shows: "Verify sees the drift: exit 3", types: "op-dbus verify state.json", exit: 3 },
  { shows: "Apply again brings back what was declared", types: "op-dbus apply state.json --yes" },
  { shows: "Every apply left a checkpoint", types: "op-dbus checkpoint list" },
  { shows: "Rollback undoes the latest apply, here the repair", types: "op-dbus rollback --yes" },
  { shows: "Again goes one further: the host is as it was before the first apply", types: "op-dbus rollback --yes" },
  { shows: "The witness agrees", types: WITNESS },
  { shows: "A document that was rolled back is rejected until it changes or --force is given: exit 6", types: "op-dbus apply state.json --yes", exit: 6 },
  { shows: "All of it is in the audit log, which is never rolled back", types: "op-dbus audit list" },
  { shows: "And where things stand", types: "op-dbus status" },
];

const SHOWN = `
What was shown, on a real systemd behind its own D-Bus:
  query      reads the host into the same document that you write
  plan       is exactly what will happen; apply does it and reads the host back
  verify     finds drift, however it came about; apply again repairs it
  rollback   goes back step by step, to where the host was before
  audit      has an entry for every change, the rollbacks included

Where to go next:
  README.md            the two-minute tour and the state file
  ./scripts/test       all tests, on hosts like this one
  ./scripts/build      the binary in dist/op-dbus: copy it to a host, that is the installation
  op-dbus init         writes a starter state file from what is there
`;

const LONGEST_OUTPUT = 40;
const KEPT_LINES = 18;

const colours = process.stdout.isTTY === true && Bun.env["NO_COLOR"] === undefined;

function bold(text: string): string {
  return colours ? `\x1b[1m${text}\x1b[0m` : text;
}

function shorten(text: string): string {
  const lines = text.trimEnd().split("\n");
  if (lines.length <= LONGEST_OUTPUT) return lines.join("\n");
  return [...lines.slice(0, KEPT_LINES), `[… ${lines.length - KEPT_LINES} more lines]`].join("\n");
}

async function show(host: Host, { shows, types, exit = 0 }: Scene): Promise<void> {
  console.log(`\n${bold(`# ${shows}`)}\n${bold(`$ ${types}`)}`);
  // Both streams in the order in which a terminal would show them.
  const result = await host.run(["sh", "-c", `exec 2>&1; ${types}`], { cwd: "/root", terminal: colours });
  const output = shorten(result.stdout.replaceAll("\r\n", "\n"));
  if (output !== "") console.log(output);
  if (result.exit !== 0 || exit !== 0) console.log(`[exit ${result.exit}]`);
  if (result.exit !== exit) throw new Error(`"${types}" ended with ${result.exit}; ${exit} was expected`);
}

async function main(): Promise<void> {
  const started = performance.now();
  await using host = await Host.boot({ name: "demo" });
  const system = (await host.must(["sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME, $(systemctl --version | head -n 1)"'])).stdout.trim();
  console.log(`\nBooted a throw-away host in ${((performance.now() - started) / 1000).toFixed(1)} s: ${system}`);
  console.log("All commands below run inside it, as root. It is gone when the demo ends.");
  await host.write("/root/state.json", JSON.stringify(STATE, null, 2) + "\n");
  for (const scene of SCENES) await show(host, scene);
  console.log(SHOWN.trimEnd());
}

try {
  await main();
} catch (error) {
  console.error(`\nThe demo stopped: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
