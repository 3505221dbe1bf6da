// Our plugins in JupyterLab and Notebook 7. Each loads what it needs when it is first needed.

import { modules } from "./shared.js";
import { live } from "./live/plugin.js";
import { output } from "./output/plugin.js";
import { prompts } from "./prompts/plugin.js";

/** The plugins, made of the modules that the page shares; without those for which it lacks one. */
export async function plugins(scope) {
  const shared = modules(scope);
  const made = await Promise.allSettled([output, prompts, live].map((plugin) => plugin(shared)));
  for (const { reason } of made) if (reason) console.warn("ds_magic: a part of the extension cannot be loaded.", reason);
  return made.flatMap(({ value }) => value ?? []);
}
