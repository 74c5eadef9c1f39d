/** Control characters: C0 except tab and line break, DEL, C1, and the marks that change the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for these
const commands = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes a text safe for a terminal. File names may contain escape sequences, which move the cursor, change the title or answer in
 * the user's place; each becomes visible (`\x1b`). Apply it where text enters a terminal or a log.
 */
export function printable(text: string): string {
  return text.replace(commands, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** A value as JSON on one line, safe for a terminal. JSON itself does not escape DEL, C1 and marks of direction. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    commands,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
