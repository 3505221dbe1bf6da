// What JupyterLab and Notebook 7 load of us: a container of module federation, written by hand. Nothing is built.

var _JUPYTERLAB = typeof _JUPYTERLAB === "undefined" ? {} : _JUPYTERLAB;

{
  const here = document.currentScript.src;
  let shared;
  _JUPYTERLAB.ds_magic = {
    /** `scope`: the modules that the page shares, by name and version. */
    init(scope) {
      shared = scope;
    },
    /** A promise of the factory of a module: there is one, our plugins. */
    async get() {
      const { plugins } = await import(new URL("index.js", here));
      const module = { __esModule: true, default: await plugins(shared) };
      return () => module;
    },
  };
}
