import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * Needs of tests that not every machine meets. Tests whose need is missing are skipped; if UNIMISS_REQUIRE names the need (words
 * with commas between: `browser,editor`), they fail with the reason.
 */
const needs = ['browser', 'editor', 'samples', 'labelled', 'pjrt', 'pjrt-cuda', 'sshd'] as const;
export type Need = (typeof needs)[number];

/** The words of UNIMISS_REQUIRE. Throws where one is unknown: a misspelt one would require nothing. */
export function required(text = process.env.UNIMISS_REQUIRE ?? ''): ReadonlySet<Need> {
  const words = text.split(',').flatMap((word) => word.trim() || []);
  const unknown = words.filter((word) => !needs.some((need) => need === word));
  if (unknown.length > 0)
    throw new Error(
      `UNIMISS_REQUIRE: unknown ${unknown.join(', ')}. Words are ${needs.join(', ')}, with commas between.`,
    );
  return new Set(needs.filter((need) => words.includes(need)));
}

/**
 * For `skipIf`: the reason why tests are skipped, '' where they are not. Throws it where the need is required; the file of
 * tests then counts as failed.
 */
export function lack(need: Need, reason: string, wanted = required()): string {
  if (reason !== '' && wanted.has(need)) throw new Error(`UNIMISS_REQUIRE names ${need}, but ${reason}`);
  return reason;
}

const variables = { samples: 'UNIMISS_SAMPLES', labelled: 'UNIMISS_LABELLED' } as const;

/**
 * A folder of real images, absolute; undefined where its variable is not set. Throws where that names no folder (a test that
 * was meant to run would be skipped), and where it is not set but required.
 */
export function folderOf(need: keyof typeof variables, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const variable = variables[need];
  const named = env[variable];
  if (named && !statSync(named, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${variable}: ${named} is not a folder`);
  if (!named) lack(need, `${variable} is not set`, required(env.UNIMISS_REQUIRE ?? ''));
  return named ? resolve(named) : undefined;
}

/** Debian's chromium on the PATH; undefined where it is missing. */
export function findChromium(path = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter(isAbsolute);
  return ['chromium', 'chromium-browser'].flatMap((name) => folders.map((folder) => join(folder, name))).find(runnable);
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // it is not there, or not ours to run
  }
}
