import { writeFileSync } from "node:fs";
import { scratch } from "../sys/scratch.ts";

/** A real dbus-daemon that only this test knows of. */
export interface PrivateBus extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Nobody may own org.example.Forbidden, nor call what is in org.example.Denied; no service is started. Calls in flight as on a system bus: 128. */
const CONFIGURATION = (socket: string) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <listen>unix:abstract=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <deny own="org.example.Forbidden"/>
    <deny send_interface="org.example.Denied"/>
  </policy>
  <limit name="max_replies_per_connection">128</limit>
</busconfig>
`;

export async function privateBus(): Promise<PrivateBus> {
  const folder = scratch();
  const socket = folder.file("bus");
  writeFileSync(folder.file("bus.conf"), CONFIGURATION(socket));
  const daemon = Bun.spawn(["dbus-daemon", `--config-file=${folder.file("bus.conf")}`, "--nofork", "--print-address=1"], {
    stdin: "ignore",
    stderr: "pipe",
  });
  // The address is printed when the daemon listens.
  const { value } = await daemon.stdout.getReader().read();
  if (value === undefined) throw new Error(`dbus-daemon did not start: ${await new Response(daemon.stderr).text()}`);
  const stop = async (): Promise<void> => {
    daemon.kill();
    await daemon.exited;
  };
  return {
    address: `unix:path=${socket}`,
    pid: daemon.pid,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
