import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { declare, fresh } from "../session.ts";

const PROGRAM = "[Service]\nExecStart=/bin/sleep 1000\n";
const INSTALL = "[Install]\nWantedBy=multi-user.target\n";

/** Unit files and links that people and packages really have, and some that nobody should have. */
const FOUND_ON_HOSTS = `
  mkdir -p /etc/systemd/system/multi-user.target.wants /etc/systemd/system/multi-user.target.requires /etc/systemd/system/multi-user.target.upholds
  mkdir -p /usr/lib/systemd/system/multi-user.target.wants /run/systemd/system/multi-user.target.wants /run/systemd/system /usr/local/lib/systemd/system
  cd /usr/lib/systemd/system
  unit() { printf '${PROGRAM}\n'"$2" >"$1"; }
  unit odd-plain.service '${INSTALL}'
  unit odd-none.service ''
  unit odd-empty-list.service '[Install]\nWantedBy=\n'
  unit odd-taken-back.service '[Install]\nWantedBy=multi-user.target\nWantedBy=\n'
  unit odd-required.service '[Install]\nRequiredBy=multi-user.target\n'
  unit odd-upheld.service '[Install]\nUpheldBy=multi-user.target\n'
  unit odd-alias-only.service '[Install]\nAlias=odd-nickname.service\n'
  unit odd-also-only.service '[Install]\nAlso=odd-plain.service\n'
  unit odd-specifier.service '[Install]\nWantedBy=%%i.target\n'
  unit odd-two-lines.service '[Install]\nWantedBy=multi-user.target \\\n graphical.target\n'
  unit odd-comment.service '[Install]\n# WantedBy=multi-user.target\n'
  unit odd-swallowed.service '[Install]\nFoo=a \\\n# b\nWantedBy=multi-user.target\n'
  unit odd-wanted-by-hand.service ''
  ln -s /usr/lib/systemd/system/odd-wanted-by-hand.service /etc/systemd/system/multi-user.target.wants/
  unit odd-required-by-hand.service '${INSTALL}'
  ln -s /usr/lib/systemd/system/odd-required-by-hand.service /etc/systemd/system/multi-user.target.requires/
  unit odd-upheld-by-hand.service '${INSTALL}'
  ln -s /usr/lib/systemd/system/odd-upheld-by-hand.service /etc/systemd/system/multi-user.target.upholds/
  unit odd-wanted-elsewhere.service '${INSTALL}'
  ln -s /dev/null /etc/systemd/system/multi-user.target.wants/odd-wanted-elsewhere.service
  unit odd-wanted-by-file.service '${INSTALL}'
  touch /etc/systemd/system/multi-user.target.wants/odd-wanted-by-file.service
  unit odd-wanted-by-package.service '${INSTALL}'
  ln -s ../odd-wanted-by-package.service multi-user.target.wants/
  unit odd-wanted-until-reboot.service '${INSTALL}'
  ln -s /usr/lib/systemd/system/odd-wanted-until-reboot.service /run/systemd/system/multi-user.target.wants/
  unit odd-renamed.service '${INSTALL}'
  ln -s /usr/lib/systemd/system/odd-renamed.service /etc/systemd/system/odd-other-name.service
  unit odd-renamed-by-package.service '${INSTALL}'
  ln -s odd-renamed-by-package.service odd-package-name.service
  unit odd-masked.service '${INSTALL}'
  ln -s /dev/null /etc/systemd/system/odd-masked.service
  unit odd-masked-by-nothing.service '${INSTALL}'
  touch /etc/systemd/system/odd-masked-by-nothing.service
  unit odd-masked-until-reboot.service '${INSTALL}'
  ln -s /dev/null /run/systemd/system/odd-masked-until-reboot.service
  unit odd-covered.service ''
  unit /etc/systemd/system/odd-covered.service '${INSTALL}'
  unit odd-covered-by-none.service '${INSTALL}'
  unit /etc/systemd/system/odd-covered-by-none.service ''
  unit /usr/local/lib/systemd/system/odd-local.service '${INSTALL}'
  unit /run/systemd/system/odd-until-reboot.service '${INSTALL}'
  unit /root/odd-linked.service '${INSTALL}'
  ln -s /root/odd-linked.service /etc/systemd/system/odd-linked.service
  unit odd-folder.service '${INSTALL}'
  mkdir /etc/systemd/system/odd-folder.service
  for name in odd-drop-in-adds odd-drop-in-clears; do mkdir /etc/systemd/system/$name.service.d; done
  unit odd-drop-in-adds.service ''
  printf '${INSTALL}' >/etc/systemd/system/odd-drop-in-adds.service.d/install.conf
  unit odd-drop-in-clears.service '${INSTALL}'
  printf '[Install]\nWantedBy=\n' >/etc/systemd/system/odd-drop-in-clears.service.d/install.conf
  systemctl daemon-reload`;
const CLEARED = `
  rm -rf /usr/lib/systemd/system/odd-* /usr/local/lib/systemd/system/odd-* /run/systemd/system/odd-* /root/odd-* /etc/systemd/system/odd-* \
    /usr/lib/systemd/system/*.wants/odd-* /run/systemd/system/*.wants/odd-* /etc/systemd/system/*.wants/odd-* /etc/systemd/system/*.requires/odd-* \
    /etc/systemd/system/multi-user.target.upholds
  systemctl daemon-reload`;

/** What a plan that wants a unit enabled ends with, by what systemctl is-enabled says of it; for all else it refuses. */
const EXITS: Readonly<Record<string, number>> = { enabled: 0, disabled: 3, "enabled-runtime": 3 };

async function isEnabled(host: Host, unit: string): Promise<string> {
  return (await host.run(["systemctl", "is-enabled", unit])).stdout.trim();
}

hostTest("enabled: what the unit folders tell is what systemd says, for links and files of every kind", async (host) => {
  await fresh(host);
  try {
    await host.must(["sh", "-c", FOUND_ON_HOSTS]);
    const units = [...new Set(FOUND_ON_HOSTS.match(/odd-[a-z-]+\.service/g))].sort();
    const [told, systemds]: [string[], string[]] = [[], []];
    for (const unit of units) {
      await declare(host, { [unit]: { enabled: true } }, "/root/odd.json");
      const { exit } = await host.run(["op-dbus", "plan", "/root/odd.json"]);
      const state = await isEnabled(host, unit);
      told.push(`${unit} ${state}: exit ${exit}`);
      systemds.push(`${unit} ${state}: exit ${EXITS[state] ?? 2}`);
    }
    expect(told).toEqual(systemds);
    expect(new Set(await Promise.all(units.map((unit) => isEnabled(host, unit)))).size).toBeGreaterThan(6);
  } finally {
    await host.must(["sh", "-c", CLEARED]);
  }
});

hostTest("enabled: a link that a person made or took away without a word to systemd is seen", async (host) => {
  await fresh(host);
  const link = "/etc/systemd/system/multi-user.target.wants/demo-notify.service";
  await declare(host, { "demo-notify.service": { enabled: true } }, "/root/links.json");
  const plan = async () => (await host.run(["op-dbus", "plan", "/root/links.json"])).exit;
  expect(await plan()).toBe(3);
  await host.must(["ln", "-s", "/usr/lib/systemd/system/demo-notify.service", link]);
  expect(await plan()).toBe(0);
  await host.must(["rm", link]);
  expect(await plan()).toBe(3);
});
