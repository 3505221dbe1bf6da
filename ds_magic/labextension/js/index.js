// Our plugins in JupyterLab and Notebook 7. Each loads what it needs when it is first needed.

import { modules } from "./shared.js";
import { output } from "./output/plugin.js";
import { prompts } from "./prompts/plugin.js";

/** The plugins, made of the modules that the page shares. */
export async function plugins(scope) {
  const shared = modules(scope);
  return [await output(shared), await prompts(shared)];
}
