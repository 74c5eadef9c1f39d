/** Texts of configurations that came with the command from another machine (`--machine`), by the argument that names them. */
export const travelled = new Map<string, string>();
