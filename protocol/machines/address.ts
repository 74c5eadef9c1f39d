/**
 * The address of a run on another machine: `unimiss://HOST/absolute/path`. In the editor it takes the place of the run's folder, so
 * that a run is known by machine and folder everywhere. A run on this machine is known by its folder alone.
 */
const scheme = 'unimiss://';

export interface Place {
  /** A host of the SSH configuration; undefined: this machine. */
  machine: string | undefined;
  /** Absolute path of a folder or file there. */
  path: string;
}

export function addressOf(machine: string | undefined, path: string): string {
  return machine === undefined ? path : `${scheme}${machine}${path}`;
}

export function parseAddress(address: string): Place {
  const [, machine, path] = /^unimiss:\/\/([^/]+)(\/.*)$/s.exec(address) ?? [];
  return machine === undefined || path === undefined ? { machine: undefined, path: address } : { machine, path };
}
