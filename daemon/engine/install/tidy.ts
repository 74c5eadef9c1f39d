import os from 'node:os';
import { type Env, home } from './places.ts';

/** `tidyPaths` for this machine's user, on every string in a value of plain data. */
export function tidied<T>(value: T, { env = process.env, user = userName() }: { env?: Env; user?: string } = {}): T {
  if (typeof value === 'string') return tidyPaths(value, home(env), user) as T;
  if (Array.isArray(value)) return value.map((each) => tidied(each, { env, user })) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, tidied(each, { env, user })])) as T;
}

/** A user of a container may have a number but no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return '';
  }
}

/**
 * Removes the user's identity from a text that may be posted: the home folder becomes `~`, and the user's name as a whole part of
 * another path (`/data/jane/cache`) becomes `<user>`.
 */
export function tidyPaths(text: string, homeFolder: string, user: string): string {
  const quote = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  let tidied = text;
  const folder = homeFolder.replace(/\/+$/, '');
  if (folder !== '') tidied = tidied.replace(new RegExp(`${quote(folder)}(?![\\w.-])`, 'g'), '~');
  if (user !== '') tidied = tidied.replace(new RegExp(`(?<=/)${quote(user)}(?![\\w.-])`, 'g'), '<user>');
  return tidied;
}
