import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { must } from "./command.ts";
import { copyTree } from "./tree.ts";

/** Makes a `file:` apt source in `target` from folders that `dpkg-deb` can build, one package version each. */
export async function buildRepository(recipes: string, target: string): Promise<void> {
  const scratch = `${target}.build`;
  await copyTree(recipes, scratch);
  await mkdir(target, { recursive: true });
  for (const name of (await readdir(scratch)).sort()) {
    await must(["dpkg-deb", "--root-owner-group", "--build", join(scratch, name), join(target, `${name}_all.deb`)]);
  }
  const index = await must(["apt-ftparchive", "packages", "."], { cwd: target });
  await Bun.write(join(target, "Packages"), index.stdout);
  const release = await must(["apt-ftparchive", "release", "."], { cwd: target });
  await Bun.write(join(target, "Release"), release.stdout);
  await must(["rm", "-rf", scratch]);
}
