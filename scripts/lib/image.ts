import { image } from "../../test/host/harness/image.ts";

/** Builds the test hosts' images where they are not in the cache, so that no test waits for them. */
await image("base");
if (process.arch === "x64") await image("virtual");
