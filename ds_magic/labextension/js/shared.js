// Modules of the page that we are loaded into: there is one of each, and ours must be the same.

/** `modules(scope)`: a function that gives a promise of a module by its name, such as "@codemirror/view". */
export function modules(scope) {
  return async (name) => {
    const [version] = Object.keys(scope[name]);
    return (await scope[name][version].get())();
  };
}
