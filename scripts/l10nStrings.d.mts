/** Texts of the extension that are translated, and the places of those that are not (`file:line: text`). */
export function findTexts(files?: readonly string[]): { translated: string[]; bare: string[] };
