/** The text with every number and its percent sign on one line of a page. */
export function percentsUnbroken(text: string): string {
  return text.replaceAll(' %', '\u00a0%');
}
