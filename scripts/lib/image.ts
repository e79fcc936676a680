import { image } from "../../test/host/harness/image.ts";

/** Builds the test hosts' image where it is not in the cache, so that no test waits for it. */
await image("base");
