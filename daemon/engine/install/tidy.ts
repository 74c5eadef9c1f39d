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
