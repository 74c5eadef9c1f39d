/** Controls of C0 but tab and line break, DEL, those of C1, and the marks that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const commands = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that a terminal shows and does not obey: names of files may hold escape sequences, which move the cursor, change the title or
 * answer in the user's place. Each becomes visible (`\x1b`). For what goes to a terminal or a log, at that border.
 */
export function printable(text: string): string {
  return text.replace(commands, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** A value as JSON on one line that a terminal does not obey either; JSON itself leaves DEL, C1 and marks of direction as they are. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    commands,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
