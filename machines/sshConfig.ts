import { checkHost } from './host.ts';

/** The hosts that an SSH configuration names, without patterns, each once: for a list to choose from. `ssh` itself reads the rest. */
export function hostsInSshConfig(text: string): string[] {
  const hosts = text.split('\n').flatMap((line) => {
    const [, names] = /^\s*Host[\s=]+(.+)$/i.exec(line) ?? [];
    return (names ?? '')
      .replace(/#.*$/, '')
      .split(/\s+/)
      .map((name) => name.replaceAll('"', ''));
  });
  return [...new Set(hosts)].filter((host) => !/[*?]/.test(host) && isHost(host));
}

function isHost(host: string): boolean {
  try {
    return checkHost(host) === host;
  } catch {
    return false; // `ssh` knows it, but it cannot be a machine of the setting
  }
}
